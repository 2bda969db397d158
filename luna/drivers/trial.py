"""Test a profile on a real battery.

The test moves a little power, checks direction, sign and scale of the readings, and always ends in
self-consumption.
"""

import math
import socket
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Literal, NamedTuple, Protocol

from luna.contracts.battery_setpoints import OWN, make_safe
from luna.contracts.control import BatterySetpoint
from luna.drivers.plausibility import ImplausibleReading
from luna.drivers.profiled_device import ProfiledDevice
from luna.drivers.session import InverterSession, mode_at
from luna.energy.devices.battery import Battery, Mode
from luna.energy.errors import LunaError
from luna.energy.refusals import refuse
from luna.energy.site import Site

TRIAL_W = 200
TRIAL_SECONDS = 10.0
# Some inverters take half a minute to respond.
PATIENCE_SECONDS = 30.0
# Below this it is the inverter's own consumption.
_STILL_W = 100.0
_POLL_SECONDS = 1.0
_WAYS_BACK = 3
# The session's own thread never looks; the trial calls ``look``.
_NEVER_SECONDS = 1e6
WATTS = 1000
STEPS: tuple[Mode, ...] = ("hold", "charge", "export")
_FORCED: frozenset[Mode] = frozenset({"charge", "export"})
_SIGNS: Mapping[Mode, int] = {"charge": 1, "save": 1, "export": -1, "supply": -1}

# unknown: the device reports no plausible power of the battery.
# not_allowed: the safety layer permits no such power; nothing_to_do: it permits only storing
# surplus or serving the house, and there was none.
TrialOutcome = Literal[
    "right",
    "turned_round",
    "did_not_move",
    "too_much",
    "moved",
    "not_allowed",
    "nothing_to_do",
    "unknown",
]
TrialBounds = Callable[[BatterySetpoint, float], BatterySetpoint]


class TrialStep(NamedTuple):
    """The result of one step.

    Attributes:
        mode: that was tried.
        power_w: measured power into the battery, negative while it discharges.
        seconds: that the step took.
        implausible: the last readings that do not count.
        is_forced: a power was commanded, not only a direction.
    """

    mode: Mode
    outcome: TrialOutcome
    power_w: float
    seconds: float
    implausible: tuple[ImplausibleReading, ...] = ()
    is_forced: bool = False

    @property
    def is_right(self) -> bool:
        """Whether the outcome is consistent with the profile."""
        return self.outcome in {"right", "not_allowed", "nothing_to_do"}


class MovedStep(Protocol):
    """A step of a trial, of a battery or of another device."""

    @property
    def outcome(self) -> str:
        """The device's response."""

    @property
    def is_right(self) -> bool:
        """Whether the outcome is consistent with the profile."""

    @property
    def is_forced(self) -> bool:
        """Whether a power was commanded."""


def shows_control(steps: Iterable[MovedStep]) -> bool:
    """Return whether a trial moved the device as commanded and nothing spoke against it."""
    listed = list(steps)
    has_moved = any(step.is_forced and step.outcome == "right" for step in listed)
    return has_moved and all(step.is_right for step in listed)


def bound_by(site: Site, battery: str) -> TrialBounds:
    """Return the safety layer's bounds of a site's battery.

    They turn a set-point and a state of charge, 0–1, into the safe set-point.
    """
    return lambda setpoint, soc: make_safe(site, {battery: setpoint}, {battery: soc})[battery]


def bound_unknown() -> TrialBounds:
    """Return the bounds of a battery without a site.

    It stays away from empty and full, and exports nothing.
    """
    battery = Battery(
        capacity_kwh=5,
        min_soc=0.1,
        max_soc=0.95,
        charge_limit_kw=1,
        discharge_limit_kw=1,
        discharge_to_grid=False,
    )
    return bound_by(Site(name="trial", timezone="UTC", batteries=(battery,)), battery.name)


def is_same_host(one: str, other: str) -> bool:
    """Return whether two names or addresses resolve to the same host."""
    return one.casefold() == other.casefold() or not _addresses(one).isdisjoint(_addresses(other))


def _addresses(host: str) -> set[str]:
    try:
        infos = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        return set()
    return {str(address[0]) for *_, address in infos}


def move_battery(
    device: ProfiledDevice,
    bound: TrialBounds,
    *,
    report: Callable[[TrialStep], None] = lambda _: None,
    now: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], object] = time.sleep,
) -> list[TrialStep]:
    """Let a battery hold, charge and export 200 W, and return the measured steps.

    Each takes ten seconds; self-consumption is restored.

    Args:
        device: of a battery that nothing else commands.
        bound: the safety layer; see ``bound_by``.
        report: receives each step as it ends.
        now: seconds of a monotonic clock.
        sleep: waits for some seconds of that clock.

    Raises:
        UnavailableError: the device does not answer, or a value that is needed is unknown.
        InvalidInputError: its profile reads no power of the battery.
    """
    if not device.profile.modes or not {"charge_w", "discharge_w"} <= set(device.profile.reads):
        raise refuse("profile-not-tried", field="profile", value=device.profile.profile)
    trial = _Trial(device, bound, now, sleep)
    try:
        own_w = trial.read_power()
        steps: list[TrialStep] = []
        for mode in STEPS:
            steps.append(trial.tell(mode, own_w))
            report(steps[-1])
        return steps
    finally:
        trial.hand_back()


class _Trial:
    """A battery under trial.

    Its session is kept up between two readings in this thread, because a device takes one request
    at a time.
    """

    def __init__(
        self,
        device: ProfiledDevice,
        bound: TrialBounds,
        now: Callable[[], float],
        sleep: Callable[[float], object],
    ) -> None:
        self._device = device
        self._bound = bound
        self._now = now
        self._sleep = sleep
        self._session = InverterSession(device, now=now, look_seconds=_NEVER_SECONDS)
        self._is_commanded = False
        # Of the last reading.
        self._implausible: tuple[ImplausibleReading, ...] = ()

    def read_power(self) -> float:
        """Return the power into the battery, W.

        Negative while it discharges, NaN where it is unknown.
        """
        measured = self._device.measure("charge_w", "discharge_w")
        self._implausible = measured.implausible
        return measured.values["charge_w"] - measured.values["discharge_w"]

    def tell(self, mode: Mode, own_w: float) -> TrialStep:
        """Command a mode within the safety layer's bounds and return the result.

        ``own_w`` is the power before any command, W.
        """
        soc = self._session.read_soc()
        if math.isnan(soc):
            raise refuse("device-soc-unknown", field="via", value=self._device.profile.profile)
        wanted_kw = None if mode == "hold" else TRIAL_W / WATTS
        safe = self._bound(BatterySetpoint(mode=mode, power_kw=wanted_kw), soc)
        done = mode_at(safe, soc)
        if _SIGNS.get(done) != _SIGNS.get(mode):
            return TrialStep(mode, "not_allowed", math.nan, 0.0)
        begun = self._now()
        self._is_commanded = True
        self._session.command(safe)
        while True:
            self._sleep(_POLL_SECONDS)
            self._session.look()
            power_w = self.read_power()
            seconds = self._now() - begun
            outcome = _judge(done, power_w, own_w)
            is_undecided = outcome in {"did_not_move", "moved", "unknown"}
            if seconds >= (PATIENCE_SECONDS if is_undecided else TRIAL_SECONDS):
                forced = done in _FORCED
                return TrialStep(mode, outcome, power_w, seconds, self._implausible, forced)

    def hand_back(self) -> None:
        """Return the battery to self-consumption, also after an error."""
        try:
            if self._is_commanded:
                self._command_own(attempts=_WAYS_BACK)
        finally:
            self._session.close()

    def _command_own(self, *, attempts: int) -> None:
        try:
            self._session.command(OWN)
        except LunaError as exc:
            if attempts <= 1:
                profile = self._device.profile
                after_s = profile.reverts.after_s if profile.reverts else None
                if after_s is None:
                    raise refuse(
                        "device-not-handed-back", field="via", value=profile.profile
                    ) from exc
                raise refuse(
                    "device-reverts-alone", field="via", value=profile.profile, after_s=after_s
                ) from exc
            self._sleep(_POLL_SECONDS)
            self._command_own(attempts=attempts - 1)


def _judge(done: Mode, power_w: float, own_w: float) -> TrialOutcome:
    if math.isnan(power_w):
        return "unknown"
    sign = _SIGNS.get(done)
    if sign is None:
        return "right" if abs(power_w) < _STILL_W else "moved"
    flow_w = sign * power_w
    forced = done in _FORCED
    if flow_w <= -_STILL_W:
        return "turned_round"
    if not flow_w >= _STILL_W:
        return "did_not_move" if forced else "nothing_to_do"
    # An inverter that counts its power at the grid connection adds the house's surplus or load.
    most_w = 2 * (TRIAL_W + max(0.0, sign * own_w)) + TRIAL_W
    return "too_much" if forced and flow_w > most_w else "right"
