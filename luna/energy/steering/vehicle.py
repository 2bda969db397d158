"""Command a charger: its phases, its amperes and why."""

import math
from dataclasses import dataclass, replace

from luna.energy.steering.devices import SteeredVehicle
from luna.energy.steering.following import (
    OFF,
    RULES,
    Offer,
    SurplusChoice,
    SwitchClock,
    choose_phases,
    space_falls,
    space_rises,
)
from luna.energy.steering.sharing import Allotment, Claim
from luna.energy.steering.state import (
    SteeringReason,
    UnitMemory,
    VehicleCommand,
    VehiclePower,
    VehicleTarget,
)

OWN = VehicleCommand("own", 0.0, 0, 0.0, "own_control")
_ROUNDING_A = 1e-6
# A car that takes less than this share of its command takes what it wants: it is nearly full.
_TAKES_ALL = 0.7


@dataclass(frozen=True, slots=True)
class VehicleIntent:
    """Wish of a charger if no limit held; ``follows`` says that it follows surplus."""

    phases: int
    wanted_kw: float
    reason: SteeringReason
    unit: UnitMemory
    follows: bool = False


def intend_vehicle(
    device: SteeredVehicle,
    target: VehicleTarget,
    power: VehiclePower,
    unit: UnitMemory,
    *,
    offer: Offer,
    clock: SwitchClock,
) -> VehicleIntent:
    """Return what a charger would do if no limit held."""
    if target.follow == "own":
        # It may take all that it can, so limits count with that.
        phases = max(device.phases) if power.connected else 0
        wanted_kw = device.most_kw if power.connected else 0.0
        return VehicleIntent(phases, wanted_kw, "own_control", unit)
    if target.follow == "stop":
        return VehicleIntent(0, 0.0, "as_planned", unit)
    if not power.connected:
        return VehicleIntent(0, 0.0, "not_connected", unit)
    if target.follow == "power":
        return _intend_power(device, target.power_kw, unit, clock)
    return _intend_surplus(device, target, power, unit, offer=offer, clock=clock)


def _intend_power(
    device: SteeredVehicle, power_kw: float, unit: UnitMemory, clock: SwitchClock
) -> VehicleIntent:
    """Return the plan's power, on the fewest phases that deliver it and the relay may go to."""
    if not power_kw > 0.0:
        return VehicleIntent(0, 0.0, "as_planned", unit)
    if _rests(unit, clock):
        return VehicleIntent(0, 0.0, "rests", unit)
    possible = [count for count in sorted(device.phases) if clock.allows_phases(count, unit)]
    phases = possible[-1]
    for count in possible:
        if power_kw <= device.most_kw_on(count) + _ROUNDING_A:
            phases = count
            break
    least_kw = device.power_kw(phases, device.min_current_a)
    most_kw = device.most_kw_on(phases)
    return VehicleIntent(phases, min(max(power_kw, least_kw), most_kw), "as_planned", unit)


def _rests(unit: UnitMemory, clock: SwitchClock) -> bool:
    is_off = unit.phases == 0
    return is_off and clock.at_s - unit.switched_s < clock.rules.least_off_s


def _intend_surplus(
    device: SteeredVehicle,
    target: VehicleTarget,
    power: VehiclePower,
    unit: UnitMemory,
    *,
    offer: Offer,
    clock: SwitchClock,
) -> VehicleIntent:
    floor_kw = target.power_kw if target.follow == "surplus_floor" else 0.0
    has_floor = floor_kw > 0.0
    if has_floor and _rests(unit, clock):
        return VehicleIntent(0, 0.0, "rests", unit)
    choices = [] if has_floor else [OFF]
    for count in sorted(device.phases):
        most_kw = device.most_kw_on(count)
        least_kw = min(max(device.power_kw(count, device.min_current_a), floor_kw), most_kw)
        choices.append(SurplusChoice(count, least_kw, most_kw))
    surplus_kw = offer.surplus_kw
    unit = _count_bought(unit, power, offer, clock.elapsed_s)
    followed = choose_phases(choices, unit, offer=offer, clock=clock)
    unit = replace(unit, gain_kwh=followed.gain_kwh)
    choice = followed.choice
    wanted_kw = 0.0
    if choice.phases:
        exact_kw = min(max(surplus_kw, choice.least_kw), choice.most_kw)
        wanted_kw = _round_power(
            device,
            choice.phases,
            exact_kw,
            unit,
            at_s=clock.at_s,
            writes_left=power.writes_left,
        )
    reason = followed.reason
    if has_floor and surplus_kw <= choice.least_kw:
        reason = "keeps_floor"
    return VehicleIntent(choice.phases, wanted_kw, reason, unit, follows=True)


def _count_bought(
    unit: UnitMemory, power: VehiclePower, offer: Offer, elapsed_s: float
) -> UnitMemory:
    """Return the memory with what the car took since the last cycle, and bought of it."""
    if power.kw <= 0.0:
        return unit
    bought_kw = offer.count_bought_kw(power.kw)
    return replace(
        unit,
        charged_kwh=unit.charged_kwh + power.kw * elapsed_s / 3600,
        bought_kwh=unit.bought_kwh + bought_kw * elapsed_s / 3600,
    )


def expect_draw(intent: VehicleIntent, power: VehiclePower, unit: UnitMemory) -> float:
    """Return what a car will draw: less than its command where it has taken less for a while."""
    takes_less = power.kw < _TAKES_ALL * unit.command_kw
    if unit.phases == intent.phases and unit.is_settled and takes_less:
        return power.kw
    return intent.wanted_kw


def claim_power(
    name: str, device: SteeredVehicle, target: VehicleTarget, intent: VehicleIntent
) -> Claim:
    """Return a charger's claim on what limits leave."""
    uses = {"connection": 1.0, "devices": 1.0}
    phases = intent.phases
    if phases:
        amperes_per_kw = 1000.0 / (phases * device.voltage_v)
        for phase in device.on_phases[:phases]:
            uses[f"phase_{phase}"] = amperes_per_kw
        if device.circuit is not None:
            uses[f"circuit_{device.circuit}"] = amperes_per_kw
        least_kw = device.power_kw(phases, device.min_current_a)
    else:
        least_kw = 0.0
    return Claim(name, least_kw, intent.wanted_kw, target.worth_price, uses)


def command_vehicle(
    device: SteeredVehicle,
    intent: VehicleIntent,
    allotment: Allotment,
    *,
    at_s: float,
    writes_left: float = math.inf,
) -> tuple[VehicleCommand, UnitMemory]:
    """Return a charger's command within its allotment, in whole amperes.

    What a limit takes is obeyed at once; what it gives back waits for the charger's writes.
    """
    unit = intent.unit
    if intent.reason == "own_control" and allotment.reason is None:
        return OWN, remember_switch(unit, "own", 0, 0.0, at_s=at_s)
    phases = intent.phases
    reason = intent.reason
    current_a = 0
    if phases:
        step_kw = device.power_kw(phases, 1.0)
        highest_a = math.floor(device.most_current_a(phases))
        wanted_a = min(math.floor(intent.wanted_kw / step_kw + _ROUNDING_A), highest_a)
        allotted_kw = min(allotment.kw, intent.wanted_kw)
        current_a = min(math.floor(allotted_kw / step_kw + _ROUNDING_A), highest_a)
        if current_a < wanted_a:
            reason = allotment.reason or reason
        current_a = min(current_a, wanted_a)
        present_a = round(unit.command_kw / step_kw) if unit.phases == phases else 0
        is_rationed = not math.isinf(writes_left)
        if is_rationed and device.min_current_a <= present_a < current_a:
            rises_soon = at_s - unit.changed_s < space_rises(writes_left)
            current_a = present_a if rises_soon else current_a
    if current_a < device.min_current_a:
        command = VehicleCommand("stop", 0.0, 0, 0.0, reason)
        return command, remember_switch(unit, "stop", 0, 0.0, at_s=at_s)
    power_kw = device.power_kw(phases, float(current_a))
    command = VehicleCommand("charge", power_kw, phases, float(current_a), reason)
    return command, remember_switch(unit, "charge", phases, power_kw, at_s=at_s)


def _round_power(
    device: SteeredVehicle,
    phases: int,
    exact_kw: float,
    unit: UnitMemory,
    *,
    at_s: float,
    writes_left: float,
) -> float:
    """Return the power in whole amperes: no change within the dead band, none soon after one."""
    step_kw = device.power_kw(phases, 1.0)
    exact_a = exact_kw / step_kw
    current_a = math.floor(exact_a + 1.0 - RULES.round_up_from)
    if unit.phases == phases:
        present_a = round(unit.command_kw / step_kw)
        lowest_a = present_a + RULES.round_up_from - 1.0 - RULES.dead_band
        highest_a = present_a + RULES.round_up_from + RULES.dead_band
        since_s = at_s - unit.changed_s
        rises_soon = current_a > present_a and since_s < space_rises(writes_left)
        falls_soon = current_a < present_a and since_s < space_falls(writes_left)
        if lowest_a <= exact_a < highest_a or rises_soon or falls_soon:
            current_a = present_a
    current_a = max(current_a, math.ceil(device.min_current_a))
    return min(current_a * step_kw, device.most_kw_on(phases))


def remember_switch(
    unit: UnitMemory, mode: str, phases: int, command_kw: float, *, at_s: float
) -> UnitMemory:
    """Return the memory after a command: what changed, and how often today."""
    is_same = mode == unit.mode and phases == unit.phases
    if is_same and abs(command_kw - unit.command_kw) < _ROUNDING_A:
        return unit
    goes_on = phases > 0 and unit.phases == 0
    goes_off = phases == 0 and unit.phases > 0
    changes_relay = phases > 0 and unit.last_phases not in (0, phases)
    return replace(
        unit,
        mode=mode,
        command_kw=command_kw,
        phases=phases,
        last_phases=phases or unit.last_phases,
        changed_s=at_s,
        switched_s=at_s if goes_on or goes_off else unit.switched_s,
        phases_s=at_s if changes_relay else unit.phases_s,
        is_settled=False,
        starts=unit.starts + goes_on,
        phase_changes=unit.phase_changes + changes_relay,
        gain_kwh={} if goes_on or goes_off or changes_relay else unit.gain_kwh,
    )
