"""A steering loop of a test's own: its clock stands still until the test moves it."""

from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from luna.contracts.control import Setpoint
from luna.contracts.live_flow import LiveFlow
from luna.contracts.steering import (
    DeviceTarget,
    LimitMessage,
    MeasuredFlow,
    StateQuestion,
    SteeredSlot,
    SteeredUnitState,
    SteeringState,
    SteeringTarget,
)
from luna.drivers.control.device import Device
from luna.drivers.folder_lock import FolderLock
from luna.energy.site import parse_site
from luna.energy.site.control import Control
from luna.house.steering_channel import PROCESS_LOCK, SENDER_LOCK, serve_steering
from luna.house.steering_targets import TargetFolder
from services.steering.cycles import SteeringLoop
from tests.support.control.executor import START, Clock, Home
from tests.support.worker.workers import wait_for

SITE = "steered"


class SteeredHome:
    """A site document, and the loop that steers its devices."""

    def __init__(
        self,
        data_folder: Path,
        open_device: Callable[[Control], Device],
        section: dict[str, Any],
        **parts: Any,
    ) -> None:
        self.data_folder = data_folder
        self.clock = Clock()
        self._open_device = open_device
        self.document = {
            "name": SITE,
            "timezone": "Europe/Berlin",
            "control": section | {"steering": True},
        } | parts
        self.start()

    def open_device(self) -> Device:
        """Return a further connection to the devices."""
        control = parse_site(self.document).control
        assert control is not None
        return self._open_device(control)

    def start(self) -> None:
        """Start a loop that knows nothing but what is on disk."""
        self.sender = FolderLock(self.data_folder, SENDER_LOCK)
        self.loop = SteeringLoop(
            TargetFolder(self.data_folder),
            self.sender,
            self._open_device,
            clock=self.clock,
            seconds=self.seconds,
        )
        self.loop.load()

    def stop(self) -> None:
        """End the loop as a kill does: the devices keep their commands."""
        self.loop.close()
        self.sender.release()

    def seconds(self) -> float:
        return (self.clock.instant - START).total_seconds()

    def target(
        self,
        unit: str,
        *slots: dict[str, DeviceTarget],
        released: bool = False,
        limits: tuple[LimitMessage, ...] = (),
        name: str = "",
    ) -> SteeringTarget:
        """Hand over a unit's target, whose slots begin now."""
        start: datetime = self.clock.instant
        listed = []
        for place, devices in enumerate(slots):
            listed.append(SteeredSlot(start=start + place * timedelta(minutes=15), devices=devices))
        target = SteeringTarget(
            site_id=SITE,
            unit=unit,
            target_id=name or f"{unit}-{start.isoformat()}-{released}",
            site=self.document,
            released=released,
            slots=listed,
            limits=list(limits),
        )
        answer = self.loop.answer(target)
        assert answer.fault is None, answer.fault
        return target

    def live(self, after_s: float = 2.0, **powers: Any) -> None:
        """Move the clock, and let the loop follow what the meters read then."""
        self.clock.instant += timedelta(seconds=after_s)
        flow: dict[str, Any] = {
            "at": self.clock.instant,
            "import_kw": 0.0,
            "export_kw": 0.0,
            "pv_kw": 0.0,
            "charge_kw": 0.0,
            "discharge_kw": 0.0,
            "load_kw": 0.0,
        }
        self.loop.answer(MeasuredFlow(site_id=SITE, flow=LiveFlow.model_validate(flow | powers)))
        self.loop.turn()

    def silent(self, after_s: float) -> None:
        """Move the clock without a word of the meters."""
        self.clock.instant += timedelta(seconds=after_s)
        self.loop.turn()

    @property
    def state(self) -> SteeringState:
        state = self.loop.answer(StateQuestion(site_id=SITE)).state
        assert state is not None
        return state

    def unit(self, key: str) -> SteeredUnitState:
        return self.state.units[key]

    def confirm(self, key: str) -> SteeredUnitState:
        """Wait until a unit's devices have its last command."""
        wait_for(lambda: key in self.state.units and self.unit(key).confirmed)
        return self.unit(key)


def planned(setpoint: Setpoint, **wanted: Any) -> DeviceTarget:
    return DeviceTarget(setpoint=setpoint, **wanted)


class SteeringInProcess:
    """Steering as its process runs it, beside a home's executor and with the home's clock."""

    def __init__(self, home: Home, data_folder: Path) -> None:
        self._home = home
        self._data_folder = data_folder
        self._stack = ExitStack()
        self.alive = FolderLock(data_folder, PROCESS_LOCK)
        self.sender = FolderLock(data_folder, SENDER_LOCK)

    def start(self) -> None:
        assert self.alive.take()
        self.loop = SteeringLoop(
            TargetFolder(self._data_folder),
            self.sender,
            self._home.open_device,
            clock=self._home.clock,
            seconds=self.seconds,
        )
        self.loop.load()
        self._stack.enter_context(serve_steering(self._data_folder, self.loop.answer))

    def seconds(self) -> float:
        return (self._home.clock.instant - START).total_seconds()

    def turn(self) -> None:
        """Let a cycle follow what the meters read two seconds later."""
        self._home.clock.instant += timedelta(seconds=2)
        flow = LiveFlow(
            at=self._home.clock.instant,
            import_kw=0.5,
            export_kw=0.0,
            pv_kw=0.0,
            charge_kw=0.0,
            discharge_kw=0.0,
            load_kw=0.5,
        )
        self.loop.answer(MeasuredFlow(site_id=self._home.name, flow=flow))
        self.loop.turn()

    @property
    def state(self) -> SteeringState:
        state = self.loop.answer(StateQuestion(site_id=self._home.name)).state
        assert state is not None
        return state

    def confirm(self, unit: str) -> None:
        """Let a cycle pass, and wait until a unit has its command."""
        self.turn()
        wait_for(lambda: unit in self.state.units and self.state.units[unit].confirmed)

    def stop(self) -> None:
        self._stack.close()
        self.loop.close()
        self.sender.release()
        self.alive.release()
