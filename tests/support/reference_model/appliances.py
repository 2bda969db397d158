"""Appliances in the model written for readers: what one may do, a sentence and a constraint at a
time.
"""

import math
from collections.abc import Sequence
from typing import Protocol

import pulp

from luna.energy.devices.appliance import DeferrableLoad
from luna.energy.outlook import Outlook
from luna.energy.timeline import FloatArray
from services.planner.devices.appliance.cycle import CycleDemand
from services.planner.devices.appliance.load import DayNeed, LoadDemand
from services.planner.devices.heat_pump import COMFORT_SLACK, HeatDemand
from services.planner.devices.kind import Demand
from services.planner.problem.build import TERMINAL_SHARE

Quantity = Sequence[pulp.LpVariable]


class Model(Protocol):
    """What the model offers that appliances are added to."""

    problem: pulp.LpProblem
    outlook: Outlook
    slots: range
    hours: FloatArray
    beside: list[pulp.LpAffineExpression]

    def quantity(self, name: str) -> Quantity: ...
    def choice(self, name: str) -> Quantity: ...


def run_appliances(
    model: Model, demands: Sequence[Demand]
) -> list[Sequence[pulp.LpAffineExpression]]:
    """Return what each appliance and programme uses per slot."""
    loads = [
        (demand.load, run_load(model, demand))
        for demand in demands
        if isinstance(demand, LoadDemand)
    ]
    programmes = [
        (demand.load, run_programme(model, demand))
        for demand in demands
        if isinstance(demand, CycleDemand)
    ]
    share_surplus(model, loads + programmes)
    return [
        *(used for _, used in loads + programmes),
        *(heat(model, demand) for demand in demands if isinstance(demand, HeatDemand)),
    ]


def run_load(model: Model, demand: LoadDemand) -> list[pulp.LpAffineExpression]:
    """An appliance is on or off, on where it may be, and gets its energy in whole slots.

    Returns what it uses per slot; slots are equally long.
    """
    on = model.choice(f"on_{demand.load.name}")
    power = demand.load.power_kw * model.hours[0]
    rested = switch(model, demand, on)
    for slot in model.slots:
        if (
            not (demand.allowed[slot] and may_take(model, demand.load, slot, power))
            and slot >= rested
        ):
            model.problem += on[slot] == 0
        model.beside.append(-(demand.load.extra_value or 0.0) * power * on[slot])
    for need in demand.needs:
        count = pulp.lpSum(on[need.first : need.end])
        able = [
            demand.allowed[slot] and may_take(model, demand.load, slot, power)
            for slot in range(need.first, need.end)
        ]
        model.problem += count >= min(math.ceil(need.need_kwh / power - 1e-9), sum(map(bool, able)))
        model.problem += count <= most_slots(model, demand, need)
    return [on[slot] * power for slot in model.slots]


def may_take(model: Model, load: DeferrableLoad, slot: int, energy_kwh: float) -> bool:
    """Where a kWh is too dear, or only surplus counts, there is surplus enough."""
    bound = load.surplus_only or (
        load.price_limit is not None and model.outlook.import_price[slot] > load.price_limit
    )
    return (
        not bound
        or energy_kwh <= max(model.outlook.pv_kwh[slot] - model.outlook.load_kwh[slot], 0.0) + 1e-9
    )


def share_surplus(
    model: Model, used: Sequence[tuple[DeferrableLoad, Sequence[pulp.LpAffineExpression]]]
) -> None:
    """What takes surplus alone takes no more than there is, all of it together."""
    for slot in model.slots:
        takers = [
            each[slot] for load, each in used if not may_take(model, load, slot, float("inf"))
        ]
        model.problem += (
            pulp.lpSum(takers)
            <= max(model.outlook.pv_kwh[slot] - model.outlook.load_kwh[slot], 0.0) + 1e-9
        )


def most_slots(model: Model, demand: LoadDemand, need: DayNeed) -> float:
    """Hardly more than it needs, as much as it takes where more has a worth."""
    power = demand.load.power_kw * model.hours[0]
    wanted = math.ceil(need.need_kwh / (demand.load.power_kw * model.hours[0]) - 1e-9)
    if need.most_kwh is not None:
        return max(min(need.most_kwh / power, len(model.slots)), wanted)
    gap = round(demand.load.max_gap_hours / model.hours[0])
    run = max(math.ceil(demand.load.min_on_minutes / 60 / model.hours[0]), 1)
    runs = (need.end - need.first) // (gap + 1) + 1 if is_spaced(demand) else 1
    return wanted + runs * run - 1


def is_spaced(demand: LoadDemand) -> bool:
    return demand.load.max_gap_hours < 24 and demand.load.energy_kwh_per_day > 0


def switch(model: Model, demand: LoadDemand, on: Quantity) -> int:
    """Runs and rests are long enough, rests not too long, and each start has its price.

    Returns for how many slots it stays as it is.
    """
    load = demand.load
    step = model.hours[0]
    start = model.choice(f"start_{load.name}")
    run, rest = (
        max(math.ceil(minutes / 60 / step), 1)
        for minutes in (load.min_on_minutes, load.min_off_minutes)
    )
    was_on = 1 if demand.on_hours else 0
    sessions = math.ceil(
        max(
            (run * step - demand.on_hours)
            if was_on
            else (rest * step - demand.off_hours)
            if demand.off_hours
            else 0.0,
            0.0,
        )
        / step
    )
    for slot in model.slots:
        before = on[slot - 1] if slot else was_on
        model.problem += start[slot] >= on[slot] - before
        model.beside.append(load.start_price * start[slot])
        for later in range(slot, min(slot + run, len(model.slots))):
            model.problem += on[later] >= on[slot] - before
        for later in range(slot, min(slot + rest, len(model.slots))):
            model.problem += on[later] <= 1 - before + on[slot]
    for slot in range(sessions):
        model.problem += on[slot] == was_on
    if is_spaced(demand):
        gap = round(load.max_gap_hours / step)
        model.problem += pulp.lpSum(on[: max(gap - math.ceil(demand.off_hours / step), 0) + 1]) >= 1
        for slot in range(len(model.slots) - gap):
            model.problem += pulp.lpSum(on[slot : slot + gap + 1]) >= 1
    return sessions


def run_programme(model: Model, demand: CycleDemand) -> list[pulp.LpAffineExpression]:
    """Each run begins once, in a slot that lets it end in time, and goes through.

    What runs already goes on. Returns what it uses per slot.
    """
    used = [pulp.LpAffineExpression(constant=float(energy)) for energy in demand.running_kwh]
    for place, run in enumerate(demand.runs):
        begins = [
            model.problem.add_variable(
                f"begin_{demand.load.name}_{place}_{start}", cat=pulp.LpBinary
            )
            for start in range(run.use_kwh.shape[0])
        ]
        model.problem += pulp.lpSum(begins) == 1
        for begin, energies in zip(begins, run.use_kwh, strict=True):
            if not all(
                may_take(model, demand.load, slot, energies[slot])
                for slot in model.slots
                if energies[slot] > 0
            ):
                model.problem += begin == 0
            used = [
                each + begin * float(energy) for each, energy in zip(used, energies, strict=True)
            ]
    return used


def heat(model: Model, demand: HeatDemand) -> Sequence[pulp.LpAffineExpression]:
    """A heat pump is off or between its powers.

    Its store is as warm as heat, losses and demand make it, and too cold or too warm at a price.

    Its runs and rests are left out. Returns the electricity it uses per slot.
    """
    pump = demand.pump
    store = demand.pump.store
    step = float(model.hours[0])
    name = demand.pump.name
    on = model.choice(f"on_{name}")
    power = model.quantity(f"power_{name}")
    cold = model.quantity(f"cold_{name}")
    warm = model.quantity(f"warm_{name}")
    dearest = max(abs(model.outlook.import_price).max(), abs(model.outlook.export_price).max(), 0.1)
    temperature: pulp.LpAffineExpression | float = demand.start_c
    for slot in model.slots:
        model.problem += power[slot] <= pump.power_kw * step * on[slot]
        model.problem += power[slot] >= pump.min_power_kw * step * on[slot]
        warming = demand.warming
        temperature = (
            warming.keep[slot] * temperature
            + warming.per_kwh[slot] * demand.cop[slot] * power[slot]
            + warming.drift_c[slot]
        )
        model.problem += temperature + cold[slot] >= demand.aim_c[slot]
        model.problem += temperature - warm[slot] <= demand.most_c[slot]
        model.beside.append(
            COMFORT_SLACK * dearest * store.capacity_kwh_per_k * step * (cold[slot] + warm[slot])
        )
    left = temperature + cold[model.slots[-1]] - warm[model.slots[-1]]
    price = TERMINAL_SHARE * max(float(model.outlook.import_price.mean()), 0.0)
    model.beside.append(-price * store.capacity_kwh_per_k / float(demand.cop.mean()) * left)
    return power
