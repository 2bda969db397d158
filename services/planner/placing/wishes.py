"""What is wanted of vehicles and appliances over the horizon, as values on the plan's slots."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from luna.contracts.plan import LoadState, StateMessage, VehicleSession
from luna.errors import InvalidInputError
from luna.site import DeferrableLoad, ElectricVehicle, Site
from luna.timeline import FloatArray, Timeline, local_midnight

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Stay:
    """A stay at the charger: within slots ``first`` to ``end`` (exclusive), ``wanted_kwh`` stored at its end.

    ``open`` says that the stay goes on beyond the horizon: then ``wanted_kwh`` is what cannot be charged afterwards any more.
    """

    first: int
    end: int
    until: datetime
    target_soc: float
    wanted_kwh: float
    open: bool


@dataclass(frozen=True, slots=True)
class VehicleWish:
    """A vehicle over the horizon: what it holds at the start, hours at the charger per slot (``(slots,)``), and its stays in order."""

    vehicle: ElectricVehicle
    stored_kwh: float
    plugged_hours: FloatArray
    stays: tuple[Stay, ...]


@dataclass(frozen=True, slots=True)
class DayNeed:
    """What an appliance has to use within slots ``first`` to ``end`` (exclusive) of one local day."""

    first: int
    end: int
    need_kwh: float


@dataclass(frozen=True, slots=True)
class LoadWish:
    """An appliance over the horizon: its needs by local day, and for how long it has been off at the start."""

    load: DeferrableLoad
    needs: tuple[DayNeed, ...]
    off_hours: float


@dataclass(frozen=True, slots=True)
class Wishes:
    """Everything that may be placed; ``incurred_kw`` are the month's peaks so far."""

    vehicles: tuple[VehicleWish, ...] = ()
    loads: tuple[LoadWish, ...] = ()
    incurred_kw: tuple[float, ...] = ()

    def any(self) -> bool:
        """Return whether there is anything to place."""
        return bool(self.vehicles or self.loads)


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
        _read_vehicle(vehicle, state.vehicles[vehicle.name].soc, state.vehicles[vehicle.name].sessions, timeline)
        for vehicle in site.vehicles
        if vehicle.name in state.vehicles and state.vehicles[vehicle.name].sessions
    )
    apart = [load for load in site.loads if load.name not in metered_with_load]
    loads = tuple(_read_load(load, state.loads.get(load.name, LoadState()), timeline, zone=ZoneInfo(site.timezone)) for load in apart)
    return Wishes(vehicles, loads, tuple(state.month_peaks_kw))


def _refuse_strangers(kind: str, named: Collection[str], known: Sequence[str]) -> None:
    for name in named:
        if name not in known:
            remedy = f"Known: {', '.join(known) or 'none'}."
            raise InvalidInputError(f"the site has none of this name among its {kind}", field=f"state.{kind}.{name}", remedy=remedy)


def _read_vehicle(vehicle: ElectricVehicle, soc: float, sessions: Sequence[VehicleSession], timeline: Timeline) -> VehicleWish:
    begins = timeline.starts.astype(np.int64)
    ends = begins + int(timeline.step.total_seconds())
    plugged = np.zeros(timeline.count)
    stays = []
    for index, session in enumerate(sorted(sessions, key=lambda session: session.from_)):
        if session.to <= session.from_:
            field = f"state.vehicles.{vehicle.name}.sessions.{index}"
            raise InvalidInputError("the session ends before it begins", field=field, value=session.to.isoformat(), remedy="Swap from and to.")
        overlap = np.clip(np.minimum(ends, session.to.timestamp()) - np.maximum(begins, session.from_.timestamp()), 0.0, None)
        plugged += overlap / 3600
        inside = np.flatnonzero(overlap > 0)
        if inside.size:
            stays.append(_stay(vehicle, session, (int(inside[0]), int(inside[-1]) + 1), timeline))
    return VehicleWish(vehicle, soc * vehicle.capacity_kwh, np.minimum(plugged, timeline.hours), tuple(stays))


def _stay(vehicle: ElectricVehicle, session: VehicleSession, slots: tuple[int, int], timeline: Timeline) -> Stay:
    later_hours = max((session.to - timeline.end) / HOUR, 0.0)
    wanted = session.target_soc * vehicle.capacity_kwh - later_hours * vehicle.charge_limit_kw * vehicle.charge_efficiency
    return Stay(slots[0], slots[1], session.to.astimezone(UTC), session.target_soc, max(wanted, 0.0), later_hours > 0)


def _read_load(load: DeferrableLoad, state: LoadState, timeline: Timeline, *, zone: ZoneInfo) -> LoadWish:
    first_day, needs = timeline.start.astimezone(zone).date(), []
    day = first_day
    while (midnight := local_midnight(day, zone)) < timeline.end:
        following = local_midnight(day + DAY, zone)
        ahead = (min(following, timeline.end) - max(midnight, timeline.start)) / (following - midnight)
        need = load.energy_kwh_per_day * ahead
        if day == first_day and state.energy_today_kwh is not None:
            left = max(load.energy_kwh_per_day - state.energy_today_kwh, 0.0)
            need = left if following <= timeline.end else min(left, need)
        first, end = (min(max(-((timeline.start - instant) // timeline.step), 0), timeline.count) for instant in (midnight, following))
        if end > first:
            needs.append(DayNeed(first, end, need))
        day += DAY
    return LoadWish(load, tuple(needs), state.off_hours)
