"""The reasons of a plan, run by run."""

from collections.abc import Iterator
from datetime import timedelta
from typing import NamedTuple

from luna.contracts.plan import PlanReply
from luna.contracts.plan_questions import PlanReason, PlanReasonsReply
from luna.energy.devices import FLOW_KINDS
from luna.energy.devices.battery import BATTERIES
from luna.energy.reason import ReasonReply

# Joint action of batteries is the slot's own reason.
_PLACED = [kind.section for kind in FLOW_KINDS if kind.section != BATTERIES]


class _Given(NamedTuple):
    """The mode and reason of a device in a slot."""

    slot: int
    mode: str | None
    reason: ReasonReply


def list_plan_reasons(plan: PlanReply) -> PlanReasonsReply:
    """Return the reasons of each device's actions.

    Slots in a row with one reason are one row.
    """
    rows: list[PlanReason] = []
    for device, given in _by_device(plan).items():
        rows += _runs(plan, device, given)
    return PlanReasonsReply(
        plan_id=plan.plan_id, site=plan.site, timezone=plan.timezone, reasons=rows
    )


def _by_device(plan: PlanReply) -> dict[str, list[_Given]]:
    given_by_device: dict[str, list[_Given]] = {}
    for place, slot in enumerate(plan.slots):
        given_by_device.setdefault(BATTERIES, []).append(_Given(place, slot.mode, slot.reason))
        for section in _PLACED:
            for name, flow in getattr(slot, section).items():
                reason = getattr(flow, "reason", None)
                if reason is not None:
                    given_by_device.setdefault(name, []).append(_Given(place, None, reason))
    return given_by_device


def _runs(plan: PlanReply, device: str, given: list[_Given]) -> Iterator[PlanReason]:
    length = timedelta(minutes=plan.slot_minutes)
    runs: list[list[_Given]] = []
    for part in given:
        if runs and _continues(runs[-1][-1], part):
            runs[-1].append(part)
        else:
            runs.append([part])
    for run in runs:
        first = run[0]
        first_slot = plan.slots[first.slot]
        named = first_slot.reason.device if first.mode else None
        yield PlanReason(
            from_=first_slot.start,
            to=plan.slots[run[-1].slot].start + length,
            device=named or device,
            mode=first.mode,
            code=first.reason.code,
            text=first.reason.text,
        )


def _continues(before: _Given, after: _Given) -> bool:
    return after.slot == before.slot + 1 and _meaning(after) == _meaning(before)


def _meaning(given: _Given) -> tuple[str | None, str, str, str | None]:
    reason = given.reason
    return given.mode, reason.code, reason.text, reason.device
