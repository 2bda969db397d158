"""A stored home with an agent: a training, evidence, shadow plans beside the planner's, scores, and
slots that it decided.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine

from luna.contracts.agent_control import CONTROL_MODES, GateEntry, GateEvidence, GateVerdict
from luna.contracts.control import Decision
from luna.contracts.plan import PlanReply
from luna.contracts.replay import DayCost
from luna.energy.timeline import SLOT, floor_to
from luna.platform.database import (
    agent_gates,
    agent_plans,
    control,
    plan_slots,
    plans,
    scores,
    training_runs,
)
from luna.platform.database.agent_plans import SHADOW, ShadowPlan
from luna.platform.database.engine import unit_of_work
from luna.platform.database.training_runs import TrainingRun
from tests.support.pages.demo_home import DemoHome, store_demo_home
from tests.support.planning.plans import as_columns

DAYS = 10
# What a day costs, and how much less under each policy; the agent is a cent a day ahead of the
# planner.
COSTS = {"idle": 3.0, "self_consumption": 2.4, "mpc": 1.5, "antares": 1.49, "oracle": 1.3}


def name_run(site: str) -> str:
    """Return what the training of a site's agent is called; no two sites have the same."""
    return f"agent_value_v1 {site} 2026-05-19"


def store_agent_home(
    database: Engine, *, name: str, mode: str = "export_only", **parts: Any
) -> DemoHome:
    """Store the demo home, but for what makes its plans take seconds, with an agent that was
    trained, replayed, 30 days in shadow and offered ``mode``.
    """
    home = store_demo_home(
        database, name=name, antares={"control_mode": mode}, vehicles=[], loads=[], **parts
    )
    with unit_of_work(database) as connection:
        store_run(connection, name, home.now)
        store_scores(connection, name, home.now)
        for each in CONTROL_MODES[1:]:
            agent_gates.record(
                connection,
                name,
                judge(home.now - timedelta(hours=14), each, "offered", "no_dearer"),
            )
        _plan_beside(connection, home)
        _decide(connection, home)
    return home


def store_run(connection: Connection, name: str, now: datetime, **changes: Any) -> TrainingRun:
    """Store an accepted training that learned until a week before now."""
    run = TrainingRun(
        name_run(name),
        "agent_value_v1",
        now - timedelta(days=200),
        now - timedelta(days=7),
        "test",
        0,
        42.0,
        {"score": 94.1},
        **changes,
    )
    training_runs.save(connection, name, run)
    return run


def store_scores(connection: Connection, name: str, now: datetime) -> None:
    """Store what each policy would have cost in shadow on the days before now."""
    days = [now.date() - timedelta(days=back) for back in range(DAYS, 0, -1)]
    costs: Mapping[str, list[DayCost]] = {
        policy: [DayCost(day=day, cost=cost, value_gain=0.0) for day in days]
        for policy, cost in COSTS.items()
    }
    scores.upsert_days(connection, name, system_id=SHADOW + "antares", currency="EUR", days=costs)


def judge(at: datetime, mode: Any, state: Any, reason: str) -> GateEntry:
    """Return the gatekeeper's decision with evidence of all three kinds."""
    figures = {"gain": 9.0, "points": 0.8, "low": -0.2, "high": 1.9}
    counted = {"replay": (180, 180), "shadow": (31, 30), "both": (211, 210)}
    evidence = [
        GateEvidence.model_validate({"kind": kind, "days": days, "needed": needed} | figures)
        for kind, (days, needed) in counted.items()
    ]
    return GateEntry(
        at=at,
        kind="judged",
        policy="antares",
        mode=mode,
        state=state,
        reason=reason,
        evidence=evidence,
        decided_by="gatekeeper",
    )


def _plan_beside(connection: Connection, home: DemoHome) -> None:
    """Store beside every plan one of the agent that sells in each slot, and is followed where it
    sells.
    """
    for span in plan_slots.list_followed(
        connection, home.site.name, home.now - timedelta(hours=20), home.now, issued_by=home.now
    ):
        plan = plans.load(connection, span.plan_id)
        selling = [slot.model_copy(update={"mode": "export"}) for slot in plan.slots]
        reply: PlanReply = plan.model_copy(
            update={"plan_id": f"agent-{span.plan_id}", "slots": selling}
        )
        verdict = GateVerdict(code="agent_cheaper", follow="export", expected_gain=0.02)
        times = (span.issued_at, span.starts_at, span.ends_at)
        figures = {"planner_cost": 1.0, "agent_cost": 0.98, "slots": 96.0, "interventions": 0.0}
        made = ShadowPlan(
            span.plan_id,
            "antares",
            *times,
            verdict,
            name_run(home.site.name),
            figures,
            reply.plan_id,
        )
        agent_plans.save(connection, home.site.name, made, as_columns(reply))


def _decide(connection: Connection, home: DemoHome) -> None:
    """Let the agent have decided the last two hours."""
    state = control.load(connection, home.site.name)
    for back in range(8, 0, -1):
        start = floor_to(home.now, SLOT) - back * SLOT
        decision = Decision(
            slot_start=start,
            source="planner",
            decided_by="agent",
            reason="agent_cheaper",
            requested={},
            allowed={},
        )
        control.record(connection, state, decision, {})
