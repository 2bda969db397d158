"""Causes of charging from the grid."""

from luna.energy.physics.mode import BoolArray
from services.planner.reply.causes.charging import (
    CHARGE_FOR_RESERVE,
    buys,
    show_purchase,
)
from services.planner.reply.causes.declaration import Cause, CauseGroup, Figures
from services.planner.reply.causes.shared import (
    comes_before_limit,
    comes_before_operators_limit,
    ends_at_target,
    show_main_use,
    show_next_limit,
    show_target,
)
from services.planner.reply.evidence import Evidence


def grid_pays_for_drawing(evidence: Evidence) -> BoolArray:
    """Return where the grid pays for what is drawn."""
    return evidence.grid_is_paying


def buys_for_dearer_use(evidence: Evidence) -> BoolArray:
    """Return where energy bought now replaces dearer energy in its main use."""
    is_cheaper = evidence.below(evidence.bought_cost, evidence.main_price)
    counts_less = evidence.below(evidence.loaded_counted, evidence.main_counted)
    return is_cheaper & counts_less


def buys_below_value(evidence: Evidence) -> BoolArray:
    """Return where a bought kWh costs less than a stored one is worth."""
    is_cheaper = evidence.below(evidence.buy, evidence.value)
    return is_cheaper & evidence.at_most(evidence.counted, evidence.keep)


def show_paid_charging(evidence: Evidence) -> Figures:
    """Return the price that the grid pays, and the charge."""
    return {"paid": evidence.grid_pays, "kwh": evidence.charge}


def show_purchase_and_use(evidence: Evidence) -> Figures:
    """Return the purchase, and its later use."""
    return {**show_purchase(evidence), **show_main_use(evidence)}


def show_purchase_and_value(evidence: Evidence) -> Figures:
    """Return the purchase, and the value of stored energy."""
    return {**show_purchase(evidence), "value": evidence.value}


BUYING = CauseGroup(
    buys,
    (
        Cause("charge_negative", grid_pays_for_drawing, show_paid_charging),
        Cause("charge_from_grid", buys_for_dearer_use, show_purchase_and_use),
        Cause("operator_limit", comes_before_operators_limit, show_next_limit),
        Cause("grid_limit", comes_before_limit, show_next_limit),
        CHARGE_FOR_RESERVE,
        Cause("target", ends_at_target, show_target),
        Cause("charge_from_grid", buys_below_value, show_purchase_and_value),
    ),
)
