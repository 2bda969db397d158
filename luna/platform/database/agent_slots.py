"""Read who decided for a site's batteries, and both plans' modes, by slot.

The plans are the planner's and the agent's.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from luna.contracts.agent import SHADOW_POLICIES
from luna.contracts.agent_standing import SlotDecision
from luna.energy.devices.battery import BATTERIES
from luna.energy.site import Site
from luna.energy.timeline import SLOT, Timeline
from luna.platform.database import agent_plans, plan_slots
from luna.platform.database.plan_slots import PlanSpan

_MOMENT = timedelta(microseconds=1)


def read_agent_slots(connection: Connection, site: Site, window: Timeline) -> list[SlotDecision]:
    """Return the slots of a window with a decision or a plan, in order.

    The plan in force is the last one issued by the slot's start that covers it; the agent's plan is
    the one beside it.

    Raises:
        NotFoundError: no such site.
    """
    policy = SHADOW_POLICIES[site.antares.shadow_policy_type]
    decided = plan_slots.read_logged(
        connection, site.name, window.start, window.end, device=BATTERIES
    )
    spans = plan_slots.list_followed(
        connection, site.name, window.start, window.end, issued_by=window.end
    )
    planned = _read_planned(connection, spans, window)
    beside = agent_plans.read_modes(
        connection, site.name, [span.plan_id for span in spans], policy=policy
    )
    decisions = []
    for start in window:
        plan_id, mode = planned.get(start, (None, None))
        if plan_id is None and start not in decided:
            continue
        decision: dict[str, Any] = dict.fromkeys(SlotDecision.model_fields)
        decision |= {"start": start, "plan_id": plan_id, "planner_mode": mode}
        logged = decided.get(start)
        if logged is not None:
            decision |= {"decided_by": logged.decided_by, "reason": logged.reason}
        agents = beside.get(plan_id or "")
        if agents is not None:
            decision["agent_plan_id"] = agents.plan_id
            decision["agent_mode"] = agents.mode_at(start)
            decision["verdict"] = agents.verdict
        decisions.append(SlotDecision.model_validate(decision))
    return decisions


def _read_planned(
    connection: Connection, spans: Sequence[PlanSpan], window: Timeline
) -> dict[datetime, tuple[str, str]]:
    """Return the plan in force and its mode by slot."""
    planned: dict[datetime, tuple[str, str]] = {}
    for place, span in enumerate(spans):
        first = max(window.start, span.starts_at)
        end = min(window.end, span.ends_at)
        if place + 1 < len(spans):
            end = min(end, spans[place + 1].issued_at + SLOT)
        if end <= first:
            continue
        minutes, slots = plan_slots.read_slots(connection, span, first, end - _MOMENT)
        # A plan's slots may be longer than a quarter-hour.
        quarters = max(timedelta(minutes=minutes) // SLOT, 1)
        for slot in slots:
            slot_start = datetime.fromisoformat(slot["start"])
            for quarter in range(quarters):
                start = slot_start + quarter * SLOT
                if span.issued_at <= start and first <= start < end:
                    planned[start] = (span.plan_id, slot["mode"])
    return planned
