"""``python -m services.ingest.live``: records live readings, and builds quarter-hours.

They are what the sensors of the stored sites say.

A reading is on this machine's disk before its source hears that it was taken. Without a source in
the settings the process waits, healthy.
"""

import asyncio
import signal
import threading
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import structlog
from sqlalchemy import Engine

from luna.contracts.data import BuildSlotsRequest
from luna.drivers.proxy import ProxyPorts, declared_ports
from luna.drivers.readings import ReadingName
from luna.energy.errors import LunaError
from luna.platform.addresses import HomeAssistantAccess, parse_broker
from luna.platform.clock import Clock, SystemClock, seconds_to_wait
from luna.platform.database import engine
from luna.platform.health.probes import Probe
from luna.platform.health.readiness import Liveness
from luna.platform.memory import FreedMemory
from luna.platform.queue.connection import connect
from luna.platform.queue.heartbeats import present, steering_relayed
from luna.platform.queue.live_flows import LiveFlows
from luna.platform.service_process import (
    add_stall_option,
    exit_from,
    health_parser,
    service_process,
)
from luna.platform.settings import Settings
from services.ingest.listening import (
    SensedSite,
    SensorAges,
    SiteReader,
    SourceForm,
    SourceSupervisor,
    StateFile,
)
from services.ingest.listening.limit_sensors import LimitSensors
from services.ingest.listening.live_powers import LivePowers
from services.ingest.listening.live_sharing import LiveSharing
from services.ingest.listening.slot_scheduler import SlotScheduler, Stretch
from services.ingest.listening.steering_feed import SteeringFeed
from services.ingest.listening.steering_records import SteeringRecordStore
from services.ingest.listening.supervisor import EEBUS, HOME_ASSISTANT, MQTT, PROFILE
from services.ingest.recorder import open_recorder
from services.ingest.slot_builder import build_site_slots
from services.ingest.sources.eebus import EEBUS_SOCKET, EebusLive
from services.ingest.sources.home_assistant.live import HomeAssistantLive
from services.ingest.sources.mqtt.source import MqttSource
from services.ingest.sources.profile import LOOKED_AT_EVERY, STEERED_EVERY, ProfileSource
from services.ingest.sources.source import LiveSource

BEAT = timedelta(seconds=5)
LOOK = timedelta(seconds=15)
# Power flows are shared with viewers of a site this often.
SHARE = timedelta(seconds=2)
# Limits of the grid operator have to be followed within seconds.
FOLLOW_LIMITS = timedelta(seconds=1)
# A reading from shortly before the last one may come from another sensor and not be recorded yet.
RESUME_OVERLAP = timedelta(minutes=1)

log = structlog.get_logger("luna.ingest.live")


class Live:
    """Records the stored sites' readings and builds their finished quarter-hours.

    It also keeps the ports open at which other programs find the sites' devices.

    Args:
        sources: listens to every source of the sites.
        sites: reads the sites and their sensors, also without the database.
        slots: builds the slots of each finished quarter-hour.
        state: keeps across restarts when each source was last heard.
        data_folder: where connections to devices are shared.
        look: pause between two reads of the sites, and between two checks for finished
            quarter-hours.
    """

    def __init__(
        self,
        sources: SourceSupervisor,
        sites: SiteReader,
        slots: SlotScheduler,
        *,
        state: StateFile,
        data_folder: Path,
        look: timedelta = LOOK,
    ) -> None:
        self._sources = sources
        self._sites = sites
        self._slots = slots
        self._state = state
        self._data_folder = data_folder
        self._ports = ProxyPorts(data_folder)
        self._look = look
        self._sensed_sites: tuple[SensedSite, ...] = ()
        self._freed = FreedMemory()

    async def run(
        self,
        pulse: Liveness,
        *,
        sharing: LiveSharing,
        steering: SteeringFeed,
        records: SteeringRecordStore,
        limits: LimitSensors,
        ending: threading.Event,
    ) -> None:
        """Listen until SIGTERM or SIGINT, which set ``ending``.

        What was acknowledged by then is safe. ``sharing`` and ``steering`` pass the present powers
        on, ``records`` stores the commands of steering, ``limits`` the grid operator's limits.
        """
        stopping = asyncio.Event()
        for kind in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(kind, stopping.set)
        loops = (
            self._beat(pulse),
            self._follow(),
            self._build(),
            self._share(sharing, steering),
            self._steer(steering),
            self._store_records(records),
            self._follow_limits(limits),
        )
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(loop) for loop in loops]
            await stopping.wait()
            log.info("ends")
            ending.set()
            for task in tasks:
                task.cancel()
        await self._sources.close()
        await self._ports.follow(())
        self._store_last_received()

    async def _beat(self, pulse: Liveness) -> None:
        while True:
            pulse.beat()
            await asyncio.sleep(pulse.every.total_seconds())

    # Database and queue are waited for in threads: the event loop goes on receiving readings.
    async def _follow(self) -> None:
        while True:
            self._sensed_sites = await asyncio.to_thread(self._sites.read)
            await self._sources.follow(self._sensed_sites)
            await self._ports.follow(set(declared_ports(self._sites.vias, self._data_folder)))
            await asyncio.to_thread(self._store_last_received)
            await asyncio.sleep(self._look.total_seconds())

    async def _build(self) -> None:
        while True:
            await asyncio.sleep(seconds_to_wait(self._look))
            await asyncio.to_thread(self._slots.turn, [site.name for site in self._sensed_sites])
            self._freed.give_back()

    async def _share(self, sharing: LiveSharing, steering: SteeringFeed) -> None:
        while True:
            await sharing.turn(self._sites.sites, steering.shown)
            await asyncio.sleep(SHARE.total_seconds())

    async def _steer(self, steering: SteeringFeed) -> None:
        # Apart from viewers: a queue that is away delays no device.
        while True:
            await steering.turn(self._sites.sites)
            await asyncio.sleep(SHARE.total_seconds())

    async def _store_records(self, records: SteeringRecordStore) -> None:
        while True:
            await asyncio.to_thread(records.turn)
            await asyncio.sleep(self._look.total_seconds())

    async def _follow_limits(self, limits: LimitSensors) -> None:
        while True:
            await asyncio.to_thread(limits.turn, self._sites.sites)
            await asyncio.sleep(seconds_to_wait(FOLLOW_LIMITS))

    def _store_last_received(self) -> None:
        state = {}
        for name, instant in self._sources.last_received.items():
            state[f"heard_{name}"] = instant.isoformat()
        self._state.write(state)


def main(arguments: list[str] | None = None) -> int:
    """Listen until SIGTERM or SIGINT."""
    parser = health_parser("services.ingest.live", __doc__)
    parser.add_argument(
        "--look-seconds",
        type=float,
        default=LOOK.total_seconds(),
        help="time between two looks at the stored sites and the clock",
    )
    add_stall_option(parser)
    options = parser.parse_args(arguments)
    with service_process(
        "recorder", beat=BEAT, health_port=options.health_port, stall_seconds=options.stall_seconds
    ) as process:
        settings = process.settings
        addresses = process.addresses
        stack = process.resources
        ending = threading.Event()
        state = StateFile(settings.data_folder / "live" / "notes.json")
        database = engine.create(addresses.database_url, application_name="luna-recorder")
        stack.callback(database.dispose)
        recorder = stack.enter_context(open_recorder(settings, database))
        clock = SystemClock()
        redis_client = connect(addresses.redis_url)
        stack.callback(redis_client.close)
        sharing = LiveSharing(LivePowers(), LiveFlows(redis_client), clock=clock)
        steering = SteeringFeed(sharing.powers, settings.data_folder, clock=clock)
        stack.callback(steering.close)
        records = SteeringRecordStore(database, settings.data_folder)
        stack.callback(records.close)
        # Apart from notes that change every few seconds.
        last_sites = StateFile(settings.data_folder / "live" / "sites.json")
        sites = SiteReader(database, last_sites, clock=clock)

        def find_pause(sensors: Collection[str]) -> timedelta | None:
            if steering.is_steered(sensors):
                return STEERED_EVERY
            return LOOKED_AT_EVERY if sharing.is_looked_at(sensors) else None

        forms = source_forms(settings, find_pause=find_pause, rate=sites.rate)
        last_received = {name: state.instant(f"heard_{name}") for name in forms}
        limits = LimitSensors(database, state, clock=clock)
        sources = SourceSupervisor(
            recorder,
            forms,
            ages=SensorAges(),
            last_received=last_received,
            followers=(sharing.powers, limits),
        )
        slots = SlotScheduler(
            recorder,
            partial(_build_slots, database, clock),
            notes=state,
            clock=clock,
            ending=ending,
        )
        probes: dict[str, Probe] = {}
        for name in forms:
            # Hardly any home has a control box.
            if name != EEBUS or (settings.data_folder / EEBUS_SOCKET).exists():
                probes[name] = partial(sources.describe, name)
        if set(forms) == {PROFILE, EEBUS}:
            log.info(
                "neither Home Assistant nor a broker is configured",
                remedy="Set LUNA_HOME_ASSISTANT_URL or LUNA_MQTT_URL where you have one.",
            )
            probes["sources"] = lambda: "neither Home Assistant nor a broker is configured"
        readiness = process.serve_health(("database", "redis"), probes)
        readiness.watch()
        stack.enter_context(present(addresses.redis_url, readiness))
        stack.enter_context(steering_relayed(addresses.redis_url, lambda: steering.sign))
        look = timedelta(seconds=options.look_seconds)
        live = Live(sources, sites, slots, state=state, data_folder=settings.data_folder, look=look)
        running = live.run(
            process.pulse,
            sharing=sharing,
            steering=steering,
            records=records,
            limits=limits,
            ending=ending,
        )
        asyncio.run(running)
    return 0


def source_forms(
    settings: Settings,
    *,
    find_pause: Callable[[Collection[str]], timedelta | None] = lambda _: None,
    rate: Callable[[Collection[str]], Mapping[ReadingName, float]] = lambda _: {},
) -> dict[str, SourceForm]:
    """Return the declarations of the live sources.

    They are those of the settings, and the devices of driver profiles, named by the sites.

    ``find_pause`` returns the pause between two readings of a device with these sensors while
    somebody needs a short one, ``rate`` the most of readings that such sites allow for.
    """
    forms = {PROFILE: SourceForm(partial(_profile, settings, find_pause, rate), fault=_fault)}
    forms[EEBUS] = SourceForm(
        partial(_eebus, settings.data_folder / EEBUS_SOCKET), fault=_fault, changes_only=True
    )
    if settings.home_assistant_url:
        forms[HOME_ASSISTANT] = SourceForm(
            partial(_home_assistant, settings), fault=_fault, changes_only=True
        )
    if settings.mqtt_url:
        forms[MQTT] = SourceForm(partial(_mqtt, settings), fault=_fault)
    return forms


def _home_assistant(settings: Settings, last_received: datetime | None) -> LiveSource:
    # Where Home Assistant's clock runs ahead, its last reading lies in the future: resuming from
    # there would skip the readings until then.
    since = min(last_received, SystemClock().now()) - RESUME_OVERLAP if last_received else None
    return HomeAssistantLive(HomeAssistantAccess.of(settings), since=since)


def _mqtt(settings: Settings, _last_received: datetime | None) -> LiveSource:
    # No instant to resume from: the broker keeps messages for a client that is away.
    return MqttSource(
        parse_broker(settings.mqtt_url or "", settings.mqtt_password),
        settings.data_folder / "live" / "mqtt",
    )


def _eebus(socket: Path, _last_received: datetime | None) -> LiveSource:
    # No instant to resume from: after a restart the fail-safe limit holds until the operator's
    # next word.
    return EebusLive(socket)


def _profile(
    settings: Settings,
    find_pause: Callable[[Collection[str]], timedelta | None],
    rate: Callable[[Collection[str]], Mapping[ReadingName, float]],
    _last_received: datetime | None,
) -> LiveSource:
    # No instant to resume from: devices keep no past readings.
    return ProfileSource(settings.data_folder, find_pause=find_pause, rate=rate)


def _fault(source: LiveSource) -> LunaError | None:
    if isinstance(source, HomeAssistantLive | MqttSource | ProfileSource | EebusLive):
        return source.fault
    return None


def _build_slots(database: Engine, clock: Clock, site_id: str, stretch: Stretch) -> None:
    # In this process, not as a task: slots are built also while the queue is away.
    request = BuildSlotsRequest(site_id=site_id, first=stretch.first, end=stretch.end)
    with engine.unit_of_work(database) as connection:
        build_site_slots(connection, request, now=clock.now(), automatic=True)


if __name__ == "__main__":
    exit_from(main, log, "the recorder cannot start")
