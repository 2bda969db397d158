"""Why a battery does what it does: the causes in order, the first that is true is told.

A cause is a code of ``luna.words``, where it holds, and what its figures are read from. What a sentence sets against each other is compared here with
the very figures that it shows.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np

from luna.energy.physics import BoolArray
from luna.energy.timeline import FloatArray, IndexArray
from services.planner.milp.battery_constraints import BATTERY_CONSTRAINTS
from services.planner.reply.evidence import Evidence
from services.planner.reply.slot_flows import NOTHING_KWH

# Values are exact to this much.
_TINY_PRICE = 1e-6


Among = Literal["charges", "gives", "rests", "exists"]
Holds = Callable[[Evidence], BoolArray]


@dataclass(frozen=True, slots=True)
class Cause:
    """A code, among which slots it is looked for and where of these it holds (``(batteries, slots)``), and by figure the name of what ``Evidence`` says."""

    code: str
    among: Among
    holds: Holds
    figures: Mapping[str, str]


def _charging(code: str, holds: Holds, **figures: str) -> Cause:
    return Cause(code, "charges", holds, figures)


def _giving(code: str, holds: Holds, **figures: str) -> Cause:
    return Cause(code, "gives", holds, figures)


def _resting(code: str, holds: Holds, **figures: str) -> Cause:
    return Cause(code, "rests", holds, figures)


def _any(code: str, holds: Holds, **figures: str) -> Cause:
    return Cause(code, "exists", holds, figures)


def _once(holds: Holds) -> Holds:
    """Return what several causes ask for, worked out once for each evidence."""
    return lambda seen: seen.find(holds)


# --- what owner, limits and others decide -------------------------------------------------------------------------------------------------------


@_once
def _stores_sun(seen: Evidence) -> BoolArray:
    return (seen.shares.sun_kwh > NOTHING_KWH) & ~_buys(seen)


@_once
def _buys(seen: Evidence) -> BoolArray:
    return seen.bought_kwh > NOTHING_KWH


@_once
def _sells(seen: Evidence) -> BoolArray:
    """Where a battery sells no less than it serves."""
    return (seen.sold_kwh > NOTHING_KWH) & (seen.sold_kwh >= seen.served_kwh)


@_once
def _serves(seen: Evidence) -> BoolArray:
    return seen.served_kwh > NOTHING_KWH


@_once
def _serves_alone(seen: Evidence) -> BoolArray:
    """Where a battery brings all that the house lacks."""
    return np.asarray(_serves(seen) & ~seen.short & (seen.served_kwh >= seen.shares.served_kwh.sum(axis=0) - NOTHING_KWH))


@_once
def _nothing(seen: Evidence) -> BoolArray:
    return ~seen.short & ~seen.left


def _stalled(seen: Evidence) -> BoolArray:
    """Where a battery cannot charge as slowly as the surplus comes."""
    surplus = seen.shares.sun_sold_kwh + seen.shares.held_kwh
    return ~seen.full & seen.left & (surplus < seen.least_kw * seen.hours - NOTHING_KWH)


def _rest_is_one(seen: Evidence) -> BoolArray:
    """Where what a battery does not store is sold for something, or all of it is held back."""
    return (seen.sells_sun & np.isfinite(seen.sale)) ^ seen.holds_back


def _spared(code: str, seen: Evidence) -> BoolArray:
    """Where a constraint keeps a battery from giving what the house lacks."""
    return seen.find_at_work(code) & seen.short & ~seen.empty


BOUND = (
    _charging("brought_back", lambda seen: seen.below_limits, soc="soc", least="least_soc", kwh="charge"),
    _giving("brought_back", lambda seen: seen.above_limits, soc="soc", most="most_soc", kwh="discharge"),
    _resting("outside_limits", lambda seen: seen.below_limits, soc="soc", least="least_soc", time="next_charge"),
    _resting("outside_limits", lambda seen: seen.above_limits, soc="soc", most="most_soc"),
    _resting("full", lambda seen: seen.full & seen.left, sell="sale", held="held_kwh", fee="fee"),
    _resting("full_while_paid", lambda seen: seen.full & np.isfinite(seen.grid_pays), fee="grid_pays"),
    # A battery that would be charged does not stay where it is for its reserve.
    _resting("charge_waits_peak", lambda seen: seen.fills_peak & seen.may_buy_more),
    _resting("charge_waits_limit", lambda seen: seen.fills_connection & seen.may_buy_more),
    _resting("reserve_kept", lambda seen: seen.empty & seen.short & seen.has_reserve, reserve="reserve_soc", time="reserve_ends"),
    _resting("empty", lambda seen: seen.empty & seen.short, time="next_charge"),
    _giving("peak_kept", lambda seen: seen.keeps_peak, kw="peak_kw", cost="peak_price"),
    _giving("connection_limit", lambda seen: _serves(seen) & seen.fills_connection, kw="connection_kw"),
    _charging("store_surplus", lambda seen: _stores_sun(seen) & ~seen.may_feed_in),
    _charging("feed_in_limit", lambda seen: _stores_sun(seen) & seen.fills_feed_in, kw="feed_in_kw"),
    _charging("inverter_limit", lambda seen: seen.shares.direct_kwh > NOTHING_KWH, kw="inverter_kw"),
    _resting("inverter_full", lambda seen: seen.short & (seen.room_kwh <= NOTHING_KWH), kw="inverter_kw"),
    _any("not_for_car", lambda seen: seen.short & seen.spares_car & ~seen.charges),
    _any("power_limit", lambda seen: (_serves(seen) | seen.rests) & seen.short & seen.gives_all, kw="gives_kw"),
    _any("charge_limit", lambda seen: (_stores_sun(seen) | seen.rests) & _rest_is_one(seen) & seen.takes_all, kw="takes_kw", sell="sale"),
    _resting("least_power", _stalled, kw="least_kw"),
    _charging("charge_negative", lambda seen: _buys(seen) & np.isfinite(seen.grid_pays), fee="grid_pays", kwh="charge", held="curtailed_kwh"),
    _charging("store_surplus", lambda seen: _stores_sun(seen) & np.isfinite(seen.fee), fee="fee"),
    _resting("other_battery", lambda seen: _nothing(seen) & seen.others_move),
    _resting("nothing_to_do", _nothing, time="next_move"),
    *(_resting(each.code, partial(_spared, each.code)) for each in BATTERY_CONSTRAINTS if each.at_work is not None),
)


# --- what trade decides: each compares what the sentence shows, and what the plan counts -----------------------------------------------------------


def _brings_more(seen: Evidence, charged: tuple[FloatArray, FloatArray], use: IndexArray, price: FloatArray) -> BoolArray:
    """Where a kWh brings more at a later ``use``, its ``price``, than it costs with losses and wear to charge now: what is paid, what the plan counts."""
    paid, counted = charged
    dearer = seen.below(paid, price) & seen.below(seen.loaded_price(paid), price)
    return dearer & seen.below(seen.loaded_price(counted), seen.counts_at(use))


def _buys_for_main(seen: Evidence) -> BoolArray:
    return _buys(seen) & _brings_more(seen, (seen.buy, seen.counted), seen.main_use, seen.main_price)


def _buys_for_later(seen: Evidence) -> BoolArray:
    return _buys(seen) & _brings_more(seen, (seen.buy, seen.counted), seen.next_use, seen.next_price)


def _buys_by_value(seen: Evidence) -> BoolArray:
    return _buys(seen) & seen.below(seen.buy, seen.value) & (seen.keep >= seen.counted - _TINY_PRICE)


def _charges_for_reserve(seen: Evidence) -> BoolArray:
    return seen.for_reserve >= 0


def _stores_for_main(seen: Evidence) -> BoolArray:
    return _stores_sun(seen) & _brings_more(seen, (seen.sell, seen.sell), seen.main_use, seen.main_price)


def _stores_for_later(seen: Evidence) -> BoolArray:
    return _stores_sun(seen) & _brings_more(seen, (seen.sell, seen.sell), seen.next_use, seen.next_price)


@_once
def _stores_by_value(seen: Evidence) -> BoolArray:
    return _stores_sun(seen) & seen.below(seen.sell, seen.value) & (seen.keep >= seen.sell - _TINY_PRICE)


@_once
def _sells_by_value(seen: Evidence) -> BoolArray:
    gains = (seen.sell - seen.wear_price) * seen.battery.discharge_efficiency
    return _sells(seen) & seen.below(seen.value, seen.sell) & (gains >= seen.value - _TINY_PRICE)


def _refills_below(seen: Evidence, refill: FloatArray, price: FloatArray) -> BoolArray:
    """Where charging the battery again costs less, with losses and wear, than a kWh brings now."""
    return seen.below(refill, price) & seen.below(seen.loaded_price(np.maximum(refill, 0.0)), price)


@_once
def _sells_before_refill(seen: Evidence) -> BoolArray:
    return _sells(seen) & _refills_below(seen, seen.refill, seen.sell)


@_once
def _sells_before_sun(seen: Evidence) -> BoolArray:
    return _sells(seen) & _refills_below(seen, seen.sun, seen.sell)


@_once
def _serves_by_value(seen: Evidence) -> BoolArray:
    return _serves_house(seen) & seen.below(seen.value, seen.buy) & (seen.save >= seen.value - _TINY_PRICE)


@_once
def _serves_house(seen: Evidence) -> BoolArray:
    return _serves(seen) & ~_sells(seen)


@_once
def _serves_before_refill(seen: Evidence) -> BoolArray:
    return _serves_house(seen) & _refills_below(seen, seen.refill, seen.buy)


@_once
def _serves_before_sun(seen: Evidence) -> BoolArray:
    return _serves_house(seen) & _refills_below(seen, seen.sun, seen.buy)


@_once
def _saves_by_serving(seen: Evidence) -> BoolArray:
    return _serves_house(seen) & ~seen.differs & seen.below(seen.value, seen.save)


@_once
def _serves_evenly(seen: Evidence) -> BoolArray:
    """Where a kWh would be worth as much later."""
    as_much = (seen.value <= seen.buy + _TINY_PRICE) & (seen.save >= seen.value - seen.same_price)
    return np.asarray(_serves_house(seen) & ~seen.differs & as_much)


@_once
def _spares(seen: Evidence) -> BoolArray:
    """Where a battery rests although the house draws on the grid, and it holds something."""
    return seen.short & ~seen.empty


def _holds_for_main(seen: Evidence) -> BoolArray:
    return _spares(seen) & seen.below(seen.buy, seen.main_price) & seen.below(seen.counted, seen.counts_at(seen.main_use))


def _holds_for_later(seen: Evidence) -> BoolArray:
    return _spares(seen) & seen.below(seen.buy, seen.next_price) & seen.below(seen.counted, seen.counts_at(seen.next_use))


@_once
def _holds_by_value(seen: Evidence) -> BoolArray:
    return _spares(seen) & seen.below(seen.save, seen.value)


@_once
def _leaves_surplus(seen: Evidence) -> BoolArray:
    return seen.left & ~seen.full


@_once
def _sells_surplus(seen: Evidence) -> BoolArray:
    return _leaves_surplus(seen) & seen.sells_sun & ~seen.holds_back


def _gains_nothing_held(seen: Evidence) -> BoolArray:
    """Where sun is held back, and storing it would be worth nothing."""
    return _leaves_surplus(seen) & seen.holds_back & (seen.keep <= _TINY_PRICE)


SALE = {"kwh": "sold_kwh", "sell": "sell"}
PURCHASE = {"kwh": "bought_kwh", "buy": "buy"}
MAIN_USE, NEXT_USE = {"price": "main_price", "time": "main_use"}, {"price": "next_price", "time": "next_use"}
REFILL, SUN = {"refill": "refill", "time": "next_charge"}, {"sun": "sun", "time": "next_charge"}


def _serving(code: str, which: Holds, **figures: str) -> tuple[Cause, ...]:
    """Return the causes of a battery that serves the house."""
    return (
        _giving(code, lambda seen: which(seen) & _serves_by_value(seen), **figures, buy="buy", value="value"),
        _giving(code, lambda seen: which(seen) & _serves_before_refill(seen), **figures, buy="buy", **REFILL),
        _giving(code, lambda seen: which(seen) & _serves_before_sun(seen), **figures, buy="buy", **SUN),
        _giving(code, lambda seen: which(seen) & _saves_by_serving(seen), **figures, value="value", save="save"),
        _giving(code, lambda seen: which(seen) & _serves_evenly(seen), **figures, buy="buy"),
    )


TRADE = (
    _charging("charge_cheap", _buys_for_main, **PURCHASE, loaded="loaded", **MAIN_USE),
    _charging("charge_cheap", _buys_for_later, **PURCHASE, loaded="loaded", **NEXT_USE),
    _charging("charge_for_limit", lambda seen: _buys(seen) & (seen.next_limit >= 0), **PURCHASE, kw="next_limit_kw", time="next_limit"),
    _charging("charge_for_reserve", _charges_for_reserve, kwh="charge", reserve="later_reserve_soc", time="reserve_due"),
    _charging("charge_for_target", lambda seen: _buys(seen) & seen.wanted_at_end & seen.unused_after, **PURCHASE),
    _charging("charge_cheap", _buys_by_value, **PURCHASE, value="value"),
    _charging("store_surplus", _stores_for_main, sell="sell", **MAIN_USE),
    _charging("store_surplus", _stores_for_later, sell="sell", **NEXT_USE),
    _charging("follow_house", lambda seen: _stores_by_value(seen) & seen.below(seen.value, seen.buy), value="value", sell="sell", buy="buy"),
    _charging("store_surplus", _stores_by_value, value="value", sell="sell"),
    _charging("takes_over", lambda seen: seen.shares.taken_kwh > NOTHING_KWH, kwh="taken_kwh"),
    _giving("sell_high", lambda seen: _sells_by_value(seen) & _sells_before_refill(seen), **SALE, value="value", **REFILL),
    _giving("sell_high", lambda seen: _sells_by_value(seen) & _sells_before_sun(seen), **SALE, value="value", **SUN),
    _giving("sell_high", _sells_by_value, **SALE, value="value"),
    _giving("sell_high", _sells_before_refill, **SALE, **REFILL),
    _giving("sell_high", _sells_before_sun, **SALE, **SUN),
    *_serving("serve_peak", _serves_alone),
    *_serving("serve_part", _serves, kwh="served_kwh"),
    _resting("hold_for_peak", _holds_for_main, kwh="usable_kwh", buy="buy", **MAIN_USE),
    _resting("hold_for_peak", _holds_for_later, kwh="usable_kwh", buy="buy", **NEXT_USE),
    _resting("hold_for_limit", lambda seen: _spares(seen) & (seen.next_limit >= 0), kwh="usable_kwh", kw="next_limit_kw", time="next_limit"),
    _resting("hold_for_reserve", lambda seen: _spares(seen) & (seen.for_reserve >= 0), kwh="usable_kwh", reserve="later_reserve_soc", time="reserve_due"),
    _resting("hold_for_target", lambda seen: _spares(seen) & seen.wanted_at_end & seen.unused_after, kwh="usable_kwh"),
    _resting("hold_for_peak", lambda seen: _holds_by_value(seen) & seen.below(seen.buy, seen.value), kwh="usable_kwh", buy="buy", value="value"),
    _resting("hold_for_peak", lambda seen: _holds_by_value(seen) & ~seen.differs, kwh="usable_kwh", save="save", value="value"),
    _resting("hold_equal", lambda seen: _spares(seen) & ~seen.differs & (seen.value >= seen.save - seen.same_price), value="value"),
    _resting("keep_room", lambda seen: _sells_surplus(seen) & seen.below(seen.refill, seen.sell), sell="sell", **REFILL),
    _resting("keep_room", lambda seen: _sells_surplus(seen) & seen.below(seen.sun, seen.sell), sell="sell", **SUN),
    _resting("keep_room", lambda seen: _sells_surplus(seen) & seen.below(seen.value, seen.sell) & (seen.keep <= seen.sell), sell="sell", value="value"),
    _resting("keep_room", lambda seen: _sells_surplus(seen) & seen.below(seen.keep, seen.sell), sell="sell", keep="keep"),
    _resting("keep_room", lambda seen: _sells_surplus(seen) & (seen.keep <= seen.sell + _TINY_PRICE), sell="sell"),
    _resting("keep_room", _gains_nothing_held, keep="keep", sell="sale", held="held_kwh"),
)

# Where nothing of it holds on the figures that would be shown, they are said without a why.
PLAIN = (
    _any("weighed", lambda seen: (~seen.rests | _spares(seen)) & np.isfinite(seen.counted_value), counted="counted", value="counted_value"),
    _charging("charge_plain", _buys, **PURCHASE, value="value"),
    _charging("store_plain", lambda seen: seen.exists, kwh="charge", value="value", sell="allowed_sale"),
    _giving("sell_plain", _sells, **SALE, value="value"),
    _giving("serve_plain", _serves, kwh="served_kwh", buy="buy", value="value"),
    _giving("passes_on", lambda seen: seen.exists, kwh="discharge"),
    _resting("rest_plain", lambda seen: seen.exists, buy="buy", sell="allowed_sale", value="value"),
)

# Where what was learned decides otherwise than the planner's value, no price of the plan is why.
LEARNED = _any("learned", lambda seen: seen.planners_choice.differs, takes="planner_takes", gives="planner_gives", cost="learned_cost", gain="learned_gain")

CAUSES = (LEARNED, *BOUND, *TRADE, *PLAIN)
