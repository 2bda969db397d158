"""Vehicles in a plan: their stays, habits, rows in a model, what may charge them, what a plan makes of them, and what their deadlines cost."""

from collections.abc import Collection, Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from luna.contracts.owner import ManualBlock
from luna.contracts.plan import Assumption, OutlookMessage, StateMessage
from luna.energy.devices import ElectricVehicle
from luna.energy.site import Site
from luna.energy.timeline import Timeline
from services.planner.devices.kind import PlannedKind, refuse_strangers
from services.planner.devices.vehicle.begin import STORED, add_vehicles, carry_vehicles, place_by_habit
from services.planner.devices.vehicle.demand import read_vehicle
from services.planner.devices.vehicle.planned import FULL, ChargingDemand, price_sessions

__all__ = ["PLANNED"]


def _read_demands(site: Site, state: StateMessage, timeline: Timeline, _series: OutlookMessage) -> tuple[ChargingDemand, ...]:
    """Return what vehicles with sessions ask for; without one they want nothing."""
    refuse_strangers("vehicles", state.vehicles, [vehicle.name for vehicle in site.vehicles])
    zone = ZoneInfo(site.timezone)
    pairs = [(vehicle, state.vehicles[vehicle.name]) for vehicle in site.vehicles if vehicle.name in state.vehicles]
    return tuple(ChargingDemand(read_vehicle(vehicle, now, timeline, zone=zone)) for vehicle, now in pairs if now.sessions)


def _refuse_block(block: ManualBlock, _vehicle: ElectricVehicle) -> str | None:
    return None if block.action == "no_charge" else "is not at its charger then"


def _find_away(site: Site, state: StateMessage, _included: Collection[str], begin: datetime) -> Iterator[Assumption]:
    stays = {name: each.sessions for name, each in state.vehicles.items()}
    away = [vehicle.name for vehicle in site.vehicles if not any(stay.to > begin for stay in stays.get(vehicle.name, ()))]
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
