"""Causes of sparing energy, and of leaving surplus to the grid."""

from functools import partial

from luna.energy.physics.mode import BoolArray
from services.planner.milp.battery_constraints import BATTERY_CONSTRAINTS
from services.planner.reply.causes.declaration import Cause, CauseGroup, Figures
from services.planner.reply.causes.shared import (
    comes_before_limit,
    comes_before_reserve,
    ends_at_target,
    show_curtailed_surplus,
    show_main_use,
    show_next_limit,
    show_next_reserve,
    show_next_sun,
    show_next_use,
    show_refill,
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


def holds_for_dearer_main_use(evidence: Evidence) -> BoolArray:
    """Return where energy is worth more in its main use later."""
    is_cheaper = evidence.below(evidence.buy, evidence.main_price)
    counts_less = evidence.below(evidence.counted, evidence.main_counted)
    return is_cheaper & counts_less


def holds_for_dearer_hours(evidence: Evidence) -> BoolArray:
    """Return where energy brings more in the next spell of giving."""
    is_cheaper = evidence.below(evidence.buy, evidence.next_price)
    counts_less = evidence.below(evidence.counted, evidence.next_counted)
    return is_cheaper & counts_less


def value_is_above_price(evidence: Evidence) -> BoolArray:
    """Return where a stored kWh is worth more than buying one costs."""
    saves_less = evidence.below(evidence.save, evidence.value)
    return saves_less & evidence.below(evidence.buy, evidence.value)


def value_is_above_saving(evidence: Evidence) -> BoolArray:
    """Return where a stored kWh is worth more than serving it saves."""
    saves_less = evidence.below(evidence.save, evidence.value)
    return saves_less & evidence.counts_at_tariff


def value_equals_saving(evidence: Evidence) -> BoolArray:
    """Return where serving a stored kWh saves no more than it is worth."""
    saves_no_more = evidence.about_at_most(evidence.save, evidence.value)
    return saves_no_more & evidence.counts_at_tariff


def show_energy_for_main_use(evidence: Evidence) -> Figures:
    """Return the energy kept, the buying price, and its later use."""
    return {
        "kwh": evidence.usable_kwh,
        "buy": evidence.buy,
        **show_main_use(evidence),
    }


def show_energy_for_next_use(evidence: Evidence) -> Figures:
    """Return the energy kept, the buying price, and its later use."""
    return {
        "kwh": evidence.usable_kwh,
        "buy": evidence.buy,
        **show_next_use(evidence),
    }


def show_energy_for_limit(evidence: Evidence) -> Figures:
    """Return the energy kept, and the later limit of the grid."""
    return {"kwh": evidence.usable_kwh, **show_next_limit(evidence)}


def show_energy_for_reserve(evidence: Evidence) -> Figures:
    """Return the energy kept, and the next reserve."""
    return {"kwh": evidence.usable_kwh, **show_next_reserve(evidence)}


def show_energy_kept(evidence: Evidence) -> Figures:
    """Return the energy kept."""
    return {"kwh": evidence.usable_kwh}


def show_energy_price_and_value(evidence: Evidence) -> Figures:
    """Return the energy kept, the buying price, and the value of stored energy."""
    return {"kwh": evidence.usable_kwh, "buy": evidence.buy, "value": evidence.value}


def show_energy_saving_and_value(evidence: Evidence) -> Figures:
    """Return the energy kept, the saving of serving it, and the value of stored energy."""
    return {"kwh": evidence.usable_kwh, "save": evidence.save, "value": evidence.value}


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
        Cause("hold_for_peak", holds_for_dearer_main_use, show_energy_for_main_use),
        Cause("hold_for_peak", holds_for_dearer_hours, show_energy_for_next_use),
        Cause("hold_for_limit", comes_before_limit, show_energy_for_limit),
        Cause("hold_for_reserve", comes_before_reserve, show_energy_for_reserve),
        Cause("hold_for_target", ends_at_target, show_energy_kept),
        Cause("hold_for_peak", value_is_above_price, show_energy_price_and_value),
        Cause("hold_for_peak", value_is_above_saving, show_energy_saving_and_value),
        Cause("hold_equal", value_equals_saving, show_value),
    ),
)


# --- surplus that is not stored -------------------------------------------------------------------


def rests_and_leaves_surplus(evidence: Evidence) -> BoolArray:
    """Return where a battery with room leaves surplus."""
    return evidence.rests & evidence.leaves_surplus


def sells_dearer_than_refill(evidence: Evidence) -> BoolArray:
    """Return where surplus sells for more than filling the battery later costs."""
    return _sells_all(evidence) & evidence.below(evidence.refill, evidence.sell)


def sells_dearer_than_later_sun(evidence: Evidence) -> BoolArray:
    """Return where surplus sells for more than that of the refill."""
    return _sells_all(evidence) & evidence.below(evidence.sun, evidence.sell)


def sells_above_value(evidence: Evidence) -> BoolArray:
    """Return where surplus sells for more than a stored kWh is worth."""
    is_dearer = evidence.below(evidence.value, evidence.sell)
    storing_gains_nothing = evidence.keep <= evidence.sell
    return _sells_all(evidence) & is_dearer & storing_gains_nothing


def sells_above_keeping(evidence: Evidence) -> BoolArray:
    """Return where surplus sells for more than its stored value, after losses and wear."""
    return _sells_all(evidence) & evidence.below(evidence.keep, evidence.sell)


def keeping_gains_nothing(evidence: Evidence) -> BoolArray:
    """Return where storing surplus is worth no more than selling it."""
    return _sells_all(evidence) & evidence.at_most(evidence.keep, evidence.sell)


def curtails_worthless_surplus(evidence: Evidence) -> BoolArray:
    """Return where surplus is held back, and storing it would be worth nothing."""
    return evidence.holds_back & (evidence.keep <= TINY_PRICE)


def _sells_all(evidence: Evidence) -> BoolArray:
    return evidence.sells_sun & ~evidence.holds_back


def show_sale_and_refill_later(evidence: Evidence) -> Figures:
    """Return the selling price, and the refill."""
    return {"sell": evidence.sell, **show_refill(evidence)}


def show_sale_and_later_sun(evidence: Evidence) -> Figures:
    """Return the selling price, and the surplus that fills the battery later."""
    return {"sell": evidence.sell, **show_next_sun(evidence)}


def show_sale_price_and_value(evidence: Evidence) -> Figures:
    """Return the selling price, and the value of a stored kWh."""
    return {"sell": evidence.sell, "value": evidence.value}


def show_sale_and_keeping(evidence: Evidence) -> Figures:
    """Return the selling price, and the value of storing after losses and wear."""
    return {"sell": evidence.sell, "keep": evidence.keep}


def show_sale_price(evidence: Evidence) -> Figures:
    """Return the selling price."""
    return {"sell": evidence.sell}


def show_curtailment(evidence: Evidence) -> Figures:
    """Return the value of storing, the price of surplus, and the PV curtailed."""
    return {
        "keep": evidence.keep,
        "sell": evidence.sale,
        **show_curtailed_surplus(evidence),
    }


LEAVING_SURPLUS = CauseGroup(
    rests_and_leaves_surplus,
    (
        Cause("keep_room", sells_dearer_than_refill, show_sale_and_refill_later),
        Cause("keep_room", sells_dearer_than_later_sun, show_sale_and_later_sun),
        Cause("keep_room", sells_above_value, show_sale_price_and_value),
        Cause("keep_room", sells_above_keeping, show_sale_and_keeping),
        Cause("keep_room", keeping_gains_nothing, show_sale_price),
        Cause("keep_room", curtails_worthless_surplus, show_curtailment),
    ),
)
