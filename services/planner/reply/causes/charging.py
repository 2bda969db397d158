"""Causes of charging, whatever the energy comes from."""

import numpy as np

from luna.energy.physics.mode import BoolArray
from services.planner.reply.causes.declaration import Cause, CauseGroup, Figures
from services.planner.reply.causes.shared import (
    charges,
    comes_before_reserve,
    is_below_limits,
    is_weighed,
    show_inverter_limit,
    show_later_reserve,
    show_limits,
    show_power_taken,
    show_weighed,
    takes_at_full_power,
)
from services.planner.reply.evidence import Evidence
from services.planner.reply.flow_shares import NOTHING_KWH

# --- limits ---------------------------------------------------------------------------------------


def stores_beyond_feed_in_limit(evidence: Evidence) -> BoolArray:
    """Return where surplus is stored while no more may be fed in."""
    may_feed_in_no_more = evidence.fills_feed_in | ~evidence.may_feed_in
    return evidence.stores_sun & may_feed_in_no_more


def stores_beyond_operators_limit(evidence: Evidence) -> BoolArray:
    """Return where surplus is stored while the grid operator lets no more be fed in."""
    return stores_beyond_feed_in_limit(evidence) & evidence.is_export_limited


def stores_beyond_inverter(evidence: Evidence) -> BoolArray:
    """Return where a battery stores sun that its inverter cannot pass on."""
    return evidence.shares.direct_kwh > NOTHING_KWH


def stores_sun_at_full_power(evidence: Evidence) -> BoolArray:
    """Return where surplus is stored as fast as the battery can."""
    return evidence.stores_sun & takes_at_full_power(evidence)


def show_feed_in_limit(evidence: Evidence) -> Figures:
    """Return the most that may be fed in, where something may."""
    limit_kwh = np.where(evidence.may_feed_in, evidence.feed_in_limit_kwh, np.nan)
    return {"kw": limit_kwh / evidence.hours}


CHARGING_LIMITS = CauseGroup(
    charges,
    (
        Cause("outside_limits", is_below_limits, show_limits),
        Cause("operator_feed_in", stores_beyond_operators_limit, show_feed_in_limit),
        Cause("feed_in_limit", stores_beyond_feed_in_limit, show_feed_in_limit),
        Cause("inverter_limit", stores_beyond_inverter, show_inverter_limit),
        Cause("power_limit", stores_sun_at_full_power, show_power_taken),
    ),
)


# --- what is left ---------------------------------------------------------------------------------


def takes_over(evidence: Evidence) -> BoolArray:
    """Return where a battery takes over what another one gives."""
    return evidence.takes_over


def buys(evidence: Evidence) -> BoolArray:
    """Return where a battery charges from the grid."""
    return evidence.buys


def show_energy_charged(evidence: Evidence) -> Figures:
    """Return the charge."""
    return {"kwh": evidence.charge}


def show_charge_for_reserve(evidence: Evidence) -> Figures:
    """Return the charge, and the reserve that it fills."""
    return {**show_energy_charged(evidence), **show_later_reserve(evidence)}


def show_energy_taken_over(evidence: Evidence) -> Figures:
    """Return the energy taken over from other batteries."""
    return {"kwh": evidence.taken_over_kwh}


def show_purchase(evidence: Evidence) -> Figures:
    """Return the energy bought, and its price."""
    return {"kwh": evidence.bought_kwh, "buy": evidence.buy}


CHARGE_FOR_RESERVE = Cause("reserve", comes_before_reserve, show_charge_for_reserve)

# Where no price explains it, no price is compared.
CHARGING_PLAIN = CauseGroup(
    charges,
    (
        CHARGE_FOR_RESERVE,
        Cause("other_battery", takes_over, show_energy_taken_over),
        Cause("weighed", is_weighed, show_weighed),
        Cause("charge_from_grid", buys, show_purchase),
        Cause("store_solar", charges, show_energy_charged),
    ),
)
