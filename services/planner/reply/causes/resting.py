"""Causes of doing nothing: limits, sparing energy, leaving surplus, and nothing to do."""

from collections.abc import Iterator

import numpy as np

from services.planner.reply.causes.declaration import TIME, Cause, Figures
from services.planner.reply.causes.shared import (
    find_outside_limits,
    find_spared_for_car,
    find_target,
    find_weighed,
    list_later_limits,
    show_inverter_limit,
    show_later_reserve,
    show_main_use,
)
from services.planner.reply.evidence import Evidence
from services.planner.reply.flow_shares import NOTHING_KWH
from services.planner.reply.slot_worth import TINY_PRICE


def list_resting_limits(evidence: Evidence) -> Iterator[Cause]:
    """Yield limits that keep a battery from acting, and slots with nothing to do."""
    yield find_outside_limits(evidence, evidence.below_limits | evidence.above_limits)
    # A full battery leaves surplus, or energy that the grid pays for.
    is_full = evidence.full & (evidence.has_surplus | evidence.grid_is_paying)
    surplus = {
        "sell": evidence.sale,
        "fee": np.where(evidence.has_surplus, evidence.fee, np.nan),
        "paid": np.where(evidence.has_surplus, np.nan, evidence.grid_pays),
    }
    yield Cause("full", is_full, surplus)
    # A battery that would be charged does not stay where it is for its reserve.
    yield Cause("peak", evidence.fills_peak & evidence.may_buy_more)
    yield Cause("operator_limit", evidence.fills_operators_limit & evidence.may_buy_more)
    yield Cause("grid_limit", evidence.fills_connection & evidence.may_buy_more)
    # The house draws on the grid, and the battery has no more to give.
    is_empty = evidence.empty & evidence.short
    yield Cause("reserve", is_empty & evidence.has_reserve, {"reserve": evidence.reserve_soc})
    yield Cause("empty", is_empty, {TIME: evidence.next_charge})
    # PV fills the battery's inverter, while the house draws on the grid.
    is_behind_full_inverter = evidence.short & (evidence.room_kwh <= NOTHING_KWH)
    yield Cause("inverter_limit", is_behind_full_inverter, show_inverter_limit(evidence))
    yield find_spared_for_car(evidence)
    given = {"kw": evidence.discharge / evidence.hours}
    yield Cause("power_limit", evidence.short & evidence.gives_all, given)
    taken = {"kw": evidence.charge / evidence.hours}
    yield Cause("power_limit", evidence.takes_all & evidence.has_surplus, taken)
    # A battery cannot charge as slowly as the surplus comes.
    least_kwh = evidence.least_kw * evidence.hours
    is_too_little = evidence.shares.surplus_kwh < least_kwh - NOTHING_KWH
    least = {"kw": evidence.least_kw}
    yield Cause("least_power", evidence.leaves_surplus & is_too_little, least)
    yield Cause("other_battery", evidence.balanced & evidence.others_move)
    yield Cause("rest", evidence.balanced, {TIME: evidence.next_move})


def list_sparing_causes(evidence: Evidence) -> Iterator[Cause]:
    """Yield causes of keeping energy that the house could use."""
    for code, is_at_work in evidence.at_work.items():
        yield Cause(code, is_at_work)
    kept = {"kwh": evidence.usable_kwh, "buy": evidence.buy}
    # Energy is worth more in its main use later.
    is_cheaper = evidence.below(evidence.buy, evidence.main_price)
    counts_less = evidence.below(evidence.counted, evidence.main_counted)
    yield Cause("hold_for_peak", is_cheaper & counts_less, kept | show_main_use(evidence))
    yield from list_later_limits(evidence)
    yield Cause("reserve", evidence.for_reserve >= 0, show_later_reserve(evidence))
    yield find_target(evidence)
    # A stored kWh is worth more than buying one costs.
    value = {"value": evidence.value}
    saves_less = evidence.below(evidence.save, evidence.value)
    is_above_price = saves_less & evidence.below(evidence.buy, evidence.value)
    yield Cause("hold_for_peak", is_above_price, kept | value)
    # Using a stored kWh saves no more than it is worth.
    saves_no_more = evidence.about_at_most(evidence.save, evidence.value)
    yield Cause("rest", saves_no_more & evidence.counts_at_tariff, value)


def list_surplus_causes(evidence: Evidence) -> Iterator[Cause]:
    """Yield causes of leaving surplus that the battery has room for."""
    sells_all = evidence.sells_sun & ~evidence.holds_back
    # Surplus sells for more than the next charge costs.
    beats_refill = evidence.below(evidence.refill_price, evidence.sell)
    sale_and_refill: Figures = {"sell": evidence.sell, TIME: evidence.next_charge}
    yield Cause("sell_solar", sells_all & beats_refill, sale_and_refill)
    # Surplus sells for more than its stored value, after losses and wear.
    beats_keeping = evidence.below(evidence.keep, evidence.sell)
    sale_and_keeping = {"sell": evidence.sell, "keep": evidence.keep}
    yield Cause("sell_solar", sells_all & beats_keeping, sale_and_keeping)
    keeping_gains_nothing = evidence.at_most(evidence.keep, evidence.sell)
    yield Cause("sell_solar", sells_all & keeping_gains_nothing, {"sell": evidence.sell})
    # Surplus is curtailed, and storing it would be worth nothing.
    is_worthless = evidence.holds_back & (evidence.keep <= TINY_PRICE)
    yield Cause("solar_limited", is_worthless, {"fee": evidence.fee})


def list_plain_resting(evidence: Evidence) -> Iterator[Cause]:
    """Yield causes of resting that no price explains: no price is compared."""
    yield find_weighed(evidence)
    yield Cause("rest", evidence.rests, {"buy": evidence.buy})
