"""Causes of charging from the grid."""

import numpy as np

from luna.energy.physics.mode import BoolArray
from luna.energy.timeline import FloatArray
from services.planner.reply.causes.charging import (
    CHARGE_FOR_RESERVE,
    buys,
    show_purchase,
    show_purchase_and_value,
)
from services.planner.reply.causes.declaration import Cause, CauseGroup, Figures
from services.planner.reply.causes.shared import (
    comes_before_limit,
    ends_at_target,
    show_curtailed_sun,
    show_main_use,
    show_next_limit,
    show_next_use,
)
from services.planner.reply.evidence import Evidence


def grid_pays_for_drawing(evidence: Evidence) -> BoolArray:
    """Return where the grid pays for what is drawn."""
    return evidence.grid_is_paying


def buys_for_dearer_main_use(evidence: Evidence) -> BoolArray:
    """Return where energy bought now replaces dearer energy in its main use."""
    is_cheaper = evidence.below(evidence.bought_cost, evidence.main_price)
    counts_less = evidence.below(evidence.loaded_counted, evidence.main_counted)
    return is_cheaper & counts_less


def buys_for_dearer_hours(evidence: Evidence) -> BoolArray:
    """Return where energy bought now replaces the dearest of the next spell of giving."""
    is_cheaper = evidence.below(evidence.bought_cost, evidence.next_price)
    counts_less = evidence.below(evidence.loaded_counted, evidence.next_counted)
    return is_cheaper & counts_less


def buys_below_value(evidence: Evidence) -> BoolArray:
    """Return where a bought kWh costs less than a stored one is worth."""
    is_cheaper = evidence.below(evidence.buy, evidence.value)
    return is_cheaper & evidence.at_most(evidence.counted, evidence.keep)


def show_paid_charging(evidence: Evidence) -> Figures:
    """Return the price that the grid pays, the charge, and the PV curtailed for it."""
    return {
        "fee": evidence.grid_pays,
        "kwh": evidence.charge,
        **show_curtailed_sun(evidence),
    }


def show_purchase_for_main_use(evidence: Evidence) -> Figures:
    """Return the purchase, its price with losses, and its later use."""
    return {
        **show_purchase(evidence),
        "loaded": _price_with_losses(evidence),
        **show_main_use(evidence),
    }


def show_purchase_for_next_use(evidence: Evidence) -> Figures:
    """Return the purchase, its price with losses, and its later use."""
    return {
        **show_purchase(evidence),
        "loaded": _price_with_losses(evidence),
        **show_next_use(evidence),
    }


def show_purchase_for_limit(evidence: Evidence) -> Figures:
    """Return the purchase, and the later limit of the grid."""
    return {**show_purchase(evidence), **show_next_limit(evidence)}


def _price_with_losses(evidence: Evidence) -> FloatArray:
    """Return what a bought kWh costs with its losses, where there are any."""
    has_losses = (evidence.buy > 0) & (evidence.return_share < 1)
    return np.where(has_losses, evidence.buy / evidence.return_share, np.nan)


BUYING = CauseGroup(
    buys,
    (
        Cause("charge_negative", grid_pays_for_drawing, show_paid_charging),
        Cause("charge_cheap", buys_for_dearer_main_use, show_purchase_for_main_use),
        Cause("charge_cheap", buys_for_dearer_hours, show_purchase_for_next_use),
        Cause("charge_for_limit", comes_before_limit, show_purchase_for_limit),
        CHARGE_FOR_RESERVE,
        Cause("charge_for_target", ends_at_target, show_purchase),
        Cause("charge_cheap", buys_below_value, show_purchase_and_value),
    ),
)
