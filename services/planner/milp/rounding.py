"""A whole answer near the relaxed one, and with the relaxed one's cost the proof of how near the optimum it is.

Appliances that are on or off are rounded by themselves, each to the schedule nearest to its relaxed one, or slot by slot where that costs too much;
what is left to choose follows where the relaxed answer points. That takes a few more linear solves from the last basis, where a search over all
choices takes hundreds.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np

from luna.physics import BoolArray
from luna.timeline import FloatArray, IndexArray
from services.planner.milp.solver import Block, InfeasibleError, LinearModel, Solution, Solver

_WHOLE = 1e-6
# A choice is made for when the answer has at least this share of what making it takes, such as a charger's least power.
_ENOUGH = (0.3, 0.1, 0.6)
# Making some choices moves others: after so many rounds all are made at once.
_ROUNDS = 6
# What it costs a schedule to change one slot while prices from the last solve lead it: more where that led too far, less where it led nowhere.
_RELUCTANCE, _MORE, _LESS = 0.005, 1.7, 0.4
_FIRST_STEPS, _STEPS = 1, 6
# Slot by slot takes at most so many solves; where one costs less than this share of the gap, the opposite is not tried.
_SOLVES, _STEP_SHARE = 16, 1 / 8
# A model with choices made, and the answer to it without the rest of them.
_Shaped = tuple[LinearModel, Solution]


def round_relaxation(model: LinearModel, blocks: Sequence[Block], *, gap: float) -> Solution | None:
    """Return a whole solution with its proven gap, within ``gap`` of the optimum if one is found this way; None where there is none at all.

    Args:
        model: with integer columns between 0 and 1.
        blocks: parts of it whose rows tie their own columns alone, rounded by themselves.
        gap: relative to the solution's cost.

    Raises:
        InfeasibleError: not even the relaxed model has a solution.
    """
    # Of its own: what a solver did before would decide between equal solutions.
    solver = Solver()
    relaxed = solver.solve(model.relaxed())
    best: Solution | None = None
    with suppress(InfeasibleError):
        for shaped, answer in _shape(model, blocks, relaxed, solver, gap=gap):
            for enough in _ENOUGH:
                found = _choose(shaped, answer, solver, enough=enough)
                if best is None or found.objective < best.objective:
                    best = replace(found, gap=_distance(found, relaxed), proven=False)
                if best.gap <= gap:
                    return replace(best, proven=True)
    return best


def _distance(found: Solution, relaxed: Solution) -> float:
    return max(found.objective - relaxed.objective, 0.0) / max(abs(found.objective), 1e-9)


def _shape(model: LinearModel, blocks: Sequence[Block], relaxed: Solution, solver: Solver, *, gap: float) -> Iterator[_Shaped]:
    """Yield the model with every block fixed to a schedule, and its relaxed answer; a second time with other schedules, for who cannot use the first.

    Mostly the nearest schedules, or what prices lead to from there, cost little more than the relaxed answer. Where they do not, what is split is
    decided slot by slot.

    Raises:
        InfeasibleError: a block has no schedule.
    """
    if not blocks:
        yield model, relaxed
        return
    schedules = [_Schedule.of(model, block) for block in blocks]
    led = _lead(model, schedules, relaxed, solver, gap=gap, steps=_FIRST_STEPS)
    yield led if _distance(led[1], relaxed) <= gap / 2 else _dive(model, schedules, relaxed, solver, gap=gap, most=led[1].objective) or led
    yield _lead(model, schedules, relaxed, solver, gap=gap, steps=_STEPS)


def _lead(model: LinearModel, schedules: Sequence["_Schedule"], relaxed: Solution, solver: Solver, *, gap: float, steps: int) -> _Shaped:
    """Return the model with every block fixed to the nearest schedule, or to what prices lead to that costs less, and its relaxed answer."""
    best = [each.find(1.0 - 2.0 * relaxed.column[each.columns]) for each in schedules]
    found, reluctance, seen = solver.solve(_fix(model, schedules, best).relaxed()), _RELUCTANCE, {_name(best)}
    for _ in range(steps):
        if _distance(found, relaxed) <= gap / 2:
            break
        led = [each.find(each.price(model, found.dual) + reluctance * (1.0 - 2.0 * now)) for each, now in zip(schedules, best, strict=True)]
        if _name(led) in seen:
            reluctance *= _LESS
            continue
        seen.add(_name(led))
        other = solver.solve(_fix(model, schedules, led).relaxed())
        if other.objective < found.objective:
            found, best = other, led
        else:
            reluctance *= _MORE
    return _fix(model, schedules, best), found


def _dive(model: LinearModel, schedules: Sequence["_Schedule"], relaxed: Solution, solver: Solver, *, gap: float, most: float) -> _Shaped | None:
    """Return the same after what the whole model splits was decided slot by slot, the largest share first.

    None where that takes too many solves, or costs more than ``most``.
    """
    columns, little = np.concatenate([each.columns for each in schedules]), _STEP_SHARE * gap * abs(relaxed.objective)
    part, found, solves = model.relaxed(), relaxed, 0
    while solves < _SOLVES:
        value = found.column[columns]
        split = np.flatnonzero(np.abs(value - np.round(value)) > _WHOLE)
        if not split.size:
            return model.fixed(columns, np.round(value)), found
        column = columns[split[[value[split].argmax()]]]
        tried = _decide(part, column, solver, enough=found.objective + little)
        solves += len(tried)
        part, found = min(tried, key=lambda each: each[1].objective, default=(part, found))
        if not tried or found.objective >= most:
            return None
    return None


def _decide(part: LinearModel, column: IndexArray, solver: Solver, *, enough: float) -> list[_Shaped]:
    """Return the model with a column at one, and at nought where one costs more than ``enough``; what is not possible is left out."""
    found: list[_Shaped] = []
    for value in (1.0, 0.0):
        tried = part.fixed(column, np.full(1, value))
        with suppress(InfeasibleError):
            found.append((tried, solver.solve(tried)))
            if found[-1][1].objective <= enough:
                break
    return found


def _fix(model: LinearModel, schedules: Sequence["_Schedule"], values: Sequence[FloatArray]) -> LinearModel:
    return model.fixed(np.concatenate([each.columns for each in schedules]), np.concatenate(values))


def _name(values: Sequence[FloatArray]) -> bytes:
    return np.concatenate(values).tobytes()


@dataclass(frozen=True, slots=True)
class _Schedule:
    """A block on its own: ``part`` is its model with a solver that keeps it, ``whole`` its integer columns there, ``columns`` the same in the model."""

    block: Block
    part: LinearModel
    solver: Solver
    whole: IndexArray
    columns: IndexArray

    @classmethod
    def of(cls, model: LinearModel, block: Block) -> "_Schedule":
        part = model.part(block)
        whole = np.flatnonzero(part.integer)
        return cls(block, part.relaxed(), Solver(), whole, whole + block.columns.start)

    def price(self, model: LinearModel, dual: FloatArray) -> FloatArray:
        """Return what each integer column costs in the model at the prices of the rows outside the block."""
        rows = model.entry_rows()
        outside = (rows < self.block.rows.start) | (rows >= self.block.rows.stop)
        worth = np.bincount(model.index[outside], weights=model.value[outside] * dual[rows[outside]], minlength=model.cost.size)
        return np.asarray((model.cost - worth)[self.columns])

    def find(self, cost: FloatArray) -> FloatArray:
        """Return the cheapest whole schedule: mostly a linear solve tells it, else a dive that fixes the largest share first.

        Raises:
            InfeasibleError: the dive ended where nothing is allowed.
        """
        costs = np.array(self.part.cost)
        costs[self.whole] = cost
        part = replace(self.part, cost=costs)
        while True:
            value = self.solver.solve(part).column[self.whole]
            split = np.flatnonzero(np.abs(value - np.round(value)) > _WHOLE)
            if not split.size:
                return np.round(value)
            part = self._decide(part, self.whole[split[[value[split].argmax()]]])

    def _decide(self, part: LinearModel, column: IndexArray) -> LinearModel:
        on = part.fixed(column, np.ones(1))
        try:
            self.solver.solve(on)
        except InfeasibleError:
            return part.fixed(column, np.zeros(1))
        return on


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
        made = wrong | (value > 0)
        tried = tried.fixed(choices.columns[made], value[made])
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
        columns = np.flatnonzero(model.integer)
        where = np.flatnonzero((model.integer[model.index] != 0) & (model.value != 0))
        return cls(columns, model.entry_rows()[where], np.searchsorted(columns, model.index[where]), model.value[where])

    def judge(self, model: LinearModel, column: FloatArray, *, enough: float) -> tuple[BoolArray, FloatArray]:
        """Return which choices the answer splits so that making them changes something, and the whole value of every choice.

        A split choice that may be made as everything else stands costs nothing and is made.
        """
        value = column[self.columns]
        activity = model.activity(column)
        lacks = [self._lack(model, column, activity, to=to) for to in (1.0, 0.0)]
        split = np.abs(value - np.round(value)) > _WHOLE
        made = np.where(lacks[0] <= _WHOLE, 1.0, np.where(lacks[1] <= _WHOLE, 0.0, lacks[0] <= 1.0 - enough))
        wrong = split & (lacks[0] > _WHOLE) & (lacks[1] > _WHOLE)
        return wrong, np.where(split, made, np.round(value))

    def _lack(self, model: LinearModel, column: FloatArray, activity: FloatArray, *, to: float) -> FloatArray:
        """Return by how much, measured in the choice's own factor, a row is missed when a choice alone goes ``to`` a whole value."""
        moved = activity[self.row] + self.factor * (to - column[self.columns][self.place])
        missed = np.maximum(model.row_lower[self.row] - moved, moved - model.row_upper[self.row]) / np.abs(self.factor)
        lack = np.zeros(self.columns.size)
        np.maximum.at(lack, self.place, missed)
        return lack
