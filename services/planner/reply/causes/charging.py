"""Causes of charging: limits, what buying or storing gains, and what is left."""

from collections.abc import Iterator

import numpy as np

from services.planner.reply.causes.declaration import Cause
from services.planner.reply.causes.shared import (
    find_outside_limits,
    find_target,
    find_weighed,
    list_later_limits,
    show_inverter_limit,
    show_later_reserve,
    show_main_use,
)
from services.planner.reply.evidence import Evidence
from services.planner.reply.flow_shares import NOTHING_KWH


def list_charging_limits(evidence: Evidence) -> Iterator[Cause]:
    """Yield limits that make a battery charge."""
    yield find_outside_limits(evidence, evidence.below_limits)
    may_feed_in_no_more = evidence.fills_feed_in | ~evidence.may_feed_in
    cannot_feed_in = evidence.stores_sun & may_feed_in_no_more
    limit_kwh = np.where(evidence.may_feed_in, evidence.feed_in_limit_kwh, np.nan)
    feed_in_limit = {"kw": limit_kwh / evidence.hours}
    yield Cause("operator_feed_in", cannot_feed_in & evidence.is_export_limited, feed_in_limit)
    yield Cause("feed_in_limit", cannot_feed_in, feed_in_limit)
    is_beyond_inverter = evidence.shares.direct_kwh > NOTHING_KWH
    yield Cause("inverter_limit", is_beyond_inverter, show_inverter_limit(evidence))
    stores_all_it_can = evidence.stores_sun & evidence.takes_all & evidence.has_surplus
    yield Cause("power_limit", stores_all_it_can, {"kw": evidence.charge / evidence.hours})


def list_buying_causes(evidence: Evidence) -> Iterator[Cause]:
    """Yield causes of charging from the grid."""
    paid_charge = {"paid": evidence.grid_pays, "kwh": evidence.charge}
    yield Cause("charge_negative", evidence.grid_is_paying, paid_charge)
    purchase = {"kwh": evidence.bought_kwh, "buy": evidence.buy}
    # Energy bought now replaces dearer energy in its main use.
    is_cheaper = evidence.below(evidence.bought_cost, evidence.main_price)
    counts_less = evidence.below(evidence.loaded_counted, evidence.main_counted)
    purchase_and_use = purchase | show_main_use(evidence)
    yield Cause("charge_from_grid", is_cheaper & counts_less, purchase_and_use)
    yield from list_later_limits(evidence)
    yield _find_reserve(evidence)
    yield find_target(evidence)
    # A bought kWh costs less than a stored one is worth.
    is_below_value = evidence.below(evidence.buy, evidence.value)
    gains = is_below_value & evidence.at_most(evidence.counted, evidence.keep)
    yield Cause("charge_from_grid", gains, purchase | {"value": evidence.value})


def list_storing_causes(evidence: Evidence) -> Iterator[Cause]:
    """Yield causes of storing surplus."""
    yield Cause("store_solar", evidence.feeding_in_costs, {"fee": evidence.fee})
    yield _find_reserve(evidence)
    # Stored surplus replaces dearer energy in its main use.
    is_cheaper = evidence.below(evidence.unsold_cost, evidence.main_price)
    counts_less = evidence.below(evidence.loaded_sell, evidence.main_counted)
    sale_and_use = {"sell": evidence.sell} | show_main_use(evidence)
    yield Cause("store_solar", is_cheaper & counts_less, sale_and_use)
    # A stored kWh is worth more than selling it pays.
    is_dearer = evidence.below(evidence.sell, evidence.value)
    gains = is_dearer & evidence.at_most(evidence.sell, evidence.keep)
    yield Cause("store_solar", gains, {"value": evidence.value, "sell": evidence.sell})


def list_plain_charging(evidence: Evidence) -> Iterator[Cause]:
    """Yield causes of charging that no price explains: no price is compared."""
    yield _find_reserve(evidence)
    yield Cause("other_battery", evidence.takes_over, {"kwh": evidence.taken_over_kwh})
    yield find_weighed(evidence)
    purchase = {"kwh": evidence.bought_kwh, "buy": evidence.buy}
    yield Cause("charge_from_grid", evidence.buys, purchase)
    yield Cause("store_solar", evidence.charges, {"kwh": evidence.charge})


def _find_reserve(evidence: Evidence) -> Cause:
    """Return where a reserve is filled next, with nothing to spare."""
    figures = {"kwh": evidence.charge} | show_later_reserve(evidence)
    return Cause("reserve", evidence.for_reserve >= 0, figures)
