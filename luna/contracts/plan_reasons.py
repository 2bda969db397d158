"""The reasons of a plan, run by run."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import groupby
from typing import NamedTuple

from luna.contracts.plan import PlanReply
from luna.contracts.plan_questions import PlanReason, PlanReasonsReply
from luna.energy.devices import FLOW_KINDS
from luna.energy.devices.battery import BATTERIES
from luna.energy.reason import ReasonReply

# What batteries do together is the slot's own reason.
_PLACED = [kind.section for kind in FLOW_KINDS if kind.section != BATTERIES]


class _Given(NamedTuple):
    """What is said of a device in a slot."""

    slot: int
    mode: str | None
    reason: ReasonReply


def list_plan_reasons(plan: PlanReply) -> PlanReasonsReply:
    """Return why each device does what it does; slots in a row with one reason are one row."""
    rows = [row for device, given in _by_device(plan).items() for row in _runs(plan, device, given)]
    return PlanReasonsReply(
        plan_id=plan.plan_id, site=plan.site, timezone=plan.timezone, reasons=rows
    )


def _by_device(plan: PlanReply) -> dict[str, list[_Given]]:
    given_by_device: dict[str, list[_Given]] = {}
    for place, slot in enumerate(plan.slots):
        given_by_device.setdefault(BATTERIES, []).append(_Given(place, slot.mode, slot.reason))
        for name, flow in (
            (name, flow) for section in _PLACED for name, flow in getattr(slot, section).items()
        ):
            if (reason := getattr(flow, "reason", None)) is not None:
                given_by_device.setdefault(name, []).append(_Given(place, None, reason))
    return given_by_device


def _runs(plan: PlanReply, device: str, given: list[_Given]) -> Iterator[PlanReason]:
    length = timedelta(minutes=plan.slot_minutes)
    # Slots in a row have the same distance from their place in the list.
    for (_, mode, code, text, _), run in groupby(
        enumerate(given), key=lambda each: (each[1].slot - each[0], *_said(each[1]))
    ):
        slots = [each.slot for _, each in run]
        first = plan.slots[slots[0]].start
        last = plan.slots[slots[-1]].start
        yield PlanReason(
            from_=first,
            to=last + length,
            device=plan.slots[slots[0]].reason.device or device if mode else device,
            mode=mode,
            code=code,
            text=text,
        )


def _said(given: _Given) -> tuple[str | None, str, str, str | None]:
    return given.mode, given.reason.code, given.reason.text, given.reason.device
