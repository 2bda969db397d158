"""Causes of giving energy, wherever it goes."""

from luna.energy.physics.mode import BoolArray
from services.planner.reply.causes.declaration import Cause, CauseGroup, Figures
from services.planner.reply.causes.shared import (
    gives,
    gives_at_full_power,
    is_above_limits,
    is_spared_for_car,
    is_weighed,
    show_limits,
    show_power_given,
    show_weighed,
)
from services.planner.reply.evidence import Evidence
from services.planner.reply.month_peaks import find_peak_price

# --- limits ---------------------------------------------------------------------------------------


def keeps_peak(evidence: Evidence) -> BoolArray:
    """Return where giving keeps the month's peak."""
    return evidence.keeps_peak


def serves_beyond_connection(evidence: Evidence) -> BoolArray:
    """Return where a battery serves what the full connection cannot bring."""
    return evidence.serves & evidence.fills_connection


def serves_beyond_operators_limit(evidence: Evidence) -> BoolArray:
    """Return where a battery serves what the grid operator does not let in."""
    return evidence.serves & evidence.fills_operators_limit


def serves_at_full_power(evidence: Evidence) -> BoolArray:
    """Return where a battery serves as much as it can, and the house draws more."""
    return evidence.serves & gives_at_full_power(evidence)


def show_peak(evidence: Evidence) -> Figures:
    """Return the peak that is kept, and what raising it would cost."""
    return {
        "kw": evidence.peak_kwh / evidence.hours,
        "cost": find_peak_price(evidence.plan),
    }


def show_connection(evidence: Evidence) -> Figures:
    """Return the most that the connection brings."""
    return {"kw": evidence.connection_kwh / evidence.hours}


GIVING_LIMITS = CauseGroup(
    gives,
    (
        Cause("outside_limits", is_above_limits, show_limits),
        Cause("peak", keeps_peak, show_peak),
        Cause("operator_limit", serves_beyond_operators_limit, show_connection),
        Cause("grid_limit", serves_beyond_connection, show_connection),
        Cause("not_for_car", is_spared_for_car),
        Cause("power_limit", serves_at_full_power, show_power_given),
    ),
)


# --- what is left ---------------------------------------------------------------------------------


def sells(evidence: Evidence) -> BoolArray:
    """Return where a battery sells no less than it serves."""
    return evidence.sells


def serves(evidence: Evidence) -> BoolArray:
    """Return where a battery gives the house something."""
    return evidence.serves


def show_sale(evidence: Evidence) -> Figures:
    """Return the energy sold, and its price."""
    return {"kwh": evidence.sold_kwh, "sell": evidence.sell}


def show_price(evidence: Evidence) -> Figures:
    """Return the buying price."""
    return {"buy": evidence.buy}


def show_energy_passed_on(evidence: Evidence) -> Figures:
    """Return the energy that goes to other batteries."""
    return {"kwh": evidence.shares.passed_kwh}


# Where no price explains it, no price is compared.
GIVING_PLAIN = CauseGroup(
    gives,
    (
        Cause("weighed", is_weighed, show_weighed),
        Cause("sell_stored", sells, show_sale),
        Cause("serve_house", serves, show_price),
        Cause("other_battery", gives, show_energy_passed_on),
    ),
)
