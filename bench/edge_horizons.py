"""How far and how finely labels have to look: what cameras keep of the whole future's worth that decide by labels all the time, on weeks held out.

Run as ``python -m bench.edge_horizons``. Every half a minute a camera takes the optimal first decision of a horizon, with what really followed. ``kept`` is
what that saves of dirty energy over charging at any time, as a share of what one plan over all days saves.
"""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from luna.timeline import FloatArray
from services.edge.camera import NO_MODEL
from services.edge.clean_share import DAY_SLOTS, STEP_MINUTES, IntArray, held_out_weeks
from services.edge.config import EdgeConfig, OptimizationSection
from services.edge.lab import DataFolders, Lab, open_lab
from services.edge.labels.dynamic_programme import load_kernels, solve_problems
from services.edge.labels.problem import LARGE_MISS_WH, QUANTA, SMALL_MISS_WH, build_problem
from services.edge.scenarios import CameraScenarios, draw_batch

SEED = 1
# Steps and their minutes: four hours, and days.
SHORT = ((48, 5), (48, 30), (24, 60))
FULL = (*SHORT, (288, 5), (48, 15), (48, 60))
DECISIONS = 10


@dataclass(frozen=True, slots=True)
class Run:
    """Cameras, each from the begin of a held-out week on, and how many days they run."""

    cameras: CameraScenarios
    shares: FloatArray
    days: int

    @property
    def slots(self) -> int:
        """How many five-minute slots they run."""
        return self.days * DAY_SLOTS


def measure(*, full: bool = False) -> dict[str, Any]:
    """Return by horizon the dirty share of what cameras use, and which share of the whole future's worth they keep."""
    load_kernels()
    lab = _open(SHORT[0])
    run = draw_run(lab, cameras=4 if full else 1, days=3 if full else 1)
    used_wh, mean = use_energy(lab, run), (1 - run.shares[:, : run.slots]).mean(axis=1)
    whole = OptimizationSection.model_construct(solver="dp", parallel_workers=1, horizon_steps=run.slots, step_minutes=STEP_MINUTES)
    best = replace(run.cameras, ahead=run.shares[:, : run.slots])
    oracle = solve_problems(build_problem(_with(lab, whole), best)).objective_wh + mean * run.cameras.capacity_wh / 2
    worth = float((mean * used_wh - oracle).sum())
    figures = {}
    for steps, minutes in FULL if full else SHORT:
        cost = follow(_open((steps, minutes)), run, mean)
        figures[f"{steps}x{minutes}"] = {"dirty_share": float(cost.sum() / used_wh.sum()), "kept": float((mean * used_wh - cost).sum()) / worth}
    return {
        "cameras": len(mean), "days": run.days, "seed": SEED, "stand_ins": True,
        "at_any_time": {"dirty_share": float((mean * used_wh).sum() / used_wh.sum())},
        "whole_future": {"dirty_share": float(oracle.sum() / used_wh.sum())},
        "horizons": figures,
    }  # fmt: skip


def draw_run(lab: Lab, *, cameras: int, days: int) -> Run:
    """Return so many cameras per location and season, half full."""
    sources = lab.config.data_sources
    begins = [(location, held_out_weeks(season)[0]) for location in sources.locations for season in sources.seasons for _ in range(cameras)]
    drawn = draw_batch(lab, 0)
    kept = {name: getattr(drawn, name)[: len(begins)] for name in ("number", "season", "capacity_wh", "charge_rate_w", "accuracy", "latency_ms")}
    # As far as the longest horizon looks from the last slot.
    width = days * DAY_SLOTS + 2 * DAY_SLOTS
    shares = np.array([lab.clean_shares[location].share[begin : begin + width] for location, begin in begins])
    slot, location = np.array([begin for _, begin in begins]), np.array([sources.locations.index(location) for location, _ in begins])
    half = np.full(len(begins), 50.0)
    drawn = CameraScenarios(**kept, slot=slot, location=location, battery_percent=half, clean_share=shares[:, 0], ahead=shares, expected=shares)
    return Run(drawn, shares, days)


def use_energy(lab: Lab, run: Run) -> FloatArray:
    """Return what the smallest models that fulfil take out of the batteries over the run."""
    smallest = lab.models.smallest(run.cameras.accuracy, run.cameras.latency_ms)
    return _task_wh(lab, smallest) * run.slots * _tasks(lab) * DECISIONS


def follow(lab: Lab, run: Run, mean: FloatArray) -> FloatArray:
    """Return cameras' dirty energy and misses in Wh, less what they have stored more than at the beginning at the mean dirty share."""
    cameras, horizon = run.cameras, lab.config.training_data.optimization
    slots = horizon.horizon_steps * horizon.step_minutes // STEP_MINUTES
    stored, cost = cameras.capacity_wh / 2, np.zeros(len(mean))
    smallest = lab.models.smallest(cameras.accuracy, cameras.latency_ms)
    for slot in range(run.slots):
        problem = build_problem(lab, replace(cameras, ahead=run.shares[:, slot : slot + slots]))
        for _ in range(DECISIONS):
            labels = solve_problems(replace(problem, stored=np.floor(stored / cameras.capacity_wh * QUANTA).astype(np.int32)))
            model = labels.model.astype(np.int64)
            taken = _task_wh(lab, model) * _tasks(lab)
            there = (model != NO_MODEL) & (taken <= stored)
            cost += np.where(there, np.where(model >= smallest, 0.0, SMALL_MISS_WH), LARGE_MISS_WH) * _tasks(lab)
            stored = stored - np.where(there, taken, 0.0)
            bought = labels.charge * np.minimum(cameras.charge_rate_w * STEP_MINUTES / 60 / DECISIONS, cameras.capacity_wh - stored)
            stored, cost = stored + bought, cost + bought * (1 - run.shares[:, slot])
    return np.asarray(cost - (stored - cameras.capacity_wh / 2) * mean)


def _tasks(lab: Lab) -> float:
    """Return how many tasks come between two decisions."""
    return STEP_MINUTES * 60 / lab.config.simulation.task_interval_seconds / DECISIONS


def _task_wh(lab: Lab, model: IntArray) -> FloatArray:
    return np.where(model == NO_MODEL, 0.0, lab.models.energy_wh[model]) / lab.config.simulation.battery.discharge_efficiency


def _open(horizon: tuple[int, int]) -> Lab:
    steps, minutes = horizon
    optimization = {"horizon_steps": steps, "step_minutes": minutes}
    config = EdgeConfig.model_validate({"global": {"random_seed": SEED}, "training_data": {"optimization": optimization}})
    return open_lab(config, DataFolders(Path("unwritten")), out=Path("unwritten"))


def _with(lab: Lab, optimization: OptimizationSection) -> Lab:
    data = lab.config.training_data.model_copy(update={"optimization": optimization})
    return replace(lab, config=lab.config.model_copy(update={"training_data": data}))


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
