"""The battery plan and its check.

Every plan is re-simulated by ``clamp`` and ``simulate_slot`` before it is returned.
"""

from dataclasses import dataclass, replace
from typing import Literal
from zoneinfo import ZoneInfo

import numpy as np

from luna.energy.economics.charges import slot_surcharge
from luna.energy.economics.costs import Costs, slot_costs
from luna.energy.economics.depth_wear import depth_wear
from luna.energy.errors import LunaError
from luna.energy.physics.limits import SiteLimits
from luna.energy.physics.mode import SetPoint
from luna.energy.physics.simulation import Flows, SlotActuals
from luna.energy.policy import PlanPolicy
from luna.energy.timeline import FloatArray
from services.planner.dp.segments import Segments
from services.planner.dp.value import Thresholds, ValueFunction
from services.planner.problem.directions import Direction
from services.planner.problem.load_schedule import LoadSchedule
from services.planner.problem.problem import Problem
from services.planner.settlement import settle


def widen_limits(problem: Problem, import_kwh: FloatArray, export_kwh: FloatArray) -> SiteLimits:
    """Return a site's limits, widened where a plan's imports or exports exceed them.

    Under the site's own limits the simulation would empty the batteries early to keep a limit;
    under the wider ones they last for later slots.
    """
    hours = problem.outlook.timeline.hours
    import_limit_kw = np.maximum(problem.import_limit_kwh, import_kwh) / hours
    export_limit_kw = np.maximum(problem.export_limit_kwh, export_kwh) / hours
    return replace(problem.limits, import_limit_kw=import_limit_kw, export_limit_kw=export_limit_kw)


# Largest difference between a plan and its re-simulation, kWh per slot.
_TOLERANCE_KWH = 1e-6
# The methods in order of fall-back: dynamic programming, mixed-integer model, its incumbent at the
# time limit, the inverter alone.
Method = Literal["value", "model", "incumbent", "self_consumption"]
# ``learned``: the agent's policy replaces the planner's own.
Followed = Literal["value", "flows", "house", "none", "learned"]


class PlanMismatchError(LunaError):
    """A plan whose re-simulation differs from it; it is never returned."""

    title = "The plan failed its own check"
    code = "plan-mismatch"


@dataclass(frozen=True, slots=True)
class BatteryValue:
    """A battery's marginal value of stored energy V′, and what it was computed from.

    ``direction`` are the chosen flow directions. ``exact`` is false where V′ assumes wear
    independent of the depth of cycles. ``free`` are the segments before directions were chosen,
    where known.
    """

    function: ValueFunction
    thresholds: Thresholds
    segments: Segments
    direction: Direction | None = None
    exact: bool = True
    free: Segments | None = None


@dataclass(frozen=True, slots=True)
class Spread:
    """The scenarios that a plan weighed and left out, with the codes of the reasons.

    ``premium`` is the plan's extra cost on the expected scenario over the best plan for that
    scenario alone.
    """

    scenarios: int
    left_out: int
    premium: float = 0.0
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """A checked plan.

    With flexible loads, ``load_schedule`` is their schedule and ``problem`` what remains for the
    batteries.

    ``costs`` are at tariff prices; the function ``objective`` has the cost at the problem's own.
    ``gap`` bounds the distance from the optimum, relative to the cost; None where nothing is
    proven.

    ``start_kwh`` is the stored energy at the start of each slot, ``energy_value`` the value of one
    more stored kWh at its end; both ``(batteries, slots)``. ``values`` has one entry per battery;
    it is empty where flow directions stay open. ``disagreements`` are failed checks of earlier
    methods: bugs. Where a policy is ``followed``, set-points and flows are its simulation on the
    expected scenario, ``premium`` is its extra cost over the optimum there, and ``keeps_modes``
    says that hysteresis was applied. ``agent_obstacle`` is the code of why a trained policy is not
    followed.
    """

    problem: Problem
    setpoints: SetPoint
    flows: Flows
    costs: Costs
    start_kwh: FloatArray
    energy_value: FloatArray
    values: tuple[BatteryValue, ...]
    gap: float | None
    proven: bool
    build_ms: float
    solve_ms: float
    load_schedule: LoadSchedule | None = None
    spread: Spread | None = None
    method: Method = "value"
    disagreements: tuple[str, ...] = ()
    policy: PlanPolicy | None = None
    followed: Followed = "none"
    premium: float = 0.0
    keeps_modes: bool = False
    agent_obstacle: str | None = None

    @property
    def limits(self) -> SiteLimits:
        """The problem's limits, widened where the plan cannot keep them."""
        if not self.flows.excess_kwh.any():
            return self.problem.limits
        return widen_limits(self.problem, self.flows.import_kwh, self.flows.export_kwh)

    @property
    def value(self) -> BatteryValue | None:
        """The value of the only battery; None where there are several, or it is not exact."""
        return self.values[0] if len(self.values) == 1 and self.values[0].exact else None


def count_excess(problem: Problem, flows: Flows) -> Flows:
    """Return flows with the energy beyond the problem's own limits as ``excess_kwh``."""
    beyond = np.maximum(flows.import_kwh - problem.import_limit_kwh, 0.0) + np.maximum(
        flows.export_kwh - problem.export_limit_kwh, 0.0
    )
    return replace(flows, excess_kwh=np.where(beyond > _TOLERANCE_KWH, beyond, 0.0))


def objective(plan: Plan) -> float:
    """Return a plan's objective, see ``value_flows``."""
    return value_flows(plan.problem, plan.flows)


def value_flows(problem: Problem, flows: Flows) -> float:
    """Return the cost of flows at the problem's prices, less the terminal value."""
    terminal_worth = problem.terminal.value * flows.stored_kwh[:, -1]
    return float(weigh_flows(problem, flows).total.sum() - terminal_worth.sum())


def balance_residual_kwh(flows: Flows, load_kwh: FloatArray, pv_kwh: FloatArray) -> FloatArray:
    """Return the energy balance's residual per slot, kWh.

    0 up to rounding for every possible flow.
    """
    supplied = pv_kwh - flows.curtailed_kwh + flows.import_kwh + flows.discharge_kwh.sum(axis=0)
    used = load_kwh + flows.export_kwh + flows.charge_kwh.sum(axis=0)
    return np.asarray(np.abs(supplied - used))


def check_plan(
    problem: Problem,
    setpoints: SetPoint,
    path: tuple[FloatArray, FloatArray],
    *,
    energy_value: FloatArray,
    values: tuple[BatteryValue, ...],
) -> Plan:
    """Return the plan after checking every slot by simulation.

    From its stored energy at the start, ``path[0]``, a slot must reach ``path[1]`` at its end.

    By induction this re-simulates the whole plan with all slots side by side.

    Raises:
        PlanMismatchError: stored energy or the balance of a slot is off.
    """
    start_kwh, end_kwh = path
    outlook = problem.outlook
    limits = problem.limits
    safe, flows = settle(
        setpoints,
        start_kwh,
        SlotActuals(outlook.load_kwh, outlook.pv_kwh, outlook.timeline.hours),
        limits=limits,
    )
    apart = np.abs(flows.stored_kwh - end_kwh).max(axis=0, initial=0.0)
    residual = balance_residual_kwh(flows, outlook.load_kwh, outlook.pv_kwh)
    wrong = np.flatnonzero((apart > _TOLERANCE_KWH * 10) | (residual > _TOLERANCE_KWH))
    if wrong.size:
        slot = int(wrong[0])
        raise PlanMismatchError(
            f"stored energy is {apart[slot]:.3g} kWh off, the balance {residual[slot]:.3g} kWh",
            field=f"slots[{slot}]",
        )
    costs = weigh_flows(problem.at_tariff_prices, flows)
    return Plan(
        problem,
        safe,
        flows,
        costs,
        start_kwh,
        energy_value,
        values,
        gap=0.0,
        proven=True,
        build_ms=0.0,
        solve_ms=0.0,
    )


def weigh_flows(problem: Problem, flows: Flows) -> Costs:
    """Return the costs of flows per slot at the problem's prices.

    They include wear, and charges that depend on energy drawn before.
    """
    costs = slot_costs(
        import_kwh=flows.import_kwh,
        export_kwh=flows.export_kwh,
        throughput_kwh=flows.charge_kwh + flows.discharge_kwh,
        import_price=problem.outlook.import_price,
        export_price=problem.outlook.export_price,
        wear_price=problem.wear_price,
    )
    charges = problem.tariff.charges
    if charges:
        zone = ZoneInfo(problem.site.timezone)
        beside = slot_surcharge(charges, flows.import_kwh, problem.outlook.timeline, zone=zone)
        costs = replace(costs, import_cost=costs.import_cost + beside)
    batteries = problem.site.batteries
    if any(battery.wear_by_depth for battery in batteries):
        by_depth = depth_wear(batteries, flows.stored_kwh, problem.stored_kwh)
        costs = replace(costs, wear_cost=costs.wear_cost + by_depth)
    return costs
