"""Who may decide in a replay: no control, plain rules, the planner with what it could know, and hindsight."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import numpy as np

from luna.physics import BoolArray, IntArray, Mode, SetPoint, SiteLimits
from luna.schedule import pick_slot, whole_range
from luna.site import Site
from luna.timeline import FloatArray, Timeline, local_dates
from luna.weighing import Weights
from services.planner.knowledge import EnergyOutlook, PriceKnowledge, look_ahead
from services.planner.model.solver import Solver
from services.planner.plan import BatteryValue, Plan
from services.planner.planning import make_plan
from services.planner.posing.courses import blend
from services.planner.posing.past_errors import PastErrors
from services.planner.posing.problem import TERMINAL_SHARE, Problem, TerminalRule, hold_reserve, weigh
from services.planner.posing.reserve_slots import read_reserves
from services.planner.posing.strategy import margin_reserves, margin_soc, safety_factor, split_days
from services.planner.value.modes import join_batteries, read_modes
from services.planner.value.reading import Reading, read_value
from services.planner.value_plan import hold_back, weigh_courses

# How far the planner looks ahead. Source: docs/decisions/0004, as the next three.
HORIZON = timedelta(hours=35)
TOWARD_HOUSE = 0.005
STICKINESS = 0.0025
# The mean over courses has more and smaller steps. Source: docs/decisions/0020.
STICKINESS_OF_MEAN = 0.0033
_EVEN_TIE = 1e-6
# How far the dearest courses alone count. Source: docs/decisions/0020.
NEUTRAL = 0.0


@dataclass(frozen=True, slots=True)
class CheapestHours:
    """The rule many owners set by hand: charge in the day's three cheapest hours, follow the house otherwise."""

    cheap: np.ndarray[tuple[int], np.dtype[np.bool_]]
    curtailment: IntArray

    @classmethod
    def of(cls, timeline: Timeline, import_price: FloatArray, *, zone: ZoneInfo, curtailment: IntArray) -> "CheapestHours":
        """Return the rule for known prices: per local day the cheapest slots that make three hours, the earlier first."""
        days = np.array([day.toordinal() for day in local_dates(timeline, zone)])
        count = timedelta(hours=3) // timeline.step
        cheap = np.zeros(timeline.count, dtype=bool)
        for day in np.unique(days):
            slots = np.flatnonzero(days == day)
            cheap[slots[np.argsort(import_price[slots], kind="stable")[:count]]] = True
        return cls(cheap, curtailment)

    def decide(self, slot: int, stored_kwh: FloatArray) -> SetPoint:
        """Return ``charge`` in cheap slots, ``self_consumption`` in all others."""
        mode = Mode.CHARGE if self.cheap[slot] else Mode.SELF_CONSUMPTION
        return whole_range(np.full_like(stored_kwh, mode, dtype=np.int8), self.curtailment[slot])


@dataclass
class ModelPredictive:
    """The planner: plans anew every ``every`` slots from what is known then, and lets its thresholds meet the actual state of charge.

    It follows the site's objective; carbon counts as far as ``prices`` know it.

    Each battery follows the value of its stored energy; only where there is none do batteries follow the planned modes. With ``errors`` a single
    battery follows the mean of V′ over the courses that load and PV may take, the dearer ones counting more towards ``risk`` 1. ``modes`` are
    those in force before the first slot, ``toward_house`` is the margin per stored kWh in favour of storing surplus and serving the load.
    """

    site: Site
    timeline: Timeline
    energy: EnergyOutlook
    prices: PriceKnowledge
    every: int
    errors: PastErrors | None = None
    risk: float = NEUTRAL
    modes: Sequence[Mode] = ()
    toward_house: float = TOWARD_HOUSE

    def __post_init__(self) -> None:
        self._solver, self._limits = Solver(), SiteLimits.of(self.site)
        self._plan: Plan | None = None
        self._readings: list[Reading] = []
        self._held_back: IntArray = np.zeros(0, dtype=np.int8)
        self._planned_at = -self.every
        self._modes = list(self.modes) or [Mode.SELF_CONSUMPTION] * len(self.site.batteries)

    def decide(self, slot: int, stored_kwh: FloatArray) -> SetPoint:
        """Return what to follow in ``slot``."""
        # A clock that is put back asks for slots before the plan.
        if self._plan is None or not 0 <= slot - self._planned_at < self.every:
            self._plan = make_plan(self._pose(slot, stored_kwh[:, 0]), self._solver)
            self._readings = self._read_values(self._plan)
            self._held_back = hold_back(self._plan.problem, exports=self._plan.flows.export_kwh > 0)
            self._planned_at = slot
        ahead = slot - self._planned_at
        if not self._readings:
            return pick_slot(self._plan.setpoints, ahead)
        setpoint = self._read(ahead, stored_kwh - self._limits.batteries.min_kwh)
        self._modes = [Mode(mode) for mode in setpoint.mode[:, 0].tolist()]
        return setpoint

    def _read_values(self, plan: Plan) -> list[Reading]:
        """Return what to follow until the next plan: the values of the plan, or what they are on average."""
        dark = plan.problem.outlook.pv_kwh <= 0
        weighed = self._weigh(plan)
        wanted = self.site.objective.switching_price
        if weighed is None:
            return [read_acting(value, dark=dark, stickiness=max(STICKINESS, wanted), toward_house=self.toward_house) for value in plan.values]
        return [read_acting(weighed, dark=dark, stickiness=max(STICKINESS_OF_MEAN, wanted), toward_house=self.toward_house)]

    def _weigh(self, plan: Plan) -> BatteryValue | None:
        """Return the mean value of the only battery; None where there is nothing to weigh."""
        if self.errors is None or plan.value is None:
            return None
        outlook = plan.problem.outlook
        courses = self.errors.courses(outlook.timeline.start, outlook.timeline, (outlook.load_kwh, outlook.pv_kwh))
        if not courses:
            return None
        weighed = replace(plan.problem, courses=blend(courses), risk=self.risk)
        return weigh_courses(weighed, plan.value, slots=self.every)[0]

    def _read(self, ahead: int, above_kwh: FloatArray) -> SetPoint:
        parts = [
            read_modes(reading.at(ahead, mode, float(above[0])), above, battery, curtailment=self._held_back[ahead : ahead + 1])
            for reading, mode, above, battery in zip(self._readings, self._modes, above_kwh, self.site.batteries, strict=True)
        ]
        return join_batteries(parts)

    def _pose(self, slot: int, stored_kwh: FloatArray) -> Problem:
        now = self.timeline.start + slot * self.timeline.step
        ahead = Timeline(now, self.timeline.step, HORIZON // self.timeline.step)
        worth = TERMINAL_SHARE * max(self.prices.mean_import_price(now), 0.0)
        batteries = self._limits.batteries
        terminal = TerminalRule(batteries.min_kwh[:, 0], batteries.max_kwh[:, 0], np.full(stored_kwh.size, worth))
        outlook = look_ahead(now, ahead, energy=self.energy, prices=self.prices)
        posed = self._hold_margin(Problem(self.site, outlook, stored_kwh, terminal, self._limits))
        return weigh(posed, Weights.of(self.site.objective).known(outlook.carbon_g_per_kwh), automatic=True)

    def _hold_margin(self, problem: Problem) -> Problem:
        """Return the problem with what the site's S-index keeps over each midnight; recorded days tell no temperature ahead."""
        rule, outlook = self.site.strategy.s_index if self.site.strategy else None, problem.outlook
        if rule is None:
            return problem
        load, pv = (split_days(series, outlook.timeline.step) for series in (outlook.load_kwh, outlook.pv_kwh))
        soc = margin_soc(self.site, safety_factor(rule, load, pv, temperature_c=None)[0], load, pv)
        kept = margin_reserves(self.site, soc, (outlook.timeline.start, outlook.timeline.end))
        return hold_reserve(problem, read_reserves(kept, self.site, outlook.timeline))


def read_acting(value: BatteryValue, *, dark: BoolArray, stickiness: float, toward_house: float) -> Reading:
    """Return a battery's thresholds with the margin toward the house that forecast errors ask for, and the one against switching."""
    even = value.segments.even
    return read_value(value, dark=dark, stickiness=np.where(even, 0.0, stickiness), toward_house=np.where(even, _EVEN_TIE, toward_house))
