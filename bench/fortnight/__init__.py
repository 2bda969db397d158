"""Two weeks of the simulated home with Luna, judged by the home's own truth: what it costs, what it says, what it loses; with incidents.

The recorder hears the home's broker, slots are built, days judged, forecasts issued, plans made and devices told by the code that does so in life, in one
process, by a clock that is set minute by minute. Beside it the same house lives without Luna, and with perfect foresight re-lived through the same physics.
``luna bench fortnight --days 2`` is the short way; figures are of the code, not of the machine.
"""

import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Engine, func, select

from bench.fortnight.claims import HomeTruth, SentenceJudge
from bench.fortnight.incidents import INCIDENTS, SHORT_INCIDENTS, Incident, find_incident, name_instants
from bench.fortnight.life import MINUTE, AskedWork, SetLuna
from bench.fortnight.ways import COUNTED, Bill, SameHouse, SlotLedger, stored_kwh
from bench.fortnight.world import SetClock, SimulatedWorld, open_world
from luna import control_service
from luna.contracts.data import JudgeQualityRequest
from luna.contracts.forecast import RefreshForecastsRequest
from luna.contracts.plan import PlanRequest
from luna.database import engine, observations, plans
from luna.database.engine import unit_of_work
from luna.database.migrate import upgrade
from luna.database.schema.series import sensor_readings, sensors
from luna.embedded import start
from luna.queue import TaskContext
from luna.settings import Settings, load_settings
from luna.simulated_home import SITE_NAME, TOPICS, ZONE, Faults, HomeFiles, HomeState, RecordedYear, publish_prices
from luna.simulated_home.preparation import JUDGED
from luna.telemetry import configure_logging
from luna.timeline import SLOT, Timeline, local_midnight
from services.executor.decision import plan_age
from services.ingest.simulated_home import make_home
from services.planner.compiled import load_kernels
from tests.folders import server_folder

DAYS = 14
# A Monday; the last Sunday has twenty-three hours.
FIRST_DAY = date(2027, 3, 15)
PRICES_EVERY, PRICES_BACK = timedelta(minutes=10), timedelta(days=30)
# When devices speak and Luna takes its turns in each quarter-hour: its begin, what follows on it, and twice between. In life it is every few seconds.
LOOKS = (MINUTE, 2 * MINUTE, 6 * MINUTE, 11 * MINUTE, SLOT)
# A bit over an hour, so that each of the looks has its turn.
ASK_EVERY = 21
SERVICES = ("ingest", "forecaster", "planner")
TOLD = 40

Say = Callable[[str], None]


@dataclass
class Diary:
    """What was noted while the fortnight was lived."""

    ledger: SlotLedger
    judge: SentenceJudge
    looks: int = 0
    minutes: int = 0
    minutes_stopped: int = 0
    minutes_without_plan: int = 0
    plans_from: set[str] = field(default_factory=set)


def measure(*, days: float | None = None) -> dict[str, Any]:
    """Return cost each way, share of foresight's saving, minutes without a valid plan, false sentences and lost readings of ``days`` of the home."""
    lived = DAYS if days is None else days
    incidents = INCIDENTS if lived >= 1 else SHORT_INCIDENTS
    with server_folder() as folder, start(folder / "servers", services=("postgres",)) as servers:
        upgrade(servers.database_url)
        database = engine.create(servers.database_url, application_name="bench")
        try:
            return live_fortnight(folder, database, timedelta(days=lived), incidents=incidents)
        finally:
            database.dispose()


def live_fortnight(folder: Path, database: Engine, lived: timedelta, *, incidents: tuple[Incident, ...], say: Say | None = None) -> dict[str, Any]:
    """Return the figures of a home that is made in ``folder`` and ``database``, and lived for so long."""
    configure_logging("bench", level="CRITICAL")
    load_kernels()
    for service in SERVICES:
        import_module(f"services.{service}.tasks")
    begun, tell = time.perf_counter(), say or _say
    clock = SetClock(local_midnight(FIRST_DAY, ZONE))
    timeline = Timeline(clock.now(), SLOT, lived // SLOT)
    settings = Settings(data_folder=folder, cache_folder=load_settings().cache, outside_services=False)
    tell("the home's five weeks before are made")
    with TaskContext(settings, lambda: database, clock, queue=AskedWork) as work:
        make_home(work)
    files = HomeFiles(folder)
    year, begin = RecordedYear.load(files.year), files.read_state()
    settings = settings.model_copy(update={"mqtt_url": f"mqtt://127.0.0.1:{files.read_setup().port}"})
    with open_world(files, clock) as world:
        life = FortnightLife(SetLuna(settings, database, world), world, timeline, incidents)
        diary = life.live(tell)
        figures = _tell_life(life, diary)
    tell("the same house without Luna, and with foresight")
    figures |= _compare(year, begin, timeline, diary.ledger)
    return figures | {"days": lived / timedelta(days=1), "seconds": time.perf_counter() - begun}


class FortnightLife:
    """Lives the home and Luna minute by minute."""

    def __init__(self, luna: SetLuna, world: SimulatedWorld, timeline: Timeline, incidents: tuple[Incident, ...]) -> None:
        self.luna, self.world, self.timeline, self.incidents = luna, world, timeline, incidents
        self._published_at: datetime | None = None
        self._deaf_since: datetime | None = None
        self._deaf_until: datetime | None = None

    def live(self, tell: Say) -> Diary:
        """Return what was noted of all of it."""
        luna, start = self.luna, self.timeline.start
        self._prepare()
        diary = Diary(SlotLedger(self.world.state), SentenceJudge(luna.settings.plan_max_age))
        day = None
        while self.world.clock.now() < self.timeline.end:
            passed = self.world.clock.now() - start
            self._begin_incidents(passed)
            # What the executor awaits takes seconds of the minute before.
            step = _until_look(passed)
            with luna.timed("home"):
                self.world.pass_time(step)
            now = self.world.clock.now()
            if (now - start) % SLOT == timedelta(0):
                diary.ledger.close_slot(self.world.state)
            if find_incident(self.incidents, "network_away", passed) is None:
                self._publish(now)
            if luna.runs:
                luna.turn()
            self._note(diary, now)
            if day != (day := now.astimezone(ZONE).date()):
                tell(f"{day:%a %d %b}: {len(diary.judge.false)} of {diary.judge.asked} sentences false, {diary.minutes_without_plan} minutes without a plan")
        luna.stop()
        return diary

    def _prepare(self) -> None:
        luna, clock = self.luna, self.world.clock
        self._publish(clock.now())
        luna.do(RefreshForecastsRequest(site_id=SITE_NAME))
        today = clock.now().astimezone(ZONE).date()
        luna.do(JudgeQualityRequest(site_id=SITE_NAME, from_day=today - JUDGED, to_day=today - timedelta(days=1)))
        luna.do(PlanRequest(site_id=SITE_NAME))
        with unit_of_work(luna.database) as connection:
            control_service.arm(connection, SITE_NAME, now=clock.now(), by="bench")
        luna.start()

    def _begin_incidents(self, passed: timedelta) -> None:
        now, luna = self.world.clock.now(), self.luna
        stopped = find_incident(self.incidents, "luna_stopped", passed) is not None
        if stopped and luna.runs:
            luna.stop()
        elif not stopped and not luna.runs:
            luna.start()
        deaf = find_incident(self.incidents, "battery_deaf", passed) is not None
        if deaf and (self._deaf_since is None or self._deaf_until is not None):
            self._deaf_since, self._deaf_until = now, None
        if not deaf and self._deaf_since is not None and self._deaf_until is None:
            self._deaf_until = now
        self.world.set_faults(Faults(deaf=deaf, frozen_meter=find_incident(self.incidents, "meter_frozen", passed) is not None))

    def _publish(self, now: datetime) -> None:
        if self._published_at is None or now - self._published_at >= PRICES_EVERY:
            self._published_at = now
            with unit_of_work(self.luna.database) as connection:
                publish_prices(connection, self.world.year, since=now - PRICES_BACK, now=now)

    def _note(self, diary: Diary, now: datetime) -> None:
        minutes = (now - self.timeline.start) // MINUTE - diary.minutes
        diary.minutes += minutes
        if not self.luna.runs:
            diary.minutes_stopped += minutes
            return
        diary.looks += 1
        with unit_of_work(self.luna.database) as connection:
            plan = plans.read_due(connection, SITE_NAME, now, until=now)
            if plan is None or plan_age(plan, now) > self.luna.settings.plan_max_age:
                diary.minutes_without_plan += minutes
            if plan is not None:
                diary.plans_from.add(plan.plan_id)
            if diary.looks % ASK_EVERY == 0:
                truth = HomeTruth(self.world.state, self.timeline, diary.ledger, self._deaf_since, self._deaf_until)
                with self.luna.timed("sentences"):
                    diary.judge.ask(connection, truth, self.world.clock.now())


def _until_look(passed: timedelta) -> timedelta:
    """Return how long it is to the next look at the home."""
    within = passed % SLOT
    return next(look for look in LOOKS if look > within) - within


def _tell_life(life: FortnightLife, diary: Diary) -> dict[str, Any]:
    judge, timeline = diary.judge, life.timeline
    lost, added = _count_readings(life.luna.database, life.world)
    return {
        "incidents": name_instants(life.incidents, timeline.start, timeline.end),
        "parts_s": {part: round(seconds, 1) for part, seconds in life.luna.seconds.items()},
        "minutes": diary.minutes,
        "minutes_stopped": diary.minutes_stopped,
        "minutes_without_plan": diary.minutes_without_plan,
        "plans": len(diary.plans_from),
        "sentences": judge.asked,
        "sentences_false": len(judge.false),
        "false": [f"{each.at.astimezone(ZONE):%d %b %H:%M}: said {each.said}; true {each.truth}" for each in judge.false[:TOLD]],
        "readings": sum(life.world.said.values()),
        "readings_lost": lost,
        "readings_beside": added,
        "energies": _compare_energies(life.luna.database, timeline, diary.ledger),
    }


def _count_readings(database: Engine, world: SimulatedWorld) -> tuple[int, int]:
    """Return how many readings are missing of what was said while somebody listened, and how many are there beside: the last word of before."""
    query = select(sensors.c.name, func.count()).join(sensor_readings, sensor_readings.c.sensor_key == sensors.c.sensor_key).group_by(sensors.c.name)
    with unit_of_work(database) as connection:
        stored = {name: int(count) for name, count in connection.execute(query)}
    kept = {topic: sum(count for name, count in stored.items() if topic in name) for topic in TOPICS.values()}
    return (
        sum(max(0, said - kept[topic]) for topic, said in world.said.items()),
        sum(max(0, kept[topic] - said) for topic, said in world.said.items()),
    )


def _compare_energies(database: Engine, timeline: Timeline, ledger: SlotLedger) -> dict[str, dict[str, float]]:
    """Return by series what is stored, what was true, and how many quarter-hours are unknown: over a stop of Luna counters carry what flowed."""
    # The last quarter-hour is built a moment after its end.
    closed = timeline.window(0, len(ledger.slots["stored_kwh"]) - 1)
    with unit_of_work(database) as connection:
        seen = observations.read_series(connection, SITE_NAME, closed, tuple(COUNTED))
    return {
        name: {
            "stored_kwh": float(np.nansum(known)),
            "true_kwh": float(ledger.series(name)[: closed.count].sum()),
            "unknown_slots": int(np.isnan(known).sum()),
        }
        for name, known in seen.items()
    }


def _compare(year: RecordedYear, begin: HomeState, timeline: Timeline, ledger: SlotLedger) -> dict[str, Any]:
    bill, start_kwh = Bill.of(year, timeline), stored_kwh(begin)
    house = SameHouse(year, begin, timeline)
    plain = house.live_plain()
    foreseen = house.live_foreseen(bill, plain)
    costs = {name: bill.cost(each, start_kwh=start_kwh) for name, each in (("self", plain), ("luna", ledger), ("foresight", foreseen))}
    gained, possible = costs["self"] - costs["luna"], costs["self"] - costs["foresight"]
    return {"cost": costs, "saved": gained, "share_of_foresight": gained / possible if possible > 0 else 0.0}


def _say(words: str) -> None:
    with suppress(OSError):
        print(f"fortnight: {words}", file=sys.stderr, flush=True)
