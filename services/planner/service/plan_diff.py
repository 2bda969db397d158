"""Find the inputs that made a new plan different.

Inputs are put back one after the other, and everything is planned anew each time.
"""

from collections.abc import Callable, Sequence
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
from luna.energy.site import Site
from luna.platform.database import plans
from luna.words import Language, Numbers
from luna.words.differences import MOVED_MODES, MovedRun, say_cause
from luna.words.numbers import HALF_CENT
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
    """An earlier plan beside a later one.

    ``passed`` of the earlier one's slots are over, ``shared`` slots are in both.
    """

    earlier: IssuedPlan
    later: IssuedPlan
    passed: int
    shared: int

    def series(self, names: tuple[str, ...]) -> dict[str, list[float]]:
        """Return the earlier plan's series in the slots that both cover, the later one's beyond.

        Those that only one of them has stay as they are.
        """
        series = {}
        for name in names:
            before = getattr(self.earlier.outlook, name)
            after = getattr(self.later.outlook, name)
            if before and after:
                shared = before[self.passed : self.passed + self.shared]
                series[name] = shared + after[self.shared :]
        return series

    def batteries(self) -> dict[str, BatteryState]:
        """Return the states of the batteries that the earlier plan expected.

        Where a state is the same, it is the later plan's.
        """
        expected = self.expected.soc()
        batteries = {}
        for name, state in self.later.request.state.batteries.items():
            soc = expected.get(name, state.soc)
            is_other = abs(soc - state.soc) > _SAME_SOC
            batteries[name] = state.model_copy(update={"soc": soc}) if is_other else state
        return batteries

    @property
    def expected(self) -> Expected:
        """The earlier plan's expectation at the later one's start."""
        return Expected(self.earlier, self.passed, self.later.start)


def carry(earlier: IssuedPlan, later: IssuedPlan) -> AlignedInputs:
    """Return an earlier plan beside a later one.

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
    """An input put back, with the modes planned then, and their cost."""

    code: CauseCode
    modes: Modes
    cost: float


@dataclass(frozen=True, slots=True)
class Planned:
    """Plans requests under inputs that were put back."""

    carried: AlignedInputs
    solver: Solver

    def plan(self, request: PlanRequest) -> tuple[Modes, float]:
        """Return the modes of the slots that both plans cover, and the cost.

        The cost is less the terminal value of the batteries.
        """
        plan = decide(build_problem(request), self.solver)
        reply = answer(plan, request=request, issued_at=self.carried.later.reply.issued_at)
        value = plan.problem.at_tariff_prices.terminal.value
        terminal_worth = float((value * plan.flows.stored_kwh[:, -1]).sum())
        return read_modes(reply, 0, self.carried.shared), reply.cost.total - terminal_worth


def compare_plans(
    earlier: IssuedPlan, later: IssuedPlan, *, solver: Solver, language: Language
) -> PlanChangesReply:
    """Return the modes that differ, and the inputs that caused it.

    Raises:
        InvalidInputError: both plans have no slot in common.
    """
    carried = carry(earlier, later)
    now = read_modes(later.reply, 0, carried.shared)
    was = read_modes(earlier.reply, carried.passed, carried.shared)
    planned = Planned(carried, solver)
    _, cost_before = planned.plan(later.request)
    # One more input each time as it was before; inputs that are the same are left out.
    request = later.request
    steps: list[InputStep] = []
    step_costs: list[tuple[CauseCode, float]] = []
    for code, swap in _SWAPS.items():
        changed = swap(request, carried)
        if changed != request:
            request = changed
            step = InputStep(code, *planned.plan(request))
            steps.append(step)
            step_costs.append((code, cost_before - step.cost))
            cost_before = step.cost
    step_costs.append(("horizon", 0.0))
    changes = []
    caused_by = _attribute(was, now, steps)
    for (slot, device), code in caused_by.items():
        change = ModeChange(
            start=later.reply.slots[slot].start,
            device=device,
            before=was[slot, device],
            after=now[slot, device],
            cause=code,
        )
        changes.append(change)
    numbers = Numbers(language, ZoneInfo(later.reply.timezone), later.reply.currency)
    listed = []
    for code, cost in step_costs:
        figure = _FIGURES[code](carried) if code in _FIGURES else None
        caused = [place for place, cause_code in caused_by.items() if cause_code == code]
        figures = {} if figure is None else {"higher": round(figure, 6)}
        text = say_cause(
            code,
            figure,
            slots=len({slot for slot, _ in caused}),
            cost=cost,
            numbers=numbers,
            moved=find_moved_run(was, now, caused, later.reply.slot_minutes),
        )
        cause = ChangeCause(
            code=code, text=text, modes=len(caused), cost=round(cost, 6), figures=figures
        )
        listed.append(cause)
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


def find_moved_run(
    was: Modes, now: Modes, changed: Sequence[tuple[int, str]], slot_minutes: int
) -> MovedRun | None:
    """Return the run that was moved as a whole, None where anything else changed.

    ``changed`` are the slots with another mode, each with its device.
    """
    devices = {device for _, device in changed}
    if len(devices) != 1:
        return None
    [device] = devices
    slots = {slot for slot, _ in changed}
    for mode in MOVED_MODES:
        runs_before = _list_runs(was, device, mode)
        runs_after = _list_runs(now, device, mode)
        gone = runs_before - runs_after
        new = runs_after - runs_before
        if len(gone) != 1 or len(new) != 1:
            continue
        [run_before] = gone
        [run_after] = new
        is_same_length = len(run_before) == len(run_after)
        if is_same_length and set(run_before) ^ set(run_after) == slots:
            minutes = (run_after.start - run_before.start) * slot_minutes
            return MovedRun(device, mode, minutes)
    return None


def _list_runs(modes: Modes, device: str, mode: str) -> set[range]:
    """Return the slots of each uninterrupted run of a device in a mode."""
    runs: list[range] = []
    for slot in sorted(slot for slot, name in modes if name == device):
        if modes[slot, device] != mode:
            continue
        if runs and runs[-1].stop == slot:
            runs[-1] = range(runs[-1].start, slot + 1)
        else:
            runs.append(range(slot, slot + 1))
    return set(runs)


def read_modes(reply: PlanReply, first: int, count: int) -> Modes:
    """Return each device's mode in the slots ``first`` to ``first + count``, counted from 0."""
    modes: Modes = {}
    for place, slot in enumerate(reply.slots[first : first + count]):
        for name, setpoints in reply.setpoints.items():
            modes[place, name] = setpoints.mode[first + place]
        for name, flow in slot.scheduled:
            modes[place, name] = flow.mode
    return modes


def _attribute(was: Modes, now: Modes, steps: list[InputStep]) -> dict[tuple[int, str], CauseCode]:
    """Return the cause of each mode that differs.

    It is the first input from whose return on the mode is as before; the horizon where none is.
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
    has_same_devices = _name_devices(request.site) == _name_devices(was.site)
    state = request.state if has_same_devices else was.state
    return request.model_copy(update={"site": was.site, "state": state})


def _name_devices(site: Site | None) -> list[str]:
    if site is None:
        return []
    return [device.name for kind in FLOW_KINDS for device in kind.of(site)]


def _swap_options(request: PlanRequest, carried: AlignedInputs) -> PlanRequest:
    # The final value of energy follows prices; the language changes nothing.
    unchanged = {"terminal": request.options.terminal, "language": request.options.language}
    options = carried.earlier.request.options.model_copy(update=unchanged)
    has_scenarios = request.outlook is not None and request.outlook.scenarios is not None
    if options.uncertainty != "point" and not has_scenarios:
        options = request.options
    return request.model_copy(update={"options": options})


def _swap_strategy(request: PlanRequest, carried: AlignedInputs) -> PlanRequest:
    was = carried.earlier.request
    return request.model_copy(update={"surroundings": was.surroundings, "reserves": was.reserves})


def _swap_manual(request: PlanRequest, carried: AlignedInputs) -> PlanRequest:
    return request.model_copy(update={"manual": carried.earlier.request.manual})


def _swap_prices(request: PlanRequest, carried: AlignedInputs) -> PlanRequest:
    terminal = carried.earlier.request.options.terminal
    options = request.options.model_copy(update={"terminal": terminal})
    with_prices = _with_outlook(request, dict(carried.series(PRICES)))
    return with_prices.model_copy(update={"options": options})


def _swap_load(request: PlanRequest, carried: AlignedInputs) -> PlanRequest:
    return _with_outlook(request, dict(carried.series(LOAD)))


def _swap_pv(request: PlanRequest, carried: AlignedInputs) -> PlanRequest:
    return _with_outlook(request, dict(carried.series(PV)))


def _swap_scenarios(request: PlanRequest, carried: AlignedInputs) -> PlanRequest:
    scenarios = carried.earlier.outlook.scenarios
    if scenarios is None or request.outlook is None or request.outlook.scenarios is None:
        return request
    shared = slice(carried.passed, carried.passed + carried.shared)
    moved = {}
    for name, values in scenarios.by_path.items():
        # Beyond the earlier horizon every scenario is the expected one.
        expected = getattr(request.outlook, name, [0.0] * len(request.outlook.load_kwh))
        rest = expected[carried.shared :]
        moved[name] = np.array([[*scenario[shared], *rest] for scenario in values])
    return _with_outlook(request, {"scenarios": scenarios.model_copy(update=moved)})


def _swap_state(
    name: str, read: Callable[[AlignedInputs], object]
) -> Callable[[PlanRequest, AlignedInputs], PlanRequest]:
    def swap(request: PlanRequest, carried: AlignedInputs) -> PlanRequest:
        state = request.state.model_copy(update={name: read(carried)})
        return request.model_copy(update={"state": state})

    return swap


def _swap_peaks(request: PlanRequest, carried: AlignedInputs) -> PlanRequest:
    was = carried.earlier.request.state
    peaks = {"month_peaks_kw": was.month_peaks_kw, "peaks": was.peaks}
    return request.model_copy(update={"state": request.state.model_copy(update=peaks)})


def _with_outlook(request: PlanRequest, update: dict[str, object]) -> PlanRequest:
    if request.outlook is None:
        return request
    return request.model_copy(update={"outlook": request.outlook.model_copy(update=update)})


def _more(name: str) -> Callable[[AlignedInputs], float]:
    """Return a function of the increase of a series in the slots that both plans cover."""

    def more(carried: AlignedInputs) -> float:
        before = np.array(getattr(carried.earlier.outlook, name))[carried.passed :]
        after = np.array(getattr(carried.later.outlook, name))
        return float(after[: carried.shared].sum() - before[: carried.shared].sum())

    return more


def _dearer(carried: AlignedInputs) -> float:
    return _more("import_price")(carried) / carried.shared


def _fuller(carried: AlignedInputs) -> float:
    site = carried.later.request.site
    if site is None:
        return 0.0
    expected = carried.batteries()
    now = carried.later.request.state.batteries
    more_kwh = 0.0
    for battery in site.batteries:
        more_soc = now[battery.name].soc - expected[battery.name].soc
        more_kwh += more_soc * battery.capacity_kwh
    return more_kwh


def _carry(kind: PlannedKind) -> Callable[[AlignedInputs], object]:
    """Return a function of the states that the earlier plan expected of a kind's devices."""

    def carry_states(carried: AlignedInputs) -> object:
        return kind.carry(carried.expected, ())

    return carry_states


# Order in which inputs are put back: people's decisions, knowledge of the world, measurements.
_SWAPS: dict[CauseCode, Callable[[PlanRequest, AlignedInputs], PlanRequest]] = {
    "site": _swap_site,
    "options": _swap_options,
    "strategy": _swap_strategy,
    "manual": _swap_manual,
    "prices": _swap_prices,
    "load": _swap_load,
    "pv": _swap_pv,
    "scenarios": _swap_scenarios,
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
    """Return the changes of a stored plan from the one before it.

    Raises:
        NotFoundError: no such plan, none before it, or inputs that were not kept.
        InvalidInputError: both plans have no slot in common.
    """
    before_id = request.before_id or plans.find_previous(connection, request.plan_id)
    earlier = _load_plan(connection, before_id)
    later = _load_plan(connection, request.plan_id)
    language = request.language or later.request.options.language
    return compare_plans(earlier, later, solver=solver, language=language)


def _load_plan(connection: Connection, plan_id: str) -> IssuedPlan:
    inputs = plans.load_inputs(connection, plan_id)
    return IssuedPlan(inputs, plans.load(connection, plan_id))
