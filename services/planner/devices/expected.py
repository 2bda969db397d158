"""Read the states that a plan expects of devices once some of its slots are over."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

from luna.contracts.plan import OutlookMessage, PlanReply, PlanRequest, SlotReply
from luna.energy.devices.kind import read_section
from luna.energy.part import Part
from luna.energy.refusals import refuse

LONGEST_HOURS = 168.0
FlowT = TypeVar("FlowT", bound=Part)


class SwitchedState(Protocol):
    """A state with the hours for which a device has been on, or off."""

    @property
    def on_hours(self) -> float: ...
    @property
    def off_hours(self) -> float: ...


def carry_runs(state: SwitchedState, on: Sequence[bool], slot_hours: float) -> dict[str, float]:
    """Return ``on_hours`` and ``off_hours`` after slots in which it was ``on``, or off."""
    if not on:
        return {"on_hours": state.on_hours, "off_hours": state.off_hours}
    is_on = on[-1]
    steady_slots = 0
    for was_on in reversed(on):
        if was_on != is_on:
            break
        steady_slots += 1
    hours = steady_slots * slot_hours
    if steady_slots == len(on):
        hours = (state.on_hours if is_on else state.off_hours) + hours
    hours = min(hours, LONGEST_HOURS)
    return {"on_hours": hours if is_on else 0.0, "off_hours": 0.0 if is_on else hours}


@dataclass(frozen=True, slots=True)
class IssuedPlan:
    """A plan with the complete request it was made from."""

    request: PlanRequest
    reply: PlanReply

    @property
    def start(self) -> datetime:
        if self.request.start is None:
            raise refuse(
                "stored-plan-lacks", field="plan_id", value=self.reply.plan_id, part="start"
            )
        return self.request.start

    @property
    def outlook(self) -> OutlookMessage:
        if self.request.outlook is None:
            raise refuse(
                "stored-plan-lacks", field="plan_id", value=self.reply.plan_id, part="outlook"
            )
        return self.request.outlook


@dataclass(frozen=True, slots=True)
class Expected:
    """A plan in force at the instant ``at``, when ``passed`` of its slots are over."""

    plan: IssuedPlan
    passed: int
    at: datetime

    @property
    def over(self) -> list[SlotReply]:
        return self.plan.reply.slots[: self.passed]

    @property
    def slot_hours(self) -> float:
        return self.plan.reply.slot_minutes / 60

    def flows(self, section: str, name: str, flow: type[FlowT]) -> list[FlowT]:
        """Return a device's flows in the past slots that have them."""
        sections = [read_section(slot, section, flow) for slot in self.over]
        return [flows[name] for flows in sections if name in flows]

    def soc(self) -> dict[str, float]:
        """Return the state of charge of each battery."""
        socs = {name: state.soc for name, state in self.plan.request.state.batteries.items()}
        for slot in self.over[-1:]:
            for name, flow in slot.batteries.items():
                socs[name] = flow.soc_end
        return socs


def expect(begun: tuple[PlanReply, PlanRequest] | None, at: datetime) -> Expected | None:
    """Return the plan in force with its slots that are over at an instant, or None."""
    if begun is None:
        return None
    reply, request = begun
    plan = IssuedPlan(request, reply)
    passed = max((at - plan.start) // request.step, 0)
    return Expected(plan, passed, at)
