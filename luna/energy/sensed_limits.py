"""Limits that a grid operator sets through a site's own sensors: a contact, or a power.

A contact is on while the operator limits the controllable devices. A power is the limit itself;
a negative one says that nothing is limited. A sensor that reports no value keeps its last one for
two hours, as a link that is lost does (EEBUS use case Limitation of Power Consumption 1.0).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, NamedTuple, get_args

from luna.energy.devices.heat_pump import HEAT_PUMP
from luna.energy.operator_limits import LimitScope, least_import_kw
from luna.energy.site import Site
from luna.energy.site.sensors import SiteSensor, name_of
from luna.energy.units import read_measure

LimitRole = Literal["operator_limit_contact", "operator_import_limit", "operator_export_limit"]
LIMIT_ROLES: tuple[LimitRole, ...] = get_args(LimitRole)
KEPT_WITHOUT_VALUE = timedelta(hours=2)
# Devices of at most this power are not steered by § 14a of the Energy Industry Act.
_SMALL_KW = 4.2
_KW_OF_PLAIN_NUMBER = 0.001


class SensedLimit(NamedTuple):
    """The limit of one sensor: the most that may be drawn or fed in, kW."""

    import_kw: float | None
    export_kw: float | None
    scope: LimitScope


@dataclass(frozen=True, slots=True)
class LimitReading:
    """The last value of a sensor of limits.

    Args:
        value: NaN where it never had one.
        unit: of the value.
        silent_since: since when it reports none; None: it reports one.
    """

    value: float = math.nan
    unit: str | None = None
    silent_since: datetime | None = None

    def follow(self, value: float, unit: str | None, at: datetime) -> "LimitReading":
        """Return the reading after the sensor's next value; NaN: it reports none."""
        if not math.isnan(value):
            return LimitReading(value, unit)
        return replace(self, silent_since=self.silent_since or at)

    def counts_at(self, now: datetime) -> bool:
        """Return whether the value still counts."""
        if math.isnan(self.value):
            return False
        return self.silent_since is None or now - self.silent_since < KEPT_WITHOUT_VALUE


def count_steerable(site: Site) -> int:
    """Return how many devices an operator may steer; heat pumps count as one together.

    Source: Bundesnetzagentur, BK6-22-300, annex 1, 2.4: chargers, heat pumps and batteries that
    draw more than 4.2 kW from the grid.
    """
    chargers = sum(vehicle.charge_limit_kw > _SMALL_KW for vehicle in site.vehicles)
    batteries = sum(
        battery.charge_from_grid and battery.charge_limit_kw > _SMALL_KW
        for battery in site.batteries
    )
    heat_pump = 1 if _heat_pumps_kw(site) > _SMALL_KW else 0
    return chargers + batteries + heat_pump


def read_sensed_limits(
    site: Site, readings: Mapping[str, LimitReading], now: datetime
) -> dict[str, SensedLimit]:
    """Return what the sensors of a site ask for now, by their names.

    Args:
        site: names the sensors in its roles ``operator_…``.
        readings: the last reading of each sensor, by name.
        now: the instant.
    """
    limits: dict[str, SensedLimit] = {}
    for role in LIMIT_ROLES:
        for sensor in site.present_sensors(getattr(site.input_sensors, role), now):
            reading = readings.get(sensor.name)
            if reading is None or not reading.counts_at(now):
                continue
            limit = _read_limit(site, role, sensor, reading)
            if limit is not None:
                limits[sensor.name] = limit
    return limits


def list_limit_sensors(site: Site) -> set[str]:
    """Return the names of all sensors by which an operator may limit a site."""
    names: set[str] = set()
    for role in LIMIT_ROLES:
        names.update(name_of(entry) for entry in getattr(site.input_sensors, role))
    return names


def name_source(site: Site, sensor: str) -> str:
    """Return the way by which a sensor's limit comes, as stored limits name it."""
    contacts = site.input_sensors.operator_limit_contact
    if any(name_of(contact) == sensor for contact in contacts):
        return "contact"
    prefix, colon, name = sensor.partition(":")
    if prefix == "eebus":
        return name
    return "mqtt" if colon else "home_assistant"


def _read_limit(
    site: Site, role: LimitRole, sensor: SiteSensor, reading: LimitReading
) -> SensedLimit | None:
    """Return the limit of a sensor, None where it sets none."""
    if role == "operator_limit_contact":
        # With a minus the contact is on while the sensor is off.
        is_on = (reading.value > 0) == (sensor.sign > 0)
        return SensedLimit(_least_kw(site), None, "devices") if is_on else None
    limit_kw = _read_kw(reading)
    if limit_kw is None:
        return None
    if role == "operator_import_limit":
        return SensedLimit(limit_kw, None, "devices")
    return SensedLimit(None, limit_kw, "connection")


def _least_kw(site: Site) -> float:
    devices = max(count_steerable(site), 1)
    return least_import_kw(devices, heat_pumps_kw=_heat_pumps_kw(site))


def _read_kw(reading: LimitReading) -> float | None:
    """Return a limit in kW, None where the value says that there is none.

    A number without a unit is in watts.
    """
    measure = read_measure(reading.unit)
    is_power = measure is not None and measure.kind == "power"
    factor = measure.factor if measure is not None and is_power else _KW_OF_PLAIN_NUMBER
    limit_kw = reading.value * factor
    return limit_kw if 0 <= limit_kw < math.inf else None


def _heat_pumps_kw(site: Site) -> float:
    return sum(pump.power_kw for pump in HEAT_PUMP.of(site))
