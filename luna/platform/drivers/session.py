"""Commands a battery's inverter, and keeps a command up for as long as somebody asks for it.

A set-point has limits that registers do not know: where charging ends, what is kept for the evening. So its battery is looked at every few seconds, and what
it is to do follows from how full it is (``mode_at``). Where the device falls back by itself, its command is said again in time. All of that ends when nobody
has commanded or asked for a while: whoever did may be gone, and then the device does what its profile says. What may be written no more today is left to
self-consumption, and whoever commanded is told.
"""

import math
import threading
import time
from collections.abc import Callable, Collection, Sequence
from itertools import count

import structlog

from luna.contracts.control import BatterySetpoint
from luna.energy.devices.battery import Mode
from luna.energy.errors import LunaError
from luna.platform.drivers.inverter import BatteryReading, ProfiledDevice
from luna.platform.drivers.points import PointValue

LOOK_SECONDS = 5.0
# A heartbeat is counted on every second. Source: SunSpec model 715, ControllerHb.
BEATS_PER_LOOK = 5
# The executor reads back once a minute what holds.
ASKED_SECONDS = 150.0
# What stores surplus, what serves the house; by how much a battery has to leave a limit again.
STORING: frozenset[Mode] = frozenset({"self_consumption", "save", "charge"})
SERVING: frozenset[Mode] = frozenset({"self_consumption", "supply", "export"})
MARGIN = 0.01
# So long what flows may be otherwise than commanded. Source: docs/decisions/0099.
OBEYS_WITHIN_S = 180.0
# What an inverter uses itself, and what its sensor errs by; of the power that was asked for, what cold or fullness leave.
_IDLE_KW, _LEAST_SHARE = 0.3, 0.2
# Near full, and near empty, a battery's own management decides.
_FULL, _EMPTY = 0.95, 0.1

_SPENT = "device-writes-spent"

log = structlog.get_logger("luna.drivers")


def mode_at(setpoint: BatterySetpoint, soc: float, *, before: Mode | None = None) -> Mode:
    """Return what a battery does under a set-point when it is this full, a share of 1; NaN: nobody knows, and it holds where a limit counts.

    ``before`` is what it did under this set-point until now: what a limit ended begins again a little away from that limit, not with each rounding.
    """
    mode = setpoint.mode
    if math.isnan(soc):
        is_unbounded = (setpoint.floor_soc or 0.0) <= 0 and (1.0 if setpoint.ceiling_soc is None else setpoint.ceiling_soc) >= 1
        return mode if mode == "hold" or (mode == "self_consumption" and is_unbounded) else "hold"

    def is_below(limit: float | None, *, doing: Collection[Mode]) -> bool:
        return limit is None or soc < limit - (0.0 if before is None or before in doing else MARGIN)

    def is_above(limit: float | None, *, doing: Collection[Mode]) -> bool:
        return limit is None or soc > limit + (0.0 if before is None or before in doing else MARGIN)

    if mode == "charge" and is_below(setpoint.target_soc, doing={"charge"}):
        return "charge"
    if mode == "export" and is_above(setpoint.target_soc, doing={"export"}):
        return "export"
    # What is full stores nothing by itself, and what is empty serves nothing: no command says so.
    stores = mode in STORING and (setpoint.ceiling_soc == 1 or is_below(setpoint.ceiling_soc, doing=STORING))
    serves = mode in SERVING and (setpoint.floor_soc == 0 or is_above(setpoint.floor_soc, doing=SERVING))
    if stores:
        return "self_consumption" if serves else "save"
    return "supply" if serves else "hold"


def contradicts(mode: Mode, flow_kw: float, *, power_kw: float | None, soc: float) -> bool:
    """Return whether what flows into a battery (out of it below zero) is not what a mode means; of self-consumption, and where it is unknown, nobody can say.

    Less than was asked for is none, as cold and a sun that helps bring it about; nothing, or the other direction, is.
    """
    if math.isnan(flow_kw):
        return False
    least_kw = _LEAST_SHARE * power_kw if power_kw is not None else _IDLE_KW
    if mode == "charge":
        return soc < _FULL and flow_kw < least_kw
    if mode == "export":
        return soc > _EMPTY and -flow_kw < least_kw
    stores, serves = mode in STORING, mode in SERVING
    return (not serves and flow_kw < -_IDLE_KW) or (not stores and flow_kw > _IDLE_KW)


class InverterSession:
    """One battery's inverter under command, thread-safe. ``now`` tells seconds of a clock that is never set."""

    def __init__(self, device: ProfiledDevice, *, now: Callable[[], float] = time.monotonic, look_seconds: float = LOOK_SECONDS) -> None:
        self._device = device
        self._now = now
        self._look_seconds = look_seconds
        self._lock = threading.RLock()
        self._ending = threading.Event()
        self._keeper: threading.Thread | None = None
        self._setpoint: BatterySetpoint | None = None
        self._last: BatterySetpoint | None = None
        self._writes: Sequence[PointValue] = ()
        self._mode: Mode | None = None
        self._asked_at = self._written_at = -math.inf
        self._disobeys_since: float | None = None
        # Whether the device holds the command, as of the last look, and would forget it.
        self._is_kept_up = False

    def command(self, setpoint: BatterySetpoint) -> None:
        """Have the battery follow a set-point from now on; returns once the device has taken it.

        Raises:
            UnavailableError: nobody answers, or refuses; nothing comes later. What may be written no more is left to self-consumption; of a command for just
                that only the limits are missing then, and it counts as followed.
        """
        with self._lock:
            self._asked_at = self._now()
            # The same once more does not make it obey.
            self._disobeys_since = self._disobeys_since if setpoint == self._last else None
            self._setpoint, self._writes, self._mode, self._last = None, (), None, setpoint
            self._is_kept_up = False
            try:
                self._apply(setpoint, self.read_soc())
            except LunaError as error:
                if error.reason == _SPENT and self._mode == setpoint.mode:
                    self._setpoint = setpoint
                raise
            self._setpoint = setpoint
        if self._keeper is None:
            self._keeper = threading.Thread(target=self._run, name="inverter session", daemon=True)
            self._keeper.start()

    def read_spent(self) -> float | None:
        """Return which share of a day's writes changes of mode have used up; None where they wear out nothing.

        Raises:
            UnavailableError: nobody can count.
        """
        return self._device.read_spent()

    @property
    def disobeys(self) -> bool:
        """Whether the device took the last command and something else has flowed for ``OBEYS_WITHIN_S``."""
        return self._disobeys_since is not None and self._now() - self._disobeys_since >= OBEYS_WITHIN_S

    def read_back(self) -> BatterySetpoint | None:
        """Return the set-point that the device says it follows, None where it does something else.

        Raises:
            UnavailableError: nobody answers.
        """
        with self._lock:
            self._asked_at = self._now()
            return self._setpoint if self._setpoint is not None and self._device.holds(self._writes) else None

    def read_soc(self) -> float:
        """Return how full the battery is, a share of 1; NaN where the device does not know.

        Raises:
            UnavailableError: nobody answers.
        """
        with self._lock:
            return self._device.read_battery().soc

    def close(self) -> None:
        """Stop; the device keeps its last command for as long as it does by itself."""
        self._ending.set()
        if self._keeper is not None:
            self._keeper.join()
        with self._lock:
            self._device.close()

    def look(self) -> None:
        """Keep the command up: what the battery is to do now that it is this full, and once more what the device would forget."""
        with self._lock:
            if self._setpoint is None or self._now() - self._asked_at > ASKED_SECONDS:
                return
            self._is_kept_up = False
            try:
                # Somebody else commands it, or it was away: whoever asks next is told, and decides.
                if self._device.holds(self._writes):
                    battery = self._device.read_battery()
                    self._judge(self._setpoint, battery)
                    self._apply(self._setpoint, battery.soc)
            except LunaError as error:
                if error.reason == _SPENT:
                    self._setpoint = None
                log.warning("the command cannot be kept up", device=self._device.place, error=str(error))

    def beat(self) -> None:
        """Count the device's heartbeat on while it is commanded and somebody asks."""
        with self._lock:
            if self._setpoint is None or self._now() - self._asked_at > ASKED_SECONDS or not self._is_kept_up:
                return
            try:
                self._device.beat()
            except LunaError as error:
                log.warning("the command cannot be kept up", device=self._device.place, error=str(error))

    def _judge(self, setpoint: BatterySetpoint, battery: BatteryReading) -> None:
        if self._mode is None or not contradicts(self._mode, battery.flow_kw, power_kw=setpoint.power_kw, soc=battery.soc):
            self._disobeys_since = None
        elif self._disobeys_since is None:
            self._disobeys_since = self._now()

    def _apply(self, setpoint: BatterySetpoint, soc: float) -> None:
        mode = mode_at(setpoint, soc, before=self._mode)
        try:
            self._write(setpoint, mode, soc)
        except LunaError as error:
            if error.reason != _SPENT or mode == "self_consumption":
                raise
            # What needs no more writes; whoever commanded is told that the rest is missing.
            self._write(setpoint, "self_consumption", soc)
            raise

    def _write(self, setpoint: BatterySetpoint, mode: Mode, soc: float) -> None:
        expressed = self._device.express(mode, soc)
        writes = self._device.plan_writes(setpoint.model_copy(update={"mode": expressed}))
        resend_s = self._device.profile.resend_s(expressed)
        is_due = resend_s is not None and self._now() - self._written_at >= resend_s
        if resend_s is not None:
            # Before the command, which a device that misses its heartbeat would take back at once.
            self._device.beat()
        if writes != self._writes or is_due:
            self._device.write(writes, again=is_due, hands_back=mode == "self_consumption")
        if mode != self._mode and self._mode is not None:
            self._disobeys_since = None
        self._writes, self._mode, self._is_kept_up = writes, mode, resend_s is not None
        if is_due:
            self._written_at = self._now()

    def _run(self) -> None:
        beats = BEATS_PER_LOOK if self._device.has_heartbeat else 1
        for turn in count(1):
            if self._ending.wait(self._look_seconds / beats):
                return
            self.look() if turn % beats == 0 else self.beat()
