"""When what is placed runs or charges: the mixed-integer model decides it together with batteries and peaks, and hands the rest back.

What is placed counts as load from then on, and a peak as a limit of the connection: the battery then follows the value of its stored energy.

A whole answer near the relaxed one is enough where its cost is within the gap of a cost that none lies below. Loads that are on or off follow one schedule
each: the nearest to their relaxed one, or what prices lead to from there; where these cost too much, one of those that the cheapest mixture of schedules is
made of. What is left to choose follows where the relaxed answer points. That takes a few more linear solves from the last basis, where a search over all
choices takes hundreds.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

import numpy as np

from luna.energy.physics.mode import BoolArray
from luna.energy.timeline import FloatArray, IndexArray
from services.planner.linear.model import CHOSEN, InfeasibleError, LinearModel
from services.planner.linear.schedules import OnOffSchedule, ScheduleBlock
from services.planner.milp.directions import BinarySlots, FlowDirections, PlannedFlows, find_complementarity_violations, find_nonconvex_slots
from services.planner.milp.formulation import Formulation, formulate
from services.planner.milp.long_pins import settle_pins
from services.planner.milp.mixtures import PlacedBlock, mix_schedules
from services.planner.milp.solver import Solution, Solver, SolverError
from services.planner.problem.load_schedule import LoadSchedule
from services.planner.problem.problem import Problem

_WHOLE = 1e-6
# A choice is made for when the answer has at least this share of what making it takes, such as a charger's least power; tried in this order.
_ENOUGH = (0.3, 0.1, 0.6, 0.2, 0.45, 0.8)
# Making some choices moves others: after so many rounds all are made at once.
_ROUNDS = 6
# What it costs a schedule to change one slot while prices from the last solve lead it.
_RELUCTANCE = 0.005
# A mixture is good enough when it is within this share of the gap of its bound.
_MIXED_SHARE = 0.1


# The share of the time left for mixtures of schedules: choices are made after them.
_MIXING_SHARE = 0.6


@dataclass(frozen=True, slots=True)
class _Shaped:
    """A model whose blocks are fixed to schedules, the answer to it with the rest let go, and a cost that no whole answer of the model lies below."""

    model: LinearModel
    answer: Solution
    bound: float


def round_relaxation(model: LinearModel, blocks: Sequence[ScheduleBlock], *, gap: float, solver: Solver | None = None) -> Solution | None:
    """Return a whole solution with its proven gap, within ``gap`` of the optimum if one is found this way; None where there is none at all.

    Args:
        model: with integer columns between 0 and 1.
        blocks: parts of it whose rows tie their own columns alone, rounded by themselves.
        gap: relative to the solution's cost.
        solver: that has solved nothing yet: what it did before would decide between equal solutions.

    Raises:
        InfeasibleError: not even the relaxed model has a solution.
        SolverError: no time is left even for that one.
    """
    solver = solver or Solver()
    relaxed = solver.solve(model.relaxed())
    best: Solution | None = None
    rounded: LinearModel | None = None
    # Out of time the best so far it is.
    with suppress(InfeasibleError, SolverError):
        for shaped in _shape(model, blocks, relaxed, solver, gap=gap):
            if best and (best := _rate(best, shaped.bound, gap=gap)).proven:
                return best
            if shaped.model is rounded:
                continue
            rounded = shaped.model
            for enough in _ENOUGH:
                rated = _rate(_choose(shaped.model, shaped.answer, solver, enough=enough), shaped.bound, gap=gap)
                best = rated if best is None or rated.objective < best.objective else best
                if best.proven:
                    return best
    return best


def _rate(solution: Solution, bound: float, *, gap: float) -> Solution:
    """Return a solution with its distance from a bound."""
    distance = _distance(solution, bound)
    return replace(solution, gap=distance, proven=distance <= gap)


def _distance(solution: Solution, bound: float) -> float:
    return max(solution.objective - bound, 0.0) / max(abs(solution.objective), 1e-9)


def _shape(model: LinearModel, blocks: Sequence[ScheduleBlock], relaxed: Solution, solver: Solver, *, gap: float) -> Iterator[_Shaped]:
    """Yield the model with every block fixed to a schedule, and other schedules for who cannot use the first.

    Raises:
        InfeasibleError: a block has no schedule.
    """
    if not blocks:
        yield _Shaped(model, relaxed, relaxed.objective)
        return
    shaping = _Shaping(model, [PlacedBlock.of(model, block) for block in blocks], solver)
    shaping.consider([each.find_nearest(relaxed.column[each.block.on]) for each in shaping.blocks])
    if not shaping.is_within(gap / 2, relaxed.objective):
        shaping.lead()
    if shaping.best and shaping.is_within(gap / 2, relaxed.objective):
        yield _Shaped(*shaping.best, relaxed.objective)
    bound = relaxed.objective
    with suppress(SolverError), solver.within(_MIXING_SHARE):
        mixture = mix_schedules(model, shaping.blocks, relaxed, shaping.tried, near=gap * _MIXED_SHARE, solver=solver)
        for schedules in mixture.pick():
            shaping.consider(schedules)
        bound = mixture.bound
    if shaping.best:
        yield _Shaped(*shaping.best, bound)


@dataclass
class _Shaping:
    """Tries schedules, and keeps the model with every block fixed to the best of them, and its relaxed answer."""

    model: LinearModel
    blocks: Sequence[PlacedBlock]
    solver: Solver
    tried: list[Sequence[OnOffSchedule]] = field(default_factory=list)
    best: tuple[LinearModel, Solution] | None = None

    def is_within(self, gap: float, bound: float) -> bool:
        """Whether the best is so near a bound."""
        return self.best is not None and _distance(self.best[1], bound) <= gap

    def consider(self, schedules: Sequence[OnOffSchedule]) -> None:
        """Try a schedule of each block; those that the rest of the model does not allow are left out."""
        self.tried.append(schedules)
        on = np.concatenate([each.block.on for each in self.blocks]), np.concatenate([schedule.on for schedule in schedules])
        fixed = self.model.fixed(*on)
        with suppress(InfeasibleError):
            answer = self.solver.solve(fixed.relaxed())
            if self.best is None or answer.objective < self.best[1].objective:
                self.best = fixed, answer

    def lead(self) -> None:
        """Try what the prices of the best lead to from there."""
        if self.best:
            answer = self.best[1]
            self.consider([each.find(answer.dual, _RELUCTANCE * (1.0 - 2.0 * np.round(answer.column[each.block.on]))) for each in self.blocks])


def _choose(model: LinearModel, answer: Solution, solver: Solver, *, enough: float) -> Solution:
    """Return the solution after every choice that is still open was made: those first that the relaxed ``answer`` splits.

    Raises:
        InfeasibleError: choices contradict each other.
    """
    choices, tried = _Choices.of(model), model.relaxed()
    wrong, value = choices.judge(model, answer.column, enough=enough)
    for _ in range(_ROUNDS):
        if not wrong.any():
            break
        # What is made already stays made, or making these would only undo others.
        chosen = wrong | (value > 0)
        tried = tried.fixed(choices.columns[chosen], value[chosen])
        wrong, value = choices.judge(model, solver.solve(tried).column, enough=enough)
    return solver.solve(tried.fixed(choices.columns, value))


@dataclass(frozen=True, slots=True)
class _Choices:
    """The integer columns of a model, and the entries of its matrix that stand in them: row, place among the columns, factor."""

    columns: IndexArray
    row: IndexArray
    place: IndexArray
    factor: FloatArray

    @classmethod
    def of(cls, model: LinearModel) -> "_Choices":
        chosen = model.integer == CHOSEN
        columns, where = np.flatnonzero(chosen), np.flatnonzero(chosen[model.index] & (model.value != 0))
        return cls(columns, model.entry_rows()[where], np.searchsorted(columns, model.index[where]), model.value[where])

    def judge(self, model: LinearModel, column: FloatArray, *, enough: float) -> tuple[BoolArray, FloatArray]:
        """Return which choices the answer splits so that making them changes something, and the whole value of every choice.

        A split choice that may be made as everything else stands costs nothing and is made.
        """
        value = column[self.columns]
        activity = model.activity(column)
        shortfalls = [self._lack(model, column, activity, to=to) for to in (1.0, 0.0)]
        split = np.abs(value - np.round(value)) > _WHOLE
        whole = np.where(shortfalls[0] <= _WHOLE, 1.0, np.where(shortfalls[1] <= _WHOLE, 0.0, shortfalls[0] <= 1.0 - enough))
        wrong = split & (shortfalls[0] > _WHOLE) & (shortfalls[1] > _WHOLE)
        return wrong, np.where(split, whole, np.round(value))

    def _lack(self, model: LinearModel, column: FloatArray, activity: FloatArray, *, to: float) -> FloatArray:
        """Return by how much, measured in the choice's own factor, a row is missed when a choice alone goes ``to`` a whole value."""
        moved = activity[self.row] + self.factor * (to - column[self.columns][self.place])
        missed = np.maximum(model.row_lower[self.row] - moved, moved - model.row_upper[self.row]) / np.abs(self.factor)
        lack = np.zeros(self.columns.size)
        np.maximum.at(lack, self.place, missed)
        return lack


# The share of the time left for what batteries cannot do beside what is placed already: they are planned once more.
_BATTERIES_SHARE = 0.4
# Times what rounding took: with less left a search improves on nothing, and ends late at that.
_SEARCH_ROUNDINGS = 5
# The share of it for demands that are not settled yet: afterwards all is placed once more around what they are then.
_ROUGH_SHARE = 0.5


def schedule_loads(problem: Problem, solver: Solver | None = None) -> LoadSchedule:
    """Return the least-cost placement, together with the batteries; contradicting limits are broken at a price.

    Solves are made by solvers of the kind of ``solver``.

    Raises:
        SolverError: none was found within the time limit.
    """
    kind = solver or Solver()
    problem = settle_pins(problem.begun(), kind)
    hours = problem.outlook.timeline.hours
    if all(demand.is_settled(hours) for demand in problem.demands):
        return _place_either(problem, kind)
    rough = _place_either(problem.due(problem.deadline.share(_ROUGH_SHARE)), kind)
    # Before they are settled it costs least; what that makes of them stands, and the rest is placed around it.
    settled = tuple(each.demand if each.demand.is_settled(hours) else each.demand.settle(each.use_kwh, hours) for each in rough.loads)
    placement = _place_either(replace(problem, demands=settled), kind)
    if rough.gap is None or placement.gap is None:
        return replace(placement, gap=None, proven=False)
    bound, cost = rough.objective - rough.gap * abs(rough.objective), placement.objective
    gap = max(cost - bound, 0.0) / max(abs(cost), 1e-9)
    return replace(placement, gap=gap, proven=gap <= problem.search.mip_gap)


def _place_either(problem: Problem, solver: Solver) -> LoadSchedule:
    try:
        return _place(problem, solver, elastic=False)
    except InfeasibleError:
        return _place(problem, solver, elastic=True)


def _place(problem: Problem, solver: Solver, *, elastic: bool) -> LoadSchedule:
    ways = FlowDirections.of(problem)
    choices: BinarySlots | None = None
    placed: LoadSchedule | None = None
    while True:
        built = formulate(problem, ways, choices=choices, elastic=elastic)
        try:
            solution = _solve(built, problem if placed is None else problem.due(problem.deadline.share(_BATTERIES_SHARE)), solver)
        except SolverError:
            if placed is None:
                raise
            return placed
        flows = built.flows(solution, ways)
        violations = find_complementarity_violations(problem, flows)
        if not violations.any():
            return _read(problem, built, solution, flows)
        # What is placed is so whatever batteries do: out of time that is what counts, though nothing is proven of it.
        placed = replace(_read(problem, built, solution, flows), gap=None, proven=False)
        choices = violations.joined(find_nonconvex_slots(problem)) if choices is None else choices.joined(violations)


def _solve(built: Formulation, problem: Problem, solver: Solver) -> Solution:
    """Return a solution within the gap: one near the relaxed one where that is good enough, else what a search finds from there."""
    begun = problem.deadline.left_s
    near = round_relaxation(built.model, built.placed.blocks, gap=problem.search.mip_gap, solver=solver.renew(problem.deadline))
    if near and (near.proven or problem.deadline.left_s < _SEARCH_ROUNDINGS * (begun - problem.deadline.left_s)):
        return near
    return solver.renew().solve(built.model, mip_gap=problem.search.mip_gap, time_limit_s=problem.left_s, start=near.column if near else None)


def _read(problem: Problem, built: Formulation, solution: Solution, flows: PlannedFlows) -> LoadSchedule:
    slots, column = problem.outlook.timeline.count, solution.column
    loads = tuple(each.place(column) for each in built.placed.loads)
    stored, used = [each.storage for each in loads if each.storage], sum((each.use_kwh for each in loads), np.zeros(slots))
    net = problem.outlook.load_kwh + used - sum((each.give_kwh for each in stored), np.zeros(slots)) - problem.ac_pv_kwh
    from_surplus, spared = (np.any([np.zeros(slots, dtype=bool), *each], axis=0) for each in ([s.from_surplus for s in stored], [s.spared for s in stored]))
    # The connection's limit per slot, narrowed to what keeps every month's peaks.
    limit, hours = np.array(problem.import_limit_kwh), problem.outlook.timeline.hours
    for peak in built.peaks:
        within = peak.share.slots
        limit[within] = np.minimum(limit[within], peak.limit_import(flows.import_kwh, column, hours))
    return LoadSchedule(
        demands=problem.demands,
        loads=loads,
        import_limit_kwh=np.minimum(limit, np.where(from_surplus, np.maximum(net, 0.0), np.inf)),
        give_limit_kwh=np.where(spared, 0.0, np.inf) if spared.any() and problem.site.batteries else None,
        beside_cost=float(built.model.cost[built.placed.span] @ column[built.placed.span]),
        objective=solution.objective,
        gap=solution.gap,
        proven=solution.proven,
    )
