"""Read a forecast's inputs besides load and PV: weather forecasts as issued, and vacation mode."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from sqlalchemy import Connection

from luna.energy.site import Site
from luna.energy.timeline import FloatArray, IndexArray, InstantArray
from luna.energy.weather import NO_WEATHER, WeatherVintages
from luna.platform.database import readings, sites, weather_carbon

SLOT_MICROSECONDS = 900 * 1_000_000


@dataclass(frozen=True, slots=True)
class Vacation:
    """Readings of vacation mode.

    From each instant (ascending, UTC) on, the share ``on`` (0 to 1) holds; both of shape
    ``(readings,)``.
    """

    instants: InstantArray
    on: FloatArray

    def shares(self, slots: IndexArray) -> FloatArray:
        """Return the share of each quarter-hour (number since 1970, consecutive) with the mode on.

        NaN before the first reading.

        Invariants: a reading changes no slot that ended before it.
        """
        if not self.instants.size or not slots.size:
            return np.full(slots.size, np.nan)
        edges = np.append(slots, slots[-1] + 1) * SLOT_MICROSECONDS
        instants = self.instants.astype("datetime64[us]").astype(np.int64)
        at = np.append(instants, max(edges[-1], instants[-1]) + 1)
        seconds_on = np.concatenate([[0.0], np.cumsum(np.nan_to_num(self.on) * np.diff(at))])
        shares = np.diff(np.interp(edges, at, seconds_on)) / SLOT_MICROSECONDS
        # Rounding removes the cumulative sum's error, which depends on earlier readings.
        observed: FloatArray = np.where(
            edges[1:] > at[0], np.clip(np.round(shares, 6), 0.0, 1.0), np.nan
        )
        return observed


NO_VACATION = Vacation(np.empty(0, dtype="datetime64[us]"), np.empty(0))


@dataclass(frozen=True, slots=True)
class Context:
    """Weather and vacation mode of a site; by default unknown."""

    weather: WeatherVintages = field(default=NO_WEATHER)
    vacation: Vacation = field(default=NO_VACATION)


NO_CONTEXT = Context()


def read_context(
    connection: Connection,
    site: Site,
    *,
    first: datetime,
    end: datetime,
    known_at: datetime | None = None,
) -> Context:
    """Return a site's stored context for the slots from ``first`` on, before ``end``.

    With ``known_at``, only weather that was issued by then.
    """
    key = sites.key_of(connection, site.name)
    away = read_vacations(connection, {key: site}, first=first, end=end)[key]
    return Context(
        weather_carbon.read_weather_book(
            connection, site.name, first=first, end=end, known_at=known_at
        ),
        away,
    )


def read_vacations(
    connection: Connection, sites_by_key: Mapping[int, Site], *, first: datetime, end: datetime
) -> dict[int, Vacation]:
    """Return vacation mode by site key, for the slots from ``first`` on, before ``end``."""
    sensors = []
    for key, site in sites_by_key.items():
        for sensor in site.list_sensors(site.input_sensors.vacation_switches):
            sensors.append((key, sensor))
    names = [(key, sensor.name) for key, sensor in sensors]
    sensor_series = readings.read_with_previous_each(connection, names, first=first, end=end)
    switches: dict[int, list[tuple[InstantArray, FloatArray]]] = {key: [] for key in sites_by_key}
    for (key, sensor), series in zip(sensors, sensor_series, strict=True):
        instants, on = sensor.limit(*series)
        switches[key].append((instants, 1 - on if sensor.sign < 0 else on))
    return {key: add_switches(series) for key, series in switches.items()}


def add_switches(switches: list[tuple[InstantArray, FloatArray]]) -> Vacation:
    """Return vacation mode as on while any switch is.

    Each has instants (ascending) and values, of which NaN counts as off.
    """
    recorded = [(instants, on) for instants, on in switches if instants.size]
    if not recorded:
        return NO_VACATION
    all_instants = np.unique(np.concatenate([instants for instants, _ in recorded]))
    states = []
    for instants, on in recorded:
        place = np.searchsorted(instants, all_instants, side="right")
        states.append(np.where(place > 0, np.nan_to_num(on)[place - 1], 0.0))
    return Vacation(all_instants, np.clip(np.max(states, axis=0), 0.0, 1.0))
