"""Why a plan does what it does: per slot and battery a code with its figures, the limits at work, and what leaving the action out would cost."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from math import isnan
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
from services.planner.problem.owner_constraints import block_hours
from services.planner.reply.causes import CAUSES, find_first, read_figures
from services.planner.reply.evidence import DECIMALS, Evidence, read_numbers
from services.planner.reply.slot_flows import NOTHING_KWH


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
    causes = find_first(seen, ~pinned)
    order = causes.argsort(axis=None, kind="stable")[: np.count_nonzero(~pinned)]
    where, causes = np.divmod(order, seen.first.size), causes.ravel()[order]
    figures, slots = read_figures(seen, causes, where), where[1]
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
