"""Causes of selling from a battery."""

from luna.energy.physics.mode import BoolArray
from services.planner.reply.causes.declaration import Cause, CauseGroup, Figures
from services.planner.reply.causes.giving import sells, show_sale
from services.planner.reply.evidence import Evidence


def selling_beats_keeping(evidence: Evidence) -> BoolArray:
    """Return where selling a stored kWh pays more than it is worth."""
    is_cheaper = evidence.below(evidence.value, evidence.sell)
    return is_cheaper & evidence.at_most(evidence.value, evidence.sold)


def show_sale_and_value(evidence: Evidence) -> Figures:
    """Return the sale, and the value of stored energy."""
    return {**show_sale(evidence), "value": evidence.value}


SELLING = CauseGroup(sells, (Cause("sell_stored", selling_beats_keeping, show_sale_and_value),))
