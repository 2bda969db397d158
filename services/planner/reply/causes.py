"""Why a battery does what it does: the causes in order, the first that is true is told.

A cause is a code of ``luna.words``, the facts that hold together where it is true, and what its figures are read from. What a sentence sets against each
other is compared here with the very figures that it shows.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from luna.energy.physics import BoolArray
from luna.energy.timeline import FloatArray, IndexArray
from services.planner.milp.battery_constraints import BATTERY_CONSTRAINTS
from services.planner.reply.evidence import DECIMALS, Evidence
from services.planner.reply.slot_flows import NOTHING_KWH

# Values are exact to this much.
_TINY_PRICE = 1e-6


# Where something holds: the name of what ``Evidence`` says, what is read from it, or two of its names with how what they say compares.
Fact = str | tuple[str, str, str] | Callable[[Evidence], BoolArray]


@dataclass(frozen=True, slots=True)
class Cause:
    """A code, the facts that hold together where it is true, and by figure the name of what ``Evidence`` says."""

    code: str
    facts: tuple[Fact, ...]
    figures: Mapping[str, str]


def _charging(code: str, *facts: Fact, **figures: str) -> Cause:
    return Cause(code, ("charges", *facts), figures)


def _giving(code: str, *facts: Fact, **figures: str) -> Cause:
    return Cause(code, ("gives", *facts), figures)


def _resting(code: str, *facts: Fact, **figures: str) -> Cause:
    return Cause(code, ("rests", *facts), figures)


# --- what owner, limits and others decide -------------------------------------------------------------------------------------------------------


def _stalled(seen: Evidence) -> BoolArray:
    """Where a battery cannot charge as slowly as the surplus comes."""
    surplus = seen.shares.sun_sold_kwh + seen.shares.held_kwh
    return surplus < seen.least_kw * seen.hours - NOTHING_KWH


def _rest_is_one(seen: Evidence) -> BoolArray:
    """Where what a battery does not store is sold for something, or all of it is held back."""
    return (seen.sells_sun & np.isfinite(seen.sale)) ^ seen.holds_back


BOUND = (
    _charging("brought_back", "below_limits", soc="soc", least="least_soc", kwh="charge"),
    _giving("brought_back", "above_limits", soc="soc", most="most_soc", kwh="discharge"),
    _resting("outside_limits", "below_limits", soc="soc", least="least_soc", time="next_charge"),
    _resting("outside_limits", "above_limits", soc="soc", most="most_soc"),
    _resting("full", "full", "left", sell="sale", held="held_kwh", fee="fee"),
    _resting("full_while_paid", "full", "grid_is_paying", fee="grid_pays"),
    # A battery that would be charged does not stay where it is for its reserve.
    _resting("charge_waits_peak", "fills_peak", "may_buy_more"),
    _resting("charge_waits_limit", "fills_connection", "may_buy_more"),
    _resting("reserve_kept", "empty", "short", "has_reserve", reserve="reserve_soc", time="reserve_ends"),
    _resting("empty", "empty", "short", time="next_charge"),
    _giving("peak_kept", "keeps_peak", kw="peak_kw", cost="peak_price"),
    _giving("connection_limit", "serves", "fills_connection", kw="connection_kw"),
    _charging("store_surplus", "stores_sun", "feeds_in_nothing"),
    _charging("feed_in_limit", "stores_sun", "fills_feed_in", kw="feed_in_kw"),
    _charging("inverter_limit", "bypasses_inverter", kw="inverter_kw"),
    _resting("inverter_full", "short", "lacks_room", kw="inverter_kw"),
    Cause("not_for_car", ("short", "spares_car", "charges_not"), {}),
    Cause("power_limit", ("serves_or_rests", "short", "gives_all"), {"kw": "gives_kw"}),
    Cause("charge_limit", ("stores_or_rests", _rest_is_one, "takes_all"), {"kw": "takes_kw", "sell": "sale"}),
    _resting("least_power", "leaves_surplus", _stalled, kw="least_kw"),
    _charging("charge_negative", "buys", "grid_is_paying", fee="grid_pays", kwh="charge", held="curtailed_kwh"),
    _charging("store_surplus", "stores_sun", "feeding_in_costs", fee="fee"),
    _resting("other_battery", "balanced", "others_move"),
    _resting("nothing_to_do", "balanced", time="next_move"),
    # A constraint keeps a battery from giving what the house lacks.
    *(_resting(each.code, partial(Evidence.find_at_work, code=each.code), "spares") for each in BATTERY_CONSTRAINTS if each.at_work is not None),
)


# --- what trade decides: each compares what the sentence shows, and what the plan counts -----------------------------------------------------------


def _before_limit(seen: Evidence) -> BoolArray:
    return seen.next_limit >= 0


def _before_reserve(seen: Evidence) -> BoolArray:
    return seen.for_reserve >= 0


def _gains_nothing_kept(seen: Evidence) -> BoolArray:
    return seen.keep <= seen.sell


def _gains_nothing_held(seen: Evidence) -> BoolArray:
    """Where sun is held back, and storing it would be worth nothing."""
    return seen.holds_back & (seen.keep <= _TINY_PRICE)


SALE = {"kwh": "sold_kwh", "sell": "sell"}
PURCHASE = {"kwh": "bought_kwh", "buy": "buy"}
MAIN_USE, NEXT_USE = {"price": "main_price", "time": "main_use"}, {"price": "next_price", "time": "next_use"}
REFILL, SUN = {"refill": "refill", "time": "next_charge"}, {"sun": "sun", "time": "next_charge"}


def _serving(code: str, *facts: Fact, **figures: str) -> tuple[Cause, ...]:
    """Return the causes of a battery that serves the house."""
    serving = partial(_giving, code, "serves_house", *facts, **figures)
    return (
        serving(("value", "<", "buy"), ("value", "<=", "save"), buy="buy", value="value"),
        serving(("refill_cost", "<", "buy"), buy="buy", **REFILL),
        serving(("sun_cost", "<", "buy"), buy="buy", **SUN),
        serving(("value", "<", "save"), "counts_as_paid", value="value", save="save"),
        serving(("value", "<=", "buy"), ("value", "<~", "save"), "counts_as_paid", buy="buy"),
    )


TRADE = (
    _charging("charge_cheap", "buys", ("bought_cost", "<", "main_price"), ("loaded_counted", "<", "main_counted"), **PURCHASE, loaded="loaded", **MAIN_USE),
    _charging("charge_cheap", "buys", ("bought_cost", "<", "next_price"), ("loaded_counted", "<", "next_counted"), **PURCHASE, loaded="loaded", **NEXT_USE),
    _charging("charge_for_limit", "buys", _before_limit, **PURCHASE, kw="next_limit_kw", time="next_limit"),
    _charging("charge_for_reserve", _before_reserve, kwh="charge", reserve="later_reserve_soc", time="reserve_due"),
    _charging("charge_for_target", "buys", "wanted_at_end", "unused_after", **PURCHASE),
    _charging("charge_cheap", "buys", ("buy", "<", "value"), ("counted", "<=", "keep"), **PURCHASE, value="value"),
    _charging("store_surplus", "stores_sun", ("unsold_cost", "<", "main_price"), ("loaded_sell", "<", "main_counted"), sell="sell", **MAIN_USE),
    _charging("store_surplus", "stores_sun", ("unsold_cost", "<", "next_price"), ("loaded_sell", "<", "next_counted"), sell="sell", **NEXT_USE),
    _charging("follow_house", "stores_sun", ("sell", "<", "value"), ("sell", "<=", "keep"), ("value", "<", "buy"), value="value", sell="sell", buy="buy"),
    _charging("store_surplus", "stores_sun", ("sell", "<", "value"), ("sell", "<=", "keep"), value="value", sell="sell"),
    _charging("takes_over", "takes_over", kwh="taken_kwh"),
    _giving("sell_high", "sells", ("value", "<", "sell"), ("value", "<=", "sold"), ("refill_cost", "<", "sell"), **SALE, value="value", **REFILL),
    _giving("sell_high", "sells", ("value", "<", "sell"), ("value", "<=", "sold"), ("sun_cost", "<", "sell"), **SALE, value="value", **SUN),
    _giving("sell_high", "sells", ("value", "<", "sell"), ("value", "<=", "sold"), **SALE, value="value"),
    _giving("sell_high", "sells", ("refill_cost", "<", "sell"), **SALE, **REFILL),
    _giving("sell_high", "sells", ("sun_cost", "<", "sell"), **SALE, **SUN),
    *_serving("serve_peak", "serves_alone"),
    *_serving("serve_part", kwh="served_kwh"),
    _resting("hold_for_peak", "spares", ("buy", "<", "main_price"), ("counted", "<", "main_counted"), kwh="usable_kwh", buy="buy", **MAIN_USE),
    _resting("hold_for_peak", "spares", ("buy", "<", "next_price"), ("counted", "<", "next_counted"), kwh="usable_kwh", buy="buy", **NEXT_USE),
    _resting("hold_for_limit", "spares", _before_limit, kwh="usable_kwh", kw="next_limit_kw", time="next_limit"),
    _resting("hold_for_reserve", "spares", _before_reserve, kwh="usable_kwh", reserve="later_reserve_soc", time="reserve_due"),
    _resting("hold_for_target", "spares", "wanted_at_end", "unused_after", kwh="usable_kwh"),
    _resting("hold_for_peak", "spares", ("save", "<", "value"), ("buy", "<", "value"), kwh="usable_kwh", buy="buy", value="value"),
    _resting("hold_for_peak", "spares", ("save", "<", "value"), "counts_as_paid", kwh="usable_kwh", save="save", value="value"),
    _resting("hold_equal", "spares", ("save", "<~", "value"), "counts_as_paid", value="value"),
    _resting("keep_room", "sells_surplus", ("refill", "<", "sell"), sell="sell", **REFILL),
    _resting("keep_room", "sells_surplus", ("sun", "<", "sell"), sell="sell", **SUN),
    _resting("keep_room", "sells_surplus", ("value", "<", "sell"), _gains_nothing_kept, sell="sell", value="value"),
    _resting("keep_room", "sells_surplus", ("keep", "<", "sell"), sell="sell", keep="keep"),
    _resting("keep_room", "sells_surplus", ("keep", "<=", "sell"), sell="sell"),
    _resting("keep_room", "leaves_surplus", _gains_nothing_held, keep="keep", sell="sale", held="held_kwh"),
)


def _is_weighed(seen: Evidence) -> BoolArray:
    """Where the plan weighs energy that a battery moves, or spares, by more than money."""
    return (~seen.rests | seen.spares) & np.isfinite(seen.counted_value)


# Where nothing of it holds on the figures that would be shown, they are said without a why.
PLAIN = (
    Cause("weighed", (_is_weighed,), {"counted": "counted", "value": "counted_value"}),
    _charging("charge_plain", "buys", **PURCHASE, value="value"),
    _charging("store_plain", kwh="charge", value="value", sell="allowed_sale"),
    _giving("sell_plain", "sells", **SALE, value="value"),
    _giving("serve_plain", "serves", kwh="served_kwh", buy="buy", value="value"),
    _giving("passes_on", kwh="discharge"),
    _resting("rest_plain", buy="buy", sell="allowed_sale", value="value"),
)

# Where what was learned decides otherwise than the planner's value, no price of the plan is why.
LEARNED = Cause("learned", ("planner_differs",), {"takes": "planner_takes", "gives": "planner_gives", "cost": "learned_cost", "gain": "learned_gain"})

CAUSES = (LEARNED, *BOUND, *TRADE, *PLAIN)

_FIGURES = ("unknown", *dict.fromkeys(name for cause in CAUSES for name in cause.figures.values()))


def _table(rows: Sequence[Sequence[int]]) -> IndexArray:
    """Return rows of places as one array: the first place of all stands in where others are longer."""
    longest = max(map(len, rows))
    return np.array([[*row, *[0] * (longest - len(row))] for row in rows])


# The places of what each cause says.
_SAID = _table([[_FIGURES.index(name) for name in cause.figures.values()] for cause in CAUSES])


def find_first(seen: Evidence, where: BoolArray) -> IndexArray:
    """Return the place among all causes of the first that is true, ``(batteries, slots)``, as ``where`` is; some cause always is. Elsewhere their number."""
    first, known = np.full(where.shape, len(CAUSES)), dict[Fact, int]()
    # Where something holds is one integer with a bit for each slot. What decides nowhere any more is never worked out.
    left = _pack(where, where.shape)
    for place, cause in enumerate(CAUSES):
        true = left
        for fact in cause.facts:
            if not true:
                break
            if fact not in known:
                known[fact] = _pack(_hold(seen, fact), where.shape)
            true &= known[fact]
        if true:
            first[_unpack(true, where.shape)] = place
            left ^= true
    return first


def _hold(seen: Evidence, fact: Fact) -> BoolArray:
    """Return where a fact holds. Two values: ``<`` is below and seen to be so, ``<=`` is no more, ``<~`` is no more, or reads the same."""
    if isinstance(fact, str):
        holds: BoolArray = getattr(seen, fact)
        return holds
    if not isinstance(fact, tuple):
        return fact(seen)
    low, how, high = getattr(seen, fact[0]), fact[1], getattr(seen, fact[2])
    if how == "<":
        return seen.below(low, high)
    return np.asarray(high >= low - (_TINY_PRICE if how == "<=" else seen.same_price))


def _pack(holds: BoolArray, shape: tuple[int, ...]) -> int:
    # What is as large as it would be broadcast has its slots in the same order already.
    return int.from_bytes(np.packbits(holds if holds.size == math.prod(shape) else np.broadcast_to(holds, shape)).tobytes())


def _unpack(bits: int, shape: tuple[int, ...]) -> BoolArray:
    count = math.prod(shape)
    packed = np.frombuffer(bits.to_bytes((count + 7) // 8), dtype=np.uint8)
    return np.unpackbits(packed, count=count).view(bool).reshape(shape)


def read_figures(seen: Evidence, causes: IndexArray, where: tuple[IndexArray, IndexArray]) -> FloatArray:
    """Return the figures of a cause in each of some slots of batteries, in the order in which it names them, ``(figures, causes)``; NaN: not to be said."""
    known = np.full((len(_FIGURES), *seen.charge.shape), np.nan)
    for place in sorted(set(_SAID[sorted(set(causes.tolist()))].ravel().tolist()) - {0}):
        known[place] = seen.figure(_FIGURES[place])
    return np.asarray(known[_SAID[causes].T, *where].round(DECIMALS) + 0.0)
