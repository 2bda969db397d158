"""The value of a stored kWh: the exact dynamic programme over piecewise-linear value functions.

W_t(s), the least cost from stored energy s at the start of slot t to the horizon, is convex and
piecewise linear while every slot is convex. Its negative slope V′ is kept as segments (length,
value), sorted from the most valuable stored kWh to the least. One Bellman step is the infimal
convolution of W with the slot's cost: a merge of two sorted lists that drops what charging at most
brings from the front and cuts at the usable capacity. Source: docs/decisions/0004.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from luna.energy.economics.costs import BreakEven
from luna.energy.errors import InvalidInputError
from luna.energy.timeline import FloatArray, IndexArray
from services.planner.dp import kernels
from services.planner.dp.nonconvex import most_cost, worth
from services.planner.dp.segments import FORBIDDEN_VALUE, KINDS, Segments, offer_scenarios
from services.planner.problem.directions import Direction
from services.planner.problem.problem import NO_RESERVE, Problem
from services.planner.problem.scenarios import cvar_weights

# Costs within rounding count as equal.
TIE = 1e-9
# Lengths and descending values of V′ at the horizon; lengths sum to the usable capacity.
Terminal = tuple[FloatArray, FloatArray]


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Levels at which a battery's actions end, stored kWh above the reserve, ``(…, slots)``.

    Invariants: ``buy_kwh ≤ store_kwh`` and ``serve_kwh ≤ sell_kwh``.
    """

    buy_kwh: FloatArray
    store_kwh: FloatArray
    spill_kwh: FloatArray
    serve_kwh: FloatArray
    sell_kwh: FloatArray
    displace_kwh: FloatArray


@dataclass(frozen=True, slots=True)
class ValueFunction:
    """V′ after every slot: segments of slot t stand at ``offsets[t]:offsets[t + 1]``.

    Entry 0 is before the first slot.
    """

    capacity_kwh: float
    length_kwh: FloatArray
    value: FloatArray
    offsets: NDArray[np.int64]

    def after(self, slot: int) -> tuple[FloatArray, FloatArray]:
        """Return lengths and values of V′ at the end of ``slot``."""
        part = slice(self.offsets[slot + 1], self.offsets[slot + 2])
        return self.length_kwh[part], self.value[part]

    def marginal(self, stored_kwh: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return V′ left and right of ``stored_kwh`` at the end of each slot, ``(slots,)``.

        ``stored_kwh`` is above the reserve.
        """
        pair: tuple[FloatArray, FloatArray] = kernels.marginal(
            self.length_kwh, self.value, self.offsets, stored_kwh
        )
        return pair

    def integral(self, before_kwh: FloatArray, after_kwh: FloatArray) -> FloatArray:
        """Return the worth of the energy between two levels at the end of each slot.

        It is positive where ``after_kwh`` is more.
        """
        difference: FloatArray = kernels.integral(
            self.length_kwh, self.value, self.offsets, before_kwh, after_kwh
        )
        return difference

    def thresholds(
        self, levels: BreakEven, *, self_consumption_margin: FloatArray | float = 0.0
    ) -> Thresholds:
        """Return the thresholds of each slot.

        Args:
            levels: break-even values, each of shape ``(…, slots)``.
            self_consumption_margin: margin per stored kWh in favour of storing surplus and serving
                the load, shape ``(slots,)`` or one number.
        """
        # Energy of equal cost now and later is bought now, unless it would only be carried through:
        # buying and serving at one price is no gain.
        early = np.where(levels.buy > levels.serve + 2 * TIE, TIE, -TIE)
        store = levels.store - TIE - self_consumption_margin
        serve = levels.serve + TIE + self_consumption_margin
        level = np.array(
            [
                levels.buy - early,
                store,
                levels.spill - TIE,
                serve,
                levels.sell - TIE,
                levels.displace - TIE,
            ]
        )
        reach = kernels.reach(
            self.length_kwh, self.value, self.offsets, level.reshape(-1, level.shape[-1])
        )
        return Thresholds(*reach.reshape(level.shape))


def solve_value(
    segments: Segments,
    *,
    capacity_kwh: float,
    terminal: Terminal,
    reserve_kwh: FloatArray = NO_RESERVE,
) -> ValueFunction:
    """Return V′ before and after every slot.

    Args:
        segments: of each slot, shape ``(slots, 7)``; every slot convex.
        capacity_kwh: usable capacity, from the lowest to the highest SoC.
        terminal: V′ at the horizon.
        reserve_kwh: least energy to be stored at the end of each slot at any cost, above the lowest
            SoC; the last slot's is part of ``terminal``.

    Raises:
        InvalidInputError: a slot is not convex: the mixed-integer model has to fix its direction.
    """
    _require_convex(segments)
    slots = (segments.length_kwh, segments.value, segments.charge_kwh)
    count = segments.charge_kwh.size
    room = 32
    offsets = np.empty(count + 2, dtype=np.int64)
    while True:
        length = np.empty((count + 1) * room)
        value = np.empty((count + 1) * room)
        if kernels.backward(
            slots, terminal, capacity_kwh, (reserve_kwh, FORBIDDEN_VALUE), (length, value, offsets)
        ):
            return ValueFunction(capacity_kwh, length, value, offsets)
        room *= 2


def _require_convex(segments: Segments) -> None:
    if not segments.convex.all():
        slot = int(np.argwhere(~segments.convex)[0][-1])
        raise InvalidInputError(
            "this slot's cost is not convex",
            field=f"slots[{slot}]",
            remedy="Fix its direction by the mixed-integer model first.",
        )


def follow(
    thresholds: Thresholds, segments: Segments, start_kwh: float, capacity_kwh: float
) -> FloatArray:
    """Return the stored energy above the reserve at the end of each slot, ``(slots,)``."""
    first = np.where(segments.displaces_first, thresholds.displace_kwh, thresholds.sell_kwh)
    second = np.where(segments.displaces_first, thresholds.sell_kwh, thresholds.displace_kwh)
    limits = np.array(
        [
            thresholds.buy_kwh,
            thresholds.store_kwh,
            thresholds.spill_kwh,
            thresholds.serve_kwh,
            first,
            second,
        ]
    )
    path: FloatArray = kernels.follow(limits, segments.length_kwh, start_kwh, capacity_kwh)
    return path


def mean_values(
    segments: Segments, *, capacity_kwh: float, terminal: Terminal, cells: int
) -> FloatArray:
    """Return V′ of each path at the end of the first slot, shape ``(paths, cells)``.

    It is the mean over each of ``cells`` equal parts of the capacity.

    Args:
        segments: of many paths or sites, shape ``(paths, slots, 7)``; every slot convex.
        capacity_kwh: usable capacity.
        terminal: as in ``solve_value``, the same for all paths.
        cells: parts into which the capacity is divided.
    """
    _require_convex(segments)
    grid: FloatArray = kernels.first_values(
        segments.length_kwh, segments.value, segments.charge_kwh, terminal, capacity_kwh, cells
    )
    return grid


# Lengths and values of all scenarios' V′, and where each slot of each scenario begins, shape
# ``(scenarios, slots + 2)``.
Functions = tuple[FloatArray, FloatArray, IndexArray]
_NO_WEIGHT = 1e-9


@dataclass(frozen=True, slots=True)
class MeanValue:
    """Mean V′ of the first slots, and how many scenarios it is made of.

    ``left_out`` is the number of scenarios without a value function of their own.
    """

    function: ValueFunction
    scenarios: int
    left_out: int


def average_value(
    problem: Problem, *, direction: Direction | None, terminal: Terminal, slots: int
) -> MeanValue:
    """Return mean V′ over the expected scenario and the problem's others.

    Where the problem heeds risk, dearer scenarios count more. The flow directions decided on the
    expected scenario hold on all scenarios. One that is not convex under them, or beyond what
    connection and battery can carry, is left out.

    Args:
        problem: of one battery, with scenarios.
        direction: of each slot on the expected scenario; without it, prices decide.
        terminal: V′ at the horizon, the same for all scenarios.
        slots: the number of slots to return the mean for.
    """
    if problem.uncertainty.scenarios is None:
        raise InvalidInputError(
            "there are no scenarios to average over",
            field="scenarios",
            remedy="Add them to the problem.",
        )
    scenarios = problem.uncertainty.scenarios
    segments = offer_scenarios(problem, scenarios, direction)
    exact = np.asarray((segments.covered & segments.convex).all(axis=1))
    exact[0] = True  # the expected scenario is planned by its value function already
    expected_weight = max(1.0 - float(scenarios.weight.sum()), 0.0)
    if expected_weight <= _NO_WEIGHT:
        expected_weight = 0.0
    weight = np.append(expected_weight, scenarios.weight) * exact
    if weight.any():
        weight = weight / weight.sum()
    else:
        weight[0] = 1.0
    counted = np.flatnonzero(weight)
    if counted.size < weight.size:
        segments = segments.pick(counted)
        weight = weight[counted]
    functions = run_backward_each(
        (segments.length_kwh, segments.value, segments.charge_kwh),
        terminal,
        problem.reserve_above_kwh,
    )
    if problem.uncertainty.risk > 0:
        costs = _cost_scenarios(problem, segments, functions, terminal)
        weight = cvar_weights(weight, costs, problem.uncertainty.risk)
    mean = _mean(functions, weight, slots, capacity_kwh=float(terminal[0].sum()))
    return MeanValue(mean, counted.size, int((~exact).sum()))


def run_backward_each(
    slots: tuple[FloatArray, FloatArray, FloatArray],
    terminal: Terminal,
    reserve_kwh: FloatArray = NO_RESERVE,
) -> tuple[FloatArray, FloatArray, NDArray[np.int64]]:
    """Return lengths, values and offsets (``(paths, slots + 2)``) of V′ on many paths.

    The paths share a battery and a horizon.

    Args:
        slots: lengths and values of their segments, shape ``(paths, slots, kinds)``, and what
            charging at most brings, ``(paths, slots)``.
        terminal: V′ at the horizon; its lengths sum to the usable capacity.
        reserve_kwh: as in ``solve_value``, the same for all paths.
    """
    paths, count = slots[2].shape
    capacity_kwh = float(terminal[0].sum())
    reserve = (reserve_kwh, FORBIDDEN_VALUE)
    room = 16
    while True:
        size = (count + 1) * room
        length = np.empty((paths, size))
        value = np.empty((paths, size))
        offsets = np.empty((paths, count + 2), dtype=np.int64)
        out = (length, value, offsets)
        if kernels.backward_each(slots, terminal, capacity_kwh, reserve, out):
            begins = size * np.arange(paths)[:, None]
            return length.ravel(), value.ravel(), offsets + begins
        room *= 2


def _cost_scenarios(
    problem: Problem, segments: Segments, functions: Functions, terminal: Terminal
) -> FloatArray:
    """Return the best plan's cost on each scenario, less the terminal value."""
    length, value, offsets = functions
    start = float(problem.stored_kwh[0] - problem.limits.batteries.min_kwh[0, 0])
    capacity = float(terminal[0].sum())
    most = most_cost(segments).sum(axis=1)
    costs = np.empty(offsets.shape[0])
    for path in range(offsets.shape[0]):
        slots = (segments.length_kwh[path], segments.value[path], segments.charge_kwh[path])
        drawn, gain = kernels.walk(slots, (length, value, offsets[path]), start, capacity)
        costs[path] = most[path] - gain.sum() - worth(terminal, start - float(drawn.sum()))
    return costs


def _mean(
    functions: Functions, weight: FloatArray, slots: int, *, capacity_kwh: float
) -> ValueFunction:
    """Return the mean of value functions before and after the first ``slots``.

    Those that count nothing are left out.
    """
    length, value, offsets = functions
    ends = np.ascontiguousarray(offsets[weight > 0, : slots + 2])
    room = int((ends[:, -1] - ends[:, 0]).sum())
    out = (np.empty(room), np.empty(room), np.empty(slots + 2, dtype=np.int64))
    kernels.mean((length, value, ends), weight[weight > 0], FORBIDDEN_VALUE, out)
    return ValueFunction(capacity_kwh, *out)


# Compiled loops that only plans over several scenarios need.
SCENARIO_LOOPS = (kernels.backward_each, kernels.mean, kernels.walk)


def load_kernels() -> None:
    """Load the compiled loops of one scenario, or compile them the first time."""
    nothing = np.zeros((1, KINDS))
    function = ValueFunction(1.0, *(np.ones(2), np.ones(2)), np.arange(3))
    level = np.zeros(1)
    terminal = (np.ones(1), np.ones(1))
    kernels.backward(
        (nothing, nothing, level),
        terminal,
        1.0,
        (NO_RESERVE, FORBIDDEN_VALUE),
        (np.empty(64), np.empty(64), np.empty(3, dtype=np.int64)),
    )
    kernels.follow(np.zeros((6, 1)), nothing, 0.0, 1.0)
    function.marginal(level)
    function.integral(level, level)
    function.thresholds(BreakEven(level, level, level, level, level, level))


def load_scenario_kernels() -> None:
    """Load those of several scenarios, or compile them the first time."""
    nothing = np.zeros((1, KINDS))
    level = np.zeros(1)
    terminal = (np.ones(1), np.ones(1))
    length, value, offsets = run_backward_each(
        (nothing[None], nothing[None], level[None]), terminal
    )
    _mean((length, value, offsets), np.ones(1), 1, capacity_kwh=1.0)
    kernels.walk((nothing, nothing, level), (length, value, offsets[0]), 0.0, 1.0)
