"""What a unit is to do in this slot: measured, decided and made safe, then stored, before anything is sent."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

import structlog
from prometheus_client import Counter
from sqlalchemy import Connection, Engine

from luna.contracts.control import ControlState, Decision, Setpoint, Source
from luna.contracts.plan import PlanReply
from luna.energy.devices import BATTERIES
from luna.energy.policy import REPLAN_AGE, REPLAN_SOC
from luna.energy.timeline import SLOT, floor_to
from luna.platform.clock import Clock
from luna.platform.database import control as control_rows
from luna.platform.database import plans
from luna.platform.database.engine import unit_of_work
from services.executor.agent_plan import AgentPlans
from services.executor.decision import ControlRequest, fallback, find_mode_since, finish_run, follow_owner, follow_plan, plan_age
from services.executor.devices.unit import InForce
from services.executor.readings import read_recorded, read_slot_prices
from services.executor.target import ControlTarget

INTERVENTIONS = Counter(
    "luna_planner_safety_interventions_total",
    "Decisions of which the safety layer allowed less than was asked: another mode, less power.",
    ["site_id", "device"],
)
# Fields of set-points that are powers; less than this is rounding.
_POWERS = ("power_kw", "charge_kw", "give_kw")
_LITTLE_KW = 1e-6

log = structlog.get_logger("luna.planner.execution")


@dataclass
class PlanRequests:
    """New plans that are wanted: each site's once per slot, asked for at the end of a turn.

    Args:
        ask_plan: asks for a new plan of a site; nobody waits for it.
        clock: tells which slot is now.
    """

    ask_plan: Callable[[str], None]
    clock: Clock
    _wanted_in: dict[str, datetime] = field(default_factory=dict, init=False)
    _wanting: set[tuple[str, str]] = field(default_factory=set, init=False)

    def want(self, state: ControlState) -> None:
        """Have a plan asked for at the end of this unit's turn, unless one was wanted in this slot."""
        slot = floor_to(self.clock.now(), SLOT)
        if self._wanted_in.get(state.site) != slot:
            self._wanted_in[state.site] = slot
            self._wanting.add((state.site, state.device))

    def send(self, site_id: str, key: str) -> None:
        """Ask for what was wanted in a unit's turn."""
        if (site_id, key) in self._wanting:
            self._wanting.discard((site_id, key))
            self.ask_plan(site_id)


@dataclass(frozen=True)
class Decider:
    """Decides for a slot, or takes back what was decided.

    Args:
        engine: of the database.
        plan_requests: receives that a new plan is wanted.
        clock: tells which slot is now.
        plan_max_age: a plan issued longer ago is not followed.
    """

    engine: Engine
    plan_requests: PlanRequests
    clock: Clock
    plan_max_age: timedelta

    def decide(self, told: ControlTarget, state: ControlState, source: Source) -> ControlState:
        """Store what is to be done from now on and return the state with it; the old state where another was faster."""
        now = self.clock.now()
        soc = self._measure(told)
        with unit_of_work(self.engine) as connection:
            wanted = self._wanted(connection, told, state, source=source, soc=soc)
        decision = _decision(told, finish_run(wanted, state.decision, told.unit, now=now), soc, source=source, now=now)
        if any(is_restrained(decision.requested[name], allowed) for name, allowed in decision.allowed.items() if name in decision.requested):
            INTERVENTIONS.labels(state.site, state.device).inc()
        decision = decision.model_copy(update={"mode_since": find_mode_since(state.decision, decision.allowed, now=now)})
        decided = store_decision(self.engine, state, decision)
        falls_back = wanted.decided_by == "rule" and wanted.reason != "not_in_plan"
        if source == "planner" and told.readable and (falls_back or _deviates(wanted.planned_soc, soc)):
            self.plan_requests.want(state)
        return decided or state

    def take_back(self, told: ControlTarget, state: ControlState, decision: Decision) -> None:
        """Store that the unit is to do what it does by itself, in place of what it never confirmed."""
        now, soc = self.clock.now(), {name: math.nan if value is None else value for name, value in decision.measured_soc.items()}
        with unit_of_work(self.engine) as connection:
            wanted = fallback(told.unit, "not_acknowledged", partial(read_slot_prices, connection, told.site, now), plan_id=decision.plan_id)
        decided = _decision(told, wanted, soc, source=decision.source, now=decision.slot_start)
        store_decision(self.engine, state, decided.model_copy(update={"override": decision.override, "mode_since": now}))

    def _wanted(self, connection: Connection, told: ControlTarget, state: ControlState, *, source: Source, soc: Mapping[str, float]) -> ControlRequest:
        now, prices = self.clock.now(), partial(read_slot_prices, connection, told.site, self.clock.now())
        if source == "released":
            return fallback(told.unit, "disarmed", prices)
        if source == "owner" and state.override is not None:
            return follow_owner(state.override, told.unit)
        if not told.readable:
            return fallback(told.unit, "site_unreadable", prices)
        # Only what has begun is told; to read and to word the rest of it would be a third of a turn.
        plan = plans.read_due(connection, state.site, now, until=now)
        if plan is not None and plan_age(plan, now) >= REPLAN_AGE:
            self.plan_requests.want(state)
        last = {} if state.decision is None else {name: str(each.mode) for name, each in state.decision.allowed.items()}

        def follow(plan: PlanReply | None) -> ControlRequest:
            return follow_plan(plan, told.unit, prices, now=now, max_age=self.plan_max_age, in_force=InForce(soc, last))

        if plan is None or told.unit.key != BATTERIES:
            return follow(plan)
        return AgentPlans(connection, told.site, follow).ask(plan)

    def _measure(self, told: ControlTarget) -> dict[str, float]:
        """Return how full the batteries are, NaN where nobody knows."""
        now = self.clock.now()
        if told.control.by == "dry_run" and told.unit.key == BATTERIES:
            with unit_of_work(self.engine) as connection:
                return dict.fromkeys((each.battery for each in told.control.batteries), read_recorded(connection, told.site, now))
        return told.gauge.read(told.device, told.unit.places, now=now, site=told.site)


def store_decision(engine: Engine, state: ControlState, decision: Decision, *, confirmed: Mapping[str, str] | None = None) -> ControlState | None:
    """Store a decision or how far it is, and in the log what came to an end by it; None where another was faster."""
    with unit_of_work(engine) as connection:
        if not control_rows.decide(connection, state, decision):
            log.warning("another executor was faster; one is enough", site_id=state.site, device=state.device)
            return None
        last = state.decision
        if decision.settled:
            control_rows.record(connection, state, decision, confirmed)
        elif last is not None and not last.settled and _differs(last, decision):
            control_rows.record(connection, state, last, None)
    return state.model_copy(update={"decision": decision, "version": state.version + 1})


def is_restrained(requested: Setpoint, allowed: Setpoint) -> bool:
    """Return whether the safety layer allows less than was asked: another mode, or less power; bounds that nobody asked for say nothing."""
    asked, given = ([getattr(each, name, None) for name in _POWERS] for each in (requested, allowed))
    less = any(wanted is not None and got is not None and got < wanted - _LITTLE_KW for wanted, got in zip(asked, given, strict=True))
    return requested.mode != allowed.mode or less


def _decision(told: ControlTarget, wanted: ControlRequest, soc: Mapping[str, float], *, source: Source, now: datetime) -> Decision:
    return Decision(
        slot_start=floor_to(now, SLOT),
        source=source,
        decided_by=wanted.decided_by,
        reason=wanted.reason,
        plan_id=wanted.plan_id,
        override=wanted.override,
        requested=dict(wanted.requested),
        allowed=dict(told.unit.make_safe(wanted.requested, soc)),
        measured_soc={name: None if math.isnan(value) else value for name, value in soc.items()},
        control=told.control,
    )


def _differs(last: Decision, decision: Decision) -> bool:
    progress = {"tries", "tried_at", "settled", "confirmed_at"}
    return last.model_dump(exclude=progress) != decision.model_dump(exclude=progress)


def _deviates(planned: Mapping[str, float], measured: Mapping[str, float]) -> bool:
    return any(abs(planned[name] - soc) > REPLAN_SOC for name, soc in measured.items() if name in planned)
