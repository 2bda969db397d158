"""Vehicles as flexible loads of a plan: the declaration of the kind."""

from collections.abc import Collection, Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from luna.contracts.owner import ManualBlock
from luna.contracts.plan import Assumption, OutlookMessage, StateMessage
from luna.energy.devices.vehicle import ElectricVehicle
from luna.energy.site import Site
from luna.energy.timeline import Timeline
from services.planner.devices.kind import PlannedKind, refuse_strangers
from services.planner.devices.vehicle.begin import STORED, carry_vehicles
from services.planner.devices.vehicle.deadline_prices import price_sessions
from services.planner.devices.vehicle.demand import read_vehicle
from services.planner.devices.vehicle.habit import add_vehicles, schedule_by_habit
from services.planner.devices.vehicle.schedule import FULL, ChargingDemand


def _read_demands(
    site: Site, state: StateMessage, timeline: Timeline, _series: OutlookMessage
) -> tuple[ChargingDemand, ...]:
    """Return the demands of the vehicles with sessions."""
    refuse_strangers("vehicles", state.vehicles, [vehicle.name for vehicle in site.vehicles])
    zone = ZoneInfo(site.timezone)
    demands = []
    for vehicle in site.vehicles:
        vehicle_state = state.vehicles.get(vehicle.name)
        if vehicle_state is not None and vehicle_state.sessions:
            car = read_vehicle(vehicle, vehicle_state, timeline, zone=zone)
            demands.append(ChargingDemand(car))
    return tuple(demands)


def _refuse_block(block: ManualBlock, _vehicle: ElectricVehicle) -> str | None:
    return None if block.action == "no_charge" else "is not at its charger then"


def _find_away(
    site: Site, state: StateMessage, _included: Collection[str], begin: datetime
) -> Iterator[Assumption]:
    """Note the vehicles without a session that ends after the plan's begin."""
    away = []
    for vehicle in site.vehicles:
        vehicle_state = state.vehicles.get(vehicle.name)
        sessions = vehicle_state.sessions if vehicle_state else []
        if not any(session.to > begin for session in sessions):
            away.append(vehicle.name)
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
    schedule_by_habit=schedule_by_habit,
)
