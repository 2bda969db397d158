"""From planned flows to what batteries follow: what is bought and sold as planned, everything beside it left to the house as far as that pays."""

import numpy as np

from luna.energy.devices import Battery
from luna.energy.economics import break_even
from luna.energy.physics import BoolArray, Mode
from luna.energy.policy import HIGHEST_SOC, LOWEST_SOC, BatteryPolicy, SocThresholds
from luna.energy.timeline import FloatArray
from services.planner.dp.plan import Plan
from services.planner.dp.value import TIE
from services.planner.problem.problem import Problem

_SAME_KWH = 1e-7


def follow_flows(plan: Plan, index: int, *, open_house: bool) -> BatteryPolicy:
    """Return what one battery follows for the plan's flows to come about.

    Every bound is the planned state of charge at the end of the slot. Where the plan leaves nothing to sell or to buy, storing and serving are bounded by
    nothing but what a stored kWh is worth: on the expected course that changes nothing.

    Args:
        plan: that physics has settled.
        index: of the battery.
        open_house: whether surplus and load beyond the expected ones are met.
    """
    problem, flows, battery = plan.problem, plan.flows, plan.problem.site.batteries[index]
    end, mode = flows.stored_kwh[index] / battery.capacity_kwh, plan.setpoints.mode[index]
    charges, discharges = flows.charge_kwh[index] > _SAME_KWH, flows.discharge_kwh[index] > _SAME_KWH
    buys, sells = charges & (mode == Mode.CHARGE), discharges & (mode == Mode.EXPORT)
    shut = np.zeros(end.shape, dtype=bool) if open_house else np.ones(end.shape, dtype=bool)
    stores, spills, serves = (pays & ~(shut | pinned_slots(problem, index)) for pays in pay_house(plan, index))
    no_surplus, no_deficit = flows.export_kwh + flows.curtailed_kwh <= _SAME_KWH, flows.import_kwh <= _SAME_KWH
    level = SocThresholds(
        buy=np.where(buys, end, LOWEST_SOC),
        store=np.where(stores & no_surplus & ~buys, battery.max_soc, np.where(charges, end, LOWEST_SOC)),
        spill=np.where(spills & ~buys, battery.max_soc, np.where(charges, end, LOWEST_SOC)),
        serve=np.where(serves & no_deficit & ~sells, battery.min_soc, np.where(discharges, end, HIGHEST_SOC)),
        sell=np.where(sells, end, HIGHEST_SOC),
    ).rounded()
    never = np.zeros(end.shape, dtype=bool)
    return BatteryPolicy(battery, level, level, never, *_powers(plan, index, battery))


def pay_house(plan: Plan, index: int) -> tuple[BoolArray, BoolArray, BoolArray]:
    """Return in which slots storing surplus, storing what would be held back, and serving the load pay by what a stored kWh is worth, each ``(slots,)``.

    The margin toward the house counts in; where nobody knows what a kWh is worth, all pay.
    """
    problem, battery = plan.problem, plan.problem.site.batteries[index]
    outlook, worth, margin = problem.outlook, plan.energy_value[index], problem.following.margin.self_consumption_margin + TIE
    terms = {"charge_efficiency": battery.charge_efficiency, "discharge_efficiency": battery.discharge_efficiency, "wear_price": battery.wear_price}
    earned = np.maximum(outlook.export_price, 0.0) if problem.site.curtailable else outlook.export_price
    levels = break_even(outlook.import_price, earned, **terms)
    unknown = ~np.isfinite(worth)
    stores, spills, serves = worth >= levels.store - margin, worth >= levels.spill - margin, worth <= levels.serve + margin
    return unknown | stores, unknown | spills, unknown | serves


def pinned_slots(problem: Problem, index: int) -> BoolArray:
    """Return the slots in which an owner's block says what a battery does, shape ``(slots,)``."""
    manual = problem.manual
    if manual is None:
        return np.zeros(problem.outlook.timeline.count, dtype=bool)
    return np.asarray(np.isfinite(manual.charge_kwh[index]) | np.isfinite(manual.discharge_kwh[index]))


def _powers(plan: Plan, index: int, battery: Battery) -> tuple[FloatArray, FloatArray]:
    power = plan.setpoints.power_kw[index]
    mode = plan.setpoints.mode[index]
    return np.where(mode == Mode.CHARGE, power, battery.charge_limit_kw), np.where(mode == Mode.EXPORT, power, battery.discharge_limit_kw)
