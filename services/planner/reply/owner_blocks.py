"""What a plan made of its owner's blocks: which slots they mark, what could not be had of them, what they cost."""

from collections.abc import Iterator, Sequence
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from luna.contracts.owner import BlockReply, ManualBlock, ManualReply
from luna.contracts.plan import CompromiseReply, PlanReply, PlanRequest
from luna.energy.physics import BoolArray
from luna.energy.timeline import FloatArray
from luna.words import Language
from services.planner.dp.plan import Plan
from services.planner.milp.owner_rows import full_kwh
from services.planner.problem.owner_constraints import block_hours
from services.planner.reply.notes import name_compromise

_NOTHING_KWH = 1e-4


def mark_slots(plan: Plan, blocks: Sequence[ManualBlock]) -> list[dict[str, Any]]:
    """Return the field ``manual`` of every slot."""
    slots: list[dict[str, Any]] = [{"manual": []} for _ in range(plan.problem.outlook.timeline.count)]
    for block, inside in _applied(plan, blocks):
        for slot in np.flatnonzero(inside):
            slots[slot]["manual"] += [block.device] if block.device not in slots[slot]["manual"] else []
    return slots


def missed_blocks(plan: Plan, blocks: Sequence[ManualBlock], language: Language = "en") -> list[CompromiseReply]:
    """Return what of the blocks could not be had, the missing energy at the horizon's dearest import price; a battery that is full or empty costs nothing."""
    dearest, zone = max(float(plan.problem.at_tariff_prices.outlook.import_price.max()), 0.0), ZoneInfo(plan.problem.site.timezone)
    return [
        name_compromise(
            code,
            language,
            cost=missing * dearest if code == "manual" else 0.0,
            name=block.device,
            action=block.action,
            first=block.from_.astimezone(zone),
            last=block.to.astimezone(zone),
            kwh=missing,
        )
        for block, inside in _applied(plan, blocks)
        for code, missing in _shortfalls(plan, block, inside)
        if missing > _NOTHING_KWH
    ]


def reply_manual(with_blocks: tuple[Plan, PlanReply], without: tuple[Plan, PlanReply], request: PlanRequest) -> ManualReply:
    """Return the blocks and what they cost: the plan's worth beside that of the plan without them; unknown where either was not found in time."""
    manual = with_blocks[0].problem.manual
    refused = {} if manual is None else manual.refused
    blocks = [
        BlockReply.model_validate(block.model_dump(by_alias=True) | {"applied": index not in refused, "why": refused.get(index)})
        for index, block in enumerate(request.manual)
    ]
    late = "self_consumption" in (with_blocks[0].method, without[0].method)
    return ManualReply(blocks=blocks, cost=None if late else round(_worth(*with_blocks) - _worth(*without), 6))


def _worth(plan: Plan, reply: PlanReply) -> float:
    """Return what a plan costs less what is left in the batteries, with what its compromises cost."""
    left = float((plan.problem.at_tariff_prices.terminal.value * plan.flows.stored_kwh[:, -1]).sum())
    return reply.cost.total - left + sum(each.cost for each in reply.compromises)


def _applied(plan: Plan, blocks: Sequence[ManualBlock]) -> Iterator[tuple[ManualBlock, BoolArray]]:
    """Yield the blocks that hold in slots of the plan, each with these slots."""
    manual = plan.problem.manual
    for index, block in enumerate(blocks):
        inside = block_hours(block, plan.problem.outlook.timeline) > 0
        if manual is not None and index not in manual.refused and inside.any():
            yield block, inside


def _shortfalls(plan: Plan, block: ManualBlock, inside: BoolArray) -> Iterator[tuple[str, float]]:
    """Yield what is missing of a block, kWh, under the code that says why."""
    names = [battery.name for battery in plan.problem.site.batteries]
    manual, flows = plan.problem.manual, plan.flows
    if manual is None:
        return
    if block.device in names and block.action in ("charge", "discharge", "hold", "no_charge", "no_discharge"):
        yield from _battery_shortfalls(plan, block, inside, names.index(block.device))
    elif block.action == "no_import":
        yield "manual", float(flows.import_kwh[inside].sum())
    elif block.action == "no_export":
        yield "manual", float(flows.export_kwh[inside].sum())
    else:
        for each in plan.placement.loads if plan.placement else ():
            if each.demand.name == block.device:
                yield from each.shortfalls(block, inside, plan.problem.outlook.timeline.hours)


def _battery_shortfalls(plan: Plan, block: ManualBlock, inside: BoolArray, index: int) -> Iterator[tuple[str, float]]:
    manual, flows, battery = plan.problem.manual, plan.flows, plan.problem.site.batteries[index]
    assert manual is not None  # noqa: S101  # the caller has looked
    charge, discharge, stored = flows.charge_kwh[index], flows.discharge_kwh[index], flows.stored_kwh[index]
    if block.action == "charge":
        full = stored >= full_kwh(battery) - _NOTHING_KWH
        yield from _split(manual.charge_kwh[index] - charge, inside, full, done_code="manual_full")
    elif block.action == "discharge":
        empty = stored <= battery.min_soc * battery.capacity_kwh + _NOTHING_KWH
        yield from _split(manual.discharge_kwh[index] - discharge, inside, empty, done_code="manual_empty")
    else:
        against = charge * (not manual.may_charge[index, inside].any()) + discharge * (not manual.may_discharge[index, inside].any())
        yield "manual", float(against[inside].sum())


def _split(missing_kwh: FloatArray, inside: BoolArray, done: BoolArray, *, done_code: str) -> Iterator[tuple[str, float]]:
    yield "manual", float(missing_kwh[inside & ~done].sum())
    yield done_code, float(missing_kwh[inside & done].sum())
