"""Compiled loops over tasks: the only place where stored energy changes.

Each camera is simulated by itself in plain order, so no digit of its figures depends on the others
beside it. Arguments are the fields of ``Levels``, ``TaskStretch`` and so on as plain tuples: the
compiled code cached on the disk then names no class and survives a renaming.
"""

from typing import Any

import numpy as np
from numba import njit

from luna.energy.timeline import FloatArray
from services.edge.camera import BoolArray
from services.edge.clean_share import IntArray
from services.edge.controller.kernels import ask

# The fields of one such class.
Fields = tuple[Any, ...]
# Networks see the battery in whole per cents, so that within a slot they run once per per cent
# instead of once per task.
GAUGE_STEPS = 100


@njit(inline="always")
def take(stored: float, needed: float) -> tuple[float, bool]:
    """Return the stored energy after a task, and whether it sufficed for the inference."""
    return (stored - needed, True) if needed <= stored else (stored, False)


@njit(inline="always")
def put(stored: float, most: float, capacity: float) -> tuple[float, float]:
    """Return the stored and the charged energy after an interval of charging."""
    room = capacity - stored
    return (capacity, room) if most >= room else (stored + most, most)


@njit(cache=True, nogil=True)
def work_levels(
    levels: Fields, stretch: Fields, table: Fields, state: Fields, tally: Fields
) -> None:
    """Simulate the tasks of a stretch by levels."""
    models, lean_models, lean_wh, start_wh, stop_wh = levels
    tasks, day, clean_share = stretch
    _, capacity_wh, charge_wh, task_wh, fulfilled, _, _, weight = table
    stored_wh, charger_on = state
    inferences, small_misses, large_misses, charged_wh, clean_wh, _ = tally
    for camera in range(capacity_wh.size):
        model = models[camera]
        lean = lean_models[camera]
        lean_below = lean_wh[camera]
        needed = task_wh[camera, model] if model >= 0 else np.inf
        lean_needed = task_wh[camera, lean] if lean >= 0 else np.inf
        start = start_wh[camera]
        stop = stop_wh[camera]
        capacity = capacity_wh[camera]
        most = charge_wh[camera]
        stored = stored_wh[camera]
        charging = charger_on[camera]
        # Sums continue in the order of the tasks, so that simulating one task at a time gives the
        # same digits.
        charged = charged_wh[day, camera]
        clean = clean_wh[day, camera]
        inferred = 0
        lean_inferred = 0
        share = clean_share[camera]
        for _ in range(tasks):
            charging = stored < start or (charging and stored < stop)
            if stored < lean_below:
                stored, ran = take(stored, lean_needed)
                lean_inferred += ran
            else:
                stored, ran = take(stored, needed)
                inferred += ran
            if charging:
                stored, bought = put(stored, most, capacity)
                charged += bought
                clean += bought * share
        stored_wh[camera] = stored
        charger_on[camera] = charging
        if inferred:
            inferences[day, camera, model] += inferred * weight
            small_misses[day, camera] += 0 if fulfilled[camera, model] else inferred * weight
        if lean_inferred:
            inferences[day, camera, lean] += lean_inferred * weight
            small_misses[day, camera] += 0 if fulfilled[camera, lean] else lean_inferred * weight
        large_misses[day, camera] += (tasks - inferred - lean_inferred) * weight
        charged_wh[day, camera] = charged
        clean_wh[day, camera] = clean


@njit(cache=True, nogil=True)
def work_decision(
    decision: Fields, stretch: Fields, table: Fields, state: Fields, tally: Fields
) -> None:
    """Simulate one task of each camera with its decision."""
    models, charge, changed = decision
    _, day, clean_share = stretch
    _, capacity_wh, charge_wh, task_wh, fulfilled, _, _, weight = table
    stored_wh, charger_on = state
    inferences, small_misses, large_misses, charged_wh, clean_wh, guarded = tally
    for camera in range(capacity_wh.size):
        model = models[camera]
        stored, inferred = take(stored_wh[camera], task_wh[camera, model] if model >= 0 else np.inf)
        bought = 0.0
        if charge[camera]:
            stored, bought = put(stored, charge_wh[camera], capacity_wh[camera])
        stored_wh[camera], charger_on[camera] = stored, charge[camera]
        if inferred:
            inferences[day, camera, model] += weight
            small_misses[day, camera] += 0 if fulfilled[camera, model] else weight
        else:
            large_misses[day, camera] += weight
        charged_wh[day, camera] += bought
        clean_wh[day, camera] += bought * clean_share[camera]
        guarded[day, camera] += weight if changed[camera] else 0


@njit(inline="always")
def _guard(
    model: int,
    charge: bool,
    stored: float,
    smallest: int,
    fulfilled: BoolArray,
    five_minutes_wh: FloatArray,
) -> tuple[int, bool, bool]:
    """Return the safe decision nearest to the given one, and whether it differs.

    A safe decision uses a fulfilling model if one exists, and charges below five minutes' energy.
    """
    unfit = not fulfilled[model] and fulfilled[smallest]
    safe_model = smallest if unfit else model
    short = not charge and stored < five_minutes_wh[safe_model]
    return safe_model, charge or short, unfit or short


@njit(cache=True, nogil=True)
def guard_each(
    model: IntArray, charge: BoolArray, stored_wh: FloatArray, table: Fields
) -> tuple[IntArray, BoolArray, BoolArray]:
    """Return safe decisions of all cameras, and which of them were changed."""
    _, _, _, task_wh, fulfilled, smallest, five_minutes, _ = table
    safe_model = np.empty_like(model)
    safe_charge = np.empty_like(charge)
    changed = np.empty_like(charge)
    for camera in range(model.size):
        safe_model[camera], safe_charge[camera], changed[camera] = _guard(
            model[camera],
            charge[camera],
            stored_wh[camera],
            smallest[camera],
            fulfilled[camera],
            task_wh[camera] * five_minutes,
        )
    return safe_model, safe_charge, changed


@njit(cache=True, nogil=True)
def work_network(
    sight: Fields, stretch: Fields, table: Fields, state: Fields, tally: Fields
) -> None:
    """Simulate the tasks of a stretch with the networks' guarded decisions.

    A decision at one per cent of the battery holds for the whole stretch.
    """
    features, eligible, numbers, sizes, relu = sight
    tasks, day, clean_share = stretch
    _, capacity_wh, charge_wh, task_wh, fulfilled, smallest, five_minutes, weight = table
    stored_wh, charger_on = state
    inferences, small_misses, large_misses, charged_wh, clean_wh, guarded = tally
    models = task_wh.shape[1]
    model_at = np.empty(GAUGE_STEPS + 1, np.int64)
    charge_at = np.empty(GAUGE_STEPS + 1, np.bool_)
    for camera in range(capacity_wh.size):
        stored = stored_wh[camera]
        charge = charger_on[camera]
        capacity = capacity_wh[camera]
        share = clean_share[camera]
        charged = charged_wh[day, camera]
        clean = clean_wh[day, camera]
        most = charge_wh[camera]
        needed_wh = task_wh[camera]
        fulfils = fulfilled[camera]
        least = smallest[camera]
        five_minutes_wh = needed_wh * five_minutes
        model_at[:] = -1
        for _ in range(tasks):
            level = int(stored / capacity * GAUGE_STEPS + 0.5)
            if model_at[level] < 0:
                features[camera, 0] = level / GAUGE_STEPS
                answer = ask(
                    features[camera : camera + 1],
                    eligible[camera : camera + 1],
                    numbers,
                    sizes,
                    relu,
                )[0]
                model_at[level] = answer[:models].argmax()
                charge_at[level] = answer[models] > 0.5
            model, charge, changed = _guard(
                model_at[level], charge_at[level], stored, least, fulfils, five_minutes_wh
            )
            stored, inferred = take(stored, needed_wh[model])
            if charge:
                stored, bought = put(stored, most, capacity)
                charged += bought
                clean += bought * share
            if inferred:
                inferences[day, camera, model] += weight
                small_misses[day, camera] += 0 if fulfils[model] else weight
            else:
                large_misses[day, camera] += weight
            guarded[day, camera] += weight if changed else 0
        stored_wh[camera] = stored
        charger_on[camera] = charge
        charged_wh[day, camera] = charged
        clean_wh[day, camera] = clean
