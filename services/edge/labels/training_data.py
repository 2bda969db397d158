"""Label scenarios: draw and solve batches in several processes, write them in order."""

import time
from dataclasses import replace
from typing import Any

import numpy as np

from luna.platform.extras import LAB, require_extra
from services.edge.camera import NO_MODEL
from services.edge.lab import Lab
from services.edge.labels.problem import (
    QUANTA,
    LabelProblem,
    Labels,
    build_problem,
    load_kernels,
    solve_problems,
)
from services.edge.scenarios import (
    Columns,
    check_scenarios,
    draw_batch,
    make_columns,
    write_batches,
)


def write_training_data(lab: Lab) -> dict[str, Any]:
    """Write rows ``training``, scenarios with their labels, and return their figures.

    Raises:
        InvalidInputError: the configuration allows no scenario.
        ConflictError: rows made with other inputs exist.
        MachineError: the disk is full, or workers die (the next run continues), or the solver is
            not installed.
    """
    check_scenarios(lab)
    if lab.config.training_data.optimization.solver != "dp":
        require_extra(LAB)
    load_kernels()
    begun = time.perf_counter()
    new_labels = 0
    charging = 0
    models = np.zeros(len(lab.models.names), np.int64)
    for columns in write_batches(lab, "training", label_batch):
        new_labels += len(columns["number"])
        charging += int(columns["charge"].sum())
        models += np.bincount(columns["model"], minlength=len(models))
    seconds = time.perf_counter() - begun
    return {
        "labels": lab.config.training_data.num_scenarios,
        "made_now": new_labels,
        "seed": lab.seed,
        "solver": lab.config.training_data.optimization.solver,
        "stand_ins": lab.stand_ins,
        "seconds": round(seconds, 3),
        "labels_per_s": round(new_labels / seconds, 1),
        "charge_share": round(charging / new_labels, 4) if new_labels else None,
        "models": dict(zip(lab.models.names, models.tolist(), strict=True)),
    }


def label_batch(lab: Lab, batch: int) -> Columns:
    """Return the columns of a batch of rows ``training``."""
    drawn = draw_batch(lab, batch)
    labels = _solve(lab, build_problem(lab, drawn))
    # Solved again as if the forecast had come true: the actual values alone hold short dips that no
    # controller can foresee.
    slots_per_step = drawn.ahead.shape[1] // drawn.expected.shape[1]
    forecast = np.repeat(drawn.expected, slots_per_step, axis=1)
    foreseen = _solve(lab, build_problem(lab, replace(drawn, ahead=forecast)))
    stored_value = labels.quantum_value_wh * QUANTA / drawn.capacity_wh
    stored_value_expected = foreseen.quantum_value_wh * QUANTA / drawn.capacity_wh
    return make_columns(lab, drawn) | {
        # Where the energy suffices for none, the smallest: it is the first that can run again.
        "model": np.where(labels.model == NO_MODEL, 0, labels.model),
        "charge": labels.charge.astype(int),
        "charge_benefit_wh": np.round(labels.benefit_wh, 9),
        "objective_wh": np.round(labels.objective_wh, 9),
        "stored_value": np.round(stored_value, 6),
        "stored_value_expected": np.round(stored_value_expected, 6),
    }


def _solve(lab: Lab, problem: LabelProblem) -> Labels:
    if lab.config.training_data.optimization.solver == "dp":
        return solve_problems(problem)
    from services.edge.labels import reference

    return reference.solve_problems(problem)
