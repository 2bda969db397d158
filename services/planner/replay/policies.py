"""Define the policies of a replay: no control, rules, the planner, and perfect foresight."""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import numpy as np

from luna.contracts.agent import AGENT_REPLAY_POLICIES
from luna.contracts.message import Message
from luna.energy.errors import InvalidInputError
from luna.energy.physics.limits import SiteLimits
from luna.energy.physics.mode import IntArray, Mode, SetPoint
from luna.energy.policy import keep_supported_modes, wants_plan
from luna.energy.schedule import Committed, PlainPolicy, Policy, pick_slot, whole_range
from luna.energy.site import Site
from luna.energy.timeline import FloatArray, Timeline, local_dates, split_days
from services.planner.dp.plan import Plan
from services.planner.following import follow_plan
from services.planner.milp.solver import Solver
from services.planner.planner import decide, make_plan
from services.planner.problem.knowledge import EnergyOutlook, MixedForecast, SitePrices
from services.planner.problem.problem import ACTING, Margin, Problem
from services.planner.problem.rolling_horizon import SiteKnowledge
from services.planner.problem.scenarios import ErrorScenarios, blend
from services.planner.replay.data import ReplayData, Rules

# A plan older than this is not followed: the default of the setting ``plan_max_age``.
MAX_AGE = timedelta(hours=3)
# Risk aversion of ``mpc_scenarios``. Source: docs/decisions/0020.
NEUTRAL = 0.0


@dataclass(frozen=True, slots=True)
class CheapestHours:
    """A common manual rule: charge in the day's three cheapest hours, else self-consumption."""

    cheap: np.ndarray[tuple[int], np.dtype[np.bool_]]
    curtailment: IntArray

    @classmethod
    def of(
        cls, timeline: Timeline, import_price: FloatArray, *, zone: ZoneInfo, curtailment: IntArray
    ) -> "CheapestHours":
        """Return the rule for known prices; of equally cheap slots the earlier ones count."""
        days = np.array([day.toordinal() for day in local_dates(timeline, zone)])
        count = timedelta(hours=3) // timeline.step
        cheap = np.zeros(timeline.count, dtype=bool)
        for day in np.unique(days):
            slots = np.flatnonzero(days == day)
            by_price = np.argsort(import_price[slots], kind="stable")
            cheap[slots[by_price[:count]]] = True
        return cls(cheap, curtailment)

    def decide(self, slot: int, stored_kwh: FloatArray) -> SetPoint:
        """Return ``charge`` in cheap slots, ``self_consumption`` in all others."""
        mode = Mode.CHARGE if self.cheap[slot] else Mode.SELF_CONSUMPTION
        return whole_range(np.full_like(stored_kwh, mode, dtype=np.int8), self.curtailment[slot])


@dataclass(frozen=True, slots=True)
class PlanOrigin:
    """Origin of a plan in force: its first slot, and the state of each battery there."""

    slot: int
    stored_kwh: tuple[float, ...]
    modes: tuple[int, ...]
    discharged_today_kwh: tuple[float, ...] = ()


class CarryOver(Message):
    """State at midnight: stored energy, its sensor's reading, modes and plan in force.

    There are no modes before the first day.
    """

    stored_kwh: list[float]
    seen_kwh: list[float]
    modes: list[int] = []
    plan: PlanOrigin | None = None


class DischargeMeter:
    """Each battery's discharge at its terminals since local midnight, kWh.

    It is read from the drops of stored energy.

    Args:
        site: with the batteries.
        timeline: the replayed slots; the first one begins a local day.
    """

    def __init__(self, site: Site, timeline: Timeline) -> None:
        self._efficiency = np.array([battery.discharge_efficiency for battery in site.batteries])
        self._midnights = frozenset(split_days(timeline, ZoneInfo(site.timezone)))
        self._before: FloatArray | None = None
        self.today_kwh: FloatArray = np.zeros(self._efficiency.size)

    def read(self, slot: int, stored_kwh: FloatArray) -> None:
        """Read the stored energy, ``(batteries,)``, at the start of a slot."""
        if self._before is not None:
            drop_kwh = np.maximum(self._before - stored_kwh, 0.0)
            self.today_kwh = self.today_kwh + drop_kwh * self._efficiency
        if slot in self._midnights:
            self.today_kwh = np.zeros_like(self.today_kwh)
        self._before = stored_kwh


# Makes a plan of a problem and the prices known by its start; an agent's policy is one of these.
MakePlan = Callable[[Problem, SitePrices], Plan]


def plan_by_planner(problem: Problem, prices: SitePrices) -> Plan:
    """Return the planner's own decision.

    The solver is new, so that a plan depends on its problem alone.
    """
    del prices
    return decide(problem, Solver())


@dataclass
class ModelPredictive:
    """The planner in a rolling horizon as it is executed.

    Each plan's policy reads the actual state of charge, slot by slot. A plan is made from the
    information at the start of its first slot, and in force from the next slot on, as on site;
    only the first of all is in force at once. It is replaced after ``every`` slots, or when a
    battery deviates from the expected state of charge. After ``max_age`` inverters fall back to
    self-consumption.

    Args:
        knowledge: the site's forecasts and prices by time of issue.
        timeline: the replayed slots.
        every: slots between two plans.
        make: makes each plan; default: the planner's own decision, whatever time it takes.
        origin: of the plan in force before the first slot.
        modes: in force before the first slot.
        may_plan: False while the planner is unavailable; may change.
    """

    knowledge: SiteKnowledge
    timeline: Timeline
    every: int
    make: MakePlan | None = None
    margin: Margin = ACTING
    origin: PlanOrigin | None = None
    modes: Sequence[int] = ()
    may_plan: bool = True
    max_age: timedelta = MAX_AGE

    def __post_init__(self) -> None:
        site = self.knowledge.site
        self._capacity = SiteLimits.of(site).batteries.capacity_kwh
        self._supported_modes = _supported_modes(site)
        modes = list(self.modes) or [Mode.SELF_CONSUMPTION] * len(site.batteries)
        self._modes = np.array(modes, dtype=np.int8).reshape(-1, 1)
        self._plan: Plan | None = None
        self._meter = DischargeMeter(site, self.timeline)
        # With plans this rare, each is followed until the next one is in force.
        self._max_age = max(self.max_age, (self.every + 1) * self.timeline.step)
        if self.origin:
            self._make_plan(self.origin)

    def decide(self, slot: int, stored_kwh: FloatArray) -> SetPoint:
        """Return the set-points of ``slot``."""
        self._meter.read(slot, stored_kwh[:, 0])
        if self._plan is None and self.may_plan:
            self._make_plan(self._origin_at(slot, stored_kwh))
        setpoints = keep_supported_modes(self._follow(slot, stored_kwh), self._supported_modes)
        self._modes = setpoints.mode
        if self.may_plan and self._wants_plan(slot, stored_kwh):
            # Without a forecast or price the plan in force stays until it is too old.
            with suppress(InvalidInputError):
                self._make_plan(self._origin_at(slot, stored_kwh))
        return setpoints

    def _origin_at(self, slot: int, stored_kwh: FloatArray) -> PlanOrigin:
        return PlanOrigin(
            slot,
            tuple(stored_kwh[:, 0].tolist()),
            tuple(self._modes[:, 0].tolist()),
            tuple(self._meter.today_kwh.tolist()),
        )

    def _make_plan(self, origin: PlanOrigin) -> None:
        # Rounded as in requests, where state is a share: the last bit may decide between plans of
        # equal cost.
        capacity = self._capacity[:, 0]
        stored_kwh = np.array(origin.stored_kwh, dtype=float) / capacity * capacity
        discharged_kwh = origin.discharged_today_kwh or (0.0,) * stored_kwh.size
        problem = self.knowledge.build_problem(
            self.timeline.start + origin.slot * self.timeline.step,
            stored_kwh,
            tuple(Mode(mode) for mode in origin.modes),
            margin=self.margin,
            discharged_today_kwh=np.array(discharged_kwh),
        )
        if self.make is None:
            self._plan = follow_plan(problem, make_plan(problem, Solver()))
        else:
            self._plan = self.make(problem, self.knowledge.prices)
        self.origin = origin

    def _follow(self, slot: int, stored_kwh: FloatArray) -> SetPoint:
        """Return the set-points of the plan in force, self-consumption without one."""
        plan = self._plan
        age = self._age(slot)
        if plan is None or not timedelta(0) <= age * self.timeline.step <= self._max_age:
            modes = np.full_like(stored_kwh, Mode.SELF_CONSUMPTION, dtype=np.int8)
            return whole_range(modes, np.zeros(1, dtype=np.int8))
        if plan.policy is None:
            return pick_slot(plan.setpoints, age)
        return plan.policy.decide(age, stored_kwh / self._capacity, self._modes)

    def _age(self, slot: int) -> int:
        """Return the slots since the plan in force began."""
        return slot - self.origin.slot if self.origin else 0

    def _wants_plan(self, slot: int, stored_kwh: FloatArray) -> bool:
        plan = self._plan
        age = self._age(slot)
        if plan is None or age < 0:
            return True
        if age == 0:
            return False
        planned = plan.flows.stored_kwh[:, age - 1 : age] / self._capacity
        step = self.timeline.step
        return wants_plan(
            age * step, planned, stored_kwh / self._capacity, most_age=self.every * step
        )


def _supported_modes(site: Site) -> list[frozenset[Mode] | None]:
    """Return each battery's controllable modes by the site's section ``control``.

    None where the section lacks the battery.
    """
    modes_by_name = {}
    for control in site.control.batteries if site.control else ():
        modes = frozenset(Mode[mode.upper()] for mode in control.known_modes)
        modes_by_name[control.battery] = modes
    return [modes_by_name.get(battery.name) for battery in site.batteries]


@dataclass(frozen=True, slots=True)
class PolicyInputs:
    """Inputs of a replay's policy.

    Args:
        scene: the replayed data.
        rules: the rules common to all policies.
        every: slots between two plans.
        oracle: the oracle's plan.
        before: the state at the last midnight.
    """

    scene: ReplayData
    rules: Rules
    every: int
    oracle: Plan
    before: CarryOver

    def plan_ahead(
        self, energy: EnergyOutlook, errors: ErrorScenarios | None, *, make: MakePlan | None = None
    ) -> ModelPredictive:
        """Return the planning policy for expected energies and their past errors, if any."""
        scene = self.scene
        knowledge = SiteKnowledge(scene.site, energy, scene.prices, errors, scene.limits)
        return ModelPredictive(
            knowledge,
            scene.timeline,
            self.every,
            make,
            origin=self.before.plan,
            modes=self.before.modes,
        )

    @property
    def errors(self) -> ErrorScenarios:
        """Past errors of the scene's forecasts."""
        return ErrorScenarios(self.scene.forecasts, self.scene.foresight)


Make = Callable[[PolicyInputs], Policy]


@dataclass(frozen=True, slots=True)
class ReplayPolicy:
    """A policy that a replay can run; ``needs_forecasts``: only with stored forecasts."""

    make: Make
    needs_forecasts: bool


# By name, in the order in which user interfaces list them.
_POLICIES: dict[str, ReplayPolicy] = {}


def replay_policy(name: str, *, needs_forecasts: bool = False) -> Callable[[Make], Make]:
    """Return the decorator that declares the factory of a policy."""

    def declare(make: Make) -> Make:
        _POLICIES[name] = ReplayPolicy(make, needs_forecasts)
        return make

    return declare


def find_policies() -> Mapping[str, ReplayPolicy]:
    """Return every policy by name."""
    return _POLICIES


def plans_from_forecasts(names: Collection[str]) -> bool:
    """Return whether any of these policies needs stored forecasts; those of the agent do."""
    return any(
        name in AGENT_REPLAY_POLICIES or (name in _POLICIES and _POLICIES[name].needs_forecasts)
        for name in names
    )


@replay_policy("idle")
def _make_idle(inputs: PolicyInputs) -> Policy:
    return PlainPolicy(Mode.HOLD, inputs.rules.curtailment)


@replay_policy("self_consumption")
def _make_self_consumption(inputs: PolicyInputs) -> Policy:
    return PlainPolicy(Mode.SELF_CONSUMPTION, inputs.rules.curtailment)


@replay_policy("rule")
def _make_rule(inputs: PolicyInputs) -> Policy:
    scene = inputs.scene
    rules = inputs.rules
    return CheapestHours.of(
        scene.timeline, rules.import_price, zone=scene.zone, curtailment=rules.curtailment
    )


@replay_policy("mpc", needs_forecasts=True)
def _make_planner(inputs: PolicyInputs) -> Policy:
    return inputs.plan_ahead(inputs.scene.forecasts, inputs.errors)


@replay_policy("mpc_scenarios", needs_forecasts=True)
def _make_planner_over_scenarios(inputs: PolicyInputs) -> Policy:
    """Return the planner over scenarios of past forecast errors."""
    errors = inputs.errors

    def plan_over_scenarios(problem: Problem, prices: SitePrices) -> Plan:
        outlook = problem.outlook
        timeline = outlook.timeline
        expected = (outlook.load_kwh, outlook.pv_kwh)
        kinds = errors.scenarios(timeline.start, timeline, expected)
        if kinds:
            problem = problem.over_scenarios(blend(kinds), risk=NEUTRAL)
        return plan_by_planner(problem, prices)

    return inputs.plan_ahead(inputs.scene.forecasts, errors, make=plan_over_scenarios)


@replay_policy("mpc_perfect")
def _make_planner_with_foresight(inputs: PolicyInputs) -> Policy:
    return inputs.plan_ahead(inputs.scene.foresight, None)


@replay_policy("mpc_perfect_pv")
def _make_planner_that_knows_the_sun(inputs: PolicyInputs) -> Policy:
    energy = MixedForecast(load=inputs.scene.forecasts, pv=inputs.scene.foresight)
    return inputs.plan_ahead(energy, replace(inputs.errors, pv_known=True))


@replay_policy("oracle")
def _make_oracle(inputs: PolicyInputs) -> Policy:
    return Committed(inputs.oracle.setpoints)
