"""A house whose every quarter-hour is known, and what its meters say of it: counters in kWh, a
power in W, a state of charge in %.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from luna.energy.site import Site, parse_site
from luna.energy.timeline import SLOT, FloatArray, Timeline, local_midnight, parse_zone

ZONE = parse_zone("Europe/Berlin")
CAPACITY_KWH = 10.0
LIMIT_KW = 5.0
EFFICIENCY = 0.95
LOWEST_SOC = 0.05
HIGHEST_SOC = 1.0
CAR_KW = 7.4
SLOT_HOURS = SLOT / timedelta(hours=1)
# Sensor → the series that it measures; the house's meter counts the car as well.
COUNTERS = {
    "house": "house_kwh",
    "import": "import_kwh",
    "export": "export_kwh",
    "charge": "charge_kwh",
    "discharge": "discharge_kwh",
    "car": "vehicle_kwh",
}
SENSORS = (*COUNTERS, "roof", "level")
SENSOR_ROLES = {
    "total_load_consumption": "house",
    "total_grid_import": "import",
    "total_grid_export": "export",
    "total_battery_charge": "charge",
    "total_battery_discharge": "discharge",
    "vehicle_consumption": "car",
    "total_pv_production": "roof",
    "battery_soc": "level",
}


def describe_house(name: str = "metered") -> Site:
    """Return the site that names all meters of the house."""
    battery = {
        "capacity_kwh": CAPACITY_KWH,
        "charge_limit_kw": LIMIT_KW,
        "discharge_limit_kw": LIMIT_KW,
        "min_soc": LOWEST_SOC,
    }
    efficiencies = {"charge_efficiency": EFFICIENCY, "discharge_efficiency": EFFICIENCY}
    parts = {
        "grid": {"import_limit_kw": 17, "export_limit_kw": 10},
        "batteries": [battery | efficiencies],
        "pv": [{"peak_kw": 8}],
        "vehicles": [{"name": "car", "capacity_kwh": 60, "charge_limit_kw": 11}],
        "tariff": {
            "import": {"kind": "fixed", "price": 0.3},
            "export": {"kind": "fixed", "price": 0.07},
        },
    }
    return parse_site({"name": name, "timezone": ZONE.key, "input_sensors": SENSOR_ROLES} | parts)


@dataclass(frozen=True, slots=True)
class House:
    """What truly happened: energies of quarter-hours, kWh, and ``soc`` at their ends.

    ``house_kwh`` is all that the house's meter counts.
    """

    timeline: Timeline
    series: dict[str, FloatArray]

    @property
    def days(self) -> list[date]:
        """The local days, all of them whole."""
        first, end = (
            instant.astimezone(ZONE).date() for instant in (self.timeline.start, self.timeline.end)
        )
        return [first + timedelta(days=number) for number in range((end - first).days)]


def live(first: date, days: int, *, seed: int) -> House:
    """Return whole local days of a house, the same for the same seed: its battery stores what the
    roof gives beyond the house and gives it back.
    """
    rng = np.random.default_rng(seed)
    start, end = (
        local_midnight(day, ZONE).astimezone(UTC) for day in (first, first + timedelta(days=days))
    )
    timeline = Timeline(start, SLOT, (end - start) // SLOT)
    hour, number = _read_clock(timeline)
    load = (
        0.06 + 0.2 * np.exp(-((hour - 19) ** 2) / 6) + 0.1 * np.exp(-((hour - 7) ** 2) / 3)
    ) * rng.gamma(4, 0.25, timeline.count)
    season = 0.6 + 0.4 * np.cos(2 * np.pi * (number + first.timetuple().tm_yday - 172) / 365)
    sky = rng.uniform(0.35, 1.0, days)[number] * rng.uniform(0.8, 1.0, timeline.count)
    pv = (
        np.maximum(0.0, np.cos((hour - 13) / (5 + 3 * season) * np.pi / 2))
        * season
        * sky
        * 7.0
        * SLOT_HOURS
        * (np.abs(hour - 13) < 5 + 3 * season)
    )
    drives = rng.uniform(size=days) < 0.5
    car = np.where(
        drives[number] & (hour >= 17.5) & (hour < 17.5 + rng.uniform(1.5, 4, days)[number]),
        CAR_KW * SLOT_HOURS,
        0.0,
    )
    house = load + car
    flows = _store(pv - house)
    return House(
        timeline, {"load_kwh": load, "pv_kwh": pv, "vehicle_kwh": car, "house_kwh": house} | flows
    )


def _read_clock(timeline: Timeline) -> tuple[FloatArray, NDArray[np.int64]]:
    """Return the local hour of each slot and the number of its local day."""
    local = (
        pl.Series(timeline.starts.astype("datetime64[us]"))
        .dt.replace_time_zone("UTC")
        .dt.convert_time_zone(ZONE.key)
    )
    day = local.dt.date().cast(pl.Int32).to_numpy().astype(np.int64)
    return (local.dt.hour() + local.dt.minute() / 60).to_numpy(), day - day[0]


def _store(surplus_kwh: FloatArray) -> dict[str, FloatArray]:
    charge, discharge, soc = (np.zeros(surplus_kwh.size) for _ in range(3))
    held = 0.5 * CAPACITY_KWH
    most = LIMIT_KW * SLOT_HOURS
    for slot, surplus in enumerate(surplus_kwh.tolist()):
        charge[slot] = min(
            max(surplus, 0.0), most, (HIGHEST_SOC * CAPACITY_KWH - held) / EFFICIENCY
        )
        discharge[slot] = min(
            max(-surplus, 0.0), most, (held - LOWEST_SOC * CAPACITY_KWH) * EFFICIENCY
        )
        held += charge[slot] * EFFICIENCY - discharge[slot] / EFFICIENCY
        soc[slot] = held / CAPACITY_KWH
    left = surplus_kwh - charge + discharge
    flows = {"import_kwh": np.maximum(-left, 0.0), "export_kwh": np.maximum(left, 0.0)}
    return flows | {"charge_kwh": charge, "discharge_kwh": discharge, "soc": soc}


def say(house: House) -> pl.DataFrame:
    """Return what the meters say at each edge of a slot: ``instant``, ``sensor``, ``value`` as
    text, ``unit``.
    """
    edges = np.append(
        house.timeline.starts, house.timeline.starts[-1:] + np.timedelta64(SLOT)
    ).astype("datetime64[us]")
    spoken = [
        _say_sensor(
            name,
            edges,
            np.round(1000.0 + np.concatenate([[0.0], np.cumsum(house.series[series])]), 3),
            "kWh",
        )
        for name, series in COUNTERS.items()
    ]
    watts = np.round(house.series["pv_kwh"] / SLOT_HOURS * 1000, 1)
    spoken.append(_say_sensor("roof", edges, np.append(watts, watts[-1]), "W"))
    level = np.round(house.series["soc"] * 100, 1)
    spoken.append(_say_sensor("level", edges, np.concatenate([level[:1], level]), "%"))
    return pl.concat(spoken)


def _say_sensor(
    name: str, edges: NDArray[np.datetime64], values: FloatArray, unit: str
) -> pl.DataFrame:
    return pl.DataFrame({"instant": edges, "value": values}).with_columns(
        sensor=pl.lit(name), unit=pl.lit(unit), said=pl.lit(None, pl.String)
    )


def midnight(day: date) -> datetime:
    """Return when a local day begins, without its zone, in UTC, as readings have it."""
    return local_midnight(day, ZONE).astimezone(UTC).replace(tzinfo=None)
