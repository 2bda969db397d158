"""Build the reply's part on flexible loads and on owner's blocks: columns, reasons, missed demands,
missed blocks and their cost.
"""

from collections.abc import Iterator, Sequence
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from luna.contracts.owner import BlockReply, ManualBlock, ManualReply
from luna.contracts.plan import CompromiseReply, PlanReply, PlanRequest
from luna.contracts.plan.columns import Columns
from luna.energy.physics.mode import BoolArray
from luna.energy.timeline import FloatArray
from luna.words import Language
from services.planner.devices import PLANNED_KINDS
from services.planner.devices.causes import DeviceReasons, PriceView
from services.planner.dp.plan import Plan
from services.planner.milp.owner_rows import full_kwh
from services.planner.problem.load_schedule import LoadSchedule
from services.planner.problem.owner_constraints import block_hours
from services.planner.reply.flow_shares import NOTHING_KWH
from services.planner.reply.month_peaks import find_peak_limit, find_peak_price
from services.planner.reply.notes import name_compromise

# A price less below zero than this is shown as 0.
_SAME_PRICE = 1e-4


def placed_columns(placement: LoadSchedule) -> dict[str, dict[str, Columns]]:
    """Return flexible loads, by section and name, as columns of ``luna.contracts.plan.columns``."""
    columns: dict[str, dict[str, Columns]] = {kind.section: {} for kind in PLANNED_KINDS}
    for each in placement.loads:
        columns[each.demand.section][each.demand.name] = each.columns()
    return columns


def tell_placed(plan: Plan) -> Iterator[tuple[str, str, Columns]]:
    """Yield section, name and reasons of the flexible loads that have reasons."""
    if plan.placement is None or not plan.placement.loads:
        return
    reasons = DeviceReasons(_view_prices(plan), plan.problem.at_tariff_prices.outlook)
    for each in plan.placement.loads:
        if explained := each.explain(reasons):
            yield each.demand.section, each.demand.name, explained


def _view_prices(plan: Plan) -> PriceView:
    """Return a plan's marginal prices of use per slot, and the room under the peak."""
    tariff, flows = plan.problem.at_tariff_prices.outlook, plan.flows
    importing, exporting = flows.import_kwh > NOTHING_KWH, flows.export_kwh > NOTHING_KWH
    spilled = flows.curtailed_kwh > NOTHING_KWH
    # Without grid exchange, another kWh costs the battery's value of stored energy.
    between = tariff.import_price
    if plan.problem.site.batteries:
        worth = plan.energy_value[0] / plan.problem.site.batteries[0].discharge_efficiency
        # Outside its limits a battery has no finite value.
        worth = np.where(np.isfinite(worth), worth, tariff.import_price)
        between = np.clip(
            worth, np.minimum(tariff.export_price, tariff.import_price), tariff.import_price
        )
    marginal = np.where(
        importing,
        tariff.import_price,
        np.where(spilled, 0.0, np.where(exporting, tariff.export_price, between)),
    )
    supplied_kwh = flows.discharge_kwh.sum(axis=0) + (
        0.0 if plan.placement is None else plan.placement.give_kwh
    )
    costs = tariff.export_price < -_SAME_PRICE
    sells = ~spilled & ~costs & (plan.problem.export_limit_kwh > flows.export_kwh + NOTHING_KWH)
    peak = find_peak_limit(plan)
    site_tariff = plan.problem.site.tariff
    interval_hours = (
        max(each.interval_minutes for each in site_tariff.peaks) / 60 if site_tariff.peak else 0.0
    )
    room = np.where(np.isfinite(peak), peak - flows.import_kwh, np.inf)
    return PriceView(
        marginal,
        importing | spilled | exporting,
        ~importing & (supplied_kwh <= NOTHING_KWH),
        np.where(sells, tariff.export_price, np.nan),
        np.where(costs, -tariff.export_price, np.nan),
        np.where(spilled, flows.curtailed_kwh, np.nan),
        room,
        peak,
        find_peak_price(plan),
        interval_hours,
    )


def missed_demands(plan: Plan, request: PlanRequest) -> list[CompromiseReply]:
    """Return the missed demands of flexible loads, with missing energy priced at the horizon's
    highest import price.
    """
    if plan.placement is None:
        return []
    zone, timeline = ZoneInfo(plan.problem.site.timezone), plan.problem.outlook.timeline
    dearest, language = (
        max(float(plan.problem.at_tariff_prices.outlook.import_price.max()), 0.0),
        request.options.language,
    )
    missed = [each for placed in plan.placement.loads for each in placed.missed(timeline, zone)]
    return [
        name_compromise(each.code, language, cost=each.missing_kwh * dearest, **each.figures)
        for each in missed
    ]


_NOTHING_KWH = 1e-4


def mark_slots(plan: Plan, blocks: Sequence[ManualBlock]) -> list[dict[str, Any]]:
    """Return the field ``manual`` of every slot."""
    slots: list[dict[str, Any]] = [
        {"manual": []} for _ in range(plan.problem.outlook.timeline.count)
    ]
    for block, inside in _applied(plan, blocks):
        for slot in np.flatnonzero(inside):
            slots[slot]["manual"] += (
                [block.device] if block.device not in slots[slot]["manual"] else []
            )
    return slots


def missed_blocks(
    plan: Plan, blocks: Sequence[ManualBlock], language: Language = "en"
) -> list[CompromiseReply]:
    """Return the missed parts of blocks, priced at the horizon's highest import price.

    Those of a full or empty battery cost nothing.
    """
    dearest, zone = (
        max(float(plan.problem.at_tariff_prices.outlook.import_price.max()), 0.0),
        ZoneInfo(plan.problem.site.timezone),
    )
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


def reply_manual(
    with_blocks: tuple[Plan, PlanReply], without: tuple[Plan, PlanReply], request: PlanRequest
) -> ManualReply:
    """Return the blocks and their cost, the difference from the plan without them.

    None where either plan was not found in time.
    """
    manual = with_blocks[0].problem.manual
    refused = {} if manual is None else manual.refused
    blocks = [
        BlockReply.model_validate(
            block.model_dump(by_alias=True)
            | {"applied": index not in refused, "why": refused.get(index)}
        )
        for index, block in enumerate(request.manual)
    ]
    late = "self_consumption" in (with_blocks[0].method, without[0].method)
    return ManualReply(
        blocks=blocks, cost=None if late else round(_worth(*with_blocks) - _worth(*without), 6)
    )


def _worth(plan: Plan, reply: PlanReply) -> float:
    """Return a plan's cost less the terminal value of its batteries, plus the cost of its
    compromises.
    """
    terminal_worth = float(
        (plan.problem.at_tariff_prices.terminal.value * plan.flows.stored_kwh[:, -1]).sum()
    )
    return reply.cost.total - terminal_worth + sum(each.cost for each in reply.compromises)


def _applied(plan: Plan, blocks: Sequence[ManualBlock]) -> Iterator[tuple[ManualBlock, BoolArray]]:
    """Yield the accepted blocks that cover slots of the plan, each with these slots."""
    manual = plan.problem.manual
    for index, block in enumerate(blocks):
        inside = block_hours(block, plan.problem.outlook.timeline) > 0
        if manual is not None and index not in manual.refused and inside.any():
            yield block, inside


def _shortfalls(plan: Plan, block: ManualBlock, inside: BoolArray) -> Iterator[tuple[str, float]]:
    """Yield the code of a cause and the missing energy of a block, kWh."""
    names = [battery.name for battery in plan.problem.site.batteries]
    manual, flows = plan.problem.manual, plan.flows
    if manual is None:
        return
    if block.device in names and block.action in (
        "charge",
        "discharge",
        "hold",
        "no_charge",
        "no_discharge",
    ):
        yield from _battery_shortfalls(plan, block, inside, names.index(block.device))
    elif block.action == "no_import":
        yield "manual", float(flows.import_kwh[inside].sum())
    elif block.action == "no_export":
        yield "manual", float(flows.export_kwh[inside].sum())
    else:
        for each in plan.placement.loads if plan.placement else ():
            if each.demand.name == block.device:
                yield from each.shortfalls(block, inside, plan.problem.outlook.timeline.hours)


def _battery_shortfalls(
    plan: Plan, block: ManualBlock, inside: BoolArray, index: int
) -> Iterator[tuple[str, float]]:
    manual, flows, battery = plan.problem.manual, plan.flows, plan.problem.site.batteries[index]
    assert manual is not None  # noqa: S101  # the caller has looked
    charge, discharge, stored = (
        flows.charge_kwh[index],
        flows.discharge_kwh[index],
        flows.stored_kwh[index],
    )
    if block.action == "charge":
        full = stored >= full_kwh(battery) - _NOTHING_KWH
        yield from _split(manual.charge_kwh[index] - charge, inside, full, done_code="manual_full")
    elif block.action == "discharge":
        empty = stored <= battery.min_soc * battery.capacity_kwh + _NOTHING_KWH
        yield from _split(
            manual.discharge_kwh[index] - discharge, inside, empty, done_code="manual_empty"
        )
    else:
        against = charge * (not manual.may_charge[index, inside].any()) + discharge * (
            not manual.may_discharge[index, inside].any()
        )
        yield "manual", float(against[inside].sum())


def _split(
    missing_kwh: FloatArray, inside: BoolArray, done: BoolArray, *, done_code: str
) -> Iterator[tuple[str, float]]:
    yield "manual", float(missing_kwh[inside & ~done].sum())
    yield done_code, float(missing_kwh[inside & done].sum())
