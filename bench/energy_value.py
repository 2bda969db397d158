"""The value of stored energy alone: 140 slots (35 h) of one battery, one path, 15 paths, and a
thousand sites.

Run as ``python -m bench.energy_value``. ``floor_ms`` is HiGHS on the same horizon as a linear model
kept between calls, which returns V′ at one state of charge; the dynamic programme returns it for
all.
"""

import json
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from bench.cases import load_cases
from bench.timing import compare, describe, race
from luna.contracts.plan import PlanRequest
from luna.energy.timeline import FloatArray, Timeline
from services.planner.compiled import load_kernels
from services.planner.dp.plan import BatteryValue
from services.planner.dp.planner import terminal_segments, weigh_scenarios
from services.planner.dp.segments import Segments, SlotCourse, slot_segments
from services.planner.dp.value import mean_values, solve_value
from services.planner.linear.model import LinearModel
from services.planner.milp.directions import FlowDirections
from services.planner.milp.formulation import formulate
from services.planner.milp.solver import Solver
from services.planner.problem.build import build_problem
from services.planner.problem.problem import Problem, Uncertainty
from services.planner.problem.scenarios import ScenarioSet

SLOTS = 140
PATHS = 15
SITES = 1_000
# Half a kWh of the cases' batteries.
CELLS = 20
# What is read between two plans.
HOUR = 4
ROUNDS = 50
FULL_ROUNDS = 300


@dataclass(frozen=True, slots=True)
class Entry:
    """One site: its problem, and its segments on one path and on many."""

    problem: Problem
    uncertain: Problem
    value: BatteryValue
    capacity_kwh: float
    terminal: tuple[FloatArray, FloatArray]
    path: Segments
    paths: Segments
    model: LinearModel


def measure(*, full: bool = False) -> dict[str, Any]:
    """Return milliseconds per site, from slots to V′ and from segments to V′."""
    load_kernels()
    cases = load_cases()
    convex = [
        request for place, request in enumerate(cases.requests) if place not in cases.negative
    ]
    entries = [
        _enter(request, np.random.default_rng(place)) for place, request in enumerate(convex)
    ]
    kept = Solver()
    times = race(
        {
            "one_path": lambda entry: solve_value(
                entry.path, capacity_kwh=entry.capacity_kwh, terminal=entry.terminal
            ),
            "paths": lambda entry: _mean(entry, entry.paths),
            "scenarios": lambda entry: weigh_scenarios(entry.uncertain, entry.value, slots=HOUR),
            "segments": lambda entry: _segment(entry.problem, paths=None),
            "highs_kept": lambda entry: kept.solve(entry.model),
        },
        entries,
        rounds=FULL_ROUNDS if full else ROUNDS,
    )
    fleet = _segment(entries[0].problem, paths=np.random.default_rng(0), count=SITES)
    fleet_times = race({"sites": lambda entry: _mean(entry, fleet)}, entries[:1], rounds=ROUNDS)[
        "sites"
    ]
    return {
        "slots": SLOTS,
        **describe(times["one_path"]),
        "floor_ms": float(np.median(times["highs_kept"])),
        "ratio_to_floor": compare(times["one_path"], times["highs_kept"]),
        **describe(times["segments"], prefix="segments_"),
        "paths": PATHS,
        **describe(times["paths"], prefix="paths_"),
        **describe(times["scenarios"], prefix="courses_"),
        "sites": SITES,
        "sites_ms": float(np.median(fleet_times)),
        "sites_per_s": SITES / float(np.median(fleet_times)) * 1e3,
    }


def _enter(request: PlanRequest, rng: np.random.Generator) -> Entry:
    problem = _shorten(build_problem(request))
    battery = problem.limits.batteries
    model = formulate(problem, FlowDirections.free(1, SLOTS)).model
    capacity = float(battery.max_kwh[0, 0] - battery.min_kwh[0, 0])
    terminal = terminal_segments(problem)
    path = _segment(problem, paths=None)
    function = solve_value(path, capacity_kwh=capacity, terminal=terminal)
    return Entry(
        problem=problem,
        uncertain=replace(
            problem,
            uncertainty=Uncertainty(
                ScenarioSet(np.full(PATHS, 1 / PATHS), *_err(problem, rng, PATHS))
            ),
        ),
        value=BatteryValue(function, function.thresholds(path.levels), path),
        capacity_kwh=capacity,
        terminal=terminal,
        path=path,
        paths=_segment(problem, paths=rng, count=PATHS),
        model=model,
    )


def _shorten(problem: Problem) -> Problem:
    outlook = problem.outlook
    cut = {
        name: getattr(outlook, name)[:SLOTS]
        for name in ("load_kwh", "pv_kwh", "import_price", "export_price")
    }
    ahead = type(outlook)(Timeline(outlook.timeline.start, outlook.timeline.step, SLOTS), **cut)
    return Problem(problem.site, ahead, problem.stored_kwh, problem.terminal, problem.limits)


def _segment(problem: Problem, *, paths: np.random.Generator | None, count: int = 1) -> Segments:
    """Return the slots' segments.

    With a generator, of ``count`` paths whose load and PV are off by some percent.
    """
    outlook = problem.outlook
    load = outlook.load_kwh
    pv = outlook.pv_kwh
    if paths is not None:
        load, pv = _err(problem, paths, count)
    return slot_segments(
        problem.site,
        SlotCourse(load, pv, outlook.import_price, outlook.export_price, outlook.timeline.hours),
    )


def _err(problem: Problem, rng: np.random.Generator, count: int) -> tuple[FloatArray, FloatArray]:
    load, pv = (
        energy * np.repeat(rng.normal(1.0, 0.2, (count, SLOTS // 4)).clip(0.0), 4, axis=1)
        for energy in (problem.outlook.load_kwh, problem.outlook.pv_kwh)
    )
    return load, pv


def _mean(entry: Entry, segments: Segments) -> FloatArray:
    return np.asarray(
        mean_values(
            segments, capacity_kwh=entry.capacity_kwh, terminal=entry.terminal, cells=CELLS
        ).mean(axis=0)
    )


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
