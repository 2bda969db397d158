"""A vehicle's demand in a plan's model, and its schedule with reasons and unmet parts."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import ClassVar
from zoneinfo import ZoneInfo

import numpy as np

from luna.contracts.owner import ManualBlock
from luna.contracts.plan.columns import Columns
from luna.energy.physics.mode import BoolArray
from luna.energy.timeline import FloatArray, Timeline
from services.planner.devices.causes import (
    LITTLE_KWH,
    NOTHING_KWH,
    Codes,
    DeviceReasons,
    SlotReasonBuilder,
    SlotWindow,
)
from services.planner.devices.kind import (
    DemandColumns,
    LoadPricing,
    MissedDemand,
    StorageColumns,
    StorageSchedule,
    SwitchedUse,
)
from services.planner.devices.vehicle.demand import ChargingSession, VehicleDemand
from services.planner.devices.vehicle.rows import VehicleColumns, add_vehicle
from services.planner.devices.vehicle.sources import add_sources
from services.planner.linear.model import ModelBuilder

# Less missing energy than this is not reported. The share is one of a departure's target: it reads
# as 0.0 %, and a charger's least power is dearer than the energy it would bring.
_MISSED_KWH = 1e-4
_MISSED_SOC = 5e-4
# The cause of a missed block of a vehicle that is full.
FULL = "manual_vehicle_full"
# Charges below this are the solver's inaccuracy.
_INACCURACY_KWH = 1e-6


@dataclass(frozen=True, slots=True)
class ChargingDemand:
    """A vehicle's demand as a flexible load."""

    section: ClassVar[str] = "vehicles"

    car: VehicleDemand

    @property
    def name(self) -> str:
        return self.car.vehicle.name

    def forced_kwh(self, hours: FloatArray) -> FloatArray:
        """Return zeros: it may be unplugged."""
        return np.zeros(hours.size)

    def most_use_kwh(self, hours: FloatArray) -> FloatArray:
        return np.asarray(self.car.vehicle.most_charge_kw * self.car.plugged_hours)

    def is_settled(self, hours: FloatArray) -> bool:
        return True

    def settle(self, used_kwh: FloatArray, hours: FloatArray) -> "ChargingDemand":
        return self

    def pin(
        self, block: ManualBlock, block_hours: FloatArray, hours: FloatArray
    ) -> "ChargingDemand | None":
        """Return the demand with charging pinned or forbidden in a block.

        None where the vehicle is to charge and is away.
        """
        inside = block_hours > 0
        plugged = self.car.plugged_hours
        is_plugged = bool((plugged[inside] > 0).any())
        if block.action == "no_charge":
            return replace(self, car=self.car.leave(inside)) if is_plugged else self
        if not is_plugged:
            return None
        power_kw = block.power_kw or self.car.vehicle.most_charge_kw
        charge_kwh = power_kw * np.minimum(block_hours, plugged)
        return replace(self, car=self.car.pin(charge_kwh, inside & (plugged > 0)))

    def add(self, builder: ModelBuilder, ahead: LoadPricing) -> DemandColumns:
        columns = add_vehicle(builder, self.car, ahead)
        storage = StorageColumns(
            give=columns.give,
            missing=columns.missing,
            from_batteries=self.car.vehicle.from_battery != "never",
            add_sources=partial(add_sources, self.car, columns),
        )
        switched = SwitchedUse(columns.choosable, columns.on[0]) if columns.on else None
        return DemandColumns(
            columns.charge,
            1.0,
            partial(_read_schedule, self, columns),
            storage=storage,
            switched=switched,
            ranged=columns.ranged,
        )


@dataclass(frozen=True)
class VehicleSchedule:
    """A vehicle's schedule in a plan.

    Args:
        demand: the scheduled demand.
        use_kwh: energy charged, ``(slots,)``.
        give_kwh: energy given to the house, ``(slots,)``.
        missing_kwh: energy missing at the end of each session, ``(sessions,)``.
    """

    demand: ChargingDemand
    use_kwh: FloatArray
    give_kwh: FloatArray
    missing_kwh: FloatArray

    @cached_property
    def storage(self) -> StorageSchedule:
        """Its discharge to the house, and the limits on its sources."""
        car = self.demand.car
        charges = self.use_kwh > _INACCURACY_KWH
        charges_more = self.use_kwh > car.least_charge_kwh + _INACCURACY_KWH
        return StorageSchedule(
            self.give_kwh,
            wear_cost=car.vehicle.wear_price * self.give_kwh,
            from_surplus=charges_more & (car.slots_of("surplus_only") > 0),
            spared=charges & (car.vehicle.from_battery == "never"),
        )

    def columns(self) -> Columns:
        """Return energy charged and given, state of charge, and phases."""
        car = self.demand.car
        charger = car.vehicle.charger
        soc = car.stored_after(self.use_kwh, self.give_kwh) / car.vehicle.capacity_kwh
        powers_kw = (self.use_kwh / np.maximum(car.plugged_hours, _MISSED_KWH)).tolist()
        phases = [
            charger.phases_at(power_kw) if charger and power_kw > 0 else None
            for power_kw in powers_kw
        ]
        return {
            "charge_kwh": np.round(self.use_kwh, 6).tolist(),
            "soc_end": np.round(soc, 9).tolist(),
            "discharge_kwh": np.round(self.give_kwh, 6).tolist(),
            "phases": phases,
        }

    def missed(self, timeline: Timeline, zone: ZoneInfo) -> Iterator[MissedDemand]:
        """Yield the energy missing at the ends of sessions and of their minimums.

        Energy is measured at the charger. Pinned slots are reported by their block.
        """
        car = self.demand.car
        vehicle = car.vehicle
        for session, missing in zip(car.sessions, self.missing_kwh.tolist(), strict=True):
            if missing > _MISSED_SOC * vehicle.capacity_kwh:
                figures = {
                    "missing": missing / vehicle.capacity_kwh,
                    "name": vehicle.name,
                    "wanted": session.target_soc,
                    "by": session.until.astimezone(zone),
                }
                yield MissedDemand("vehicle", missing / vehicle.charge_efficiency, figures)
        begins = list(timeline)
        lacking = np.where(car.pinned, 0.0, car.lack_least(self.use_kwh, self.give_kwh))
        power_kw = car.least_charge_kwh / np.maximum(car.plugged_hours, _MISSED_KWH)
        least_kw = np.where(car.pinned, 0.0, power_kw)
        for session in car.sessions:
            slots = slice(session.first, session.end)
            missing = float(lacking[slots].sum())
            if missing > _MISSED_KWH:
                figures = {
                    "name": vehicle.name,
                    "kw": float(least_kw[slots].max()),
                    "kwh": missing,
                    "first": begins[session.first].astimezone(zone),
                    "last": session.until.astimezone(zone),
                }
                yield MissedDemand("vehicle_minimum", missing, figures)

    def explain(self, reasons: DeviceReasons) -> Columns:
        """Return the reason of every slot at the charger; None where the vehicle is away."""
        demand = self.demand.car
        vehicle = demand.vehicle
        slots = np.arange(self.use_kwh.size)
        slot_reasons = SlotReasonBuilder(slots.size)
        stored = demand.stored_after(self.use_kwh, self.give_kwh)
        bound = self._explain_minimum(slot_reasons, reasons)
        for session, missing in zip(demand.sessions, self.missing_kwh.tolist(), strict=True):
            in_session = (slots >= session.first) & (slots < session.end)
            if session.left_out:
                slot_reasons.set_reasons(in_session, "ev_left_out", start=reasons.starts)
                continue
            window = SlotWindow(
                in_session & (demand.plugged_hours > 0) & ~bound,
                min(session.until, reasons.outlook.timeline.end),
                used_kwh=self.use_kwh,
                least_kwh=vehicle.min_charge_kw * demand.plugged_hours,
                most_kwh=vehicle.most_charge_kw * demand.plugged_hours,
                missing_kwh=float(missing),
            )
            idle = _explain_idle(reasons, window, session, stored)
            active = np.where(window.used, reasons.charging(window), idle)
            codes = np.where(self.give_kwh > NOTHING_KWH, "ev_gives", active)
            reasons.explain_window(slot_reasons, window, codes)
        return slot_reasons.write()

    def _explain_minimum(
        self, slot_reasons: SlotReasonBuilder, reasons: DeviceReasons
    ) -> BoolArray:
        """Explain the slots that charge their minimum and no more, and return these slots."""
        demand = self.demand.car
        forced = demand.least_charge_kwh
        charges = self.use_kwh > NOTHING_KWH
        bound = charges & (forced > 0) & (self.use_kwh <= forced + LITTLE_KWH)
        power_kw = np.divide(
            forced, demand.plugged_hours, out=np.zeros_like(forced), where=bound
        ).astype(object)
        codes = np.where(demand.pinned, "ev_pinned", "ev_minimum")
        slot_reasons.set_reasons(bound, codes, start=reasons.starts, kw=power_kw)
        return bound

    def shortfalls(
        self, block: ManualBlock, inside: BoolArray, hours: FloatArray
    ) -> Iterator[tuple[str, float]]:
        """Yield the pinned energy that is missing, apart from that the part of a full vehicle.

        A block that forbids charging is always met.
        """
        if block.action == "charge":
            missing = np.maximum(self.demand.car.least_charge_kwh - self.use_kwh, 0.0)
            full = self.demand.car.find_full(self.use_kwh, self.give_kwh)
            yield "manual", float(missing[inside & ~full].sum())
            yield FULL, float(missing[inside & full].sum())


def _explain_idle(
    reasons: DeviceReasons, window: SlotWindow, session: ChargingSession, stored: FloatArray
) -> Codes:
    """Return the codes of a session's slots without charging."""
    ready_kwh = session.most_kwh if session.surplus_only else session.target_kwh
    is_ready = stored >= ready_kwh - LITTLE_KWH
    if session.surplus_only:
        return np.where(is_ready & ~window.later, "use_ready", "ev_waits_surplus")
    unready = "use_short" if window.missing_kwh > LITTLE_KWH else "use_waits"
    ended = np.where(is_ready, "use_ready", unready)
    return np.where(window.later, reasons.waiting(window), ended)


def _read_schedule(
    demand: ChargingDemand, columns: VehicleColumns, column: FloatArray
) -> VehicleSchedule:
    """Read a vehicle's schedule from the values of all columns."""
    charge = column[columns.charge]
    give = column[columns.give] if columns.give.size else np.zeros(charge.size)
    return VehicleSchedule(
        demand,
        use_kwh=np.where(charge > _INACCURACY_KWH, charge, 0.0),
        give_kwh=np.where(give > _INACCURACY_KWH, give, 0.0),
        missing_kwh=column[columns.missing],
    )
