"""State of charge and plug state of vehicles, judged from their sensors."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import takewhile
from typing import Any, Protocol

import numpy as np

from luna.energy.devices.vehicle import ElectricVehicle
from luna.energy.observations import SocReading
from luna.energy.part import SOC_ROUNDING
from luna.energy.site import Site
from luna.energy.soc_plausibility import JudgedLevel, LevelPace, judge_levels, pace_of_batteries
from luna.energy.timeline import FloatArray, InstantArray, parse_instant

# Code of a plan's note that it uses a vehicle's reading.
_READ_NOTE = "vehicle_soc_read"

# Neither fast chargers nor motorways exceed this for minutes on end.
MOST_ON_THE_ROAD_KW = 150.0

Said = tuple[InstantArray, FloatArray]
NOTHING_SAID: Said = (np.empty(0, dtype="M8[us]"), np.empty(0))


@dataclass(frozen=True, slots=True)
class ChargeSensors:
    """Names of a vehicle's sensors, None without one; ``unplugged``: ``connected`` is inverted, on while the vehicle is away."""

    soc: str | None
    connected: str | None
    unplugged: bool = False


@dataclass(frozen=True, slots=True)
class SeenCharge:
    """The state of a vehicle at an instant: its level, and whether it is connected, since when; None: unknown."""

    charge: JudgedLevel | None = None
    connected: bool | None = None
    since: datetime | None = None


class PlanNote(Protocol):
    """A note of a plan on its inputs."""

    @property
    def code(self) -> str: ...
    @property
    def figures(self) -> Mapping[str, Any]: ...


def list_read(notes: Iterable[PlanNote]) -> dict[str, datetime]:
    """Return for each device the instant of the state-of-charge reading that a plan with these notes used."""
    read = [note.figures for note in notes if note.code == _READ_NOTE]
    return {figures["vehicle"]: parse_instant(figures["at"], field="assumptions") for figures in read}


def sensors_of(site: Site, *, at: datetime) -> dict[str, ChargeSensors]:
    """Return the sensors in force at ``at`` by vehicle; the n-th sensor of a role belongs to the n-th vehicle, vehicles without one are left out."""
    named = site.input_sensors.vehicle_soc, site.input_sensors.vehicle_connected
    roles = [[sensor for sensor in site.list_sensors(entries) if sensor.holds_at(at)] for entries in named]
    by_vehicle = {}
    for place, vehicle in enumerate(site.vehicles):
        soc, connected = (sensors[place] if place < len(sensors) else None for sensors in roles)
        if soc or connected:
            unplugged = connected is not None and connected.sign < 0
            by_vehicle[vehicle.name] = ChargeSensors(soc.name if soc else None, connected.name if connected else None, unplugged=unplugged)
    return by_vehicle


def pace_of_charge(vehicle: ElectricVehicle, *, connected: bool) -> LevelPace:
    """Return how fast a vehicle's level moves: at its own charger, or (not ``connected``) on the road."""
    if not connected:
        return LevelPace(*[MOST_ON_THE_ROAD_KW / vehicle.capacity_kwh] * 2)
    given_kw = vehicle.discharge_limit_kw / vehicle.discharge_efficiency
    return LevelPace(vehicle.most_charge_kw * vehicle.charge_efficiency / vehicle.capacity_kwh, given_kw / vehicle.capacity_kwh)


def find_pace(site: Site, name: str) -> LevelPace | None:
    """Return how fast the level of a battery, or of a vehicle on the road, moves; None where the site lacks the device."""
    batteries = [battery for battery in site.batteries if battery.name == name]
    if batteries:
        return pace_of_batteries(batteries)
    return next((pace_of_charge(vehicle, connected=False) for vehicle in site.vehicles if vehicle.name == name), None)


def judge_charge(vehicle: ElectricVehicle, socs: Said, plugs: Said, *, until: datetime, unplugged: bool = False) -> SeenCharge:
    """Return the state of a vehicle at the instant ``until``.

    Args:
        vehicle: its powers bound the plausible changes.
        socs: instants and states of charge (0–1), in order; NaN where unknown.
        plugs: instants and values of the plug sensor, in order.
        until: the last values hold until then.
        unplugged: the plug sensor is on while the vehicle is away.
    """
    connected, since = _judge_plug(plugs, unplugged=unplugged)
    charges = [SocReading(float(np.clip(soc, 0.0, 1.0)), at) for soc, at in _list(socs) if -SOC_ROUNDING <= soc <= 1 + SOC_ROUNDING]
    # On the road it may have charged or driven, so readings at its own charger are judged apart, by the charger's power.
    here = [each for each in charges if connected and since is not None and each.at >= since]
    charge = judge_levels(here or charges, pace_of_charge(vehicle, connected=bool(here)))
    holds = socs[1].size > 0 and bool(np.isfinite(socs[1][-1]))
    return SeenCharge(charge.confirm(until) if charge and holds else charge, connected, since)


def _judge_plug(plugs: Said, *, unplugged: bool) -> tuple[bool | None, datetime | None]:
    """Return whether a vehicle is connected, and since when without a break."""
    states = list(_list(plugs))
    if not states or np.isnan(states[-1][0]):
        return None, None
    connected = (states[-1][0] > 0) is not unplugged
    same = list(takewhile(lambda each: np.isnan(each[0]) or ((each[0] > 0) is not unplugged) is connected, reversed(states)))
    return connected, [at for value, at in same if not np.isnan(value)][-1]


def _list(readings: Said) -> Sequence[tuple[float, datetime]]:
    instants = [instant.replace(tzinfo=UTC) for instant in readings[0].astype("M8[us]").tolist()]
    return list(zip(readings[1].tolist(), instants, strict=True))
