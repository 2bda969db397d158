"""Build the planning problem of a request: terminal rule, peaks, reserves, objective weights and
the owner's blocks.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from operator import attrgetter

import numpy as np

from luna.contracts.owner import Reserve
from luna.contracts.plan import CoursesMessage, PeakState, PlanRequest, StateMessage, Terminal
from luna.energy.economics.charges import Peak, PeakHistory, find_charge
from luna.energy.economics.costs import COST_ALONE, Weights, weigh_import, weigh_wear
from luna.energy.outlook import Outlook
from luna.energy.physics.limits import BatteryLimits, SiteLimits
from luna.energy.physics.mode import Mode
from luna.energy.refusals import refuse
from luna.energy.site import Objective, Site
from luna.energy.timeline import STEPS, FloatArray, Timeline, floor_to, require_utc, to_instant
from services.planner.devices import PLANNED_KINDS
from services.planner.devices.kind import Demand
from services.planner.problem.owner_constraints import read_blocks
from services.planner.problem.problem import (
    ACTING,
    ACTING_ON_MEAN,
    NO_MARGIN,
    Following,
    Problem,
    SearchLimits,
    StorageBounds,
    TariffState,
    TerminalRule,
    Uncertainty,
)
from services.planner.problem.scenarios import ScenarioSet
from services.planner.problem.strategy import apply_strategy


def read_peaks(site: Site, state: StateMessage) -> tuple[Peak, ...]:
    """Return the components of a site's capacity tariff.

    ``month_peaks_kw`` is the state of the first component without one of its own.

    Raises:
        InvalidInputError: state of a component that the tariff does not have.
    """
    if not site.tariff.peak and not state.peaks:
        return ()
    names = list(map(attrgetter("name"), site.tariff.peaks))
    for name in state.peaks:
        if name not in names:
            raise refuse(
                "no-such-component", field=f"state.peaks.{name}", names=", ".join(names) or "none"
            )
    peaks = list[Peak]()
    unnamed = PeakState(highest_kw=state.month_peaks_kw)
    for price in site.tariff.peaks:
        counted = state.peaks.get(price.name)
        if counted is None:
            counted = unnamed
            unnamed = PeakState()
        peaks.append(
            Peak(
                price,
                PeakHistory(tuple(counted.highest_kw), counted.today_kw, counted.interval_kwh),
            )
        )
    return tuple(peaks)


def read_reserves(reserves: Sequence[Reserve], site: Site, timeline: Timeline) -> FloatArray:
    """Return each battery's reserve at the end of each slot, kWh, ``(batteries, slots)``.

    Raises:
        InvalidInputError: a reserve names a battery that the site does not have.
    """
    names = [battery.name for battery in site.batteries]
    reserve_kwh = np.zeros((len(names), timeline.count))
    ends = timeline.edges[1:]
    for place, reserve in enumerate(reserves):
        if reserve.battery is not None and reserve.battery not in names:
            raise refuse(
                "no-such-battery",
                field=f"reserves.{place}.battery",
                value=reserve.battery,
                names=names,
            )
        inside = (ends >= to_instant(reserve.from_)) & (ends <= to_instant(reserve.to))
        for index, battery in enumerate(site.batteries):
            if reserve.battery in (None, battery.name):
                reserve_kwh[index, inside] = np.maximum(
                    reserve_kwh[index, inside],
                    min(reserve.soc, battery.max_soc) * battery.capacity_kwh,
                )
    return reserve_kwh


# Terminal value of a stored kWh as a share of the mean import price. Source: docs/decisions/0004.
TERMINAL_SHARE = 0.6


# The relative gap of a plan with flexible loads: takes a fifth of the time of 0.01 %.
PLACING_GAP = 0.003
# Of a plan that costs little, a share is less than anybody cares for: one cent, in the site's
# currency.
PLACING_GAP_COST = 0.01


# The relative gap without them, where negative prices need binaries: forecasts err by more, and the
# last of it takes a hundred times as long to prove.
WAYS_GAP = 0.0005


def build_problem(request: PlanRequest) -> Problem:
    """Return the problem that a request with its own site, outlook and state describes.

    Raises:
        InvalidInputError: a battery without state, a state without battery, a start off the grid,
            state of a device that the site does not have, a session without state of charge or
            upside down.
    """
    request, rules = (
        apply_strategy(request) if request.site and request.site.strategy else (request, [])
    )
    if request.site is None or request.outlook is None or request.start is None:
        raise refuse("plan-without-site", field="site")
    series = request.outlook
    timeline = _timeline(request, len(series.load_kwh))
    objective = objective_of(request)
    carbon = np.array(series.carbon_g_per_kwh) if series.carbon_g_per_kwh else None
    load, pv, imported, exported = np.array(
        [series.load_kwh, series.pv_kwh, series.import_price, series.export_price]
    )
    limits = _slot_limits(series.import_limit_kw), _slot_limits(series.export_limit_kw)
    outlook = Outlook(timeline, load, pv, imported, exported, carbon, *limits)
    stored, discharged, modes = _read_batteries(request.site, request.state)
    demands: list[Demand] = []
    for kind in PLANNED_KINDS:
        # A kind's reader refuses state of devices that the site does not have.
        if (
            getattr(request.site, kind.section)
            or getattr(request.state, kind.section)
            or (kind.by_weather and series.heat_demand_kwh)
        ):
            demands += kind.read(request.site, request.state, timeline, series)
    gap = request.options.mip_gap
    gap_cost = 0.0
    if gap is None:
        gap, gap_cost = (PLACING_GAP, PLACING_GAP_COST) if demands else (WAYS_GAP, 0.0)
    rule = request.site.tariff.import_
    # None where a kWh's price does not depend on the energy drawn before.
    kind_of_charge = find_charge(rule)
    charge = (
        None
        if kind_of_charge is None
        else kind_of_charge.of(
            rule, request.state.drawn_kwh.get(rule.kind, request.state.month_import_kwh)
        )
    )
    courses = _courses(series.scenarios) if request.options.uncertainty == "scenarios" else None
    posed = Problem(
        request.site,
        outlook,
        stored,
        terminal_rule(
            request.options.terminal,
            request.site,
            stored_kwh=stored,
            import_price=outlook.import_price,
        ),
        SiteLimits.of(request.site).narrow(outlook.import_limit_kw, outlook.export_limit_kw),
        SearchLimits(
            gap,
            request.options.time_limit_s,
            gap_cost=gap_cost,
            to_gap=request.options.mip_gap is not None,
        ),
        tuple(demands),
        TariffState(read_peaks(request.site, request.state), charge),
        Uncertainty(courses, request.options.risk, _courses(series.errors)),
        applied_rules=tuple(rules),
        storage=StorageBounds(discharged_today_kwh=discharged),
        # A gap of 0 asks for the exact optimum: no margin for forecast errors.
        following=Following(
            NO_MARGIN
            if request.options.mip_gap == 0
            else ACTING
            if courses is None
            else ACTING_ON_MEAN,
            switching_price=objective.switching_price,
            modes=tuple(modes),
        ),
    )
    if request.manual:
        manual, bound_demands = read_blocks(request.manual, request.site, posed.demands, timeline)
        posed = replace(
            posed, manual=manual, demands=bound_demands, limits=manual.narrow(posed.limits)
        )
    posed = (
        hold_reserve(posed, read_reserves(request.reserves, request.site, timeline))
        if request.reserves
        else posed
    )
    return weigh(
        posed,
        Weights.of(objective, carbon_is_known=carbon is not None),
        automatic=request.options.terminal.kind == "automatic",
    )


def objective_of(request: PlanRequest) -> Objective:
    """Return the objective of a request's options, or else of its site."""
    objective = request.options.objective or (
        request.site.objective if request.site else Objective()
    )
    switching_price = request.options.switching_price
    return (
        objective
        if switching_price is None
        else objective.model_copy(update={"switching_price": switching_price})
    )


def weigh(problem: Problem, weights: Weights, *, automatic: bool) -> Problem:
    """Return the problem at weighted prices; unchanged where cost alone counts.

    ``automatic``: the terminal value of a stored kWh is a share of the weighted prices, too.
    """
    if weights == COST_ALONE:
        return problem
    outlook = problem.outlook
    tariff_price = problem.outlook.import_price
    counted = weigh_import(tariff_price, outlook.carbon_g_per_kwh, weights)
    beside = TERMINAL_SHARE * float(np.mean(counted - tariff_price)) if automatic else 0.0
    return replace(
        problem,
        site=problem.site.model_copy(
            update={
                "batteries": [weigh_wear(battery, weights) for battery in problem.site.batteries]
            }
        ),
        outlook=replace(outlook, import_price=counted),
        terminal=replace(problem.terminal, value=problem.terminal.value + beside),
        billed=problem,
    )


def hold_reserve(problem: Problem, reserve_kwh: FloatArray) -> Problem:
    """Return the problem with reserves at the end of each slot, ``(batteries, slots)``.

    A reserve overrides the terminal rule's upper bound.
    """
    terminal = replace(
        problem.terminal, most_kwh=np.maximum(problem.terminal.most_kwh, reserve_kwh[:, -1])
    )
    return replace(
        problem, terminal=terminal, storage=replace(problem.storage, reserve_kwh=reserve_kwh)
    )


def _slot_limits(limits_kw: list[float | None] | None) -> FloatArray | None:
    return (
        None
        if limits_kw is None
        else np.array([np.inf if limit is None else limit for limit in limits_kw])
    )


def _courses(scenarios: CoursesMessage | None) -> ScenarioSet | None:
    return (
        None
        if scenarios is None
        else ScenarioSet(np.array(scenarios.probability), scenarios.load_kwh, scenarios.pv_kwh)
    )


def _timeline(request: PlanRequest, count: int) -> Timeline:
    """Return a request's timeline; with ``first_slot_minutes`` it begins within a running slot.

    Raises:
        InvalidInputError: the start lies within a slot, and ``first_slot_minutes`` is missing.
    """
    start = require_utc(request.start, field="start")  # type: ignore[arg-type]
    if request.first_slot_minutes is not None:
        first = request.step * (request.first_slot_minutes / request.slot_minutes)
        return Timeline(floor_to(start, request.step), request.step, count, first)
    # Local midnight of some time zones lies off the UTC grid of long slots, so a start must be on
    # the five-minute grid alone.
    if start != floor_to(start, STEPS[0]):
        over = start - floor_to(start, request.step)
        raise refuse(
            "start-within-slot",
            field="start",
            value=start.isoformat(),
            over=over / timedelta(minutes=1),
            slot_minutes=request.slot_minutes,
            remains=(request.step - over) / timedelta(minutes=1),
            start=(start - over).isoformat(),
        )
    return Timeline(start, request.step, count)


def _read_batteries(
    site: Site, state: StateMessage
) -> tuple[FloatArray, FloatArray, list[Mode | None]]:
    """Return stored energy and discharge since local midnight, kWh, both ``(batteries,)``, and each
    battery's mode or None.

    Raises:
        InvalidInputError: a battery without state, a state without battery.
    """
    names = list(map(attrgetter("name"), site.batteries))
    for name in state.batteries:
        if name not in names:
            raise refuse(
                "state-no-such-battery",
                field=f"state.batteries.{name}",
                names=", ".join(names) or "none",
            )
    stored = np.zeros(len(names))
    discharged = np.zeros(len(names))
    modes = list[Mode | None]()
    for index, battery in enumerate(site.batteries):
        battery_state = state.batteries.get(battery.name)
        if battery_state is None:
            raise refuse("soc-missing", field=f"state.batteries.{battery.name}.soc")
        stored[index] = battery_state.soc * battery.capacity_kwh
        discharged[index] = battery_state.discharged_today_kwh or 0.0
        modes.append(Mode[battery_state.mode.upper()] if battery_state.mode else None)
    return stored, discharged, modes


def terminal_rule(
    terminal: Terminal, site: Site, *, stored_kwh: FloatArray, import_price: FloatArray
) -> TerminalRule:
    """Return the terminal rule in kWh and currency.

    Raises:
        InvalidInputError: a value per battery names none or a wrong battery.
    """
    battery = BatteryLimits.of(site.batteries)
    nothing = np.zeros(len(site.batteries))
    least = battery.min_kwh[:, 0]
    most = battery.max_kwh[:, 0]
    if terminal.kind == "automatic":
        return TerminalRule(
            least, most, nothing + TERMINAL_SHARE * max(float(np.mean(import_price)), 0.0)
        )
    if terminal.kind == "value":
        names = [battery.name for battery in site.batteries]
        if not isinstance(terminal.value, dict):
            return TerminalRule(least, most, np.full(len(names), terminal.value, dtype=float))
        if set(terminal.value) != set(names):
            raise refuse(
                "terminal-batteries",
                field="options.terminal.value",
                value=", ".join(terminal.value),
                names=tuple(sorted(names)),
            )
        return TerminalRule(least, most, np.array([terminal.value[name] for name in names]))
    target_kwh = stored_kwh if terminal.soc is None else terminal.soc * battery.capacity_kwh[:, 0]
    return TerminalRule(
        target_kwh,
        target_kwh if terminal.kind == "equal_soc" else np.maximum(most, target_kwh),
        nothing,
    )
