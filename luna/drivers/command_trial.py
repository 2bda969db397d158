"""Test a profile on a real charge point, switched load or solar inverter.

A charger charges with its least current, a load is switched on, an inverter gives half of what it
gave, each for a minute at most. Then they stop, or are free again, and are always left to
themselves in the end.
"""

import math
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Literal, NamedTuple

from luna.contracts.device_command import CommandMode, DeviceCommand
from luna.drivers.command_session import IDLE_W, CommandSession, exceeds
from luna.drivers.profile import SWITCHED_MODES, DeviceProfile
from luna.drivers.profiled_device import ProfiledDevice
from luna.drivers.readings import ReadingName
from luna.energy.devices.vehicle import ElectricVehicle
from luna.energy.errors import LunaError
from luna.energy.refusals import refuse
from luna.energy.site import Site
from luna.energy.site.main_fuses import VOLTAGE_V

TRIAL_SECONDS = 60.0
# A car's electronics ramp up slowly; it ends earlier once it draws.
LEAST_SECONDS = 15.0
LEAST_A = 6.0
# Of an unknown charger: 6 A on three phases are 18 A on one.
UNKNOWN_PHASES = 1
LOAD_W = 500.0
# Of a solar inverter: with less a limit cannot be told from its own changes.
LEAST_SUN_W = 300.0
LIMITED_SHARE = 0.5
# Shares of what it gave before: at most that much under its limit, at least that much without.
_MOST_LIMITED = 0.65
_LEAST_FREE = 0.8
_POLL_SECONDS = 1.0
_WAYS_BACK = 3
# The session's own thread never looks; the trial calls ``look``.
_NEVER_SECONDS = 1e6

# no_car: nothing is plugged in; no_sun: the roof gives too little; does_not_stop: it draws although
# it was stopped; unknown: it reports no power.
CommandOutcome = Literal[
    "right", "did_not_move", "too_much", "does_not_stop", "no_car", "no_sun", "unknown"
]
_HARMLESS: frozenset[CommandOutcome] = frozenset({"right", "no_car", "no_sun"})
_FORCED: frozenset[CommandMode] = frozenset({"charge", "on", "limit"})


class CommandStep(NamedTuple):
    """The result of one step of a trial.

    Attributes:
        mode: the tried mode.
        power_w: drawn, or given by an inverter.
        is_forced: the device was to draw something, or to give less.
    """

    mode: CommandMode
    outcome: CommandOutcome
    power_w: float
    seconds: float
    is_forced: bool = False

    @property
    def is_right(self) -> bool:
        """Whether the outcome is consistent with the profile."""
        return self.outcome in _HARMLESS


def is_tried_by_command(profile: DeviceProfile) -> bool:
    """Return whether the devices of a profile are tried by commands."""
    return profile.kind in SWITCHED_MODES


def own_command(profile: DeviceProfile, site: Site | None, name: str | None) -> DeviceCommand:
    """Return the command that leaves a device to itself.

    A charger without a known car is left with its least current; a load that no site has, off.
    """
    if profile.kind == "pv_inverter":
        return DeviceCommand("free")
    if profile.kind == "charge_point":
        vehicle = _find_vehicle(site, name)
        if vehicle is None or vehicle.charger is None:
            power_w = LEAST_A * UNKNOWN_PHASES * VOLTAGE_V
            return DeviceCommand("own", stand_in="charge", current_a=LEAST_A, power_w=power_w)
        charger = vehicle.charger
        phases = charger.phases_at(vehicle.most_charge_kw)
        limit_a = vehicle.most_charge_kw * 1000 / (charger.voltage_v * phases)
        current_a = max(float(math.floor(limit_a)), LEAST_A)
        is_fixed = len(set(charger.phases)) == 1
        return DeviceCommand(
            "own",
            stand_in="charge",
            current_a=current_a,
            phases=None if is_fixed else phases,
            fixed_phases=phases if is_fixed else None,
            power_w=current_a * phases * charger.voltage_v,
        )
    loads = [] if site is None else site.loads
    ends_itself = any(load.name == name and load.ends_itself for load in loads)
    stand_in: CommandMode = "on" if ends_itself else "off"
    return DeviceCommand("own", stand_in=stand_in, power_w=LOAD_W)


def _find_vehicle(site: Site | None, name: str | None) -> ElectricVehicle | None:
    vehicles = [] if site is None else site.vehicles
    return next((vehicle for vehicle in vehicles if vehicle.name == name), None)


def move_commanded(
    device: ProfiledDevice,
    own: DeviceCommand,
    *,
    report: Callable[[CommandStep], None] = lambda _: None,
    now: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], object] = time.sleep,
) -> list[CommandStep]:
    """Move a charger, load or solar inverter for a moment.

    Args:
        device: of a charge point, load or inverter that nothing else commands.
        own: leaves it to itself afterwards; see ``own_command``.
        report: receives each step as it ends.
        now: seconds of a monotonic clock.
        sleep: waits for some seconds of that clock.

    Raises:
        UnavailableError: the device does not answer, or refuses.
        InvalidInputError: its profile commands nothing.
    """
    profile = device.profile
    if not is_tried_by_command(profile) or not profile.is_commanded:
        raise refuse("profile-not-tried", field="profile", value=profile.profile)
    given_w = math.nan
    if profile.kind == "pv_inverter":
        given_w = device.read("pv_w")["pv_w"]
        if math.isnan(given_w) or given_w < LEAST_SUN_W:
            outcome: CommandOutcome = "unknown" if math.isnan(given_w) else "no_sun"
            not_tried = CommandStep("limit", outcome, given_w, 0.0)
            report(not_tried)
            return [not_tried]
    session = CommandSession(device, now=now, look_seconds=_NEVER_SECONDS)
    steps: list[CommandStep] = []
    try:
        for command in _list_commands(profile, own, given_w):
            session.command(command)
            observe = partial(_observe, device, session, command, given_w)
            # Where no car is plugged in, none can begin to draw.
            may_draw = all(step.outcome != "no_car" for step in steps)
            least_s = LEAST_SECONDS if may_draw else 0.0
            step = _watch(command, observe, least_s=least_s, now=now, sleep=sleep)
            steps.append(step)
            report(step)
        return steps
    finally:
        try:
            _leave_alone(session, own, sleep=sleep, attempts=_WAYS_BACK)
        finally:
            session.close()


def _list_commands(
    profile: DeviceProfile, own: DeviceCommand, given_w: float
) -> list[DeviceCommand]:
    """Return the commands of a trial; ``given_w``: what a solar inverter gave before."""
    if profile.kind == "pv_inverter":
        return [DeviceCommand("limit", power_w=LIMITED_SHARE * given_w), DeviceCommand("free")]
    if profile.kind == "switched_load":
        return [DeviceCommand("on", power_w=LOAD_W), DeviceCommand("off")]
    phases = own.known_phases or UNKNOWN_PHASES
    least = replace(
        own,
        mode="charge",
        stand_in=None,
        current_a=LEAST_A,
        power_w=LEAST_A * phases * VOLTAGE_V,
    )
    return [least, DeviceCommand("stop")]


def _watch(
    command: DeviceCommand,
    observe: Callable[[], tuple[CommandOutcome, float]],
    *,
    least_s: float,
    now: Callable[[], float],
    sleep: Callable[[float], object],
) -> CommandStep:
    """Return the step of a command, once its outcome is clear or the time is over."""
    begun = now()
    is_forced = command.mode in _FORCED
    while True:
        sleep(_POLL_SECONDS)
        outcome, power_w = observe()
        seconds = now() - begun
        is_clear = outcome == "right" and seconds >= least_s
        if is_clear or outcome == "no_car" or seconds >= TRIAL_SECONDS:
            return CommandStep(command.mode, outcome, power_w, seconds, is_forced)


def _observe(
    device: ProfiledDevice, session: CommandSession, command: DeviceCommand, given_w: float
) -> tuple[CommandOutcome, float]:
    """Return the outcome so far and the present power; keep the command up."""
    is_taken = session.read_back() is not None
    session.look()
    outcome, power_w = _judge(device, command, given_w)
    if not device.profile.decides_itself:
        return outcome, power_w
    return "right" if is_taken else "did_not_move", power_w


def _judge(
    device: ProfiledDevice, command: DeviceCommand, given_w: float
) -> tuple[CommandOutcome, float]:
    """Return the outcome by the present readings, and the present power."""
    readings = device.read()
    if device.profile.kind == "pv_inverter":
        given_now_w = readings.get("pv_w", math.nan)
        return _judge_sun(command, given_w, given_now_w), given_now_w
    name: ReadingName = "car_w" if device.profile.kind == "charge_point" else "heater_w"
    power_w = readings.get(name, math.nan)
    if command.mode == "charge" and readings.get("car_plugged") == 0:
        return "no_car", power_w
    state = readings.get("load_on", readings.get("car_charging", math.nan))
    if math.isnan(power_w) and math.isnan(state):
        return "unknown", power_w
    # A load behind a switch draws what it likes: the switch's state alone tells.
    state_decides = command.mode == "on" and not math.isnan(state)
    if state_decides or math.isnan(power_w):
        return _judge_state(command, is_on=bool(state)), power_w
    return _judge_power(command, power_w), power_w


def _judge_state(command: DeviceCommand, *, is_on: bool) -> CommandOutcome:
    wants_on = command.mode in {"charge", "on"}
    return "right" if is_on == wants_on else "did_not_move"


def _judge_sun(command: DeviceCommand, before_w: float, power_w: float) -> CommandOutcome:
    if math.isnan(power_w):
        return "unknown"
    if command.mode == "limit":
        return "right" if power_w <= _MOST_LIMITED * before_w else "too_much"
    # A cloud that came just then is no proof either.
    return "right" if power_w >= _LEAST_FREE * before_w else "did_not_move"


def _judge_power(command: DeviceCommand, power_w: float) -> CommandOutcome:
    if command.mode in {"stop", "off"}:
        return "does_not_stop" if power_w > IDLE_W else "right"
    if exceeds(command, power_w):
        return "too_much"
    return "right" if power_w > IDLE_W else "did_not_move"


def _leave_alone(
    session: CommandSession,
    own: DeviceCommand,
    *,
    sleep: Callable[[float], object],
    attempts: int,
) -> None:
    for attempt in range(1, attempts + 1):
        try:
            session.command(own)
        except LunaError:
            if attempt == attempts:
                raise
            sleep(_POLL_SECONDS)
        else:
            return
