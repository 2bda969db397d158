"""Causes of storing surplus."""

from luna.energy.physics.mode import BoolArray
from services.planner.reply.causes.charging import CHARGE_FOR_RESERVE
from services.planner.reply.causes.declaration import Cause, CauseGroup, Figures
from services.planner.reply.causes.shared import show_feed_in_fee, show_main_use
from services.planner.reply.evidence import Evidence


def stores_sun(evidence: Evidence) -> BoolArray:
    """Return where a battery charges from surplus, and buys nothing."""
    return evidence.stores_sun


def feeding_in_costs(evidence: Evidence) -> BoolArray:
    """Return where feeding in is charged for."""
    return evidence.feeding_in_costs


def stores_for_dearer_use(evidence: Evidence) -> BoolArray:
    """Return where stored surplus replaces dearer energy in its main use."""
    is_cheaper = evidence.below(evidence.unsold_cost, evidence.main_price)
    counts_less = evidence.below(evidence.loaded_sell, evidence.main_counted)
    return is_cheaper & counts_less


def storing_beats_selling(evidence: Evidence) -> BoolArray:
    """Return where a stored kWh is worth more than selling it pays."""
    is_dearer = evidence.below(evidence.sell, evidence.value)
    return is_dearer & evidence.at_most(evidence.sell, evidence.keep)


def show_sale_and_use(evidence: Evidence) -> Figures:
    """Return the selling price, and the later use."""
    return {"sell": evidence.sell, **show_main_use(evidence)}


def show_value_and_sale(evidence: Evidence) -> Figures:
    """Return the value of stored energy, and the selling price."""
    return {"value": evidence.value, "sell": evidence.sell}


STORING = CauseGroup(
    stores_sun,
    (
        Cause("store_solar", feeding_in_costs, show_feed_in_fee),
        CHARGE_FOR_RESERVE,
        Cause("store_solar", stores_for_dearer_use, show_sale_and_use),
        Cause("store_solar", storing_beats_selling, show_value_and_sale),
    ),
)
