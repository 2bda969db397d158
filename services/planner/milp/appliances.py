"""Appliances and surplus loads in the mixed-integer model: runs, rests, cycles and what is taken from surplus."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from luna.energy.devices import DeferrableLoad
from luna.energy.physics import BoolArray
from luna.energy.timeline import FloatArray
from services.planner.linear.model import Indices, ModelBuilder, Term
from services.planner.linear.schedules import RunRules, ScheduleBlock, Schedules, SlotNeed
from services.planner.milp.slack import dearest_price
from services.planner.problem.build import TERMINAL_SHARE
from services.planner.problem.demands import CycleDemand, DayNeed, Demands, HeatDemand, LoadDemand
from services.planner.problem.load_schedule import ScheduledCycles
from services.planner.problem.problem import Problem

# What a kWh costs that an appliance does not get, as a multiple of the dearest price: dear enough that a slot more is cheaper than the last
# few watt-hours missing; a vehicle's are dearer.
LOAD_SLACK = 60.0


@dataclass(frozen=True, slots=True)
class LoadPricing:
    """Slots ahead, arrays of shape ``(slots,)``: their hours, what PV leaves beyond the load, what a bought kWh costs.

    ``tie`` is a sliver per kWh that makes the earlier of two equal slots the better one, ``dearest`` the dearest price of all, ``mean_price`` the
    mean of what a plan optimises by, ``left_price`` what a kWh is worth that is left at the horizon.
    """

    hours: FloatArray
    surplus_kwh: FloatArray
    import_price: FloatArray
    tie: FloatArray
    dearest: float
    mean_price: float
    left_price: float

    def bound(self, load: DeferrableLoad) -> BoolArray:
        """Return the slots in which an appliance may take PV surplus alone."""
        too_dear = np.zeros(self.hours.size, dtype=bool) if load.price_limit is None else self.import_price > load.price_limit
        return too_dear | load.surplus_only


def add_starts(builder: ModelBuilder, on: Indices, rules: RunRules, *, price: float = 0.0) -> Indices:
    """Add a column per start, with the rows that runs and rests need; what nothing is known of was off for long enough."""
    count, rest, was_on = on.size, rules.shortest_rest, float(bool(rules.was_on))
    # What is on at the start and stops rests for long enough too; for how long it has to stay off is in the bounds of ``on``.
    start = builder.add_columns(count, cost=price, upper=np.where(np.arange(count) < rest, 1.0 - was_on, 1.0))
    before = np.zeros(count)
    before[0] = was_on
    builder.add_rows(np.full(count, -np.inf), before, [(on, 1.0), (on[:-1], -1.0), (start, -1.0)])
    slots = np.arange(count)
    started = builder.add_windows(-np.inf, 0.0, start, (np.maximum(slots + 1 - rules.shortest_run, 0), slots + 1))
    builder.add_entries(started, on, -1.0)
    if 1 < rest < count:
        rested = builder.add_windows(-np.inf, 1.0, start, (slots[1 : count - rest + 1], slots[rest:] + 1))
        builder.add_entries(rested, on[:-rest], 1.0)
    return start


def add_longest_rest(builder: ModelBuilder, columns: tuple[Indices, Indices], rules: RunRules, *, price: float) -> Indices:
    """Let no rest be longer than it may; each slot in which it is has its price. Returns the columns of these slots."""
    on, start = columns
    gap, first = rules.longest_rest, max(rules.longest_rest - rules.rested, 0)
    begins = np.arange(max(on.size - gap, 1))
    ends = np.where(begins == 0, first, begins + gap) + 1  # the stretch at the horizon's begin goes on from before
    begins, ends = begins[ends <= on.size], ends[ends <= on.size]
    late = builder.add_columns(begins.size, cost=price, upper=1.0)
    rows = builder.add_windows(1.0, np.inf, start, (begins + 1, ends))
    builder.add_entries(rows, on[begins], 1.0)
    builder.add_entries(rows, late, 1.0)
    return late


@dataclass(frozen=True, slots=True)
class LoadColumns:
    """Where an appliance stands in the model: whether it is on per slot, and whether it has been off for too long; and what it may follow."""

    on: Indices
    too_long: Indices
    schedules: Schedules


def add_load(builder: ModelBuilder, demand: LoadDemand, ahead: LoadPricing) -> LoadColumns:
    """Add an appliance."""
    load, rules, slot_kwh = demand.load, demand.rules(ahead.hours), demand.load.power_kw * ahead.hours
    carried = ~ahead.bound(load) | (ahead.surplus_kwh >= slot_kwh - 1e-9)
    least, most = rules.bounds(demand.allowed * carried)
    cost, price = (ahead.tie - (load.extra_value or 0.0)) * slot_kwh, LOAD_SLACK * ahead.dearest
    on = builder.add_columns(most.size, cost=cost, lower=least, upper=most, integer=True)
    needs = [need for each in demand.needs if (need := _read_need(each, slot_kwh, most, rules=rules, price=price))]
    for need in needs:
        lacking = builder.add_columns(1, cost=need.price, upper=max(need.wanted, 0.0))
        builder.add_sum(need.wanted, need.most, [(on[need.first : need.end], need.share), (lacking, 1.0)])
    schedules = Schedules(cost, least, most, rules, needs, load.start_price, price)
    if rules.shortest_run == rules.shortest_rest == 1 and not rules.longest_rest and not load.start_price:
        return LoadColumns(on, on[:0], schedules)
    start = add_starts(builder, on, rules, price=load.start_price)
    too_long = add_longest_rest(builder, (on, start), rules, price=price) if rules.longest_rest else on[:0]
    return LoadColumns(on, too_long, schedules)


def _read_need(need: DayNeed, slot_kwh: FloatArray, most: FloatArray, *, rules: RunRules, price: float) -> SlotNeed | None:
    """Return a need's energy in slots, in whole ones where all are as long: then no relaxation gets by with a part of one. None: it asks for nothing."""
    within = slice(need.first, need.end)
    full = float(slot_kwh[within].max())
    share, wanted = slot_kwh[within] / full, need.need_kwh / full
    # What its slots cannot carry is missing whatever is planned: a price on it would only hide what else a plan costs.
    wanted = min(float(np.ceil(wanted - 1e-9)) if share.min() == 1.0 else wanted, float(share @ most[within]))
    highest = np.ceil(wanted - 1e-9) + _beyond(need, rules) if need.most_kwh is None else max(need.most_kwh / full, wanted, rules.stays)
    return SlotNeed(need.first, share, wanted, float(highest), price * full) if wanted > 0 or highest < share.size else None


def _beyond(need: DayNeed, rules: RunRules) -> float:
    """Return how many slots more than it needs it may be on: what heats must not become a way to burn energy that is paid for."""
    runs = (need.end - need.first) // (rules.longest_rest + 1) + 1 if rules.longest_rest else 1
    return float(max(runs * rules.shortest_run - 1, rules.stays))


@dataclass(frozen=True, slots=True)
class CycleColumns:
    """Where a programme stands in the model: what it uses per slot, and whether each of its runs is missed."""

    use: Indices
    missed: Indices


def add_cycle(builder: ModelBuilder, demand: CycleDemand, ahead: LoadPricing) -> CycleColumns:
    """Add a programme: no run is split, and what runs at the start runs on."""
    use = builder.add_columns(demand.running_kwh.size, cost=0.0, lower=demand.running_kwh, upper=demand.most_kwh)
    used = builder.add_rows(demand.running_kwh, demand.running_kwh, [(use, 1.0)])
    bound = ahead.bound(demand.load)
    missed = [np.empty(0, dtype=np.int32)]
    for run in demand.runs:
        fits = ~(run.use_kwh > np.where(bound, ahead.surplus_kwh, np.inf) + 1e-9).any(axis=1)
        starts = builder.add_columns(run.use_kwh.shape[0], cost=run.use_kwh @ ahead.tie, upper=fits.astype(float), integer=True)
        # A run that may wait beyond the horizon will cost what a kWh costs on the average.
        price = max(ahead.mean_price, 0.0) if run.open else LOAD_SLACK * ahead.dearest
        skipped = builder.add_columns(1, cost=price * demand.energy_kwh, upper=1.0)
        builder.add_sum(1.0, 1.0, [(starts, 1.0), (skipped, 1.0)])
        start, slot = np.nonzero(run.use_kwh)
        builder.add_entries(used[slot], starts[start], -run.use_kwh[start, slot])
        missed.append(skipped)
    return CycleColumns(use, np.concatenate(missed))


@dataclass(frozen=True, slots=True)
class SurplusLoad:
    """What uses energy: its columns, kWh per slot for each at 1, the most they are, and the slots in which it may take surplus alone."""

    columns: Indices
    kwh: FloatArray
    most: FloatArray
    bound: BoolArray


def share_surplus(builder: ModelBuilder, takers: Sequence[SurplusLoad], surplus_kwh: FloatArray) -> None:
    """Keep takers within the surplus, where there are several; what one may take alone is in its bounds."""
    wanted = np.array([taker.kwh * taker.most * taker.bound for taker in takers]).reshape(-1, surplus_kwh.size)
    crowded = np.flatnonzero(((wanted > 0).sum(axis=0) > 1) & (wanted.sum(axis=0) > surplus_kwh + 1e-9))
    if not crowded.size:
        return
    rows = builder.add_rows(np.full(crowded.size, -np.inf), surplus_kwh[crowded], [])
    for taker, most in zip(takers, wanted, strict=True):
        takes = most[crowded] > 0
        builder.add_entries(rows[takes], taker.columns[crowded][takes], taker.kwh[crowded][takes])


# What it costs that a store is too cold or too warm by what a kWh of heat makes of it, per hour, as a multiple of the dearest price.
COMFORT_SLACK = 60.0


@dataclass(frozen=True, slots=True)
class HeatColumns:
    """Where a heat pump stands in the model: the electricity it uses per slot."""

    use: Indices


def add_heat_pump(builder: ModelBuilder, demand: HeatDemand, ahead: LoadPricing) -> HeatColumns:
    """Add a heat pump with its store: between its powers where it is known to be on, anything up to its power where that is open."""
    most = demand.rules(ahead.hours).bounds(np.ones(ahead.hours.size))[1] if demand.on is None else demand.on
    upper = most * demand.pump.power_kw * ahead.hours
    columns = HeatColumns(builder.add_columns(upper.size, cost=ahead.tie, lower=demand.forced_kwh(ahead.hours), upper=upper))
    _add_store(builder, demand, columns, ahead)
    return columns


def _add_store(builder: ModelBuilder, demand: HeatDemand, columns: HeatColumns, ahead: LoadPricing) -> None:
    """Add the store's temperature as what lies within what it can keep to, less what is too cold, plus what is too warm."""
    count, store, warming = ahead.hours.size, demand.pump.store, demand.warming
    worth = np.zeros(count)
    worth[-1] = -ahead.left_price * store.capacity_kwh_per_k / float(demand.cop.mean())
    inside = builder.add_columns(count, cost=worth, lower=demand.aim_c, upper=demand.most_c)
    slack = COMFORT_SLACK * ahead.dearest * store.capacity_kwh_per_k * ahead.hours
    cold, warm = (builder.add_columns(count, cost=slack, upper=np.inf) for _ in range(2))
    drift = np.array(warming.drift_c)
    drift[0] += warming.keep[0] * demand.start_c
    keep = warming.keep[1:]
    before = [(inside[:-1], -keep), (cold[:-1], keep), (warm[:-1], -keep)]
    heat = (columns.use, -warming.per_kwh * demand.cop)
    builder.add_rows(drift, drift, [(inside, 1.0), (cold, -1.0), (warm, 1.0), *before, heat])


# What waiting for the whole horizon costs, as a share of the dearest price: of equal slots the earlier is taken, the same ones each time. Less, and
# the solver does not tell them apart.
_WAITING = 1e-4


@dataclass(frozen=True, slots=True)
class ApplianceColumns:
    """Where appliances stand in a model, in the order of the problem's wishes; ``blocks`` hold each appliance's rows that tie nothing else."""

    loads: tuple[LoadColumns, ...]
    programmes: tuple[CycleColumns, ...]
    heat_pumps: tuple[HeatColumns, ...]
    blocks: tuple[ScheduleBlock, ...]

    def terms(self, problem: Problem) -> list[Term]:
        """Return what they add to the use of each slot, as terms of the balance."""
        hours = problem.outlook.timeline.hours
        running: list[Term] = [(columns.on, -demand.load.power_kw * hours) for columns, demand in zip(self.loads, problem.demands.loads, strict=True)]
        return [*running, *((columns.use, -1.0) for columns in self.programmes), *((columns.use, -1.0) for columns in self.heat_pumps)]

    def read_programmes(self, column: FloatArray, slots: int) -> ScheduledCycles:
        """Return what a solved model gives programmes."""
        use = np.array([column[each.use] for each in self.programmes]).reshape(-1, slots)
        return ScheduledCycles(np.where(use > 1e-6, use, 0.0), tuple(np.round(column[each.missed]) for each in self.programmes))

    def read_heat(self, column: FloatArray, slots: int) -> FloatArray:
        """Return the electricity that a solved model gives heat pumps, without the solver's dust, shape ``(heat pumps, slots)``."""
        use = np.array([column[each.use] for each in self.heat_pumps]).reshape(-1, slots)
        return np.where(use > 1e-6, use, 0.0)


def look_ahead(problem: Problem) -> LoadPricing:
    """Return what appliances look at."""
    outlook, dearest = problem.outlook, dearest_price(problem)
    surplus, mean = problem.surplus_kwh, float(outlook.import_price.mean())
    tie = _WAITING * dearest * np.arange(outlook.timeline.count) / outlook.timeline.count
    return LoadPricing(outlook.timeline.hours, surplus, problem.paid.outlook.import_price, tie, dearest, mean, TERMINAL_SHARE * max(mean, 0.0))


def add_appliances(builder: ModelBuilder, problem: Problem, ahead: LoadPricing) -> ApplianceColumns:
    """Add the columns and rows of every appliance, programme and heat pump."""
    demands = problem.demands
    loads, blocks = [], []
    for demand in demands.loads:
        columns, rows = builder.columns, builder.rows
        loads.append(add_load(builder, demand, ahead))
        blocks.append(ScheduleBlock(slice(columns, builder.columns), slice(rows, builder.rows), loads[-1].on, loads[-1].schedules))
    heat_pumps = tuple(add_heat_pump(builder, demand, ahead) for demand in demands.heat_pumps)
    programmes = tuple(add_cycle(builder, demand, ahead) for demand in demands.programmes)
    # What runs on does so without surplus, too, and is none of those that share it.
    takers = [
        SurplusLoad(each.on, demand.load.power_kw * ahead.hours, demand.allowed, ahead.bound(demand.load) & (demand.forced_kwh(ahead.hours) == 0))
        for each, demand in zip(loads, demands.loads, strict=True)
    ]
    takers += [
        SurplusLoad(each.use, np.ones(ahead.hours.size), demand.most_kwh, ahead.bound(demand.load) & (demand.running_kwh == 0))
        for each, demand in zip(programmes, demands.programmes, strict=True)
    ]
    share_surplus(builder, takers, ahead.surplus_kwh)
    return ApplianceColumns(tuple(loads), programmes, heat_pumps, tuple(blocks))


def most_used_kwh(demands: Demands, hours: FloatArray) -> FloatArray:
    """Return what all of them draw at most, shape ``(slots,)``."""
    loads = sum(demand.load.power_kw for demand in demands.loads) * hours
    pumps = sum(demand.pump.power_kw for demand in demands.heat_pumps) * hours
    return sum((demand.most_kwh for demand in demands.programmes), loads + pumps)
