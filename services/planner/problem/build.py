"""Build the planning problem of a request."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import numpy as np

from luna.contracts.owner import AppliedRule, Reserve
from luna.contracts.plan import (
    OutlookMessage,
    PeakState,
    PlanOptions,
    PlanRequest,
    ScenariosMessage,
    StateMessage,
    Terminal,
)
from luna.energy.economics.charges import Peak, PeakHistory, find_charges
from luna.energy.economics.costs import COST_ALONE, Weights, weigh_import, weigh_wear
from luna.energy.economics.device_charges import list_device_charges
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
    Margin,
    Problem,
    SearchLimits,
    StorageBounds,
    TariffState,
    TerminalRule,
    Uncertainty,
)
from services.planner.problem.scenarios import PriceChange, ScenarioSet
from services.planner.problem.strategy import apply_strategy

# Terminal value of a stored kWh as a share of the mean import price. Source: docs/decisions/0004.
TERMINAL_SHARE = 0.6
# The relative gap of a plan with flexible loads: takes a fifth of the time of 0.01 %.
PLACING_GAP = 0.003
# The absolute gap of a plan that costs little, in the site's currency: a cent.
PLACING_GAP_COST = 0.01
# The relative gap without flexible loads, where negative prices need binaries: forecasts err by
# more, and the rest takes a hundred times as long to prove.
WAYS_GAP = 0.0005


def read_peaks(site: Site, state: StateMessage) -> tuple[Peak, ...]:
    """Return the components of a site's capacity tariff.

    ``month_peaks_kw`` is the state of the first component without one of its own.

    Raises:
        InvalidInputError: state of a component that the tariff does not have.
    """
    if not site.tariff.peak and not state.peaks:
        return ()
    names = [price.name for price in site.tariff.peaks]
    for name in state.peaks:
        if name not in names:
            raise refuse(
                "unknown-name",
                field=f"state.peaks.{name}",
                names=", ".join(names) or "–",
                thing="tariff-part",
            )
    peaks = []
    unnamed = PeakState(highest_kw=state.month_peaks_kw)
    for price in site.tariff.peaks:
        counted = state.peaks.get(price.name)
        if counted is None:
            counted = unnamed
            unnamed = PeakState()
        highest_kw = tuple(counted.highest_kw)
        history = PeakHistory(highest_kw, counted.today_kw, counted.interval_kwh)
        peaks.append(Peak(price, history))
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
                "no-such-device",
                field=f"reserves.{place}.battery",
                value=reserve.battery,
                names=names,
            )
        inside = (ends >= to_instant(reserve.from_)) & (ends <= to_instant(reserve.to))
        for index, battery in enumerate(site.batteries):
            if reserve.battery in (None, battery.name):
                kwh = min(reserve.soc, battery.max_soc) * battery.capacity_kwh
                reserve_kwh[index, inside] = np.maximum(reserve_kwh[index, inside], kwh)
    return reserve_kwh


def build_problem(request: PlanRequest) -> Problem:
    """Return the problem that a request with its own site, outlook and state describes.

    Raises:
        InvalidInputError: a battery without state, a state without battery, a start off the grid,
            state of a device that the site does not have, a session without state of charge or
            upside down.
    """
    rules: list[AppliedRule] = []
    if request.site and request.site.strategy:
        request, rules = apply_strategy(request)
    site = request.site
    series = request.outlook
    options = request.options
    if site is None or series is None or request.start is None:
        raise refuse("plan-without-site", field="site")
    timeline = _timeline(request, len(series.load_kwh))
    objective = _read_objective(request)
    outlook = _read_outlook(series, timeline)
    stored, discharged, modes = _read_batteries(site, request.state)
    demands = _read_demands(site, request.state, timeline, series)
    terminal = terminal_rule(
        options.terminal, site, stored_kwh=stored, import_price=outlook.import_price
    )
    scenarios = _scenarios(series.scenarios) if options.uncertainty == "scenarios" else None
    problem = Problem(
        site,
        outlook,
        stored,
        terminal,
        SiteLimits.of(site).narrow(outlook.import_limit_kw, outlook.export_limit_kw),
        _search_limits(options, has_demands=bool(demands)),
        demands,
        _read_tariff(site, request.state, timeline),
        Uncertainty(scenarios, options.risk, _scenarios(series.errors)),
        objective=objective,
        applied_rules=tuple(rules),
        storage=StorageBounds(discharged_today_kwh=discharged),
        following=Following(
            _margin(options, has_scenarios=scenarios is not None),
            switching_price=objective.switching_price,
            modes=tuple(modes),
        ),
    )
    if request.manual:
        manual, pinned_demands = read_blocks(request.manual, site, problem.demands, timeline)
        limits = manual.narrow(problem.limits)
        problem = replace(problem, manual=manual, demands=pinned_demands, limits=limits)
    if request.reserves:
        problem = hold_reserve(problem, read_reserves(request.reserves, site, timeline))
    return weigh(
        problem,
        Weights.of(objective, carbon_is_known=outlook.carbon_g_per_kwh is not None),
        automatic=options.terminal.kind == "automatic",
    )


def _read_outlook(series: OutlookMessage, timeline: Timeline) -> Outlook:
    energies_and_prices = [
        series.load_kwh,
        series.pv_kwh,
        series.import_price,
        series.export_price,
    ]
    load, pv, imported, exported = np.array(energies_and_prices)
    carbon = np.array(series.carbon_g_per_kwh) if series.carbon_g_per_kwh else None
    import_limit_kw = _slot_limits(series.import_limit_kw)
    export_limit_kw = _slot_limits(series.export_limit_kw)
    return Outlook(timeline, load, pv, imported, exported, carbon, import_limit_kw, export_limit_kw)


def _read_demands(
    site: Site, state: StateMessage, timeline: Timeline, series: OutlookMessage
) -> tuple[Demand, ...]:
    demands: list[Demand] = []
    for kind in PLANNED_KINDS:
        has_devices = getattr(site, kind.section) or getattr(state, kind.section)
        # A kind's reader refuses state of devices that the site does not have.
        if has_devices or (kind.by_weather and series.heat_demand_kwh):
            demands += kind.read(site, state, timeline, series)
    return tuple(demands)


def _read_tariff(site: Site, state: StateMessage, timeline: Timeline) -> TariffState:
    zone = ZoneInfo(site.timezone)
    day = timeline.start.astimezone(zone).date()
    charges = []
    for charged in find_charges(site.tariff.import_):
        if not charged.holds_within(timeline, zone):
            continue
        unstated_kwh = state.month_import_kwh if charged.charge.counts_month else 0.0
        drawn_kwh = state.drawn_kwh.get(charged.key, unstated_kwh)
        # A component of the same name that begins later has counted nothing yet.
        charges.append(charged.after(drawn_kwh if charged.counts_on(day) else 0.0))
    device_charges = list_device_charges(site.tariff.devices, state.device_use, timeline, zone)
    return TariffState(read_peaks(site, state), tuple(charges), device_charges)


def _search_limits(options: PlanOptions, *, has_demands: bool) -> SearchLimits:
    gap = options.mip_gap
    gap_cost = 0.0
    if gap is None and has_demands:
        gap = PLACING_GAP
        gap_cost = PLACING_GAP_COST
    elif gap is None:
        gap = WAYS_GAP
    to_gap = options.prove or options.mip_gap is not None
    return SearchLimits(gap, options.time_limit_s, gap_cost=gap_cost, to_gap=to_gap)


def _margin(options: PlanOptions, *, has_scenarios: bool) -> Margin:
    # A gap of 0 asks for the exact optimum: no margin for forecast errors.
    if options.mip_gap == 0:
        return NO_MARGIN
    return ACTING_ON_MEAN if has_scenarios else ACTING


def _read_objective(request: PlanRequest) -> Objective:
    """Return the objective of a request's options, or else of its site."""
    objective = request.options.objective
    if objective is None:
        objective = request.site.objective if request.site else Objective()
    switching_price = request.options.switching_price
    if switching_price is None:
        return objective
    return objective.model_copy(update={"switching_price": switching_price})


def weigh(problem: Problem, weights: Weights, *, automatic: bool) -> Problem:
    """Return the problem at weighted prices; unchanged where cost alone counts.

    ``automatic``: the terminal value of a stored kWh is a share of the weighted prices, too.
    """
    if weights == COST_ALONE:
        return problem
    outlook = problem.outlook
    tariff_price = outlook.import_price
    weighted_price = weigh_import(tariff_price, outlook.carbon_g_per_kwh, weights)
    terminal = problem.terminal
    if automatic:
        more_value = TERMINAL_SHARE * float(np.mean(weighted_price - tariff_price))
        terminal = replace(terminal, value=terminal.value + more_value)
    batteries = [weigh_wear(battery, weights) for battery in problem.site.batteries]
    return replace(
        problem,
        site=problem.site.model_copy(update={"batteries": batteries}),
        outlook=replace(outlook, import_price=weighted_price),
        terminal=terminal,
        billed=problem,
    )


def hold_reserve(problem: Problem, reserve_kwh: FloatArray) -> Problem:
    """Return the problem with reserves at the end of each slot, ``(batteries, slots)``.

    A reserve overrides the terminal rule's upper bound.
    """
    most_kwh = np.maximum(problem.terminal.most_kwh, reserve_kwh[:, -1])
    return replace(
        problem,
        terminal=replace(problem.terminal, most_kwh=most_kwh),
        storage=replace(problem.storage, reserve_kwh=reserve_kwh),
    )


def _slot_limits(limits_kw: list[float | None] | None) -> FloatArray | None:
    if limits_kw is None:
        return None
    return np.array([np.inf if limit is None else limit for limit in limits_kw])


def _scenarios(scenarios: ScenariosMessage | None) -> ScenarioSet | None:
    if scenarios is None:
        return None
    change = None
    if scenarios.import_change is not None and scenarios.export_change is not None:
        change = PriceChange(scenarios.import_change, scenarios.export_change)
    return ScenarioSet(
        np.array(scenarios.probability), scenarios.load_kwh, scenarios.pv_kwh, change
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
    """Return stored energy, discharge since local midnight and mode of each battery, kWh.

    Raises:
        InvalidInputError: a battery without state, a state without battery.
    """
    names = [battery.name for battery in site.batteries]
    for name in state.batteries:
        if name not in names:
            raise refuse(
                "no-such-device", field=f"state.batteries.{name}", names=tuple(names) or ("–",)
            )
    stored = np.zeros(len(names))
    discharged = np.zeros(len(names))
    modes: list[Mode | None] = []
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
    least = battery.min_kwh[:, 0]
    most = battery.max_kwh[:, 0]
    count = len(site.batteries)
    if terminal.kind == "automatic":
        value = TERMINAL_SHARE * max(float(np.mean(import_price)), 0.0)
        return TerminalRule(least, most, np.full(count, value))
    if terminal.kind == "value":
        return TerminalRule(least, most, _terminal_values(terminal, site))
    target_kwh = stored_kwh if terminal.soc is None else terminal.soc * battery.capacity_kwh[:, 0]
    most_kwh = target_kwh if terminal.kind == "equal_soc" else np.maximum(most, target_kwh)
    return TerminalRule(target_kwh, most_kwh, np.zeros(count))


def _terminal_values(terminal: Terminal, site: Site) -> FloatArray:
    """Return the value of a stored kWh in each battery."""
    names = [battery.name for battery in site.batteries]
    if not isinstance(terminal.value, dict):
        return np.full(len(names), terminal.value, dtype=float)
    if set(terminal.value) != set(names):
        raise refuse(
            "terminal-batteries",
            field="options.terminal.value",
            value=", ".join(terminal.value),
            names=tuple(sorted(names)),
        )
    return np.array([terminal.value[name] for name in names])
