"""Causes of selling from a battery."""

from luna.energy.physics.mode import BoolArray
from services.planner.reply.causes.declaration import Cause, CauseGroup, Figures
from services.planner.reply.causes.giving import sells, show_sale, show_sale_and_value
from services.planner.reply.causes.shared import show_next_sun, show_refill
from services.planner.reply.evidence import Evidence


def selling_beats_keeping(evidence: Evidence) -> BoolArray:
    """Return where selling a stored kWh pays more than it is worth."""
    is_cheaper = evidence.below(evidence.value, evidence.sell)
    return is_cheaper & evidence.at_most(evidence.value, evidence.sold)


def refill_costs_less(evidence: Evidence) -> BoolArray:
    """Return where buying the energy back later costs less than it sells for."""
    return evidence.below(evidence.refill_cost, evidence.sell)


def sun_refill_costs_less(evidence: Evidence) -> BoolArray:
    """Return where surplus that refills the battery would sell for less."""
    return evidence.below(evidence.sun_cost, evidence.sell)


def selling_and_refilling_gain(evidence: Evidence) -> BoolArray:
    """Return where selling beats keeping, and buying it back later costs less."""
    return selling_beats_keeping(evidence) & refill_costs_less(evidence)


def selling_before_sun_gains(evidence: Evidence) -> BoolArray:
    """Return where selling beats keeping, and cheaper surplus refills the battery."""
    return selling_beats_keeping(evidence) & sun_refill_costs_less(evidence)


def show_sale_value_and_refill(evidence: Evidence) -> Figures:
    """Return the sale, the value of stored energy, and the refill."""
    return {**show_sale_and_value(evidence), **show_refill(evidence)}


def show_sale_value_and_sun(evidence: Evidence) -> Figures:
    """Return the sale, the value of stored energy, and the refill by surplus."""
    return {**show_sale_and_value(evidence), **show_next_sun(evidence)}


def show_sale_and_refill(evidence: Evidence) -> Figures:
    """Return the sale and the refill."""
    return {**show_sale(evidence), **show_refill(evidence)}


def show_sale_and_sun(evidence: Evidence) -> Figures:
    """Return the sale and the refill by surplus."""
    return {**show_sale(evidence), **show_next_sun(evidence)}


SELLING = CauseGroup(
    sells,
    (
        Cause("sell_high", selling_and_refilling_gain, show_sale_value_and_refill),
        Cause("sell_high", selling_before_sun_gains, show_sale_value_and_sun),
        Cause("sell_high", selling_beats_keeping, show_sale_and_value),
        Cause("sell_high", refill_costs_less, show_sale_and_refill),
        Cause("sell_high", sun_refill_costs_less, show_sale_and_sun),
    ),
)
