"""Predicates and figures that several groups of causes share."""

import numpy as np

from luna.energy.physics.mode import BoolArray
from services.planner.reply.causes.declaration import TIME, Figures
from services.planner.reply.evidence import Evidence

# --- where ----------------------------------------------------------------------------------------


def is_any(evidence: Evidence) -> BoolArray:
    """Return every slot of every battery."""
    return np.ones(evidence.charge.shape, dtype=bool)


def charges(evidence: Evidence) -> BoolArray:
    """Return where a battery charges."""
    return evidence.charges


def gives(evidence: Evidence) -> BoolArray:
    """Return where a battery gives energy."""
    return evidence.gives


def rests(evidence: Evidence) -> BoolArray:
    """Return where a battery neither charges nor gives."""
    return evidence.rests


def is_below_limits(evidence: Evidence) -> BoolArray:
    """Return where a battery is emptier than it may be."""
    return evidence.below_limits


def is_above_limits(evidence: Evidence) -> BoolArray:
    """Return where a battery is fuller than it may be."""
    return evidence.above_limits


def is_spared_for_car(evidence: Evidence) -> BoolArray:
    """Return where a battery gives no more because of a car that it may not feed."""
    return evidence.short & evidence.spares_car


def gives_at_full_power(evidence: Evidence) -> BoolArray:
    """Return where the house draws more than a battery can give."""
    return evidence.short & evidence.gives_all


def takes_at_full_power(evidence: Evidence) -> BoolArray:
    """Return where surplus is more than a battery can take."""
    return evidence.takes_all & evidence.has_surplus


def comes_before_limit(evidence: Evidence) -> BoolArray:
    """Return where the grid will not bring more when the battery next gives."""
    return evidence.next_limit >= 0


def comes_before_operators_limit(evidence: Evidence) -> BoolArray:
    """Return where the grid operator allows no more when the battery next gives."""
    return evidence.holds_at(evidence.fills_operators_limit, evidence.next_limit)


def comes_before_reserve(evidence: Evidence) -> BoolArray:
    """Return where a reserve is filled next, with nothing to spare."""
    return evidence.for_reserve >= 0


def ends_at_target(evidence: Evidence) -> BoolArray:
    """Return where all that is left is kept for the lower terminal bound."""
    return evidence.at_terminal_bound & evidence.unused_after


def is_weighed(evidence: Evidence) -> BoolArray:
    """Return where the plan weighs the moved or spared energy by more than money."""
    return (~evidence.rests | evidence.spares) & np.isfinite(evidence.counted_value)


# --- figures --------------------------------------------------------------------------------------


def show_limits(evidence: Evidence) -> Figures:
    """Return the state of charge, and the limit beyond which it is."""
    return {
        "soc": evidence.start_kwh / evidence.battery.capacity_kwh,
        "least": np.where(evidence.below_limits, evidence.battery.min_soc, np.nan),
        "most": np.where(evidence.above_limits, evidence.battery.max_soc, np.nan),
    }


def show_power_given(evidence: Evidence) -> Figures:
    """Return the power that a battery gives."""
    return {"kw": evidence.discharge / evidence.hours}


def show_power_taken(evidence: Evidence) -> Figures:
    """Return the power that a battery takes."""
    return {"kw": evidence.charge / evidence.hours}


def show_inverter_limit(evidence: Evidence) -> Figures:
    """Return the most that the battery's inverter carries."""
    sun = evidence.conversion
    if sun is None:
        return {"kw": np.full(evidence.charge.shape, np.nan)}
    return {"kw": sun.limit_kwh / evidence.hours}


def show_main_use(evidence: Evidence) -> Figures:
    """Return when most of the energy's worth is used, and at which price."""
    return {"price": evidence.main_price, TIME: evidence.main_use}


def show_next_charge(evidence: Evidence) -> Figures:
    """Return when the battery is next charged."""
    return {TIME: evidence.next_charge}


def show_next_limit(evidence: Evidence) -> Figures:
    """Return when the grid brings no more, and how much it brings then."""
    return {"kw": evidence.next_limit_kw, TIME: evidence.next_limit}


def show_later_reserve(evidence: Evidence) -> Figures:
    """Return the reserve that is filled next, and from when on it is required."""
    return {"reserve": evidence.later_reserve_soc, TIME: evidence.reserve_due}


def show_target(evidence: Evidence) -> Figures:
    """Return the battery level required at the end of the plan."""
    least_kwh = evidence.plan.problem.terminal.least_kwh[:, None]
    return {"target": least_kwh / evidence.battery.capacity_kwh}


def show_weighed(evidence: Evidence) -> Figures:
    """Return the plan's own price of a kWh from the grid, and of a stored one."""
    return {"counted": evidence.counted, "value": evidence.counted_value}


def show_feed_in_fee(evidence: Evidence) -> Figures:
    """Return the fee for feeding in."""
    return {"fee": evidence.fee}
