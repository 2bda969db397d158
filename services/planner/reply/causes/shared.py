"""Predicates and figures that several groups of causes share."""

import numpy as np

from luna.energy.physics.mode import BoolArray
from services.planner.reply.causes.declaration import TIME, Figures
from services.planner.reply.evidence import Evidence
from services.planner.reply.flow_shares import NOTHING_KWH

# --- where ----------------------------------------------------------------------------------------


def is_any(evidence: Evidence) -> BoolArray:
    """Return every slot of every battery."""
    return np.ones(evidence.charge.shape, dtype=bool)


def charges(evidence: Evidence) -> BoolArray:
    """Return where a battery charges."""
    return evidence.charges


def gives(evidence: Evidence) -> BoolArray:
    """Return where a battery gives energy."""
    return evidence.gives


def rests(evidence: Evidence) -> BoolArray:
    """Return where a battery neither charges nor gives."""
    return evidence.rests


def is_spared_for_car(evidence: Evidence) -> BoolArray:
    """Return where a battery gives no more because of a car that it may not feed."""
    return evidence.short & evidence.spares_car


def gives_at_full_power(evidence: Evidence) -> BoolArray:
    """Return where the house draws more than a battery can give."""
    return evidence.short & evidence.gives_all


def takes_at_full_power(evidence: Evidence) -> BoolArray:
    """Return where a battery charges at full power.

    The rest of the surplus is either all sold at a price, or all curtailed.
    """
    rest_is_sold = evidence.sells_sun & np.isfinite(evidence.sale)
    return evidence.takes_all & (rest_is_sold ^ evidence.holds_back)


def comes_before_limit(evidence: Evidence) -> BoolArray:
    """Return where the grid will not bring more when the battery next gives."""
    return evidence.next_limit >= 0


def comes_before_reserve(evidence: Evidence) -> BoolArray:
    """Return where a reserve is filled next, with nothing to spare."""
    return evidence.for_reserve >= 0


def ends_at_target(evidence: Evidence) -> BoolArray:
    """Return where all that is left is kept for the lower terminal bound."""
    return evidence.at_terminal_bound & evidence.unused_after


def is_weighed(evidence: Evidence) -> BoolArray:
    """Return where the plan weighs the moved or spared energy by more than money."""
    return (~evidence.rests | evidence.spares) & np.isfinite(evidence.counted_value)


# --- figures --------------------------------------------------------------------------------------


def show_power_given(evidence: Evidence) -> Figures:
    """Return the power that a battery gives."""
    return {"kw": evidence.discharge / evidence.hours}


def show_power_taken(evidence: Evidence) -> Figures:
    """Return the power that a battery takes, and what the rest sells for."""
    return {"kw": evidence.charge / evidence.hours, "sell": evidence.sale}


def show_inverter_limit(evidence: Evidence) -> Figures:
    """Return the most that the battery's inverter carries."""
    sun = evidence.conversion
    if sun is None:
        return {"kw": np.full(evidence.charge.shape, np.nan)}
    return {"kw": sun.limit_kwh / evidence.hours}


def show_main_use(evidence: Evidence) -> Figures:
    """Return when most of the energy's worth is used, and at which price."""
    return {"price": evidence.main_price, TIME: evidence.main_use}


def show_next_use(evidence: Evidence) -> Figures:
    """Return when the energy is next used at the highest price, and at which."""
    return {"price": evidence.next_price, TIME: evidence.next_use}


def show_refill(evidence: Evidence) -> Figures:
    """Return the next charge, and what a kWh then costs."""
    return {"refill": evidence.refill, TIME: evidence.next_charge}


def show_next_sun(evidence: Evidence) -> Figures:
    """Return the next charge from surplus, and what a kWh of it would sell for."""
    return {"sun": evidence.sun, TIME: evidence.next_charge}


def show_next_limit(evidence: Evidence) -> Figures:
    """Return when the grid brings no more, and how much it brings then."""
    return {"kw": evidence.next_limit_kw, TIME: evidence.next_limit}


def show_next_reserve(evidence: Evidence) -> Figures:
    """Return the reserve that is filled next, and when it has to be held."""
    return {"reserve": evidence.later_reserve_soc, TIME: evidence.reserve_due}


def show_weighed(evidence: Evidence) -> Figures:
    """Return the plan's own price of a kWh from the grid, and of a stored one."""
    return {"counted": evidence.counted, "value": evidence.counted_value}


def show_curtailed_surplus(evidence: Evidence) -> Figures:
    """Return the surplus that is curtailed, where some is."""
    kwh = np.where(evidence.holds_back, evidence.shares.sun_curtailed_kwh, np.nan)
    return {"held": kwh}


def show_curtailed_sun(evidence: Evidence) -> Figures:
    """Return the PV that is curtailed, where some is."""
    curtailed_kwh = evidence.flows.curtailed_kwh
    return {"held": np.where(curtailed_kwh > NOTHING_KWH, curtailed_kwh, np.nan)}
