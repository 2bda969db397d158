"""Define the planning problem.

It has a site, outlook, initial state, terminal rule, demands, limits, uncertainty and deadline.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from time import monotonic

import numpy as np
from numba.core import event

from luna.contracts.owner import AppliedRule
from luna.energy.economics.charges import EnergyCharge, Peak
from luna.energy.economics.curtailment import site_curtailment
from luna.energy.economics.device_charges import DeviceCharge
from luna.energy.outlook import Outlook
from luna.energy.physics.inverters import Conversion
from luna.energy.physics.limits import SiteLimits
from luna.energy.physics.mode import BoolArray, IntArray, Mode
from luna.energy.site import Objective, Site
from luna.energy.timeline import FloatArray
from services.planner.devices.kind import Demand
from services.planner.problem.directions import Direction
from services.planner.problem.owner_constraints import Manual
from services.planner.problem.scenarios import ScenarioSet


class _Compilations(event.Listener):
    """Seconds that Numba spent compiling loops in this process, loading and storing them.

    All of that happens under its lock. Nested compilations count once.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self._begun: list[float] = []

    def on_start(self, event: event.Event) -> None:
        self._begun.append(monotonic())

    def on_end(self, event: event.Event) -> None:
        begun = self._begun.pop()
        if not self._begun:
            self.seconds += monotonic() - begun


_compilations = _Compilations()
event.register("numba:compiler_lock", _compilations)  # type: ignore[no-untyped-call]


def planning_clock_s() -> float:
    """Return a monotonic clock, seconds, without Numba's time for compiling and loading loops.

    So a first plan keeps its time limit.
    """
    return monotonic() - _compilations.seconds


@dataclass(frozen=True, slots=True)
class Deadline:
    """An instant ``at_s`` of the monotonic clock ``now_s``, seconds."""

    at_s: float
    now_s: Callable[[], float] = planning_clock_s

    @classmethod
    def within(cls, seconds: float, *, now_s: Callable[[], float] = planning_clock_s) -> "Deadline":
        """Return the deadline ``seconds`` from now."""
        return cls(now_s() + seconds, now_s)

    @property
    def left_s(self) -> float:
        """Seconds until the deadline; 0 after it."""
        return max(self.at_s - self.now_s(), 0.0)

    def share(self, share: float) -> "Deadline":
        """Return the deadline that allows only this share of the time left."""
        return replace(self, at_s=self.at_s - (1.0 - share) * self.left_s)


NO_RESERVE: FloatArray = np.empty(0)


@dataclass(frozen=True, slots=True)
class TerminalRule:
    """Bounds on the stored energy at the horizon, kWh, and the value of a kWh; ``(batteries,)``."""

    least_kwh: FloatArray
    most_kwh: FloatArray
    value: FloatArray


@dataclass(frozen=True, slots=True)
class Margin:
    """Margins per stored kWh of a followed plan, because forecasts err.

    ``self_consumption_margin`` favours self-consumption, ``hysteresis`` the current mode.
    """

    self_consumption_margin: float = 0.0
    hysteresis: float = 0.0


NO_MARGIN = Margin()
# The margins of a followed plan. Source: docs/decisions/0004.
ACTING = Margin(self_consumption_margin=0.005, hysteresis=0.0025)
# The mean value function over scenarios has more and smaller steps. Source: docs/decisions/0020.
ACTING_ON_MEAN = Margin(self_consumption_margin=0.005, hysteresis=0.0033)


@dataclass(frozen=True, slots=True)
class SearchLimits:
    """Conditions that end a search.

    A plan is good enough if its cost exceeds a proven lower bound by at most ``mip_gap`` of the
    cost, or by ``gap_cost``, in the site's currency. ``deadline`` is set when the search begins.
    ``to_gap``: the search goes on until the plan is good enough; else the first good answer ends
    it, and states its gap.
    """

    mip_gap: float = 0.0
    time_limit_s: float = 10.0
    deadline: Deadline | None = None
    gap_cost: float = 0.0
    to_gap: bool = False

    def allow(self, cost: float) -> float:
        """Return the largest allowed gap of a plan of this cost, in the site's currency."""
        return max(self.mip_gap * abs(cost), self.gap_cost)


@dataclass(frozen=True, slots=True)
class TariffState:
    """The tariff's parts that couple slots, with their counts so far.

    They are the components of a capacity tariff, prices that depend on energy drawn before, and
    prices of what devices draw.
    """

    peaks: tuple[Peak, ...] = ()
    charges: tuple[EnergyCharge, ...] = ()
    device_charges: tuple[DeviceCharge, ...] = ()


@dataclass(frozen=True, slots=True)
class Uncertainty:
    """Scenarios of load and PV, and the risk aversion.

    A ``risk`` of 0 weighs all scenarios, 1 the most expensive one alone. ``errors`` are the
    scenarios on which a followed policy has to gain over the inverter alone.
    """

    scenarios: ScenarioSet | None = None
    risk: float = 0.0
    errors: ScenarioSet | None = None


@dataclass(frozen=True, slots=True)
class StorageBounds:
    """Bounds on the batteries besides their own limits.

    ``reserve_kwh`` is each battery's reserve at the end of each slot, ``(batteries, slots)``;
    ``give_limit_kwh`` (``(slots,)``) the most that all discharge together, 0 while a load runs that
    they must not supply; ``discharged_today_kwh`` the discharge since local midnight,
    ``(batteries,)``.
    """

    reserve_kwh: FloatArray | None = None
    give_limit_kwh: FloatArray | None = None
    discharged_today_kwh: FloatArray | None = None


@dataclass(frozen=True, slots=True)
class Following:
    """Settings of plan-following policies; the plan itself is the optimum.

    ``switching_price`` is the least gain per stored kWh for a change of mode, ``modes`` are the
    current ones, battery by battery. ``value_correction`` (``(slots,)``, from a trained model) is
    added to the value function per stored kWh at the end of each slot; the plan itself does not use
    it.
    """

    margin: Margin = NO_MARGIN
    switching_price: float = 0.0
    modes: tuple[Mode | None, ...] = ()
    value_correction: FloatArray | None = None


COST_ALONE = Objective()
_SAME_KWH = 1e-6
_SAME_KW = 1e-6


@dataclass(frozen=True)
class Problem:
    """A planning problem; what follows from it is computed once and must not be changed.

    ``stored_kwh`` is each battery's energy at the start, shape ``(batteries,)``; ``manual`` holds
    the owner's pins and bans.

    Where the objective weighs more than cost, prices are the weighted ones, and ``billed`` is the
    same problem at tariff prices. ``objective`` is the owner's, ``applied_rules`` are the site's
    strategy rules that were applied.
    """

    site: Site
    outlook: Outlook
    stored_kwh: FloatArray
    terminal: TerminalRule
    limits: SiteLimits
    search: SearchLimits = SearchLimits()
    demands: tuple[Demand, ...] = ()
    tariff: TariffState = TariffState()
    uncertainty: Uncertainty = Uncertainty()
    storage: StorageBounds = StorageBounds()
    manual: Manual | None = None
    following: Following = Following()
    billed: "Problem | None" = None
    objective: Objective = COST_ALONE
    applied_rules: tuple[AppliedRule, ...] = ()

    def due(self, deadline: Deadline | None) -> "Problem":
        """Return the problem with a deadline.

        None: its time limit counts from the start of the solve.
        """
        return replace(self, search=replace(self.search, deadline=deadline))

    def begun(self) -> "Problem":
        """Return the problem with a deadline: its own, or one time limit from now."""
        return self if self.search.deadline else self.due(self.deadline)

    @property
    def deadline(self) -> Deadline:
        """The deadline; where none is set, one time limit from now."""
        return self.search.deadline or Deadline.within(self.search.time_limit_s)

    @property
    def left_s(self) -> float:
        """Seconds left to solve it."""
        return self.deadline.left_s

    def over_scenarios(self, scenarios: ScenarioSet, *, risk: float) -> "Problem":
        """Return the problem with scenarios, and the margins of a plan over scenarios."""
        uncertainty = replace(self.uncertainty, scenarios=scenarios, risk=risk)
        following = replace(self.following, margin=ACTING_ON_MEAN)
        return replace(self, uncertainty=uncertainty, following=following)

    @property
    def at_tariff_prices(self) -> "Problem":
        """The problem at tariff prices, without weights on carbon or self-sufficiency."""
        return self.billed or self

    @property
    def schedules_loads(self) -> bool:
        """Whether flexible loads or peaks couple slots besides the batteries."""
        return bool(self.demands or self.tariff.peaks)

    @property
    def direction(self) -> Direction | None:
        """The flow directions that the owner allows the only battery; None: prices decide."""
        return None if self.manual is None else self.manual.direction(0)

    @property
    def reserve_above_kwh(self) -> FloatArray:
        """The only battery's reserve above its lowest SoC at each slot's end, kWh, ``(slots,)``.

        Empty without a reserve.
        """
        reserve = self.storage.reserve_kwh
        if reserve is None:
            return NO_RESERVE
        return np.asarray(np.maximum(reserve[0] - self.limits.batteries.min_kwh[0, 0], 0.0))

    @property
    def pins(self) -> bool:
        """Whether the owner forces a battery to charge or discharge, whatever that costs."""
        return self.manual is not None and self.manual.pins

    @property
    def burns_on_an_island(self) -> bool:
        """Whether the owner forbids imports in a slot with a negative import price.

        Prices alone then do not decide on PV.
        """
        if self.manual is None:
            return False
        return bool((self.manual.no_import & (self.outlook.import_price < 0)).any())

    @cached_property
    def terminal_bounds(self) -> tuple[FloatArray, FloatArray]:
        """Least and most energy at the horizon beyond the batteries' own limits, ``(batteries,)``.

        Infinite where there is no bound.
        """
        terminal = self.terminal
        battery = self.limits.batteries
        raises_least = terminal.least_kwh > battery.min_kwh[:, 0] + _SAME_KWH
        lowers_most = terminal.most_kwh < battery.max_kwh[:, 0] - _SAME_KWH
        least = np.where(raises_least, terminal.least_kwh, -np.inf)
        most = np.where(lowers_most, terminal.most_kwh, np.inf)
        return least, most

    @property
    def inside(self) -> "Problem":
        """The problem with every battery's initial energy clipped to its limits.

        A battery slightly outside returns by itself.
        """
        battery = self.limits.batteries
        stored = np.clip(self.stored_kwh, battery.min_kwh[:, 0], battery.max_kwh[:, 0])
        return self if np.array_equal(stored, self.stored_kwh) else replace(self, stored_kwh=stored)

    @cached_property
    def import_limit_kwh(self) -> FloatArray:
        """The import limit per slot, narrowed by the peaks to keep, ``(slots,)``."""
        return self.limits.import_limit_kw * self.outlook.timeline.hours

    @cached_property
    def export_limit_kwh(self) -> FloatArray:
        """The export limit per slot, shape ``(slots,)``."""
        return self.limits.export_limit_kw * self.outlook.timeline.hours

    @cached_property
    def connection_limit_kwh(self) -> FloatArray:
        """The grid connection's own import limit per slot, without peaks, shape ``(slots,)``."""
        outlook = self.outlook
        limit_kw = np.full(outlook.timeline.count, self.site.grid.import_limit_kw)
        if outlook.import_limit_kw is not None:
            limit_kw = np.minimum(limit_kw, outlook.import_limit_kw)
        return limit_kw * outlook.timeline.hours

    @property
    def is_import_limited(self) -> BoolArray:
        """Whether an operator allows less import than the connection, by slot, ``(slots,)``."""
        outlook = self.outlook
        if outlook.import_limit_kw is None:
            return np.zeros(outlook.timeline.count, dtype=bool)
        return np.asarray(outlook.import_limit_kw < self.site.grid.import_limit_kw - _SAME_KW)

    @property
    def is_export_limited(self) -> BoolArray:
        """Whether an operator allows less feed-in than the site, by slot, ``(slots,)``."""
        outlook = self.outlook
        if outlook.export_limit_kw is None:
            return np.zeros(outlook.timeline.count, dtype=bool)
        return np.asarray(outlook.export_limit_kw < self.site.feed_in_limit_kw - _SAME_KW)

    @cached_property
    def conversion(self) -> Conversion | None:
        """The inverters' conversion of uncurtailed PV; None where there are none."""
        inverters = self.limits.inverters
        if inverters is None:
            return None
        return inverters.convert(self.outlook.pv_kwh, self.outlook.timeline.hours)

    @property
    def ac_pv_kwh(self) -> FloatArray:
        """Uncurtailed PV on the AC side, shape ``(slots,)``."""
        conversion = self.conversion
        return self.outlook.pv_kwh if conversion is None else conversion.ac_kwh

    @cached_property
    def surplus_kwh(self) -> FloatArray:
        """Uncurtailed PV above the load on the AC side, shape ``(slots,)``."""
        return np.asarray(np.maximum(self.ac_pv_kwh - self.outlook.load_kwh, 0.0))

    @cached_property
    def curtailment(self) -> IntArray:
        """The curtailment that prices call for in each slot, shape ``(slots,)``."""
        export_price = self.outlook.export_price
        if self.manual is not None:
            export_price = np.where(self.manual.no_export, 0.0, export_price)
        return site_curtailment(self.site, self.outlook.import_price, export_price)

    @property
    def wear_price(self) -> FloatArray:
        """Wear per kWh of throughput, shape ``(batteries, 1)``."""
        prices = [battery.wear_price for battery in self.site.batteries]
        return np.array(prices, dtype=float).reshape(-1, 1)
