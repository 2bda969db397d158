"""What flows and limits of plans say of their batteries and their sites, slot by slot.

Arrays over batteries and slots have shape ``(batteries, slots)``, those of a site ``(slots,)``. The slots of several plans stand end to end.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from luna.energy.physics import BoolArray, Conversion, Flows, charge_limit_kw
from luna.energy.timeline import FloatArray, bound
from services.planner.dp.end_to_end import A, join, join_parts
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


def _share_flows(flows: Flows, load: FloatArray, pv: FloatArray, sun: Conversion | None) -> FlowShares:
    """Return who gives what to whom; several batteries that do the same share it by how much they do."""
    produced = pv - flows.curtailed_kwh
    direct = np.zeros_like(flows.charge_kwh) if sun is None else np.minimum(np.minimum(flows.charge_kwh, sun.direct_kwh), produced)
    used, available = produced - direct.sum(axis=0), pv if sun is None else sun.ac_kwh
    need = np.maximum(load - used, 0.0)
    charge = flows.charge_kwh - direct
    taken_in, given = charge.sum(axis=0), flows.discharge_kwh.sum(axis=0)
    served = np.minimum(given, need)
    short = np.minimum(flows.import_kwh, need - served)
    bought = bound(flows.import_kwh - short, 0.0, taken_in)
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
    """The flows of plans beside their limits; their problems are such as may stand end to end."""

    def __init__(self, plans: Sequence[Plan]) -> None:
        self.plans, self.timeline, self.slots = plans, plans[0].problem.outlook.timeline, plans[0].problem.outlook.timeline.count
        self.flows = join_parts([plan.flows for plan in plans], self.slots)
        self.limits = join_parts([plan.problem.limits for plan in plans], self.slots)
        self.hours = self.join(lambda plan: plan.problem.outlook.timeline.hours)
        self.battery, self.conversion = self.limits.batteries, join_parts([plan.problem.conversion for plan in plans], self.slots)
        self.charge, self.discharge = self.flows.charge_kwh, self.flows.discharge_kwh
        self.charges, self.gives = self.charge > NOTHING_KWH, self.discharge > NOTHING_KWH
        self.rests: BoolArray = ~(self.charges | self.gives)
        self.exists: BoolArray = np.ones(self.charge.shape, dtype=bool)
        self.start_kwh, self.end_kwh = self.join(lambda plan: plan.start_kwh), self.flows.stored_kwh
        self.imports, self.exports = self.flows.import_kwh, self.flows.export_kwh
        self.load_kwh, self.pv_kwh = self.join(lambda plan: plan.problem.outlook.load_kwh), self.join(lambda plan: plan.problem.outlook.pv_kwh)
        self.shares: FlowShares = _share_flows(self.flows, self.load_kwh, self.pv_kwh, self.conversion)

    def join(self, read: Callable[[Plan], A]) -> A:
        """Return what is read of each plan over the slots of all of them."""
        return join([read(plan) for plan in self.plans], self.slots)

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
        return self.join(lambda plan: plan.problem.export_limit_kwh)

    @cached_property
    def may_feed_in(self) -> BoolArray:
        return self.feed_in_limit_kwh > NOTHING_KWH

    @cached_property
    def fills_feed_in(self) -> BoolArray:
        return self.may_feed_in & (self.exports >= self.feed_in_limit_kwh - NOTHING_KWH)

    @cached_property
    def fills_connection(self) -> BoolArray:
        return self.imports >= self.connection_kwh - NOTHING_KWH

    @cached_property
    def connection_kwh(self) -> FloatArray:
        return self.join(lambda plan: plan.problem.connection_limit_kwh)

    @cached_property
    def peak_kwh(self) -> FloatArray:
        return self.join(find_peak_limit)

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
        lowest, wanted = self.battery.min_kwh, self.wanted_kwh
        return np.broadcast_to(lowest, self.charge.shape) if wanted is None else np.maximum(lowest, wanted)

    @cached_property
    def wanted_kwh(self) -> FloatArray | None:
        """The reserves that are wanted at the end of each slot; None where there are none at all."""
        if all(plan.problem.storage.reserve_kwh is None for plan in self.plans):
            return None
        nothing = np.zeros((len(self.charge), 1))
        return self.join(lambda plan: nothing if plan.problem.storage.reserve_kwh is None else plan.problem.storage.reserve_kwh)

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
        sun = self.conversion
        return np.full(self.charge.shape, np.inf) if sun is None else np.maximum(sun.room_kwh, 0.0)

    @cached_property
    def discharge_power_kwh(self) -> FloatArray:
        return self.battery.discharge_limit_kw * self.hours

    @cached_property
    def charge_power_kwh(self) -> FloatArray:
        """What a battery can take at its state of charge."""
        most, tapers = self.battery.charge_limit_kw, self.battery.taper_from_soc < 1.0
        return np.asarray((np.where(tapers, charge_limit_kw(self.start_kwh, self.battery), most) if tapers.any() else most) * self.hours)

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
        if all(plan.problem.storage.give_limit_kwh is None for plan in self.plans):
            return np.zeros(self.charge.shape, dtype=bool)
        free = np.array([np.inf])
        limit = self.join(lambda plan: free if plan.problem.storage.give_limit_kwh is None else plan.problem.storage.give_limit_kwh)
        more = (self.end_kwh > self.floor_kwh + SAME_KWH) & (self.discharge < self.discharge_power_kwh - NOTHING_KWH)
        return np.asarray(more & np.isfinite(limit) & (self.discharge.sum(axis=0) >= limit - NOTHING_KWH))

    @cached_property
    def others_move(self) -> BoolArray:
        moved = self.charge + self.discharge
        return np.asarray(moved.sum(axis=0) - moved > NOTHING_KWH)

    @cached_property
    def fills_inverter(self) -> BoolArray:
        """Where sun and battery use all that the battery's inverter carries."""
        sun = self.conversion
        if sun is None:
            return np.zeros(self.charge.shape, dtype=bool)
        takes = self.charges & (self.charge >= sun.intake_kwh + sun.direct_kwh - NOTHING_KWH)
        return (sun.direct_kwh > NOTHING_KWH) | self.gives & (self.discharge >= sun.room_kwh - NOTHING_KWH) | takes
