"""Simulate a battery with its inverter, in steps of seconds.

Power and losses under a command.
"""

import math
from dataclasses import dataclass, replace

WORDS = ("self_use", "no_discharge", "no_charge", "standby", "force_charge", "force_discharge")
_STORING = {"self_use", "no_discharge", "force_charge"}
_SERVING = {"self_use", "no_charge", "force_discharge"}
SECONDS_PER_HOUR = 3600.0


def read_setting(text: str) -> float | None:
    """Return the number in a setting's text, None where it is none, or not finite."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


@dataclass(frozen=True, slots=True)
class BatteryModel:
    """Parameters of a battery. Powers in kW at its terminals on the AC side.

    The loss one way is ``fixed_loss_kw`` + ``linear_loss`` · P + ``square_loss_per_kw`` · P².
    That is 4 to 5 % at half and full power, and much more at a trickle. Power tapers above
    ``charge_taper_soc`` and below ``discharge_taper_soc``.
    """

    capacity_kwh: float = 10.0
    limit_kw: float = 5.0
    min_soc: float = 0.10
    fixed_loss_kw: float = 0.015
    linear_loss: float = 0.025
    square_loss_per_kw: float = 0.004
    charge_taper_soc: float = 0.92
    discharge_taper_soc: float = 0.15
    least_taper: float = 0.06
    ramp_kw_per_second: float = 1.0

    def loss_kw(self, power_kw: float) -> float:
        """Return the loss at a power of either direction, kW."""
        moved = abs(power_kw)
        return (
            self.fixed_loss_kw + self.linear_loss * moved + self.square_loss_per_kw * moved * moved
        )

    def charge_limit_kw(self, soc: float) -> float:
        """Return the charging limit at a state of charge, kW."""
        share = (1.0 - soc) / (1.0 - self.charge_taper_soc)
        return self.limit_kw * min(1.0, max(share, self.least_taper)) if soc < 1.0 else 0.0

    def discharge_limit_kw(self, soc: float) -> float:
        """Return the discharging limit at a state of charge, kW."""
        share = (soc - self.min_soc) / (self.discharge_taper_soc - self.min_soc)
        return self.limit_kw * min(1.0, max(share, self.least_taper)) if soc > self.min_soc else 0.0


@dataclass(frozen=True, slots=True)
class Command:
    """The last command of the inverter, in its own vocabulary.

    Limits are states of charge, 0–1.

    ``power_kw`` is exchanged with the grid, in addition to the house, by forced charging or
    discharging, until ``target_soc`` is reached.
    """

    mode: str = "self_use"
    power_kw: float = 0.0
    target_soc: float | None = None
    floor_soc: float = 0.0
    ceiling_soc: float = 1.0


@dataclass(frozen=True, slots=True)
class BatteryCharge:
    """Stored energy and power; positive: charging."""

    stored_kwh: float
    power_kw: float = 0.0


def requested_power_kw(command: Command, soc: float, surplus_kw: float) -> float:
    """Return the power that a command requests, positive to charge.

    ``surplus_kw`` is PV less load.
    """
    stored = max(surplus_kw, 0.0) if command.mode in _STORING and soc < command.ceiling_soc else 0.0
    served = min(surplus_kw, 0.0) if command.mode in _SERVING and soc > command.floor_soc else 0.0
    if command.mode == "force_charge" and soc < (
        1.0 if command.target_soc is None else command.target_soc
    ):
        return max(surplus_kw, 0.0) + command.power_kw
    if command.mode == "force_discharge" and soc > (
        0.0 if command.target_soc is None else command.target_soc
    ):
        return min(surplus_kw, 0.0) - command.power_kw
    return stored + served


def step_battery(
    model: BatteryModel, state: BatteryCharge, requested_kw: float, *, seconds: float
) -> tuple[BatteryCharge, float]:
    """Return the state after ``seconds``, and the energy lost meanwhile, kWh.

    Invariants: energy in − energy out − loss = change of stored energy; neither power nor capacity
    is ever exceeded.
    """
    hours = seconds / SECONDS_PER_HOUR
    soc = state.stored_kwh / model.capacity_kwh
    most_change_kw = model.ramp_kw_per_second * seconds
    ramped = min(
        max(requested_kw, state.power_kw - most_change_kw), state.power_kw + most_change_kw
    )
    power = min(max(ramped, -model.discharge_limit_kw(soc)), model.charge_limit_kw(soc))
    stored = state.stored_kwh + (power - model.loss_kw(power)) * hours
    if power > 0.0 and stored > model.capacity_kwh:
        # The part of the step until it is full.
        power *= (model.capacity_kwh - state.stored_kwh) / (stored - state.stored_kwh)
    if power < 0.0 and stored < model.min_soc * model.capacity_kwh:
        room = max(state.stored_kwh - model.min_soc * model.capacity_kwh, 0.0)
        power *= room / (state.stored_kwh - stored)
    # Once the battery is empty, the house supplies the inverter's own consumption.
    spare = max(state.stored_kwh + power * hours - model.min_soc * model.capacity_kwh, 0.0)
    lost = min(
        model.loss_kw(power) * hours, spare if power <= 0.0 else state.stored_kwh + power * hours
    )
    after = min(state.stored_kwh + power * hours - lost, model.capacity_kwh)
    return replace(
        state, stored_kwh=after, power_kw=power
    ), state.stored_kwh + power * hours - after
