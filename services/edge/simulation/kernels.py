"""What tasks do to cameras, one after the other: the only place where stored energy changes. Compiled once, kept on the disk.

Each camera is worked off by itself in plain order, so that no digit of its figures depends on which others are simulated beside it.
"""

import numpy as np
from numba import njit

from luna.timeline import FloatArray
from services.edge.camera import BoolArray
from services.edge.clean_share import IntArray
from services.edge.controller.kernels import ask
from services.edge.simulation.cameras import CameraState, TaskTable
from services.edge.simulation.metrics import Tally
from services.edge.simulation.protocol import Decision, Levels, NetworkSight, Stretch

# What a fuel gauge shows of a battery: whole per cents. Networks see it, so that within a slot they are asked once per step and not once per task.
GAUGE_STEPS = 100


@njit(inline="always")
def take(stored: float, wanted: float) -> tuple[float, bool]:
    """Return what is stored after a task, and whether the inference was made: never in arrears."""
    return (stored - wanted, True) if wanted <= stored else (stored, False)


@njit(inline="always")
def put(stored: float, most: float, capacity: float) -> tuple[float, float]:
    """Return what is stored after an interval of charging, and what was charged: only what finds room."""
    room = capacity - stored
    return (capacity, room) if most >= room else (stored + most, most)


@njit(cache=True, nogil=True)
def work_levels(levels: Levels, stretch: Stretch, table: TaskTable, state: CameraState, tally: Tally) -> None:
    """Do the tasks of a stretch by levels."""
    # Out of their tuples once: to look into them for each task takes longer than the task.
    models, lean_models, lean_wh, start_wh, stop_wh = levels
    tasks, day, clean_share = stretch
    capacity_wh, charge_wh, task_wh, fulfilled, weight = table.capacity_wh, table.charge_wh, table.task_wh, table.fulfilled, table.weight
    stored_wh, charger_on = state
    inferences, small_misses, large_misses, charged_wh, clean_wh, _ = tally
    for camera in range(capacity_wh.size):
        model, lean, lean_below = models[camera], lean_models[camera], lean_wh[camera]
        wanted = task_wh[camera, model] if model >= 0 else np.inf
        lean_wanted = task_wh[camera, lean] if lean >= 0 else np.inf
        start, stop, capacity, most = start_wh[camera], stop_wh[camera], capacity_wh[camera], charge_wh[camera]
        stored, charging = stored_wh[camera], charger_on[camera]
        # Sums go on where they are, in the order of the tasks: whoever does one task at a time gets the same digits.
        charged, clean = charged_wh[day, camera], clean_wh[day, camera]
        made, lean_made, share = 0, 0, clean_share[camera]
        for _ in range(tasks):
            charging = stored < start or (charging and stored < stop)
            if stored < lean_below:
                stored, done = take(stored, lean_wanted)
                lean_made += done
            else:
                stored, done = take(stored, wanted)
                made += done
            if charging:
                stored, bought = put(stored, most, capacity)
                charged += bought
                clean += bought * share
        stored_wh[camera], charger_on[camera] = stored, charging
        if made:
            inferences[day, camera, model] += made * weight
            small_misses[day, camera] += 0 if fulfilled[camera, model] else made * weight
        if lean_made:
            inferences[day, camera, lean] += lean_made * weight
            small_misses[day, camera] += 0 if fulfilled[camera, lean] else lean_made * weight
        large_misses[day, camera] += (tasks - made - lean_made) * weight
        charged_wh[day, camera], clean_wh[day, camera] = charged, clean


@njit(cache=True, nogil=True)
def work_decision(decision: Decision, stretch: Stretch, table: TaskTable, state: CameraState, tally: Tally) -> None:
    """Do one task of each camera as decided."""
    _, day, clean_share = stretch
    weight = table.weight
    for camera in range(table.capacity_wh.size):
        model = decision.model[camera]
        wanted = table.task_wh[camera, model] if model >= 0 else np.inf
        stored, made = take(state.stored_wh[camera], wanted)
        charged = 0.0
        if decision.charge[camera]:
            stored, charged = put(stored, table.charge_wh[camera], table.capacity_wh[camera])
        state.stored_wh[camera], state.charging[camera] = stored, decision.charge[camera]
        if made:
            tally.inferences[day, camera, model] += weight
            tally.small_misses[day, camera] += 0 if table.fulfilled[camera, model] else weight
        else:
            tally.large_misses[day, camera] += weight
        tally.charged_wh[day, camera] += charged
        tally.clean_wh[day, camera] += charged * clean_share[camera]
        tally.guarded[day, camera] += weight if decision.guarded[camera] else 0


@njit(inline="always")
def _guard(model: int, charge: bool, stored: float, camera: int, table: TaskTable) -> tuple[int, bool, bool]:
    """Return a decision that is safe, and whether it is another one: no model that does not fulfil where one does, and energy for five minutes."""
    smallest = table.smallest[camera]
    unfit = not table.fulfilled[camera, model] and table.fulfilled[camera, smallest]
    safe_model = smallest if unfit else model
    short = not charge and stored < table.task_wh[camera, safe_model] * table.five_minutes
    return safe_model, charge or short, unfit or short


@njit(cache=True, nogil=True)
def guard_each(model: IntArray, charge: BoolArray, stored_wh: FloatArray, table: TaskTable) -> tuple[IntArray, BoolArray, BoolArray]:
    """Return decisions that are safe, and which of them are others, arrays over cameras."""
    safe_model, safe_charge, guarded = np.empty_like(model), np.empty_like(charge), np.empty_like(charge)
    for camera in range(model.size):
        safe_model[camera], safe_charge[camera], guarded[camera] = _guard(model[camera], charge[camera], stored_wh[camera], camera, table)
    return safe_model, safe_charge, guarded


@njit(cache=True, nogil=True)
def work_network(sight: NetworkSight, stretch: Stretch, table: TaskTable, state: CameraState, tally: Tally) -> None:
    """Do the tasks of a stretch as networks decide behind the guard; what they say of a step of the gauge holds for the stretch."""
    features, eligible, numbers, sizes, relu = sight
    tasks, day, clean_share = stretch
    weight, models = table.weight, table.task_wh.shape[1]
    inferences, small_misses, large_misses, charged_wh, clean_wh, guarded = tally
    said_model, said_charge = np.empty(GAUGE_STEPS + 1, np.int64), np.empty(GAUGE_STEPS + 1, np.bool_)
    for camera in range(table.capacity_wh.size):
        stored, charge, capacity, share = state.stored_wh[camera], state.charging[camera], table.capacity_wh[camera], clean_share[camera]
        charged, clean = charged_wh[day, camera], clean_wh[day, camera]
        said_model[:] = -1
        for _ in range(tasks):
            level = int(stored / capacity * GAUGE_STEPS + 0.5)
            if said_model[level] < 0:
                features[camera, 0] = level / GAUGE_STEPS
                answer = ask(features[camera : camera + 1], eligible[camera : camera + 1], numbers, sizes, relu)[0]
                said_model[level], said_charge[level] = answer[:models].argmax(), answer[models] > 0.5
            model, charge, changed = _guard(said_model[level], said_charge[level], stored, camera, table)
            stored, made = take(stored, table.task_wh[camera, model])
            if charge:
                stored, bought = put(stored, table.charge_wh[camera], capacity)
                charged += bought
                clean += bought * share
            if made:
                inferences[day, camera, model] += weight
                small_misses[day, camera] += 0 if table.fulfilled[camera, model] else weight
            else:
                large_misses[day, camera] += weight
            guarded[day, camera] += weight if changed else 0
        state.stored_wh[camera], state.charging[camera] = stored, charge
        charged_wh[day, camera], clean_wh[day, camera] = charged, clean
