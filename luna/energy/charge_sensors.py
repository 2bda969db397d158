"""State of charge and plug state of vehicles, judged from their sensors."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import numpy as np

from luna.energy.devices.vehicle import ElectricVehicle
from luna.energy.energy_store import CAR, ROAMING_CAR, EnergyStore, MeteredEnergy
from luna.energy.observations import SocReading
from luna.energy.site import Site
from luna.energy.site.sensors import SiteSensor
from luna.energy.soc_plausibility import LevelPace, pace_of_batteries
from luna.energy.store_level import VERDICTS, Presence, StoreLevel, judge_store
from luna.energy.timeline import SLOT, FloatArray, InstantArray, parse_instant

# Codes of a plan's notes that it uses a vehicle's reading, as it is or as the judgement has it.
_READ_NOTES = {
    "vehicle_soc_read",
    "vehicle_soc_ranged",
    *(f"vehicle_soc_{verdict}" for verdict in VERDICTS),
}

# Neither fast chargers nor motorways exceed this for minutes on end.
MOST_ON_THE_ROAD_KW = 150.0
# A charge is planned this long before the car is said not to take it.
UNTAKEN_AFTER = timedelta(hours=2)
# Own consumption of a charger in a quarter-hour.
LITTLE_KWH = 0.05
# Highest draw of a parked car from its own battery: guards, cameras, warming itself.
STANDING_KW = 0.3

SensorSeries = tuple[InstantArray, FloatArray]
NO_READINGS: SensorSeries = (np.empty(0, dtype="M8[us]"), np.empty(0))


@dataclass(frozen=True, slots=True)
class ChargeSensors:
    """Names of a vehicle's sensors, None without one.

    ``unplugged``: ``connected`` is inverted, on while the vehicle is away. ``distance``: of the
    range, where no sensor tells the state of charge and the vehicle's consumption is known.
    """

    soc: str | None
    connected: str | None
    unplugged: bool = False
    distance: str | None = None

    @property
    def level(self) -> str | None:
        """The sensor that the state of charge comes from."""
        return self.soc or self.distance


@dataclass(frozen=True, slots=True)
class SeenCharge:
    """The state of a vehicle at an instant; None is unknown.

    ``since``: when it was plugged in or out. ``metered`` is what its charger counted of late.
    ``by_range``: the charge follows from the range that the vehicle reports.
    """

    charge: StoreLevel | None = None
    connected: bool | None = None
    since: datetime | None = None
    metered: MeteredEnergy | None = None
    by_range: bool = False

    @property
    def soc(self) -> float | None:
        """The judged state of charge; None where it is unknown."""
        return None if self.charge is None else self.charge.soc


@dataclass(frozen=True, slots=True)
class UntakenCharge:
    """Planned energy of which a vehicle took nothing since it was plugged in."""

    since: datetime
    planned_kwh: float


class PlanNote(Protocol):
    """A note of a plan on its inputs."""

    @property
    def code(self) -> str: ...
    @property
    def figures(self) -> Mapping[str, Any]: ...


def list_read(notes: Iterable[PlanNote]) -> dict[str, datetime]:
    """Return the instant of each state of charge that a plan used, by device.

    The instants come from the plan's notes.
    """
    read_at = {}
    for note in notes:
        if note.code in _READ_NOTES and "at" in note.figures:
            instant = parse_instant(note.figures["at"], field="assumptions")
            read_at[note.figures["vehicle"]] = instant
    return read_at


def sensors_of(site: Site, *, at: datetime) -> dict[str, ChargeSensors]:
    """Return the sensors in force at ``at`` by vehicle.

    The n-th sensor of a role belongs to the n-th vehicle.

    Vehicles without one are left out, unless the site meters what is charged.
    """
    soc_sensors = site.present_sensors(site.input_sensors.vehicle_soc, at)
    plug_sensors = site.present_sensors(site.input_sensors.vehicle_connected, at)
    range_sensors = site.present_sensors(site.input_sensors.vehicle_range, at)
    is_metered = bool(site.input_sensors.vehicle_consumption)
    by_vehicle = {}
    for place, vehicle in enumerate(site.vehicles):
        soc = _name_at(soc_sensors, place)
        connected = _name_at(plug_sensors, place)
        distance = None
        if soc is None and vehicle.soc_per_km is not None:
            distance = _name_at(range_sensors, place)
        if soc or connected or distance or is_metered:
            unplugged = connected is not None and plug_sensors[place].sign < 0
            by_vehicle[vehicle.name] = ChargeSensors(
                soc, connected, unplugged=unplugged, distance=distance
            )
    return by_vehicle


def _name_at(sensors: Sequence[SiteSensor], place: int) -> str | None:
    return sensors[place].name if place < len(sensors) else None


def pace_of_charge(vehicle: ElectricVehicle, *, connected: bool) -> LevelPace:
    """Return how fast a vehicle's level moves, at its charger or on the road."""
    if not connected:
        on_the_road = MOST_ON_THE_ROAD_KW / vehicle.capacity_kwh
        return LevelPace(on_the_road, on_the_road)
    stored_kw = vehicle.most_charge_kw * vehicle.charge_efficiency
    drained_kw = vehicle.discharge_limit_kw / vehicle.discharge_efficiency
    return LevelPace(stored_kw / vehicle.capacity_kwh, drained_kw / vehicle.capacity_kwh)


def find_pace(site: Site, name: str) -> LevelPace | None:
    """Return the pace of a battery, or of a vehicle on the road; None without the device."""
    batteries = [battery for battery in site.batteries if battery.name == name]
    if batteries:
        return pace_of_batteries(batteries)
    for vehicle in site.vehicles:
        if vehicle.name == name:
            return pace_of_charge(vehicle, connected=False)
    return None


def store_of(vehicle: ElectricVehicle) -> EnergyStore:
    """Return a vehicle's battery as a store that its charger fills."""
    return EnergyStore(
        CAR,
        vehicle.capacity_kwh,
        charge_kw=vehicle.most_charge_kw * vehicle.charge_efficiency,
        discharge_kw=vehicle.discharge_limit_kw / vehicle.discharge_efficiency,
        charge_efficiency=vehicle.charge_efficiency,
        discharge_efficiency=vehicle.discharge_efficiency,
        loss_kw=STANDING_KW,
    )


def judge_charge(
    vehicle: ElectricVehicle,
    socs: SensorSeries,
    plugs: SensorSeries,
    *,
    until: datetime,
    unplugged: bool = False,
    metered: MeteredEnergy | None = None,
) -> SeenCharge:
    """Return the state of a vehicle at the instant ``until``.

    Args:
        vehicle: its powers bound the plausible changes.
        socs: instants and states of charge (0–1), in order; NaN where unknown.
        plugs: instants and values of the plug sensor, in order.
        until: the last values hold until then.
        unplugged: the plug sensor is on while the vehicle is away.
        metered: what its charger counted; None where nobody knows.
    """
    connected, since, left = _judge_plug(plugs, unplugged=unplugged)
    readings = [SocReading(soc, at) for soc, at in _pair_readings(socs)]
    store = store_of(vehicle)
    # Energy given to the house is not metered by itself.
    counted = None if vehicle.discharge_limit_kw else metered
    if connected and since is not None:
        presence = Presence(since, left, pace_of_charge(vehicle, connected=False))
        level = judge_store(store, readings, now=until, presence=presence, metered=counted)
    else:
        # On the road it charges and drives, and no meter of the house counts it.
        roaming = replace(
            store,
            kind=ROAMING_CAR,
            charge_kw=MOST_ON_THE_ROAD_KW,
            discharge_kw=MOST_ON_THE_ROAD_KW,
        )
        at_home = counted if connected is None else None
        level = judge_store(roaming, readings, now=until, metered=at_home)
    charge = None if level.verdict == "unknown" else level
    return SeenCharge(charge, connected, since, metered)


def count_since(
    vehicle: ElectricVehicle,
    seen: SeenCharge,
    arrival_soc: float,
    *,
    since: datetime,
    now: datetime,
) -> tuple[float, float] | None:
    """Return a vehicle's level and its charged kWh since it came.

    It came ``since`` with ``arrival_soc``; the level is what its charger has made of that. None
    where nobody knows what was charged.
    """
    metered = seen.metered
    if metered is None or since < metered.timeline.start or vehicle.discharge_limit_kw:
        return None
    if not metered.is_counted(since, now):
        return None
    stored = metered.count_stored(store_of(vehicle), since, now)
    return min(arrival_soc + stored, 1.0), metered.count_into(since, now)


def is_idle(seen: SeenCharge, now: datetime) -> bool:
    """Return whether a vehicle has taken nothing at its charger for hours."""
    if not seen.connected or seen.since is None or seen.metered is None:
        return False
    first = now - UNTAKEN_AFTER
    if seen.since > first:
        return False
    unknown_hours = seen.metered.count_unknown(first, now)
    if unknown_hours > SLOT / timedelta(hours=1):
        return False
    return seen.metered.count_into(first, now) < LITTLE_KWH


def judge_untaken(seen: SeenCharge, planned_kwh: FloatArray) -> UntakenCharge | None:
    """Return the energy that was planned for two hours and not taken.

    None where it was taken.

    Args:
        seen: the vehicle, with what its charger counted.
        planned_kwh: to be charged in each slot of what was metered, NaN without a plan.
    """
    if seen.metered is None or seen.since is None:
        return None
    starts = seen.metered.timeline.starts
    taken_kwh = seen.metered.into_kwh
    # The slots since the last energy that was taken, or since the vehicle was plugged in.
    is_since = starts >= np.datetime64(seen.since.replace(tzinfo=None))
    slots_taken = np.flatnonzero(is_since & (taken_kwh > LITTLE_KWH))
    if slots_taken.size:
        is_since &= np.arange(starts.size) > slots_taken[-1]
    untaken = is_since & np.isfinite(taken_kwh) & (planned_kwh > LITTLE_KWH)
    if int(np.count_nonzero(untaken)) * SLOT < UNTAKEN_AFTER:
        return None
    return UntakenCharge(seen.since, float(planned_kwh[untaken].sum()))


def is_away(plugs: SensorSeries, *, unplugged: bool, beside: tuple[SensorSeries, bool]) -> bool:
    """Return whether a vehicle was away since another one was plugged in.

    Args:
        plugs: readings of the vehicle's plug sensor.
        unplugged: that sensor is on while it is away.
        beside: the same of the other vehicle.
    """
    other_plugs, other_unplugged = beside
    connected, since, _ = _judge_plug(other_plugs, unplugged=other_unplugged)
    states = _pair_readings(plugs)
    if not connected or since is None:
        return False
    before = [value for value, at in states if at <= since]
    if not before:
        return False
    values = [before[-1], *(value for value, at in states if at > since)]
    return all((value > 0) is unplugged for value in values if not np.isnan(value))


def _judge_plug(
    plugs: SensorSeries, *, unplugged: bool
) -> tuple[bool | None, datetime | None, datetime | None]:
    """Return whether a vehicle is connected, since when, and when it last left."""
    states = [(value, at) for value, at in _pair_readings(plugs) if not np.isnan(value)]
    if not states or np.isnan(plugs[1][-1]):
        return None, None, None
    last_value, since = states[-1]
    is_on = last_value > 0
    left = None
    for value, at in reversed(states):
        is_same = (value > 0) is is_on
        if is_same and left is not None:
            break
        if is_same:
            since = at
        else:
            left = at
    connected = not is_on if unplugged else is_on
    return connected, since, left


def _pair_readings(readings: SensorSeries) -> Sequence[tuple[float, datetime]]:
    read_at, values = readings
    instants = [instant.replace(tzinfo=UTC) for instant in read_at.astype("M8[us]").tolist()]
    return list(zip(values.tolist(), instants, strict=True))
