"""What is wanted of vehicles and appliances over the horizon, all of it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from luna.contracts.plan import LoadState, StateMessage
from luna.errors import InvalidInputError
from luna.site import Site
from luna.timeline import Timeline
from services.planner.placing.load_wish import DayNeed, LoadWish, read_load
from services.planner.placing.programme_wish import ProgrammeWish, read_programme
from services.planner.placing.vehicle_wish import Stay, VehicleWish, read_vehicle

__all__ = ["NO_WISHES", "DayNeed", "LoadWish", "ProgrammeWish", "Stay", "VehicleWish", "Wishes", "read_wishes"]


@dataclass(frozen=True, slots=True)
class Wishes:
    """Everything that may be placed."""

    vehicles: tuple[VehicleWish, ...] = ()
    loads: tuple[LoadWish, ...] = ()
    programmes: tuple[ProgrammeWish, ...] = ()

    def any(self) -> bool:
        """Return whether there is anything to place."""
        return bool(self.vehicles or self.loads or self.programmes)


NO_WISHES = Wishes()


def read_wishes(site: Site, state: StateMessage, timeline: Timeline, *, metered_with_load: Collection[str] = ()) -> Wishes:
    """Return what a site's vehicles and appliances want over a timeline. A vehicle without a session wants nothing.

    Args:
        metered_with_load: appliances whose use is part of the load already.

    Raises:
        InvalidInputError: state of a vehicle or load the site does not have, a session without state of charge or upside down.
    """
    _refuse_strangers("vehicles", state.vehicles, [vehicle.name for vehicle in site.vehicles])
    _refuse_strangers("loads", state.loads, [load.name for load in site.loads])
    vehicles = tuple(
        read_vehicle(vehicle, state.vehicles[vehicle.name], timeline)
        for vehicle in site.vehicles
        if vehicle.name in state.vehicles and state.vehicles[vehicle.name].sessions
    )
    apart = [load for load in site.loads if load.name not in metered_with_load]
    zone, known = ZoneInfo(site.timezone), [(load, state.loads.get(load.name, LoadState())) for load in apart]
    loads = tuple(read_load(load, now, timeline, zone=zone) for load, now in known if not load.profile_kw)
    programmes = tuple(read_programme(load, now, timeline, zone=zone) for load, now in known if load.profile_kw and (now.runs or now.on_hours))
    return Wishes(vehicles, loads, programmes)


def _refuse_strangers(kind: str, named: Collection[str], known: Sequence[str]) -> None:
    for name in named:
        if name not in known:
            remedy = f"Known: {', '.join(known) or 'none'}."
            raise InvalidInputError(f"the site has none of this name among its {kind}", field=f"state.{kind}.{name}", remedy=remedy)
