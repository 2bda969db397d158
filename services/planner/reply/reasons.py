"""Why a plan does what it does: per slot and battery a code with its figures, the limits at work, and what leaving the action out would cost.

Of the causes below, in order, the first that is true is told. A cause is a code of ``luna.words``, the facts that hold together where it is true, and what
its figures are read from. What a sentence sets against each other is compared here with the very figures that it shows.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import pairwise
from math import isnan, prod
from operator import attrgetter
from typing import Self

import numpy as np

from luna.contracts.owner import GRID, Action
from luna.contracts.plan.columns import Columns
from luna.energy.physics import BoolArray, Flows, Mode, SetPoint, SlotActuals
from luna.energy.schedule import Figure, Reason
from luna.energy.timeline import FloatArray, IndexArray
from services.planner.dp.end_to_end import split
from services.planner.dp.plan import Plan, weigh_flows
from services.planner.dp.segments import FORBIDDEN_VALUE
from services.planner.dp.settlement import settle
from services.planner.milp.battery_constraints import BATTERY_CONSTRAINTS
from services.planner.problem.owner_constraints import block_hours
from services.planner.reply.evidence import DECIMALS, Evidence, read_numbers
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


def _find_first(seen: Evidence, where: BoolArray) -> IndexArray:
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
    return int.from_bytes(np.packbits(holds if holds.size == prod(shape) else np.broadcast_to(holds, shape)).tobytes())


def _unpack(bits: int, shape: tuple[int, ...]) -> BoolArray:
    count = prod(shape)
    packed = np.frombuffer(bits.to_bytes((count + 7) // 8), dtype=np.uint8)
    return np.unpackbits(packed, count=count).view(bool).reshape(shape)


def _read_figures(seen: Evidence, causes: IndexArray, where: tuple[IndexArray, IndexArray]) -> FloatArray:
    """Return the figures of a cause in each of some slots of batteries, in the order in which it names them, ``(figures, causes)``; NaN: not to be said."""
    known = np.full((len(_FIGURES), *seen.charge.shape), np.nan)
    for place in sorted(set(_SAID[sorted(set(causes.tolist()))].ravel().tolist()) - {0}):
        known[place] = seen.figure(_FIGURES[place])
    return np.asarray(known[_SAID[causes].T, *where].round(DECIMALS) + 0.0)


# --- what is told ------------------------------------------------------------------------------------------------------------------------------


def find_pins(seen: Evidence) -> Iterator[tuple[BoolArray, datetime]]:
    """Yield where a block decides what a battery does (``(batteries, slots)``), and when it ends.

    What is pinned decides wherever it is had; what is forbidden only where there was something to do.
    """
    for number, plan in enumerate(seen.plans):
        manual = plan.problem.manual
        for place, block in enumerate(seen.blocks[number]):
            names = [battery.name for battery in plan.problem.site.batteries]
            if manual is None or place in manual.refused or block.device not in (*names, GRID):
                continue
            own = np.array([[block.device in (name, GRID)] for name in names], dtype=bool)
            inside = np.zeros(seen.first.size, dtype=bool)
            inside[number * seen.slots : (number + 1) * seen.slots] = block_hours(block, seen.timeline) > 0
            pinned = own & inside & _DECIDES[block.action](seen)
            if pinned.any():
                yield pinned, block.to


_DECIDES: dict[Action, Callable[[Evidence], BoolArray]] = {
    "charge": lambda seen: seen.charges | seen.full & seen.rests,
    "discharge": lambda seen: seen.gives | seen.empty & seen.rests,
    "hold": lambda seen: seen.rests,
    "no_charge": lambda seen: seen.rests & (seen.left & ~seen.full | seen.may_buy_more),
    "no_discharge": lambda seen: seen.rests & seen.short & ~seen.empty,
    "no_import": lambda seen: seen.gives & (seen.imports <= NOTHING_KWH),
    "no_export": lambda seen: (seen.charges | seen.rests & seen.left) & (seen.exports <= NOTHING_KWH),
}


# What leaving a mode out means: the battery rests instead of acting, or follows the house instead of resting.
_OPPOSITE = np.array([Mode.HOLD, Mode.SUPPLY, Mode.SAVE, Mode.SELF_CONSUMPTION, Mode.HOLD, Mode.HOLD], dtype=np.int8)
Said = tuple[str, Mapping[str, Figure]]
# Evidence that is each slot's own.
OF_SLOT = ("energy_value", "cost_of_opposite", "price_rank", "price_count", "used_at")


@dataclass(frozen=True, slots=True)
class ToldReasons:
    """The reasons of a battery, or of a site without any, as columns over the slots of a plan; instants among figures are ISO 8601.

    ``told`` (``(slots,)``) is each slot's place among the codes and figures that are ``said``, ``binding`` that among the ``limits`` at work. What a stored
    kWh is worth, what the opposite would cost, rank and number of prices, and when energy is used next: as in ``Reason``.
    """

    told: IndexArray
    said: list[Said]
    binding: IndexArray
    limits: list[tuple[str, ...]]
    energy_value: list[Figure | None]
    cost_of_opposite: list[Figure | None]
    price_rank: list[int | None]
    price_count: list[int | None]
    used_at: list[datetime | None]

    @classmethod
    def plain(cls, told: IndexArray, said: list[Said]) -> Self:
        """Return reasons that have nothing beside them."""
        nothing: list[None] = [None] * told.size
        return cls(told, said, np.zeros_like(told), [()], *(nothing,) * 5)  # type: ignore[arg-type]

    @property
    def reasons(self) -> list[Reason]:
        """The reasons one by one."""
        codes, figures = zip(*(self.said[place] for place in self.told.tolist()), strict=True)
        limits = [self.limits[place] for place in self.binding.tolist()]
        return list(map(Reason, codes, self.energy_value, self.cost_of_opposite, limits, figures, self.price_rank, self.price_count, self.used_at))

    def write(self, devices: Sequence[str] | None = None) -> Columns:
        """Return the columns of a ``reason``; ``devices`` names of each slot whose it is, where that is to be said."""
        columns: Columns = dict(zip(OF_SLOT, attrgetter(*OF_SLOT)(self), strict=True))
        said = [{"code": code, "figures": figures} for code, figures in self.said]
        beside = {} if devices is None else {"device": list(devices)}
        return columns | {"told": self.told.tolist(), "binding": self.binding.tolist(), "said": said, "limits": self.limits} | beside


@dataclass(frozen=True, slots=True)
class PlanExplanation:
    """The reasons of a plan: ``by_battery``, or of the site where there is none, and which of them is ``told`` in each slot: the battery that moves most."""

    told: IndexArray
    by_battery: tuple[ToldReasons, ...]

    @property
    def of_slots(self) -> ToldReasons:
        """The reason of each slot."""
        return self.by_battery[0] if len(self.by_battery) == 1 else _choose(self.by_battery, self.told)

    @property
    def reasons(self) -> list[Reason]:
        """The same one by one."""
        return self.of_slots.reasons


def _choose(reasons: Sequence[ToldReasons], told: IndexArray) -> ToldReasons:
    """Return in each slot the reason of the battery that is told of."""
    slots, whose = np.arange(told.size), told.tolist()
    said, limits = [each for one in reasons for each in one.said], [each for one in reasons for each in one.limits]
    before = np.cumsum([0, *(len(one.said) for one in reasons)]), np.cumsum([0, *(len(one.limits) for one in reasons)])
    places, binding = (np.array([getattr(one, name) for one in reasons])[told, slots] for name in ("told", "binding"))
    beside = ([getattr(reasons[index], name)[slot] for slot, index in enumerate(whose)] for name in OF_SLOT)
    return ToldReasons(places + before[0][told], said, binding + before[1][told], limits, *beside)


def explain(plan: Plan) -> list[Reason]:
    """Return the reason of every slot."""
    (explained,) = explain_each(Evidence([plan]))
    return explained.reasons


def explain_each(seen: Evidence) -> list[PlanExplanation]:
    """Return the reasons of every battery in every slot of each plan: of the causes in order the first that is true."""
    if not len(seen.charge):
        return [PlanExplanation(told, (ToldReasons.plain(told, said),)) for told, said in _explain_idle(seen)]
    (places, said), opposite = _tell_causes(seen), read_numbers(price_opposite(seen))
    rank, count = rank_prices(seen.join("problem.paid.outlook.import_price"), seen.days)
    (codes, marks), uses = _mark_limits(seen), np.where(seen.first_use >= 0, seen.first_use - seen.first, -1)
    moves_most = (seen.charge + seen.discharge).argmax(axis=0)
    values = list(map(read_numbers, seen.energy_value))
    explained = []
    for first in range(0, seen.first.size, seen.slots):
        own, by_battery = slice(first, first + seen.slots), []
        beside = {"cost_of_opposite": opposite[own], "price_rank": rank[own], "price_count": count[own]}
        for index, worth in enumerate(values):
            told, used = _number(places[index, own])
            binding, limits = _name_limits(codes, marks[index, own])
            evidence = beside | {"energy_value": worth[own], "used_at": seen.name_slots(uses[index, own])}
            by_battery.append(ToldReasons(told, list(map(said.__getitem__, used)), binding, limits, **evidence))  # type: ignore[arg-type]
        explained.append(PlanExplanation(moves_most[own], tuple(by_battery)))
    return explained


def rank_prices(price: FloatArray, days: list[int]) -> tuple[list[int], list[int]]:
    """Return the rank of each slot's price within its local day (1: none is cheaper) and how many slots of that day there are, by ``split_days``."""
    rank: list[int] = []
    for first, end in pairwise(days):
        rank += (np.searchsorted(np.sort(price[first:end]), price[first:end]) + 1).tolist()
    return rank, [end - first for first, end in pairwise(days) for _ in range(first, end)]


def _tell_causes(seen: Evidence) -> tuple[IndexArray, list[Said]]:
    """Return the place of each battery's reason in each slot among codes and figures that are said, and these.

    Neighbours of one day that share cause and figures share one of them.
    """
    places, said, pinned = np.zeros(seen.charge.shape, dtype=np.int64), list[Said](), ~seen.exists
    for here, until in find_pins(seen):
        for index, slot in np.argwhere(here).tolist():
            places[index, slot] = len(said)
            start = seen.name_instant(slot - int(seen.first[slot]))
            said.append(("manual", {"time": until.isoformat(), "start": start}))
        pinned |= here
    causes = _find_first(seen, ~pinned)
    order = causes.argsort(axis=None, kind="stable")[: np.count_nonzero(~pinned)]
    where, causes = np.divmod(order, seen.first.size), causes.ravel()[order]
    figures, slots = _read_figures(seen, causes, where), where[1]
    rows = np.vstack([causes, where[0], seen.day[slots], figures])
    # What is unknown is as unknown as before, though no NaN equals another.
    begins, known = np.ones(causes.size, dtype=bool), rows == rows  # noqa: PLR0124
    begins[1:] = ((rows[:, 1:] != rows[:, :-1]) & (known[:, 1:] | known[:, :-1])).any(axis=0)
    places[where] = begins.cumsum() - 1 + len(said)
    starts = (slots - seen.first[slots])[begins].tolist()
    for place, start, row in zip(causes[begins].tolist(), starts, figures[:, begins].T.tolist(), strict=True):
        named: dict[str, Figure] = {name: figure for name, figure in zip(CAUSES[place].figures, row, strict=False) if not isnan(figure)}
        if "time" in named:
            # It needs the start: its weekday is said where it is not of the same day.
            named |= {"time": seen.name_instant(int(named["time"])), "start": seen.name_instant(start)}  # type: ignore[arg-type]
        said.append((CAUSES[place].code, named))
    return places, said


def _explain_idle(seen: Evidence) -> Iterator[tuple[IndexArray, list[Said]]]:
    """Yield what is said of sites without batteries, and its place for each slot."""
    held = seen.flows.curtailed_kwh > NOTHING_KWH
    off = held & seen.short & np.isfinite(seen.grid_pays)
    fees = {"idle_pv_off": seen.grid_pays, "idle_held_back": seen.fee}
    codes = np.where(off, "idle_pv_off", np.where(held & seen.holds_back, "idle_held_back", "idle_no_battery")).tolist()
    said = [(code, round(float(fees[code][slot]), DECIMALS) if code in fees and np.isfinite(fees[code][slot]) else None) for slot, code in enumerate(codes)]
    for first in range(0, len(said), seen.slots):
        own = said[first : first + seen.slots]
        places = {each: place for place, each in enumerate(dict.fromkeys(own))}
        yield np.array([places[each] for each in own]), [(code, {} if fee is None else {"fee": fee}) for code, fee in places]


def price_opposite(seen: Evidence) -> FloatArray:
    """Return what the opposite of each slot's mode would cost more, all else planned anew, shape ``(slots,)``; NaN where it is impossible.

    What the slot itself costs more comes from settling the other mode; what the battery then lacks is worth the integral of V′.
    """
    setpoints: SetPoint = seen.join_parts("setpoints")
    other = replace(
        setpoints,
        mode=_OPPOSITE[setpoints.mode],
        floor_soc=seen.battery.min_soc,
        ceiling_soc=seen.battery.max_soc,
    )
    _, flows = settle(other, seen.start_kwh, SlotActuals(seen.load_kwh, seen.pv_kwh, seen.hours), limits=seen.limits)
    return np.concatenate([_price_flows_instead(plan, split(flows, number, seen.slots)) for number, plan in enumerate(seen.plans)])


def _price_flows_instead(plan: Plan, flows: Flows) -> FloatArray:
    """Return what other flows would cost in each slot of a plan more; NaN where nobody knows, or they are impossible."""
    problem, value = plan.problem, plan.value
    if value is None:
        return np.full(problem.outlook.timeline.count, np.nan)
    # Without anything beside money or placed, what the plan costs has been worked out already.
    planned = plan.costs if plan.placement is None and problem.billed is None else weigh_flows(problem, plan.flows)
    costs = weigh_flows(problem, flows).total - planned.total
    lowest = problem.limits.batteries.min_kwh[0, 0]
    function, levels = value.function, (plan.flows.stored_kwh[0] - lowest, flows.stored_kwh[0] - lowest)
    more = costs - function.integral(*levels)
    priceless = np.abs(function.value) > FORBIDDEN_VALUE / 2
    if not priceless.any():
        return np.maximum(more, 0.0)
    forbidden = replace(function, value=priceless.astype(float))
    return np.where(np.abs(forbidden.integral(*levels)) > NOTHING_KWH, np.nan, np.maximum(more, 0.0))


def _number(values: IndexArray) -> tuple[IndexArray, list[int]]:
    """Return the place of each value (no less than 0) among those there are, and these in order: of so few in a fifth of the time of ``np.unique``."""
    used = np.bincount(values) > 0
    return (np.cumsum(used) - 1)[values], used.nonzero()[0].tolist()


def find_limits(plan: Plan) -> list[tuple[str, ...]]:
    """Return the limits at work in each slot, as codes of ``luna.words``: the site's, and the first battery's."""
    codes, marks = _mark_limits(Evidence([plan]))
    places, limits = _name_limits(codes, marks[0])
    return [limits[place] for place in places.tolist()]


def _name_limits(codes: Sequence[str], marks: IndexArray) -> tuple[IndexArray, list[tuple[str, ...]]]:
    """Return of slots with a bit for each code their places among sets of limits, and these."""
    places, used = _number(marks)
    return places, [tuple(code for bit, code in enumerate(codes) if mark >> bit & 1) for mark in used]


def _mark_limits(seen: Evidence) -> tuple[list[str], IndexArray]:
    """Return limits by code, and of each slot of each battery, and its site, a bit for each of them that is at work."""
    unsold = seen.holds_back & (seen.join("problem.outlook.export_price") >= 0)
    import_limit = seen.join("problem.import_limit_kwh")
    empty, inside = seen.empty & (seen.gives | seen.short), seen.imports > NOTHING_KWH
    checks: dict[str, BoolArray] = {
        "battery_full": (seen.end_kwh >= seen.battery.max_kwh - NOTHING_KWH) & (seen.charges | seen.left | (seen.buy < 0)),
        "reserve": empty & seen.has_reserve,
        "battery_empty": empty & ~seen.has_reserve,
        "charge_power": seen.charges & (seen.charge >= seen.charge_power_kwh - NOTHING_KWH),
        "discharge_power": seen.gives & (seen.discharge >= seen.discharge_power_kwh - NOTHING_KWH),
        "peak": inside & seen.fills_peak,
        "import_limit": inside & (seen.imports >= import_limit - NOTHING_KWH) & ~np.isfinite(seen.peak_kwh),
        "export_limit": seen.fills_feed_in & (seen.exports > NOTHING_KWH) | ~seen.may_feed_in & unsold,
        "inverter_limit": seen.fills_inverter,
        "curtailment": seen.flows.curtailed_kwh > NOTHING_KWH,
    }
    for code, where in seen.at_work.items():
        checks[code] = (seen.gives | seen.spares) & where
    marks = np.zeros(seen.charge.shape, dtype=np.int64)
    for bit, where in enumerate(checks.values()):
        marks |= where.astype(np.int64) << bit
    return list(checks), marks
