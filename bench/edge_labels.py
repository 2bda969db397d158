"""Labels of camera scenarios, exact over 48 steps, beside OR-Tools on the same problems and the way
they were made once; and what memory a million take.

Run as ``python -m bench.edge_labels``. ``single_step`` is that old way: one PuLP problem per
scenario that looks at one step, solved by CBC. The stage draws, labels and writes, with a process
per core; its memory is that of all its processes, what they share counted once.
"""

import json
import tempfile
import time
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from bench.processes import measure_peak
from services.edge.camera import NO_MODEL
from services.edge.config import EdgeConfig
from services.edge.lab import DataFolders, Lab, open_lab
from services.edge.labels import reference
from services.edge.labels.problem import (
    QUANTA,
    LabelProblem,
    build_problem,
    load_kernels,
    solve_problems,
)
from services.edge.labels.training_data import write_training_data
from services.edge.scenarios import draw_batch

SEED = 1
# Scenarios by what is measured.
Counts = Mapping[str, Any]
SHORT: Counts = {"exact": 4_000, "ortools": 10, "single_step": 40, "stage": (4_000, 20_000)}
FULL: Counts = {
    "exact": 100_000,
    "ortools": 200,
    "single_step": 1_000,
    "stage": (100_000, 1_000_000),
}


def measure(*, full: bool = False) -> dict[str, Any]:
    """Return seconds per label and labels per second by each way, by how much any objective
    differs, and the stage's memory by how many labels it makes.
    """
    counts = FULL if full else SHORT
    missing = [] if find_spec("pulp") else ["pulp: the old way of one problem per scenario"]
    load_kernels()
    lab = open_training(Path("unwritten"), counts["exact"])
    exact = time_exact(lab)
    few = build_problem(
        lab, draw_batch(open_training(Path("unwritten"), counts["ortools"]), 0), every_model=True
    )
    solver_s, by_solver = _time(lambda: reference.solve_problems(few))
    one_step = build_problem(
        lab,
        draw_batch(open_training(Path("unwritten"), counts["single_step"]), 0),
        every_model=True,
    )
    ways = {"ortools": solver_s / counts["ortools"]}
    if not missing:
        # The median: CBC takes half a minute for one among some dozens.
        ways["single_step"] = float(
            np.median(
                [
                    _time(lambda row=row: solve_single_step(one_step, row))[0]
                    for row in range(counts["single_step"])
                ]
            )
        )
    return {
        "steps": few.used.shape[1],
        "levels": QUANTA + 1,
        "seed": SEED,
        "one_core": exact,
        **{
            way: {"ms": 1e3 * seconds, "times_slower": seconds / exact["s_per_label"]}
            for way, seconds in ways.items()
        },
        "objective_differs_wh": float(
            np.abs(by_solver.objective_wh - solve_problems(few).objective_wh).max()
        ),
        "stage": {str(count): run_stage(count) for count in counts["stage"]},
        "missing": missing,
    }


def open_training(out: Path, count: int) -> Lab:
    """Return a lab that labels so many scenarios of stand-in years, with all cores."""
    config = EdgeConfig.model_validate(
        {"global": {"random_seed": SEED}, "training_data": {"num_scenarios": count}}
    )
    return open_lab(config, DataFolders(out), out=out)


def time_exact(lab: Lab) -> dict[str, float]:
    """Return what a lab's labels take on one core, from the seed to the label, and how much of that
    the dynamic programme takes.
    """
    data = lab.config.training_data
    solving_s = 0.0
    began = time.perf_counter()
    for batch in range(-(-data.num_scenarios // data.batch_size)):
        problem = build_problem(lab, draw_batch(lab, batch))
        solving_s += _time(lambda posed=problem: solve_problems(posed))[0]
    seconds = time.perf_counter() - began
    count = data.num_scenarios
    return {
        "labels": count,
        "s_per_label": seconds / count,
        "solver_us": 1e6 * solving_s / count,
        "labels_per_s": count / seconds,
        "s_per_100k": 1e5 * seconds / count,
    }


def solve_single_step(problem: LabelProblem, row: int) -> tuple[int, float]:
    """Return the action and the quanta that are best for a scenario's first step alone."""
    import pulp

    step = pulp.LpProblem("step", pulp.LpMinimize)
    chosen = [
        pulp.LpVariable(f"model_{place}", cat=pulp.LpBinary)
        for place in range(problem.model.shape[1])
    ]
    bought = pulp.LpVariable("bought", 0, int(problem.most_charge[row, 0]))
    used = pulp.lpSum(
        int(quanta) * choice for quanta, choice in zip(problem.used[row, 0], chosen, strict=True)
    )
    left = int(problem.stored[row]) - used + bought
    missed = pulp.lpSum(
        float(wh) * choice for wh, choice in zip(problem.miss_wh[row, 0], chosen, strict=True)
    )
    step += missed + float(problem.dirty_wh[row, 0]) * bought - float(problem.end_wh[row]) * left
    step += pulp.lpSum(chosen) == 1
    step += left >= 0
    step += left <= QUANTA
    step.solve(pulp.PULP_CBC_CMD(msg=False, threads=1))
    return next(
        (place for place, choice in enumerate(chosen) if choice.value() > 0.5), NO_MODEL
    ), float(bought.value())


def run_stage(count: int) -> dict[str, float]:
    """Return the figures of the stage in a process of its own, and its peak memory with all that it
    started.
    """
    with tempfile.TemporaryDirectory() as folder:
        peak_mb = measure_peak(_run_stage, Path(folder), count)
        figures = json.loads((Path(folder) / "figures.json").read_bytes())
    return {
        "s": figures["seconds"],
        "labels_per_s": figures["labels_per_s"],
        "s_per_100k": 1e5 * figures["seconds"] / count,
        "peak_mb": peak_mb,
    }


def _run_stage(folder: Path, count: int) -> None:
    figures = write_training_data(open_training(folder, count))
    (folder / "figures.json").write_text(json.dumps(figures), encoding="utf-8")


def _time(work: Callable[[], Any]) -> tuple[float, Any]:
    began = time.perf_counter()
    result = work()
    return time.perf_counter() - began, result


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
