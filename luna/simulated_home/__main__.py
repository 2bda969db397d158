"""The process of the simulated home: ``python -m luna.simulated_home``.

It runs the home's broker and devices, and publishes its market's prices.
"""

import asyncio
import signal
from contextlib import suppress
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Engine

from luna.drivers.profile import DeviceProfile
from luna.energy.errors import UnavailableError
from luna.platform.clock import Clock, SystemClock, seconds_to_wait
from luna.platform.database import engine, prices, sites
from luna.platform.embedded.supervisor import running
from luna.platform.memory import FreedMemory
from luna.platform.service_process import exit_from
from luna.platform.settings import Settings, load_settings
from luna.platform.telemetry import configure_logging
from luna.simulated_home.broker import LocalBroker
from luna.simulated_home.devices import Devices
from luna.simulated_home.files import HomeFiles, let_go
from luna.simulated_home.house import HomeState
from luna.simulated_home.market import AWAITED, publish_prices
from luna.simulated_home.products import make_product
from luna.simulated_home.recorded_year import RecordedYear
from luna.simulated_home.site import MARKET, SITE_NAME

TURN = timedelta(seconds=1)
SAY_EVERY = timedelta(seconds=2)
KEEP_EVERY = timedelta(minutes=1)
PUBLISH_EVERY = timedelta(minutes=10)
# Interval of the check whether the home's site was deleted, which ends the home.
LOOK_EVERY = timedelta(seconds=10)
# Prices missed while Luna was off.
LOOK_BACK = timedelta(days=30)

log = structlog.get_logger("luna.simulated_home")


class LivingHome:
    """Runs devices and broker in real time.

    Args:
        files: of the home.
        clock: Luna's.
        product: profile of the inverter, charger or switch that is commanded without topics;
            None: there is none.
    """

    def __init__(
        self, files: HomeFiles, clock: Clock, *, product: DeviceProfile | None = None
    ) -> None:
        self._files = files
        self._clock = clock
        self._setup = files.read_setup()
        self.year = RecordedYear.load(files.year)
        self.broker = LocalBroker(self._hear)
        begin = files.read_state()
        self.product = None if product is None else make_product(product, begin)
        self._devices = Devices(self.year, begin, self._setup, self._say, self.product)
        self.published_at = self._written_at = datetime.min.replace(tzinfo=clock.now().tzinfo)
        self._modes: tuple[str, ...] = ()

    def _hear(self, topic: str, payload: bytes) -> None:
        self._devices.hear(topic, payload, at=self._clock.now())

    def _say(self, topic: str, value: str) -> None:
        self.broker.publish(topic, value.encode())

    @property
    def state(self) -> HomeState:
        """The current true state."""
        return self._devices.state

    async def run(self, stopping: asyncio.Event, database: Engine, settings: Settings) -> None:
        """Run until ``stopping``, or until the home's site is deleted.

        With the site go its market, its files and Luna's settings for it.
        """
        async with self.broker:
            await self.broker.start(self._setup.port)
            log.info("the simulated home lives", port=self._setup.port)
            self.begin()
            beside = asyncio.create_task(self._keep_market(stopping, database, settings))
            while not stopping.is_set():
                self.turn()
                with suppress(TimeoutError):
                    await asyncio.wait_for(stopping.wait(), seconds_to_wait(TURN))
            beside.cancel()
        self._files.write_state(self._devices.state)

    def begin(self) -> None:
        """Advance over the downtime, and publish the settings in force."""
        self._devices.live_until(self._clock.now())
        self._devices.publish_settings()

    def live(self) -> datetime:
        """Advance the devices to the current time, and return it."""
        now = self._clock.now()
        if self._files.is_there:
            self._devices.setup = self._files.read_setup()
        self._devices.live_until(now)
        return now

    def turn(self) -> None:
        """Advance the devices, and publish measurements and write state as due."""
        now = self.live()
        if abs(now - self.published_at) >= SAY_EVERY:
            self.published_at = now
            self._devices.publish_measurements()
        modes = self._devices.state.modes
        if (
            abs(now - self._written_at) >= KEEP_EVERY or modes != self._modes
        ) and self._files.is_there:
            self._written_at = now
            self._modes = modes
            self._files.note_truth(self._devices.state, soc=self._devices.soc)
            self._files.write_state(self._devices.state)

    async def _keep_market(
        self, stopping: asyncio.Event, database: Engine, settings: Settings
    ) -> None:
        published_at = None
        freed = FreedMemory()
        while not stopping.is_set():
            now = self._clock.now()
            try:
                if not await asyncio.to_thread(has_site, database):
                    await asyncio.to_thread(self._let_go, database, settings)
                    stopping.set()
                elif published_at is None or abs(now - published_at) >= PUBLISH_EVERY:
                    await asyncio.to_thread(
                        self._store_prices,
                        database,
                        now,
                        awaited=AWAITED if settings.outside_services else timedelta(0),
                    )
                    published_at = now
                    freed.give_back()
            except UnavailableError as error:
                log.warning("prices are published later", error=str(error))
            await asyncio.sleep(seconds_to_wait(LOOK_EVERY))

    def _store_prices(self, database: Engine, now: datetime, *, awaited: timedelta) -> None:
        with engine.unit_of_work(database) as connection:
            publish_prices(connection, self.year, since=now - LOOK_BACK, now=now, awaited=awaited)

    def _let_go(self, database: Engine, settings: Settings) -> None:
        log.info("the home's site was deleted: the home goes as well")
        with engine.unit_of_work(database) as connection:
            prices.forget_market(connection, MARKET)
        let_go(settings, self._files)


def has_site(database: Engine) -> bool:
    """Return whether the home's site exists."""
    with engine.unit_of_work(database) as connection:
        return bool(sites.keys_of(connection, [SITE_NAME]))


async def live(home: LivingHome, database: Engine, settings: Settings) -> None:
    """Run a home until SIGTERM or SIGINT."""
    stopping = asyncio.Event()
    for kind in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(kind, stopping.set)
    await home.run(stopping, database, settings)


def main() -> int:
    """Run the process until SIGTERM or SIGINT."""
    settings = load_settings()
    configure_logging("simulated_home", level=settings.log_level)
    home = LivingHome(HomeFiles(settings.data_folder), SystemClock())
    with running(settings) as addresses:
        database = engine.create(
            addresses.database_url, application_name="luna-simulated-home", pool_size=1
        )
        try:
            asyncio.run(live(home, database, settings))
        finally:
            database.dispose()
    return 0


if __name__ == "__main__":
    exit_from(main, log, "the simulated home cannot start")
