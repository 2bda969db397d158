"""Causes of serving the house from a battery: all that it lacks, or a part of it."""

from luna.energy.physics.mode import BoolArray
from services.planner.reply.causes.declaration import Cause, CauseGroup, Figures
from services.planner.reply.causes.shared import show_next_sun, show_refill
from services.planner.reply.evidence import Evidence

# --- where ----------------------------------------------------------------------------------------


def serves_house_alone(evidence: Evidence) -> BoolArray:
    """Return where a battery brings all that the house lacks."""
    return evidence.serves_house & evidence.serves_alone


def serves_part_of_house(evidence: Evidence) -> BoolArray:
    """Return where a battery brings a part of what the house lacks."""
    return evidence.serves_house & ~evidence.serves_alone


def buying_costs_more_than_value(evidence: Evidence) -> BoolArray:
    """Return where buying costs more than a stored kWh is worth."""
    is_dearer = evidence.below(evidence.value, evidence.buy)
    return is_dearer & evidence.at_most(evidence.value, evidence.save)


def buying_costs_more_than_refill(evidence: Evidence) -> BoolArray:
    """Return where buying now costs more than buying it back later."""
    return evidence.below(evidence.refill_cost, evidence.buy)


def buying_costs_more_than_sun(evidence: Evidence) -> BoolArray:
    """Return where buying costs more than the surplus of the refill would sell for."""
    return evidence.below(evidence.sun_cost, evidence.buy)


def serving_saves_more_than_value(evidence: Evidence) -> BoolArray:
    """Return where serving saves more than the value of a stored kWh, after losses and wear."""
    saves_more = evidence.below(evidence.value, evidence.save)
    return saves_more & evidence.counts_at_tariff


def serving_saves_as_much(evidence: Evidence) -> BoolArray:
    """Return where serving saves about what a stored kWh is worth."""
    is_no_dearer = evidence.at_most(evidence.value, evidence.buy)
    saves_as_much = evidence.about_at_most(evidence.value, evidence.save)
    return is_no_dearer & saves_as_much & evidence.counts_at_tariff


# --- figures --------------------------------------------------------------------------------------


def show_price_and_value(evidence: Evidence) -> Figures:
    """Return the buying price, and the value of a stored kWh."""
    return {"buy": evidence.buy, "value": evidence.value}


def show_price_and_refill(evidence: Evidence) -> Figures:
    """Return the buying price, and the refill."""
    return {"buy": evidence.buy, **show_refill(evidence)}


def show_price_and_sun(evidence: Evidence) -> Figures:
    """Return the buying price, and the refill by surplus."""
    return {"buy": evidence.buy, **show_next_sun(evidence)}


def show_value_and_saving(evidence: Evidence) -> Figures:
    """Return the value of a stored kWh, and the saving of serving it."""
    return {"value": evidence.value, "save": evidence.save}


def show_price(evidence: Evidence) -> Figures:
    """Return the buying price."""
    return {"buy": evidence.buy}


def show_part_and_value(evidence: Evidence) -> Figures:
    """Return the energy for the house, the buying price, and the value of stored energy."""
    return {"kwh": evidence.served_kwh, **show_price_and_value(evidence)}


def show_part_and_refill(evidence: Evidence) -> Figures:
    """Return the energy for the house, the buying price, and the refill."""
    return {"kwh": evidence.served_kwh, **show_price_and_refill(evidence)}


def show_part_and_sun(evidence: Evidence) -> Figures:
    """Return the energy for the house, the buying price, and the refill by surplus."""
    return {"kwh": evidence.served_kwh, **show_price_and_sun(evidence)}


def show_part_and_saving(evidence: Evidence) -> Figures:
    """Return the energy for the house, the value of stored energy, and the saving of serving."""
    return {"kwh": evidence.served_kwh, **show_value_and_saving(evidence)}


def show_part_and_price(evidence: Evidence) -> Figures:
    """Return the energy for the house, and the buying price."""
    return {"kwh": evidence.served_kwh, **show_price(evidence)}


SERVING_ALONE = CauseGroup(
    serves_house_alone,
    (
        Cause("serve_peak", buying_costs_more_than_value, show_price_and_value),
        Cause("serve_peak", buying_costs_more_than_refill, show_price_and_refill),
        Cause("serve_peak", buying_costs_more_than_sun, show_price_and_sun),
        Cause("serve_peak", serving_saves_more_than_value, show_value_and_saving),
        Cause("serve_peak", serving_saves_as_much, show_price),
    ),
)
SERVING_PART = CauseGroup(
    serves_part_of_house,
    (
        Cause("serve_part", buying_costs_more_than_value, show_part_and_value),
        Cause("serve_part", buying_costs_more_than_refill, show_part_and_refill),
        Cause("serve_part", buying_costs_more_than_sun, show_part_and_sun),
        Cause("serve_part", serving_saves_more_than_value, show_part_and_saving),
        Cause("serve_part", serving_saves_as_much, show_part_and_price),
    ),
)
