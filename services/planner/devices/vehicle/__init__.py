"""Vehicles in a plan, as flexible loads: demand, columns, schedule, reasons, what the deadlines of
their sessions cost, and the declaration of the kind.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import ClassVar
from zoneinfo import ZoneInfo

import numpy as np

from luna.contracts.owner import ManualBlock
from luna.contracts.plan import Assumption, OutlookMessage, PlanRequest, SessionReply, StateMessage
from luna.contracts.plan.columns import Columns
from luna.contracts.plan.state import VehicleSession
from luna.energy.devices.vehicle import ElectricVehicle
from luna.energy.physics.mode import BoolArray
from luna.energy.site import Site
from luna.energy.timeline import FloatArray, Timeline
from services.planner.devices.causes import (
    LITTLE_KWH,
    NOTHING_KWH,
    DeviceReasons,
    SlotReasonBuilder,
    SlotWindow,
)
from services.planner.devices.kind import (
    DemandColumns,
    LoadPricing,
    MissedDemand,
    PlacedDemand,
    PlacedStorage,
    PlannedKind,
    RelaxedBill,
    StorageColumns,
    SwitchedUse,
    refuse_strangers,
)
from services.planner.devices.vehicle.begin import (
    STORED,
    add_vehicles,
    carry_vehicles,
    place_by_habit,
)
from services.planner.devices.vehicle.demand import ChargingSession, VehicleDemand, read_vehicle
from services.planner.devices.vehicle.rows import VehicleColumns, add_sources, add_vehicle
from services.planner.linear.model import ModelBuilder

# Less than this is not told: kWh, and of a departure's target, where it shows as 0.0 % and a
# charger's least power is dearer than what it would bring.
_MISSED_KWH = 1e-4
_MISSED_SOC = 5e-4
# A block of a vehicle that is full.
FULL = "manual_vehicle_full"
# What is charged below this is the solver's dust.
_DUST_KWH = 1e-6


@dataclass(frozen=True, slots=True)
class ChargingDemand:
    """What a vehicle asks for."""

    section: ClassVar[str] = "vehicles"

    car: VehicleDemand

    @property
    def name(self) -> str:
        """The vehicle's."""
        return self.car.vehicle.name

    def forced_kwh(self, hours: FloatArray) -> FloatArray:
        """Return nothing: it may be unplugged."""
        return np.zeros(hours.size)

    def most_use_kwh(self, hours: FloatArray) -> FloatArray:
        """Return what it charges at most."""
        return np.asarray(self.car.vehicle.most_charge_kw * self.car.plugged_hours)

    def is_settled(self, hours: FloatArray) -> bool:
        """Return True."""
        return True

    def settle(self, used_kwh: FloatArray, hours: FloatArray) -> "ChargingDemand":
        """Return it as it is."""
        return self

    def pin(
        self, block: ManualBlock, block_hours: FloatArray, hours: FloatArray
    ) -> "ChargingDemand | None":
        """Return the demand charging, or not, in some slots.

        None where the vehicle is to charge and is away.
        """
        inside = block_hours > 0
        plugged = self.car.plugged_hours
        if block.action == "no_charge":
            return (
                replace(self, car=self.car.leave(inside)) if (plugged[inside] > 0).any() else self
            )
        if not (plugged[inside] > 0).any():
            return None
        charge_kwh = (block.power_kw or self.car.vehicle.most_charge_kw) * np.minimum(
            block_hours, plugged
        )
        return replace(self, car=self.car.pin(charge_kwh, inside & (plugged > 0)))

    def add(self, builder: ModelBuilder, ahead: LoadPricing) -> DemandColumns:
        """Add a vehicle with its stays."""
        columns = add_vehicle(builder, self.car, ahead)
        may_feed = self.car.vehicle.from_battery != "never"
        storage = StorageColumns(
            columns.give, columns.missing, may_feed, partial(add_sources, self.car, columns)
        )
        switched = SwitchedUse(columns.choosable, columns.on[0]) if columns.on else None
        return DemandColumns(
            columns.charge,
            1.0,
            partial(_place, self, columns),
            storage=storage,
            switched=switched,
            ranged=columns.ranged,
        )


@dataclass(frozen=True, slots=True)
class PlacedVehicle:
    """What a vehicle does in a plan: what it charges and gives, ``(slots,)``, and what each stay
    lacks at its end.
    """

    demand: ChargingDemand
    use_kwh: FloatArray
    give_kwh: FloatArray
    missing_kwh: FloatArray

    @property
    def storage(self) -> PlacedStorage:
        """What it gives to the house, and what may charge it."""
        car = self.demand.car
        charges = self.use_kwh > _DUST_KWH
        from_surplus = (self.use_kwh > car.least_charge_kwh + _DUST_KWH) & (
            car.slots_of("surplus_only") > 0
        )
        return PlacedStorage(
            self.give_kwh,
            car.vehicle.wear_price * self.give_kwh,
            from_surplus,
            charges & (car.vehicle.from_battery == "never"),
        )

    def columns(self) -> Columns:
        """Return what it charges and gives, how full it is, and on how many phases it charges."""
        car = self.demand.car
        charger = car.vehicle.charger
        power = self.use_kwh / np.maximum(car.plugged_hours, _MISSED_KWH)
        return {
            "charge_kwh": np.round(self.use_kwh, 6).tolist(),
            "soc_end": np.round(
                car.stored_after(self.use_kwh, self.give_kwh) / car.vehicle.capacity_kwh, 9
            ).tolist(),
            "discharge_kwh": np.round(self.give_kwh, 6).tolist(),
            "phases": [
                charger.phases_at(each) if charger and each > 0 else None for each in power.tolist()
            ],
        }

    def missed(self, timeline: Timeline, zone: ZoneInfo) -> Iterator[MissedDemand]:
        """Yield the energy missing at the ends of stays, at the charger, and of their minimum.

        Pinned slots are reported by their block.
        """
        car = self.demand.car
        vehicle = self.demand.car.vehicle
        for stay, missing in zip(car.stays, self.missing_kwh.tolist(), strict=True):
            if missing > _MISSED_SOC * vehicle.capacity_kwh:
                figures = {
                    "missing": missing / vehicle.capacity_kwh,
                    "name": vehicle.name,
                    "wanted": stay.target_soc,
                    "by": stay.until.astimezone(zone),
                }
                yield MissedDemand("vehicle", missing / vehicle.charge_efficiency, figures)
        begins = list(timeline)
        missing_minimum = np.where(car.pinned, 0.0, car.lack_least(self.use_kwh, self.give_kwh))
        least_kw = np.where(
            car.pinned, 0.0, car.least_charge_kwh / np.maximum(car.plugged_hours, _MISSED_KWH)
        )
        for stay in car.stays:
            missing = float(missing_minimum[stay.first : stay.end].sum())
            if missing > _MISSED_KWH:
                span = {
                    "first": begins[stay.first].astimezone(zone),
                    "last": stay.until.astimezone(zone),
                }
                yield MissedDemand(
                    "vehicle_minimum",
                    missing,
                    {
                        "name": vehicle.name,
                        "kw": float(least_kw[stay.first : stay.end].max()),
                        "kwh": missing,
                    }
                    | span,
                )

    def explain(self, reasons: DeviceReasons) -> Columns:
        """Return the reason of every slot at the charger; None where the vehicle is away."""
        demand = self.demand.car
        vehicle = self.demand.car.vehicle
        slots = np.arange(self.use_kwh.size)
        slot_reasons = SlotReasonBuilder(slots.size)
        stored = demand.stored_after(self.use_kwh, self.give_kwh)
        least, most = (
            power_kw * demand.plugged_hours
            for power_kw in (vehicle.min_charge_kw, vehicle.most_charge_kw)
        )
        # Where it charges because it has to, and no more.
        forced = demand.least_charge_kwh
        bound = (self.use_kwh > NOTHING_KWH) & (forced > 0) & (self.use_kwh <= forced + LITTLE_KWH)
        power_kw = np.divide(
            forced, demand.plugged_hours, out=np.zeros_like(forced), where=bound
        ).astype(object)
        slot_reasons.tell(
            bound,
            np.where(demand.pinned, "ev_pinned", "ev_minimum"),
            start=reasons.starts,
            kw=power_kw,
        )
        for stay, missing in zip(demand.stays, self.missing_kwh.tolist(), strict=True):
            here = (slots >= stay.first) & (slots < stay.end) & (demand.plugged_hours > 0) & ~bound
            window = SlotWindow(
                here,
                min(stay.until, reasons.outlook.timeline.end),
                self.use_kwh,
                least,
                most,
                float(missing),
            )
            ready = stored >= (stay.most_kwh if stay.surplus_only else stay.target_kwh) - LITTLE_KWH
            if stay.surplus_only:
                idle = np.where(ready & ~window.later, "ev_ready", "ev_waits_surplus")
            else:
                short = "ev_short" if window.missing_kwh > LITTLE_KWH else "ev_later"
                idle = np.where(
                    window.later, reasons.waiting(window), np.where(ready, "ev_ready", short)
                )
            reasons.tell_window(
                slot_reasons,
                window,
                np.where(
                    self.give_kwh > NOTHING_KWH,
                    "ev_gives",
                    np.where(window.used, reasons.charging(window), idle),
                ),
            )
        return slot_reasons.write()

    def shortfalls(
        self, block: ManualBlock, inside: BoolArray, hours: FloatArray
    ) -> Iterator[tuple[str, float]]:
        """Yield what it charges less than is pinned, and how much of that because it was full.

        One that may not charge cannot.
        """
        if block.action == "charge":
            missing = np.maximum(self.demand.car.least_charge_kwh - self.use_kwh, 0.0)
            full = self.demand.car.find_full(self.use_kwh, self.give_kwh)
            yield "manual", float(missing[inside & ~full].sum())
            yield FULL, float(missing[inside & full].sum())


def _place(demand: ChargingDemand, columns: VehicleColumns, column: FloatArray) -> PlacedVehicle:
    charge = column[columns.charge]
    give = column[columns.give] if columns.give.size else np.zeros(charge.size)
    return PlacedVehicle(
        demand,
        np.where(charge > _DUST_KWH, charge, 0.0),
        np.where(give > _DUST_KWH, give, 0.0),
        column[columns.missing],
    )


# --- what deadlines cost: each session is planned again with another target, an hour earlier and an


HOUR = timedelta(hours=1)
Relax = Callable[[PlanRequest], RelaxedBill]


def price_sessions(
    request: PlanRequest, placed: Sequence[PlacedDemand], relax: Relax
) -> Iterator[SessionReply]:
    """Yield what the deadline of every session with a target costs, by what requests cost at least
    (``relax``).
    """
    sessions = {
        name: [each.model_copy(update={"extra_value": 0.0}) for each in state.sessions]
        for name, state in request.state.vehicles.items()
    }
    plain = _change(request, sessions)
    usual = plain, relax(plain)
    for vehicle in (each for each in placed if isinstance(each, PlacedVehicle)):
        demand = vehicle.demand.car
        for stay in demand.stays:
            if not stay.surplus_only and stay.end > stay.first:
                stored_kwh = demand.stored_after(vehicle.use_kwh, vehicle.give_kwh)[stay.end - 1]
                yield _price(
                    usual,
                    (demand, stay),
                    relax,
                    soc_end=float(stored_kwh / demand.vehicle.capacity_kwh),
                )


def _price(
    usual: tuple[PlanRequest, RelaxedBill],
    charging: tuple[VehicleDemand, ChargingSession],
    relax: Relax,
    *,
    soc_end: float,
) -> SessionReply:
    request, bill = usual
    demand, stay = charging
    name = demand.vehicle.name
    sessions = request.state.vehicles[demand.vehicle.name].sessions
    session = next(each for each in sessions if each.to == stay.until)

    def instead(**changes: object) -> RelaxedBill:
        changed = [
            each.model_copy(update=changes) if each is session else each for each in sessions
        ]
        return relax(_change(request, {name: changed}))

    least_soc = min(stay.target_soc, stay.least_kwh / demand.vehicle.capacity_kwh)
    begin = max(session.from_, request.start) if request.start else session.from_
    sooner = instead(to=session.to - HOUR) if session.to - HOUR > begin else None
    free_after = not any(session.to <= each.from_ < session.to + HOUR for each in sessions)
    later = instead(to=session.to + HOUR) if free_after else None
    return SessionReply(
        vehicle=name,
        to=session.to,
        target_soc=stay.target_soc,
        soc_end=round(soc_end, 6),
        target_cost=round(bill.cost - instead(target_soc=least_soc).cost, 6),
        hour_earlier_cost=None if sooner is None else round(sooner.cost - bill.cost, 6),
        hour_earlier_missing_kwh=None
        if sooner is None
        else round(max(sooner.missing_kwh[name] - bill.missing_kwh[name], 0.0), 6),
        hour_later_saving=None if later is None else round(bill.cost - later.cost, 6),
    )


def _change(request: PlanRequest, sessions: dict[str, list[VehicleSession]]) -> PlanRequest:
    """Return the request with other sessions of some vehicles."""
    vehicles = {
        name: state.model_copy(update={"sessions": sessions.get(name, state.sessions)})
        for name, state in request.state.vehicles.items()
    }
    return request.model_copy(
        update={"state": request.state.model_copy(update={"vehicles": vehicles})}
    )


def _read_demands(
    site: Site, state: StateMessage, timeline: Timeline, _series: OutlookMessage
) -> tuple[ChargingDemand, ...]:
    """Return what vehicles with sessions ask for; without one they want nothing."""
    refuse_strangers("vehicles", state.vehicles, [vehicle.name for vehicle in site.vehicles])
    zone = ZoneInfo(site.timezone)
    pairs = [
        (vehicle, state.vehicles[vehicle.name])
        for vehicle in site.vehicles
        if vehicle.name in state.vehicles
    ]
    return tuple(
        ChargingDemand(read_vehicle(vehicle, now, timeline, zone=zone))
        for vehicle, now in pairs
        if now.sessions
    )


def _refuse_block(block: ManualBlock, _vehicle: ElectricVehicle) -> str | None:
    return None if block.action == "no_charge" else "is not at its charger then"


def _find_away(
    site: Site, state: StateMessage, _included: Collection[str], begin: datetime
) -> Iterator[Assumption]:
    stays = {name: each.sessions for name, each in state.vehicles.items()}
    away = [
        vehicle.name
        for vehicle in site.vehicles
        if not any(stay.to > begin for stay in stays.get(vehicle.name, ()))
    ]
    if away:
        yield Assumption(code="no_session", figures={"vehicles": away})


PLANNED = PlannedKind(
    "vehicles",
    _read_demands,
    carry_vehicles,
    _refuse_block,
    _find_away,
    stored=STORED,
    unavoidable=frozenset({FULL}),
    price_sessions=price_sessions,
    add=add_vehicles,
    place_by_habit=place_by_habit,
)
