"""Causes of sparing energy, and of leaving surplus to the grid."""

from functools import partial

from luna.energy.physics.mode import BoolArray
from services.planner.milp.battery_constraints import BATTERY_CONSTRAINTS
from services.planner.reply.causes.declaration import Cause, CauseGroup, Figures
from services.planner.reply.causes.shared import (
    comes_before_limit,
    comes_before_operators_limit,
    comes_before_reserve,
    ends_at_target,
    show_feed_in_fee,
    show_later_reserve,
    show_main_use,
    show_next_charge,
    show_next_limit,
    show_target,
)
from services.planner.reply.evidence import Evidence
from services.planner.reply.slot_worth import TINY_PRICE

# --- energy that the house could use --------------------------------------------------------------


def rests_and_spares(evidence: Evidence) -> BoolArray:
    """Return where a battery keeps what it holds, though the house draws on the grid."""
    return evidence.rests & evidence.spares


def is_bound(evidence: Evidence, *, code: str) -> BoolArray:
    """Return where a constraint of batteries keeps them from giving."""
    return evidence.is_at_work(code)


def holds_for_dearer_use(evidence: Evidence) -> BoolArray:
    """Return where energy is worth more in its main use later."""
    is_cheaper = evidence.below(evidence.buy, evidence.main_price)
    counts_less = evidence.below(evidence.counted, evidence.main_counted)
    return is_cheaper & counts_less


def value_is_above_price(evidence: Evidence) -> BoolArray:
    """Return where a stored kWh is worth more than buying one costs."""
    saves_less = evidence.below(evidence.save, evidence.value)
    return saves_less & evidence.below(evidence.buy, evidence.value)


def using_saves_no_more(evidence: Evidence) -> BoolArray:
    """Return where using a stored kWh saves no more than it is worth."""
    saves_no_more = evidence.about_at_most(evidence.save, evidence.value)
    return saves_no_more & evidence.counts_at_tariff


def show_energy_and_use(evidence: Evidence) -> Figures:
    """Return the energy kept, the buying price, and its later use."""
    return {
        "kwh": evidence.usable_kwh,
        "buy": evidence.buy,
        **show_main_use(evidence),
    }


def show_energy_and_value(evidence: Evidence) -> Figures:
    """Return the energy kept, the buying price, and the value of stored energy."""
    return {"kwh": evidence.usable_kwh, "buy": evidence.buy, "value": evidence.value}


def show_value(evidence: Evidence) -> Figures:
    """Return the value of a stored kWh."""
    return {"value": evidence.value}


HOLDING = CauseGroup(
    rests_and_spares,
    (
        *(
            Cause(constraint.code, partial(is_bound, code=constraint.code))
            for constraint in BATTERY_CONSTRAINTS
            if constraint.at_work is not None
        ),
        Cause("hold_for_peak", holds_for_dearer_use, show_energy_and_use),
        Cause("operator_limit", comes_before_operators_limit, show_next_limit),
        Cause("grid_limit", comes_before_limit, show_next_limit),
        Cause("reserve", comes_before_reserve, show_later_reserve),
        Cause("target", ends_at_target, show_target),
        Cause("hold_for_peak", value_is_above_price, show_energy_and_value),
        Cause("rest", using_saves_no_more, show_value),
    ),
)


# --- surplus that is not stored -------------------------------------------------------------------


def rests_and_leaves_surplus(evidence: Evidence) -> BoolArray:
    """Return where a battery with room leaves surplus."""
    return evidence.rests & evidence.leaves_surplus


def sells_dearer_than_next_charge(evidence: Evidence) -> BoolArray:
    """Return where surplus sells for more than the next charge costs."""
    return _sells_all(evidence) & evidence.below(evidence.refill_price, evidence.sell)


def sells_above_keeping(evidence: Evidence) -> BoolArray:
    """Return where surplus sells for more than its stored value, after losses and wear."""
    return _sells_all(evidence) & evidence.below(evidence.keep, evidence.sell)


def keeping_gains_nothing(evidence: Evidence) -> BoolArray:
    """Return where storing surplus is worth no more than selling it."""
    return _sells_all(evidence) & evidence.at_most(evidence.keep, evidence.sell)


def curtails_worthless_surplus(evidence: Evidence) -> BoolArray:
    """Return where surplus is curtailed, and storing it would be worth nothing."""
    return evidence.holds_back & (evidence.keep <= TINY_PRICE)


def _sells_all(evidence: Evidence) -> BoolArray:
    return evidence.sells_sun & ~evidence.holds_back


def show_sale_and_next_charge(evidence: Evidence) -> Figures:
    """Return the selling price, and when the battery is charged."""
    return {"sell": evidence.sell, **show_next_charge(evidence)}


def show_sale_and_keeping(evidence: Evidence) -> Figures:
    """Return the selling price, and the value of storing after losses and wear."""
    return {"sell": evidence.sell, "keep": evidence.keep}


def show_sale_price(evidence: Evidence) -> Figures:
    """Return the selling price."""
    return {"sell": evidence.sell}


LEAVING_SURPLUS = CauseGroup(
    rests_and_leaves_surplus,
    (
        Cause("sell_solar", sells_dearer_than_next_charge, show_sale_and_next_charge),
        Cause("sell_solar", sells_above_keeping, show_sale_and_keeping),
        Cause("sell_solar", keeping_gains_nothing, show_sale_price),
        Cause("solar_limited", curtails_worthless_surplus, show_feed_in_fee),
    ),
)
