"""Causes of storing surplus."""

from luna.energy.physics.mode import BoolArray
from services.planner.reply.causes.charging import CHARGE_FOR_RESERVE
from services.planner.reply.causes.declaration import Cause, CauseGroup, Figures
from services.planner.reply.causes.shared import show_main_use, show_next_use
from services.planner.reply.evidence import Evidence


def stores_sun(evidence: Evidence) -> BoolArray:
    """Return where a battery charges from surplus, and buys nothing."""
    return evidence.stores_sun


def feeding_in_costs(evidence: Evidence) -> BoolArray:
    """Return where feeding in is charged for."""
    return evidence.feeding_in_costs


def stores_for_dearer_main_use(evidence: Evidence) -> BoolArray:
    """Return where stored surplus replaces dearer energy in its main use."""
    is_cheaper = evidence.below(evidence.unsold_cost, evidence.main_price)
    counts_less = evidence.below(evidence.loaded_sell, evidence.main_counted)
    return is_cheaper & counts_less


def stores_for_dearer_hours(evidence: Evidence) -> BoolArray:
    """Return where surplus replaces the dearest energy of the next spell of giving."""
    is_cheaper = evidence.below(evidence.unsold_cost, evidence.next_price)
    counts_less = evidence.below(evidence.loaded_sell, evidence.next_counted)
    return is_cheaper & counts_less


def storing_beats_selling(evidence: Evidence) -> BoolArray:
    """Return where a stored kWh is worth more than selling it pays."""
    is_dearer = evidence.below(evidence.sell, evidence.value)
    return is_dearer & evidence.at_most(evidence.sell, evidence.keep)


def value_lies_between_prices(evidence: Evidence) -> BoolArray:
    """Return where storing beats selling, and buying for it would not pay."""
    is_below_purchase = evidence.below(evidence.value, evidence.buy)
    return storing_beats_selling(evidence) & is_below_purchase


def show_feed_in_fee(evidence: Evidence) -> Figures:
    """Return the fee for feeding in."""
    return {"fee": evidence.fee}


def show_sale_and_main_use(evidence: Evidence) -> Figures:
    """Return the selling price, and the later use."""
    return {"sell": evidence.sell, **show_main_use(evidence)}


def show_sale_and_next_use(evidence: Evidence) -> Figures:
    """Return the selling price, and the later use."""
    return {"sell": evidence.sell, **show_next_use(evidence)}


def show_value_between_prices(evidence: Evidence) -> Figures:
    """Return the value of stored energy, and the prices on either side."""
    return {"value": evidence.value, "sell": evidence.sell, "buy": evidence.buy}


def show_value_and_sale(evidence: Evidence) -> Figures:
    """Return the value of stored energy, and the selling price."""
    return {"value": evidence.value, "sell": evidence.sell}


STORING = CauseGroup(
    stores_sun,
    (
        Cause("store_surplus", feeding_in_costs, show_feed_in_fee),
        CHARGE_FOR_RESERVE,
        Cause("store_surplus", stores_for_dearer_main_use, show_sale_and_main_use),
        Cause("store_surplus", stores_for_dearer_hours, show_sale_and_next_use),
        Cause("follow_house", value_lies_between_prices, show_value_between_prices),
        Cause("store_surplus", storing_beats_selling, show_value_and_sale),
    ),
)
