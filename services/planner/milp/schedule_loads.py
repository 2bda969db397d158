"""The schedule of flexible loads: the mixed-integer model decides it together with batteries and
peaks.

From then on loads count as house load and a peak as a limit of the connection; the batteries are
planned once more around them.

Rounding comes before branch and bound: an integer solution is good enough where its cost is within
the gap of a proven lower bound. Loads that are on or off follow one schedule each: the nearest to
the relaxed solution, or the cheapest at its dual prices; where these cost too much, one of the
cheapest mixture of schedules. The binaries left are rounded by the relaxed solution. That takes a
few more linear solves from the last basis, a search takes hundreds.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

import numpy as np

from luna.energy.physics.mode import BoolArray
from luna.energy.timeline import FloatArray, IndexArray
from services.planner.linear.model import CHOSEN, InfeasibleError, LinearModel
from services.planner.linear.schedules import OnOffSchedule, ScheduleBlock
from services.planner.milp.device_choices import list_choices
from services.planner.milp.directions import (
    BinarySlots,
    FlowDirections,
    PlannedFlows,
    find_complementarity_violations,
    find_nonconvex_slots,
)
from services.planner.milp.formulation import Formulation, formulate
from services.planner.milp.infeasibility import naming_failing_rows
from services.planner.milp.local_search import search_schedules
from services.planner.milp.long_pins import settle_pins
from services.planner.milp.mixtures import PlacedBlock, mix_schedules
from services.planner.milp.solver import (
    LinearSolution,
    Solution,
    Solver,
    SolverError,
    relative_gap,
)
from services.planner.problem.load_schedule import LoadSchedule
from services.planner.problem.problem import Problem, SearchLimits

# The share of the time left for the first solution of demands that are not settled: all are
# scheduled once more as that settles them.
_FIRST_SHARE = 0.5


def schedule_loads(problem: Problem, solver: Solver | None = None) -> LoadSchedule:
    """Return the least-cost schedule of all demands, planned together with the batteries.

    Contradicting limits are broken at a price.

    ``solver`` is renewed for each solve.

    Raises:
        SolverError: no schedule was found within the time limit.
    """
    solver = solver or Solver()
    problem = settle_pins(problem.begun(), solver)
    hours = problem.outlook.timeline.hours
    if all(demand.is_settled(hours) for demand in problem.demands):
        return _place(problem, solver)
    first = _place(problem.due(problem.deadline.share(_FIRST_SHARE)), solver)
    # Unsettled demands cost least, so the first solution is the bound; its use settles them for the
    # second.
    settled = tuple(
        each.demand if each.demand.is_settled(hours) else each.demand.settle(each.use_kwh, hours)
        for each in first.loads
    )
    final = _place(replace(problem, demands=settled), solver)
    if first.gap is None or final.gap is None:
        return replace(final, gap=None, proven=False)
    gap = relative_gap(final.objective, first.objective - first.gap * abs(first.objective))
    return replace(
        final, gap=gap, proven=gap * abs(final.objective) <= problem.search.allow(final.objective)
    )


def _place(problem: Problem, solver: Solver) -> LoadSchedule:
    try:
        return _schedule(problem, solver, elastic=False)
    except InfeasibleError:
        with naming_failing_rows():
            return _schedule(problem, solver, elastic=True)


# The share of the time left for each solve after the first: the batteries, which it serves, are
# planned once more.
_BATTERIES_SHARE = 0.4


def _schedule(problem: Problem, solver: Solver, *, elastic: bool) -> LoadSchedule:
    """Solve the model, adding binaries where batteries or grid flow both ways in one slot, until no
    slot does.
    """
    ways = FlowDirections.of(problem)
    choices: BinarySlots | None = None
    best: LoadSchedule | None = None
    while True:
        built = formulate(problem, ways, choices=choices, elastic=elastic)
        try:
            solution = _solve(
                built,
                problem if best is None else problem.due(problem.deadline.share(_BATTERIES_SHARE)),
                solver,
            )
        except SolverError:
            if best is None:
                raise
            return best
        flows = built.flows(solution, ways)
        violations = find_complementarity_violations(problem, flows)
        if not violations.any():
            return _read_schedule(problem, built, solution, flows)
        # The loads' schedule is feasible whatever the batteries do: it counts when time runs out,
        # though without a proven gap.
        best = replace(_read_schedule(problem, built, solution, flows), gap=None, proven=False)
        choices = (
            violations.joined(find_nonconvex_slots(problem))
            if choices is None
            else choices.joined(violations)
        )


def _read_schedule(
    problem: Problem, built: Formulation, solution: Solution, flows: PlannedFlows
) -> LoadSchedule:
    slots = problem.outlook.timeline.count
    column = solution.column
    loads = tuple(columns.place(column) for columns in built.placed.loads)
    storages = [load.storage for load in loads if load.storage]
    used = sum((load.use_kwh for load in loads), np.zeros(slots))
    net = (
        problem.outlook.load_kwh
        + used
        - sum((storage.give_kwh for storage in storages), np.zeros(slots))
        - problem.ac_pv_kwh
    )
    none = np.zeros(slots, dtype=bool)
    from_surplus = np.any([none, *(s.from_surplus for s in storages)], axis=0)
    spared = np.any([none, *(s.spared for s in storages)], axis=0)
    # Around the loads the batteries are planned without peak variables: each month's peak becomes
    # an import limit.
    limit = np.array(problem.import_limit_kwh)
    hours = problem.outlook.timeline.hours
    for peak in built.peaks:
        in_month = peak.share.slots
        limit[in_month] = np.minimum(
            limit[in_month], peak.limit_import(flows.import_kwh, column, hours)
        )
    return LoadSchedule(
        demands=problem.demands,
        loads=loads,
        import_limit_kwh=np.minimum(limit, np.where(from_surplus, np.maximum(net, 0.0), np.inf)),
        give_limit_kwh=np.where(spared, 0.0, np.inf)
        if spared.any() and problem.site.batteries
        else None,
        beside_cost=float(built.model.cost[built.placed.span] @ column[built.placed.span]),
        objective=solution.objective,
        gap=solution.gap,
        proven=solution.proven,
    )


# A search starts with at least this many times what rounding took: with less it improves on
# nothing, and ends late at that.
_SEARCH_ROUNDINGS = 5


def _solve(built: Formulation, problem: Problem, solver: Solver) -> Solution:
    """Return a solution within the gap: the rounded one where that is good enough, else what branch
    and bound finds from there.

    Of devices with ranges of power, which a relaxed solution says little about, local search finds
    one; branch and bound goes on only where a gap was asked for.
    """
    choices = list_choices(built)
    if choices:
        searching = solver.renew(problem.deadline)
        searching.solve(built.model.relaxed())
        relaxed = searching.read_linear()
        rounded = _round_once(built, relaxed, searching, problem.search)
        if rounded and rounded.proven:
            return rounded
        searched = search_schedules(
            built, choices, searching, problem.search, relaxed=relaxed, rounded=rounded
        )
        if searched and (searched.proven or not problem.search.to_gap):
            return searched
        if searched:
            return _search_on(built, problem, solver, start=searched)
    left_s = problem.deadline.left_s
    rounded = round_relaxation(
        built.model,
        built.placed.blocks,
        search=problem.search,
        solver=solver.renew(problem.deadline),
    )
    if rounded and (
        rounded.proven
        or problem.deadline.left_s < _SEARCH_ROUNDINGS * (left_s - problem.deadline.left_s)
    ):
        return rounded
    return _search_on(built, problem, solver, start=rounded)


def _search_on(
    built: Formulation, problem: Problem, solver: Solver, *, start: Solution | None
) -> Solution:
    return solver.renew().solve(
        built.model,
        mip_gap=problem.search.mip_gap,
        gap_cost=problem.search.gap_cost,
        time_limit_s=problem.left_s,
        start=start.column if start else None,
    )


# A binary is rounded up where the relaxed solution has at least this share of what 1 requires, such
# as a charger's least power; tried in this order.
_ROUND_UP_SHARES = (0.3, 0.1, 0.6, 0.2, 0.45, 0.8)


def round_relaxation(
    model: LinearModel,
    blocks: Sequence[ScheduleBlock],
    *,
    search: SearchLimits,
    solver: Solver | None = None,
) -> Solution | None:
    """Return an integer solution with its proven gap, one that is good enough if rounding finds it.

    None where it finds no integer solution.

    Args:
        model: its integer columns are between 0 and 1.
        blocks: on-off loads whose rows tie their own columns alone, rounded as whole schedules.
        search: which solution is good enough.
        solver: unused so far, since its last basis would decide between equal solutions.

    Raises:
        InfeasibleError: not even the relaxed model has a solution.
        SolverError: no time is left even for the relaxed model.
    """
    solver = solver or Solver()
    relaxed = solver.solve(model.relaxed())
    best: Solution | None = None
    rounded_model: LinearModel | None = None
    # Out of time, the best so far is returned.
    with suppress(InfeasibleError, SolverError):
        for fixed in _fix_blocks(model, blocks, relaxed, solver, search=search):
            if best and (best := best.bounded(fixed.bound, search)).proven:
                return best
            if fixed.model is rounded_model:
                continue
            rounded_model = fixed.model
            for share in _ROUND_UP_SHARES:
                rounded = _round_binaries(fixed.model, fixed.relaxed.column, solver, share=share)
                rounded = rounded.bounded(fixed.bound, search)
                best = rounded if best is None or rounded.objective < best.objective else best
                if best.proven:
                    return best
    return best


def _round_once(
    built: Formulation, relaxed: LinearSolution, solver: Solver, search: SearchLimits
) -> Solution | None:
    """Return the integer solution nearest to the relaxed one, or None if that is infeasible."""
    model = built.model
    blocks = built.placed.blocks
    column = relaxed.column
    with suppress(InfeasibleError):
        fixed = model
        for block in blocks:
            nearest = PlacedBlock.of(model, block).find_nearest(relaxed.column[block.on])
            fixed = fixed.fixed(block.on, nearest.on)
        if blocks:
            column = solver.solve(fixed.relaxed()).column
        rounded = _round_binaries(fixed, column, solver, share=_ROUND_UP_SHARES[0])
        return rounded.bounded(relaxed.objective, search)
    return None


@dataclass(frozen=True, slots=True)
class _FixedBlocks:
    """A model whose blocks are fixed to schedules, its relaxed solution, and a lower bound on the
    cost of the model with its blocks free.
    """

    model: LinearModel
    relaxed: Solution
    bound: float


# The share of the time left for mixtures of schedules: binaries are rounded after them.
_MIXING_SHARE = 0.6
# Schedules are good enough when they are within half of what the whole may exceed its bound by; a
# mixture of them within a tenth.
_SCHEDULES_SHARE = 0.5
_MIXED_SHARE = 0.1
# The cost of a slot in which a schedule that follows dual prices differs from the best so far.
_CHANGE_COST = 0.005


def _fix_blocks(
    model: LinearModel,
    blocks: Sequence[ScheduleBlock],
    relaxed: Solution,
    solver: Solver,
    *,
    search: SearchLimits,
) -> Iterator[_FixedBlocks]:
    """Yield the model with every block fixed to a schedule.

    First to the quick ones where these are near enough, then to the best of the mixture too.

    Raises:
        InfeasibleError: a block has no schedule.
    """
    if not blocks:
        yield _FixedBlocks(model, relaxed, relaxed.objective)
        return
    allowed = search.allow(relaxed.objective)
    trials = _ScheduleSearch(model, [PlacedBlock.of(model, block) for block in blocks], solver)
    trials.try_schedules(
        [placed.find_nearest(relaxed.column[placed.block.on]) for placed in trials.blocks]
    )
    if not trials.is_within(_SCHEDULES_SHARE * allowed, relaxed.objective):
        trials.try_at_prices()
    if trials.best and trials.is_within(_SCHEDULES_SHARE * allowed, relaxed.objective):
        yield _FixedBlocks(*trials.best, relaxed.objective)
    bound = relaxed.objective
    with suppress(SolverError), solver.within(_MIXING_SHARE):
        mixture = mix_schedules(
            model, trials.blocks, relaxed, trials.tried, near=_MIXED_SHARE * allowed, solver=solver
        )
        for schedules in mixture.pick():
            trials.try_schedules(schedules)
        bound = mixture.bound
    if trials.best:
        yield _FixedBlocks(*trials.best, bound)


@dataclass
class _ScheduleSearch:
    """Tries schedules of all blocks.

    ``best`` is the model fixed to the cheapest ones, with its relaxed solution.
    """

    model: LinearModel
    blocks: Sequence[PlacedBlock]
    solver: Solver
    tried: list[Sequence[OnOffSchedule]] = field(default_factory=list)
    best: tuple[LinearModel, Solution] | None = None

    def is_within(self, allowed: float, bound: float) -> bool:
        return self.best is not None and self.best[1].objective - bound <= allowed

    def try_schedules(self, schedules: Sequence[OnOffSchedule]) -> None:
        """Try a schedule of each block.

        ``best`` stays where the rest of the model does not allow them.
        """
        self.tried.append(schedules)
        on = (
            np.concatenate([placed.block.on for placed in self.blocks]),
            np.concatenate([schedule.on for schedule in schedules]),
        )
        fixed = self.model.fixed(*on)
        with suppress(InfeasibleError):
            relaxed = self.solver.solve(fixed.relaxed())
            if self.best is None or relaxed.objective < self.best[1].objective:
                self.best = fixed, relaxed

    def try_at_prices(self) -> None:
        """Try the schedules that are cheapest at the dual prices of the best, with a cost on every
        slot that changes.
        """
        if self.best:
            dual = self.best[1].dual
            column = self.best[1].column
            self.try_schedules(
                [
                    placed.find(
                        dual, _CHANGE_COST * (1.0 - 2.0 * np.round(column[placed.block.on]))
                    )
                    for placed in self.blocks
                ]
            )


# Fixing some binaries makes others fractional: after so many rounds all are fixed at once.
_ROUNDS = 6
_INTEGRALITY_TOLERANCE = 1e-6


def _round_binaries(
    model: LinearModel, column: FloatArray, solver: Solver, *, share: float
) -> Solution:
    """Return the solution with every binary fixed to a whole value.

    Those are fixed first that are fractional in the relaxed solution ``column``.

    Raises:
        InfeasibleError: the whole values contradict each other.
    """
    binaries = _Binaries.of(model)
    fixed = model.relaxed()
    fractional, value = binaries.round(model, column, share=share)
    for _ in range(_ROUNDS):
        if not fractional.any():
            break
        # Binaries at 1 stay there, or fixing the fractional ones would only undo others.
        chosen = fractional | (value > 0)
        fixed = fixed.fixed(binaries.columns[chosen], value[chosen])
        fractional, value = binaries.round(model, solver.solve(fixed).column, share=share)
    return solver.solve(fixed.fixed(binaries.columns, value))


@dataclass(frozen=True, slots=True)
class _Binaries:
    """The binary columns of a model, and their matrix entries: row, position in ``columns``,
    coefficient.
    """

    columns: IndexArray
    row: IndexArray
    position: IndexArray
    factor: FloatArray

    @classmethod
    def of(cls, model: LinearModel) -> "_Binaries":
        chosen = model.integer == CHOSEN
        columns = np.flatnonzero(chosen)
        entries = np.flatnonzero(chosen[model.index] & (model.value != 0))
        return cls(
            columns,
            model.entry_rows()[entries],
            np.searchsorted(columns, model.index[entries]),
            model.value[entries],
        )

    def round(
        self, model: LinearModel, column: FloatArray, *, share: float
    ) -> tuple[BoolArray, FloatArray]:
        """Return which binaries are fractional and break a row either way, and a whole value for
        every binary.

        A fractional binary that fits one way with all else unchanged costs nothing and takes that
        value.
        """
        value = column[self.columns]
        activity = model.activity(column)
        missed_on, missed_off = (
            self._miss_rows(model, column, activity, to=to) for to in (1.0, 0.0)
        )
        fractional = np.abs(value - np.round(value)) > _INTEGRALITY_TOLERANCE
        fits_on = missed_on <= _INTEGRALITY_TOLERANCE
        fits_off = missed_off <= _INTEGRALITY_TOLERANCE
        whole = np.where(fits_on, 1.0, np.where(fits_off, 0.0, missed_on <= 1.0 - share))
        return fractional & ~fits_on & ~fits_off, np.where(fractional, whole, np.round(value))

    def _miss_rows(
        self, model: LinearModel, column: FloatArray, activity: FloatArray, *, to: float
    ) -> FloatArray:
        """Return by how much each binary, moved ``to`` a whole value alone, misses its worst row,
        relative to its coefficient there.
        """
        moved = activity[self.row] + self.factor * (to - column[self.columns][self.position])
        missed = np.maximum(
            model.row_lower[self.row] - moved, moved - model.row_upper[self.row]
        ) / np.abs(self.factor)
        worst = np.zeros(self.columns.size)
        np.maximum.at(worst, self.position, missed)
        return worst
