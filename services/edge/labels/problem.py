"""The problem that a label is the solution of, in whole quanta of energy, so that every solver solves the same one.

Over the horizon's steps, choose for each step a model for all its tasks (or none) and how many quanta are charged, such that stored energy stays between
nothing and the capacity. Least wins: dirty energy from the grid, plus misses in Wh, minus what is stored at the end at the mean dirty share.

Within a step energy is used and charged in turns every few seconds, so that what is charged in a step also serves it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from luna.energy.timeline import FloatArray
from services.edge.camera import LARGE_MISS_WH, NO_MODEL, SMALL_MISS_WH
from services.edge.clean_share import STEP_MINUTES
from services.edge.lab import Lab
from services.edge.scenarios import CameraScenarios

# A battery holds so many quanta: 421 states.
QUANTA = 420
# Objectives that are this close are equal: then the first action counts, and nothing is bought.
TIE_WH = 1e-9
# An irrational step between the places at which energies are rounded: steps' roundings cancel out, and a smaller model never takes more than a larger one.
_GOLDEN = (5**0.5 - 1) / 2

IndexArray32 = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class LabelProblem:
    """Problems of ``(scenarios, steps, actions)``. An action is a model or none; of equal ones the first counts.

    Args:
        stored: quanta at the beginning, shape ``(scenarios,)``.
        model: place of each action's model, ``NO_MODEL`` from the last on, shape ``(scenarios, actions)``.
        used: quanta that an action takes in a step, shape ``(scenarios, steps, actions)``.
        miss_wh: an action's misses in a step, in Wh.
        most_charge: quanta at most, shape ``(scenarios, steps)``.
        dirty_wh: dirty energy of a quantum from the grid, shape ``(scenarios, steps)``.
        end_wh: what a quantum that is stored at the end is worth, shape ``(scenarios,)``.
    """

    stored: IndexArray32
    model: IndexArray32
    used: IndexArray32
    miss_wh: FloatArray
    most_charge: IndexArray32
    dirty_wh: FloatArray
    end_wh: FloatArray


@dataclass(frozen=True, slots=True)
class Labels:
    """Optimal courses' first decisions and objectives, shape ``(scenarios,)``.

    Args:
        model: of the first step; ``NO_MODEL`` where there is energy for none.
        charge: whether the first step buys energy; only where that is better than not to.
        benefit_wh: objective of the best course that buys nothing in the first step minus that of the best that does; 0 where one of them is impossible.
        objective_wh: of the optimal course.
        quantum_value_wh: what one more quantum in the battery saves where nothing is bought in the first step; of a full one, what the last saves.
    """

    model: IndexArray32
    charge: NDArray[np.bool_]
    benefit_wh: FloatArray
    objective_wh: FloatArray
    quantum_value_wh: FloatArray


def build_problem(lab: Lab, scenarios: CameraScenarios, *, every_model: bool = False) -> LabelProblem:
    """Return scenarios' problems.

    Args:
        lab: its configuration says steps, task interval and efficiency.
        scenarios: what is known of each, and what followed.
        every_model: also models that cannot be right: beside the smallest that fulfils the request and the smallest of all.
    """
    config, models = lab.config, lab.models
    battery, horizon = config.simulation.battery, config.training_data.optimization
    steps, slots = horizon.horizon_steps, horizon.step_minutes // STEP_MINUTES
    quantum_wh = scenarios.capacity_wh / QUANTA
    fulfilled = models.fulfil(scenarios.accuracy, scenarios.latency_ms)
    smallest = models.smallest(scenarios.accuracy, scenarios.latency_ms)
    none = np.full_like(smallest, NO_MODEL)
    # The smallest model that fulfils the request, the smallest of all: whatever another does, one of these, or none, does with less energy.
    undominated = (np.maximum(smallest, 0), np.where(smallest > 0, 0, none))
    ordered = np.argsort(~fulfilled, axis=1, kind="stable").T if every_model else undominated
    model = np.stack([*ordered, none], axis=1).astype(np.int32)
    chosen = model != NO_MODEL
    task_wh = np.where(chosen, models.energy_wh[model], 0.0) / battery.discharge_efficiency
    missed_wh = np.where(chosen, np.where(np.take_along_axis(fulfilled, model, axis=1), 0.0, SMALL_MISS_WH), LARGE_MISS_WH)
    tasks = horizon.step_minutes * 60 / config.simulation.task_interval_seconds
    used = tasks * np.repeat((task_wh / quantum_wh[:, None])[:, None, :], steps, axis=1)
    charged = np.repeat((scenarios.charge_rate_w * horizon.step_minutes / 60 / quantum_wh)[:, None], steps, axis=1)
    dirty = 1 - scenarios.ahead
    return LabelProblem(
        stored=np.floor(scenarios.battery_percent / 100 * QUANTA).astype(np.int32),
        model=model,
        used=_to_quanta(used, _roundings(steps)[:, None]),
        miss_wh=np.repeat(tasks * missed_wh[:, None, :], steps, axis=1),
        most_charge=_to_quanta(charged, _roundings(steps)),
        dirty_wh=dirty.reshape(len(dirty), steps, slots).mean(axis=2) * quantum_wh[:, None],
        end_wh=dirty.mean(axis=1) * quantum_wh,
    )


def _roundings(steps: int) -> FloatArray:
    """Return what is added to each step's quanta before they are cut to whole ones; a half in the first, which is the nearest."""
    return np.asarray((0.5 + _GOLDEN * np.arange(steps)) % 1, float)


def _to_quanta(quanta: FloatArray, rounding: FloatArray) -> IndexArray32:
    # More than a battery holds many times over is as good as any such number.
    return np.floor(np.minimum(quanta, 1e6) + rounding).astype(np.int32)
