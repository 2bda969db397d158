"""Stays of a vehicle at its charger, derived from what its sensors recorded."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from luna.energy.charge_sensors import SensorSeries
from luna.energy.devices.vehicle import ElectricVehicle
from luna.energy.energy_store import MeteredEnergy
from luna.energy.timeline import to_instant

# A cable that is pulled for less is plugged in again: nobody has left.
SHORT_ABSENCE = timedelta(minutes=15)
# A change of the plug that lies in an outage of the sensor longer than this has no known time.
LONG_OUTAGE = timedelta(minutes=15)
# A state of charge counts for an arrival or a departure if it was read this close to it.
NEAR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class ChargerStay:
    """A stay from arrival to departure.

    Args:
        arrival: when it was plugged in; None: before the recording.
        departure: when it left; None: it is still there, or nobody knows.
        needed_kwh: energy stored in the vehicle that the way needed; None: nobody knows.
        leaving_soc: state of charge at the departure; None: nobody knows.
    """

    arrival: datetime | None
    departure: datetime | None
    needed_kwh: float | None = None
    leaving_soc: float | None = None


@dataclass(frozen=True, slots=True)
class _PlugChange:
    at: datetime
    is_plugged: bool
    is_certain: bool


def list_stays(
    vehicle: ElectricVehicle,
    plugs: SensorSeries,
    socs: SensorSeries,
    metered: MeteredEnergy | None,
    *,
    unplugged: bool = False,
) -> list[ChargerStay]:
    """Return a vehicle's stays at its charger in order.

    Args:
        vehicle: its capacity and efficiency turn levels and meter into stored energy.
        plugs: instants and values of the plug sensor, in order; NaN where it said nothing.
        socs: instants and states of charge (0-1), in order.
        metered: what the charger counted for this vehicle; None where nobody knows.
        unplugged: the plug sensor is on while the vehicle is away.

    Invariants: stays do not overlap; no energy is negative.
    """
    spans = _list_spans(_list_changes(plugs, unplugged=unplugged))
    stays: list[ChargerStay] = []
    for place, (arrival, departure) in enumerate(spans):
        later_arrival = spans[place + 1][0] if place + 1 < len(spans) else None
        leaving_soc = _read_soc(socs, departure, before=True)
        needed_kwh = _find_trip_kwh(vehicle, socs, leaving_soc, later_arrival)
        if needed_kwh is None:
            needed_kwh = _find_charged_kwh(vehicle, metered, arrival, departure)
        stays.append(ChargerStay(arrival, departure, needed_kwh, leaving_soc))
    return stays


def _list_changes(plugs: SensorSeries, *, unplugged: bool) -> list[_PlugChange]:
    """Return the changes of the plug, with the first state as the first of them."""
    changes: list[_PlugChange] = []
    silent_since: datetime | None = None
    instants = [instant.replace(tzinfo=UTC) for instant in plugs[0].astype("M8[us]").tolist()]
    for at, value in zip(instants, plugs[1].tolist(), strict=True):
        if np.isnan(value):
            silent_since = silent_since or at
            continue
        is_plugged = (value > 0) is not unplugged
        if not changes:
            changes.append(_PlugChange(at, is_plugged, is_certain=False))
        elif changes[-1].is_plugged is not is_plugged:
            is_certain = silent_since is None or at - silent_since <= LONG_OUTAGE
            changes.append(_PlugChange(at, is_plugged, is_certain))
        silent_since = None
    return changes


def _list_spans(
    changes: Sequence[_PlugChange],
) -> list[tuple[datetime | None, datetime | None]]:
    """Return begin and end of each time at the charger; None where it is not known."""
    spans: list[tuple[datetime | None, datetime | None]] = []
    left_at: datetime | None = None
    for change in changes:
        known_at = change.at if change.is_certain else None
        if not change.is_plugged:
            if spans:
                spans[-1] = (spans[-1][0], known_at)
            left_at = change.at
        elif spans and left_at is not None and change.at - left_at < SHORT_ABSENCE:
            spans[-1] = (spans[-1][0], None)
        else:
            spans.append((known_at, None))
    return spans


def _read_soc(socs: SensorSeries, at: datetime | None, *, before: bool) -> float | None:
    """Return the state of charge read next to an instant, before or after it."""
    instants, values = socs
    if at is None or not instants.size:
        return None
    place = int(np.searchsorted(instants, to_instant(at), side="right"))
    place = place - 1 if before else place
    if not 0 <= place < instants.size or np.isnan(values[place]):
        return None
    is_near = abs(instants[place] - to_instant(at)) <= np.timedelta64(NEAR)
    return float(values[place]) if is_near else None


def _find_trip_kwh(
    vehicle: ElectricVehicle,
    socs: SensorSeries,
    leaving_soc: float | None,
    later_arrival: datetime | None,
) -> float | None:
    """Return what the way took by the levels before and after it."""
    arrival_soc = _read_soc(socs, later_arrival, before=False)
    if leaving_soc is None or arrival_soc is None:
        return None
    return max(leaving_soc - arrival_soc, 0.0) * vehicle.capacity_kwh


def _find_charged_kwh(
    vehicle: ElectricVehicle,
    metered: MeteredEnergy | None,
    arrival: datetime | None,
    departure: datetime | None,
) -> float | None:
    """Return what a stay stored: what the way before it took, where it is always made up for."""
    if metered is None or arrival is None or departure is None or vehicle.discharge_limit_kw:
        return None
    if arrival < metered.timeline.start or departure > metered.timeline.end:
        return None
    if not metered.is_counted(arrival, departure):
        return None
    stored_kwh = metered.count_into(arrival, departure) * vehicle.charge_efficiency
    return min(stored_kwh, vehicle.capacity_kwh)


def leave_out_plugged(
    metered: MeteredEnergy, plugs: SensorSeries, *, unplugged: bool = False
) -> MeteredEnergy:
    """Return what a meter of several chargers counted while another vehicle was away.

    It is unknown in each slot in which the other vehicle was plugged in, or nobody knows.
    """
    edges = metered.timeline.edges
    is_away = np.zeros(metered.timeline.count, dtype=bool)
    changes = _list_changes(plugs, unplugged=unplugged)
    for place, change in enumerate(changes):
        if change.is_plugged:
            continue
        left = to_instant(change.at)
        is_last = place + 1 == len(changes)
        back = edges[-1] if is_last else to_instant(changes[place + 1].at)
        is_away |= (edges[:-1] >= left) & (edges[1:] <= back)
    return MeteredEnergy(metered.timeline, np.where(is_away, metered.into_kwh, np.nan))
