"""The decider and mode of a site's batteries slot by slot, beside the modes of both plans in force."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from luna.contracts.agent import SHADOW_POLICIES
from luna.contracts.agent_standing import SlotDecision
from luna.energy.devices import BATTERIES
from luna.energy.site import Site
from luna.energy.timeline import SLOT, Timeline
from luna.platform.database import agent_plans, plan_slots
from luna.platform.database.agent_plans import PlannedModes
from luna.platform.database.plan_slots import LoggedSlot, PlanSpan

_MOMENT = timedelta(microseconds=1)


def read_agent_slots(connection: Connection, site: Site, window: Timeline) -> list[SlotDecision]:
    """Return every slot of a window in which anything was decided or planned, in order.

    The plan in force is the last one issued before the slot that covers it; the agent's is the one that was made beside it.

    Raises:
        NotFoundError: no such site.
    """
    policy = SHADOW_POLICIES[site.antares.shadow_policy_type]
    decided = plan_slots.read_logged(connection, site.name, window.start, window.end, device=BATTERIES)
    spans = plan_slots.list_followed(connection, site.name, window.start, window.end, issued_by=window.end)
    planned = _read_planned(connection, spans, window)
    beside = agent_plans.read_modes(connection, site.name, [span.plan_id for span in spans], policy=policy)
    decisions = []
    for start in window:
        plan_id, mode = planned.get(start, (None, None))
        if plan_id is not None or start in decided:
            decisions.append(_describe(start, decided.get(start), (plan_id, mode), beside.get(plan_id or "")))
    return decisions


def _read_planned(connection: Connection, spans: Sequence[PlanSpan], window: Timeline) -> dict[datetime, tuple[str, str]]:
    """Return by slot the plan in force and the mode it has there."""
    planned: dict[datetime, tuple[str, str]] = {}
    for place, span in enumerate(spans):
        first = max(window.start, span.starts_at)
        end = min(window.end, span.ends_at, *(each.issued_at + SLOT for each in spans[place + 1 : place + 2]))
        if end <= first:
            continue
        minutes, slots = plan_slots.read_slots(connection, span, first, end - _MOMENT)
        planned |= {
            start: (span.plan_id, mode) for start, mode in _spread(slots, timedelta(minutes=minutes)) if span.issued_at <= start and first <= start < end
        }
    return planned


def _spread(slots: Sequence[dict[str, Any]], length: timedelta) -> list[tuple[datetime, str]]:
    """Return the mode of each quarter-hour of slots that may be longer."""
    return [(datetime.fromisoformat(slot["start"]) + place * SLOT, slot["mode"]) for slot in slots for place in range(max(length // SLOT, 1))]


def _describe(start: datetime, decided: LoggedSlot | None, planned: tuple[str | None, str | None], beside: PlannedModes | None) -> SlotDecision:
    return SlotDecision.model_validate(
        {
            "start": start,
            "decided_by": decided and decided.decided_by,
            "reason": decided and decided.reason,
            "plan_id": planned[0],
            "planner_mode": planned[1],
            "agent_plan_id": beside.plan_id if beside else None,
            "agent_mode": beside.mode_at(start) if beside else None,
            "verdict": beside.verdict if beside else None,
        }
    )
