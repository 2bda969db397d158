"""What a plan has to solve, as values: a site, what lies ahead, where it starts, what holds at the end, and by when the answer has to be there."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from operator import attrgetter
from time import monotonic

import numpy as np
from numba.core import event

from luna.contracts.owner import AppliedRule
from luna.energy.economics.charges import EnergyCharge, Peak
from luna.energy.economics.curtailment import site_curtailment
from luna.energy.outlook import Outlook
from luna.energy.physics.inverters import Conversion
from luna.energy.physics.limits import SiteLimits
from luna.energy.physics.mode import IntArray, Mode
from luna.energy.site import Site
from luna.energy.timeline import FloatArray
from services.planner.devices.kind import Demand
from services.planner.problem.directions import Direction
from services.planner.problem.owner_constraints import Manual
from services.planner.problem.scenarios import ScenarioSet


class _Compilations(event.Listener):
    """How long loops were compiled in this process, seconds; a loop that is compiled for another counts with that. Numba compiles one at a time."""

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
event.register("numba:compile", _compilations)  # type: ignore[no-untyped-call]


def planning_clock_s() -> float:
    """Return the seconds of a clock that never goes back, and stands still while a loop is compiled: that leaves a plan its time."""
    return monotonic() - _compilations.seconds


@dataclass(frozen=True, slots=True)
class Deadline:
    """An instant ``at_s`` of a clock that never goes back, ``now_s``, seconds."""

    at_s: float
    now_s: Callable[[], float] = planning_clock_s

    @classmethod
    def within(cls, seconds: float, *, now_s: Callable[[], float] = planning_clock_s) -> "Deadline":
        """Return the deadline so many seconds from now."""
        return cls(now_s() + seconds, now_s)

    @property
    def left_s(self) -> float:
        """How long it is until then, seconds; nothing when it is over."""
        return max(self.at_s - self.now_s(), 0.0)

    def share(self, share: float) -> "Deadline":
        """Return the deadline by which only this share of the time left is used up."""
        return replace(self, at_s=self.at_s - (1.0 - share) * self.left_s)


NO_RESERVE: FloatArray = np.empty(0)


@dataclass(frozen=True, slots=True)
class TerminalRule:
    """What holds for each battery at the horizon: stored energy within bounds (kWh), and the value of a stored kWh; shape ``(batteries,)``."""

    least_kwh: FloatArray
    most_kwh: FloatArray
    value: FloatArray


@dataclass(frozen=True, slots=True)
class Margin:
    """What following the house may cost beside the optimum because forecasts err, per stored kWh: for storing and serving, and against another mode."""

    self_consumption_margin: float = 0.0
    hysteresis: float = 0.0


NO_MARGIN = Margin()
# What a plan that is followed heeds. Source: docs/decisions/0004.
ACTING = Margin(self_consumption_margin=0.005, hysteresis=0.0025)
# The mean over courses has more and smaller steps. Source: docs/decisions/0020.
ACTING_ON_MEAN = Margin(self_consumption_margin=0.005, hysteresis=0.0033)


@dataclass(frozen=True, slots=True)
class SearchLimits:
    """How far from the optimum a plan may be, relative, and how long finding it may take; by when it has to be found, once that has begun."""

    mip_gap: float = 0.0
    time_limit_s: float = 10.0
    deadline: Deadline | None = None


@dataclass(frozen=True, slots=True)
class TariffState:
    """What couples slots in a tariff, with what was counted so far: the components of a capacity tariff, and a price that depends on energy drawn before."""

    peaks: tuple[Peak, ...] = ()
    charge: EnergyCharge | None = None


@dataclass(frozen=True, slots=True)
class Uncertainty:
    """Scenarios of load and PV, and the risk aversion (0–1): how far the dearest courses alone count.

    ``errors`` are courses on which what is followed has to gain over the inverter alone.
    """

    courses: ScenarioSet | None = None
    risk: float = 0.0
    errors: ScenarioSet | None = None


@dataclass(frozen=True, slots=True)
class StorageBounds:
    """What bounds batteries beside their own limits.

    ``reserve_kwh`` is what each should hold at the end of each slot, ``(batteries, slots)``; ``give_limit_kwh`` (``(slots,)``) what all of them together may
    give, so that none feeds what it may not feed; ``discharged_today_kwh`` what each gave since local midnight, ``(batteries,)``.
    """

    reserve_kwh: FloatArray | None = None
    give_limit_kwh: FloatArray | None = None
    discharged_today_kwh: FloatArray | None = None


@dataclass(frozen=True, slots=True)
class Following:
    """Settings of plan-following policies; the plan itself is the optimum.

    ``switching_price`` is what another mode has to gain per stored kWh, ``modes`` are those in progress, battery by battery. ``value_correction`` is what one
    stored kWh is worth at the end of each slot beyond the value function, ``(slots,)``: somebody has learned it; the plan itself knows nothing of it.
    """

    margin: Margin = NO_MARGIN
    switching_price: float = 0.0
    modes: tuple[Mode | None, ...] = ()
    value_correction: FloatArray | None = None


# Stored energies this close are the same.
_SAME_KWH = 1e-6


@dataclass(frozen=True, slots=True)
class Problem:
    """A planning problem. ``stored_kwh`` is what each battery holds at the start, shape ``(batteries,)``; ``manual`` is what the owner pins and forbids.

    Where more than money counts, prices are those that a plan optimises by, and ``billed`` is the same problem at what is really paid.
    ``applied_rules`` are the site's rules that made it what it is.
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
    applied_rules: tuple[AppliedRule, ...] = ()

    def due(self, deadline: Deadline | None) -> "Problem":
        """Return the problem with an instant by which it has to be solved; None: whenever it is begun."""
        return replace(self, search=replace(self.search, deadline=deadline))

    def begun(self) -> "Problem":
        """Return the problem with its time running, if it was not yet."""
        return self if self.search.deadline else self.due(self.deadline)

    @property
    def deadline(self) -> Deadline:
        """By when it has to be solved; where nobody began it, counted from now."""
        return self.search.deadline or Deadline.within(self.search.time_limit_s)

    @property
    def left_s(self) -> float:
        """How long solving it may still take, seconds."""
        return self.deadline.left_s

    def over_courses(self, courses: ScenarioSet, *, risk: float) -> "Problem":
        """Return the problem planned for courses besides the expected one, and followed as such a plan is."""
        uncertainty = replace(self.uncertainty, courses=courses, risk=risk)
        return replace(self, uncertainty=uncertainty, following=replace(self.following, margin=ACTING_ON_MEAN))

    @property
    def at_tariff_prices(self) -> "Problem":
        """The problem at tariff prices, without weights on carbon or self-sufficiency."""
        return self.billed or self

    @property
    def places(self) -> bool:
        """Whether anything couples slots beside batteries: what is placed, and peaks."""
        return bool(self.demands or self.tariff.peaks)

    @property
    def direction(self) -> Direction | None:
        """Which way the slots of the only battery may go; None: prices decide."""
        return None if self.manual is None else self.manual.direction(0)

    @property
    def reserve_above_kwh(self) -> FloatArray:
        """What the only battery should hold at the end of each slot above its lowest SoC, ``(slots,)``; empty where that is nothing."""
        return NO_RESERVE if self.storage.reserve_kwh is None else np.maximum(self.storage.reserve_kwh[0] - self.limits.batteries.min_kwh[0, 0], 0.0)

    @property
    def pins(self) -> bool:
        """Whether a battery has to charge or discharge whatever that costs."""
        return self.manual is not None and self.manual.pins

    @property
    def burns_on_an_island(self) -> bool:
        """Whether nothing may be imported where importing is paid: what PV is for is then no question of prices alone."""
        return self.manual is not None and bool((self.manual.no_import & (self.outlook.import_price < 0)).any())

    @property
    def terminal_bounds(self) -> tuple[FloatArray, FloatArray]:
        """Least and most energy of each battery at the horizon beyond its own limits, ``(batteries,)``; infinite where there is no bound."""
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
        return self.limits.import_limit_kw * self.outlook.timeline.hours

    @property
    def export_limit_kwh(self) -> FloatArray:
        """What the connection carries outward per slot, shape ``(slots,)``."""
        return self.limits.export_limit_kw * self.outlook.timeline.hours

    @property
    def connection_limit_kwh(self) -> FloatArray:
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
        return np.array(list(map(attrgetter("wear_price"), self.site.batteries)), dtype=float).reshape(-1, 1)
