"""What is wanted of a vehicle over the horizon, as values on the plan's slots."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from luna.contracts.plan import VehicleSession
from luna.errors import InvalidInputError
from luna.site import ElectricVehicle
from luna.timeline import FloatArray, Timeline

HOUR = timedelta(hours=1)


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


def read_vehicle(vehicle: ElectricVehicle, soc: float, sessions: Sequence[VehicleSession], timeline: Timeline) -> VehicleWish:
    """Return what a vehicle wants over a timeline.

    Raises:
        InvalidInputError: a session that ends before it begins.
    """
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
