"""What is wanted of vehicles and appliances over the horizon, all of it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np

from luna.contracts.plan import HeatPumpState, LoadState, OutlookMessage, StateMessage
from luna.errors import InvalidInputError
from luna.site import Site
from luna.timeline import FloatArray, Timeline
from services.planner.placing.heat_wish import HeatWish, read_heat_pump
from services.planner.placing.load_wish import DayNeed, LoadWish, read_load
from services.planner.placing.programme_wish import ProgrammeWish, read_programme
from services.planner.placing.vehicle_wish import Stay, VehicleWish, read_vehicle

__all__ = ["NO_WISHES", "DayNeed", "HeatWish", "LoadWish", "ProgrammeWish", "Stay", "VehicleWish", "Wishes", "read_wishes"]


@dataclass(frozen=True, slots=True)
class Wishes:
    """Everything that may be placed."""

    vehicles: tuple[VehicleWish, ...] = ()
    loads: tuple[LoadWish, ...] = ()
    programmes: tuple[ProgrammeWish, ...] = ()
    heat_pumps: tuple[HeatWish, ...] = ()

    def any(self) -> bool:
        """Return whether there is anything to place."""
        return bool(self.vehicles or self.loads or self.programmes or self.heat_pumps)

    def forced_kwh(self, hours: FloatArray) -> FloatArray:
        """Return what runs on whatever is planned, shape ``(slots,)``."""
        parts = [wish.forced_kwh(hours) for wish in self.loads] + [pump.forced_kwh(hours) for pump in self.heat_pumps]
        return sum([*parts, *(wish.running_kwh for wish in self.programmes)], np.zeros(hours.size))


NO_WISHES = Wishes()


def read_wishes(site: Site, state: StateMessage, timeline: Timeline, *, series: OutlookMessage) -> Wishes:
    """Return what a site's vehicles and appliances want over a timeline. A vehicle without a session wants nothing.

    Args:
        series: what lies ahead; what its load includes is not placed.

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
    apart = [load for load in site.loads if load.name not in series.load_includes]
    zone, known = ZoneInfo(site.timezone), [(load, state.loads.get(load.name, LoadState())) for load in apart]
    loads = tuple(read_load(load, now, timeline, zone=zone) for load, now in known if not load.profile_kw)
    programmes = tuple(read_programme(load, now, timeline, zone=zone) for load, now in known if load.profile_kw and (now.runs or now.on_hours))
    return Wishes(vehicles, loads, programmes, _read_heat_pumps(site, state, timeline, series))


def _read_heat_pumps(site: Site, state: StateMessage, timeline: Timeline, series: OutlookMessage) -> tuple[HeatWish, ...]:
    names = [pump.name for pump in site.heat_pumps]
    _refuse_strangers("heat_pumps", state.heat_pumps, names)
    _refuse_strangers("heat_pumps", series.heat_demand_kwh, names, where="outlook.heat_demand_kwh")
    apart = [pump for pump in site.heat_pumps if pump.name not in series.load_includes]
    zone = ZoneInfo(site.timezone)
    return tuple(read_heat_pump(pump, state.heat_pumps.get(pump.name, HeatPumpState()), timeline, series=series, zone=zone) for pump in apart)


def _refuse_strangers(kind: str, named: Collection[str], known: Sequence[str], *, where: str | None = None) -> None:
    for name in named:
        if name not in known:
            remedy = f"Known: {', '.join(known) or 'none'}."
            raise InvalidInputError(f"the site has none of this name among its {kind}", field=f"{where or f'state.{kind}'}.{name}", remedy=remedy)
