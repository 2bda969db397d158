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
from sqlalchemy import Connection, Engine, event, select

from bench.fortnight.charging_station import IDENTITY, is_station
from bench.fortnight.claims import WORN_WITHIN, FalseSentence, HomeTruth, SentenceJudge
from bench.fortnight.device_claims import ControlWatch, DeviceJudge, count_commands
from bench.fortnight.direct_link import PREFIX, LinkFault
from bench.fortnight.incidents import (
    INCIDENTS,
    PRODUCT_INCIDENTS,
    SHORT_INCIDENTS,
    Incident,
    IncidentKind,
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
from luna.drivers.profile import DeviceProfile
from luna.energy.devices.battery import BATTERIES
from luna.energy.economics.prices import DAY_AHEAD_PUBLISHED
from luna.energy.site import Site, parse_site
from luna.energy.timeline import SLOT, Timeline, local_midnight
from luna.house import control_service
from luna.platform.database import device_trials, engine, observations, plans, sites
from luna.platform.database.engine import unit_of_work
from luna.platform.database.migrate import upgrade
from luna.platform.database.schema.series import sensor_readings, sensors
from luna.platform.embedded.supervisor import start
from luna.platform.queue import TaskContext
from luna.platform.settings import Settings, load_settings
from luna.platform.telemetry import configure_logging
from luna.simulated_home.charger import HomeCharger
from luna.simulated_home.files import Faults, HomeFiles
from luna.simulated_home.house import HomeState
from luna.simulated_home.market import publish_prices
from luna.simulated_home.preparation import JUDGED
from luna.simulated_home.product import HomeProduct
from luna.simulated_home.recorded_year import RecordedYear
from luna.simulated_home.site import CAR, HEATER, SITE_NAME, ZONE, build_site
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
EMPTY_CAR_KWH = 15.0

# How a product answers in an incident, and the incidents in which it loses its command at once.
LINK_FAULTS: Mapping[IncidentKind, LinkFault] = {
    "product_restarts": "silent",
    "product_silent": "silent",
    "product_slow": "slow",
    "product_garbage": "garbage",
}
FORGETTING: frozenset[IncidentKind] = frozenset({"product_forgets", "second_master"})

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
    figures; ``product``: its inverter, charger or switch, None: all of them use topics.
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
    site = build_site()
    if product is not None:
        site = build_product_site(product)
        with unit_of_work(database) as connection:
            sites.save(connection, site)
        files.write_state(keep_devices(files.read_state(), site))
    year = RecordedYear.load(files.year)
    begin = files.read_state()
    settings = settings.model_copy(
        update={"mqtt_url": f"mqtt://127.0.0.1:{files.read_setup().port}"}
    )
    with open_world(folder, clock, site=site, product=product) as world:
        life = FortnightLife(SetLuna(settings, database, world), world, timeline, incidents)
        diary = life.live(tell)
        figures = _tell_life(life, diary)
    if product is None:
        tell("the same house without Luna, and with foresight")
        figures |= _compare(
            Bill.of(site, year, timeline), SameHouse(year, begin, timeline), diary.ledger
        )
    return figures | {"days": lived / timedelta(days=1), "seconds": time.perf_counter() - begun}


def build_product_site(product: DeviceProfile) -> Site:
    """Return the home with a product in the place of its inverter, charger or heater's switch.

    Of car and water heater it has the product's alone: planning both takes nine tenths of the
    time, and what they do does not depend on the other products.
    """
    document = build_site().model_dump(mode="json", by_alias=True, exclude_unset=True)
    has_car = product.kind == "charge_point"
    has_heater = product.kind == "switched_load"
    away = [] if has_car else ["vehicle"]
    if not has_heater:
        away.append("water_heater")
    sensors = {
        role: sensor
        for role, sensor in document["input_sensors"].items()
        if not role.startswith(tuple(away))
    }
    vehicles = document["vehicles"] if has_car else []
    for vehicle in vehicles:
        vehicle["charger"]["phases"] = list(product.charger.phases) if product.charger else [3]
    loads = document["loads"] if has_heater else []
    control = {"by": "mqtt"} | _control_product(document, product)
    changes = {"vehicles": vehicles, "loads": loads, "input_sensors": sensors, "control": control}
    return parse_site(document | changes)


def _control_product(document: dict[str, Any], product: DeviceProfile) -> dict[str, Any]:
    """Return the controlled devices: the battery, and what the product commands."""
    host = IDENTITY if is_station(product) else "127.0.0.1"
    via = {"profile": product.profile, "host": host}
    if product.needs_prefix:
        via |= {"prefix": PREFIX}
    batteries = document["control"]["batteries"]
    match product.kind:
        case "charge_point":
            return {"batteries": batteries, "vehicles": [{"vehicle": CAR, "via": via}]}
        case "switched_load":
            return {"batteries": batteries, "loads": [{"load": HEATER, "via": via}]}
    return {"batteries": [{"battery": document["batteries"][0]["name"], "via": via}]}


def name_key(product: DeviceProfile) -> str:
    """Return the key under which the site controls a product."""
    keys = {"charge_point": f"vehicle:{CAR}", "switched_load": f"load:{HEATER}"}
    return keys.get(product.kind, BATTERIES)


def keep_devices(state: HomeState, site: Site) -> HomeState:
    """Return a home's state with the car and the heater that its site has.

    The car comes empty, so that it charges in the first night as well.
    """
    car = state.car if site.vehicles else None
    if car is not None:
        car = replace(car, stored_kwh=EMPTY_CAR_KWH)
    heater = state.heater if site.loads else None
    return replace(state, car=car, heater=heater)


@dataclass
class FaultSpan:
    """Begin (None: never) and end (None: not yet) of a device's last fault."""

    since: datetime | None = None
    until: datetime | None = None

    def lasts(self, now: datetime) -> timedelta:
        """Return for how long the fault has been active, 0 where it is not."""
        if self.since is None or self.until is not None:
            return timedelta(0)
        return now - self.since

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
        self._fault = FaultSpan()
        self._asleep = FaultSpan()
        self._disturbing = frozenset[IncidentKind]()
        product = world.product
        self.watch = ControlWatch()
        self.device_judge = DeviceJudge(BATTERIES if product is None else name_key(product.profile))
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
        clock = self.world.clock
        end = clock.now() + step
        while self.world.product is not None and end - clock.now() > SESSION_EVERY:
            self.world.live(SESSION_EVERY)
            self._look()
            # After a fault each minute counts; awaiting a confirmation takes up to a minute.
            is_watched = self.watch.is_open or self._asleep.lasts(clock.now())
            if is_watched and self.luna.runs and end - clock.now() > MINUTE:
                self.luna.follow()
        self.world.pass_time(end - clock.now())
        self._look()

    def _look(self) -> None:
        self.luna.look()
        if self.watch.is_open and self.luna.runs:
            self.watch.check(self.world.clock.now(), is_in_control=self._is_in_control())

    def _is_in_control(self) -> bool:
        """Return whether the product follows Luna, as both Luna and another client see it."""
        client = self.world.client
        if not self.luna.is_in_control or client is None:
            return self.luna.is_in_control
        with unit_of_work(self.luna.database) as connection:
            return self.device_judge.holds(connection, client, self.world.clock.now())

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
            for via in {} if control is None else control.vias_by_place.values():
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
        # What flows before the first reading is stored nowhere, and a charger gives 11 kW until it
        # is commanded.
        self.world.publish()

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
        if self.world.product is not None:
            self._disturb(self.world.product, passed, now)

    def _disturb(self, product: HomeProduct, passed: timedelta, now: datetime) -> None:
        """Begin and end the product's incidents."""
        active = frozenset[IncidentKind](
            kind
            for kind in PRODUCT_INCIDENTS
            if find_incident(self.incidents, kind, passed) is not None
        )
        begun = active - self._disturbing
        ended = self._disturbing - active
        self._disturbing = active
        kinds = [LINK_FAULTS[kind] for kind in active if kind in LINK_FAULTS]
        self.world.link_faults.kind = kinds[0] if kinds else None
        if "product_forgets" in begun or "product_restarts" in ended:
            self.world.reboot()
        if "second_master" in begun:
            self.world.command_as_other()
        for kind in (begun & FORGETTING) | (ended & LINK_FAULTS.keys()):
            self.watch.begin(kind, now)
        if isinstance(product, HomeCharger):
            product.asleep = "car_asleep" in active
            self._asleep.note(now, holds=product.asleep)
        self._fault.note(now, holds=bool(active - {"car_asleep"}))

    def _publish(self, now: datetime) -> None:
        if self._published_at is None or now - self._published_at >= PRICES_EVERY:
            self._published_at = now
            with unit_of_work(self.luna.database) as connection:
                publish_prices(connection, self.world.year, since=now - PRICES_BACK, now=now)

    def _note(self, diary: Diary, now: datetime) -> list[FalseSentence]:
        """Update the counts at a look, and return the false sentences."""
        passed = now - self.timeline.start
        product = self.world.product
        if product is not None and (self._command is None or self._command[0] != product.mode):
            self._command = product.mode, now
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
            said = self._ask_device(connection, now)
            if diary.looks % (ASK_EVERY if self.world.product is None else PRODUCT_ASK_EVERY):
                return said
            self.luna.await_recorded()
            with self.luna.timed("sentences"):
                asked = diary.judge.ask(
                    connection, self._tell_truth(diary), self.world.clock.now() + A_MOMENT
                )
        false = [each for each in asked if each is not None]
        diary.count("sentences", len(asked), periods)
        diary.count("sentences_false", len(false), periods)
        return [*said, *false]

    def _ask_device(self, connection: Connection, now: datetime) -> list[FalseSentence]:
        """Check what is said of the product's command; return it if it is false."""
        if self.world.client is None:
            return []
        false = self.device_judge.ask(
            connection,
            self.world.client,
            now,
            fault_since=self._fault.since,
            asleep_for=self._asleep.lasts(now),
        )
        return [] if false is None else [false]

    def _tell_truth(self, diary: Diary) -> HomeTruth:
        product = self.world.product
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
            fault_since=self._fault.since,
            fault_until=self._fault.until,
            asleep_since=self._asleep.since,
            asleep_until=self._asleep.until,
            commanded_since=None if self._command is None else self._command[1],
            most_worn=None
            if product is None
            else self.world.write_times.most_worn(product, within_s=WORN_WITHIN.total_seconds()),
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
        "device": _tell_device(life),
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


def _tell_device(life: FortnightLife) -> dict[str, Any]:
    """Return what became of the commands of a directly controlled product, empty without one."""
    if life.world.product is None:
        return {}
    judge = life.device_judge
    with unit_of_work(life.luna.database) as connection:
        commands = count_commands(connection, judge.key)
    return {
        "sentences": judge.said,
        "sentences_false": len(judge.false),
        "false": [str(false) for false in judge.false[:TOLD]],
        "commands": commands.sent,
        "confirmed": commands.confirmed,
        "unconfirmed": commands.unconfirmed,
        "values_written": life.world.write_times.count,
        "without_control_s": {
            fault: longest.total_seconds() for fault, longest in life.watch.longest.items()
        },
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


def list_submeters(site: Site) -> list[str]:
    """Return the series of the site's car and heater."""
    names = []
    if site.vehicles:
        names.append("vehicle_kwh")
    if site.loads:
        names.append("water_heater_kwh")
    return names


def _compare_energies(
    database: Engine, timeline: Timeline, ledger: SlotLedger
) -> dict[str, dict[str, float]]:
    """Return by series the stored and the true energy, and the number of unknown quarter-hours.

    Counters carry the energy over a stop of Luna.
    """
    # Without the last quarter-hour, which is built after its end.
    closed = timeline.window(0, len(ledger.slots["stored_kwh"]) - 1)
    with unit_of_work(database) as connection:
        names = (*COUNTED, *list_submeters(sites.load(connection, SITE_NAME)))
        seen = observations.read_series(connection, SITE_NAME, closed, names)
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
