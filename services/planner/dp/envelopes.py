"""The compiled loops of the dynamic programme over slots that are not convex.

Value functions are straight pieces with jumps between them. A function is an array of pieces, each
its begin, its end and its value at both, in order of stored energy; between pieces that do not
join, it has no value. A slot's way is concave: taking energy out gains length by length, so that
one step back in time is a sliding maximum for each length.
"""

import numpy as np

from luna.energy.timeline import FloatArray, IndexArray
from services.planner.loops import loop, loop_part

# Ways of all slots: where those of each slot begin, energy taken out and gain at a way's begin, and
# lengths and values of what it offers from there on.
Offers = tuple[IndexArray, FloatArray, FloatArray, FloatArray]
# Pieces of all slots' functions, and where those of each slot begin; slot t's is that at its start,
# the last one that of the horizon.
Store = tuple[FloatArray, IndexArray]
# Energy to keep stored at the end of each slot, nothing where it is empty, and the worth of a kWh
# of that.
Reserve = tuple[FloatArray, float]

BEGIN, END, LEFT, RIGHT = range(4)
# Energies lie on a lattice (kWh): pieces begin exactly where others end, however often both are
# moved.
LATTICE = 2.0**-32
# Pieces shorter than this (kWh) are rounding, values this close (currency) the same, and pieces
# that differ by this one straight line.
_SHORT = 1e-9
_EVEN = 1e-9
_STRAIGHT = 1e-10
# How far beside a piece what it is worth there still counts, kWh.
_NEAR = 4e-9
_EMPTY = 1e-12
_NOWHERE = 1e300
_NEVER = -1e300


@loop_part
def _value_at(piece: FloatArray, level: float) -> float:
    share: float = (level - piece[BEGIN]) / (piece[END] - piece[BEGIN])
    value: float = piece[LEFT] * (1.0 - share) + piece[RIGHT] * share
    return value


@loop_part
def _append(out: FloatArray, count: int, piece: tuple[float, float, float, float]) -> int:
    """Append a piece, joined with the last one where both are one straight line.

    Return how many there are then, -1 where there is no room.
    """
    begin, end, left, right = piece
    if count < 0 or end - begin <= _SHORT:
        return count
    if count > 0 and abs(begin - out[count - 1, END]) <= _NEAR:
        last = out[count - 1]
        begin = last[END]
        if end - begin <= _SHORT:
            return count
        # By the longer one's slope the shorter one ends where it should: that of a short piece is
        # mostly rounding.
        old = last[END] - last[BEGIN]
        new = end - begin
        slope = (last[RIGHT] - last[LEFT]) / old if old > new else (right - left) / new
        off = right - left - slope * new if old > new else last[RIGHT] - last[LEFT] - slope * old
        if abs(left - last[RIGHT]) <= _STRAIGHT and abs(off) <= _STRAIGHT:
            last[END] = end
            last[RIGHT] = right
            return count
    if count == out.shape[0]:
        return -1
    out[count, BEGIN] = begin
    out[count, END] = end
    out[count, LEFT] = left
    out[count, RIGHT] = right
    return count + 1


@loop_part
def _append_higher(
    pair: tuple[FloatArray, FloatArray], span: tuple[float, float], out: FloatArray, count: int
) -> int:
    """Append the higher of two pieces over a span that both cover."""
    one, other = pair
    begin, end = span
    one_left = _value_at(one, begin)
    one_right = _value_at(one, end)
    left = _value_at(other, begin)
    right = _value_at(other, end)
    ahead = one_left - left
    behind = one_right - right
    if ahead >= -_EVEN and behind >= -_EVEN:
        return _append(out, count, (begin, end, one_left, one_right))
    if ahead <= _EVEN and behind <= _EVEN:
        return _append(out, count, (begin, end, left, right))
    cross = np.floor((begin + (end - begin) * ahead / (ahead - behind)) / LATTICE + 0.5) * LATTICE
    middle = _value_at(one, cross)
    if ahead > 0:
        count = _append(out, count, (begin, cross, one_left, middle))
        return _append(out, count, (cross, end, middle, right))
    count = _append(out, count, (begin, cross, left, middle))
    return _append(out, count, (cross, end, middle, one_right))


@loop_part
def find_higher(one: FloatArray, other: FloatArray, out: FloatArray) -> int:
    """Write the higher of two functions.

    Return how many pieces it has, -1 where there is no room.
    """
    first = 0
    second = 0
    count = 0
    begin_of_one = one[0, BEGIN] if len(one) else _NOWHERE
    begin_of_other = other[0, BEGIN] if len(other) else _NOWHERE
    now = min(begin_of_one, begin_of_other)
    while count >= 0 and (first < len(one) or second < len(other)):
        in_one = first < len(one) and one[first, BEGIN] <= now
        in_other = second < len(other) and other[second, BEGIN] <= now
        end = _NOWHERE
        if first < len(one):
            end = min(end, one[first, END] if in_one else one[first, BEGIN])
        if second < len(other):
            end = min(end, other[second, END] if in_other else other[second, BEGIN])
        if in_one and in_other:
            count = _append_higher((one[first], other[second]), (now, end), out, count)
        elif in_one:
            count = _append(
                out, count, (now, end, _value_at(one[first], now), _value_at(one[first], end))
            )
        elif in_other:
            count = _append(
                out, count, (now, end, _value_at(other[second], now), _value_at(other[second], end))
            )
        now = end
        while first < len(one) and one[first, END] <= now:
            first += 1
        while second < len(other) and other[second, END] <= now:
            second += 1
    return count


@loop_part
def _find_peaks(function: FloatArray, value: float, out: FloatArray) -> int:
    """Write the levels and heights of the local maxima of ``function`` less ``value`` a kWh.

    Return how many there are.
    """
    count = 0
    size = len(function)
    for place in range(size):
        piece = function[place]
        gained = piece[RIGHT] - piece[LEFT] - value * (piece[END] - piece[BEGIN])
        apart_before = place == 0 or piece[BEGIN] > function[place - 1, END] + _NEAR
        apart_after = place == size - 1 or function[place + 1, BEGIN] > piece[END] + _NEAR
        if gained <= 0.0 and (apart_before or piece[LEFT] > function[place - 1, RIGHT] + _EVEN):
            out[count, 0] = piece[BEGIN]
            out[count, 1] = piece[LEFT] - value * piece[BEGIN]
            count += 1
        if gained >= 0.0:
            following = piece if apart_after else function[place + 1]
            width = following[END] - following[BEGIN]
            falls = following[RIGHT] - following[LEFT] <= value * width
            drops = piece[RIGHT] > following[LEFT] + _EVEN
            joins = piece[RIGHT] >= following[LEFT] - _EVEN
            if apart_after or drops or (falls and joins):
                out[count, 0] = piece[END]
                out[count, 1] = piece[RIGHT] - value * piece[END]
                count += 1
    return count


@loop_part
def _hold_peaks(
    peaks: FloatArray, step: tuple[float, float], queue: IndexArray, out: FloatArray
) -> int:
    """Write the highest peak within a length of energy taken out.

    Return how many pieces that has.
    """
    length, value = step
    count = 0
    head = 0
    tail = 0
    following = 0
    now = peaks[0, 0] if len(peaks) else _NOWHERE
    while count >= 0 and (following < len(peaks) or head < tail):
        while following < len(peaks) and peaks[following, 0] <= now:
            while tail > head and peaks[queue[tail - 1], 1] <= peaks[following, 1]:
                tail -= 1
            queue[tail] = following
            tail = tail + 1
            following = following + 1
        while head < tail and peaks[queue[head], 0] + length <= now:
            head += 1
        end = peaks[following, 0] if following < len(peaks) else _NOWHERE
        if head < tail:
            highest = peaks[queue[head]]
            end = min(end, highest[0] + length)
            count = _append(
                out, count, (now, end, highest[1] + value * now, highest[1] + value * end)
            )
        now = end
    return count


@loop_part
def take_out(
    function: FloatArray,
    step: tuple[float, float],
    out: FloatArray,
    scratch: tuple[FloatArray, FloatArray, FloatArray, IndexArray],
) -> int:
    """Write the function after taking out up to ``length`` of energy at a value per kWh.

    Return how many pieces it has, -1 where there is no room.
    """
    length, value = step
    buffer, joined, peaks, queue = scratch
    if 2 * len(function) > len(peaks):
        return -1
    count = _hold_peaks(peaks[: _find_peaks(function, value, peaks)], step, queue, buffer)
    if count < 0:
        return -1
    pieces = find_higher(function, buffer[:count], joined)
    if pieces < 0:
        return -1
    for place in range(len(function)):
        buffer[place, BEGIN] = function[place, BEGIN] + length
        buffer[place, END] = function[place, END] + length
        buffer[place, LEFT] = function[place, LEFT] + value * length
        buffer[place, RIGHT] = function[place, RIGHT] + value * length
    return find_higher(joined[:pieces], buffer[: len(function)], out)


@loop_part
def _clip(function: FloatArray, capacity_kwh: float) -> int:
    """Cut a function to a battery's capacity, in place; return how many pieces are left."""
    count = 0
    for piece in function:
        begin = max(piece[BEGIN], 0.0)
        end = min(piece[END], capacity_kwh)
        if end - begin > _SHORT:
            left = _value_at(piece, begin)
            right = _value_at(piece, end)
            function[count, BEGIN] = begin
            function[count, END] = end
            function[count, LEFT] = left
            function[count, RIGHT] = right
            count += 1
    return count


@loop_part
def _hold_reserve(function: FloatArray, reserve: tuple[float, float], out: FloatArray) -> int:
    """Write a function less what a reserve lacks; return how many pieces it has."""
    level, price = reserve
    count = 0
    for piece in function:
        begin = piece[BEGIN]
        end = piece[END]
        cut = min(max(level, begin), end)
        middle = _value_at(piece, cut)
        count = _append(
            out,
            count,
            (
                begin,
                cut,
                piece[LEFT] - price * (level - begin),
                middle - price * max(level - cut, 0.0),
            ),
        )
        count = _append(out, count, (cut, end, middle, piece[RIGHT]))
    return count


@loop_part
def _step_back(
    function: FloatArray, offers: Offers, slot: tuple[int, int, float], room: FloatArray
) -> int:
    """Write the function at the start of a slot to ``room[0]``.

    Return how many pieces it has, -1 where there is no room.

    ``slot`` is its first way, the next slot's first way, and the capacity.
    """
    _, begin, length, value = offers
    first, end, capacity_kwh = slot
    size = room.shape[1]
    best = room[0]
    now = room[1]
    after = room[2]
    buffer = room[3]
    joined = room[4]
    count = 0
    peaks = np.empty((2 * size, 2))
    queue = np.empty(2 * size, dtype=np.int64)
    for way in range(first, end):
        pieces = len(function)
        for place in range(pieces):
            now[place, BEGIN] = function[place, BEGIN] + begin[way, 0]
            now[place, END] = function[place, END] + begin[way, 0]
            now[place, LEFT] = function[place, LEFT] + begin[way, 1]
            now[place, RIGHT] = function[place, RIGHT] + begin[way, 1]
        for part in range(length.shape[1]):
            if length[way, part] > _EMPTY:
                pieces = take_out(
                    now[:pieces],
                    (length[way, part], value[way, part]),
                    after,
                    (buffer, joined, peaks, queue),
                )
                if pieces < 0:
                    return -1
                now, after = after, now
        count = find_higher(best[:count], now[: _clip(now[:pieces], capacity_kwh)], after)
        if count < 0:
            return -1
        for place in range(count):
            for corner in range(4):
                best[place, corner] = after[place, corner]
    return count


@loop
def backward(
    offers: Offers,
    terminal: tuple[FloatArray, FloatArray],
    reserve: Reserve,
    buffers: tuple[Store, FloatArray],
) -> bool:
    """Walk from the horizon to now, filling the store from its end.

    Return False where one of the buffers is too short.

    ``buffers`` are the store, and room for a slot's pieces, ``(5, pieces, 4)``.
    """
    first, _, _, _ = offers
    reserve_kwh, price = reserve
    ((pieces, offsets), room) = buffers
    capacity = terminal[0].sum()
    level = 0.0
    worth = 0.0
    count = 0
    last = offsets.size - 2
    # The compiler knows no strict.
    for length, value in zip(terminal[0], terminal[1]):  # noqa: B905
        count = _append(room[0], count, (level, level + length, worth, worth + length * value))
        level = level + length
        worth = worth + length * value
    offsets[last + 1] = len(pieces)
    for slot in range(last, -1, -1):
        if slot < last:
            count = _step_back(
                pieces[offsets[slot + 1] : offsets[slot + 2]],
                offers,
                (first[slot], first[slot + 1], capacity),
                room,
            )
        if (
            count > 0
            and 0 < slot < last
            and reserve_kwh.size > 0
            and reserve_kwh[slot - 1] > _EMPTY
        ):
            count = _hold_reserve(
                room[0, :count], (min(reserve_kwh[slot - 1], capacity), price), room[1]
            )
            for place in range(count):
                for corner in range(4):
                    room[0, place, corner] = room[1, place, corner]
        if count < 0 or offsets[slot + 1] < count:
            return False
        offsets[slot] = offsets[slot + 1] - count
        for place in range(count):
            for corner in range(4):
                pieces[offsets[slot] + place, corner] = room[0, place, corner]
    return True


@loop_part
def _read(function: FloatArray, level: float) -> float:
    """Return a function's value at a level.

    At a jump it is the higher one; where the function has none, less than any.
    """
    low = 0
    high = len(function)
    while low < high:
        middle = (low + high) // 2
        if function[middle, END] < level - _NEAR:
            low = middle + 1
        else:
            high = middle
    best = _NEVER
    while low < len(function) and function[low, BEGIN] <= level + _NEAR:
        nearest = min(max(level, function[low, BEGIN]), function[low, END])
        best = max(best, _value_at(function[low], nearest))
        low += 1
    return best


@loop_part
def _gain(begin: FloatArray, length: FloatArray, value: FloatArray, energy: float) -> float:
    """Return the gain of a way that takes out so much energy, as far as it can."""
    total: float = begin[1]
    remaining = energy - begin[0]
    for part in range(length.size):
        step = min(max(remaining, 0.0), length[part])
        total = total + step * value[part]
        remaining = remaining - step
    return total


@loop_part
def _choose(
    function: FloatArray, offers: Offers, ways: tuple[int, int], stored_kwh: float
) -> tuple[float, int, float]:
    """Return a slot's highest gain from a stored energy on, its way and energy taken out."""
    _, begin, length, value = offers
    best = _NEVER
    chosen = -1
    drawn = 0.0
    for way in range(ways[0], ways[1]):
        corner = begin[way, 0]
        end = begin[way, 0] + length[way].sum()
        for place in range(length.shape[1] + 1 + 2 * len(function)):
            energy = corner
            if place > length.shape[1]:
                at = place - length.shape[1] - 1
                energy = stored_kwh - function[at // 2, BEGIN if at % 2 == 0 else END]
            elif place < length.shape[1]:
                corner += length[way, place]
            rest_kwh = stored_kwh - energy
            if begin[way, 0] - _NEAR <= energy <= end + _NEAR:
                gained = _gain(begin[way], length[way], value[way], energy)
                gained = gained + _read(function, rest_kwh)
                if gained > best + _EVEN:
                    best = gained
                    chosen = way
                    drawn = energy
    return best, chosen, drawn


@loop
def forward(
    offers: Offers, store: Store, start_kwh: float, out: tuple[IndexArray, FloatArray]
) -> float:
    """Write each slot's way and final stored energy on the best path from a level.

    Return the gain of all slots, NaN where there is no path.
    """
    first, begin, length, value = offers
    pieces, offsets = store
    chosen, path_kwh = out
    stored = start_kwh
    total = 0.0
    for slot in range(chosen.size):
        function = pieces[offsets[slot + 1] : offsets[slot + 2]]
        best, way, drawn = _choose(function, offers, (first[slot], first[slot + 1]), stored)
        if best <= _NEVER / 2:
            return np.nan
        total += _gain(begin[way], length[way], value[way], drawn)
        stored = max(stored - drawn, 0.0)
        chosen[slot] = way
        path_kwh[slot] = stored
    return total


LOOPS = (backward, forward)


def load() -> None:
    """Load the compiled loops, or compile them the first time."""
    offers = (np.arange(2), np.zeros((1, 2)), np.ones((1, 1)), np.ones((1, 1)))
    store = (np.empty((64, 4)), np.empty(3, dtype=np.int64))
    terminal = (np.ones(1), np.ones(1))
    backward(offers, terminal, (np.empty(0), 0.0), (store, np.empty((5, 16, 4))))
    forward(offers, store, 0.0, (np.empty(1, dtype=np.int64), np.empty(1)))
