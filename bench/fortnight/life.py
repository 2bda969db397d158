"""Luna driven by a manual clock: the code of its processes, run in order in one process.

Recorder, slot builder, beat's tasks and the executor take turns in each minute of the home;
submitted work is done at once. Left out are outside services (weather, markets), training, nightly
replays, retention and longer searches of a plan, for which the home would stand still.
"""

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Engine

from bench.fortnight.direct_link import link_points
from bench.fortnight.world import SetClock, SimulatedWorld
from luna.contracts.charging_sessions import FollowSessionsRequest
from luna.contracts.data import BuildSlotsRequest, JudgeQualityRequest
from luna.contracts.fleet import FollowChangesRequest, PlanSitesRequest, RefreshPlansRequest
from luna.contracts.forecast import RefreshForecastsRequest
from luna.contracts.job import Job
from luna.contracts.message import Request
from luna.contracts.plan import PlanRequest
from luna.drivers.command_session import CommandSession
from luna.drivers.control import mqtt, profile
from luna.drivers.control.device import Device
from luna.drivers.control.profile import MixedDevice
from luna.drivers.profiled_device import ProfiledDevice, reach_device
from luna.drivers.session import InverterSession
from luna.energy.devices.commands import Via
from luna.energy.errors import LunaError
from luna.energy.site.control import Control
from luna.platform.addresses import parse_broker
from luna.platform.database.audit import AuditRecord
from luna.platform.database.device_writes import StoredWrites
from luna.platform.database.engine import unit_of_work
from luna.platform.queue import Client, TaskContext
from luna.platform.queue.task import definitions
from luna.platform.settings import Settings
from luna.platform.spool.spool import open_mirror
from luna.simulated_home.site import SITE_NAME
from services.executor.control_step import Executor
from services.executor.target import DeviceConnections
from services.executor.watch import SiteUnits, list_due_units
from services.ingest.listening import (
    SensorAges,
    SiteReader,
    SourceForm,
    SourceSupervisor,
    StateFile,
)
from services.ingest.listening.slot_scheduler import SlotScheduler, Stretch
from services.ingest.listening.supervisor import MQTT
from services.ingest.recorder import ReadingKind, Recorder
from services.ingest.slot_builder import build_site_slots
from services.ingest.sources.mqtt.source import MqttSource
from services.planner.service import fleet

# In real time, hence short: each of a fortnight's 1344 slots waits for the spool.
SPOOL_TURN = timedelta(milliseconds=10)
# Interval at which a command's confirmation is checked.
AWAITED = timedelta(seconds=5)
MINUTE = timedelta(minutes=1)
# Sessions of directly controlled devices poll only when called.
NEVER_SECONDS = 1e6
# Beat's own periods, but for changes (each minute) and vehicles (five minutes) instead of every few
# seconds.
EVERY: Mapping[type[Request], timedelta] = {
    RefreshForecastsRequest: timedelta(minutes=15),
    FollowSessionsRequest: 5 * MINUTE,
    FollowChangesRequest: MINUTE,
    JudgeQualityRequest: timedelta(hours=1),
}
RENEW_EVERY = timedelta(minutes=5)

SessionT = TypeVar("SessionT", InverterSession, CommandSession)


class AskedWork(Client):
    """A queue client that collects requests; ``SetLuna.turn`` does them."""

    def __init__(self) -> None:
        self.asked: list[Request] = []

    def begin(
        self,
        request: Request,
        *,
        timeout: timedelta,
        task_id: str | None = None,
        entry: AuditRecord | None = None,
    ) -> str:
        self.asked.append(request)
        return ""

    def submit(
        self, request: Request, *, key: str | None = None, expires: timedelta | None = None
    ) -> str:
        self.asked.append(request)
        return ""

    def notify_job(self, job: Job) -> None:
        """Leave a longer search of a plan alone."""

    def is_served(self, request: type[Request], *, interactive: bool = False) -> bool:
        return False


class SetLuna:
    """Luna's processes in one.

    Each ``start`` creates new ones from the state on disk and in the database.
    """

    def __init__(self, settings: Settings, database: Engine, world: SimulatedWorld) -> None:
        self.settings = settings
        self.database = database
        self._world = world
        # Of directly controlled devices; polled by the home's clock.
        self._sessions: list[InverterSession | CommandSession] = []
        self.clock: SetClock = world.clock
        self.seconds: dict[str, float] = defaultdict(float)
        self.queue = AskedWork()
        self._done_at: dict[type[Request], datetime] = {}
        self._stack: ExitStack | None = None

    @property
    def runs(self) -> bool:
        """Whether Luna is running."""
        return self._stack is not None

    def start(self) -> None:
        """Start the recorder and create the executor, which acts from the next turn on."""
        self._stack = ExitStack()
        self._sessions = []
        folder = self.settings.data_folder
        mirror = self._stack.enter_context(
            open_mirror(
                folder / "spool" / "readings",
                self.database,
                ReadingKind(),
                clock=self.clock,
                turn=SPOOL_TURN,
            )
        )
        recorder = Recorder(mirror)
        notes = StateFile(folder / "live" / "notes.json")
        broker = parse_broker(self.settings.mqtt_url or "", self.settings.mqtt_password)
        forms = {
            MQTT: SourceForm(
                lambda _: MqttSource(broker, folder / "live" / "mqtt", clock=self.clock)
            )
        }
        listening = SourceSupervisor(recorder, forms, ages=SensorAges(), last_received={})
        sensed = SiteReader(self.database, notes, clock=self.clock).read()
        self._quarters = SlotScheduler(
            recorder, self._build_slots, notes=notes, clock=self.clock, ending=threading.Event()
        )
        self._executor = Executor(
            self.database,
            DeviceConnections(self._open_device, data_folder=self.settings.data_folder),
            self._ask_plan,
            clock=self.clock,
            plan_max_age=self.settings.plan_max_age,
            read_flow=lambda _: None,
        )
        self._units = SiteUnits()
        self._stack.callback(self._executor.close)
        self._recorder = recorder
        # Runs after the listeners are closed, so that the last readings are stored.
        self._stack.callback(self.await_recorded)
        self._world.call(lambda: listening.follow(sensed))
        self._stack.callback(lambda: self._world.call(listening.close))
        self._world.await_listener()

    def stop(self) -> None:
        """Shut down in order."""
        if self._stack is not None:
            self._stack.close()
            self._stack = None
            self._world.await_nobody()

    def await_recorded(self) -> None:
        """Wait until the database holds all received readings."""
        self._recorder.flush(MINUTE)

    def turn(self) -> None:
        """Run everything that is due, the executor first."""
        with self.timed("executor"):
            self.follow()
        with self.timed("slots"):
            self._quarters.turn([SITE_NAME])
        for request, every in EVERY.items():
            if self._is_due(request, every):
                self.do(request())
        if self._is_due(RefreshPlansRequest, RENEW_EVERY):
            fleet.refresh_plans(
                self.database, self.settings, ask=self._ask_job, now=self.clock.now()
            )
        while self.queue.asked:
            self.do(self.queue.asked.pop(0))

    def do(self, request: Request) -> Any:
        """Run a request's task in one unit of work, as a worker does."""
        with (
            self.timed(request.task),
            TaskContext(
                self.settings, lambda: self.database, self.clock, queue=lambda: self.queue
            ) as work,
        ):
            return definitions()[request.task].body(request, work)

    @contextmanager
    def timed(self, part: str) -> Iterator[None]:
        """Add the elapsed real seconds to a part."""
        begun = time.perf_counter()
        yield
        self.seconds[part] += time.perf_counter() - begun

    def follow(self) -> None:
        """Send due commands, and check again until all are confirmed, within a minute."""
        until = self.clock.now() + MINUTE - AWAITED
        while self._act() and self.clock.now() < until:
            self._world.pass_time(AWAITED)
            self.look()

    def look(self) -> None:
        """Poll the sessions, which keep commands in force; real ones do so every few seconds."""
        for session in self._sessions:
            # The executor, which reads back as well, hears of a device that does not answer.
            with suppress(LunaError):
                session.read_back()
            session.look()

    @property
    def is_in_control(self) -> bool:
        """Whether the directly controlled product follows its last command.

        Each unit of the site has a session with it, and one of them commands it.
        """
        return any(_is_followed(session) for session in self._sessions)

    def _open_device(self, control: Control) -> Device:
        topics = mqtt.open_device(self.settings, control)
        if not control.vias_by_place:
            return topics
        return MixedDevice(
            profile.open_device(
                self.settings,
                control,
                self._count_writes,
                reach=self._reach,
                open_session=partial(self._open_session, InverterSession),
                open_other=partial(self._open_session, CommandSession),
            ),
            topics,
        )

    def _reach(self, via: Via, data_folder: Path) -> ProfiledDevice:
        device = reach_device(via, data_folder)
        device.now = self._seconds
        if self._world.product is not None and self._world.station is None:
            device.points = link_points(
                self._world.product, self._world.write_times, self._world.link_faults
            )
        return device

    def _seconds(self) -> float:
        return self.clock.now().timestamp()

    def _count_writes(self, address: str) -> StoredWrites:
        return StoredWrites(self.database, self.clock, address)

    def _open_session(self, kind: Callable[..., SessionT], device: ProfiledDevice) -> SessionT:
        # Each unit of a site opens its own connection.
        session = kind(device, now=self._seconds, look_seconds=NEVER_SECONDS)
        self._sessions.append(session)
        return session

    def _act(self) -> bool:
        with unit_of_work(self.database) as connection:
            turns = list_due_units(connection, self._units)
        return sum(self._executor.turn(*turn) for turn in turns) > 0

    def _is_due(self, request: type[Request], every: timedelta) -> bool:
        now = self.clock.now()
        if request in self._done_at and now - self._done_at[request] < every:
            return False
        self._done_at[request] = now
        return True

    def _ask_plan(self, site_id: str) -> None:
        self.queue.asked.append(PlanRequest(site_id=site_id))

    def _ask_job(self, request: PlanSitesRequest, key: str) -> Job:
        self.queue.asked.append(request)
        asked = {
            "request": request.model_dump(mode="json"),
            "submitted_at": self.clock.now(),
            "trace_id": "",
        }
        return Job.model_validate(
            {
                "job_id": key,
                "task": request.task,
                "key": key,
                "status": "queued",
                "attempts": 0,
                **asked,
            }
        )

    def _build_slots(self, site_id: str, stretch: Stretch) -> None:
        request = BuildSlotsRequest(site_id=site_id, first=stretch.first, end=stretch.end)
        with unit_of_work(self.database) as connection:
            build_site_slots(connection, request, now=self.clock.now(), automatic=True)


def _is_followed(session: InverterSession | CommandSession) -> bool:
    """Return whether a device answers and follows its command."""
    try:
        return session.read_back() is not None
    except LunaError:
        return False
