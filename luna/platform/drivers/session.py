"""Commands a battery's inverter, and keeps a command up for as long as somebody asks for it.

A set-point has limits that registers do not know: where charging ends, what is kept for the evening. So its battery is looked at every few seconds, and what
it is to do follows from how full it is (``mode_at``). Where the device falls back by itself, its command is said again in time. All of that ends when nobody
has commanded or asked for a while: whoever did may be gone, and then the device does what its profile says.
"""

import math
import threading
import time
from collections.abc import Callable, Collection, Sequence

import structlog

from luna.contracts.control import BatterySetpoint
from luna.energy.devices import Mode
from luna.energy.errors import LunaError
from luna.platform.drivers.inverter import ProfiledDevice
from luna.platform.drivers.points import PointValue

LOOK_SECONDS = 5.0
# The executor reads back once a minute what holds.
ASKED_SECONDS = 150.0
# What stores surplus, what serves the house; by how much a battery has to leave a limit again.
STORING: frozenset[Mode] = frozenset({"self_consumption", "save", "charge"})
SERVING: frozenset[Mode] = frozenset({"self_consumption", "supply", "export"})
MARGIN = 0.01

log = structlog.get_logger("luna.drivers")


def mode_at(setpoint: BatterySetpoint, soc: float, *, before: Mode | None = None) -> Mode:
    """Return what a battery does under a set-point when it is this full, a share of 1; NaN: nobody knows, and it holds where a limit counts.

    ``before`` is what it did under this set-point until now: what a limit ended begins again a little away from that limit, not with each rounding.
    """
    mode = setpoint.mode
    if math.isnan(soc):
        return mode if mode == "hold" or (mode == "self_consumption" and _is_unbounded(setpoint)) else "hold"

    def is_below(limit: float | None, *, doing: Collection[Mode]) -> bool:
        return limit is None or soc < limit - (0.0 if before is None or before in doing else MARGIN)

    def is_above(limit: float | None, *, doing: Collection[Mode]) -> bool:
        return limit is None or soc > limit + (0.0 if before is None or before in doing else MARGIN)

    if mode == "charge" and is_below(setpoint.target_soc, doing={"charge"}):
        return "charge"
    if mode == "export" and is_above(setpoint.target_soc, doing={"export"}):
        return "export"
    stores = mode in STORING and is_below(setpoint.ceiling_soc, doing=STORING)
    serves = mode in SERVING and is_above(setpoint.floor_soc, doing=SERVING)
    if stores:
        return "self_consumption" if serves else "save"
    return "supply" if serves else "hold"


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
        self._writes: Sequence[PointValue] = ()
        self._mode: Mode | None = None
        self._asked_at = self._written_at = -math.inf

    def command(self, setpoint: BatterySetpoint) -> None:
        """Have the battery follow a set-point from now on; returns once the device has taken it.

        Raises:
            UnavailableError: nobody answers, or refuses; nothing comes later.
        """
        with self._lock:
            self._asked_at = self._now()
            self._setpoint, self._writes, self._mode = None, (), None
            self._apply(setpoint)
            self._setpoint = setpoint
        self._keep()

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
            soc = self._device.read("soc")["soc"] / 100
            return soc if 0 <= soc <= 1 else math.nan

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
            try:
                # Somebody else commands it, or it was away: whoever asks next is told, and decides.
                if self._device.holds(self._writes):
                    self._apply(self._setpoint)
            except LunaError as error:
                log.warning("the command cannot be kept up", device=self._device.place, error=str(error))

    def _apply(self, setpoint: BatterySetpoint) -> None:
        mode = mode_at(setpoint, self.read_soc(), before=self._mode)
        writes = self._device.plan_writes(setpoint.model_copy(update={"mode": mode}))
        resend_s = self._device.profile.reverts.resend_s if self._device.profile.reverts else None
        is_due = resend_s is not None and self._now() - self._written_at >= resend_s
        if writes != self._writes or is_due:
            self._device.write(writes, again=is_due)
        self._writes, self._mode = writes, mode
        if is_due:
            self._written_at = self._now()

    def _keep(self) -> None:
        if self._keeper is None:
            self._keeper = threading.Thread(target=self._run, name="inverter session", daemon=True)
            self._keeper.start()

    def _run(self) -> None:
        while not self._ending.wait(self._look_seconds):
            self.look()


def _is_unbounded(setpoint: BatterySetpoint) -> bool:
    return (setpoint.floor_soc or 0.0) <= 0 and (1.0 if setpoint.ceiling_soc is None else setpoint.ceiling_soc) >= 1
