"""The slots and set-points of a reply as columns."""

from collections.abc import Mapping
from math import isfinite

import numpy as np

from luna.contracts.control import BatterySetpoints, PvSetpoints
from luna.contracts.plan import PlanRequest
from luna.contracts.plan.columns import BANDS, Columns
from luna.energy.physics.mode import Curtailment, Mode
from luna.energy.policy import BatteryThresholds
from luna.energy.timeline import FloatArray
from services.planner.dp.plan import Plan
from services.planner.reply.devices import explain_schedules, mark_slots, schedule_columns
from services.planner.reply.evidence import Evidence
from services.planner.reply.reason_columns import PlanExplanation
from services.planner.reply.shown_modes import MODE_WORDS

_PV_WORDS = {
    Curtailment.NONE.value: "free",
    Curtailment.EXPORT.value: "no_export",
    Curtailment.ALL.value: "off",
}


def list_columns(
    evidence: Evidence, request: PlanRequest, explained: PlanExplanation, modes: list[str]
) -> Columns:
    """Return the slots of the reply as columns."""
    plan = evidence.plan
    flows = plan.flows
    ahead = plan.problem.outlook
    outlook = request.outlook
    load_kwh = ahead.load_kwh
    if plan.load_schedule is not None:
        load_kwh = load_kwh - plan.load_schedule.scheduled_kwh
    columns = {
        "load_kwh": load_kwh,
        "pv_kwh": ahead.pv_kwh,
        "curtailed_kwh": flows.curtailed_kwh,
        "import_kwh": flows.import_kwh,
        "export_kwh": flows.export_kwh,
        "import_price": evidence.buy,
        "export_price": evidence.sell,
    }
    if outlook:
        for name in BANDS:
            values = getattr(outlook, name)
            if values:
                columns[name] = np.array(values)
    batteries = _list_batteries(plan)
    devices = None
    if len(batteries) > 1:
        names = list(batteries)
        for name, reasons in zip(names, explained.by_battery, strict=True):
            batteries[name]["reason"] = reasons.write()
        # The battery that each slot's reason is about.
        devices = [names[index] for index in explained.battery_index.tolist()]
    return {
        "start": evidence.edges[:-1],
        "mode": modes,
        **round_columns(columns),
        **_schedule_columns(plan, request),
        "batteries": batteries,
        "reason": explained.of_slots.write(devices),
        "language": request.options.language,
    }


def _list_batteries(plan: Plan) -> dict[str, Columns]:
    """Return the columns of each battery."""
    flows = plan.flows
    batteries: dict[str, Columns] = {}
    for index, battery in enumerate(plan.problem.site.batteries):
        energies = {
            "charge_kwh": flows.charge_kwh[index],
            "discharge_kwh": flows.discharge_kwh[index],
        }
        soc_end = (flows.stored_kwh[index] / battery.capacity_kwh).round(9) + 0.0
        target_soc = (plan.setpoints.target_soc[index].round(6) + 0.0).astype(object)
        target_soc[plan.setpoints.mode[index] < Mode.CHARGE] = None
        batteries[battery.name] = {
            **round_columns(energies),
            "soc_end": soc_end.tolist(),
            "target_soc": target_soc.tolist(),
        }
    return batteries


def _schedule_columns(plan: Plan, request: PlanRequest) -> Columns:
    """Return the columns of flexible loads, and the devices that owner's blocks control."""
    columns: Columns = {}
    if plan.load_schedule is not None:
        columns = schedule_columns(plan.load_schedule)
        for kind, name, reasons in explain_schedules(plan):
            columns[kind][name]["reason"] = reasons
    if request.manual:
        columns["manual"] = [marks["manual"] for marks in mark_slots(plan, request.manual)]
    return columns


def round_columns(columns: Mapping[str, FloatArray]) -> dict[str, list[float]]:
    """Return columns of equal length rounded to 1e-6, without negative zeros.

    One array for all is faster.
    """
    rounded = np.array([*columns.values()]).round(6) + 0.0
    return dict(zip(columns, rounded.tolist(), strict=True))


def list_setpoints(plan: Plan) -> dict[str, BatterySetpoints]:
    """Return the set-points of each battery, rounded to 1e-6, without negative zeros."""
    setpoints = plan.setpoints
    modes = MODE_WORDS[setpoints.mode].tolist()
    limits = {
        "power_kw": setpoints.power_kw,
        "target_soc": setpoints.target_soc,
        "floor_soc": setpoints.floor_soc,
        "ceiling_soc": setpoints.ceiling_soc,
        "spill_soc": setpoints.spill_soc,
    }
    listed: dict[str, BatterySetpoints] = {}
    for place, battery in enumerate(plan.problem.site.batteries):
        own = {"mode": modes[place]}
        for name, values in limits.items():
            own[name] = (values[place].round(6) + 0.0).tolist()
        (listed[battery.name],) = BatterySetpoints.trust([own])
    return listed


def list_thresholds(plan: Plan) -> dict[str, BatteryThresholds]:
    """Return the thresholds of each battery's policy; without one, set-points alone count."""
    policies = [] if plan.policy is None else plan.policy.batteries
    return {policy.battery.name: BatteryThresholds.of(policy) for policy in policies}


def list_curtailment(plan: Plan) -> PvSetpoints | None:
    """Return the curtailment of PV in each slot; None where there is none."""
    limits = plan.setpoints.pv_limit_kw
    curtailment = plan.setpoints.curtailment
    if not (np.isfinite(limits).any() or curtailment.any()):
        return None
    modes: list[str] = []
    limits_kw: list[float | None] = []
    for limit_kw, code in zip(limits.round(6).tolist(), curtailment.tolist(), strict=True):
        if isfinite(limit_kw):
            modes.append("limit")
            limits_kw.append(limit_kw)
        else:
            modes.append(_PV_WORDS[code])
            limits_kw.append(None)
    return PvSetpoints.model_validate({"mode": modes, "limit_kw": limits_kw})
