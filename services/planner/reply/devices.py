"""Build the reply's part on flexible loads and on owner's blocks."""

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
from services.planner.reply.notes import find_dearest, name_compromise

# A price less below zero than this is shown as 0.
_SAME_PRICE = 1e-4


def schedule_columns(schedule: LoadSchedule) -> dict[str, dict[str, Columns]]:
    """Return flexible loads, by section and name, as columns of ``luna.contracts.plan.columns``."""
    columns: dict[str, dict[str, Columns]] = {kind.section: {} for kind in PLANNED_KINDS}
    for load in schedule.loads:
        columns[load.demand.section][load.demand.name] = load.columns()
    return columns


def explain_schedules(plan: Plan) -> Iterator[tuple[str, str, Columns]]:
    """Yield section, name and reasons of the flexible loads that have reasons."""
    if plan.load_schedule is None or not plan.load_schedule.loads:
        return
    reasons = DeviceReasons(_view_prices(plan), plan.problem.at_tariff_prices.outlook)
    for load in plan.load_schedule.loads:
        explained = load.explain(reasons)
        if explained:
            yield load.demand.section, load.demand.name, explained


def _view_prices(plan: Plan) -> PriceView:
    """Return a plan's marginal prices of use per slot, and the room under the peak."""
    tariff = plan.problem.at_tariff_prices.outlook
    flows = plan.flows
    importing = flows.import_kwh > NOTHING_KWH
    exporting = flows.export_kwh > NOTHING_KWH
    spilled = flows.curtailed_kwh > NOTHING_KWH
    # Import first, then curtailment, then feed-in; without grid exchange the battery's value.
    marginal = np.where(exporting, tariff.export_price, _price_from_battery(plan))
    marginal = np.where(spilled, 0.0, marginal)
    marginal = np.where(importing, tariff.import_price, marginal)
    supplied_kwh = flows.discharge_kwh.sum(axis=0)
    if plan.load_schedule is not None:
        supplied_kwh = supplied_kwh + plan.load_schedule.give_kwh
    costs = tariff.export_price < -_SAME_PRICE
    has_room = plan.problem.export_limit_kwh > flows.export_kwh + NOTHING_KWH
    sells = ~spilled & ~costs & has_room
    peak_kwh = find_peak_limit(plan)
    room_kwh = np.where(np.isfinite(peak_kwh), peak_kwh - flows.import_kwh, np.inf)
    allowed_kwh = np.where(
        plan.problem.is_import_limited, plan.problem.connection_limit_kwh, np.inf
    )
    intervals = [peak.interval_minutes / 60 for peak in plan.problem.site.tariff.peaks]
    return PriceView(
        marginal=marginal,
        priced=importing | spilled | exporting,
        surplus=~importing & (supplied_kwh <= NOTHING_KWH),
        sale=np.where(sells, tariff.export_price, np.nan),
        fee=np.where(costs, -tariff.export_price, np.nan),
        curtailed_kwh=np.where(spilled, flows.curtailed_kwh, np.nan),
        room_kwh=room_kwh,
        allowed_kwh=allowed_kwh,
        allowed_room_kwh=allowed_kwh - flows.import_kwh,
        peak_kwh=peak_kwh,
        peak_price=find_peak_price(plan),
        interval_hours=max(intervals, default=0.0),
    )


def _price_from_battery(plan: Plan) -> FloatArray:
    """Return the cost of one more kWh from the battery: its stored worth, within grid prices."""
    tariff = plan.problem.at_tariff_prices.outlook
    if not plan.problem.site.batteries:
        return tariff.import_price
    worth = plan.energy_value[0] / plan.problem.site.batteries[0].discharge_efficiency
    # Outside its limits a battery has no finite value.
    worth = np.where(np.isfinite(worth), worth, tariff.import_price)
    lowest = np.minimum(tariff.export_price, tariff.import_price)
    return np.clip(worth, lowest, tariff.import_price)


def missed_demands(plan: Plan, request: PlanRequest) -> list[CompromiseReply]:
    """Return the missed demands of flexible loads.

    Missing energy is priced at the horizon's highest import price.
    """
    if plan.load_schedule is None:
        return []
    zone = ZoneInfo(plan.problem.site.timezone)
    timeline = plan.problem.outlook.timeline
    language = request.options.language
    dearest = find_dearest(plan)
    compromises = []
    for load in plan.load_schedule.loads:
        for missed in load.missed(timeline, zone):
            cost = missed.missing_kwh * dearest
            compromises.append(name_compromise(missed.code, language, cost=cost, **missed.figures))
    return compromises


_NOTHING_KWH = 1e-4
_BATTERY_ACTIONS = ("charge", "discharge", "hold", "no_charge", "no_discharge")


def mark_slots(plan: Plan, blocks: Sequence[ManualBlock]) -> list[dict[str, Any]]:
    """Return the field ``manual`` of every slot."""
    count = plan.problem.outlook.timeline.count
    slots: list[dict[str, Any]] = [{"manual": []} for _ in range(count)]
    for block, inside in _applied(plan, blocks):
        for slot in np.flatnonzero(inside):
            if block.device not in slots[slot]["manual"]:
                slots[slot]["manual"].append(block.device)
    return slots


def missed_blocks(
    plan: Plan, blocks: Sequence[ManualBlock], language: Language = "en"
) -> list[CompromiseReply]:
    """Return the missed parts of blocks, priced at the horizon's highest import price.

    Those of a full or empty battery cost nothing.
    """
    dearest = find_dearest(plan)
    zone = ZoneInfo(plan.problem.site.timezone)
    compromises = []
    for block, inside in _applied(plan, blocks):
        for code, missing_kwh in _shortfalls(plan, block, inside):
            if missing_kwh <= _NOTHING_KWH:
                continue
            compromise = name_compromise(
                code,
                language,
                cost=missing_kwh * dearest if code == "manual" else 0.0,
                name=block.device,
                action=block.action,
                first=block.from_.astimezone(zone),
                last=block.to.astimezone(zone),
                kwh=missing_kwh,
            )
            compromises.append(compromise)
    return compromises


def reply_manual(
    with_blocks: tuple[Plan, PlanReply], without: tuple[Plan, PlanReply], request: PlanRequest
) -> ManualReply:
    """Return the blocks and their cost, the difference from the plan without them.

    None where either plan was not found in time.
    """
    manual = with_blocks[0].problem.manual
    refused = {} if manual is None else manual.refused
    blocks = []
    for index, block in enumerate(request.manual):
        outcome = {"applied": index not in refused, "why": refused.get(index)}
        blocks.append(BlockReply.model_validate(block.model_dump(by_alias=True) | outcome))
    if "self_consumption" in (with_blocks[0].method, without[0].method):
        return ManualReply(blocks=blocks, cost=None)
    return ManualReply(blocks=blocks, cost=round(_worth(*with_blocks) - _worth(*without), 6))


def _worth(plan: Plan, reply: PlanReply) -> float:
    """Return a plan's cost with its compromises, less the terminal value of its batteries."""
    value = plan.problem.at_tariff_prices.terminal.value
    terminal_worth = float((value * plan.flows.stored_kwh[:, -1]).sum())
    compromises_cost = sum(compromise.cost for compromise in reply.compromises)
    return reply.cost.total - terminal_worth + compromises_cost


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
    flows = plan.flows
    if plan.problem.manual is None:
        return
    if block.device in names and block.action in _BATTERY_ACTIONS:
        yield from _battery_shortfalls(plan, block, inside, names.index(block.device))
    elif block.action == "no_import":
        yield "manual", float(flows.import_kwh[inside].sum())
    elif block.action == "no_export":
        yield "manual", float(flows.export_kwh[inside].sum())
    elif plan.load_schedule:
        for load in plan.load_schedule.loads:
            if load.demand.name == block.device:
                yield from load.shortfalls(block, inside, plan.problem.outlook.timeline.hours)


def _battery_shortfalls(
    plan: Plan, block: ManualBlock, inside: BoolArray, index: int
) -> Iterator[tuple[str, float]]:
    manual = plan.problem.manual
    assert manual is not None  # noqa: S101  # the caller has looked
    battery = plan.problem.site.batteries[index]
    charge = plan.flows.charge_kwh[index]
    discharge = plan.flows.discharge_kwh[index]
    stored = plan.flows.stored_kwh[index]
    if block.action == "charge":
        full = stored >= full_kwh(battery) - _NOTHING_KWH
        yield from _split(manual.charge_kwh[index] - charge, inside, full, done_code="manual_full")
    elif block.action == "discharge":
        empty = stored <= battery.min_soc * battery.capacity_kwh + _NOTHING_KWH
        missing = manual.discharge_kwh[index] - discharge
        yield from _split(missing, inside, empty, done_code="manual_empty")
    else:
        against = np.zeros_like(charge)
        if not manual.may_charge[index, inside].any():
            against = against + charge
        if not manual.may_discharge[index, inside].any():
            against = against + discharge
        yield "manual", float(against[inside].sum())


def _split(
    missing_kwh: FloatArray, inside: BoolArray, done: BoolArray, *, done_code: str
) -> Iterator[tuple[str, float]]:
    yield "manual", float(missing_kwh[inside & ~done].sum())
    yield done_code, float(missing_kwh[inside & done].sum())
