"""Which source is asked for which sensor, how old what is known is, and what a source's end
does.
"""

import asyncio
import math
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from luna.energy.errors import InvalidInputError, UnavailableError
from luna.energy.site import InputSensors, Site
from luna.platform.clock import FixedClock
from luna.platform.database import engine
from luna.platform.settings import Settings
from services.ingest.listening import (
    SensedSite,
    SensorAges,
    SourceForm,
    SourceSupervisor,
    StateFile,
    wire,
)
from services.ingest.listening.slot_scheduler import (
    LONGEST,
    OVERLAP,
    SlotScheduler,
    Stretch,
    due_stretch,
)
from services.ingest.recorder import Recorder, open_recorder
from services.ingest.source_readings import Reading
from services.ingest.sources.source import LiveSource, SourceRefusedError
from tests.support.suite.tables import each_row

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOME = "home_assistant"
MQTT = "mqtt"
Record = Callable[[Sequence[Reading]], Awaitable[None]]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def site(name: str = "home", **roles: tuple[str, ...]) -> SensedSite:
    return SensedSite.of(
        Site(name=name, timezone="Europe/Berlin", input_sensors=InputSensors(**roles)), now=NOON
    )


@each_row(
    ("sensor", "sources", "source"),
    [
        ("sensor.grid", {HOME, MQTT}, HOME),
        ("sensor.grid", {MQTT}, MQTT),
        ("Grid import", {HOME, MQTT}, MQTT),
        ("mqtt:meter/1", {HOME, MQTT}, MQTT),
    ],
)
def test_a_sensor_goes_to_the_source_that_knows_it(
    sensor: str, sources: set[str], source: str
) -> None:
    assert wire([("home", [sensor])], sources).sources == {source: {sensor: ("home",)}}


@pytest.mark.parametrize(
    ("sensor", "sources"),
    [("mqtt:meter/1", {HOME}), ("Grid import", {HOME}), ("sensor.grid", set[str]())],
)
def test_a_sensor_that_no_source_knows_is_named(sensor: str, sources: set[str]) -> None:
    assert wire([("home", [sensor])], sources).unserved == (sensor,)


def test_a_sensor_that_two_sites_use_is_asked_for_once() -> None:
    assert wire([("a", ["sensor.x"]), ("b", ["sensor.x"])], {HOME}).sources == {
        HOME: {"sensor.x": ("a", "b")}
    }


def test_a_sign_is_no_part_of_a_sensors_name() -> None:
    assert site(total_load_consumption=("sensor.all", "- sensor.car")).sensors == (
        "sensor.all",
        "sensor.car",
    )


def reading(value: float, sensor: str = "s", instant: datetime = NOON) -> Reading:
    return Reading(sensor, instant, value)


@pytest.fixture
def clock() -> list[float]:
    return [0.0]


@pytest.fixture
def ages(clock: list[float]) -> Iterator[SensorAges]:
    ages = SensorAges(lambda: clock[0])
    ages.show([site(battery_soc=("s",))])
    yield ages
    ages.show([])


def shown() -> float | None:
    return REGISTRY.get_sample_value(
        "luna_ingest_telemetry_age_seconds", {"site_id": "home", "role": "battery_soc"}
    )


def test_an_age_grows_from_the_last_known_value(ages: SensorAges, clock: list[float]) -> None:
    ages.note(MQTT, [reading(5)], changes_only=False)
    clock[0] = 100
    ages.note(MQTT, [reading(math.nan), reading(1, "another")], changes_only=False)
    clock[0] = 400
    assert shown() == 400


def test_a_value_of_a_source_that_says_only_changes_holds_while_that_source_speaks(
    ages: SensorAges, clock: list[float]
) -> None:
    ages.note(HOME, [reading(5)], changes_only=True)
    clock[0] = 1000
    ages.note(HOME, [reading(1, "another")], changes_only=True)
    assert shown() == 0
    ages.note(HOME, [reading(math.nan)], changes_only=True)
    clock[0] = 1500
    ages.note(HOME, [reading(1, "another")], changes_only=True)
    assert shown() == 500


def test_a_site_that_is_gone_is_shown_no_more(ages: SensorAges) -> None:
    ages.show([])
    assert shown() is None


@each_row(
    ("now", "built_until", "first", "end"),
    [
        (NOON + timedelta(seconds=20), None, NOON - OVERLAP, NOON),
        (
            NOON + timedelta(seconds=20),
            NOON - timedelta(hours=5),
            NOON - timedelta(hours=5) - OVERLAP,
            NOON,
        ),
        (
            NOON + timedelta(seconds=5),
            NOON - timedelta(minutes=30),
            NOON - timedelta(minutes=30) - OVERLAP,
            NOON - timedelta(minutes=15),
        ),
        (NOON + timedelta(seconds=20), NOON - timedelta(days=400), NOON - LONGEST, NOON),
        # A clock that ran ahead for a while.
        (NOON + timedelta(seconds=20), NOON + timedelta(days=400), NOON - LONGEST, NOON),
    ],
)
def test_what_is_over_and_not_built_is_due_with_the_time_before_it(
    now: datetime, built_until: datetime | None, first: datetime, end: datetime
) -> None:
    stretch = due_stretch(now, built_until)
    assert stretch is not None
    assert (stretch.first, stretch.end) == (first, end)


def test_nothing_is_due_twice() -> None:
    assert due_stretch(NOON + timedelta(minutes=10), NOON) is None
    # A clock that was put right by seconds.
    assert due_stretch(NOON - timedelta(seconds=5), NOON) is None


class Builder:
    """Builds slots unless told that the database is away.

    After the ``last`` one the process ends.
    """

    def __init__(self) -> None:
        self.away = False
        self.last = 0
        self.ending = threading.Event()
        self.built: list[tuple[str, datetime, datetime]] = []

    def build(self, name: str, stretch: Stretch) -> None:
        if self.away or name == "locked":
            raise UnavailableError("no reply")
        if name == "broken":
            raise InvalidInputError("the site names no sensors")
        if name == "faulty":
            raise ZeroDivisionError
        self.built.append((name, stretch.first, stretch.end))
        if len(self.built) == self.last:
            self.ending.set()


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[Recorder]:
    with open_recorder(
        Settings(data_folder=tmp_path), engine.create("postgresql://luna@127.0.0.1:9/none")
    ) as recorder:
        yield recorder


def scheduler(
    recorder: Recorder, builder: Builder, notes: StateFile, now: datetime
) -> SlotScheduler:
    return SlotScheduler(
        recorder, builder.build, notes=notes, clock=FixedClock(now), ending=builder.ending
    )


def test_an_absence_is_made_up_for_day_by_day_and_goes_on_where_it_ended(
    recorder: Recorder, tmp_path: Path
) -> None:
    builder = Builder()
    notes = StateFile(tmp_path / "notes.json")
    before = NOON - timedelta(days=2)
    notes.write({"built_until": {"home": before.isoformat()}})
    builder.last = 2
    scheduler(recorder, builder, notes, NOON + timedelta(seconds=30)).turn(["home"])
    day = timedelta(days=1)
    first = before - OVERLAP
    assert builder.built == [("home", first, first + day), ("home", first + day, first + 2 * day)]
    builder.ending.clear()
    scheduler(recorder, builder, notes, NOON + timedelta(seconds=30)).turn(["home"])
    assert builder.built[2:] == [("home", NOON - 2 * OVERLAP, NOON)]


@pytest.mark.parametrize("fault", ["faulty", "locked"])
def test_a_fault_in_one_sites_slots_leaves_the_others_alone(
    recorder: Recorder, tmp_path: Path, fault: str
) -> None:
    builder = Builder()
    notes = StateFile(tmp_path / "notes.json")
    scheduler(recorder, builder, notes, NOON + timedelta(seconds=30)).turn([fault, "home"])
    assert builder.built == [("home", NOON - OVERLAP, NOON)]


def test_what_could_not_be_built_is_built_later_and_a_site_that_cannot_be_does_not_stop_the_others(
    recorder: Recorder, tmp_path: Path
) -> None:
    builder = Builder()
    notes = StateFile(tmp_path / "notes.json")
    for minutes, away in ((0, False), (5, False), (15, True), (30, False)):
        builder.away = away
        scheduler(recorder, builder, notes, NOON + timedelta(minutes=minutes, seconds=30)).turn(
            ["broken", "home"]
        )
    half_past = NOON + timedelta(minutes=30)
    assert builder.built == [("home", NOON - OVERLAP, NOON), ("home", NOON - OVERLAP, half_past)]


def test_notes_outlive_a_process_and_a_file_that_nobody_can_read_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "live/notes.json"
    StateFile(path).write({"built": NOON.isoformat()})
    assert StateFile(path).instant("built") == NOON
    path.write_text("{")
    assert StateFile(path).instant("built") is None


class Shelf:
    """Takes readings in, but none above 100."""

    def __init__(self) -> None:
        self.kept: list[tuple[str, float]] = []

    async def record(self, readings: Sequence[Reading], *, site_id: str, source: str) -> None:
        if any(each.value > 100 for each in readings):
            raise InvalidInputError("is no reading")
        self.kept += [(site_id, each.value) for each in readings]


class Told:
    """A source that says what it is made with, then ``end``."""

    name = MQTT

    def __init__(self, values: Sequence[float], end: Exception | None = None) -> None:
        self.values = values
        self.end = end

    async def listen(self, sensors: Sequence[str], record: Record) -> None:
        await record([reading(value, sensors[0]) for value in self.values])
        if self.end is not None:
            raise self.end
        await asyncio.Event().wait()


async def listen(shelf: Shelf, *made: LiveSource, sites: Sequence[SensedSite]) -> SourceSupervisor:
    """Listen until the sources in ``made`` were used one after the other."""
    waiting = iter(made)
    listening = SourceSupervisor(
        shelf,
        {MQTT: SourceForm(lambda _since: next(waiting))},
        ages=SensorAges(),
        last_received={},
        pause=timedelta(0),
    )
    await listening.follow(sites)
    for _ in range(20):
        await asyncio.sleep(0)
    return listening


@pytest.mark.anyio
async def test_a_source_that_gives_up_is_asked_again() -> None:
    shelf = Shelf()
    listening = await listen(
        shelf,
        Told([1], SourceRefusedError("the password is wrong")),
        Told([2]),
        sites=[site(battery_soc=("mqtt:s",))],
    )
    await listening.close()
    assert shelf.kept == [("home", 1), ("home", 2)]


@pytest.mark.anyio
async def test_a_source_that_gave_up_says_why() -> None:
    form = SourceForm(lambda _since: Told([1], SourceRefusedError("the password is wrong")))
    listening = SourceSupervisor(
        Shelf(), {MQTT: form}, ages=SensorAges(), last_received={}, pause=timedelta(hours=1)
    )
    await listening.follow([site(battery_soc=("mqtt:s",))])
    await asyncio.sleep(0.01)
    with pytest.raises(UnavailableError, match="password"):
        listening.describe(MQTT)
    await listening.close()


@pytest.mark.anyio
async def test_a_reading_goes_to_every_site_that_uses_its_sensor() -> None:
    shelf = Shelf()
    listening = await listen(
        shelf,
        Told([7]),
        sites=[site("a", battery_soc=("mqtt:s",)), site("b", battery_soc=("mqtt:s",))],
    )
    await listening.close()
    assert shelf.kept == [("a", 7), ("b", 7)]


@pytest.mark.anyio
async def test_a_reading_that_nobody_can_store_does_not_hold_the_others_back() -> None:
    shelf = Shelf()
    listening = await listen(shelf, Told([1, 1000, 2]), sites=[site(battery_soc=("mqtt:s",))])
    await listening.close()
    assert shelf.kept == [("home", 1), ("home", 2)]


@pytest.mark.anyio
async def test_a_site_is_heard_by_its_changed_sensors_and_unchanged_ones_change_nothing() -> None:
    shelf = Shelf()
    listening = await listen(shelf, Told([1]), Told([2]), sites=[site(battery_soc=("mqtt:s",))])
    await listening.follow([site(battery_soc=("mqtt:s",))])
    await listening.follow([site(battery_soc=("mqtt:other",))])
    for _ in range(5):
        await asyncio.sleep(0)
    await listening.close()
    assert shelf.kept == [("home", 1), ("home", 2)]


@pytest.mark.anyio
async def test_a_fault_of_our_own_is_not_hidden() -> None:
    listening = await listen(
        Shelf(), Told([], ZeroDivisionError()), sites=[site(battery_soc=("mqtt:s",))]
    )
    with pytest.raises(ZeroDivisionError):
        await listening.follow([])
    with suppress(ZeroDivisionError):
        await listening.close()
