"""What a plan's flows and limits say of its batteries and its site, slot by slot.

Arrays over batteries and slots have shape ``(batteries, slots)``, those of the site ``(slots,)``.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from luna.physics import BoolArray, charge_limit_kw
from luna.timeline import FloatArray
from services.planner.dp.plan import Plan
from services.planner.reply.prices import find_peak_limit

_NOTHING_KWH = 1e-6


@dataclass(frozen=True, slots=True)
class FlowShares:
    """Energies per slot, kWh. By battery (``(batteries, slots)``): what it buys, takes from the sun and from other batteries, sells, serves, passes on.

    ``direct_kwh`` is what of the sun it takes beyond its inverter. Of the site (``(slots,)``): ``short_kwh`` is what the house draws, ``sun_sold_kwh``
    surplus that is sold, ``held_kwh`` surplus that is held back, without what inverters cannot pass on.
    """

    bought_kwh: FloatArray
    sun_kwh: FloatArray
    taken_kwh: FloatArray
    direct_kwh: FloatArray
    sold_kwh: FloatArray
    served_kwh: FloatArray
    passed_kwh: FloatArray
    short_kwh: FloatArray
    sun_sold_kwh: FloatArray
    held_kwh: FloatArray


def share_flows(plan: Plan) -> FlowShares:
    """Return who gives what to whom; several batteries that do the same share it by how much they do."""
    problem, flows = plan.problem, plan.flows
    load, sun = problem.outlook.load_kwh, problem.conversion
    produced = problem.outlook.pv_kwh - flows.curtailed_kwh
    direct = np.zeros_like(flows.charge_kwh) if sun is None else np.minimum(np.minimum(flows.charge_kwh, sun.direct_kwh), produced)
    used, available = produced - direct.sum(axis=0), problem.ac_pv_kwh
    need = np.maximum(load - used, 0.0)
    charge = flows.charge_kwh - direct
    taken_in, given = charge.sum(axis=0), flows.discharge_kwh.sum(axis=0)
    served = np.minimum(given, need)
    short = np.minimum(flows.import_kwh, need - served)
    bought = np.clip(flows.import_kwh - short, 0.0, taken_in)
    sold = np.minimum(flows.export_kwh, given - served)
    passed = given - served - sold
    into, out = _divide(charge, taken_in), _divide(flows.discharge_kwh, given)
    # What the house could use and does not, because drawing is paid, is no surplus.
    surplus = np.where(need > _NOTHING_KWH, 0.0, np.maximum(available - load, 0.0))
    sun_sold = np.maximum(flows.export_kwh - sold, 0.0)
    return FlowShares(
        bought_kwh=into * bought,
        sun_kwh=direct + into * np.maximum(taken_in - bought - passed, 0.0),
        taken_kwh=into * np.minimum(passed, taken_in - bought),
        direct_kwh=direct,
        sold_kwh=out * sold,
        served_kwh=out * served,
        passed_kwh=out * passed,
        short_kwh=short,
        sun_sold_kwh=sun_sold,
        held_kwh=np.minimum(np.maximum(available - used, 0.0), np.maximum(surplus - sun_sold, 0.0)),
    )


def _divide(part: FloatArray, whole: FloatArray) -> FloatArray:
    """Return the share of each battery in what all of them do."""
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0.0)


NOTHING_KWH = 1e-6
# Stored energies this close are the same: what a plan and its re-simulation may be apart.
SAME_KWH = 2e-5
# A state of charge this far outside its limits is shown to be so.
OUTSIDE_SOC = 5e-4


class SlotFlows:
    """A plan's flows beside its limits."""

    def __init__(self, plan: Plan) -> None:
        self.plan, self.problem, self.flows = plan, plan.problem, plan.flows
        self.outlook, self.hours = plan.problem.outlook, plan.problem.outlook.timeline.hours
        self.battery = plan.problem.limits.batteries
        self.charge, self.discharge = plan.flows.charge_kwh, plan.flows.discharge_kwh
        self.charges, self.gives = self.charge > NOTHING_KWH, self.discharge > NOTHING_KWH
        self.rests: BoolArray = ~(self.charges | self.gives)
        self.exists: BoolArray = np.ones(self.charge.shape, dtype=bool)
        self.start_kwh, self.end_kwh = plan.start_kwh, plan.flows.stored_kwh
        self.imports, self.exports = plan.flows.import_kwh, plan.flows.export_kwh
        self.shares: FlowShares = share_flows(plan)

    # --- the site ---------------------------------------------------------------------------------------------------------------------------

    @cached_property
    def short(self) -> BoolArray:
        """Where the house draws on the grid for what sun and batteries do not bring."""
        return self.shares.short_kwh > NOTHING_KWH

    @cached_property
    def left(self) -> BoolArray:
        """Where batteries leave surplus, sold or held back."""
        return self.shares.sun_sold_kwh + self.shares.held_kwh > NOTHING_KWH

    @cached_property
    def sells_sun(self) -> BoolArray:
        return self.shares.sun_sold_kwh > NOTHING_KWH

    @cached_property
    def holds_back(self) -> BoolArray:
        return self.shares.held_kwh > NOTHING_KWH

    @cached_property
    def feed_in_limit_kwh(self) -> FloatArray:
        return self.problem.export_limit_kwh

    @cached_property
    def may_feed_in(self) -> BoolArray:
        return self.feed_in_limit_kwh > NOTHING_KWH

    @cached_property
    def fills_feed_in(self) -> BoolArray:
        return self.may_feed_in & (self.exports >= self.feed_in_limit_kwh - NOTHING_KWH)

    @cached_property
    def fills_connection(self) -> BoolArray:
        return self.imports >= self.problem.connection_limit_kwh - NOTHING_KWH

    @cached_property
    def peak_kwh(self) -> FloatArray:
        return find_peak_limit(self.plan)

    @cached_property
    def keeps_peak(self) -> BoolArray:
        """Where the meter stands at what keeps the month's peak, and not beyond it."""
        return self.fills_peak & (self.imports <= self.peak_kwh + NOTHING_KWH)

    @cached_property
    def fills_peak(self) -> BoolArray:
        return self.imports >= self.peak_kwh - NOTHING_KWH

    # --- a battery --------------------------------------------------------------------------------------------------------------------------

    @cached_property
    def below_limits(self) -> BoolArray:
        return self.start_kwh < self.battery.min_kwh - OUTSIDE_SOC * self.battery.capacity_kwh

    @cached_property
    def above_limits(self) -> BoolArray:
        return self.start_kwh > self.battery.max_kwh + OUTSIDE_SOC * self.battery.capacity_kwh

    @cached_property
    def full(self) -> BoolArray:
        return self.start_kwh >= self.battery.max_kwh - SAME_KWH

    @cached_property
    def floor_kwh(self) -> FloatArray:
        """What a battery keeps: its lowest state of charge, or the reserve that is wanted at the end of the slot."""
        reserve = self.problem.storage.reserve_kwh
        return np.broadcast_to(self.battery.min_kwh, self.charge.shape) if reserve is None else np.maximum(self.battery.min_kwh, reserve)

    @cached_property
    def empty(self) -> BoolArray:
        return self.end_kwh <= self.floor_kwh + SAME_KWH

    @cached_property
    def has_reserve(self) -> BoolArray:
        return self.reserve_soc > OUTSIDE_SOC

    @cached_property
    def reserve_soc(self) -> FloatArray:
        return self.floor_kwh / self.battery.capacity_kwh

    @cached_property
    def usable_kwh(self) -> FloatArray:
        return self.end_kwh - self.battery.min_kwh

    @cached_property
    def room_kwh(self) -> FloatArray:
        """What the inverter of a battery carries beside its sun; infinite where it stands behind none."""
        sun = self.problem.conversion
        return np.full(self.charge.shape, np.inf) if sun is None else np.maximum(sun.room_kwh, 0.0)

    @cached_property
    def discharge_power_kwh(self) -> FloatArray:
        return self.battery.discharge_limit_kw * self.hours

    @cached_property
    def charge_power_kwh(self) -> FloatArray:
        """What a battery can take at its state of charge."""
        tapers = (self.battery.taper_from_soc < 1.0).any()
        return (charge_limit_kw(self.start_kwh, self.battery) if tapers else self.battery.charge_limit_kw) * self.hours

    @cached_property
    def gives_all(self) -> BoolArray:
        most = np.minimum(self.discharge_power_kwh, self.room_kwh)
        return (self.gives | (self.discharge_power_kwh <= NOTHING_KWH)) & (self.discharge >= most - NOTHING_KWH)

    @cached_property
    def takes_all(self) -> BoolArray:
        """Where a battery charges as fast as it can at its state of charge, and does not thereby become full."""
        able = self.charges | (self.charge_power_kwh <= NOTHING_KWH)
        return able & (self.charge >= self.charge_power_kwh - NOTHING_KWH) & (self.end_kwh < self.battery.max_kwh - SAME_KWH)

    @cached_property
    def spares_car(self) -> BoolArray:
        """Where batteries give all that they may, for a car charges that they may not feed."""
        limit = self.problem.storage.give_limit_kwh
        if limit is None:
            return np.zeros(self.charge.shape, dtype=bool)
        more = (self.end_kwh > self.floor_kwh + SAME_KWH) & (self.discharge < self.discharge_power_kwh - NOTHING_KWH)
        return np.asarray(more & np.isfinite(limit) & (self.discharge.sum(axis=0) >= limit - NOTHING_KWH))

    @cached_property
    def others_move(self) -> BoolArray:
        moved = self.charge + self.discharge
        return np.asarray(moved.sum(axis=0) - moved > NOTHING_KWH)

    @cached_property
    def fills_inverter(self) -> BoolArray:
        """Where sun and battery use all that the battery's inverter carries."""
        sun = self.problem.conversion
        if sun is None:
            return np.zeros(self.charge.shape, dtype=bool)
        takes = self.charges & (self.charge >= sun.intake_kwh + sun.direct_kwh - NOTHING_KWH)
        return (sun.direct_kwh > NOTHING_KWH) | self.gives & (self.discharge >= sun.room_kwh - NOTHING_KWH) | takes
