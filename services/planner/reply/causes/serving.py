"""Causes of serving the house from a battery."""

from luna.energy.physics.mode import BoolArray
from services.planner.reply.causes.declaration import Cause, CauseGroup, Figures
from services.planner.reply.causes.shared import show_next_charge
from services.planner.reply.evidence import Evidence


def serves_house(evidence: Evidence) -> BoolArray:
    """Return where a battery gives the house more than it sells."""
    return evidence.serves_house


def buying_costs_more_than_value(evidence: Evidence) -> BoolArray:
    """Return where buying costs more than a stored kWh is worth."""
    is_dearer = evidence.below(evidence.value, evidence.buy)
    return is_dearer & evidence.at_most(evidence.value, evidence.save)


def buying_costs_more_than_refill(evidence: Evidence) -> BoolArray:
    """Return where buying costs more than the next charge, with its losses and wear."""
    return evidence.below(evidence.refill_cost, evidence.buy)


def show_price_and_value(evidence: Evidence) -> Figures:
    """Return the buying price, and the value of a stored kWh."""
    return {"buy": evidence.buy, "value": evidence.value}


def show_price_and_refill(evidence: Evidence) -> Figures:
    """Return the buying price, and when the battery is charged again."""
    return {"buy": evidence.buy, **show_next_charge(evidence)}


SERVING = CauseGroup(
    serves_house,
    (
        Cause("serve_house", buying_costs_more_than_value, show_price_and_value),
        Cause("serve_house", buying_costs_more_than_refill, show_price_and_refill),
    ),
)
