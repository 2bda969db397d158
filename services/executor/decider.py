"""Decide the set-points of a unit for a slot.

The state of charge is read, a request chosen, clamped and stored before anything is sent. Batteries
follow the planner's plan, or the agent's where the gatekeeper allows it for this plan and
the control mode in force: a withdrawal takes effect with the next slot.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog
from prometheus_client import Counter
from pydantic import ValidationError
from sqlalchemy import Connection, Engine

from luna.contracts.agent import SHADOW_POLICIES
from luna.contracts.agent_control import FOLLOWED, ControlMode
from luna.contracts.control import (
    ControlState,
    Decision,
    LeftAlone,
    LeftAloneReason,
    ReasonCode,
    Setpoint,
    Source,
)
from luna.contracts.plan import PlanReply
from luna.energy.devices.battery import BATTERIES
from luna.energy.errors import UnreadableError
from luna.energy.policy import REPLAN_AGE, REPLAN_SOC, BatteryThresholds
from luna.energy.site import Site
from luna.energy.timeline import SLOT, floor_to
from luna.platform.clock import Clock
from luna.platform.database import agent_gates, agent_plans, plans
from luna.platform.database import control as control_rows
from luna.platform.database.engine import unit_of_work
from luna.platform.retry import RetryPolicy
from services.executor.control_request import (
    ControlRequest,
    carry_left_alone,
    fallback,
    find_left_alone,
    find_mode_since,
    finish_run,
    follow_owner,
    follow_plan,
    keep_mode,
    price_change,
)
from services.executor.device import WearingDevice
from services.executor.devices.unit import Controllable, InForce
from services.executor.readings import read_recorded, read_slot_prices
from services.executor.target import ControlTarget

log = structlog.get_logger("luna.planner.execution")

INTERVENTIONS = Counter(
    "luna_planner_safety_interventions_total",
    "Decisions of which the safety layer allowed less than was asked: another mode, less power.",
    ["site_id", "device"],
)
BACK_OFF = RetryPolicy(SLOT, longest=timedelta(hours=1))


@dataclass
class PlanRequests:
    """Requests for new plans: one per site and slot, sent at the end of a control step.

    Args:
        ask_plan: requests a new plan of a site without waiting for it.
        clock: gives the current slot.
    """

    ask_plan: Callable[[str], None]
    clock: Clock
    _requested_in: dict[str, datetime] = field(default_factory=dict, init=False)
    _pending: set[tuple[str, str]] = field(default_factory=set, init=False)

    def add(self, state: ControlState) -> None:
        """Request a plan at the end of this unit's control step, at most once a slot."""
        slot = floor_to(self.clock.now(), SLOT)
        if self._requested_in.get(state.site) != slot:
            self._requested_in[state.site] = slot
            self._pending.add((state.site, state.device))

    def send(self, site_id: str, key: str) -> None:
        """Send the requests of a unit's control step."""
        if (site_id, key) in self._pending:
            self._pending.discard((site_id, key))
            self.ask_plan(site_id)


@dataclass(frozen=True)
class Decider:
    """Decides for a slot, or replaces a decision with the fallback.

    Args:
        engine: of the database.
        plan_requests: collects requests for new plans.
        clock: gives the current slot.
        plan_max_age: a plan whose first slot is longer ago is not followed.
    """

    engine: Engine
    plan_requests: PlanRequests
    clock: Clock
    plan_max_age: timedelta

    def decide(self, target: ControlTarget, state: ControlState, source: Source) -> ControlState:
        """Store a new decision and return the state with it.

        The old state where another process stored one first.
        """
        now = self.clock.now()
        soc = self._read_soc(target, now)
        with unit_of_work(self.engine) as connection:
            request = self._build_request(connection, target, state, source=source, soc=soc)
        finished = finish_run(request, state.decision, target.unit, now=now)
        decision = _build_decision(target, finished, soc, source=source, now=now)
        if _is_any_restrained(decision.requested, decision.allowed):
            INTERVENTIONS.labels(state.site, state.device).inc()
        since = find_mode_since(state.decision, decision.allowed, now=now)
        changes = {"mode_since": since} | carry_left_alone(state, decision, now)
        decision = decision.model_copy(update=changes)
        decided = store_decision(self.engine, state, decision)
        falls_back = request.decided_by == "rule" and request.reason != "not_in_plan"
        if source == "planner" and target.readable and (falls_back or _deviates(request, soc)):
            self.plan_requests.add(state)
        return decided or state

    def _read_soc(self, target: ControlTarget, now: datetime) -> Mapping[str, float]:
        """Return the measured states of charge; a dry run's batteries have the recorded one."""
        if target.control.by == "dry_run" and target.unit.key == BATTERIES:
            with unit_of_work(self.engine) as connection:
                recorded = read_recorded(connection, target.site, now)
            return {connected.battery: recorded for connected in target.control.batteries}
        return target.soc_reader.read(target.device, target.unit.places, now=now, site=target.site)

    def fall_back(
        self,
        target: ControlTarget,
        state: ControlState,
        decision: Decision,
        reason: LeftAloneReason,
        *,
        until: datetime | None = None,
    ) -> None:
        """Replace a decision that was not followed with the fallback.

        No other is sent until ``until``, by default for the back-off of failures in a row.
        """
        now = self.clock.now()
        soc = _read_measured(decision)
        with unit_of_work(self.engine) as connection:
            prices = partial(read_slot_prices, connection, target.site, now)
            request = fallback(target.unit, reason, prices, plan_id=decision.plan_id)
        failures = 0 if decision.left_alone is None else decision.left_alone.failures
        if until is None:
            failures += 1
            until = decision.slot_start + BACK_OFF.pause(failures)
        # Else the day's writes are spent, which is no failure of the device.
        left_alone = LeftAlone(since=decision.slot_start, until=until, failures=failures)
        fallback_decision = _build_decision(
            target, request, soc, source=decision.source, now=decision.slot_start
        )
        changes = {"override": decision.override, "mode_since": now, "left_alone": left_alone}
        store_decision(self.engine, state, fallback_decision.model_copy(update=changes))

    def _build_request(
        self,
        connection: Connection,
        target: ControlTarget,
        state: ControlState,
        *,
        source: Source,
        soc: Mapping[str, float],
    ) -> ControlRequest:
        now = self.clock.now()
        prices = partial(read_slot_prices, connection, target.site, self.clock.now())
        if source == "released":
            return fallback(target.unit, "disarmed", prices)
        left_alone = find_left_alone(state, source, now)
        if left_alone is not None:
            request = fallback(target.unit, left_alone.reason, prices, plan_id=left_alone.plan_id)
            return replace(request, override=left_alone.override)
        if source == "owner" and state.override is not None:
            return follow_owner(state.override, target.unit)
        if not target.readable:
            return fallback(target.unit, "site_unreadable", prices)
        # Only slots that have begun: loading the rest would take a third of a control step.
        plan = plans.read_due(connection, state.site, now, until=now)
        if plan is not None and plan.age(now) >= REPLAN_AGE:
            self.plan_requests.add(state)
        modes = {}
        if state.decision is not None:
            modes = {name: str(setpoint.mode) for name, setpoint in state.decision.allowed.items()}

        def follow(plan: PlanReply | None) -> ControlRequest:
            return follow_plan(
                plan,
                target.unit,
                prices,
                now=now,
                max_age=self.plan_max_age,
                in_force=InForce(soc, modes),
            )

        if plan is None or target.unit.key != BATTERIES:
            return follow(plan)
        request = AgentPlans(connection, target.site, follow).choose_request(plan)
        spent = target.device.read_spent() if isinstance(target.device, WearingDevice) else None
        if spent is not None:
            price = price_change(spent, target.site.currency)
            request = keep_mode(request, state.decision, soc, price=price)
        return request


def _deviates(request: ControlRequest, soc: Mapping[str, float]) -> bool:
    """Return whether a measured state of charge deviates from the planned one."""
    planned = request.planned_soc
    for name, measured in soc.items():
        if name in planned and abs(planned[name] - measured) > REPLAN_SOC:
            return True
    return False


def _build_decision(
    target: ControlTarget,
    request: ControlRequest,
    soc: Mapping[str, float],
    *,
    source: Source,
    now: datetime,
) -> Decision:
    return Decision(
        slot_start=floor_to(now, SLOT),
        source=source,
        decided_by=request.decided_by,
        reason=request.reason,
        plan_id=request.plan_id,
        override=request.override,
        requested=dict(request.requested),
        allowed=dict(target.unit.make_safe(request.requested, soc)),
        measured_soc={name: None if math.isnan(value) else value for name, value in soc.items()},
        control=target.control,
        forgone=request.forgone,
    )


def store_decision(
    engine: Engine,
    state: ControlState,
    decision: Decision,
    *,
    confirmed: Mapping[str, str] | None = None,
) -> ControlState | None:
    """Store a decision or its progress, and in the log the end of the one before.

    None where another process stored one first.
    """
    with unit_of_work(engine) as connection:
        if not control_rows.decide(connection, state, decision):
            log.warning(
                "another executor was faster; one is enough",
                site_id=state.site,
                device=state.device,
            )
            return None
        last = state.decision
        if decision.settled:
            # The log has a command that was sent again after a change by somebody else.
            if not _is_confirmed_again(last, decision):
                control_rows.record(connection, state, decision, confirmed)
        elif last is not None and not last.settled and last.confirmed_at is None:
            progress = {"tries", "tried_at", "settled", "confirmed_at"}
            if last.model_dump(exclude=progress) != decision.model_dump(exclude=progress):
                control_rows.record(connection, state, last, None)
    return state.model_copy(update={"decision": decision, "version": state.version + 1})


def _is_confirmed_again(last: Decision | None, decision: Decision) -> bool:
    """Return whether a decision was confirmed before, and again after it was sent again."""
    if last is None or last.confirmed_at is None or decision.confirmed_at is None:
        return False
    return (last.slot_start, last.source, last.allowed) == (
        decision.slot_start,
        decision.source,
        decision.allowed,
    )


_POWER_FIELDS = ("power_kw", "charge_kw", "give_kw")
_LITTLE_KW = 1e-6  # less is rounding


def is_restrained(requested: Setpoint, allowed: Setpoint) -> bool:
    """Return whether the safety layer allows less than was requested.

    That is another mode or less power; limits without a requested power do not count.
    """
    if requested.mode != allowed.mode:
        return True
    for name in _POWER_FIELDS:
        requested_kw = getattr(requested, name, None)
        allowed_kw = getattr(allowed, name, None)
        if requested_kw is None or allowed_kw is None:
            continue
        if allowed_kw < requested_kw - _LITTLE_KW:
            return True
    return False


def _is_any_restrained(requested: Mapping[str, Setpoint], allowed: Mapping[str, Setpoint]) -> bool:
    """Return whether the safety layer allows less of any device that both name."""
    return any(
        is_restrained(setpoint, allowed[name])
        for name, setpoint in requested.items()
        if name in allowed
    )


def is_within_limits(decision: Decision, unit: Controllable) -> bool:
    """Return whether the safety layer still allows a decision.

    It is judged by the site's limits of now and the states of charge of then.
    """
    safe = unit.make_safe(decision.allowed, _read_measured(decision))
    return not _is_any_restrained(decision.allowed, safe)


def _read_measured(decision: Decision) -> dict[str, float]:
    """Return the measured states of charge, NaN where there was no reading."""
    soc = {}
    for name, value in decision.measured_soc.items():
        soc[name] = math.nan if value is None else value
    return soc


# Codes of verdicts that hold in every control mode; another code was judged for a mode that is no
# longer in force.
_MODE_INDEPENDENT: dict[str, ReasonCode] = {
    "not_cheaper": "not_cheaper",
    "not_safe": "not_safe",
    "no_artefact": "no_artefact",
    "plan_failed": "plan_failed",
}


@dataclass(frozen=True, slots=True)
class AgentPlans:
    """Chooses between a site's planner and agent.

    ``follow`` returns a plan's request for the current slot.
    """

    connection: Connection
    site: Site
    follow: Callable[[PlanReply], ControlRequest]

    def choose_request(self, plan: PlanReply) -> ControlRequest:
        """Return the batteries' request by the agent's plan as far as its mode allows.

        Else it is the request of the planner's ``plan``.
        """
        planned = self.follow(plan)
        if planned.reason != "planned" or self.site.antares.control_mode == "shadow":
            return planned
        gate = agent_gates.read_effective_mode(self.connection, self.site)
        if gate.mode == "shadow":
            withdrawn = gate.code == "mode_withdrawn"
            return replace(planned, reason="mode_withdrawn" if withdrawn else "mode_not_offered")
        try:
            return self._follow_agent(planned, plan, gate.mode)
        except (ValidationError, UnreadableError, LookupError) as error:
            log.warning(
                "the agent's plan cannot be read", plan_id=plan.plan_id, error=type(error).__name__
            )
            return replace(planned, reason="plan_failed")

    def _follow_agent(
        self, planned: ControlRequest, plan: PlanReply, mode: ControlMode
    ) -> ControlRequest:
        """Return the request by the agent's plan where its verdict allows that."""
        policy = SHADOW_POLICIES[self.site.antares.shadow_policy_type]
        shadow = agent_plans.find(self.connection, plan.plan_id, policy)
        if shadow is None:
            return replace(planned, reason="no_verdict")
        if shadow.plan_id is None or shadow.verdict.follow != FOLLOWED[mode]:
            reason = _MODE_INDEPENDENT.get(shadow.verdict.code, "no_verdict")
            return replace(planned, reason=reason)
        agent = agent_plans.load(self.connection, shadow.plan_id)
        if not _matches(agent, plan):
            log.warning(
                "the agent's plan is not of the same slots and batteries", plan_id=plan.plan_id
            )
            return replace(planned, reason="plan_failed")
        if mode == "full_control":
            return replace(self.follow(agent), decided_by="agent", reason="agent_cheaper")
        return self._follow_export(planned, plan, agent)

    def _follow_export(
        self, planned: ControlRequest, plan: PlanReply, agent: PlanReply
    ) -> ControlRequest:
        """Return the planner's request with the agent's export.

        The planner's own where that changes nothing.
        """
        mixed = {}
        for battery in self.site.batteries:
            if battery.name in plan.thresholds:
                planner_policy = plan.thresholds[battery.name].policy(battery)
                agent_policy = agent.thresholds[battery.name].policy(battery)
                mixed[battery.name] = BatteryThresholds.of(planner_policy.sell_as(agent_policy))
        followed = self.follow(plan.model_copy(update={"thresholds": mixed}))
        if followed.requested == planned.requested or not (_sells(followed) or _sells(planned)):
            return planned
        return replace(followed, decided_by="agent", reason="agent_cheaper", plan_id=agent.plan_id)


def _sells(request: ControlRequest) -> bool:
    return any(setpoint.mode == "export" for setpoint in request.requested.values())


def _matches(agent: PlanReply, plan: PlanReply) -> bool:
    """Return whether both plans have thresholds for the same batteries and slots.

    ``plan`` may list only the slots that have begun.
    """
    if not plan.thresholds or set(agent.thresholds) != set(plan.thresholds):
        return False
    begun = [slot.start for slot in plan.slots]
    if [slot.start for slot in agent.slots[: len(begun)]] != begun:
        return False
    series: list[list[Any]] = []
    for thresholds in (*agent.thresholds.values(), *plan.thresholds.values()):
        series += [thresholds.no_pv, thresholds.charge_kw, thresholds.discharge_kw]
        for level in (thresholds.keep, thresholds.begin):
            series += [level.buy, level.store, level.spill, level.serve, level.sell]
    return all(len(values) == len(agent.slots) for values in series)
