"""Check that issued plans hold: energy balances, stored energy from slot to slot, and costs."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import Connection

from luna.contracts.plan import PlanReply, PlanRequest
from luna.contracts.plan_questions import CheckPlansReply, PlanFinding
from luna.energy.devices import FLOW_KINDS
from luna.energy.devices.battery import Battery
from luna.energy.economics.charges import peak_cost
from luna.energy.economics.costs import slot_costs
from luna.energy.economics.depth_wear import depth_wear
from luna.energy.site import Site
from luna.energy.timeline import STEPS, FloatArray, Timeline
from luna.platform.database import plans, sites
from services.planner.problem.build import read_peaks

# Energies of a reply are rounded to 1e-6 kWh; what a dozen of them may be off together.
TOLERANCE_KWH = 1e-5


@dataclass(frozen=True, slots=True)
class Finding:
    """Fault of a plan in a slot (None: over the plan); ``off`` is in kWh or money."""

    what: str
    off: float
    start: datetime | None = None


def check_reply(reply: PlanReply, inputs: PlanRequest | None) -> list[Finding]:
    """Return the faults of a plan.

    Args:
        reply: the plan as it was answered.
        inputs: the complete request it was made from; without them, only what the answer alone can
            tell is checked.
    """
    site = inputs.site if inputs else None
    findings = [*_balances(reply), *_money_of_meter(reply)]
    if inputs is None or site is None:
        return findings
    return [
        *findings,
        *_continuity(reply, site, _starts(inputs, reply)),
        *_money_of_site(reply, inputs, site),
    ]


def _balances(reply: PlanReply) -> Iterator[Finding]:
    for slot in reply.slots:
        supplied = slot.pv_kwh - slot.curtailed_kwh + slot.import_kwh
        used = slot.load_kwh + slot.export_kwh
        for kind in FLOW_KINDS:
            takes, *gives = kind.plan.flows
            for flow in getattr(slot, kind.section).values():
                used += getattr(flow, takes) - sum(getattr(flow, name) for name in gives)
        if abs(supplied - used) > TOLERANCE_KWH:
            yield Finding("balance", supplied - used, slot.start)


def _starts(inputs: PlanRequest, reply: PlanReply) -> dict[str, float]:
    """Return the known states of charge before the first slot."""
    batteries = inputs.state.batteries
    return {name: batteries[name].soc for name in batteries if name in reply.slots[0].batteries}


def _continuity(reply: PlanReply, site: Site, starts: dict[str, float]) -> Iterator[Finding]:
    for battery in site.batteries:
        before = starts.get(battery.name)
        for slot in reply.slots:
            flow = slot.batteries[battery.name]
            if before is not None:
                put_in = flow.charge_kwh * battery.charge_efficiency
                moved = put_in - flow.discharge_kwh / battery.discharge_efficiency
                off = (flow.soc_end - before) * battery.capacity_kwh - moved
                if abs(off) > TOLERANCE_KWH:
                    yield Finding(f"stored energy of {battery.name}", off, slot.start)
            beyond = _beyond(battery, flow.soc_end)
            # Whether a battery moves further out of its limits: one that was measured beyond them
            # may take slots to come back.
            moves_out = before is None or abs(beyond) > abs(_beyond(battery, before)) + 1e-6
            is_inside = battery.min_soc - 1e-6 <= flow.soc_end <= battery.max_soc + 1e-6
            if moves_out and not is_inside:
                yield Finding(f"limits of {battery.name}", beyond, slot.start)
            before = flow.soc_end


def _beyond(battery: Battery, soc: float) -> float:
    return (soc - min(max(soc, battery.min_soc), battery.max_soc)) * battery.capacity_kwh


def _money_of_meter(reply: PlanReply) -> Iterator[Finding]:
    """Check what is bought and sold, and that the parts make the total."""
    cost = reply.cost
    columns = _columns(reply)
    priced = slot_costs(**columns, throughput_kwh=np.zeros((1, len(reply.slots))), wear_price=0.0)
    tolerance = _tolerance(columns)
    stated = {
        "cost of import": cost.import_,
        "earnings of export": cost.export,
        "total cost": cost.total,
    }
    computed = [
        float(priced.import_cost.sum()),
        float(priced.export_cost.sum()),
        cost.import_ + cost.export + cost.wear + cost.peak + cost.devices,
    ]
    for (what, stated_cost), actual_cost in zip(stated.items(), computed, strict=True):
        if abs(stated_cost - actual_cost) > tolerance:
            yield Finding(what, stated_cost - actual_cost)


def _money_of_site(reply: PlanReply, inputs: PlanRequest, site: Site) -> Iterator[Finding]:
    """Check wear and peaks, which only the site's prices tell."""
    columns = _columns(reply)
    first = None
    if inputs.first_slot_minutes is not None:
        first = timedelta(minutes=inputs.first_slot_minutes)
    slot_length = timedelta(minutes=reply.slot_minutes)
    step = next(step for step in STEPS if step == slot_length)
    timeline = Timeline(reply.slots[0].start, step, len(reply.slots), first)
    peaks = read_peaks(site, inputs.state)
    peak = peak_cost(columns["import_kwh"], timeline, peaks, zone=ZoneInfo(site.timezone))
    for what, stated_cost, actual_cost in (
        ("wear", reply.cost.wear, _wear(reply, inputs, site)),
        ("peak", reply.cost.peak, peak),
    ):
        if abs(stated_cost - actual_cost) > _tolerance(columns) * 10:
            yield Finding(what, stated_cost - actual_cost)


def _wear(reply: PlanReply, inputs: PlanRequest, site: Site) -> float:
    if not site.batteries:
        return 0.0
    starts = _starts(inputs, reply)
    throughput_cost = 0.0
    begin_kwh = []
    stored_kwh = []
    for battery in site.batteries:
        flows = [slot.batteries[battery.name] for slot in reply.slots]
        moved_kwh = sum(flow.charge_kwh + flow.discharge_kwh for flow in flows)
        throughput_cost += battery.wear_price * moved_kwh
        begin_kwh.append(starts.get(battery.name, 0.0) * battery.capacity_kwh)
        stored_kwh.append([flow.soc_end * battery.capacity_kwh for flow in flows])
    by_depth = depth_wear(site.batteries, np.array(stored_kwh), np.array(begin_kwh))
    return float(throughput_cost + by_depth.sum())


def _columns(reply: PlanReply) -> dict[str, FloatArray]:
    names = ("import_kwh", "export_kwh", "import_price", "export_price")
    return {name: np.array([getattr(slot, name) for slot in reply.slots]) for name in names}


def _tolerance(columns: dict[str, FloatArray]) -> float:
    """Return the money that rounded energies may cause."""
    import_prices = np.abs(columns["import_price"]).sum()
    export_prices = np.abs(columns["export_price"]).sum()
    return 1e-6 * (1.0 + float(import_prices + export_prices))


@dataclass(frozen=True, slots=True)
class CheckedPlans:
    """The number of checked plans, and the faults by plan."""

    plans: int
    broken: dict[str, list[Finding]]

    def reply(self, site_id: str) -> CheckPlansReply:
        findings = []
        for plan_id, broken in self.broken.items():
            for fault in broken:
                finding = PlanFinding(
                    plan_id=plan_id, what=fault.what, off=fault.off, start=fault.start
                )
                findings.append(finding)
        return CheckPlansReply(
            site_id=site_id, plans=self.plans, broken=len(self.broken), findings=findings
        )


def check_plans(
    connection: Connection, site_id: str, first: datetime, end: datetime
) -> CheckedPlans:
    """Return the faults of the plans issued from ``first`` on, before ``end``.

    Raises:
        NotFoundError: no such site.
    """
    sites.load(connection, site_id)
    count = 0
    broken = {}
    for reply, inputs in plans.read_issued(connection, site_id, first, end):
        count += 1
        findings = check_reply(reply, inputs)
        if findings:
            broken[reply.plan_id] = findings
    return CheckedPlans(count, broken)
