"""The simulated home under real-time control: recorder, steering and devices in one process.

Its meters are heard over MQTT as the recorder hears them, steering decides by what they say, and
charger, battery and heater follow what it publishes. The clock is the test's.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Engine

from luna.contracts.control import BatterySetpoint, Override, VehicleSetpoint
from luna.contracts.live_flow import LiveFlow
from luna.contracts.operator_limits import NewLimit
from luna.contracts.steering import DeviceTarget, StateQuestion, SteeredSlot, SteeringTarget
from luna.drivers.control.mqtt import MqttDevice, open_device
from luna.drivers.control.units import find_unit
from luna.drivers.folder_lock import FolderLock
from luna.drivers.simulated_battery import BatteryCharge
from luna.energy.devices.battery import BATTERIES
from luna.energy.devices.switched import LoadSetpoint
from luna.energy.site import Site, parse_site
from luna.energy.site.control import Control
from luna.energy.timeline import local_days
from luna.house.steering_channel import (
    PROCESS_LOCK,
    SENDER_LOCK,
    serve_steering,
)
from luna.house.steering_targets import TargetFolder
from luna.platform.addresses import Broker
from luna.platform.database import control, operator_limits, sites
from luna.platform.database.engine import unit_of_work
from luna.platform.embedded.state import choose_port
from luna.platform.settings import Settings
from luna.simulated_home.__main__ import LivingHome
from luna.simulated_home.car import CAR_MODEL, CarState, ChargerCommand
from luna.simulated_home.files import HomeFiles, HomeSetup
from luna.simulated_home.heater import HEATER_MODEL, HeaterState
from luna.simulated_home.house import HomeState
from luna.simulated_home.recorded_year import RecordedYear
from luna.simulated_home.seconds import QUARTER_SECONDS, refine_load, refine_pv
from luna.simulated_home.site import CAR, HEATER, ZONE, build_site
from services.executor.control_step import Executor
from services.executor.steered_device import SteeringLink
from services.executor.target import DeviceConnections
from services.ingest.listening.live_powers import LivePowers
from services.ingest.listening.steering_feed import SteeringFeed
from services.ingest.source_readings import Reading
from services.ingest.sources.mqtt.source import MqttSource
from services.steering.cycles import SteeringLoop
from tests.support.database.databases import remove_site

# A Saturday on which the car stays at home, by the seed 0.
NOON = datetime(2026, 12, 5, 12, tzinfo=UTC)
SEED = 0
PATIENCE_SECONDS = 30
CHARGER = f"vehicle:{CAR}"
TANK = f"load:{HEATER}"
# Import may be above a limit by so much while devices follow.
TOLERANCE = 1.03
# In this time enough surplus comes together for the car to begin.
WARM_UP_SECONDS = 400
# A fall of the sun that is more than the meters' own fault.
NOTICED_KW = 0.3

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class HomeClock:
    """A clock that goes when it is moved."""

    def __init__(self, instant: datetime) -> None:
        self.instant = instant

    def now(self) -> datetime:
        return self.instant


class ListeningHome(LivingHome):
    """A home that remembers what its devices were sent."""

    def __init__(self, files: HomeFiles, clock: HomeClock) -> None:
        self.received: dict[str, str] = {}
        super().__init__(files, clock)

    def _hear(self, topic: str, payload: bytes) -> None:
        self.received[topic] = payload.decode()
        super()._hear(topic, payload)


def make_year(*, load_kw: float, pv_kw: float) -> RecordedYear:
    """Return a year of equal quarter-hours."""
    slots = local_days(date(2023, 1, 1), date(2023, 12, 31), ZONE)
    return RecordedYear.of(
        slots.starts,
        ZONE,
        load_kwh=np.full(slots.count, load_kw / 4),
        pv_kwh=np.full(slots.count, pv_kw / 4),
        price=np.full(slots.count, 0.1),
    )


def name_site() -> Site:
    """Return the home's site under a name of this test's own."""
    document = build_site().model_dump(mode="json", by_alias=True)
    document["name"] = f"steered-home-{time.time_ns()}"
    site = parse_site(document)
    assert site.control is not None
    assert site.control.is_steered
    return site


class SimulatedSteering:
    """The running home, what Luna hears of it, and the loop that steers it."""

    def __init__(self, home: ListeningHome, clock: HomeClock, site: Site, folder: Path) -> None:
        self.home = home
        self.clock = clock
        self.site = site
        self.folder = folder
        self.begin = clock.instant
        self.powers = LivePowers()
        self.feed = SteeringFeed(self.powers, folder, clock=clock)
        self.history: list[HomeState] = []
        # The page is given what flows as often as steering is.
        self.shown_pv_kw: list[tuple[float, float]] = []
        self.port = 0
        # Meters and the recorder's feed have clocks of their own.
        self.feed_lag = timedelta(0)
        self.feeds_at = clock.instant
        self.loop = SteeringLoop(
            TargetFolder(folder),
            FolderLock(folder, SENDER_LOCK),
            self.open_device,
            clock=clock,
            seconds=self.seconds,
        )

    def open_device(self, section: Control) -> MqttDevice:
        address = f"mqtt://127.0.0.1:{self.port}"
        return open_device(Settings(data_folder=self.folder, mqtt_url=address), section)

    def seconds(self) -> float:
        return (self.clock.instant - self.begin).total_seconds()

    async def record(self, readings: Sequence[Reading]) -> None:
        self.powers.note("mqtt", readings, changes_only=False)

    def set_target(self, unit: str, devices: Mapping[str, DeviceTarget]) -> None:
        """Hand over what the plan means a unit to do from now on."""
        target = SteeringTarget(
            site_id=self.site.name,
            unit=unit,
            target_id=f"{unit}-{self.clock.instant.isoformat()}",
            site=self.site.model_dump(mode="json", by_alias=True),
            released=False,
            limits=[],
            slots=[SteeredSlot(start=self.clock.instant, devices=dict(devices))],
        )
        answer = self.loop.answer(target)
        assert answer.fault is None, answer.fault

    async def live(self, seconds: int) -> list[HomeState]:
        """Live so many seconds, second by second, and return the truth of each."""
        first = len(self.history)
        for _ in range(seconds):
            self.clock.instant += timedelta(seconds=1)
            heard = self.powers.count
            published_at = self.home.published_at
            self.home.turn()
            self.history.append(self.home.state)
            if self.home.published_at != published_at:
                sensors = len(self.site.sensor_names)
                await until(partial(has_come, self.powers, heard + sensors))
                self.feeds_at = self.clock.instant + self.feed_lag
            if self.clock.instant == self.feeds_at:
                # The recorder's feed and a cycle of steering, each every two seconds.
                await self.feed.turn([self.site])
                self.loop.turn()
                self.show()
                await until(self.is_sent)
        return self.history[first:]

    def show(self) -> None:
        """Keep what the page shows of the sun now."""
        flow = self.powers.read_flow(self.site, now=self.clock.instant)
        if flow is not None:
            self.shown_pv_kw.append((self.clock.instant.timestamp(), flow.pv_kw))

    def is_sent(self) -> bool:
        """Return whether the devices have received all that steering commands."""
        state = self.loop.answer(StateQuestion(site_id=self.site.name)).state
        assert state is not None
        for key, commanded in state.units.items():
            unit = find_unit(self.site, self.site.control, key)
            assert unit is not None
            for write in unit.render(commanded.commands):
                if self.home.received.get(write.to) != write.value:
                    return False
        return True

    def reason(self, unit: str) -> str:
        state = self.loop.answer(StateQuestion(site_id=self.site.name)).state
        assert state is not None
        return state.units[unit].reason


def has_come(powers: LivePowers, count: int) -> bool:
    return powers.count >= count


def is_heard(home: LivingHome, source: MqttSource, topics: Sequence[str]) -> bool:
    """Return whether the recorder listens to all topics."""
    return source.fault is None and all(home.broker.hears(topic) for topic in topics)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not holds():  # noqa: ASYNC110 - what is waited for is seen from outside
            await asyncio.sleep(0.001)


@asynccontextmanager
async def steering(
    folder: Path, year: RecordedYear, begin: datetime, **state: Any
) -> AsyncIterator[SimulatedSteering]:
    """Yield the home that begins at an instant, with its recorder and its steering."""
    files = HomeFiles(folder)
    files.make()
    year.save(files.year)
    begun = HomeState(
        begin.timestamp(), BatteryCharge(5.0), car=CarState(10.0), heater=HeaterState(58.0)
    )
    files.write_state(replace(begun, **state))
    port = choose_port(None)
    files.write_setup(HomeSetup(port, seed=SEED))
    clock = HomeClock(begin)
    home = ListeningHome(files, clock)
    steered = SimulatedSteering(home, clock, name_site(), folder)
    steered.port = port
    async with home.broker:
        await home.broker.start(port)
        home.begin()
        sensors = list(steered.site.sensor_names)
        source = MqttSource(Broker("127.0.0.1", port), folder / "mqtt", clock=clock)
        listening = asyncio.create_task(source.listen(sensors, steered.record))
        topics = [name.removeprefix("mqtt:").split(" ")[0] for name in sensors]
        await until(partial(is_heard, home, source, topics))
        alive = FolderLock(folder, PROCESS_LOCK)
        assert alive.take()
        try:
            with serve_steering(folder, steered.loop.answer):
                yield steered
        finally:
            steered.feed.close()
            steered.loop.close()
            await asyncio.to_thread(steered.loop.join)
            alive.release()
            listening.cancel()
            with suppress(asyncio.CancelledError):
                await listening


def find_cloud(mean_kw: float) -> datetime:
    """Return when the first cloud after noon begins to pass, which takes a while to come."""
    first = int(NOON.timestamp()) // QUARTER_SECONDS
    for quarter in range(first, first + 24):
        power_kw = refine_pv(quarter, mean_kw, SEED)
        falls = np.flatnonzero(np.diff(power_kw) < 0)
        if falls.size and falls[0] > 300:
            return datetime.fromtimestamp(quarter * QUARTER_SECONDS + int(falls[0]), UTC)
    raise AssertionError("no cloud passes")


def find_oven(mean_kw: float) -> datetime:
    """Return when the oven of the first quarter-hour goes on."""
    quarter = int(NOON.timestamp()) // QUARTER_SECONDS
    on = int(np.argmax(np.diff(refine_load(quarter, mean_kw, SEED)) > 1.5)) + 1
    return datetime.fromtimestamp(quarter * QUARTER_SECONDS + on, UTC)


def car_of(state: HomeState) -> CarState:
    assert state.car is not None
    return state.car


@pytest.mark.parametrize("feed_lag_seconds", [pytest.param(0, marks=pytest.mark.long), 1])
async def test_the_charger_follows_a_cloud_within_five_seconds(
    tmp_path: Path, feed_lag_seconds: int
) -> None:
    mean_kw = 2.8
    cloud_at = find_cloud(mean_kw)
    year = make_year(load_kw=0.3, pv_kw=mean_kw)
    resting = CarState(10.0, command=ChargerCommand("off"))
    begin = cloud_at - timedelta(seconds=WARM_UP_SECONDS)
    async with steering(tmp_path, year, begin, car=resting) as home:
        home.feed_lag = timedelta(seconds=feed_lag_seconds)
        surplus = VehicleSetpoint(mode="charge", charge_kw=7.0)
        home.set_target(
            CHARGER, {CAR: DeviceTarget(setpoint=surplus, follow="surplus", worth_price=0.3)}
        )
        rests = BatterySetpoint(mode="self_consumption")
        home.set_target(BATTERIES, {"battery": DeviceTarget(setpoint=rests, worth_price=0.1)})
        await home.live(WARM_UP_SECONDS)
        before = home.home.state
        lived = await home.live(60)
        assert home.reason(CHARGER) == "follows_surplus"
    # A current of one phase that falls to the charger's least one.
    assert car_of(before).command.phases == 1
    assert car_of(before).command.current_a > 10.0
    lowest_kw = min(state.pv_kw for state in lived)
    assert lowest_kw < before.pv_kw - 2.0
    clouded_at = find_first(lived, lambda state: state.pv_kw < before.pv_kw - NOTICED_KW)
    dark_at = find_first(lived, lambda state: state.pv_kw < lowest_kw + NOTICED_KW)
    falls_at = find_first(lived, lambda state: charges_less(state, before))
    least_at = find_first(lived, charges_least)
    # It may fall with the edge of the cloud already, before that is noticed.
    assert falls_at - clouded_at <= 5.0
    assert clouded_at < least_at <= dark_at + 5.0
    # So does the page.
    shown_at = [
        at
        for at, pv_kw in home.shown_pv_kw
        if at >= before.at and pv_kw < before.pv_kw - NOTICED_KW
    ]
    assert 0.0 <= shown_at[0] - clouded_at <= 5.0
    sunny = [state for state in home.history if state.at < clouded_at]
    assert sum_charged(sunny) > 400.0
    assert sum_bought(sunny) < 0.03 * sum_charged(sunny)
    # Under the cloud its least current is more than the sun gives.
    least_kw = CAR_MODEL.least_current_a * CAR_MODEL.voltage_kv
    dark = [state for state in lived if state.at >= dark_at + 5.0]
    assert max(state.grid_kw for state in dark) < least_kw
    assert sum_bought(home.history) < 0.12 * sum_charged(home.history)


def sum_charged(lived: Sequence[HomeState]) -> float:
    """Return the car's energy, kW times seconds."""
    return sum(car_of(state).power_kw for state in lived)


def sum_bought(lived: Sequence[HomeState]) -> float:
    """Return how much of the car's energy came from the grid, kW times seconds."""
    return sum(min(max(state.grid_kw, 0.0), car_of(state).power_kw) for state in lived)


def find_first(lived: Sequence[HomeState], holds: Callable[[HomeState], bool]) -> float:
    """Return the first instant at which something holds."""
    for state in lived:
        if holds(state):
            return state.at
    raise AssertionError("it never holds")


def charges_less(state: HomeState, before: HomeState) -> bool:
    return car_of(state).command.current_a <= car_of(before).command.current_a - 1.0


def charges_least(state: HomeState) -> bool:
    return car_of(state).command.current_a == CAR_MODEL.least_current_a


def count_longest(lived: Sequence[HomeState], most_kw: float) -> int:
    """Return the most seconds in a row in which more than a power is drawn from the grid."""
    longest = 0
    seconds = 0
    for state in lived:
        seconds = seconds + 1 if state.grid_kw > most_kw else 0
        longest = max(longest, seconds)
    return longest


async def test_the_connection_is_kept_when_the_oven_starts(tmp_path: Path) -> None:
    mean_kw = 2.0
    charge_kw = 2.5
    oven_at = find_oven(mean_kw)
    year = make_year(load_kw=mean_kw, pv_kw=0.0)
    cold = HeaterState(45.0)
    begin = oven_at - timedelta(seconds=60)
    async with steering(tmp_path, year, begin, heater=cold) as home:
        limit_kw = home.site.grid.import_limit_kw
        power = VehicleSetpoint(mode="charge", charge_kw=11.04)
        home.set_target(CHARGER, {CAR: DeviceTarget(setpoint=power, worth_price=0.3)})
        charge = BatterySetpoint(mode="charge", power_kw=charge_kw, target_soc=0.9)
        home.set_target(BATTERIES, {"battery": DeviceTarget(setpoint=charge, worth_price=0.2)})
        home.set_target(TANK, {HEATER: DeviceTarget(setpoint=LoadSetpoint(mode="on"))})
        lived = await home.live(180)
        commands = home.reason(CHARGER), home.reason(BATTERIES)
    # All that is wanted, with the oven, is more than the connection gives.
    oven = find_state(lived, oven_at + timedelta(seconds=2))
    assert oven.load_kw + CAR_MODEL.most_kw + HEATER_MODEL.power_kw + charge_kw > limit_kw + 2.0
    assert commands == ("connection_limit", "connection_limit")
    assert count_longest(lived, TOLERANCE * limit_kw) <= 5
    settled = [state for state in lived if state.at >= oven_at.timestamp() + 10]
    assert max(state.grid_kw for state in settled) <= limit_kw
    # The car is slowed down, not stopped, and the tank heats on.
    assert min(car_of(state).power_kw for state in settled) > 6.0
    assert all(state.heater is not None and state.heater.power_kw > 0.0 for state in settled)


def find_state(lived: Sequence[HomeState], instant: datetime) -> HomeState:
    return next(state for state in lived if state.at >= instant.timestamp())


async def test_an_operators_limit_in_the_table_dims_the_car(
    tmp_path: Path, database: Engine
) -> None:
    limit_kw = 4.2
    year = make_year(load_kw=0.3, pv_kw=0.0)
    async with steering(tmp_path, year, NOON) as home:
        name = home.site.name
        flows: dict[str, LiveFlow] = {}
        plan_requests: list[str] = []
        link = SteeringLink(tmp_path, seconds=home.seconds)
        executor = Executor(
            database,
            DeviceConnections(home.open_device, link, data_folder=Path("/nonexistent")),
            plan_requests.append,
            clock=home.clock,
            plan_max_age=timedelta(hours=3),
            read_flow=flows.get,
        )
        wanted = Override(mode="charge", power_kw=11.0, until=NOON + timedelta(hours=2))
        with unit_of_work(database) as connection:
            sites.save(connection, home.site)
            control.arm(connection, name, at=NOON - timedelta(days=1), by="owner")
            control.override(connection, name, wanted, device=CHARGER)
        try:
            await asyncio.to_thread(executor.turn, name, CHARGER)
            await home.live(20)
            before = home.home.state
            limit = NewLimit(import_kw=limit_kw, scope="devices")
            with unit_of_work(database) as connection:
                operator_limits.store(connection, name, limit, source="api", now=home.clock.instant)
            await asyncio.to_thread(executor.turn, name, CHARGER)
            lived = await home.live(30)
            reason = home.reason(CHARGER)
        finally:
            executor.close()
            remove_site(database, name)
    assert car_of(before).power_kw > 10.0
    assert reason == "operator_limit"
    settled = [state for state in lived if state.at >= before.at + 10]
    # House and battery count beside it: what is left of the grid's power is the car's.
    assert max(state.grid_kw - state.load_kw for state in settled) <= limit_kw
    assert min(car_of(state).power_kw for state in settled) > 0.0
    assert car_of(settled[-1]).command.mode == "on"
