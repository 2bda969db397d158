"""Why a plan does what it does: per slot and battery a code with its figures, the limits at work,
and what leaving the action out would cost.

Of the causes below, in order, the first that is true is told. A cause is a code of ``luna.words``,
the facts that hold together where it is true, and what its figures are read from. What a sentence
sets against each other is compared here with the very figures that it shows.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import compress, pairwise
from math import isnan
from operator import attrgetter
from typing import Self

import numpy as np

from luna.contracts.owner import GRID, OVERRIDE_BLOCK, Action, ManualBlock
from luna.contracts.plan.columns import Columns
from luna.energy.economics.prices import PRICE_ROUNDING
from luna.energy.physics.mode import BoolArray, Mode, SetPoint
from luna.energy.physics.simulation import SlotActuals
from luna.energy.schedule import Figure, Reason
from luna.energy.timeline import FloatArray, IndexArray
from services.planner.dp.plan import Plan, split, weigh_flows
from services.planner.dp.segments import FORBIDDEN_VALUE
from services.planner.milp.battery_constraints import BATTERY_CONSTRAINTS
from services.planner.problem.owner_constraints import block_hours
from services.planner.reply.evidence import DECIMALS, Evidence, read_numbers
from services.planner.reply.slot_flows import NOTHING_KWH
from services.planner.settlement import settle

# Values are exact to this much.
_TINY_PRICE = 1e-6


# Where something holds: the name of what ``Evidence`` says, what is read from it, or two of its
# names with how what they say compares.
Fact = str | tuple[str, str, str] | Callable[[Evidence], BoolArray]


@dataclass(frozen=True, slots=True)
class Cause:
    """A code, the facts that hold together where it is true, and by figure the name of what
    ``Evidence`` says.
    """

    code: str
    facts: tuple[Fact, ...]
    figures: Mapping[str, str]


def _charging(code: str, *facts: Fact, **figures: str) -> Cause:
    return Cause(code, ("charges", *facts), figures)


def _giving(code: str, *facts: Fact, **figures: str) -> Cause:
    return Cause(code, ("gives", *facts), figures)


def _resting(code: str, *facts: Fact, **figures: str) -> Cause:
    return Cause(code, ("rests", *facts), figures)


# --- what owner, limits and others decide ---------------------------------------------------------


def _stalled(evidence: Evidence) -> BoolArray:
    """Where a battery cannot charge as slowly as the surplus comes."""
    surplus = evidence.shares.sun_sold_kwh + evidence.shares.sun_curtailed_kwh
    return surplus < evidence.least_kw * evidence.hours - NOTHING_KWH


def _rest_is_one(evidence: Evidence) -> BoolArray:
    """Where what a battery does not store is sold for something, or all of it is held back."""
    return (evidence.sells_sun & np.isfinite(evidence.sale)) ^ evidence.holds_back


BOUND = (
    _charging("brought_back", "below_limits", soc="soc", least="least_soc", kwh="charge"),
    _giving("brought_back", "above_limits", soc="soc", most="most_soc", kwh="discharge"),
    _resting("outside_limits", "below_limits", soc="soc", least="least_soc", time="next_charge"),
    _resting("outside_limits", "above_limits", soc="soc", most="most_soc"),
    _resting("full", "full", "has_surplus", sell="sale", held="sun_curtailed_kwh", fee="fee"),
    _resting("full_while_paid", "full", "grid_is_paying", fee="grid_pays"),
    # A battery that would be charged does not stay where it is for its reserve.
    _resting("charge_waits_peak", "fills_peak", "may_buy_more"),
    _resting("charge_waits_limit", "fills_connection", "may_buy_more"),
    _resting(
        "reserve_kept", "empty", "short", "has_reserve", reserve="reserve_soc", time="reserve_ends"
    ),
    _resting("empty", "empty", "short", time="next_charge"),
    _giving("peak_kept", "keeps_peak", kw="peak_kw", cost="peak_price"),
    _giving("connection_limit", "serves", "fills_connection", kw="connection_kw"),
    _charging("store_surplus", "stores_sun", "feeds_in_nothing"),
    _charging("feed_in_limit", "stores_sun", "fills_feed_in", kw="feed_in_kw"),
    _charging("inverter_limit", "bypasses_inverter", kw="inverter_kw"),
    _resting("inverter_full", "short", "has_no_room", kw="inverter_kw"),
    Cause("not_for_car", ("short", "spares_car", "charges_not"), {}),
    Cause("power_limit", ("serves_or_rests", "short", "gives_all"), {"kw": "gives_kw"}),
    Cause(
        "charge_limit",
        ("stores_or_rests", _rest_is_one, "takes_all"),
        {"kw": "takes_kw", "sell": "sale"},
    ),
    _resting("least_power", "leaves_surplus", _stalled, kw="least_kw"),
    _charging(
        "charge_negative",
        "buys",
        "grid_is_paying",
        fee="grid_pays",
        kwh="charge",
        held="curtailed_kwh",
    ),
    _charging("store_surplus", "stores_sun", "feeding_in_costs", fee="fee"),
    _resting("other_battery", "balanced", "others_move"),
    _resting("nothing_to_do", "balanced", time="next_move"),
    # A constraint keeps a battery from giving what the house lacks.
    *(
        _resting(each.code, partial(Evidence.find_at_work, code=each.code), "spares")
        for each in BATTERY_CONSTRAINTS
        if each.at_work is not None
    ),
)


# --- what trade decides: each compares what the sentence shows, and what the plan counts ----------


def _before_limit(evidence: Evidence) -> BoolArray:
    return evidence.next_limit >= 0


def _before_reserve(evidence: Evidence) -> BoolArray:
    return evidence.for_reserve >= 0


def _keeping_gains_nothing(evidence: Evidence) -> BoolArray:
    return evidence.keep <= evidence.sell


def _storing_gains_nothing(evidence: Evidence) -> BoolArray:
    """Where sun is held back, and storing it would be worth nothing."""
    return evidence.holds_back & (evidence.keep <= _TINY_PRICE)


SALE = {"kwh": "sold_kwh", "sell": "sell"}
PURCHASE = {"kwh": "bought_kwh", "buy": "buy"}
MAIN_USE, NEXT_USE = (
    {"price": "main_price", "time": "main_use"},
    {"price": "next_price", "time": "next_use"},
)
REFILL, SUN = {"refill": "refill", "time": "next_charge"}, {"sun": "sun", "time": "next_charge"}


def _serving(code: str, *facts: Fact, **figures: str) -> tuple[Cause, ...]:
    """Return the causes of a battery that serves the house."""
    serving = partial(_giving, code, "serves_house", *facts, **figures)
    return (
        serving(("value", "<", "buy"), ("value", "<=", "save"), buy="buy", value="value"),
        serving(("refill_cost", "<", "buy"), buy="buy", **REFILL),
        serving(("sun_cost", "<", "buy"), buy="buy", **SUN),
        serving(("value", "<", "save"), "counts_at_tariff", value="value", save="save"),
        serving(("value", "<=", "buy"), ("value", "<~", "save"), "counts_at_tariff", buy="buy"),
    )


TRADE = (
    _charging(
        "charge_cheap",
        "buys",
        ("bought_cost", "<", "main_price"),
        ("loaded_counted", "<", "main_counted"),
        **PURCHASE,
        loaded="loaded",
        **MAIN_USE,
    ),
    _charging(
        "charge_cheap",
        "buys",
        ("bought_cost", "<", "next_price"),
        ("loaded_counted", "<", "next_counted"),
        **PURCHASE,
        loaded="loaded",
        **NEXT_USE,
    ),
    _charging(
        "charge_for_limit", "buys", _before_limit, **PURCHASE, kw="next_limit_kw", time="next_limit"
    ),
    _charging(
        "charge_for_reserve",
        _before_reserve,
        kwh="charge",
        reserve="later_reserve_soc",
        time="reserve_due",
    ),
    _charging("charge_for_target", "buys", "at_terminal_bound", "unused_after", **PURCHASE),
    _charging(
        "charge_cheap",
        "buys",
        ("buy", "<", "value"),
        ("counted", "<=", "keep"),
        **PURCHASE,
        value="value",
    ),
    _charging(
        "store_surplus",
        "stores_sun",
        ("unsold_cost", "<", "main_price"),
        ("loaded_sell", "<", "main_counted"),
        sell="sell",
        **MAIN_USE,
    ),
    _charging(
        "store_surplus",
        "stores_sun",
        ("unsold_cost", "<", "next_price"),
        ("loaded_sell", "<", "next_counted"),
        sell="sell",
        **NEXT_USE,
    ),
    _charging(
        "follow_house",
        "stores_sun",
        ("sell", "<", "value"),
        ("sell", "<=", "keep"),
        ("value", "<", "buy"),
        value="value",
        sell="sell",
        buy="buy",
    ),
    _charging(
        "store_surplus",
        "stores_sun",
        ("sell", "<", "value"),
        ("sell", "<=", "keep"),
        value="value",
        sell="sell",
    ),
    _charging("takes_over", "takes_over", kwh="taken_over_kwh"),
    _giving(
        "sell_high",
        "sells",
        ("value", "<", "sell"),
        ("value", "<=", "sold"),
        ("refill_cost", "<", "sell"),
        **SALE,
        value="value",
        **REFILL,
    ),
    _giving(
        "sell_high",
        "sells",
        ("value", "<", "sell"),
        ("value", "<=", "sold"),
        ("sun_cost", "<", "sell"),
        **SALE,
        value="value",
        **SUN,
    ),
    _giving(
        "sell_high", "sells", ("value", "<", "sell"), ("value", "<=", "sold"), **SALE, value="value"
    ),
    _giving("sell_high", "sells", ("refill_cost", "<", "sell"), **SALE, **REFILL),
    _giving("sell_high", "sells", ("sun_cost", "<", "sell"), **SALE, **SUN),
    *_serving("serve_peak", "serves_alone"),
    *_serving("serve_part", kwh="served_kwh"),
    _resting(
        "hold_for_peak",
        "spares",
        ("buy", "<", "main_price"),
        ("counted", "<", "main_counted"),
        kwh="usable_kwh",
        buy="buy",
        **MAIN_USE,
    ),
    _resting(
        "hold_for_peak",
        "spares",
        ("buy", "<", "next_price"),
        ("counted", "<", "next_counted"),
        kwh="usable_kwh",
        buy="buy",
        **NEXT_USE,
    ),
    _resting(
        "hold_for_limit",
        "spares",
        _before_limit,
        kwh="usable_kwh",
        kw="next_limit_kw",
        time="next_limit",
    ),
    _resting(
        "hold_for_reserve",
        "spares",
        _before_reserve,
        kwh="usable_kwh",
        reserve="later_reserve_soc",
        time="reserve_due",
    ),
    _resting("hold_for_target", "spares", "at_terminal_bound", "unused_after", kwh="usable_kwh"),
    _resting(
        "hold_for_peak",
        "spares",
        ("save", "<", "value"),
        ("buy", "<", "value"),
        kwh="usable_kwh",
        buy="buy",
        value="value",
    ),
    _resting(
        "hold_for_peak",
        "spares",
        ("save", "<", "value"),
        "counts_at_tariff",
        kwh="usable_kwh",
        save="save",
        value="value",
    ),
    _resting("hold_equal", "spares", ("save", "<~", "value"), "counts_at_tariff", value="value"),
    _resting("keep_room", "sells_surplus", ("refill", "<", "sell"), sell="sell", **REFILL),
    _resting("keep_room", "sells_surplus", ("sun", "<", "sell"), sell="sell", **SUN),
    _resting(
        "keep_room",
        "sells_surplus",
        ("value", "<", "sell"),
        _keeping_gains_nothing,
        sell="sell",
        value="value",
    ),
    _resting("keep_room", "sells_surplus", ("keep", "<", "sell"), sell="sell", keep="keep"),
    _resting("keep_room", "sells_surplus", ("keep", "<=", "sell"), sell="sell"),
    _resting(
        "keep_room",
        "leaves_surplus",
        _storing_gains_nothing,
        keep="keep",
        sell="sale",
        held="sun_curtailed_kwh",
    ),
)


def _is_weighed(evidence: Evidence) -> BoolArray:
    """Where the plan weighs energy that a battery moves, or spares, by more than money."""
    return (~evidence.rests | evidence.spares) & np.isfinite(evidence.counted_value)


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
LEARNED = Cause(
    "learned",
    ("planner_differs",),
    {
        "takes": "planner_takes",
        "gives": "planner_gives",
        "cost": "learned_cost",
        "gain": "learned_gain",
    },
)

CAUSES = (LEARNED, *BOUND, *TRADE, *PLAIN)

_FIGURES = ("unknown", *dict.fromkeys(name for cause in CAUSES for name in cause.figures.values()))


def _table(rows: Sequence[Sequence[int]]) -> IndexArray:
    """Return rows of places as one array: the first place of all stands in where others are
    longer.
    """
    longest = max(map(len, rows))
    return np.array([[*row, *[0] * (longest - len(row))] for row in rows])


# The places of each cause's figures.
_FIGURE_PLACES = _table(
    [[_FIGURES.index(name) for name in cause.figures.values()] for cause in CAUSES]
)


def _find_first(evidence: Evidence, where: BoolArray) -> IndexArray:
    """Return the place among all causes of the first that is true, ``(batteries, slots)``, as
    ``where`` is; some cause always is. Elsewhere their number.
    """
    first, packed = np.full(where.shape, len(CAUSES)), dict[Fact, int]()
    # Where something holds is one integer with a bit for each slot. What decides nowhere any more
    # is never worked out.
    undecided = int.from_bytes(np.packbits(where).tobytes())
    for place, cause in enumerate(CAUSES):
        true = undecided
        for fact in cause.facts:
            if not true:
                break
            if fact not in packed:
                if isinstance(fact, str):
                    holds: BoolArray = getattr(evidence, fact)
                elif isinstance(fact, tuple):
                    # Of two values ``<`` is visibly below, ``<=`` is no more, ``<~`` is no more, or
                    # reads the same.
                    low, how, high = getattr(evidence, fact[0]), fact[1], getattr(evidence, fact[2])
                    holds = (
                        evidence.below(low, high)
                        if how == "<"
                        else np.asarray(
                            high >= low - (_TINY_PRICE if how == "<=" else evidence.same_price)
                        )
                    )
                else:
                    holds = fact(evidence)
                # What is as large as it would be broadcast has its slots in the same order already.
                holds = holds if holds.size == where.size else np.broadcast_to(holds, where.shape)
                packed[fact] = int.from_bytes(np.packbits(holds).tobytes())
            true &= packed[fact]
        if true:
            bits = np.frombuffer(true.to_bytes((where.size + 7) // 8), dtype=np.uint8)
            first[np.unpackbits(bits, count=where.size).view(bool).reshape(where.shape)] = place
            undecided ^= true
    return first


# --- what is told ---------------------------------------------------------------------------------


def find_pins(evidence: Evidence) -> Iterator[tuple[BoolArray, datetime]]:
    """Yield where a block decides what a battery does (``(batteries, slots)``), and when it ends.

    What is pinned decides wherever it is had; what is forbidden only where there was something to
    do.
    """
    for number, plan in enumerate(evidence.plans):
        manual = plan.problem.manual
        for place, block in enumerate(evidence.blocks[number]):
            names = [battery.name for battery in plan.problem.site.batteries]
            if manual is None or place in manual.refused or block.device not in (*names, GRID):
                continue
            own = np.array([[block.device in (name, GRID)] for name in names], dtype=bool)
            inside = np.zeros(evidence.first.size, dtype=bool)
            inside[number * evidence.slots : (number + 1) * evidence.slots] = (
                block_hours(block, evidence.timeline) > 0
            )
            pinned = own & inside & _DECIDES[block.action](evidence)
            if pinned.any():
                yield pinned, _find_end(block, evidence.blocks[number])


def _find_end(block: ManualBlock, blocks: Sequence[ManualBlock]) -> datetime:
    """Return when what an owner decided ends; an override may be several blocks of one device."""
    if block.block_id != OVERRIDE_BLOCK:
        return block.to
    return max(
        each.to for each in blocks if (each.block_id, each.device) == (OVERRIDE_BLOCK, block.device)
    )


_DECIDES: dict[Action, Callable[[Evidence], BoolArray]] = {
    "charge": lambda evidence: evidence.charges | evidence.full & evidence.rests,
    "discharge": lambda evidence: evidence.gives | evidence.empty & evidence.rests,
    "hold": lambda evidence: evidence.rests,
    "no_charge": lambda evidence: (
        evidence.rests & (evidence.has_surplus & ~evidence.full | evidence.may_buy_more)
    ),
    "no_discharge": lambda evidence: evidence.rests & evidence.short & ~evidence.empty,
    "no_import": lambda evidence: evidence.gives & (evidence.imports <= NOTHING_KWH),
    "no_export": lambda evidence: (
        (evidence.charges | evidence.rests & evidence.has_surplus)
        & (evidence.exports <= NOTHING_KWH)
    ),
}


# What leaving a mode out means: the battery rests instead of acting, or follows the house instead
# of resting.
_OPPOSITE = np.array(
    [Mode.HOLD, Mode.SUPPLY, Mode.SAVE, Mode.SELF_CONSUMPTION, Mode.HOLD, Mode.HOLD], dtype=np.int8
)
CodedReason = tuple[str, Mapping[str, Figure]]
# Evidence that is each slot's own.
OF_SLOT = ("energy_value", "cost_of_opposite", "price_rank", "price_count", "used_at")


@dataclass(frozen=True, slots=True)
class ReasonColumns:
    """The reasons of a battery, or of a site without any, as columns over the slots of a plan.

    Instants among figures are ISO 8601.

    ``reason_index`` (``(slots,)``) is each slot's place among the codes and figures in
    ``distinct``, ``binding`` that among the ``limits``. What a stored kWh is worth, what the
    opposite would cost, rank and number of prices, and when energy is used next: as in ``Reason``.
    """

    reason_index: IndexArray
    distinct: list[CodedReason]
    binding: IndexArray
    limits: list[tuple[str, ...]]
    energy_value: list[Figure | None]
    cost_of_opposite: list[Figure | None]
    price_rank: list[int | None]
    price_count: list[int | None]
    used_at: list[datetime | None]

    @classmethod
    def plain(cls, reason_index: IndexArray, distinct: list[CodedReason]) -> Self:
        """Return reasons that have nothing beside them."""
        nothing: list[None] = [None] * reason_index.size
        return cls(reason_index, distinct, np.zeros_like(reason_index), [()], *(nothing,) * 5)  # type: ignore[arg-type]

    @property
    def reasons(self) -> list[Reason]:
        """The reasons one by one."""
        codes, figures = zip(
            *(self.distinct[place] for place in self.reason_index.tolist()), strict=True
        )
        limits = [self.limits[place] for place in self.binding.tolist()]
        return list(
            map(
                Reason,
                codes,
                self.energy_value,
                self.cost_of_opposite,
                limits,
                figures,
                self.price_rank,
                self.price_count,
                self.used_at,
            )
        )

    def write(self, devices: Sequence[str] | None = None) -> Columns:
        """Return the columns of a ``reason``.

        ``devices`` names each slot's battery, where there are several.
        """
        columns: Columns = dict(zip(OF_SLOT, attrgetter(*OF_SLOT)(self), strict=True))
        documents = [{"code": code, "figures": figures} for code, figures in self.distinct]
        beside = {} if devices is None else {"device": list(devices)}
        return (
            columns
            | {
                "told": self.reason_index.tolist(),
                "binding": self.binding.tolist(),
                "said": documents,
                "limits": self.limits,
            }
            | beside
        )


@dataclass(frozen=True, slots=True)
class PlanExplanation:
    """The reasons of a plan ``by_battery``, or of the site where there is none, and each slot's:
    that of the battery in ``battery_index``, which moves most.
    """

    battery_index: IndexArray
    by_battery: tuple[ReasonColumns, ...]
    of_slots: ReasonColumns


def _choose(reasons: Sequence[ReasonColumns], battery_index: IndexArray) -> ReasonColumns:
    """Return each slot's reason: that of the battery in ``battery_index``."""
    slots, whose = np.arange(battery_index.size), battery_index.tolist()
    distinct, limits = (
        [each for one in reasons for each in one.distinct],
        [each for one in reasons for each in one.limits],
    )
    before = (
        np.cumsum([0, *(len(one.distinct) for one in reasons)]),
        np.cumsum([0, *(len(one.limits) for one in reasons)]),
    )
    places, binding = (
        np.array([getattr(one, name) for one in reasons])[battery_index, slots]
        for name in ("reason_index", "binding")
    )
    beside = (
        [getattr(reasons[index], name)[slot] for slot, index in enumerate(whose)]
        for name in OF_SLOT
    )
    return ReasonColumns(
        places + before[0][battery_index],
        distinct,
        binding + before[1][battery_index],
        limits,
        *beside,
    )


def explain(plan: Plan) -> list[Reason]:
    """Return the reason of every slot."""
    (explained,) = explain_each(Evidence([plan]))
    return explained.of_slots.reasons


def explain_each(evidence: Evidence) -> list[PlanExplanation]:
    """Return the reasons of every battery in every slot of each plan: of the causes in order the
    first that is true.
    """
    if not len(evidence.charge):
        idle = [
            (index, ReasonColumns.plain(index, distinct))
            for index, distinct in _explain_idle(evidence)
        ]
        return [PlanExplanation(index, (of_site,), of_site) for index, of_site in idle]
    (places, distinct), opposite = _tell_causes(evidence), read_numbers(price_opposite(evidence))
    price, rank, day_lengths = (
        evidence.join("problem.at_tariff_prices.outlook.import_price"),
        list[int](),
        np.diff(evidence.days),
    )
    for first, end in pairwise(evidence.days):
        # Within its local day; 1: none is cheaper.
        rank += (
            np.searchsorted(np.sort(price[first:end]), price[first:end] - PRICE_ROUNDING) + 1
        ).tolist()
    count = np.repeat(day_lengths, day_lengths).tolist()
    (codes, marks), uses = (
        _mark_limits(evidence),
        np.where(evidence.first_use >= 0, evidence.first_use - evidence.first, -1),
    )
    moves_most = (evidence.charge + evidence.discharge).argmax(axis=0)
    values = list(map(read_numbers, evidence.energy_value))
    explained = []
    for first in range(0, evidence.first.size, evidence.slots):
        own, by_battery = slice(first, first + evidence.slots), []
        beside = {
            "cost_of_opposite": opposite[own],
            "price_rank": rank[own],
            "price_count": count[own],
        }
        for index, worth in enumerate(values):
            reason_index, used = _number(places[index, own])
            binding, limits = _name_limits(codes, marks[index, own])
            used_at = [
                evidence.edges[slot] if slot >= 0 else None for slot in uses[index, own].tolist()
            ]
            columns = beside | {"energy_value": worth[own], "used_at": used_at}
            by_battery.append(
                ReasonColumns(
                    reason_index,
                    list(map(distinct.__getitem__, used)),
                    binding,
                    limits,
                    **columns,  # type: ignore[arg-type]
                )
            )
        of_slots = by_battery[0] if len(by_battery) == 1 else _choose(by_battery, moves_most[own])
        explained.append(PlanExplanation(moves_most[own], tuple(by_battery), of_slots))
    return explained


def _tell_causes(evidence: Evidence) -> tuple[IndexArray, list[CodedReason]]:
    """Return each battery's reason index in each slot, and the distinct reasons.

    Neighbours of one day that share cause and figures share one of them.
    """
    places, distinct, pinned = (
        np.zeros(evidence.charge.shape, dtype=np.int64),
        list[CodedReason](),
        ~evidence.exists,
    )
    for here, until in find_pins(evidence):
        for index, slot in np.argwhere(here).tolist():
            places[index, slot] = len(distinct)
            start = evidence.name_instant(slot - int(evidence.first[slot]))
            distinct.append(("manual", {"time": until.isoformat(), "start": start}))
        pinned |= here
    causes = _find_first(evidence, ~pinned)
    order = causes.argsort(axis=None, kind="stable")[: np.count_nonzero(~pinned)]
    where, causes = np.divmod(order, evidence.first.size), causes.ravel()[order]
    # The figures of each cause, in the order in which it names them; NaN: left out.
    read, slots = np.full((len(_FIGURES), *evidence.charge.shape), np.nan), where[1]
    for place in sorted(set(_FIGURE_PLACES[sorted(set(causes.tolist()))].ravel().tolist()) - {0}):
        values = getattr(evidence, _FIGURES[place])
        # Slots as they are counted from the plan's first.
        read[place] = (
            np.where(values >= 0, values - evidence.first, np.nan)
            if values.dtype.kind == "i"
            else values
        )
    figures = read[_FIGURE_PLACES[causes].T, *where].round(DECIMALS) + 0.0
    rows = np.vstack(
        [causes, where[0], np.searchsorted(evidence.days, slots, side="right"), figures]
    )
    # What is unknown is as unknown as before, though no NaN equals another.
    begins, is_finite = np.ones(causes.size, dtype=bool), rows == rows  # noqa: PLR0124
    begins[1:] = ((rows[:, 1:] != rows[:, :-1]) & (is_finite[:, 1:] | is_finite[:, :-1])).any(
        axis=0
    )
    places[where] = begins.cumsum() - 1 + len(distinct)
    starts = (slots - evidence.first[slots])[begins].tolist()
    for place, start, row in zip(
        causes[begins].tolist(), starts, figures[:, begins].T.tolist(), strict=True
    ):
        named: dict[str, Figure] = {
            name: figure
            for name, figure in zip(CAUSES[place].figures, row, strict=False)
            if not isnan(figure)
        }
        if "time" in named:
            # It needs the start: its weekday is said where it is not of the same day.
            named |= {
                "time": evidence.name_instant(int(named["time"])),  # type: ignore[arg-type]
                "start": evidence.name_instant(start),
            }
        distinct.append((CAUSES[place].code, named))
    return places, distinct


def _explain_idle(evidence: Evidence) -> Iterator[tuple[IndexArray, list[CodedReason]]]:
    """Yield the reasons of sites without batteries: each slot's index and the distinct reasons."""
    curtailed = evidence.flows.curtailed_kwh > NOTHING_KWH
    off = curtailed & evidence.short & np.isfinite(evidence.grid_pays)
    fees = {"idle_pv_off": evidence.grid_pays, "idle_held_back": evidence.fee}
    codes = np.where(
        off,
        "idle_pv_off",
        np.where(curtailed & evidence.holds_back, "idle_held_back", "idle_no_battery"),
    ).tolist()
    keys = [
        (
            code,
            round(float(fees[code][slot]), DECIMALS)
            if code in fees and np.isfinite(fees[code][slot])
            else None,
        )
        for slot, code in enumerate(codes)
    ]
    for first in range(0, len(keys), evidence.slots):
        own = keys[first : first + evidence.slots]
        places = {each: place for place, each in enumerate(dict.fromkeys(own))}
        yield (
            np.array([places[each] for each in own]),
            [(code, {} if fee is None else {"fee": fee}) for code, fee in places],
        )


def price_opposite(evidence: Evidence) -> FloatArray:
    """Return what the opposite of each slot's mode would cost more, all else planned anew, shape
    ``(slots,)``; NaN where it is impossible.

    What the slot itself costs more comes from settling the other mode; what the battery then lacks
    is worth the integral of V′.
    """
    setpoints: SetPoint = evidence.join_parts("setpoints")
    other = replace(
        setpoints,
        mode=_OPPOSITE[setpoints.mode],
        floor_soc=evidence.battery.min_soc,
        ceiling_soc=evidence.battery.max_soc,
    )
    _, flows = settle(
        other,
        evidence.start_kwh,
        SlotActuals(evidence.load_kwh, evidence.pv_kwh, evidence.hours),
        limits=evidence.limits,
    )
    opposite = np.full(evidence.first.size, np.nan)
    for number, plan in enumerate(evidence.plans):
        problem, value = plan.problem, plan.value
        if value is None:
            continue
        instead = split(flows, number, evidence.slots)
        # Without anything beside money or placed, what the plan costs has been worked out already.
        planned = (
            plan.costs
            if plan.placement is None and problem.billed is None
            else weigh_flows(problem, plan.flows)
        )
        costs = weigh_flows(problem, instead).total - planned.total
        lowest = problem.limits.batteries.min_kwh[0, 0]
        function, levels = (
            value.function,
            (plan.flows.stored_kwh[0] - lowest, instead.stored_kwh[0] - lowest),
        )
        more = np.maximum(costs - function.integral(*levels), 0.0)
        priceless = np.abs(function.value) > FORBIDDEN_VALUE / 2
        if priceless.any():
            forbidden = replace(function, value=priceless.astype(float))
            more[np.abs(forbidden.integral(*levels)) > NOTHING_KWH] = np.nan
        opposite[number * evidence.slots : (number + 1) * evidence.slots] = more
    return opposite


def _number(values: IndexArray) -> tuple[IndexArray, list[int]]:
    """Return the place of each value (no less than 0) among those there are, and these in order: of
    so few in a fifth of the time of ``np.unique``.
    """
    used = np.bincount(values) > 0
    return (np.cumsum(used) - 1)[values], used.nonzero()[0].tolist()


def find_limits(plan: Plan) -> list[tuple[str, ...]]:
    """Return the limits at work in each slot, as codes of ``luna.words``: the site's, and the first
    battery's.
    """
    codes, marks = _mark_limits(Evidence([plan]))
    places, limits = _name_limits(codes, marks[0])
    return [limits[place] for place in places.tolist()]


def _name_limits(
    codes: Sequence[str], marks: IndexArray
) -> tuple[IndexArray, list[tuple[str, ...]]]:
    """Return of slots with a bit for each code their places among sets of limits, and these."""
    places, used = _number(marks)
    is_at_work = np.array(used)[:, None] >> np.arange(len(codes)) & 1
    return places, list(map(tuple, map(partial(compress, codes), is_at_work.tolist())))


def _mark_limits(evidence: Evidence) -> tuple[list[str], IndexArray]:
    """Return limits by code, and of each slot of each battery, and its site, a bit for each of them
    that is at work.
    """
    unsold = evidence.holds_back & (evidence.join("problem.outlook.export_price") >= 0)
    import_limit = evidence.join("problem.import_limit_kwh")
    empty, inside = (
        evidence.empty & (evidence.gives | evidence.short),
        evidence.imports > NOTHING_KWH,
    )
    checks: dict[str, BoolArray] = {
        "battery_full": (evidence.end_kwh >= evidence.battery.max_kwh - NOTHING_KWH)
        & (evidence.charges | evidence.has_surplus | (evidence.buy < 0)),
        "reserve": empty & evidence.has_reserve,
        "battery_empty": empty & ~evidence.has_reserve,
        "charge_power": evidence.charges
        & (evidence.charge >= evidence.charge_power_kwh - NOTHING_KWH),
        "discharge_power": evidence.gives
        & (evidence.discharge >= evidence.discharge_power_kwh - NOTHING_KWH),
        "peak": inside & evidence.fills_peak,
        "import_limit": inside
        & (evidence.imports >= import_limit - NOTHING_KWH)
        & ~np.isfinite(evidence.peak_kwh),
        "export_limit": evidence.fills_feed_in & (evidence.exports > NOTHING_KWH)
        | ~evidence.may_feed_in & unsold,
        "inverter_limit": evidence.fills_inverter,
        "curtailment": evidence.flows.curtailed_kwh > NOTHING_KWH,
    }
    for code, where in evidence.at_work.items():
        checks[code] = (evidence.gives | evidence.spares) & where
    marks = np.zeros(evidence.charge.shape, dtype=np.int64)
    for bit, where in enumerate(checks.values()):
        marks |= where.astype(np.int64) << bit
    return list(checks), marks
