"""What a plan expects of devices once some of its slots are over."""

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
    """For how long something has been on, or off."""

    @property
    def on_hours(self) -> float: ...
    @property
    def off_hours(self) -> float: ...


def carry_runs(state: SwitchedState, on: Sequence[bool], slot_hours: float) -> dict[str, float]:
    """Return ``on_hours`` and ``off_hours`` after slots in which it was ``on``, or off.

    Of nothing known before, what the slots say.
    """
    if not on:
        return {"on_hours": state.on_hours, "off_hours": state.off_hours}
    steady = next((count for count, each in enumerate(reversed(on)) if each != on[-1]), len(on))
    before = (state.on_hours if on[-1] else state.off_hours) if steady == len(on) else 0.0
    hours = min(before + steady * slot_hours, LONGEST_HOURS)
    return {"on_hours": hours if on[-1] else 0.0, "off_hours": 0.0 if on[-1] else hours}


@dataclass(frozen=True, slots=True)
class IssuedPlan:
    """A plan with the complete request it was made from."""

    request: PlanRequest
    reply: PlanReply

    @property
    def start(self) -> datetime:
        if self.request.start is None:
            raise refuse("request-without-start", field="plan_id", value=self.reply.plan_id)
        return self.request.start

    @property
    def outlook(self) -> OutlookMessage:
        if self.request.outlook is None:
            raise refuse("request-without-outlook", field="plan_id", value=self.reply.plan_id)
        return self.request.outlook


@dataclass(frozen=True, slots=True)
class Expected:
    """What a plan expects by ``at``, when ``passed`` of its slots are over."""

    plan: IssuedPlan
    passed: int
    at: datetime

    @property
    def over(self) -> list[SlotReply]:
        """The slots that are over."""
        return self.plan.reply.slots[: self.passed]

    @property
    def slot_hours(self) -> float:
        """How long its slots are."""
        return self.plan.reply.slot_minutes / 60

    def flows(self, section: str, name: str, flow: type[FlowT]) -> list[FlowT]:
        """Return a device's flows in the past slots that have them."""
        sections = (read_section(slot, section, flow) for slot in self.over)
        return [each[name] for each in sections if name in each]

    def soc(self) -> dict[str, float]:
        """Return how full each battery is."""
        before = {name: state.soc for name, state in self.plan.request.state.batteries.items()}
        return before | {
            name: flow.soc_end for slot in self.over[-1:] for name, flow in slot.batteries.items()
        }


def expect(begun: tuple[PlanReply, PlanRequest] | None, at: datetime) -> Expected | None:
    """Return what the plan in force expects by an instant, None where there is none."""
    if begun is None:
        return None
    reply, request = begun
    plan = IssuedPlan(request, reply)
    return Expected(plan, max((at - plan.start) // request.step, 0), at)
