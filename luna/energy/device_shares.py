"""Share of each controllable device in what an operator's limit leaves to all of them. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from luna.energy.operator_limits import LimitInForce

_ROUNDING_KW = 1e-6


@dataclass(frozen=True, slots=True)
class PowerRequest:
    """The power that a device asks for, and the powers that it can be set to.

    Args:
        name: of the device, unique among those that share.
        power_kw: what it asks for; 0 where it draws nothing from the grid.
        ranges: least and highest power of each range that it can be set to, ascending and
            disjoint; 0 is always possible.
    """

    name: str
    power_kw: float
    ranges: tuple[tuple[float, float], ...]

    def fit(self, room_kw: float) -> float:
        """Return the highest power within a room, or 0 if even its least does not fit."""
        fitting_kw = 0.0
        for least_kw, most_kw in self.ranges:
            if least_kw <= room_kw + _ROUNDING_KW:
                fitting_kw = max(min(most_kw, room_kw), least_kw)
        return fitting_kw


@dataclass(frozen=True, slots=True)
class HousePower:
    """The measured powers of a house, kW, without its controllable devices.

    Args:
        house_kw: load of what is not controllable.
        pv_kw: production.
        discharge_kw: what batteries give.
    """

    house_kw: float
    pv_kw: float
    discharge_kw: float

    @property
    def surplus_kw(self) -> float:
        """Own production that the house leaves; negative where the house needs more."""
        return self.pv_kw + self.discharge_kw - self.house_kw


def find_import_room(limit: LimitInForce, house: HousePower | None) -> float:
    """Return the power that controllable devices may draw together, kW.

    Own production that the house leaves is theirs on top. Unless it is measured, there is none.

    Args:
        limit: in force.
        house: as measured now; None: there is no fresh measurement.
    """
    surplus_kw = 0.0 if house is None else house.surplus_kw
    devices_kw = limit.devices_import_kw + max(surplus_kw, 0.0)
    meter_kw = limit.import_kw + surplus_kw
    return max(min(devices_kw, meter_kw), 0.0)


def share_power(requests: Sequence[PowerRequest], room_kw: float) -> dict[str, float]:
    """Return the power of each device, kW, by its name.

    Each gets its least power first, in the order of the requests, as long as it fits; a device
    whose least power does not fit is stopped. In the same order they are then raised to what they
    ask for, as far as the room goes.

    Args:
        requests: the most important first.
        room_kw: for all of them; infinite where nothing limits.

    Invariants: the powers together do not exceed the room; no power exceeds its request, unless it
        is the least that the device can be set to; every power is 0 or in one of the device's
        ranges.
    """
    shares: dict[str, float] = {}
    left_kw = max(room_kw, 0.0)
    for request in requests:
        shares[request.name] = 0.0
        if request.power_kw <= 0 or not request.ranges:
            continue
        least_kw = request.ranges[0][0]
        if least_kw <= left_kw:
            shares[request.name] = least_kw
            left_kw -= least_kw
    for request in requests:
        given_kw = shares[request.name]
        is_stopped = bool(request.ranges) and given_kw < request.ranges[0][0]
        if request.power_kw <= given_kw or is_stopped:
            continue
        raised_kw = max(request.fit(min(request.power_kw, given_kw + left_kw)), given_kw)
        left_kw = max(left_kw - (raised_kw - given_kw), 0.0)
        shares[request.name] = raised_kw
    return shares
