"""The simulated home outside of Luna: broker and devices in a thread of their own, driven by a
manual clock.
"""

import asyncio
import threading
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from bench.fortnight.charging_station import ChargingStation, is_station
from bench.fortnight.direct_link import LinkFaults, WriteTimes
from bench.fortnight.independent_client import READERS, CommandReader, watch_device
from bench.fortnight.ocpp_process import OcppProcess, serve_ocpp
from bench.fortnight.second_master import command_as_other
from luna.drivers.profile import DeviceProfile
from luna.energy.site import Site
from luna.simulated_home.__main__ import LivingHome
from luna.simulated_home.car import CarState
from luna.simulated_home.charger import HomeCharger
from luna.simulated_home.files import Faults, HomeFiles
from luna.simulated_home.house import BATTERY_MODEL, HomeState
from luna.simulated_home.product import HomeProduct
from luna.simulated_home.recorded_year import RecordedYear
from luna.simulated_home.site import TOPICS

T = TypeVar("T")
PATIENCE_SECONDS = 60.0
LOOK_SECONDS = 0.001
# More than an hour's samples, which are taken at every look and while commands are awaited.
SOCS_KEPT = 400


class SetClock:
    """A manual clock."""

    def __init__(self, instant: datetime) -> None:
        self.instant = instant

    def now(self) -> datetime:
        return self.instant


class SimulatedWorld:
    """The home's broker and devices, which run whether Luna does or not.

    ``said`` holds the publish times by topic while the recorder was subscribed: all of them have to
    be recorded. ``socs`` holds the battery's recent states of charge. ``write_times`` holds the
    writes to a directly controlled product, ``link_faults`` disturb the connection to it,
    ``client`` reads of it what it was commanded. A charge point by OCPP has a ``station``, which
    connects to Luna's process.
    """

    def __init__(
        self,
        files: HomeFiles,
        clock: SetClock,
        loop: asyncio.AbstractEventLoop,
        *,
        site: Site,
        product: DeviceProfile | None = None,
    ) -> None:
        self.files = files
        self.clock = clock
        self.said: dict[str, list[datetime]] = defaultdict(list)
        self.socs: deque[tuple[datetime, float]] = deque(maxlen=SOCS_KEPT)
        self.write_times = WriteTimes()
        self.link_faults = LinkFaults()
        self.client: CommandReader | None = None
        self.station: ChargingStation | None = None
        self._process: OcppProcess | None = None
        self._loop = loop
        self._home = LivingHome(files, clock, product=product)
        self._sensors = [
            name for name in TOPICS.values() if any(name in sensor for sensor in site.sensor_names)
        ]
        self._setup = files.read_setup()

    @property
    def year(self) -> RecordedYear:
        """The recorded year: load, PV yield and market prices."""
        return self._home.year

    @property
    def state(self) -> HomeState:
        """The true current state."""
        return self._home.state

    @property
    def product(self) -> HomeProduct | None:
        """The directly controlled product; None: all devices are commanded by MQTT topics."""
        return self._home.product

    def call(self, act: Callable[[], Awaitable[T]]) -> T:
        """Run a coroutine in the broker's thread and return its result."""

        async def run() -> T:
            return await act()

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result(PATIENCE_SECONDS)

    def open(self) -> None:
        """Start the broker and publish the first states."""

        async def begin() -> None:
            await self._home.broker.start(self._setup.port)
            self._home.turn()
            if self.station is not None:
                await self.station.open()

        self.call(begin)

    def close(self) -> None:
        """Close the broker and its connections."""
        if self.station is not None:
            self.call(self.station.close)
        self.call(self._home.broker.close)

    def add_station(self, charger: HomeCharger, process: OcppProcess) -> None:
        """Put a charge point that speaks OCPP in front of the home's charger."""
        self._process = process
        self.station = ChargingStation(
            charger,
            process.port,
            now=self.clock.now,
            read_car=self._read_car,
            faults=self.link_faults,
            times=self.write_times,
        )
        self.client = self.station

    def _read_car(self) -> CarState | None:
        return self.state.car

    def reboot(self) -> None:
        """Have the product forget every command."""
        if self.station is not None:
            self.call(self.station.forget)
        elif self.product is not None:
            self.product.reboot()

    def command_as_other(self) -> None:
        """Have another program command the product."""
        if self.station is not None:
            self.call(self.station.command_by_app)
        elif self.product is not None:
            command_as_other(self.product)

    def set_faults(self, faults: Faults) -> None:
        """Set the devices' faults from now on."""
        self.files.write_setup(replace(self._setup, faults=faults))

    def pass_time(self, passed: timedelta) -> None:
        """Advance the clock, publish, and wait until all subscribers have acknowledged."""
        self._advance_clock(passed)
        self.call(self._turn)

    def publish(self) -> None:
        """Have the devices publish at once, as real ones do every few seconds."""
        self._home.published_at = datetime.min.replace(tzinfo=UTC)
        self.call(self._turn)

    def live(self, passed: timedelta) -> None:
        """Advance the clock and the devices without publishing."""
        self._advance_clock(passed)

        async def live() -> None:
            self._home.live()
            if self.station is not None:
                await self.station.live()

        self.call(live)

    def _advance_clock(self, passed: timedelta) -> None:
        self.clock.instant += passed
        if self._process is not None:
            self._process.set_clock(self.clock.instant)
        if self.station is not None:
            # Its schedule may have come to another period.
            self.station.apply()

    def await_listener(self) -> None:
        """Wait until the recorder has subscribed to all its topics.

        Earlier messages would reach nobody.
        """

        async def listens() -> None:
            # The broker tells nobody when somebody listens.
            while not all(map(self._home.broker.hears, self._sensors)):  # noqa: ASYNC110
                await asyncio.sleep(LOOK_SECONDS)
            await self._hear_out()

        self.call(listens)

    def await_nobody(self) -> None:
        """Wait until the broker has noticed that the recorder has disconnected.

        Later messages reach nobody.
        """

        async def is_left() -> None:
            while any(map(self._home.broker.hears, self._sensors)):  # noqa: ASYNC110
                await asyncio.sleep(LOOK_SECONDS)

        self.call(is_left)

    async def _turn(self) -> None:
        before = self._home.published_at
        self._home.turn()
        if self.station is not None:
            await self.station.live()
        if self._home.published_at != before:
            for topic in self._sensors:
                if self._home.broker.hears(topic):
                    self.said[topic].append(self.clock.now())
        self.socs.append(
            (self.clock.now(), self.state.battery.stored_kwh / BATTERY_MODEL.capacity_kwh)
        )
        await self._hear_out()

    async def _hear_out(self) -> None:
        while not self._home.broker.is_acknowledged:  # noqa: ASYNC110 - as above
            await asyncio.sleep(LOOK_SECONDS)


@contextmanager
def open_world(
    data_folder: Path, clock: SetClock, *, site: Site, product: DeviceProfile | None = None
) -> Iterator[SimulatedWorld]:
    """Run a home by ``clock`` while the block runs, with the sensors of ``site`` and, if given, a
    product of a profile.
    """
    files = HomeFiles(data_folder)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="simulated-home", daemon=True)
    thread.start()
    world = SimulatedWorld(files, clock, loop, site=site, product=product)
    try:
        with ExitStack() as opened:
            if world.product is not None and world.product.profile.profile in READERS:
                world.client = opened.enter_context(watch_device(world.product))
            if isinstance(world.product, HomeCharger) and is_station(world.product.profile):
                process = opened.enter_context(serve_ocpp(data_folder, clock.now()))
                world.add_station(world.product, process)
            world.open()
            yield world
        world.close()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(PATIENCE_SECONDS)
        loop.close()
