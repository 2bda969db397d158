"""Declare battery constraints besides power and state of charge.

They are least charge, depth of cycles, taper and cycles per day.

A declaration has the batteries with the constraint, its rows in the model, and whether the value
function accounts for it. One that a plan may miss also measures by how much, and marks the slots
where it binds; reasons of an idle battery name it there (``luna.words``).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal
from zoneinfo import ZoneInfo

import numpy as np

from luna.energy.devices.battery import Battery
from luna.energy.economics.depth_wear import DepthSegments
from luna.energy.physics.mode import BoolArray
from luna.energy.physics.simulation import Flows
from luna.energy.timeline import FloatArray, split_days
from services.planner.linear.model import Indices, ModelBuilder, Term
from services.planner.problem.problem import Problem

# The value function and a constraint: ``never`` applicable; ``roughly``, of a battery without it;
# ``where_kept``: its plan is optimal if it keeps it anyway.
Valued = Literal["never", "roughly", "where_kept"]
_NOTHING_KWH = 1e-6


def carry_today(problem: Problem, discharge_kwh: FloatArray) -> FloatArray:
    """Return each battery's discharge since local midnight, ``(batteries,)``.

    That is after the first slots of a problem.

    Args:
        problem: the problem.
        discharge_kwh: in its first slots, ``(batteries, fewer slots)``.
    """
    count = discharge_kwh.shape[1]
    edges = split_days(problem.outlook.timeline, ZoneInfo(problem.site.timezone))
    midnight = [edge for edge in edges if edge <= count][-1]
    discharged = discharge_kwh[:, midnight:].sum(axis=1)
    today = problem.storage.discharged_today_kwh
    if midnight == 0 and today is not None:
        discharged = discharged + today
    return np.asarray(discharged)


def _adds_nothing(builder: ModelBuilder, problem: Problem, columns: Indices, index: int) -> None:
    """Add no rows: the constraint is built elsewhere in the model."""


@dataclass(frozen=True, slots=True)
class BatteryConstraint:
    """A constraint of batteries.

    ``code`` names it in reasons. ``applies`` selects its batteries. ``add_rows`` adds it to the
    model of the problem's battery ``index``, whose columns are charge, discharge and stored energy
    as rows of slots. ``missed_kwh`` returns the total by which flows miss it, ``at_work`` the slots
    in which it binds, ``(slots,)``.
    """

    code: str
    applies: Callable[[Battery], bool]
    valued: Valued
    add_rows: Callable[[ModelBuilder, Problem, Indices, int], None] = _adds_nothing
    missed_kwh: Callable[[Problem, Flows, int], float] | None = None
    at_work: Callable[[Problem, Flows, int], BoolArray] | None = None


# --- charging power that falls towards full -------------------------------------------------------


def _add_taper(builder: ModelBuilder, problem: Problem, columns: Indices, index: int) -> None:
    battery = problem.site.batteries[index]
    charge, _, stored = columns
    power = battery.charge_limit_kw * problem.outlook.timeline.hours
    steepness = (
        power
        * (1.0 - battery.taper_to_share)
        / ((1.0 - battery.taper_from_soc) * battery.capacity_kwh)
    )
    most = power + steepness * battery.taper_from_soc * battery.capacity_kwh
    most[0] -= steepness[0] * problem.stored_kwh[index]
    # charge[t] + steepness[t] * stored[t-1] <= most[t]
    builder.add_rows(
        np.full(stored.size, -np.inf), most, [(charge, 1.0), (stored[:-1], steepness[1:])]
    )


# --- wear that depends on the depth of cycles -----------------------------------------------------


def _add_depth(builder: ModelBuilder, problem: Problem, columns: Indices, index: int) -> None:
    """Split stored energy and discharge into segments of depth.

    Deeper ones are no cheaper, so the shallowest go first without binaries.

    The storage row is unchanged, so its dual is the value of a charged kWh, which enters the
    shallowest segment with room.
    """
    battery = problem.site.batteries[index]
    _, discharge, stored = columns
    segments = DepthSegments.of(battery)
    begin = np.diff(segments.fill(np.array(float(problem.stored_kwh[index]))), prepend=0.0)
    stored_terms: list[Term] = [(stored, -1.0)]
    drawn_terms: list[Term] = [(discharge, -1.0 / battery.discharge_efficiency)]
    for width, price, first in zip(segments.width_kwh, segments.price, begin, strict=True):
        inside = builder.add_columns(stored.size, cost=0.0, upper=width)
        put_in = builder.add_columns(stored.size, cost=0.0, upper=width)
        drawn = builder.add_columns(stored.size, cost=price, upper=width)
        before: FloatArray = np.zeros(stored.size)
        before[0] = first
        # inside[t] - inside[t-1] - put_in[t] + drawn[t] = 0
        builder.add_rows(
            before,
            before,
            [(inside, 1.0), (inside[:-1], -1.0), (put_in, -1.0), (drawn, 1.0)],
            name="segment",
        )
        stored_terms.append((inside, 1.0))
        drawn_terms.append((drawn, 1.0))
    nothing = np.zeros(stored.size)
    # sum of inside[t] = stored[t]
    builder.add_rows(nothing, nothing, stored_terms, name="segments hold stored energy")
    # sum of drawn[t] = discharge[t] / efficiency
    builder.add_rows(nothing, nothing, drawn_terms, name="segments give discharge")


# --- full cycles a local day ----------------------------------------------------------------------


def _cycle_room(problem: Problem, index: int) -> Iterator[tuple[slice, float]]:
    """Yield each local day's slots and a battery's remaining discharge in them, kWh."""
    battery = problem.site.batteries[index]
    today = problem.storage.discharged_today_kwh
    most = (battery.max_cycles_per_day or 0.0) * battery.usable_kwh
    edges = split_days(problem.outlook.timeline, ZoneInfo(problem.site.timezone))
    for number, (first, end) in enumerate(pairwise(edges)):
        before = 0.0 if number or today is None else float(today[index])
        yield slice(first, end), max(most - before, 0.0)


def _add_cycles(builder: ModelBuilder, problem: Problem, columns: Indices, index: int) -> None:
    for day, room in _cycle_room(problem, index):
        # sum of discharge over the day <= room
        builder.add_sum(-np.inf, room, [(columns[1][day], 1.0)])


def _missed_cycles(problem: Problem, flows: Flows, index: int) -> float:
    missed = 0.0
    for day, room in _cycle_room(problem, index):
        missed += max(float(flows.discharge_kwh[index, day].sum()) - room, 0.0)
    return missed


def _cycles_at_work(problem: Problem, flows: Flows, index: int) -> BoolArray:
    used = np.zeros(flows.discharge_kwh.shape[1], dtype=bool)
    for day, room in _cycle_room(problem, index):
        used[day] = flows.discharge_kwh[index, day].sum() >= room - _NOTHING_KWH
    return used


def _has_least_charge(battery: Battery) -> bool:
    return battery.min_charge_kw > 0


def _wears_by_depth(battery: Battery) -> bool:
    return bool(battery.wear_by_depth)


def _tapers(battery: Battery) -> bool:
    return battery.taper_from_soc < 1.0 and battery.taper_to_share < 1.0


def _limits_cycles(battery: Battery) -> bool:
    return battery.max_cycles_per_day is not None


BATTERY_CONSTRAINTS = (
    BatteryConstraint("least_charge", _has_least_charge, "roughly"),
    BatteryConstraint("depth_wear", _wears_by_depth, "roughly", _add_depth),
    BatteryConstraint("taper", _tapers, "roughly", _add_taper),
    BatteryConstraint(
        "cycles",
        _limits_cycles,
        "where_kept",
        _add_cycles,
        _missed_cycles,
        _cycles_at_work,
    ),
)


def list_constraints(problem: Problem) -> Iterator[tuple[int, BatteryConstraint]]:
    """Yield every constraint with the index of its battery."""
    for index, battery in enumerate(problem.site.batteries):
        for constraint in BATTERY_CONSTRAINTS:
            if constraint.applies(battery):
                yield index, constraint


def missed_kwh(problem: Problem, flows: Flows) -> float:
    """Return by how many kWh flows miss the constraints of all batteries."""
    missed = 0.0
    for index, constraint in list_constraints(problem):
        if constraint.missed_kwh is not None:
            missed += constraint.missed_kwh(problem, flows, index)
    return missed


def find_at_work(problem: Problem, flows: Flows) -> dict[str, BoolArray]:
    """Return the binding slots by constraint code, each ``(batteries, slots)``."""
    masks: dict[str, BoolArray] = {}
    for index, constraint in list_constraints(problem):
        if constraint.at_work is None:
            continue
        if constraint.code not in masks:
            masks[constraint.code] = np.zeros(flows.charge_kwh.shape, dtype=bool)
        masks[constraint.code][index] = constraint.at_work(problem, flows, index)
    return masks
