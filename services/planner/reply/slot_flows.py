"""What flows and limits of plans say of their batteries and their sites, slot by slot.

Arrays over batteries and slots have shape ``(batteries, slots)``, those of a site ``(slots,)``. The
slots of several plans stand end to end.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from luna.energy.economics.charges import month_shares
from luna.energy.physics.inverters import Conversion
from luna.energy.physics.limits import BatteryLimits, SiteLimits, charge_limit_kw
from luna.energy.physics.mode import BoolArray
from luna.energy.physics.simulation import Flows
from luna.energy.timeline import FloatArray, bound
from services.planner.dp.plan import A, Plan, join, join_parts

NOTHING_KWH = 1e-6
# Stored energies this close are the same: what a plan and its re-simulation may be apart.
SAME_KWH = 2e-5
# A state of charge this far outside its limits is shown to be so.
OUTSIDE_SOC = 5e-4
# Room for this much is no room.
_LITTLE_KWH = 1e-4


@dataclass(frozen=True, slots=True)
class FlowShares:
    """Energies per slot, kWh.

    By battery (``(batteries, slots)``): what it buys, takes from the sun and from other batteries,
    sells, serves, passes on.

    ``direct_kwh`` is what of the sun it takes beyond its inverter. Of the site (``(slots,)``):
    ``short_kwh`` is what the house draws, ``sun_sold_kwh`` surplus that is sold,
    ``sun_curtailed_kwh`` surplus that is held back, without what inverters cannot pass on.
    """

    bought_kwh: FloatArray
    sun_kwh: FloatArray
    taken_over_kwh: FloatArray
    direct_kwh: FloatArray
    sold_kwh: FloatArray
    served_kwh: FloatArray
    passed_kwh: FloatArray
    short_kwh: FloatArray
    sun_sold_kwh: FloatArray
    sun_curtailed_kwh: FloatArray


def _share_flows(
    flows: Flows, load: FloatArray, pv: FloatArray, sun: Conversion | None
) -> FlowShares:
    """Return the flows between house, sun, grid and batteries.

    Several batteries share a flow in proportion to their own.
    """
    produced = pv - flows.curtailed_kwh
    direct = (
        np.zeros_like(flows.charge_kwh)
        if sun is None
        else np.minimum(np.minimum(flows.charge_kwh, sun.direct_kwh), produced)
    )
    used, available = produced - direct.sum(axis=0), pv if sun is None else sun.ac_kwh
    need = np.maximum(load - used, 0.0)
    charge = flows.charge_kwh - direct
    charged, discharged = charge.sum(axis=0), flows.discharge_kwh.sum(axis=0)
    served = np.minimum(discharged, need)
    short = np.minimum(flows.import_kwh, need - served)
    bought = bound(flows.import_kwh - short, 0.0, charged)
    sold = np.minimum(flows.export_kwh, discharged - served)
    passed = discharged - served - sold
    # The share of each battery in what all of them do.
    into = np.divide(charge, charged, out=np.zeros_like(charge), where=charged > 0.0)
    out = np.divide(
        flows.discharge_kwh,
        discharged,
        out=np.zeros_like(flows.discharge_kwh),
        where=discharged > 0.0,
    )
    # What the house could use and does not, because drawing is paid, is no surplus.
    surplus = np.where(need > NOTHING_KWH, 0.0, np.maximum(available - load, 0.0))
    sun_sold = np.maximum(flows.export_kwh - sold, 0.0)
    return FlowShares(
        bought_kwh=into * bought,
        sun_kwh=direct + into * np.maximum(charged - bought - passed, 0.0),
        taken_over_kwh=into * np.minimum(passed, charged - bought),
        direct_kwh=direct,
        sold_kwh=out * sold,
        served_kwh=out * served,
        passed_kwh=out * passed,
        short_kwh=short,
        sun_sold_kwh=sun_sold,
        sun_curtailed_kwh=np.minimum(
            np.maximum(available - used, 0.0), np.maximum(surplus - sun_sold, 0.0)
        ),
    )


class SlotFlows:
    """The flows of plans beside their limits; their problems are such as may stand end to end."""

    def __init__(self, plans: Sequence[Plan]) -> None:
        self.plans, self.timeline, self.slots = (
            plans,
            plans[0].problem.outlook.timeline,
            plans[0].problem.outlook.timeline.count,
        )
        self.flows: Flows = self.join_parts("flows")
        self.limits: SiteLimits = self.join_parts("problem.limits")
        self.conversion: Conversion | None = self.join_parts("problem.conversion")
        self.battery: BatteryLimits = self.limits.batteries
        self.hours = self.join("problem.outlook.timeline.hours")
        self.charge: FloatArray = self.flows.charge_kwh
        self.discharge: FloatArray = self.flows.discharge_kwh
        self.charges, self.gives = self.charge > NOTHING_KWH, self.discharge > NOTHING_KWH
        self.rests: BoolArray = ~(self.charges | self.gives)
        self.charges_not: BoolArray = ~self.charges
        self.exists: BoolArray = np.ones(self.charge.shape, dtype=bool)
        self.start_kwh, self.end_kwh = self.join("start_kwh"), self.flows.stored_kwh
        self.imports, self.exports = self.flows.import_kwh, self.flows.export_kwh
        self.load_kwh, self.pv_kwh = (
            self.join("problem.outlook.load_kwh"),
            self.join("problem.outlook.pv_kwh"),
        )
        self.shares = shares = _share_flows(self.flows, self.load_kwh, self.pv_kwh, self.conversion)
        # Where the house draws on the grid for what sun and batteries do not bring.
        self.short: BoolArray = shares.short_kwh > NOTHING_KWH
        # Where batteries leave surplus, sold or held back.
        self.has_surplus: BoolArray = shares.sun_sold_kwh + shares.sun_curtailed_kwh > NOTHING_KWH
        self.sells_sun: BoolArray = shares.sun_sold_kwh > NOTHING_KWH
        self.holds_back: BoolArray = shares.sun_curtailed_kwh > NOTHING_KWH
        self.balanced: BoolArray = ~self.short & ~self.has_surplus
        self.feed_in_limit_kwh = self.join("problem.export_limit_kwh")
        self.may_feed_in: BoolArray = self.feed_in_limit_kwh > NOTHING_KWH
        self.feeds_in_nothing: BoolArray = ~self.may_feed_in
        self.fills_feed_in: BoolArray = self.may_feed_in & (
            self.exports >= self.feed_in_limit_kwh - NOTHING_KWH
        )
        self.connection_kwh = self.join("problem.connection_limit_kwh")
        self.fills_connection: BoolArray = self.imports >= self.connection_kwh - NOTHING_KWH
        self.peak_kwh = self.join_each(find_peak_limit)
        self.fills_peak: BoolArray = self.imports >= self.peak_kwh - NOTHING_KWH
        # Where the meter stands at what keeps the month's peak, and not beyond it.
        self.keeps_peak: BoolArray = self.fills_peak & (self.imports <= self.peak_kwh + NOTHING_KWH)
        self._read_batteries()

    def join(self, path: str) -> FloatArray:
        """Return what an attribute of each plan holds over the slots of all of them."""
        joined: FloatArray = join(list(map(attrgetter(path), self.plans)), self.slots)
        return joined

    def join_parts(self, path: str) -> Any:
        """Return the same of an attribute that consists of arrays."""
        return join_parts(list(map(attrgetter(path), self.plans)), self.slots)

    def join_each(self, read: Callable[[Plan], A]) -> A:
        """Return what is read of each plan over the slots of all of them."""
        return join(list(map(read, self.plans)), self.slots)

    def _read_batteries(self) -> None:
        shares, battery, sun = self.shares, self.battery, self.conversion
        self.bought_kwh, self.taken_over_kwh, self.sold_kwh, self.served_kwh = (
            shares.bought_kwh,
            shares.taken_over_kwh,
            shares.sold_kwh,
            shares.served_kwh,
        )
        self.buys: BoolArray = self.bought_kwh > NOTHING_KWH
        self.stores_sun: BoolArray = (shares.sun_kwh > NOTHING_KWH) & ~self.buys
        self.takes_over: BoolArray = self.taken_over_kwh > NOTHING_KWH
        self.serves: BoolArray = self.served_kwh > NOTHING_KWH
        # Where a battery sells no less than it serves.
        self.sells: BoolArray = (self.sold_kwh > NOTHING_KWH) & (self.sold_kwh >= self.served_kwh)
        self.serves_house: BoolArray = self.serves & ~self.sells
        self.serves_or_rests: BoolArray = self.serves | self.rests
        self.stores_or_rests: BoolArray = self.stores_sun | self.rests
        # Where a battery brings all that the house lacks.
        self.serves_alone: BoolArray = ~self.short & (
            self.served_kwh >= self.served_kwh.sum(axis=0) - NOTHING_KWH
        )
        self.bypasses_inverter: BoolArray = shares.direct_kwh > NOTHING_KWH
        outside_kwh = OUTSIDE_SOC * battery.capacity_kwh
        self.below_limits: BoolArray = self.start_kwh < battery.min_kwh - outside_kwh
        self.above_limits: BoolArray = self.start_kwh > battery.max_kwh + outside_kwh
        self.full: BoolArray = self.start_kwh >= battery.max_kwh - SAME_KWH
        # The reserves at the end of each slot; None where there are none at all.
        self.reserve_kwh = self._join_optional(
            "problem.storage.reserve_kwh", np.zeros((len(self.charge), 1))
        )
        # What a battery keeps: its lowest state of charge, or the reserve at the end of the slot.
        self.floor_kwh = (
            np.broadcast_to(battery.min_kwh, self.charge.shape)
            if self.reserve_kwh is None
            else np.maximum(battery.min_kwh, self.reserve_kwh)
        )
        self.empty: BoolArray = self.end_kwh <= self.floor_kwh + SAME_KWH
        self.reserve_soc: FloatArray = self.floor_kwh / battery.capacity_kwh
        self.has_reserve: BoolArray = self.reserve_soc > OUTSIDE_SOC
        self.usable_kwh: FloatArray = self.end_kwh - battery.min_kwh
        # What the inverter of a battery carries beside its sun; infinite where it stands behind
        # none.
        self.room_kwh: FloatArray = (
            np.full(self.charge.shape, np.inf) if sun is None else np.maximum(sun.room_kwh, 0.0)
        )
        self.has_no_room: BoolArray = self.room_kwh <= NOTHING_KWH
        # Where sun and battery use all that the battery's inverter carries.
        self.fills_inverter: BoolArray = ~self.exists
        if sun is not None:
            takes = self.charges & (self.charge >= sun.intake_kwh + sun.direct_kwh - NOTHING_KWH)
            self.fills_inverter = (
                (sun.direct_kwh > NOTHING_KWH)
                | self.gives & (self.discharge >= sun.room_kwh - NOTHING_KWH)
                | takes
            )
        self.discharge_power_kwh: FloatArray = battery.discharge_limit_kw * self.hours
        # What a battery can take at its state of charge.
        most, tapers = battery.charge_limit_kw, battery.taper_from_soc < 1.0
        self.charge_power_kwh = np.asarray(
            (
                np.where(tapers, charge_limit_kw(self.start_kwh, battery), most)
                if tapers.any()
                else most
            )
            * self.hours
        )
        # Where the house draws on the grid, and a battery holds something.
        self.spares: BoolArray = self.short & ~self.empty
        self.leaves_surplus: BoolArray = self.has_surplus & ~self.full
        self.sells_surplus: BoolArray = self.leaves_surplus & self.sells_sun & ~self.holds_back

    def _join_optional(self, path: str, unknown: FloatArray) -> FloatArray | None:
        """Return an attribute of each plan, ``unknown`` where it is None.

        None where all are None.
        """
        values, has_value = list(map(attrgetter(path), self.plans)), False
        for place, each in enumerate(values):
            has_value = has_value or each is not None
            values[place] = unknown if each is None else each
        joined: FloatArray | None = join(values, self.slots) if has_value else None
        return joined

    @cached_property
    def gives_all(self) -> BoolArray:
        most = np.minimum(self.discharge_power_kwh, self.room_kwh)
        return np.asarray(
            (self.gives | (self.discharge_power_kwh <= NOTHING_KWH))
            & (self.discharge >= most - NOTHING_KWH)
        )

    @cached_property
    def takes_all(self) -> BoolArray:
        """Where a battery charges as fast as it can at its state of charge, and does not thereby
        become full.
        """
        able = self.charges | (self.charge_power_kwh <= NOTHING_KWH)
        return np.asarray(
            able
            & (self.charge >= self.charge_power_kwh - NOTHING_KWH)
            & (self.end_kwh < self.battery.max_kwh - SAME_KWH)
        )

    @cached_property
    def spares_car(self) -> BoolArray:
        """Where batteries give all that they may, for a car charges that they may not feed."""
        limit = self._join_optional("problem.storage.give_limit_kwh", np.array([np.inf]))
        if limit is None:
            return np.zeros(self.charge.shape, dtype=bool)
        more = (self.end_kwh > self.floor_kwh + SAME_KWH) & (
            self.discharge < self.discharge_power_kwh - NOTHING_KWH
        )
        return np.asarray(
            more & np.isfinite(limit) & (self.discharge.sum(axis=0) >= limit - NOTHING_KWH)
        )

    @cached_property
    def others_move(self) -> BoolArray:
        moved = self.charge + self.discharge
        return np.asarray(moved.sum(axis=0) - moved > NOTHING_KWH)


def find_peak_limit(plan: Plan) -> FloatArray:
    """Return what each slot may import before a month's peak rises, kWh, infinite where no peak is
    at work, shape ``(slots,)``.
    """
    slots = plan.problem.outlook.timeline.count
    if plan.placement is None or not plan.problem.site.tariff.peak:
        return np.full(slots, np.inf)
    limit = plan.placement.import_limit_kwh
    connection = plan.problem.site.grid.import_limit_kw * plan.problem.outlook.timeline.hours
    # What a car may charge from surplus alone narrows the import as well, down to nothing.
    return np.where((limit < connection - _LITTLE_KWH) & (limit > _LITTLE_KWH), limit, np.inf)


def find_peak_price(plan: Plan) -> FloatArray:
    """Return what a kilowatt more in one interval costs a month, by the components that count each
    slot, shape ``(slots,)``.
    """
    timeline, price = plan.problem.outlook.timeline, np.zeros(plan.problem.outlook.timeline.count)
    if not plan.problem.site.tariff.peak:
        return price
    zone = ZoneInfo(plan.problem.site.timezone)
    for peak in plan.problem.site.tariff.peaks:
        for share in month_shares(peak, timeline, zone):
            price[share.slots] += peak.price_per_kw_month / peak.highest
    return price
