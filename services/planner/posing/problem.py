"""What a plan has to solve, as values: a site, what lies ahead, where it starts and what holds at the end."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from luna.contracts.manual import ManualBlock
from luna.contracts.plan import CoursesMessage, PlanRequest, StateMessage, Terminal
from luna.economics import Blocks, Peak, site_curtailment
from luna.errors import InvalidInputError
from luna.outlook import Outlook
from luna.physics import BatteryLimits, Conversion, IntArray, Mode, SiteLimits
from luna.site import Objective, Site
from luna.timeline import FloatArray, Timeline, floor_to, require_utc
from luna.weighing import COST_ALONE, Weights, weigh_import, weigh_wear
from services.planner.placing.wishes import NO_WISHES, Wishes, read_wishes
from services.planner.posing.courses import Courses
from services.planner.posing.manual import Manual, read_blocks
from services.planner.posing.peaks import read_peaks, read_price_blocks
from services.planner.posing.reserve_slots import read_reserves
from services.planner.posing.strategy import apply_strategy
from services.planner.value.energy_value import NO_RESERVE
from services.planner.value.segments import Direction

# Terminal value of a stored kWh as a share of the mean import price. Source: docs/decisions/0004.
TERMINAL_SHARE = 0.6
# How far from the optimum a plan may be that places vehicles and appliances: a fifth of the time that a gap of 0.01 % takes.
PLACING_GAP = 0.003
# And one that is followed, where burning energy is paid for: forecasts err by more, and the last of it takes a hundred times as long to prove.
WAYS_GAP = 0.0005


@dataclass(frozen=True, slots=True)
class TerminalRule:
    """What holds for each battery at the horizon: stored energy within bounds (kWh), and the value of a stored kWh; shape ``(batteries,)``."""

    least_kwh: FloatArray
    most_kwh: FloatArray
    value: FloatArray


@dataclass(frozen=True, slots=True)
class Margin:
    """What following the house may cost beside the optimum because forecasts err, per stored kWh: for storing and serving, and against another mode."""

    toward_house: float = 0.0
    hysteresis: float = 0.0


NO_MARGIN = Margin()
# What a plan that is followed heeds. Source: docs/decisions/0004.
ACTING = Margin(toward_house=0.005, hysteresis=0.0025)
# The mean over courses has more and smaller steps. Source: docs/decisions/0020.
ACTING_ON_MEAN = Margin(toward_house=0.005, hysteresis=0.0033)


# Stored energies this close are the same.
_SAME_KWH = 1e-6


@dataclass(frozen=True, slots=True)
class Problem:
    """A planning problem. ``stored_kwh`` is what each battery holds at the start, shape ``(batteries,)``; ``peaks`` and ``blocks`` tariffs that couple slots.

    ``courses`` are what load and PV may do instead of what is expected, ``risk`` (0–1) how far the dearest of them alone count.
    ``battery_limit_kwh`` (``(slots,)``) is what batteries together may give, so that none feeds a vehicle it may not feed.
    Where more than money counts, prices are those that a plan optimises by, and ``billed`` is the same problem at what is really paid.
    ``manual`` is what the owner pins and forbids. ``reserve_kwh`` is what a battery should hold at the end of each slot, ``(batteries, slots)``.
    ``switching_price`` is what another mode has to gain per stored kWh, ``modes`` are those in progress, battery by battery. ``margin`` is what those who
    follow the plan heed, and ``errors`` the courses on which they have to gain by it; the plan itself is the optimum.
    """

    site: Site
    outlook: Outlook
    stored_kwh: FloatArray
    terminal: TerminalRule
    limits: SiteLimits
    mip_gap: float = 0.0
    time_limit_s: float = 10.0
    wishes: Wishes = NO_WISHES
    peaks: tuple[Peak, ...] = ()
    blocks: Blocks | None = None
    courses: Courses | None = None
    risk: float = 0.0
    battery_limit_kwh: FloatArray | None = None
    billed: "Problem | None" = None
    manual: Manual | None = None
    reserve_kwh: FloatArray | None = None
    switching_price: float = 0.0
    modes: tuple[Mode | None, ...] = ()
    margin: Margin = NO_MARGIN
    errors: Courses | None = None

    @property
    def paid(self) -> "Problem":
        """The problem with the prices that are really paid."""
        return self.billed or self

    @property
    def places(self) -> bool:
        """Whether anything couples slots beside batteries: vehicles, appliances, peaks."""
        return self.wishes.any() or bool(self.peaks)

    @property
    def direction(self) -> Direction | None:
        """Which way the slots of the only battery may go; None: prices decide."""
        return None if self.manual is None else self.manual.direction(0)

    @property
    def reserve_above_kwh(self) -> FloatArray:
        """What the only battery should hold at the end of each slot above its lowest SoC, ``(slots,)``; empty where that is nothing."""
        return NO_RESERVE if self.reserve_kwh is None else np.maximum(self.reserve_kwh[0] - self.limits.batteries.min_kwh[0, 0], 0.0)

    @property
    def pins(self) -> bool:
        """Whether a battery has to charge or discharge whatever that costs."""
        return self.manual is not None and self.manual.pins

    @property
    def burns_on_an_island(self) -> bool:
        """Whether nothing may be imported where importing is paid: what PV is for is then no question of prices alone."""
        return self.manual is not None and bool((self.manual.no_import & (self.outlook.import_price < 0)).any())

    @property
    def wanted_at_end(self) -> tuple[FloatArray, FloatArray]:
        """What is wanted of each battery at the horizon beside its own limits, least and most, ``(batteries,)``; infinite where that is nothing."""
        terminal, battery = self.terminal, self.limits.batteries
        least = np.where(terminal.least_kwh > battery.min_kwh[:, 0] + _SAME_KWH, terminal.least_kwh, -np.inf)
        return least, np.where(terminal.most_kwh < battery.max_kwh[:, 0] - _SAME_KWH, terminal.most_kwh, np.inf)

    @property
    def inside(self) -> "Problem":
        """The problem as if every battery started within its limits: whoever is a little outside comes back by itself."""
        battery = self.limits.batteries
        stored = np.clip(self.stored_kwh, battery.min_kwh[:, 0], battery.max_kwh[:, 0])
        return self if np.array_equal(stored, self.stored_kwh) else replace(self, stored_kwh=stored)

    @property
    def import_limit_kwh(self) -> FloatArray:
        """What the connection carries inward per slot, or what a capacity tariff makes of it, shape ``(slots,)``."""
        return np.broadcast_to(self.limits.import_limit_kw, (self.outlook.timeline.count,)) * self.outlook.timeline.hours

    @property
    def export_limit_kwh(self) -> FloatArray:
        """What the connection carries outward per slot, shape ``(slots,)``."""
        return np.broadcast_to(self.limits.export_limit_kw, (self.outlook.timeline.count,)) * self.outlook.timeline.hours

    @property
    def carried_kwh(self) -> FloatArray:
        """What the connection carries inward per slot, whatever a capacity tariff makes of it, shape ``(slots,)``."""
        outlook = self.outlook
        carried = np.full(outlook.timeline.count, self.site.grid.import_limit_kw)
        return (carried if outlook.import_limit_kw is None else np.minimum(carried, outlook.import_limit_kw)) * outlook.timeline.hours

    @property
    def conversion(self) -> Conversion | None:
        """What PV gives behind inverters when nothing is held back; None where there are none."""
        inverters = self.limits.inverters
        return None if inverters is None else inverters.convert(self.outlook.pv_kwh, self.outlook.timeline.hours)

    @property
    def ac_pv_kwh(self) -> FloatArray:
        """What PV gives on the AC side when nothing is held back, shape ``(slots,)``."""
        sun = self.conversion
        return self.outlook.pv_kwh if sun is None else sun.ac_kwh

    @property
    def surplus_kwh(self) -> FloatArray:
        """What PV leaves over on the AC side when nothing is held back, shape ``(slots,)``."""
        return np.asarray(np.maximum(self.ac_pv_kwh - self.outlook.load_kwh, 0.0))

    @property
    def curtailment(self) -> IntArray:
        """How PV is held back in each slot, where prices alone decide, shape ``(slots,)``."""
        earns = self.outlook.export_price if self.manual is None else np.where(self.manual.no_export, 0.0, self.outlook.export_price)
        return site_curtailment(self.site, self.outlook.import_price, earns)

    @property
    def wear_price(self) -> FloatArray:
        """Wear per kWh of throughput, shape ``(batteries, 1)``."""
        return np.array([[battery.wear_price] for battery in self.site.batteries]).reshape(-1, 1)


def pose(request: PlanRequest) -> Problem:
    """Return the problem that a request with its own site, outlook and state describes.

    Raises:
        InvalidInputError: a battery without state, a state without battery, a start off the grid.
    """
    request, _ = apply_strategy(request)
    if request.site is None or request.outlook is None or request.start is None:
        raise InvalidInputError("a plan without a stored site needs site, start and outlook", field="site", remedy="Add them to the request.")
    series = request.outlook
    timeline = _timeline(request, len(series.load_kwh))
    carbon = np.array(series.carbon_g_per_kwh) if series.carbon_g_per_kwh else None
    load, pv, imported, exported = (np.array(each) for each in (series.load_kwh, series.pv_kwh, series.import_price, series.export_price))
    limits = _slot_limits(series.import_limit_kw), _slot_limits(series.export_limit_kw)
    outlook = Outlook(timeline, load, pv, imported, exported, carbon, *limits)
    stored = _stored(request.site, request.state)
    wishes = read_wishes(request.site, request.state, timeline, series=series)
    courses = _courses(series.scenarios) if request.options.uncertainty == "scenarios" else None
    posed = Problem(
        request.site,
        outlook,
        stored,
        terminal_rule(request.options.terminal, request.site, stored_kwh=stored, import_price=outlook.import_price),
        SiteLimits.of(request.site).narrow(outlook.import_limit_kw, outlook.export_limit_kw),
        _gap(request, wishes),
        request.options.time_limit_s,
        wishes,
        read_peaks(request.site, request.state),
        read_price_blocks(request.site, request.state),
        courses,
        request.options.risk,
        # Who asks for the very optimum gets it, and nothing kept back for errors of forecasts.
        margin=NO_MARGIN if request.options.mip_gap == 0 else ACTING if courses is None else ACTING_ON_MEAN,
        errors=_courses(series.errors),
    )
    posed = _bind(posed, request.manual) if request.manual else posed
    posed = hold_reserve(posed, read_reserves(request.reserves, request.site, timeline)) if request.reserves else posed
    posed = _keep_modes(posed, request)
    return weigh(posed, Weights.of(objective_of(request)).known(outlook.carbon_g_per_kwh), automatic=request.options.terminal.kind == "automatic")


def objective_of(request: PlanRequest) -> Objective:
    """Return what counts in a request: what its options say, or else its site."""
    objective = request.options.objective or (request.site.objective if request.site else Objective())
    asked = request.options.switching_price
    return objective if asked is None else objective.model_copy(update={"switching_price": asked})


def _keep_modes(problem: Problem, request: PlanRequest) -> Problem:
    """Return the problem with what another mode has to gain; as it is where that is nothing."""
    price = objective_of(request).switching_price
    words = [request.state.batteries[battery.name].mode for battery in problem.site.batteries]
    return replace(problem, switching_price=price, modes=tuple(Mode[word.upper()] if word else None for word in words))


def weigh(problem: Problem, weights: Weights, *, automatic: bool) -> Problem:
    """Return the problem at the prices by which it is to be planned; as it is where cost alone counts.

    ``automatic``: a stored kWh left at the horizon is worth its share of these prices, too.
    """
    if weights == COST_ALONE:
        return problem
    outlook, paid = problem.outlook, problem.outlook.import_price
    counted = weigh_import(paid, outlook.carbon_g_per_kwh, weights)
    beside = TERMINAL_SHARE * float(np.mean(counted - paid)) if automatic else 0.0
    return replace(
        problem,
        site=problem.site.model_copy(update={"batteries": [weigh_wear(battery, weights) for battery in problem.site.batteries]}),
        outlook=replace(outlook, import_price=counted),
        terminal=replace(problem.terminal, value=problem.terminal.value + beside),
        billed=problem,
    )


def hold_reserve(problem: Problem, reserve_kwh: FloatArray) -> Problem:
    """Return the problem with what batteries should hold at the end of each slot, ``(batteries, slots)``; it goes before what is wanted at the horizon."""
    terminal = replace(problem.terminal, most_kwh=np.maximum(problem.terminal.most_kwh, reserve_kwh[:, -1]))
    return replace(problem, terminal=terminal, reserve_kwh=reserve_kwh)


def _bind(problem: Problem, blocks: Sequence[ManualBlock]) -> Problem:
    """Return the problem with what its owner pins and forbids."""
    manual, wishes = read_blocks(blocks, problem.site, problem.wishes, problem.outlook.timeline)
    return replace(problem, manual=manual, wishes=wishes, limits=manual.narrow(problem.limits))


def _slot_limits(limits_kw: list[float | None] | None) -> FloatArray | None:
    return None if limits_kw is None else np.array([np.inf if limit is None else limit for limit in limits_kw])


def _courses(scenarios: CoursesMessage | None) -> Courses | None:
    return None if scenarios is None else Courses(*(np.array(part) for part in (scenarios.probability, scenarios.load_kwh, scenarios.pv_kwh)))


def _gap(request: PlanRequest, wishes: Wishes) -> float:
    if request.options.mip_gap is not None:
        return request.options.mip_gap
    return PLACING_GAP if wishes.any() else WAYS_GAP


def _timeline(request: PlanRequest, count: int) -> Timeline:
    start = require_utc(request.start, field="start")  # type: ignore[arg-type]
    first = None
    if request.first_slot_minutes is not None:
        first = request.step * (request.first_slot_minutes / request.slot_minutes)
        start = floor_to(start, request.step)
    return Timeline(start, request.step, count, first)


def _stored(site: Site, state: StateMessage) -> FloatArray:
    names = [battery.name for battery in site.batteries]
    for name in state.batteries:
        if name not in names:
            raise InvalidInputError("the site has no such battery", field=f"state.batteries.{name}", remedy=f"Its batteries are: {', '.join(names) or 'none'}.")
    for name in names:
        if name not in state.batteries:
            raise InvalidInputError("the battery's state of charge is missing", field=f"state.batteries.{name}.soc", remedy="Add it, a share from 0 to 1.")
    return np.array([state.batteries[battery.name].soc * battery.capacity_kwh for battery in site.batteries], dtype=float)


def terminal_rule(terminal: Terminal, site: Site, *, stored_kwh: FloatArray, import_price: FloatArray) -> TerminalRule:
    """Return the terminal rule in kWh and currency.

    Raises:
        InvalidInputError: a value per battery names none or a wrong battery.
    """
    batteries = BatteryLimits.of(site.batteries)
    least, most = batteries.min_kwh[:, 0], batteries.max_kwh[:, 0]
    nothing = np.zeros(len(site.batteries))
    if terminal.kind == "automatic":
        return TerminalRule(least, most, nothing + TERMINAL_SHARE * max(float(np.mean(import_price)), 0.0))
    if terminal.kind == "value":
        return TerminalRule(least, most, _terminal_values(terminal, site))
    wanted = stored_kwh if terminal.soc is None else terminal.soc * batteries.capacity_kwh[:, 0]
    return TerminalRule(wanted, wanted if terminal.kind == "equal_soc" else np.maximum(most, wanted), nothing)


def _terminal_values(terminal: Terminal, site: Site) -> FloatArray:
    if not isinstance(terminal.value, dict):
        return np.full(len(site.batteries), terminal.value, dtype=float)
    names = {battery.name for battery in site.batteries}
    if set(terminal.value) != names:
        raise InvalidInputError(
            "values do not fit the site's batteries",
            field="options.terminal.value",
            value=", ".join(terminal.value),
            remedy=f"Name exactly: {', '.join(sorted(names))}.",
        )
    return np.array([terminal.value[battery.name] for battery in site.batteries])
