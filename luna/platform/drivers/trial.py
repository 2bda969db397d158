"""Moves a battery by a little for a moment, and reads whether it does as it was told: direction, sign, scale. It always ends in self-consumption."""

import math
import socket
import time
from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

from luna.contracts.battery_setpoints import OWN, make_safe
from luna.contracts.control import BatterySetpoint
from luna.energy.devices.battery import Battery, Mode
from luna.energy.errors import LunaError
from luna.energy.refusals import refuse
from luna.energy.site import Site
from luna.platform.drivers.inverter import ProfiledDevice
from luna.platform.drivers.session import InverterSession, mode_at

TRIAL_W = 200
TRIAL_SECONDS = 10.0
# Some inverters take half a minute to follow.
PATIENCE_SECONDS = 30.0
# Less than this is what an inverter needs for itself.
_STILL_W = 100.0
_POLL_SECONDS = 1.0
_WAYS_BACK = 3
# The session looks when it is told to.
_NEVER_SECONDS = 1e6
WATTS = 1000
STEPS: tuple[Mode, ...] = ("hold", "charge", "export")
# What flows into the battery, above zero, or out of it.
_SIGNS: Mapping[Mode, int] = {"charge": 1, "save": 1, "export": -1, "supply": -1}

# not_allowed: the safety layer lets it do nothing of the kind; nothing_to_do: it may store surplus or serve the house alone, and there was none of it.
TrialOutcome = Literal["right", "turned_round", "did_not_move", "too_much", "moved", "not_allowed", "nothing_to_do"]
TrialBounds = Callable[[BatterySetpoint, float], BatterySetpoint]


class TrialStep(NamedTuple):
    """What came of telling a battery something: the mode that was tried, what the readings say, what flowed in (out below zero), W, and after how long."""

    mode: Mode
    outcome: TrialOutcome
    power_w: float
    seconds: float

    @property
    def is_right(self) -> bool:
        """Whether nothing speaks against the profile."""
        return self.outcome in {"right", "not_allowed", "nothing_to_do"}


def bound_by(site: Site, battery: str) -> TrialBounds:
    """Return what the safety layer makes of a set-point for a site's battery that is this full, a share of 1."""
    return lambda setpoint, soc: make_safe(site, {battery: setpoint}, {battery: soc})[battery]


def bound_unknown() -> TrialBounds:
    """Return the bounds of a battery that no site describes: neither empty nor full, and nothing for the grid."""
    battery = Battery(capacity_kwh=5, min_soc=0.1, max_soc=0.95, charge_limit_kw=1, discharge_limit_kw=1, discharge_to_grid=False)
    return bound_by(Site(name="trial", timezone="UTC", batteries=(battery,)), battery.name)


def is_same_host(one: str, other: str) -> bool:
    """Return whether two names or addresses are of one device."""
    return one.casefold() == other.casefold() or not _addresses(one).isdisjoint(_addresses(other))


def _addresses(host: str) -> set[str]:
    try:
        return {str(each[4][0]) for each in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}
    except OSError:
        return set()


def move_battery(
    device: ProfiledDevice,
    bound: TrialBounds,
    *,
    report: Callable[[TrialStep], None] = lambda _: None,
    now: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], object] = time.sleep,
) -> list[TrialStep]:
    """Let a battery stand still, charge with 200 W and give 200 W, each for ten seconds, and return what the readings say; then it is its own again.

    Args:
        device: of a battery that nobody else commands.
        bound: the safety layer; see ``bound_by``.
        report: is given each step as it ends.
        now: seconds of a clock that is never set.
        sleep: waits for some seconds of that clock.

    Raises:
        UnavailableError: the device does not answer, or what has to be known is not known.
        InvalidInputError: its profile reads no power of the battery.
    """
    if not device.profile.modes or not {"charge_w", "discharge_w"} <= set(device.profile.reads):
        raise refuse("profile-not-tried", field="profile", value=device.profile.profile)
    trial = _Trial(device, bound, now, sleep)
    try:
        own_w, steps = trial.read_power(), list[TrialStep]()
        for mode in STEPS:
            steps.append(trial.tell(mode, own_w))
            report(steps[-1])
        return steps
    finally:
        trial.hand_back()


class _Trial:
    """A battery that is told something for a moment. It is kept up between two readings here, for a device takes one question at a time."""

    def __init__(self, device: ProfiledDevice, bound: TrialBounds, now: Callable[[], float], sleep: Callable[[float], object]) -> None:
        self._device, self._bound, self._now, self._sleep = device, bound, now, sleep
        self._session = InverterSession(device, now=now, look_seconds=_NEVER_SECONDS)
        self._is_commanded = False

    def read_power(self) -> float:
        """Return what flows into the battery, W; out of it below zero."""
        readings = self._device.read("charge_w", "discharge_w")
        return readings["charge_w"] - readings["discharge_w"]

    def tell(self, mode: Mode, own_w: float) -> TrialStep:
        """Let the battery do something that the safety layer allows, and return what the readings say; ``own_w`` is what flowed before anything was told."""
        soc = self._session.read_soc()
        if math.isnan(soc):
            raise refuse("device-soc-unknown", field="via", value=self._device.profile.profile)
        safe = self._bound(BatterySetpoint(mode=mode, power_kw=None if mode == "hold" else TRIAL_W / WATTS), soc)
        done = mode_at(safe, soc)
        if _SIGNS.get(done) != _SIGNS.get(mode):
            return TrialStep(mode, "not_allowed", math.nan, 0.0)
        begun = self._now()
        self._is_commanded = True
        self._session.command(safe)
        while True:
            self._sleep(_POLL_SECONDS)
            self._session.look()
            power_w, seconds = self.read_power(), self._now() - begun
            outcome = _judge(done, power_w, own_w)
            if seconds >= (PATIENCE_SECONDS if outcome in {"did_not_move", "moved"} else TRIAL_SECONDS):
                return TrialStep(mode, outcome, power_w, seconds)

    def hand_back(self) -> None:
        """Let the battery be its own again, whatever happened."""
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
                    raise refuse("device-not-handed-back", field="via", value=profile.profile) from exc
                raise refuse("device-reverts-alone", field="via", value=profile.profile, after_s=after_s) from exc
            self._sleep(_POLL_SECONDS)
            self._command_own(attempts=attempts - 1)


def _judge(done: Mode, power_w: float, own_w: float) -> TrialOutcome:
    sign = _SIGNS.get(done)
    if sign is None:
        return "right" if abs(power_w) < _STILL_W else "moved"
    flow_w, forced = sign * power_w, done in {"charge", "export"}
    if flow_w <= -_STILL_W:
        return "turned_round"
    if not flow_w >= _STILL_W:
        return "did_not_move" if forced else "nothing_to_do"
    # What the house leaves over, or takes, flows as well where an inverter counts a power at the grid.
    most_w = 2 * (TRIAL_W + max(sign * own_w, 0.0)) + TRIAL_W
    return "too_much" if forced and flow_w > most_w else "right"
