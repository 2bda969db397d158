"""Causes of giving energy, wherever it goes."""

import numpy as np

from luna.energy.physics.mode import BoolArray
from services.planner.reply.causes.declaration import Cause, CauseGroup, Figures
from services.planner.reply.causes.shared import (
    gives,
    gives_at_full_power,
    is_spared_for_car,
    is_weighed,
    show_power_given,
    show_weighed,
)
from services.planner.reply.evidence import Evidence
from services.planner.reply.month_peaks import find_peak_price

# --- limits ---------------------------------------------------------------------------------------


def starts_above_limits(evidence: Evidence) -> BoolArray:
    """Return where a battery is fuller than it may be."""
    return evidence.above_limits


def keeps_peak(evidence: Evidence) -> BoolArray:
    """Return where giving keeps the month's peak."""
    return evidence.keeps_peak


def serves_beyond_connection(evidence: Evidence) -> BoolArray:
    """Return where a battery serves what the full connection cannot bring."""
    return evidence.serves & evidence.fills_connection


def serves_at_full_power(evidence: Evidence) -> BoolArray:
    """Return where a battery serves as much as it can, and the house draws more."""
    return evidence.serves & gives_at_full_power(evidence)


def show_fall_to_limits(evidence: Evidence) -> Figures:
    """Return the state of charge, its upper limit, and the discharge."""
    most_soc = np.where(evidence.above_limits, evidence.battery.max_soc, np.nan)
    return {
        "soc": evidence.start_kwh / evidence.battery.capacity_kwh,
        "most": most_soc,
        "kwh": evidence.discharge,
    }


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
        Cause("brought_back", starts_above_limits, show_fall_to_limits),
        Cause("peak_kept", keeps_peak, show_peak),
        Cause("connection_limit", serves_beyond_connection, show_connection),
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


def show_sale_and_value(evidence: Evidence) -> Figures:
    """Return the energy sold, its price, and the value of stored energy."""
    return {**show_sale(evidence), "value": evidence.value}


def show_serving(evidence: Evidence) -> Figures:
    """Return the energy for the house, the buying price, and the value of stored energy."""
    return {"kwh": evidence.served_kwh, "buy": evidence.buy, "value": evidence.value}


def show_energy_given(evidence: Evidence) -> Figures:
    """Return the energy given."""
    return {"kwh": evidence.discharge}


# Where no price explains it, it is said without a why.
GIVING_PLAIN = CauseGroup(
    gives,
    (
        Cause("weighed", is_weighed, show_weighed),
        Cause("sell_plain", sells, show_sale_and_value),
        Cause("serve_plain", serves, show_serving),
        Cause("passes_on", gives, show_energy_given),
    ),
)
