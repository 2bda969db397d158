"""The flows of a plan beside its limits, slot by slot.

Arrays over batteries and slots have shape ``(batteries, slots)``, those of a site ``(slots,)``.
"""

from functools import cached_property

import numpy as np

from luna.energy.physics.inverters import Conversion
from luna.energy.physics.limits import BatteryLimits, SiteLimits, charge_limit_kw
from luna.energy.physics.mode import BoolArray
from luna.energy.physics.simulation import Flows
from luna.energy.timeline import FloatArray
from services.planner.dp.plan import Plan
from services.planner.reply.flow_shares import NOTHING_KWH, FlowShares, share_flows
from services.planner.reply.month_peaks import find_peak_limit

# Stored energies this close are the same: what a plan and its re-simulation may be apart.
SAME_KWH = 2e-5
# A state of charge this far outside its limits is shown to be so.
OUTSIDE_SOC = 5e-4


class SlotFlows:
    """The flows of a plan beside its limits."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.timeline = plan.problem.outlook.timeline
        self.slots = self.timeline.count
        self._read_site()
        self._read_grid()
        self._read_moves()
        self._read_levels()
        self._read_powers()

    # --- site -------------------------------------------------------------------------------------

    def _read_site(self) -> None:
        self.flows: Flows = self.plan.flows
        self.limits: SiteLimits = self.plan.problem.limits
        self.conversion: Conversion | None = self.plan.problem.conversion
        self.battery: BatteryLimits = self.limits.batteries
        self.hours: FloatArray = self.plan.problem.outlook.timeline.hours
        self.load_kwh: FloatArray = self.plan.problem.outlook.load_kwh
        self.pv_kwh: FloatArray = self.plan.problem.outlook.pv_kwh
        self.shares: FlowShares = share_flows(
            self.flows, self.load_kwh, self.pv_kwh, self.conversion
        )
        # Where the house draws on the grid for what sun and batteries do not bring.
        self.short: BoolArray = self.shares.short_kwh > NOTHING_KWH
        # Where batteries leave surplus, sold or held back.
        self.has_surplus: BoolArray = self.shares.surplus_kwh > NOTHING_KWH
        self.sells_sun: BoolArray = self.shares.sun_sold_kwh > NOTHING_KWH
        self.holds_back: BoolArray = self.shares.sun_curtailed_kwh > NOTHING_KWH
        self.balanced: BoolArray = ~self.short & ~self.has_surplus

    def _read_grid(self) -> None:
        self.imports: FloatArray = self.flows.import_kwh
        self.exports: FloatArray = self.flows.export_kwh
        self.feed_in_limit_kwh: FloatArray = self.plan.problem.export_limit_kwh
        self.may_feed_in: BoolArray = self.feed_in_limit_kwh > NOTHING_KWH
        self.fills_feed_in: BoolArray = self.may_feed_in & (
            self.exports >= self.feed_in_limit_kwh - NOTHING_KWH
        )
        self.connection_kwh: FloatArray = self.plan.problem.connection_limit_kwh
        self.fills_connection: BoolArray = self.imports >= self.connection_kwh - NOTHING_KWH
        self.is_import_limited: BoolArray = self.plan.problem.is_import_limited
        # Where the grid operator lets no more in, or out.
        self.fills_operators_limit: BoolArray = self.fills_connection & self.is_import_limited
        self.is_export_limited: BoolArray = self.plan.problem.is_export_limited
        self.peak_kwh: FloatArray = find_peak_limit(self.plan)
        self.fills_peak: BoolArray = self.imports >= self.peak_kwh - NOTHING_KWH
        # Slots at exactly the import that keeps the month's peak.
        self.keeps_peak: BoolArray = self.fills_peak & (self.imports <= self.peak_kwh + NOTHING_KWH)

    # --- batteries --------------------------------------------------------------------------------

    def _read_moves(self) -> None:
        shares = self.shares
        self.charge: FloatArray = self.flows.charge_kwh
        self.discharge: FloatArray = self.flows.discharge_kwh
        self.charges: BoolArray = self.charge > NOTHING_KWH
        self.gives: BoolArray = self.discharge > NOTHING_KWH
        self.rests: BoolArray = ~(self.charges | self.gives)
        moved = self.charge + self.discharge
        # Where other batteries charge or give.
        self.others_move: BoolArray = moved.sum(axis=0) - moved > NOTHING_KWH
        self.bought_kwh: FloatArray = shares.bought_kwh
        self.taken_over_kwh: FloatArray = shares.taken_over_kwh
        self.sold_kwh: FloatArray = shares.sold_kwh
        self.served_kwh: FloatArray = shares.served_kwh
        self.buys: BoolArray = self.bought_kwh > NOTHING_KWH
        self.stores_sun: BoolArray = (shares.sun_kwh > NOTHING_KWH) & ~self.buys
        self.takes_over: BoolArray = self.taken_over_kwh > NOTHING_KWH
        self.serves: BoolArray = self.served_kwh > NOTHING_KWH
        # Where a battery sells no less than it serves.
        self.sells: BoolArray = (self.sold_kwh > NOTHING_KWH) & (self.sold_kwh >= self.served_kwh)
        self.serves_house: BoolArray = self.serves & ~self.sells

    def _read_levels(self) -> None:
        battery = self.battery
        self.start_kwh: FloatArray = self.plan.start_kwh
        self.end_kwh: FloatArray = self.flows.stored_kwh
        outside_kwh = OUTSIDE_SOC * battery.capacity_kwh
        self.below_limits: BoolArray = self.start_kwh < battery.min_kwh - outside_kwh
        self.above_limits: BoolArray = self.start_kwh > battery.max_kwh + outside_kwh
        self.full: BoolArray = self.start_kwh >= battery.max_kwh - SAME_KWH
        # The reserves at the end of each slot; None where there are none at all.
        self.reserve_kwh = self.plan.problem.storage.reserve_kwh
        # Energy that a battery keeps: its lowest state of charge, or the reserve at the end of the
        # slot.
        self.floor_kwh: FloatArray = np.broadcast_to(battery.min_kwh, self.charge.shape)
        if self.reserve_kwh is not None:
            self.floor_kwh = np.maximum(battery.min_kwh, self.reserve_kwh)
        self.empty: BoolArray = self.end_kwh <= self.floor_kwh + SAME_KWH
        self.reserve_soc: FloatArray = self.floor_kwh / battery.capacity_kwh
        self.has_reserve: BoolArray = self.reserve_soc > OUTSIDE_SOC
        self.usable_kwh: FloatArray = self.end_kwh - battery.min_kwh
        # Where the house draws on the grid, and a battery holds something.
        self.spares: BoolArray = self.short & ~self.empty
        self.leaves_surplus: BoolArray = self.has_surplus & ~self.full

    def _read_powers(self) -> None:
        battery = self.battery
        sun = self.conversion
        # Capacity of a battery's inverter beside its sun; infinite where it stands behind none.
        self.room_kwh: FloatArray = np.full(self.charge.shape, np.inf)
        # Where sun and battery use all that the battery's inverter carries.
        self.fills_inverter: BoolArray = np.zeros(self.charge.shape, dtype=bool)
        if sun is not None:
            self.room_kwh = np.maximum(sun.room_kwh, 0.0)
            intake_kwh = sun.intake_kwh + sun.direct_kwh
            fills_intake = self.charges & (self.charge >= intake_kwh - NOTHING_KWH)
            fills_outlet = self.gives & (self.discharge >= sun.room_kwh - NOTHING_KWH)
            self.fills_inverter = (sun.direct_kwh > NOTHING_KWH) | fills_outlet | fills_intake
        self.least_kw: FloatArray = battery.min_charge_kw
        self.discharge_power_kwh: FloatArray = battery.discharge_limit_kw * self.hours
        # Energy that a battery can take at its state of charge.
        charge_kw: FloatArray = battery.charge_limit_kw
        tapers = battery.taper_from_soc < 1.0
        if tapers.any():
            charge_kw = np.where(tapers, charge_limit_kw(self.start_kwh, battery), charge_kw)
        self.charge_power_kwh: FloatArray = charge_kw * self.hours
        # Where a battery gives at full power.
        most_kwh = np.minimum(self.discharge_power_kwh, self.room_kwh)
        could_give = self.gives | (self.discharge_power_kwh <= NOTHING_KWH)
        self.gives_all: BoolArray = could_give & (self.discharge >= most_kwh - NOTHING_KWH)
        # Where a battery charges at full power, and does not become full by that.
        could_take = self.charges | (self.charge_power_kwh <= NOTHING_KWH)
        takes_most = self.charge >= self.charge_power_kwh - NOTHING_KWH
        sessions_below = self.end_kwh < battery.max_kwh - SAME_KWH
        self.takes_all: BoolArray = could_take & takes_most & sessions_below

    @cached_property
    def spares_car(self) -> BoolArray:
        """Whether batteries give no more because of a car that they may not feed."""
        limit = self.plan.problem.storage.give_limit_kwh
        if limit is None:
            return np.zeros(self.charge.shape, dtype=bool)
        holds_more = self.end_kwh > self.floor_kwh + SAME_KWH
        could_give = self.discharge < self.discharge_power_kwh - NOTHING_KWH
        at_limit = np.isfinite(limit) & (self.discharge.sum(axis=0) >= limit - NOTHING_KWH)
        return np.asarray(holds_more & could_give & at_limit)
