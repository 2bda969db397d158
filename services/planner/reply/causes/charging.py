"""Causes of charging, whatever the energy comes from."""

import numpy as np

from luna.energy.physics.mode import BoolArray
from services.planner.reply.causes.declaration import Cause, CauseGroup, Figures
from services.planner.reply.causes.shared import (
    charges,
    comes_before_reserve,
    is_weighed,
    show_inverter_limit,
    show_next_reserve,
    show_power_taken,
    show_weighed,
    takes_at_full_power,
)
from services.planner.reply.evidence import Evidence
from services.planner.reply.flow_shares import NOTHING_KWH

# --- limits ---------------------------------------------------------------------------------------


def starts_below_limits(evidence: Evidence) -> BoolArray:
    """Return where a battery is emptier than it may be."""
    return evidence.below_limits


def stores_what_must_not_be_sold(evidence: Evidence) -> BoolArray:
    """Return where surplus is stored while nothing may be fed in."""
    return evidence.stores_sun & ~evidence.may_feed_in


def stores_beyond_feed_in_limit(evidence: Evidence) -> BoolArray:
    """Return where surplus is stored while feed-in is at its limit."""
    return evidence.stores_sun & evidence.fills_feed_in


def stores_beyond_inverter(evidence: Evidence) -> BoolArray:
    """Return where a battery stores sun that its inverter cannot pass on."""
    return evidence.shares.direct_kwh > NOTHING_KWH


def stores_sun_at_full_power(evidence: Evidence) -> BoolArray:
    """Return where surplus is stored as fast as the battery can."""
    return evidence.stores_sun & takes_at_full_power(evidence)


def show_rise_to_limits(evidence: Evidence) -> Figures:
    """Return the state of charge, its lower limit, and the charge."""
    least_soc = np.where(evidence.below_limits, evidence.battery.min_soc, np.nan)
    return {
        "soc": evidence.start_kwh / evidence.battery.capacity_kwh,
        "least": least_soc,
        "kwh": evidence.charge,
    }


def show_feed_in_limit(evidence: Evidence) -> Figures:
    """Return the most that may be fed in."""
    return {"kw": evidence.feed_in_limit_kwh / evidence.hours}


CHARGING_LIMITS = CauseGroup(
    charges,
    (
        Cause("brought_back", starts_below_limits, show_rise_to_limits),
        Cause("store_surplus", stores_what_must_not_be_sold),
        Cause("feed_in_limit", stores_beyond_feed_in_limit, show_feed_in_limit),
        Cause("inverter_limit", stores_beyond_inverter, show_inverter_limit),
        Cause("charge_limit", stores_sun_at_full_power, show_power_taken),
    ),
)


# --- what is left ---------------------------------------------------------------------------------


def takes_over(evidence: Evidence) -> BoolArray:
    """Return where a battery takes over what another one gives."""
    return evidence.takes_over


def buys(evidence: Evidence) -> BoolArray:
    """Return where a battery charges from the grid."""
    return evidence.buys


def show_reserve_filled(evidence: Evidence) -> Figures:
    """Return the charge for the next reserve, and when that is due."""
    return {"kwh": evidence.charge, **show_next_reserve(evidence)}


def show_energy_taken_over(evidence: Evidence) -> Figures:
    """Return the energy taken over from other batteries."""
    return {"kwh": evidence.taken_over_kwh}


def show_purchase(evidence: Evidence) -> Figures:
    """Return the energy bought, and its price."""
    return {"kwh": evidence.bought_kwh, "buy": evidence.buy}


def show_purchase_and_value(evidence: Evidence) -> Figures:
    """Return the energy bought, its price, and the value of stored energy."""
    return {**show_purchase(evidence), "value": evidence.value}


def show_storing(evidence: Evidence) -> Figures:
    """Return the energy stored, its value, and the selling price."""
    return {"kwh": evidence.charge, "value": evidence.value, "sell": evidence.allowed_sale}


CHARGE_FOR_RESERVE = Cause("charge_for_reserve", comes_before_reserve, show_reserve_filled)

# Where no price explains it, it is said without a why.
CHARGING_PLAIN = CauseGroup(
    charges,
    (
        CHARGE_FOR_RESERVE,
        Cause("takes_over", takes_over, show_energy_taken_over),
        Cause("weighed", is_weighed, show_weighed),
        Cause("charge_plain", buys, show_purchase_and_value),
        Cause("store_plain", charges, show_storing),
    ),
)
