"""Two simulated weeks of a home with Luna and with incidents, checked against the home's true
state: costs, false statements, lost readings.

Recording, slots, data quality, forecasts, plans and control run by the product's code in one
process, with a manual clock that advances minute by minute. Baselines are the same house without
Luna and with perfect foresight, by the same physics. ``luna bench fortnight --days 2`` is the short
form; the figures do not depend on the machine.
"""

import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
from sqlalchemy import Engine, event, select

from bench.fortnight.claims import WORN_WITHIN, FalseSentence, HomeTruth, SentenceJudge
from bench.fortnight.direct_link import PREFIX
from bench.fortnight.incidents import (
    INCIDENTS,
    SHORT_INCIDENTS,
    Incident,
    IncidentPeriod,
    find_incident,
    list_periods,
    name_span,
)
from bench.fortnight.life import MINUTE, AskedWork, SetLuna
from bench.fortnight.ways import COUNTED, Bill, SameHouse, SlotLedger, stored_kwh
from bench.fortnight.world import SetClock, SimulatedWorld, open_world
from luna.contracts.data import JudgeQualityRequest
from luna.contracts.forecast import RefreshForecastsRequest
from luna.contracts.plan import PlanRequest
from luna.energy.economics.prices import DAY_AHEAD_PUBLISHED
from luna.energy.site import Site, parse_site
from luna.energy.timeline import SLOT, Timeline, local_midnight
from luna.platform import control_service
from luna.platform.database import device_trials, engine, observations, plans, sites
from luna.platform.database.engine import unit_of_work
from luna.platform.database.migrate import upgrade
from luna.platform.database.schema.series import sensor_readings, sensors
from luna.platform.drivers.profile import DeviceProfile
from luna.platform.embedded.supervisor import start
from luna.platform.queue import TaskContext
from luna.platform.settings import Settings, load_settings
from luna.platform.simulated_home.files import Faults, HomeFiles
from luna.platform.simulated_home.market import publish_prices
from luna.platform.simulated_home.preparation import JUDGED
from luna.platform.simulated_home.recorded_year import RecordedYear
from luna.platform.simulated_home.site import SITE_NAME, ZONE, build_site
from luna.platform.telemetry import configure_logging
from services.ingest.simulated_home import make_home
from services.planner.compiled import load_kernels
from tests.support.database.server_folders import server_folder

DAYS = 14
# A Monday; the last Sunday has twenty-three hours.
FIRST_DAY = date(2027, 3, 15)
# Prices count as missing from an hour after their publication.
PRICES_LATE = timedelta(hours=1)
PRICES_EVERY = timedelta(minutes=10)
PRICES_BACK = timedelta(days=30)
# Times in each quarter-hour at which devices publish and Luna takes a turn; in reality that is
# every few seconds.
LOOKS = (MINUTE, 2 * MINUTE, 6 * MINUTE, 11 * MINUTE, SLOT)
# Statements are checked at every so many looks (a bit over an hour, two with a product); coprime to
# a quarter-hour's looks, so that each gets its turn.
ASK_EVERY = 21
PRODUCT_ASK_EVERY = 43
# Polling interval of a directly controlled device: shorter than the shortest time after which one
# falls back by itself.
SESSION_EVERY = timedelta(seconds=30)
SERVICES = ("ingest", "forecaster", "planner")
TOLD = 40
# Readings are microseconds apart; statements are asked for after all of them.
A_MOMENT = timedelta(seconds=1)

Say = Callable[[str], None]


@dataclass
class PeriodFigures:
    """The counts of an incident with its aftermath, or of the undisturbed time."""

    minutes: int = 0
    minutes_stopped: int = 0
    minutes_without_plan: int = 0
    sentences: int = 0
    sentences_false: int = 0
    readings_lost: int = 0


@dataclass
class Diary:
    """The records of a run; time in overlapping incidents counts in each of their ``periods``."""

    ledger: SlotLedger
    judge: SentenceJudge
    looks: int = 0
    whole: PeriodFigures = field(default_factory=PeriodFigures)
    periods: dict[IncidentPeriod, PeriodFigures] = field(
        default_factory=lambda: defaultdict(PeriodFigures)
    )
    without_plan: list[datetime] = field(default_factory=list)
    plans_from: set[str] = field(default_factory=set)

    def count(self, name: str, count: int, periods: Iterable[IncidentPeriod]) -> None:
        """Add to a figure of the whole run and of the given periods."""
        for figures in (self.whole, *(self.periods[period] for period in periods)):
            setattr(figures, name, getattr(figures, name) + count)


def measure(*, days: float | None = None) -> dict[str, Any]:
    """Return the costs, share of foresight's savings, minutes without a valid plan, false sentences
    and lost readings of so many ``days``.
    """
    lived = DAYS if days is None else days
    incidents = INCIDENTS if lived >= 1 else SHORT_INCIDENTS
    with empty_luna() as (folder, database):
        return live_fortnight(folder, database, timedelta(days=lived), incidents=incidents)


@contextmanager
def empty_luna() -> Iterator[tuple[Path, Engine]]:
    """Yield an empty data folder and an empty database while the block runs."""
    with server_folder() as folder, start(folder / "servers", services=("postgres",)) as servers:
        upgrade(servers.database_url)
        database = engine.create(servers.database_url, application_name="bench")
        event.listen(database, "connect", _forgo_safety)
        try:
            yield folder, database
        finally:
            database.dispose()


def _forgo_safety(connection: psycopg.Connection, _record: object) -> None:
    """Turn off synchronous commits: no data here has to survive a power loss."""
    connection.execute("SET synchronous_commit TO off")
    connection.commit()


def live_fortnight(
    folder: Path,
    database: Engine,
    lived: timedelta,
    *,
    incidents: tuple[Incident, ...],
    product: DeviceProfile | None = None,
    say: Say | None = None,
) -> dict[str, Any]:
    """Create a home in ``folder`` and ``database``, simulate it for ``lived`` and return its
    figures; the inverter is one of ``product``, or uses topics.
    """
    configure_logging("bench", level="CRITICAL")
    load_kernels()
    for service in SERVICES:
        import_module(f"services.{service}.tasks")
    begun = time.perf_counter()
    tell = say or _say
    clock = SetClock(local_midnight(FIRST_DAY, ZONE))
    timeline = Timeline(clock.now(), SLOT, lived // SLOT)
    settings = Settings(
        data_folder=folder, cache_folder=load_settings().cache, outside_services=False
    )
    tell("the home's five weeks before are made")
    with TaskContext(settings, lambda: database, clock, queue=AskedWork) as work:
        make_home(work)
    files = HomeFiles(folder)
    site = build_site() if product is None else build_battery_site()
    if product is not None:
        with unit_of_work(database) as connection:
            sites.save(connection, name_product(site, product))
        files.write_state(replace(files.read_state(), car=None, heater=None))
    year = RecordedYear.load(files.year)
    begin = files.read_state()
    settings = settings.model_copy(
        update={"mqtt_url": f"mqtt://127.0.0.1:{files.read_setup().port}"}
    )
    with open_world(files, clock, site=site, product=product) as world:
        life = FortnightLife(SetLuna(settings, database, world), world, timeline, incidents)
        diary = life.live(tell)
        figures = _tell_life(life, diary)
    tell("the same house without Luna, and with foresight")
    figures |= _compare(
        Bill.of(site, year, timeline), SameHouse(year, begin, timeline), diary.ledger
    )
    return figures | {"days": lived / timedelta(days=1), "seconds": time.perf_counter() - begun}


def build_battery_site() -> Site:
    """Return the home without car and water heater: planning them takes nine tenths of the time,
    and does not depend on the inverter.
    """
    document = build_site().model_dump(mode="json", by_alias=True, exclude_unset=True)
    sensors = {
        role: each
        for role, each in document["input_sensors"].items()
        if not role.startswith(("vehicle", "water_heater"))
    }
    control = {"by": "mqtt", "batteries": document["control"]["batteries"]}
    return parse_site(
        document | {"vehicles": [], "loads": [], "input_sensors": sensors, "control": control}
    )


def name_product(site: Site, product: DeviceProfile) -> Site:
    """Return the home with its battery controlled by a device profile."""
    document = site.model_dump(mode="json", by_alias=True, exclude_unset=True)
    via = {"profile": product.profile, "host": "127.0.0.1"} | (
        {"prefix": PREFIX} if product.needs_prefix else {}
    )
    return parse_site(
        document
        | {
            "control": {
                "by": "mqtt",
                "batteries": [{"battery": site.batteries[0].name, "via": via}],
            }
        }
    )


@dataclass
class FaultSpan:
    """Begin (None: never) and end (None: not yet) of a device's last fault."""

    since: datetime | None = None
    until: datetime | None = None

    def note(self, now: datetime, *, holds: bool) -> None:
        """Record whether the fault is active now."""
        if holds and (self.since is None or self.until is not None):
            self.since = now
            self.until = None
        if not holds and self.since is not None and self.until is None:
            self.until = now


class FortnightLife:
    """Simulates the home and Luna step by step."""

    def __init__(
        self,
        luna: SetLuna,
        world: SimulatedWorld,
        timeline: Timeline,
        incidents: tuple[Incident, ...],
    ) -> None:
        self.luna = luna
        self.world = world
        self.timeline = timeline
        self.incidents = incidents
        self._published_at: datetime | None = None
        self._luna_since = timeline.start
        self._deaf, self._frozen = FaultSpan(), FaultSpan()
        # The inverter's mode, and since when it follows it.
        self._command: tuple[str, datetime] | None = None

    def live(self, tell: Say) -> Diary:
        """Simulate the whole run and return its records."""
        luna = self.luna
        start = self.timeline.start
        self._prepare()
        diary = Diary(SlotLedger(self.world.state), SentenceJudge(luna.settings.plan_max_age))
        day = None
        while self.world.clock.now() < self.timeline.end:
            passed = self.world.clock.now() - start
            self._begin_incidents(passed)
            # Up to the next look and not a fixed step: awaiting confirmations has advanced the
            # clock by some seconds.
            step = self._until_look(passed)
            with luna.timed("home"):
                self._pass_time(step)
            now = self.world.clock.now()
            if (now - start) % SLOT == timedelta(0):
                diary.ledger.close_slot(self.world.state)
            if find_incident(self.incidents, "network_away", passed) is None:
                self._publish(now)
            if luna.runs:
                luna.turn()
            for false in self._note(diary, now):
                tell(str(false))
            if day != (day := now.astimezone(ZONE).date()):
                share = (now - start) / (self.timeline.end - start)
                tell(
                    f"{day:%a %d %b}, {share:.0%}: {diary.judge.count_false()}, "
                    f"{diary.whole.minutes_without_plan} minutes without a plan"
                )
        luna.stop()
        return diary

    def _until_look(self, passed: timedelta) -> timedelta:
        """Return the time to the next look."""
        within = passed % SLOT
        return next(look for look in LOOKS if look > within) - within

    def _pass_time(self, step: timedelta) -> None:
        while self.world.inverter is not None and step > SESSION_EVERY:
            self.world.live(SESSION_EVERY)
            self.luna.look()
            step -= SESSION_EVERY
        self.world.pass_time(step)
        self.luna.look()

    def _prepare(self) -> None:
        luna = self.luna
        clock = self.world.clock
        self._publish(clock.now())
        luna.do(RefreshForecastsRequest(site_id=SITE_NAME))
        today = clock.now().astimezone(ZONE).date()
        luna.do(
            JudgeQualityRequest(
                site_id=SITE_NAME, from_day=today - JUDGED, to_day=today - timedelta(days=1)
            )
        )
        luna.do(PlanRequest(site_id=SITE_NAME))
        with unit_of_work(luna.database) as connection:
            control = sites.load(connection, SITE_NAME).control
            for via in {} if control is None else control.vias.values():
                # As its owner would have tried it.
                device_trials.remember(connection, via, at=clock.now())
            control_service.arm(
                connection,
                SITE_NAME,
                now=clock.now(),
                by="bench",
                data_folder=luna.settings.data_folder,
            )
        luna.start()

    def _begin_incidents(self, passed: timedelta) -> None:
        now = self.world.clock.now()
        luna = self.luna
        stopped = find_incident(self.incidents, "luna_stopped", passed) is not None
        if stopped and luna.runs:
            luna.stop()
        elif not stopped and not luna.runs:
            luna.start()
            self._luna_since = now
        deaf, frozen = (
            find_incident(self.incidents, kind, passed) is not None
            for kind in ("battery_deaf", "meter_frozen")
        )
        self._deaf.note(now, holds=deaf)
        self._frozen.note(now, holds=frozen)
        self.world.set_faults(Faults(deaf=deaf, frozen_meter=frozen))

    def _publish(self, now: datetime) -> None:
        if self._published_at is None or now - self._published_at >= PRICES_EVERY:
            self._published_at = now
            with unit_of_work(self.luna.database) as connection:
                publish_prices(connection, self.world.year, since=now - PRICES_BACK, now=now)

    def _note(self, diary: Diary, now: datetime) -> list[FalseSentence]:
        """Update the counts at a look, and return the false sentences."""
        passed = now - self.timeline.start
        inverter = self.world.inverter
        if inverter is not None and (self._command is None or self._command[0] != inverter.mode):
            self._command = inverter.mode, now
        periods = list_periods(self.incidents, passed)
        minutes = passed // MINUTE - diary.whole.minutes
        diary.count("minutes", minutes, periods)
        if not self.luna.runs:
            diary.count("minutes_stopped", minutes, periods)
            return []
        diary.looks += 1
        with unit_of_work(self.luna.database) as connection:
            plan = plans.read_due(connection, SITE_NAME, now, until=now)
            if plan is None or plan.age(now) > self.luna.settings.plan_max_age:
                diary.count("minutes_without_plan", minutes, periods)
                diary.without_plan.append(now)
            if plan is not None:
                diary.plans_from.add(plan.plan_id)
            if diary.looks % (ASK_EVERY if self.world.inverter is None else PRODUCT_ASK_EVERY):
                return []
            self.luna.await_recorded()
            with self.luna.timed("sentences"):
                asked = diary.judge.ask(
                    connection, self._tell_truth(diary), self.world.clock.now() + A_MOMENT
                )
        false = [each for each in asked if each is not None]
        diary.count("sentences", len(asked), periods)
        diary.count("sentences_false", len(false), periods)
        return false

    def _tell_truth(self, diary: Diary) -> HomeTruth:
        inverter = self.world.inverter
        return HomeTruth(
            self.world.state,
            self.timeline,
            diary.ledger,
            dict(self.world.socs),
            self._luna_since,
            frozen_since=self._frozen.since,
            frozen_until=self._frozen.until,
            prices_missing=self._misses_prices(),
            deaf_since=self._deaf.since,
            deaf_until=self._deaf.until,
            commanded_since=None if self._command is None else self._command[1],
            most_worn=None
            if inverter is None
            else self.world.write_times.most_worn(inverter, within_s=WORN_WITHIN.total_seconds()),
        )

    def _misses_prices(self) -> bool:
        """Return whether today's prices are missing, or tomorrow's an hour after their
        publication.
        """
        now = self.world.clock.now().astimezone(ZONE)
        published = datetime.combine(now.date(), DAY_AHEAD_PUBLISHED, ZONE)
        due = published if now > published + PRICES_LATE else published - timedelta(days=1)
        return self._published_at is None or self._published_at < due


def _tell_life(life: FortnightLife, diary: Diary) -> dict[str, Any]:
    timeline = life.timeline
    said = life.world.said
    lost = _find_lost(life.luna.database, said)
    for at, _ in lost:
        diary.count("readings_lost", 1, list_periods(life.incidents, at - timeline.start))
    return asdict(diary.whole) | {
        "figures_estimated": diary.judge.estimated,
        "periods": {
            period: asdict(figures) | name_span(life.incidents, period, timeline.start)
            for period, figures in diary.periods.items()
        },
        "parts_s": {part: round(seconds, 1) for part, seconds in life.luna.seconds.items()},
        "plans": len(diary.plans_from),
        "false": [str(each) for each in diary.judge.false[:TOLD]],
        "lost": [f"{_clock(at)}: {topic}" for at, topic in lost[:TOLD]],
        "without_plan": [_clock(at) for at in diary.without_plan[:TOLD]],
        "readings": sum(len(instants) for instants in said.values()),
        "energies": _compare_energies(life.luna.database, timeline, diary.ledger),
    }


def _find_lost(
    database: Engine, said: Mapping[str, Sequence[datetime]]
) -> list[tuple[datetime, str]]:
    """Return the readings that were published to the recorder but are not stored, by instant and
    topic.
    """
    query = select(sensors.c.name, sensor_readings.c.instant).join(
        sensors, sensor_readings.c.sensor_key == sensors.c.sensor_key
    )
    kept: dict[str, set[datetime]] = defaultdict(set)
    with unit_of_work(database) as connection:
        for name, instant in connection.execute(query):
            kept[name].add(instant.replace(microsecond=0))
    stored = {
        topic: set[datetime]().union(
            *(instants for name, instants in kept.items() if topic in name)
        )
        for topic in said
    }
    return sorted(
        (instant, topic)
        for topic, instants in said.items()
        for instant in instants
        if instant not in stored[topic]
    )


def _clock(instant: datetime) -> str:
    return f"{instant.astimezone(ZONE):%d %b %H:%M:%S}"


def _compare_energies(
    database: Engine, timeline: Timeline, ledger: SlotLedger
) -> dict[str, dict[str, float]]:
    """Return by series the stored and the true energy, and the number of unknown quarter-hours.

    Counters carry the energy over a stop of Luna.
    """
    # Without the last quarter-hour, which is built after its end.
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


def _compare(bill: Bill, house: SameHouse, ledger: SlotLedger) -> dict[str, Any]:
    start_kwh = stored_kwh(house.begin)
    plain = house.live_plain()
    foreseen = house.live_foreseen(bill, plain)
    costs = {
        name: bill.cost(each, start_kwh=start_kwh)
        for name, each in (("self", plain), ("luna", ledger), ("foresight", foreseen))
    }
    gained = costs["self"] - costs["luna"]
    possible = costs["self"] - costs["foresight"]
    return {
        "cost": costs,
        "saved": gained,
        "share_of_foresight": gained / possible if possible > 0 else 0.0,
    }


def _say(words: str) -> None:
    with suppress(OSError):
        print(f"fortnight: {words}", file=sys.stderr, flush=True)
