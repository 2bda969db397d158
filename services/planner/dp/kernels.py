"""Numba kernels of the dynamic programme for stored energy.

Segments are plain arrays, the only type that Numba compiles here.

V′ of a slot is a step function in two buffers, length and value, at ``offsets[t]:offsets[t + 1]``;
entry 0 is before the first slot.
"""

import numpy as np

from luna.energy.physics.mode import SERVES, STORES
from luna.energy.timeline import FloatArray, IndexArray
from services.planner.dp.segments import (
    BUY,
    FIRST_OUT,
    SECOND_OUT,
    SERVE,
    SERVE_FORCED,
    STORE,
    STORE_CURTAILED,
)
from services.planner.loops import loop, loop_part

Pair = tuple[FloatArray, FloatArray]
Triple = tuple[FloatArray, FloatArray, FloatArray]
# Lengths and values of all segments, and each slot's offset.
Buffers = tuple[FloatArray, FloatArray, IndexArray]

_EMPTY = 1e-12
# Reserve at the end of each slot, kWh (an empty array: none), and the value of a reserved kWh.
Reserve = tuple[FloatArray, float]
_SAME = 1e-9
# Modes as integers: Numba does not compile the enumeration.
_SELF_CONSUMPTION, _SAVE, _SUPPLY, _HOLD, _CHARGE, _EXPORT = range(6)
_STORES = STORES.copy()
_SERVES = SERVES.copy()
# Beyond every level of stored energy.
_FAR = 1e9


@loop_part
def merge(
    length: FloatArray,
    value: FloatArray,
    count: int,
    slot: Pair,
    drop_kwh: float,
    capacity_kwh: float,
    out: Pair,
) -> int:
    """Merge a value function with a slot's segments, drop from the front, cut at the capacity.

    Return how many segments remain.
    """
    slot_length, slot_value = slot
    out_length, out_value = out
    old = 0
    new = 0
    written = 0
    total = 0.0
    remaining = drop_kwh
    while total < capacity_kwh - _EMPTY:
        while new < slot_length.size and slot_length[new] <= _EMPTY:
            new += 1
        if old < count and (new == slot_length.size or value[old] >= slot_value[new]):
            piece = length[old]
            worth = value[old]
            old += 1
        elif new < slot_length.size:
            piece = slot_length[new]
            worth = slot_value[new]
            new += 1
        else:
            break
        skipped = min(piece, remaining)
        remaining -= skipped
        piece = min(piece - skipped, capacity_kwh - total)
        if piece <= _EMPTY:
            continue
        total += piece
        if written > 0 and out_value[written - 1] == worth:
            out_length[written - 1] += piece
            continue
        if written == out_length.size:
            return -1
        out_length[written] = piece
        out_value[written] = worth
        written += 1
    return written


@loop_part
def keep_reserve(
    length: FloatArray, value: FloatArray, count: int, reserve_kwh: float, priceless: float
) -> int:
    """Set the value of the reserve's energy to ``priceless``, in place.

    Return the new number of segments.
    """
    covered = 0
    uncovered = reserve_kwh
    while covered < count and length[covered] <= uncovered + _EMPTY:
        uncovered -= length[covered]
        covered += 1
    if covered < count and uncovered > _EMPTY:
        length[covered] -= uncovered
    shift = 1 - covered
    if shift > 0:
        for index in range(count - 1, -1, -1):
            length[index + 1] = length[index]
            value[index + 1] = value[index]
    elif shift < 0:
        for index in range(covered, count):
            length[index + shift] = length[index]
            value[index + shift] = value[index]
    reserved = reserve_kwh if covered < count else reserve_kwh - uncovered
    length[0] = reserved
    value[0] = priceless
    return count + shift


@loop
def backward(
    slots: Triple, terminal: Pair, capacity_kwh: float, reserve: Reserve, out: Buffers
) -> bool:
    """Solve backward from the horizon, filling the buffers from their end.

    Return False when they are too short.
    """
    reserve_kwh, priceless = reserve
    length, value, offsets = out
    slot_length, slot_value, drop_kwh = slots
    last = drop_kwh.size
    begin = length.size - terminal[0].size
    for place in range(terminal[0].size):
        length[begin + place] = terminal[0][place]
        value[begin + place] = terminal[1][place]
    offsets[last + 1] = length.size
    offsets[last] = begin
    scratch_length = np.empty(length.size // (last + 1) * 8 + 64)
    scratch_value = np.empty(length.size // (last + 1) * 8 + 64)
    for slot in range(last - 1, -1, -1):
        end = offsets[slot + 2]
        written = merge(
            length[begin:end],
            value[begin:end],
            end - begin,
            (slot_length[slot], slot_value[slot]),
            drop_kwh[slot],
            capacity_kwh,
            (scratch_length, scratch_value),
        )
        if written > 0 and slot > 0 and reserve_kwh.size > 0 and reserve_kwh[slot - 1] > _EMPTY:
            written = keep_reserve(
                scratch_length,
                scratch_value,
                written,
                min(reserve_kwh[slot - 1], capacity_kwh),
                priceless,
            )
        if written < 0 or written > begin:
            return False
        begin -= written
        for place in range(written):
            length[begin + place] = scratch_length[place]
            value[begin + place] = scratch_value[place]
        offsets[slot] = begin
    return True


@loop
def backward_each(
    slots: Triple, terminal: Pair, capacity_kwh: float, reserve: Reserve, out: Buffers
) -> bool:
    """Solve every path backward, each in its own row of the buffers.

    Return False when they are too short.
    """
    for path in range(slots[2].shape[0]):
        own = (slots[0][path], slots[1][path], slots[2][path])
        if not backward(
            own, terminal, capacity_kwh, reserve, (out[0][path], out[1][path], out[2][path])
        ):
            return False
    return True


@loop
def first_values(
    slot_length: FloatArray,
    slot_value: FloatArray,
    drop_kwh: FloatArray,
    terminal: Pair,
    capacity_kwh: float,
    cells: int,
) -> FloatArray:
    """Return V′ of every path at the end of slot 0, ``(paths, cells)``.

    It is the mean over each of ``cells`` equal parts of the capacity.
    """
    paths, slots = drop_kwh.shape
    grid = np.empty((paths, cells))
    size = slot_length.shape[2] * slots + terminal[0].size
    now = (np.empty(size), np.empty(size))
    then = (np.empty(size), np.empty(size))
    for path in range(paths):
        count = terminal[0].size
        for place in range(count):
            now[0][place] = terminal[0][place]
            now[1][place] = terminal[1][place]
        for slot in range(slots - 1, 0, -1):
            part = (slot_length[path, slot], slot_value[path, slot])
            count = merge(now[0], now[1], count, part, drop_kwh[path, slot], capacity_kwh, then)
            now, then = then, now
        average(now[0], now[1], count, capacity_kwh / cells, grid[path])
    return grid


@loop
def mean(functions: Buffers, weight: FloatArray, priceless: float, out: Buffers) -> None:
    """Write the weighted mean of step functions of equal total length, slot by slot.

    A step that is priceless in any of them stays priceless.

    ``functions`` has offsets of shape ``(paths, slots + 1)``, ``out`` room for as many segments and
    offsets of shape ``(slots + 1,)``.
    """
    length, value, offsets = functions
    out_length, out_value, out_offsets = out
    paths = offsets.shape[0]
    slots = offsets.shape[1] - 1
    place = np.empty(paths, dtype=np.int64)
    remaining = np.empty(paths)
    written = 0
    for slot in range(slots):
        out_offsets[slot] = written
        for path in range(paths):
            place[path] = offsets[path, slot]
            remaining[path] = length[place[path]]
        ends = False
        while not ends:
            step = np.inf
            worth = 0.0
            highest = -np.inf
            lowest = np.inf
            for path in range(paths):
                step = min(step, remaining[path])
                worth += weight[path] * value[place[path]]
                highest = max(highest, value[place[path]])
                lowest = min(lowest, value[place[path]])
            if highest > priceless / 2:
                worth = priceless
            elif lowest < -priceless / 2:
                worth = -priceless
            if written > out_offsets[slot] and out_value[written - 1] == worth:
                out_length[written - 1] += step
            else:
                out_length[written] = step
                out_value[written] = worth
                written += 1
            for path in range(paths):
                remaining[path] -= step
                if remaining[path] <= _EMPTY:
                    place[path] += 1
                    ends = ends or place[path] == offsets[path, slot + 1]
                    remaining[path] = length[place[path]] if place[path] < length.size else 0.0
    out_offsets[slots] = written


@loop_part
def average(
    length: FloatArray, value: FloatArray, count: int, cell_kwh: float, out: FloatArray
) -> None:
    """Write the mean of a step function over consecutive cells."""
    index = 0
    remaining = length[0]
    for cell in range(out.size):
        need = cell_kwh
        total = 0.0
        while need > _EMPTY and index < count:
            piece = min(need, remaining)
            total += piece * value[index]
            need -= piece
            remaining -= piece
            if remaining <= _EMPTY and index + 1 < count:
                index += 1
                remaining = length[index]
            elif remaining <= _EMPTY:
                break
        out[cell] = total / max(cell_kwh - need, _EMPTY)


@loop
def reach(
    length: FloatArray, value: FloatArray, offsets: IndexArray, level: FloatArray
) -> FloatArray:
    """Return the stored energy, kWh, whose V′ exceeds each level at the end of each slot."""
    kinds, slots = level.shape
    reach = np.zeros((kinds, slots))
    for slot in range(slots):
        for index in range(offsets[slot + 1], offsets[slot + 2]):
            for kind in range(kinds):
                if value[index] > level[kind, slot]:
                    reach[kind, slot] += length[index]
    return reach


@loop
def marginal(
    length: FloatArray, value: FloatArray, offsets: IndexArray, stored_kwh: FloatArray
) -> Pair:
    """Return V′ left and right of ``stored_kwh`` at the end of each slot."""
    left = np.empty(stored_kwh.size)
    right = np.empty(stored_kwh.size)
    for slot in range(stored_kwh.size):
        total = 0.0
        last = offsets[slot + 2] - 1
        left[slot] = right[slot] = value[last]
        for index in range(offsets[slot + 1], last + 1):
            total += length[index]
            if total >= stored_kwh[slot] - _SAME:
                left[slot] = right[slot] = value[index]
                if total <= stored_kwh[slot] + _SAME and index < last:
                    right[slot] = value[index + 1]
                break
    return left, right


@loop
def integral(
    length: FloatArray,
    value: FloatArray,
    offsets: IndexArray,
    before_kwh: FloatArray,
    after_kwh: FloatArray,
) -> FloatArray:
    """Return the integral of V′ from ``before_kwh`` to ``after_kwh`` at the end of each slot."""
    worth = np.zeros(before_kwh.size)
    for slot in range(before_kwh.size):
        low = min(before_kwh[slot], after_kwh[slot])
        high = max(before_kwh[slot], after_kwh[slot])
        begin = 0.0
        for index in range(offsets[slot + 1], offsets[slot + 2]):
            end = begin + length[index]
            worth[slot] += value[index] * max(0.0, min(end, high) - max(begin, low))
            begin = end
        if after_kwh[slot] < before_kwh[slot]:
            worth[slot] = -worth[slot]
    return worth


@loop
def follow(
    limits: FloatArray, slot_length: FloatArray, start_kwh: float, capacity_kwh: float
) -> FloatArray:
    """Return the stored energy after each slot under thresholds: store, then buy.

    Or serve, then sell or displace PV.
    """
    slots = slot_length.shape[0]
    path = np.empty(slots)
    stored = start_kwh
    for slot in range(slots):
        part = slot_length[slot]
        level = stored + min(max(limits[2, slot] - stored, 0.0), part[STORE_CURTAILED])
        level += min(max(limits[1, slot] - level, 0.0), part[STORE])
        level += min(max(limits[0, slot] - level, 0.0), part[BUY])
        if level == stored:
            level -= min(part[SERVE_FORCED], max(level, 0.0))
            level -= min(max(level - limits[3, slot], 0.0), part[SERVE])
            level -= min(max(level - limits[4, slot], 0.0), part[FIRST_OUT])
            level -= min(max(level - limits[5, slot], 0.0), part[SECOND_OUT])
        # A battery that starts outside its limits returns step by step.
        stored = min(max(level, min(stored, 0.0)), max(stored, capacity_kwh))
        path[slot] = stored
    return path


@loop
def follow_policy(
    limits: Pair, slots: Pair, battery: FloatArray, out: tuple[FloatArray, IndexArray]
) -> None:
    """Simulate a battery's thresholds slot by slot.

    Modes are those of ``luna.energy.policy``, flows those of ``simulate_slot``.

    Args:
        limits: buy, store, spill, serve, sell for a continued and for a new action, kWh above the
            lowest SoC, each ``(5, slots)``.
        slots: lengths of the segments, ``(slots, 7)``, and 1.0 where there is no PV to store,
            ``(slots,)``.
        battery: initial stored energy, usable capacity, margin to full and empty, tolerance (all
            kWh), and the mode before the first slot.
        out: stored energy at the end of each slot, and its mode.
    """
    keep, begin = limits
    length, no_pv = slots
    path, modes = out
    stored = battery[0]
    capacity = battery[1]
    little = battery[2]
    same = battery[3]
    mode = int(battery[4])
    for slot in range(path.size):
        buy = keep[0, slot] if mode == _CHARGE else begin[0, slot]
        store = keep[1, slot] if _STORES[mode] else begin[1, slot]
        serve = keep[3, slot] if _SERVES[mode] else begin[3, slot]
        sell = keep[4, slot] if mode == _EXPORT else begin[4, slot]
        if no_pv[slot] > 0.0:
            store = capacity if _STORES[mode] else -_FAR
        elif stored >= capacity - little:
            store = capacity if _STORES[mode] or begin[1, slot] >= capacity - same else -_FAR
        if stored <= little:
            serve = 0.0 if _SERVES[mode] or begin[3, slot] <= same else _FAR
        stores = stored < store - same or store >= capacity - same
        serves = stored > serve + same or serve <= same
        if stored < buy - same:
            mode = _CHARGE
        elif stored > sell + same:
            mode = _EXPORT
        elif stores:
            mode = _SELF_CONSUMPTION if serves else _SAVE
        else:
            mode = _SUPPLY if serves else _HOLD
        part = length[slot]
        level = stored
        level += min(max(min(keep[2, slot], capacity) - level, 0.0), part[STORE_CURTAILED])
        if _STORES[mode]:
            most = max(store, buy) if mode == _CHARGE else store
            level += min(max(min(most, capacity) - level, 0.0), part[STORE])
        if mode == _CHARGE:
            level += min(max(min(buy, capacity) - level, 0.0), part[BUY])
        if level == stored:
            level -= min(part[SERVE_FORCED], max(level, 0.0))
            if _SERVES[mode]:
                least = min(serve, sell) if mode == _EXPORT else serve
                level -= min(max(level - max(least, 0.0), 0.0), part[SERVE])
            if mode == _EXPORT:
                level -= min(max(level - max(sell, 0.0), 0.0), part[FIRST_OUT])
        stored = min(max(level, min(stored, 0.0)), max(stored, capacity))
        path[slot] = stored
        modes[slot] = mode


@loop
def follow_each(
    limits: Pair, slots: Triple, terminal: Pair, battery: FloatArray, cost: FloatArray
) -> None:
    """Write a policy's cost on each scenario, ``(scenarios,)``.

    It is relative to an idle battery and less the terminal value.

    Args:
        limits: as in ``follow_policy``.
        slots: lengths and values of the segments of all scenarios, ``(scenarios, slots, 7)``, and
        1.0
            where there is no PV to store, ``(slots,)``.
        terminal: lengths and values of V′ at the horizon.
        battery: as in ``follow_policy``.
    """
    length, value, no_pv = slots
    path = np.empty(no_pv.size)
    modes = np.empty(no_pv.size, dtype=np.int64)
    for scenario in range(cost.size):
        follow_policy(limits, (length[scenario], no_pv), battery, (path, modes))
        total = 0.0
        stored = battery[0]
        for slot in range(no_pv.size):
            into = max(path[slot] - stored, 0.0)
            out = max(stored - path[slot], 0.0)
            for kind in (STORE_CURTAILED, STORE, BUY):
                step = min(into, length[scenario, slot, kind])
                total += step * value[scenario, slot, kind]
                into -= step
            # Forced discharge costs the same under any policy.
            out -= min(out, length[scenario, slot, SERVE_FORCED])
            for kind in (SERVE, FIRST_OUT, SECOND_OUT):
                step = min(out, length[scenario, slot, kind])
                total -= step * value[scenario, slot, kind]
                out -= step
            stored = path[slot]
        remaining = max(stored, 0.0)
        for part in range(terminal[0].size):
            piece = min(remaining, terminal[0][part])
            total -= piece * terminal[1][part]
            remaining -= piece
        cost[scenario] = total


@loop
def walk(slots: Triple, function: Buffers, start_kwh: float, capacity_kwh: float) -> Pair:
    """Follow the optimal path: return the stored energy that each slot takes out, and its gain.

    ``function`` are the buffers and offsets of V′. From the largest charge on, a slot's segments
    are taken while their value exceeds V′.
    """
    slot_length, slot_value, charge_kwh = slots
    length, value, offsets = function
    drawn = np.empty(charge_kwh.size)
    gain = np.zeros(charge_kwh.size)
    stored = start_kwh
    for slot in range(charge_kwh.size):
        level = stored + charge_kwh[slot]
        index = offsets[slot + 1]
        below = 0.0
        while index + 1 < offsets[slot + 2] and below + length[index] < level - _SAME:
            below += length[index]
            index += 1
        for part in range(slot_length.shape[1]):
            remaining = slot_length[slot, part]
            while remaining > _EMPTY:
                forced = level > capacity_kwh + _SAME
                if not forced and (level <= _SAME or value[index] >= slot_value[slot, part]):
                    break
                room = level - capacity_kwh if forced else level - below
                step = min(remaining, room)
                level -= step
                remaining -= step
                gain[slot] += step * slot_value[slot, part]
                if not forced and level <= below + _EMPTY and index > offsets[slot + 1]:
                    index -= 1
                    below -= length[index]
            if remaining > _EMPTY:
                break
        drawn[slot] = stored - level
        stored = level
    return drawn, gain
