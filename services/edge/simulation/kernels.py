"""What tasks do to cameras, one after the other: the only place where stored energy changes. Compiled once, kept on the disk.

Each camera is worked off by itself in plain order, so that no digit of its figures depends on which others are simulated beside it.
"""

import numpy as np
from numba import njit

from services.edge.simulation.cameras import CameraState, TaskTable
from services.edge.simulation.metrics import Tally
from services.edge.simulation.protocol import Decision, Levels, Stretch


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
    tasks, day, share = stretch
    capacity_wh, charge_wh, task_wh, fulfilled, weight = table.capacity_wh, table.charge_wh, table.task_wh, table.fulfilled, table.weight
    stored_wh, charger_on = state
    inferences, small_misses, large_misses, taken_wh, charged_wh, clean_wh, _ = tally
    for camera in range(capacity_wh.size):
        model, lean, lean_below = models[camera], lean_models[camera], lean_wh[camera]
        wanted = task_wh[camera, model] if model >= 0 else np.inf
        lean_wanted = task_wh[camera, lean] if lean >= 0 else np.inf
        start, stop, capacity, most = start_wh[camera], stop_wh[camera], capacity_wh[camera], charge_wh[camera]
        stored, charging = stored_wh[camera], charger_on[camera]
        # Sums go on where they are, in the order of the tasks: whoever does one task at a time gets the same digits.
        taken, charged, clean = taken_wh[day, camera], charged_wh[day, camera], clean_wh[day, camera]
        made, lean_made = 0, 0
        for _ in range(tasks):
            charging = stored < start or (charging and stored < stop)
            if stored < lean_below:
                stored, done = take(stored, lean_wanted)
                lean_made += done
                taken += lean_wanted if done else 0.0
            else:
                stored, done = take(stored, wanted)
                made += done
                taken += wanted if done else 0.0
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
        taken_wh[day, camera], charged_wh[day, camera], clean_wh[day, camera] = taken, charged, clean


@njit(cache=True, nogil=True)
def work_decision(decision: Decision, stretch: Stretch, table: TaskTable, state: CameraState, tally: Tally) -> None:
    """Do one task of each camera as decided."""
    _, day, share = stretch
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
            tally.taken_wh[day, camera] += wanted
        else:
            tally.large_misses[day, camera] += weight
        tally.charged_wh[day, camera] += charged
        tally.clean_wh[day, camera] += charged * share
        tally.guarded[day, camera] += weight if decision.guarded[camera] else 0
