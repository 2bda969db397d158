"""Which input made a new plan different: inputs are put back one after the other, and everything is
planned anew each time.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, get_args
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import Connection

from luna.contracts.plan import BatteryState, PlanReply, PlanRequest
from luna.contracts.plan_questions import (
    CauseCode,
    ChangeCause,
    ModeChange,
    PlanChangesReply,
    PlanChangesRequest,
)
from luna.energy.devices import FLOW_KINDS
from luna.energy.refusals import refuse
from luna.platform.database import plans
from luna.words import Language, Numbers
from luna.words.differences import HALF_CENT, say_cause
from services.planner.devices import PLANNED_KINDS
from services.planner.devices.expected import Expected, IssuedPlan
from services.planner.devices.kind import PlannedKind
from services.planner.milp.solver import Solver
from services.planner.planner import decide
from services.planner.problem.build import build_problem
from services.planner.reply.reply import answer

_SAME_SOC = 1e-6
PRICES = ("import_price", "export_price", "carbon_g_per_kwh")
LOAD = ("load_kwh", "load_p10_kwh", "load_p90_kwh", "outdoor_temperature_c")
PV = ("pv_kwh", "pv_p10_kwh", "pv_p90_kwh")


@dataclass(frozen=True, slots=True)
class AlignedInputs:
    """An earlier plan as seen from a later one: ``passed`` of its slots are over, ``shared`` are in
    both.
    """

    earlier: IssuedPlan
    later: IssuedPlan
    passed: int
    shared: int

    def series(self, names: tuple[str, ...]) -> dict[str, list[float]]:
        """Return the earlier plan's series in the slots that both cover, the later one's beyond.

        Those that only one of them has stay as they are.
        """
        was = self.earlier.outlook
        will = self.later.outlook
        pairs = {name: (getattr(was, name), getattr(will, name)) for name in names}
        return {
            name: before[self.passed :][: self.shared] + after[self.shared :]
            for name, (before, after) in pairs.items()
            if before and after
        }

    def batteries(self) -> dict[str, BatteryState]:
        """Return how full the batteries were expected to be.

        The later plan's where that is the same.
        """
        expected = self.expected.soc()
        will = self.later.request.state.batteries
        return {
            name: each.model_copy(update={"soc": expected[name]})
            if abs(expected.get(name, each.soc) - each.soc) > _SAME_SOC
            else each
            for name, each in will.items()
        }

    @property
    def expected(self) -> Expected:
        """What the earlier plan expects by the later one's start."""
        return Expected(self.earlier, self.passed, self.later.start)


def carry(earlier: IssuedPlan, later: IssuedPlan) -> AlignedInputs:
    """Return an earlier plan as seen from a later one.

    Raises:
        InvalidInputError: both have no slot in common, or slots of different lengths.
    """
    step = earlier.request.step
    passed, rest = divmod(later.start - earlier.start, step)
    shared = min(len(earlier.outlook.load_kwh) - passed, len(later.outlook.load_kwh))
    if step != later.request.step or rest or passed < 0 or shared < 1:
        raise refuse("plans-apart", field="before_id", value=earlier.reply.plan_id)
    return AlignedInputs(earlier, later, passed, shared)


# Each device's mode in each slot that both plans cover, by slot and device.
Modes = dict[tuple[int, str], str]


class InputStep(NamedTuple):
    """An input put back: what was planned then, and what that costs."""

    code: CauseCode
    modes: Modes
    cost: float


@dataclass(frozen=True, slots=True)
class Planned:
    """Plans requests, and remembers nothing."""

    carried: AlignedInputs
    solver: Solver

    def plan(self, request: PlanRequest) -> tuple[Modes, float]:
        """Return the modes of the slots that both plans cover, and the cost less the worth of what
        is left in the batteries.
        """
        plan = decide(build_problem(request), self.solver)
        reply = answer(plan, request=request, issued_at=self.carried.later.reply.issued_at)
        terminal_worth = float(
            (plan.problem.at_tariff_prices.terminal.value * plan.flows.stored_kwh[:, -1]).sum()
        )
        return read_modes(reply, 0, self.carried.shared), reply.cost.total - terminal_worth


def compare_plans(
    earlier: IssuedPlan, later: IssuedPlan, *, solver: Solver, language: Language
) -> PlanChangesReply:
    """Return the modes that differ, and the inputs that did it.

    Raises:
        InvalidInputError: both plans have no slot in common.
    """
    carried = carry(earlier, later)
    now = read_modes(later.reply, 0, carried.shared)
    was = read_modes(earlier.reply, carried.passed, carried.shared)
    first = Planned(carried, solver).plan(later.request)
    # One more input each time as it was before; inputs that are the same are left out.
    request = carried.later.request
    planned = Planned(carried, solver)
    steps = list[InputStep]()
    for code, swap in _SWAPS.items():
        changed = swap(request, carried)
        if changed != request:
            request = changed
            steps.append(InputStep(code, *planned.plan(request)))
    causes = _attribute(was, now, steps)
    changes = [
        ModeChange(
            start=later.reply.slots[slot].start,
            device=device,
            before=was[slot, device],
            after=now[slot, device],
            cause=code,
        )
        for (slot, device), code in causes.items()
    ]
    numbers = Numbers(language, ZoneInfo(later.reply.timezone), later.reply.currency)
    costs = [
        before - step.cost
        for before, step in zip([first[1], *(step.cost for step in steps)], steps, strict=False)
    ]
    step_costs: list[tuple[CauseCode, float]] = [
        *((step.code, cost) for step, cost in zip(steps, costs, strict=True)),
        ("horizon", 0.0),
    ]
    listed = []
    for code, cost in step_costs:
        figure = _FIGURES[code](carried) if code in _FIGURES else None
        modes = sum(change.cause == code for change in changes)
        figures = {} if figure is None else {"higher": round(figure, 6)}
        text = say_cause(code, figure, modes=modes, cost=cost, numbers=numbers)
        listed.append(
            ChangeCause(code=code, text=text, modes=modes, cost=round(cost, 6), figures=figures)
        )
    about = later.reply
    return PlanChangesReply(
        plan_id=about.plan_id,
        before_id=earlier.reply.plan_id,
        site=about.site,
        timezone=about.timezone,
        currency=about.currency,
        slots=carried.shared,
        slot_minutes=about.slot_minutes,
        causes=[cause for cause in listed if cause.modes or abs(cause.cost) >= HALF_CENT],
        changes=changes,
    )


def read_modes(reply: PlanReply, first: int, count: int) -> Modes:
    """Return what each device does in slots ``first`` to ``first + count``, counted from nought."""
    modes: Modes = {}
    for place, slot in enumerate(reply.slots[first : first + count]):
        modes |= {
            (place, name): setpoints.mode[first + place]
            for name, setpoints in reply.setpoints.items()
        }
        modes |= {(place, name): flow.mode for name, flow in slot.placed}
    return modes


def _attribute(was: Modes, now: Modes, steps: list[InputStep]) -> dict[tuple[int, str], CauseCode]:
    """Return of each mode that differs the input from whose return on it is as before.

    The horizon where none is.
    """
    causes: dict[tuple[int, str], CauseCode] = {}
    for place in sorted(was.keys() & now.keys()):
        if was[place] == now[place]:
            continue
        cause: CauseCode = "horizon"
        for step in reversed(steps):
            if step.modes.get(place) != was[place]:
                break
            cause = step.code
        causes[place] = cause
    return causes


def _swap_site(request: PlanRequest, carried: AlignedInputs) -> PlanRequest:
    """Return the request with the site as it was; with other devices also with their state."""
    was = carried.earlier.request
    named = [
        [device.name for kind in FLOW_KINDS for device in kind.of(each.site)] if each.site else []
        for each in (request, was)
    ]
    state = request.state if named[0] == named[1] else was.state
    return request.model_copy(update={"site": was.site, "state": state})


def _swap_options(request: PlanRequest, carried: AlignedInputs) -> PlanRequest:
    # What energy is worth at the end follows prices; the language changes nothing.
    unchanged = {"terminal": request.options.terminal, "language": request.options.language}
    options = carried.earlier.request.options.model_copy(update=unchanged)
    has_courses = request.outlook is not None and request.outlook.scenarios is not None
    return request.model_copy(
        update={
            "options": options if has_courses or options.uncertainty == "point" else request.options
        }
    )


def _swap_strategy(request: PlanRequest, carried: AlignedInputs) -> PlanRequest:
    was = carried.earlier.request
    return request.model_copy(update={"surroundings": was.surroundings, "reserves": was.reserves})


def _swap_prices(request: PlanRequest, carried: AlignedInputs) -> PlanRequest:
    options = request.options.model_copy(
        update={"terminal": carried.earlier.request.options.terminal}
    )
    return _with_outlook(request, dict(carried.series(PRICES))).model_copy(
        update={"options": options}
    )


def _swap_courses(request: PlanRequest, carried: AlignedInputs) -> PlanRequest:
    courses = carried.earlier.outlook.scenarios
    if courses is None or request.outlook is None or request.outlook.scenarios is None:
        return request
    tail = {
        name: getattr(request.outlook, name)[carried.shared :] for name in ("load_kwh", "pv_kwh")
    }
    shared = slice(carried.passed, carried.passed + carried.shared)
    moved = {
        name: np.array([[*course[shared], *rest] for course in getattr(courses, name)])
        for name, rest in tail.items()
    }
    return _with_outlook(request, {"scenarios": courses.model_copy(update=moved)})


def _swap_state(
    name: str, read: Callable[[AlignedInputs], object]
) -> Callable[[PlanRequest, AlignedInputs], PlanRequest]:
    def swap(request: PlanRequest, carried: AlignedInputs) -> PlanRequest:
        return request.model_copy(
            update={"state": request.state.model_copy(update={name: read(carried)})}
        )

    return swap


def _swap_peaks(request: PlanRequest, carried: AlignedInputs) -> PlanRequest:
    was = carried.earlier.request.state
    return request.model_copy(
        update={
            "state": request.state.model_copy(
                update={"month_peaks_kw": was.month_peaks_kw, "peaks": was.peaks}
            )
        }
    )


def _with_outlook(request: PlanRequest, update: dict[str, object]) -> PlanRequest:
    return (
        request
        if request.outlook is None
        else request.model_copy(update={"outlook": request.outlook.model_copy(update=update)})
    )


def _more(name: str) -> Callable[[AlignedInputs], float]:
    """Return how much more of a series the later plan expects in the slots that both cover."""

    def more(carried: AlignedInputs) -> float:
        was, will = (
            np.array(getattr(each.outlook, name)) for each in (carried.earlier, carried.later)
        )
        return float(will[: carried.shared].sum() - was[carried.passed :][: carried.shared].sum())

    return more


def _dearer(carried: AlignedInputs) -> float:
    return _more("import_price")(carried) / carried.shared


def _fuller(carried: AlignedInputs) -> float:
    site = carried.later.request.site
    expected = carried.batteries()
    now = carried.later.request.state.batteries
    return (
        sum(
            (now[each.name].soc - expected[each.name].soc) * each.capacity_kwh
            for each in site.batteries
        )
        if site
        else 0.0
    )


def _carry(kind: PlannedKind) -> Callable[[AlignedInputs], object]:
    """Return the states that the earlier plan expected of a kind's devices in its request."""
    return lambda carried: kind.carry(carried.expected, ())


# In this order inputs are put back: what people decide, what is known of the world, what was
# measured.
_SWAPS: dict[CauseCode, Callable[[PlanRequest, AlignedInputs], PlanRequest]] = {
    "site": _swap_site,
    "options": _swap_options,
    "strategy": _swap_strategy,
    "manual": lambda request, carried: request.model_copy(
        update={"manual": carried.earlier.request.manual}
    ),
    "prices": _swap_prices,
    "load": lambda request, carried: _with_outlook(request, dict(carried.series(LOAD))),
    "pv": lambda request, carried: _with_outlook(request, dict(carried.series(PV))),
    "courses": _swap_courses,
    "soc": _swap_state("batteries", AlignedInputs.batteries),
    **{
        code: _swap_state(kind.section, _carry(kind))
        for kind in PLANNED_KINDS
        for code in get_args(CauseCode)
        if code == kind.section
    },
    "peaks": _swap_peaks,
}
_FIGURES: dict[CauseCode, Callable[[AlignedInputs], float]] = {
    "prices": _dearer,
    "load": _more("load_kwh"),
    "pv": _more("pv_kwh"),
    "soc": _fuller,
}


def compare_stored(
    connection: Connection, request: PlanChangesRequest, *, solver: Solver
) -> PlanChangesReply:
    """Return what a stored plan changes beside the one before it.

    Raises:
        NotFoundError: no such plan, none before it, or inputs that were not kept.
        InvalidInputError: both plans have no slot in common.
    """
    before = request.before_id or plans.find_previous(connection, request.plan_id)
    earlier, later = (
        IssuedPlan(plans.load_inputs(connection, each), plans.load(connection, each))
        for each in (before, request.plan_id)
    )
    return compare_plans(
        earlier, later, solver=solver, language=request.language or later.request.options.language
    )
