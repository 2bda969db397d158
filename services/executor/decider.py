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

import structlog
from prometheus_client import Counter
from sqlalchemy import Connection, Engine

from luna.contracts.control import (
    LEFT_ALONE,
    ControlState,
    Decision,
    LeftAlone,
    LeftAloneReason,
    Setpoint,
    Source,
)
from luna.contracts.plan import PlanReply
from luna.drivers.control.device import WearingDevice
from luna.drivers.control.units.unit import Controllable, InForce
from luna.energy.devices.battery import BATTERIES
from luna.energy.policy import REPLAN_AGE, REPLAN_SOC
from luna.energy.timeline import SLOT, floor_to
from luna.platform.clock import Clock
from luna.platform.database import control as control_rows
from luna.platform.database import plans
from luna.platform.database.engine import unit_of_work
from luna.platform.retry import RetryPolicy
from services.executor.agent_choice import AgentPlans
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
from services.executor.site_limit import SiteLimit, limit_unit
from services.executor.step_inputs import read_recorded, read_slot_prices
from services.executor.target import ControlTarget

log = structlog.get_logger("luna.executor")

INTERVENTIONS = Counter(
    "luna_executor_safety_interventions_total",
    "Decisions of which the safety layer allowed less than was asked: another mode, less power.",
    ["site_id", "device"],
)
BACK_OFF = RetryPolicy(SLOT, longest=timedelta(hours=1))


@dataclass
class PlanRequests:
    """Requests for new plans, one per site and slot, sent when a control step ends.

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
        last = state.decision
        exceeds = False
        if last is not None and last.gave_up and target.limit is not None:
            exceeds = not is_within_limits(last, target.unit, target.limit)
        if _is_any_restrained(decision.requested, decision.allowed):
            INTERVENTIONS.labels(state.site, state.device).inc()
        since = find_mode_since(state.decision, decision.allowed, now=now)
        changes = {"mode_since": since} | carry_left_alone(state, decision, now, exceeds=exceeds)
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
    unit_limit = limit_unit(target.limit, target.unit, request.requested, request.decided_by)
    allowed = target.unit.make_safe(request.requested, soc, unit_limit)
    reason = request.reason
    # Why a device is left alone has to stay known: its back-off depends on it.
    if reason not in LEFT_ALONE and allowed != target.unit.make_safe(request.requested, soc):
        reason = "operator_limit"
    return Decision(
        slot_start=floor_to(now, SLOT),
        source=source,
        decided_by=request.decided_by,
        reason=reason,
        plan_id=request.plan_id,
        override=request.override,
        requested=dict(request.requested),
        allowed=dict(allowed),
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


_POWER_FIELDS = ("power_kw", "charge_kw", "give_kw", "limit_kw")
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


def is_within_limits(decision: Decision, unit: Controllable, limit: SiteLimit | None) -> bool:
    """Return whether the safety layer still allows a decision.

    It is judged by the site's limits of now, an operator's among them, and the states of charge of
    then.
    """
    unit_limit = limit_unit(limit, unit, decision.requested, decision.decided_by)
    safe = unit.make_safe(decision.allowed, _read_measured(decision), unit_limit)
    return not _is_any_restrained(decision.allowed, safe)


def may_have_more(decision: Decision, unit: Controllable, limit: SiteLimit | None) -> bool:
    """Return whether an operator's limit leaves more than a decision that was cut by one.

    More of own production does not count: by it alone, a power is raised with the next slot.
    """
    if decision.reason != "operator_limit":
        return False
    for by_measurement in (False, True):
        unit_limit = limit_unit(
            limit, unit, decision.requested, decision.decided_by, by_measurement=by_measurement
        )
        safe = unit.make_safe(decision.requested, _read_measured(decision), unit_limit)
        if not any(_is_more(safe[name], decision.allowed[name]) for name in decision.allowed):
            return False
    return True


# How far a mode lets a device go; the modes that an operator's limit leads to are the lowest.
_MODE_RANKS = {
    "limit": 1,
    "charge": 2,
    "on": 2,
    "export": 2,
    "give": 2,
    "own": 3,
    "free": 3,
}


def _is_more(setpoint: Setpoint, before: Setpoint) -> bool:
    """Return whether a set-point lets a device do more than the one before."""
    if setpoint.mode != before.mode:
        return _MODE_RANKS.get(setpoint.mode, 0) > _MODE_RANKS.get(before.mode, 0)
    return is_restrained(setpoint, before)


def _read_measured(decision: Decision) -> dict[str, float]:
    """Return the measured states of charge, NaN where there was no reading."""
    soc = {}
    for name, value in decision.measured_soc.items():
        soc[name] = math.nan if value is None else value
    return soc
