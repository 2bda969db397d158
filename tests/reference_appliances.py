"""Appliances in the model written for readers: what one may do, a sentence and a constraint at a time."""

import math
from collections.abc import Sequence
from typing import Protocol

import pulp

from luna.timeline import FloatArray
from services.planner.placing.wishes import LoadWish

Quantity = Sequence[pulp.LpVariable]


class Model(Protocol):
    """What the model offers that appliances are added to."""

    problem: pulp.LpProblem
    slots: range
    hours: FloatArray
    beside: list[pulp.LpAffineExpression]

    def quantity(self, name: str) -> Quantity: ...
    def choice(self, name: str) -> Quantity: ...


def run_load(model: Model, wish: LoadWish) -> list[pulp.LpAffineExpression]:
    """An appliance is on or off, gets its energy each day in whole slots and hardly more, and is never off for too long nor on too briefly.

    Returns what it uses per slot.
    """
    on, power = model.choice(f"on_{wish.load.name}"), [wish.load.power_kw * hours for hours in model.hours]
    gap, run = round(wish.load.max_gap_hours / model.hours[0]), max(round(wish.load.min_on_minutes / 60 / model.hours[0]), 1)
    spaced = wish.load.max_gap_hours < 24 and wish.load.energy_kwh_per_day > 0
    for need in wish.needs:
        wanted, runs = math.ceil(need.need_kwh / power[need.first] - 1e-9), (need.end - need.first) // (gap + 1) + 1 if spaced else 1
        model.problem += pulp.lpSum(on[need.first : need.end]) >= wanted
        model.problem += pulp.lpSum(on[need.first : need.end]) <= wanted + runs * run - 1
    if spaced:
        model.problem += pulp.lpSum(on[: max(gap - round(wish.off_hours / model.hours[0]), 0) + 1]) >= 1
        for slot in range(len(model.slots) - gap):
            model.problem += pulp.lpSum(on[slot : slot + gap + 1]) >= 1
    for slot in model.slots:
        for later in range(slot + 1, min(slot + run, len(model.slots))):
            model.problem += on[later] >= on[slot] - (on[slot - 1] if slot else 0)
    return [on[slot] * power[slot] for slot in model.slots]
