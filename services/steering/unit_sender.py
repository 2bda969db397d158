"""Send a unit's commands to its devices, in a thread of its own: none waits for another's.

Only what changed is sent, read back, and sent again where it does not hold.
"""

import math
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

import structlog

from luna.contracts.control import Setpoint
from luna.contracts.device_template import Write, matches
from luna.contracts.steering import SteeredUnitState
from luna.drivers.control.device import (
    NOT_FOLLOWED,
    Device,
    DeviceError,
    PhasedDevice,
    RationedDevice,
)
from luna.drivers.control.units.unit import Controllable
from luna.energy.errors import LunaError
from luna.platform.clock import Clock

# While a command is not confirmed, and while one holds.
AWAITED_SECONDS = 1.0
VERIFY = timedelta(seconds=30)
# Time for a device, and the integration that polls it, to report a new value.
RESEND = timedelta(seconds=30)
# A command that was confirmed and does not hold for so long counts as not confirmed.
GIVES_UP = 3 * RESEND

log = structlog.get_logger("luna.steering")


@dataclass(frozen=True, slots=True)
class UnitCommand:
    """Commands of a unit's devices from now on.

    ``is_last``: once it is confirmed the unit is left alone.
    """

    target_id: str
    setpoints: Mapping[str, Setpoint]
    reason: str
    at: datetime
    is_last: bool = False


@dataclass(slots=True)
class _Sent:
    """The writes that a device acknowledged, and when."""

    writes: list[Write] = field(default_factory=list)
    at: datetime | None = None


class UnitSender:
    """The devices of one unit under command.

    Args:
        site_id: for the log.
        unit: renders set-points.
        open_device: opens the connection at first use.
        clock: for retries and read-backs.
        before: had these devices before; it closes its connections first.
    """

    def __init__(
        self,
        site_id: str,
        unit: Controllable,
        open_device: Callable[[], Device],
        *,
        clock: Clock,
        before: "UnitSender | None" = None,
    ) -> None:
        self._site_id = site_id
        self._before = before
        self.unit = unit
        self._open_device = open_device
        self._clock = clock
        self._news = threading.Condition()
        self._command: UnitCommand | None = None
        self._state: SteeredUnitState | None = None
        self._is_ending = False
        self._thread: threading.Thread | None = None
        # Of the thread alone.
        self._device: Device | None = None
        self._sent: dict[str, _Sent] = {}
        self._verified_at: datetime | None = None
        self._verified_target = ""
        self._fails_since: datetime | None = None
        self._is_done = False
        self._socs: Mapping[str, float] = {}
        self._writes_left: Mapping[str, float] = {}

    @property
    def state(self) -> SteeredUnitState | None:
        """The outcome of the last command."""
        with self._news:
            return self._state

    @property
    def command(self) -> UnitCommand | None:
        """The last command."""
        with self._news:
            return self._command

    def send(self, command: UnitCommand) -> None:
        """Have the devices follow a command; one that waits is replaced."""
        with self._news:
            last = self._command
            if last is not None and replace(last, at=command.at, reason=command.reason) == command:
                command = replace(command, at=last.at)
            is_new = last is None or last.target_id != command.target_id
            self._command = command
            changes = {"reason": command.reason, "since": command.at}
            changes |= {"commands": dict(command.setpoints), "target_id": command.target_id}
            if self._state is None:
                self._state = SteeredUnitState.model_validate(changes)
            else:
                if is_new:
                    changes["confirmed"] = False
                self._state = self._state.model_copy(update=changes)
            self._news.notify_all()

    @property
    def socs(self) -> Mapping[str, float]:
        """States of charge that the devices reported last, 0 to 1."""
        return self._socs

    @property
    def writes_left(self) -> Mapping[str, float]:
        """Changes of current that each device has left today."""
        return self._writes_left

    def start(self) -> None:
        """Start the thread, which reads the states of charge first."""
        name = f"steering {self.unit.key}"
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def join(self, timeout_s: float | None = None) -> bool:
        """Wait until the connections are closed; return whether they are."""
        if self._thread is None:
            return True
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def end(self) -> None:
        """End the thread, which closes the connection; does not wait."""
        with self._news:
            self._is_ending = True
            self._news.notify_all()

    def _run(self) -> None:
        if self._before is not None:
            self._before.join()
            self._before = None
        seen: UnitCommand | None = None
        self._try(partial(self._read, []))
        while True:
            with self._news:
                if self._command == seen and not self._is_ending:
                    self._news.wait(AWAITED_SECONDS)
                if self._is_ending:
                    break
                command = self._command
            seen = command
            if command is not None:
                self._try(partial(self.advance, command))
        if self._device is not None:
            self._device.close()

    def _try(self, step: Callable[[], object]) -> None:
        try:
            step()
        except Exception:  # the edge of a device's thread: it is tried again
            log.exception("a device cannot be steered", site_id=self._site_id)

    def advance(self, command: UnitCommand) -> None:
        """Send what changed, and read back what is not confirmed or was not verified lately."""
        now = self._clock.now()
        state = self.state
        if state is None:
            return
        is_sent = self._send_changes(command, now)
        self._count_writes_left(command)
        self._note_phases(command)
        is_recent = self._verified_at is not None and abs(now - self._verified_at) < VERIFY
        is_verified = self._is_done and self._verified_target == command.target_id
        if is_sent and is_verified and (command.is_last or is_recent):
            return
        writes = self.unit.render(command.setpoints)
        values = self._read(writes)
        if values is None:
            self._note(command, silent=True)
            return
        follows = NOT_FOLLOWED not in values.values()
        self._is_done = is_sent and follows and matches(writes, values)
        if self._is_done:
            self._verified_at = now
            self._verified_target = command.target_id
        changes: dict[str, object] = {"silent": False, "followed": follows}
        if self._is_done:
            self._fails_since = None
            changes |= {"confirmed": True, "fault": None, "spent_until": None}
        elif self._fails_since is None:
            self._fails_since = now
        elif abs(now - self._fails_since) >= GIVES_UP:
            changes["confirmed"] = False
        self._note(command, **changes)

    def _send_changes(self, command: UnitCommand, now: datetime) -> bool:
        """Send to each device whose writes changed or do not hold; return whether all took it."""
        state = self.state
        spent_until = None if state is None else state.spent_until
        is_spent = spent_until is not None and now < spent_until
        is_complete = True
        for name, setpoint in command.setpoints.items():
            writes = self.unit.render({name: setpoint})
            sent = self._sent.setdefault(name, _Sent())
            is_same = sent.at is not None and sent.writes == writes
            is_due = sent.at is None or abs(now - sent.at) >= RESEND
            if is_same and is_spent:
                is_complete = False
                continue
            # Another command may draw less, or nothing: the device decides what it still takes.
            if is_same and (self._is_done or not is_due):
                continue
            self._is_done = False
            sent.at = now
            sent.writes = writes
            try:
                self._reach().apply(writes)
            except DeviceError as error:
                is_complete = False
                log.warning(
                    "command is not taken",
                    site_id=self._site_id,
                    device=self.unit.key,
                    error=str(error),
                )
                self._note(
                    command, fault=str(error), spent_until=error.spent_until, confirmed=False
                )
            except LunaError as error:
                is_complete = False
                log.warning("a device cannot be reached", site_id=self._site_id, error=str(error))
                self._note(command, fault=str(error), confirmed=False)
        return is_complete

    def _count_writes_left(self, command: UnitCommand) -> None:
        """Count what is left of the chargers' writes; an unread count stays as it was."""
        device = self._device
        if not isinstance(device, RationedDevice):
            return
        left = {}
        try:
            for name, setpoint in command.setpoints.items():
                counts = []
                for write in self.unit.render({name: setpoint}):
                    counts.append(device.read_writes_left(write.to))
                left[name] = min(counts, default=math.inf)
        except LunaError as error:
            log.warning("writes cannot be counted", site_id=self._site_id, error=str(error))
            return
        self._writes_left = left

    def _note_phases(self, command: UnitCommand) -> None:
        """Note whether a charger refused its number of phases, once one was sent."""
        device = self._device
        if not isinstance(device, PhasedDevice):
            return
        kept = [device.keeps_phases(write.to) for write in self.unit.render(command.setpoints)]
        known = [keeps for keeps in kept if keeps is not None]
        if known:
            self._note(command, keeps_phases=any(known))

    def _read(self, writes: list[Write]) -> Mapping[str, str] | None:
        """Return the values that hold, None where a device does not answer."""
        places = [write.read_back for write in writes if write.read_back is not None]
        soc_places = self.unit.places
        if not places and not soc_places:
            return {}
        try:
            values = self._reach().read([*places, *soc_places.values()])
        except LunaError as error:
            log.warning("what holds cannot be read", site_id=self._site_id, error=str(error))
            return None
        socs = {}
        for name, place in soc_places.items():
            soc = _read_soc(values.pop(place, ""))
            if not math.isnan(soc):
                socs[name] = soc
        self._socs = socs
        if not places:
            return {}
        # No value at all: Home Assistant may be starting.
        return values or None

    def _reach(self) -> Device:
        if self._device is None:
            self._device = self._open_device()
        return self._device

    def _note(self, command: UnitCommand, **changes: object) -> None:
        with self._news:
            is_current = self._command is not None and (
                self._command.target_id == command.target_id
            )
            if self._state is not None and is_current:
                self._state = self._state.model_copy(update=changes)


def _read_soc(percent: str) -> float:
    """Return a state of charge, NaN for a reading that is none."""
    try:
        soc = float(percent) / 100
    except ValueError:
        return math.nan
    return soc if 0 <= soc <= 1 else math.nan
