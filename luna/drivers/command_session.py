"""Command a charge point, switched load or solar inverter while the caller is alive.

As with a battery (``session.py``) a device that falls back by itself gets its command again in
time, and all of that ends ``ASKED_SECONDS`` after the last caller, who may have died.
"""

import math
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import structlog

from luna.contracts.device_command import DeviceCommand
from luna.drivers.command_writes import express_command, plan_command
from luna.drivers.obedience import Obedience
from luna.drivers.points import PointValue
from luna.drivers.profile import DeviceProfile, ProfileMode
from luna.drivers.profiled_device import ProfiledDevice
from luna.drivers.readings import ReadingName
from luna.drivers.session import ASKED_SECONDS, LOOK_SECONDS
from luna.drivers.session_thread import SessionThread
from luna.energy.errors import LunaError
from luna.energy.refusals import refuse
from luna.energy.site.main_fuses import VOLTAGE_V

# A car or a heater that is stopped draws less: electronics, a pump.
IDLE_W = 200.0
# Above the commanded power: a meter's error, a voltage above the usual.
BEYOND_SHARE = 1.15
MOST_PHASES = 3
# Time for a car to end its current once its charger stops: 3 s, and the charger's relay.
# Source: IEC 61851-1, annex A, sequences 9 and 10.
SWITCHES_WITHIN_S = 6.0
_POLL_SECONDS = 0.5
# Refusals of a single value by a device that answers.
_REFUSALS = frozenset({"device-refuses", "device-http-status", "device-keeps-value"})
# Readings that show whether a car draws what its charger offers.
CAR_READINGS: tuple[ReadingName, ...] = ("car_w", "car_plugged")
# Whether somebody else has a charger offer less than it accepted.
OVERRIDDEN: ReadingName = "charger_overridden"
# Power of what the device switches or limits, by the first reading that its profile has.
_POWERS: tuple[ReadingName, ...] = ("car_w", "heater_w", "pv_w")

log = structlog.get_logger("luna.drivers")


def exceeds(command: DeviceCommand, power_w: float) -> bool:
    """Return whether a device draws or gives more than a command allows; less is its own matter.

    A car may be full, a heater hot, or the sun away.
    """
    if math.isnan(power_w) or command.mode == "own":
        return False
    if command.mode in {"stop", "off"}:
        return power_w > IDLE_W
    limits = []
    if command.power_w is not None:
        limits.append(command.power_w)
    if command.current_a is not None:
        phases = command.known_phases or MOST_PHASES
        limits.append(command.current_a * phases * VOLTAGE_V)
    return bool(limits) and power_w > BEYOND_SHARE * max(limits) + IDLE_W


class CommandSession:
    """One device under command, thread-safe.

    ``now`` returns the seconds of a monotonic clock, ``sleep`` waits.
    """

    def __init__(
        self,
        device: ProfiledDevice,
        *,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        self._device = device
        self._now = now
        self._sleep = sleep
        self._lock = threading.RLock()
        self._keeper = SessionThread(
            self.look, self.beat if device.has_heartbeat else None, look_seconds=look_seconds
        )
        self._command: DeviceCommand | None = None
        # The last command that the device took, also where a later one failed.
        self._taken: DeviceCommand | None = None
        self._last: DeviceCommand | None = None
        self._writes: Sequence[PointValue] = ()
        self._called_at = -math.inf
        self._written_at = -math.inf
        self._obedience = Obedience(now)
        # Whether the charger took its only number of phases; None: it was not sent yet.
        self._takes_phases: bool | None = None

    def command(self, command: DeviceCommand) -> None:
        """Have the device follow a command from now on; return once it has taken it.

        Raises:
            UnavailableError: the device does not answer, or refuses; nothing is retried. Once the
                day's writes are spent, only commands that draw less are still taken.
            InvalidInputError: its profile has no such mode.
        """
        with self._lock:
            self._called_at = self._now()
            # Repeating a command that is not obeyed does not restart the clock.
            if command != self._last:
                self._obedience.forget()
            self._last = command
            self._command = None
            self._writes = ()
            if express_command(self._device.profile, command) not in self._device.profile.modes:
                raise refuse(
                    "profile-mode-missing",
                    field="via.profile",
                    value=self._device.profile.profile,
                    mode=command.mode,
                )
            try:
                self._write(command)
            except LunaError as error:
                if error.reason == "device-writes-spent" and command.eases(self._taken):
                    self._stop_instead()
                raise
            self._command = command
        self._keeper.start()

    @property
    def disobeys(self) -> bool:
        """Whether the device has done something else for ``OBEYS_WITHIN_S``.

        It draws more than it is commanded, or offers less and did not before.
        """
        return self._obedience.is_lost

    @property
    def keeps_phases(self) -> bool | None:
        """Whether a charger refused its number of phases; None: it was not sent yet."""
        return None if self._takes_phases is None else not self._takes_phases

    def read_back(self) -> DeviceCommand | None:
        """Return the command that the device follows by its points, None for another.

        Raises:
            UnavailableError: the device does not answer.
        """
        with self._lock:
            self._called_at = self._now()
            if self._command is None:
                # Raises where it does not answer: nothing else asks it.
                self._device.measure()
                return None
            return self._command if self._device.holds(self._writes) else None

    def read_power(self) -> dict[str, float]:
        """Return what goes into the car and whether it is plugged in, as far as its profile says.

        Raises:
            UnavailableError: the device does not answer.
        """
        names = [name for name in CAR_READINGS if name in self._device.profile.reads]
        if not names:
            return {}
        with self._lock:
            return self._device.read(*names)

    def read_writes_left(self) -> float:
        """Return how often its current or power may still be changed within 24 hours.

        Raises:
            UnavailableError: the counter's storage does not answer.
        """
        return self._device.read_writes_left()

    @property
    def may_fall_back(self) -> bool:
        """Whether the device gives its command up by itself."""
        reverts = self._device.profile.reverts
        return reverts is not None and reverts.after_s is not None

    def close(self) -> None:
        """Stop; the device keeps its last command for as long as it does by itself."""
        self._keeper.stop()
        with self._lock:
            self._device.close()

    def look(self) -> None:
        """Resend the command before the device falls back, and see whether it is obeyed."""
        with self._lock:
            command = self._command
            if command is None or self._now() - self._called_at > ASKED_SECONDS:
                return
            try:
                # A device that holds other values restarted, or somebody else commands it: the
                # next ``read_back`` returns None, and its caller decides.
                if self._device.holds(self._writes):
                    self._judge(command)
                    self._write(command)
            except LunaError as error:
                log.warning(
                    "the command cannot be kept up", device=self._device.place, error=str(error)
                )

    def beat(self) -> None:
        """Send the next heartbeat while the device is commanded and a caller reads back."""
        with self._lock:
            if self._command is None or self._now() - self._called_at > ASKED_SECONDS:
                return
            if self._device.profile.resend_s(self._command.mode) is None:
                return
            try:
                self._device.beat()
            except LunaError as error:
                log.warning(
                    "the command cannot be kept up", device=self._device.place, error=str(error)
                )

    def _judge(self, command: DeviceCommand) -> None:
        if self._device.profile.decides_itself:
            return
        profile = self._device.profile
        power = next((name for name in _POWERS if name in profile.reads), None)
        names: list[ReadingName] = [] if power is None else [power]
        if OVERRIDDEN in profile.reads:
            names.append(OVERRIDDEN)
        readings = self._device.read(*names) if names else {}
        has_excess = power is not None and exceeds(command, readings[power])
        is_overridden = command.mode == "charge" and readings.get(OVERRIDDEN) == 1
        self._obedience.note(contradicts=has_excess or is_overridden)

    def _write(self, command: DeviceCommand) -> None:
        """Have the device take a command, with the only number of phases that a charger has.

        One that needs an accessory to switch may refuse the number, or keep its own: it is sent
        once, and its wiring decides.
        """
        may_keep = _may_keep_phases(self._device.profile, command)
        if may_keep and self._takes_phases is None:
            self._try_phases(command)
        elif may_keep and not self._takes_phases:
            self._write_all(replace(command, fixed_phases=None))
        else:
            self._write_all(command)

    def _try_phases(self, command: DeviceCommand) -> None:
        """Send a command for the first time, and see whether its number of phases is taken."""
        profile = self._device.profile
        try:
            self._write_all(command)
            phases = _list_phases(profile, express_command(profile, command), self._writes)
            if not phases:
                return
            self._takes_phases = self._device.holds(phases)
        except LunaError as error:
            if error.reason not in _REFUSALS:
                raise
            self._takes_phases = False
        if not self._takes_phases:
            log.info("a charger keeps its number of phases", device=self._device.place)
            self._write_all(replace(command, fixed_phases=None))

    def _write_all(self, command: DeviceCommand) -> None:
        mode = express_command(self._device.profile, command)
        writes = plan_command(self._device, command)
        resend_s = self._device.profile.resend_s(mode)
        is_due = resend_s is not None and self._now() - self._written_at >= resend_s
        if resend_s is not None:
            # Before the command, which a device without a heartbeat would give up at once.
            self._device.beat()
        if mode != "stop":
            self._stop_to_switch(mode, writes)
        if writes != self._writes or is_due:
            # Whoever draws less may use the writes that are reserved for it.
            eases = command.eases(self._taken)
            self._device.write(writes, again=is_due, hands_back=eases)
        self._writes = writes
        self._taken = command
        if is_due:
            self._written_at = self._now()

    def _stop_instead(self) -> None:
        """Stop a charger whose current may not be written any more today.

        It would else draw more than it is to, until its budget has room again.
        """
        stop = DeviceCommand("stop")
        if "stop" not in self._device.profile.modes:
            return
        self._device.write(plan_command(self._device, stop), hands_back=True)
        self._taken = stop

    def _stop_to_switch(self, mode: ProfileMode, writes: Sequence[PointValue]) -> None:
        """Stop a charger whose number of phases is about to change.

        The current of one number of phases would else flow with the other for a moment.
        """
        phases = _list_phases(self._device.profile, mode, writes)
        if not phases or self._device.holds(phases):
            return
        before = self._device.points.read([write.point for write in phases])
        if any(map(math.isnan, before.values())) and not self._draws():
            # Nobody has chosen a number yet, and no relay opens under load.
            return
        stop = plan_command(self._device, DeviceCommand("stop"))
        self._device.write(stop, hands_back=True)
        self._await_no_current()

    def _await_no_current(self) -> None:
        """Wait until the car draws nothing: no relay of a phase is to open under load."""
        for _ in range(round(SWITCHES_WITHIN_S / _POLL_SECONDS)):
            if not self._draws():
                return
            self._sleep(_POLL_SECONDS)

    def _draws(self) -> bool:
        """Return whether the car is known to draw power."""
        if "car_w" not in self._device.profile.reads:
            return False
        return self._device.read("car_w")["car_w"] > IDLE_W


def _may_keep_phases(profile: DeviceProfile, command: DeviceCommand) -> bool:
    """Return whether a charger may keep its own number of phases instead of a command's.

    Its product has one, and switches with an accessory alone; its site has one as well.
    """
    traits = profile.charger
    has_one = traits is not None and len(set(traits.phases)) == 1
    return has_one and command.phases is None and command.fixed_phases is not None


def _list_phases(
    profile: DeviceProfile, mode: ProfileMode, writes: Sequence[PointValue]
) -> list[PointValue]:
    """Return those of a mode's writes that set the number of phases."""
    switching = {write.write for write in profile.modes[mode] if write.put == "phases"}
    return [write for write in writes if write.point in switching]
