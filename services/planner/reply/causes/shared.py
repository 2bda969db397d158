"""Causes and figures that several groups of causes share."""

from collections.abc import Iterator

import numpy as np

from luna.energy.physics.mode import BoolArray
from services.planner.reply.causes.declaration import TIME, Cause, Figures
from services.planner.reply.evidence import Evidence

# --- causes ---------------------------------------------------------------------------------------


def find_outside_limits(evidence: Evidence, outside: BoolArray) -> Cause:
    """Return where a battery is emptier or fuller than it may be, with that limit."""
    figures = {
        "soc": evidence.start_kwh / evidence.battery.capacity_kwh,
        "least": np.where(evidence.below_limits, evidence.battery.min_soc, np.nan),
        "most": np.where(evidence.above_limits, evidence.battery.max_soc, np.nan),
    }
    return Cause("outside_limits", outside, figures)


def list_later_limits(evidence: Evidence) -> Iterator[Cause]:
    """Yield limits that keep the grid from bringing more when the battery next gives."""
    by_operator = evidence.holds_at(evidence.fills_operators_limit, evidence.next_limit)
    figures: Figures = {"kw": evidence.next_limit_kw, TIME: evidence.next_limit}
    yield Cause("operator_limit", by_operator, figures)
    yield Cause("grid_limit", evidence.next_limit >= 0, figures)


def find_target(evidence: Evidence) -> Cause:
    """Return where all that is left is kept for the lower terminal bound."""
    ends_at_target = evidence.at_terminal_bound & evidence.unused_after
    least_kwh = evidence.plan.problem.terminal.least_kwh[:, None]
    return Cause("target", ends_at_target, {"target": least_kwh / evidence.battery.capacity_kwh})


def find_weighed(evidence: Evidence) -> Cause:
    """Return where the plan weighs the moved or spared energy by more than money."""
    is_weighed = (~evidence.rests | evidence.spares) & np.isfinite(evidence.counted_value)
    # The plan's own price of a kWh from the grid, and of a stored one.
    figures = {"counted": evidence.counted, "value": evidence.counted_value}
    return Cause("weighed", is_weighed, figures)


def find_spared_for_car(evidence: Evidence) -> Cause:
    """Return where a battery gives no more because of a car that it may not feed."""
    return Cause("not_for_car", evidence.short & evidence.spares_car)


# --- figures --------------------------------------------------------------------------------------


def show_inverter_limit(evidence: Evidence) -> Figures:
    """Return the most that the battery's inverter carries."""
    sun = evidence.conversion
    if sun is None:
        return {"kw": np.full(evidence.charge.shape, np.nan)}
    return {"kw": sun.limit_kwh / evidence.hours}


def show_main_use(evidence: Evidence) -> Figures:
    """Return when most of the energy's worth is used, and at which price."""
    return {"price": evidence.main_price, TIME: evidence.main_use}


def show_later_reserve(evidence: Evidence) -> Figures:
    """Return the reserve that is filled next, and from when on it is required."""
    return {"reserve": evidence.later_reserve_soc, TIME: evidence.reserve_due}
