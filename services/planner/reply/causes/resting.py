"""Causes of doing nothing: limits that keep a battery from acting, and nothing to do."""

import numpy as np

from luna.energy.physics.mode import BoolArray
from services.planner.reply.causes.declaration import TIME, Cause, CauseGroup, Figures
from services.planner.reply.causes.giving import show_price
from services.planner.reply.causes.shared import (
    gives_at_full_power,
    is_spared_for_car,
    is_weighed,
    rests,
    show_inverter_limit,
    show_limits,
    show_next_charge,
    show_power_given,
    show_power_taken,
    show_weighed,
    takes_at_full_power,
)
from services.planner.reply.evidence import Evidence
from services.planner.reply.flow_shares import NOTHING_KWH

# --- states of charge -----------------------------------------------------------------------------


def is_outside_limits(evidence: Evidence) -> BoolArray:
    """Return where a battery is emptier or fuller than it may be."""
    return evidence.below_limits | evidence.above_limits


def is_full(evidence: Evidence) -> BoolArray:
    """Return where a full battery leaves surplus, or energy that the grid pays for."""
    return evidence.full & (evidence.has_surplus | evidence.grid_is_paying)


def is_empty_at_reserve(evidence: Evidence) -> BoolArray:
    """Return where a battery keeps its reserve, though the house draws on the grid."""
    return evidence.empty & evidence.short & evidence.has_reserve


def is_empty(evidence: Evidence) -> BoolArray:
    """Return where an empty battery cannot give what the house draws."""
    return evidence.empty & evidence.short


def show_surplus(evidence: Evidence) -> Figures:
    """Return the price of surplus, or the fee for it; without surplus what the grid pays."""
    return {
        "sell": evidence.sale,
        "fee": np.where(evidence.has_surplus, evidence.fee, np.nan),
        "paid": np.where(evidence.has_surplus, np.nan, evidence.grid_pays),
    }


def show_reserve(evidence: Evidence) -> Figures:
    """Return the reserve that is kept."""
    return {"reserve": evidence.reserve_soc}


# --- power ----------------------------------------------------------------------------------------


def waits_for_peak(evidence: Evidence) -> BoolArray:
    """Return where buying more would raise the month's peak."""
    return evidence.fills_peak & evidence.may_buy_more


def waits_for_connection(evidence: Evidence) -> BoolArray:
    """Return where the connection is full, and buying more would pay."""
    return evidence.fills_connection & evidence.may_buy_more


def waits_for_operators_limit(evidence: Evidence) -> BoolArray:
    """Return where the grid operator allows no more, and buying more would pay."""
    return evidence.fills_operators_limit & evidence.may_buy_more


def is_behind_full_inverter(evidence: Evidence) -> BoolArray:
    """Return where PV fills the battery's inverter, while the house draws on the grid."""
    return evidence.short & (evidence.room_kwh <= NOTHING_KWH)


def surplus_is_below_least_power(evidence: Evidence) -> BoolArray:
    """Return where a battery cannot charge as slowly as the surplus comes."""
    least_kwh = evidence.least_kw * evidence.hours
    return evidence.leaves_surplus & (evidence.shares.surplus_kwh < least_kwh - NOTHING_KWH)


def show_least_power(evidence: Evidence) -> Figures:
    """Return the least power of charging."""
    return {"kw": evidence.least_kw}


# --- nothing to do --------------------------------------------------------------------------------


def is_balanced_by_others(evidence: Evidence) -> BoolArray:
    """Return where other batteries leave nothing to store or serve."""
    return evidence.balanced & evidence.others_move


def is_balanced(evidence: Evidence) -> BoolArray:
    """Return where there is nothing to store or serve."""
    return evidence.balanced


def show_next_move(evidence: Evidence) -> Figures:
    """Return when the battery next does something."""
    return {TIME: evidence.next_move}


RESTING_LIMITS = CauseGroup(
    rests,
    (
        Cause("outside_limits", is_outside_limits, show_limits),
        Cause("full", is_full, show_surplus),
        # A battery that would be charged does not stay where it is for its reserve.
        Cause("peak", waits_for_peak),
        Cause("operator_limit", waits_for_operators_limit),
        Cause("grid_limit", waits_for_connection),
        Cause("reserve", is_empty_at_reserve, show_reserve),
        Cause("empty", is_empty, show_next_charge),
        Cause("inverter_limit", is_behind_full_inverter, show_inverter_limit),
        Cause("not_for_car", is_spared_for_car),
        Cause("power_limit", gives_at_full_power, show_power_given),
        Cause("power_limit", takes_at_full_power, show_power_taken),
        Cause("least_power", surplus_is_below_least_power, show_least_power),
        Cause("other_battery", is_balanced_by_others),
        Cause("rest", is_balanced, show_next_move),
    ),
)


# --- what is left ---------------------------------------------------------------------------------


# Where no price explains it, no price is compared.
RESTING_PLAIN = CauseGroup(
    rests,
    (
        Cause("weighed", is_weighed, show_weighed),
        Cause("rest", rests, show_price),
    ),
)
