"""Command a battery's inverter, and keep the set-point up while the caller is alive.

A set-point has limits that registers lack: a target, floor or ceiling state of charge. So the
battery is read every few seconds and its mode follows from the state of charge (``mode_at``). A
device that reverts by itself gets its command again in time. All of that ends after
``ASKED_SECONDS`` without a caller, which may have died: the device then does what its profile says.
Once the day's writes are spent, self-consumption is commanded and the caller gets the error.
"""

import math
import threading
import time
from collections.abc import Callable, Collection, Sequence

import structlog

from luna.contracts.control import BatterySetpoint
from luna.drivers.obedience import Obedience
from luna.drivers.points import PointValue
from luna.drivers.profiled_device import BatteryReading, ProfiledDevice
from luna.drivers.session_thread import SessionThread
from luna.energy.devices.battery import Mode
from luna.energy.errors import LunaError

LOOK_SECONDS = 5.0
# More than two of the executor's read-backs, which come once a minute.
ASKED_SECONDS = 150.0
# Modes that store surplus, and modes that serve the house.
STORING: frozenset[Mode] = frozenset({"self_consumption", "save", "charge"})
SERVING: frozenset[Mode] = frozenset({"self_consumption", "supply", "export"})
MARGIN = 0.01  # hysteresis of the state of charge at a limit
# An inverter's own consumption and sensor error; share of the requested power that cold or a full
# battery leaves.
_IDLE_KW = 0.3
_LEAST_SHARE = 0.2
# Beyond these states of charge the battery management system decides.
_FULL = 0.95
_EMPTY = 0.1

_SPENT = "device-writes-spent"

log = structlog.get_logger("luna.drivers")


def mode_at(setpoint: BatterySetpoint, soc: float, *, before: Mode | None = None) -> Mode:
    """Return a battery's mode under a set-point at a state of charge.

    Args:
        setpoint: with its limits.
        soc: 0–1; NaN is unknown: the battery holds unless no limit matters.
        before: its mode under this set-point until now. A mode that a limit ended resumes only
            ``MARGIN`` away from that limit.
    """
    mode = setpoint.mode
    if math.isnan(soc):
        has_floor = setpoint.floor_soc is not None and setpoint.floor_soc > 0
        has_ceiling = setpoint.ceiling_soc is not None and setpoint.ceiling_soc < 1
        is_unbounded = not has_floor and not has_ceiling
        return mode if mode == "self_consumption" and is_unbounded else "hold"

    def margin_unless(modes: Collection[Mode]) -> float:
        return 0.0 if before is None or before in modes else MARGIN

    def is_below(limit: float | None, *, modes: Collection[Mode]) -> bool:
        return limit is None or soc < limit - margin_unless(modes)

    def is_above(limit: float | None, *, modes: Collection[Mode]) -> bool:
        return limit is None or soc > limit + margin_unless(modes)

    if mode == "charge" and is_below(setpoint.target_soc, modes={"charge"}):
        return "charge"
    if mode == "export" and is_above(setpoint.target_soc, modes={"export"}):
        return "export"
    # A limit at full or empty needs no change of mode: the battery stops there by itself.
    may_store = setpoint.ceiling_soc == 1 or is_below(setpoint.ceiling_soc, modes=STORING)
    may_serve = setpoint.floor_soc == 0 or is_above(setpoint.floor_soc, modes=SERVING)
    stores = mode in STORING and may_store
    serves = mode in SERVING and may_serve
    if stores:
        return "self_consumption" if serves else "save"
    return "supply" if serves else "hold"


def contradicts(mode: Mode, flow_kw: float, *, power_kw: float | None, soc: float) -> bool:
    """Return whether a battery's power flow (charging positive) contradicts a mode.

    Hardly any power, or the opposite direction, does. Less power than requested does not, as cold
    or extra PV cause it; nor does an unknown flow, nor any flow in self-consumption.
    """
    if math.isnan(flow_kw):
        return False
    least_kw = _LEAST_SHARE * power_kw if power_kw is not None else _IDLE_KW
    if mode == "charge":
        return soc < _FULL and flow_kw < least_kw
    if mode == "export":
        return soc > _EMPTY and -flow_kw < least_kw
    discharges = flow_kw < -_IDLE_KW
    charges = flow_kw > _IDLE_KW
    return (discharges and mode not in SERVING) or (charges and mode not in STORING)


class InverterSession:
    """One battery's inverter under command, thread-safe.

    ``now`` returns the seconds of a monotonic clock.
    """

    def __init__(
        self,
        device: ProfiledDevice,
        *,
        now: Callable[[], float] = time.monotonic,
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        self._device = device
        self._now = now
        self._lock = threading.RLock()
        self._keeper = SessionThread(
            self.look, self.beat if device.has_heartbeat else None, look_seconds=look_seconds
        )
        self._setpoint: BatterySetpoint | None = None
        self._last: BatterySetpoint | None = None
        self._writes: Sequence[PointValue] = ()
        self._mode: Mode | None = None
        self._called_at = -math.inf
        self._written_at = -math.inf
        self._obedience = Obedience(now)
        # Whether the device followed the command at the last look, and reverts unless it is resent.
        self._is_kept_up = False

    def command(self, setpoint: BatterySetpoint) -> None:
        """Have the battery follow a set-point from now on; return once the device has taken it.

        Raises:
            UnavailableError: the device does not answer, or refuses; nothing is retried. Once the
                day's writes are spent, self-consumption is written instead; a command for
                self-consumption then lacks only its limits, and counts as followed.
        """
        with self._lock:
            self._called_at = self._now()
            # Repeating a command that is not obeyed does not restart the clock.
            if setpoint != self._last:
                self._obedience.forget()
            self._setpoint = None
            self._writes = ()
            self._mode = None
            self._last = setpoint
            self._is_kept_up = False
            try:
                self._apply(setpoint, self.read_soc())
            except LunaError as error:
                if error.reason == _SPENT and self._mode == setpoint.mode:
                    self._setpoint = setpoint
                raise
            self._setpoint = setpoint
        self._keeper.start()

    def read_spent(self) -> float | None:
        """Return the share of a day's writes that mode changes have used, None without a limit.

        Raises:
            UnavailableError: the writes cannot be counted.
        """
        return self._device.read_spent()

    @property
    def disobeys(self) -> bool:
        """Whether the flow has contradicted an accepted command for ``OBEYS_WITHIN_S``."""
        return self._obedience.is_lost

    def read_back(self) -> BatterySetpoint | None:
        """Return the set-point that the device follows by its registers, None for another.

        Raises:
            UnavailableError: the device does not answer.
        """
        with self._lock:
            self._called_at = self._now()
            if self._setpoint is None or not self._device.holds(self._writes):
                return None
            return self._setpoint

    def read_soc(self) -> float:
        """Return the battery's state of charge, 0–1, NaN where the device does not report it.

        Raises:
            UnavailableError: the device does not answer.
        """
        with self._lock:
            return self._device.read_battery().soc

    def close(self) -> None:
        """Stop; the device keeps its last command for as long as it does by itself."""
        self._keeper.stop()
        with self._lock:
            self._device.close()

    def look(self) -> None:
        """Adapt the mode to the state of charge, and resend it before the device reverts."""
        with self._lock:
            if self._setpoint is None or self._now() - self._called_at > ASKED_SECONDS:
                return
            self._is_kept_up = False
            try:
                # A device that holds other values restarted, or somebody else commands it: the
                # next ``read_back`` returns None, and its caller decides.
                if self._device.holds(self._writes):
                    battery = self._device.read_battery()
                    self._judge(self._setpoint, battery)
                    self._apply(self._setpoint, battery.soc)
            except LunaError as error:
                if error.reason == _SPENT:
                    self._setpoint = None
                log.warning(
                    "the command cannot be kept up", device=self._device.place, error=str(error)
                )

    def beat(self) -> None:
        """Send the next heartbeat while the device is commanded and a caller reads back."""
        with self._lock:
            if self._setpoint is None or not self._is_kept_up:
                return
            if self._now() - self._called_at > ASKED_SECONDS:
                return
            try:
                self._device.beat()
            except LunaError as error:
                log.warning(
                    "the command cannot be kept up", device=self._device.place, error=str(error)
                )

    def _judge(self, setpoint: BatterySetpoint, battery: BatteryReading) -> None:
        is_contradicted = self._mode is not None and contradicts(
            self._mode, battery.flow_kw, power_kw=setpoint.power_kw, soc=battery.soc
        )
        self._obedience.note(contradicts=is_contradicted)

    def _apply(self, setpoint: BatterySetpoint, soc: float) -> None:
        mode = mode_at(setpoint, soc, before=self._mode)
        try:
            self._write(setpoint, mode, soc)
        except LunaError as error:
            if error.reason != _SPENT or mode == "self_consumption":
                raise
            # Self-consumption may use the writes reserved for it; the error tells the caller that
            # the rest is missing.
            self._write(setpoint, "self_consumption", soc)
            raise

    def _write(self, setpoint: BatterySetpoint, mode: Mode, soc: float) -> None:
        expressed = self._device.express(mode, soc)
        writes = self._device.plan_writes(setpoint.model_copy(update={"mode": expressed}))
        resend_s = self._device.profile.resend_s(expressed)
        is_due = resend_s is not None and self._now() - self._written_at >= resend_s
        if resend_s is not None:
            # Before the command, which a device without a heartbeat would revert at once.
            self._device.beat()
        if writes != self._writes or is_due:
            self._device.write(writes, again=is_due, hands_back=mode == "self_consumption")
        if mode != self._mode and self._mode is not None:
            self._obedience.forget()
        self._writes = writes
        self._mode = mode
        self._is_kept_up = resend_s is not None
        if is_due:
            self._written_at = self._now()
