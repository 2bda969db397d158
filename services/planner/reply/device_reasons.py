"""The reasons of everything that a plan places."""

from collections.abc import Iterator

import numpy as np

from luna.contracts.plan.columns import Columns
from luna.energy.physics import BoolArray
from luna.energy.timeline import FloatArray
from services.planner.devices.causes import LITTLE_KWH, NOTHING_KWH, Codes, DeviceReasons, SlotWindow, ToldSlots
from services.planner.dp.plan import Plan
from services.planner.problem.vehicle_demand import ChargingSession, VehicleDemand
from services.planner.reply.prices import view_prices


def _tell_vehicle(reasons: DeviceReasons, demand: VehicleDemand, charge_kwh: FloatArray, give_kwh: FloatArray, *, missing_kwh: FloatArray) -> Columns:
    """Return the reason of every slot at the charger; None where the vehicle is away."""
    told, slots, vehicle = ToldSlots(charge_kwh.size), np.arange(charge_kwh.size), demand.vehicle
    stored = demand.stored_after(charge_kwh, give_kwh)
    least, most = (power_kw * demand.plugged_hours for power_kw in (vehicle.min_charge_kw, vehicle.most_charge_kw))
    bound = _tell_bound(reasons, told, demand, charge_kwh)
    for stay, missing in zip(demand.stays, missing_kwh.tolist(), strict=True):
        here = (slots >= stay.first) & (slots < stay.end) & (demand.plugged_hours > 0) & ~bound
        window = SlotWindow(here, min(stay.until, reasons.outlook.timeline.end), charge_kwh, least, most, float(missing))
        ready = stored >= (stay.most_kwh if stay.surplus_only else stay.target_kwh) - LITTLE_KWH
        idle = _idle_car(reasons, window, stay, ready)
        reasons.tell_window(told, window, np.where(give_kwh > NOTHING_KWH, "ev_gives", np.where(window.used, reasons.charging(window), idle)))
    return told.write()


def _tell_bound(reasons: DeviceReasons, told: ToldSlots, demand: VehicleDemand, charge_kwh: FloatArray) -> BoolArray:
    """Give the slots their reason in which the vehicle charges because it has to, and no more; return which these are."""
    least = demand.least_charge_kwh
    bound = (charge_kwh > NOTHING_KWH) & (least > 0) & (charge_kwh <= least + LITTLE_KWH)
    power_kw = np.divide(least, demand.plugged_hours, out=np.zeros_like(least), where=bound).astype(object)
    told.tell(bound, np.where(demand.pinned, "ev_pinned", "ev_minimum"), start=reasons.starts, kw=power_kw)
    return bound


def _idle_car(reasons: DeviceReasons, window: SlotWindow, stay: ChargingSession, ready: BoolArray) -> Codes:
    """Return the codes of slots that charge nothing; ``ready`` says where the car is as full as wanted."""
    if stay.surplus_only:
        return np.where(ready & ~window.later, "ev_ready", "ev_waits_surplus")
    short = "ev_short" if window.missing_kwh > LITTLE_KWH else "ev_later"
    return np.where(window.later, reasons.waiting(window), np.where(ready, "ev_ready", short))


def tell_placed(plan: Plan) -> Iterator[tuple[str, str, Columns]]:
    """Yield section, name and reasons of everything placed that has some."""
    placement = plan.placement
    if placement is None or not placement.demands.any():
        return
    reasons, demands = DeviceReasons(view_prices(plan), plan.problem.paid.outlook), placement.demands
    for car, charge, give, missing in zip(demands.vehicles, placement.vehicle_kwh, placement.vehicle_give_kwh, placement.vehicle_missing_kwh, strict=True):
        yield "vehicles", car.vehicle.name, _tell_vehicle(reasons, car, charge, give, missing_kwh=missing)
    for placed in placement.loads:
        if explained := placed.explain(reasons):
            yield placed.demand.section, placed.demand.name, explained
