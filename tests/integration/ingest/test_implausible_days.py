"""Why a day's data is doubted: readings that cannot be, from the file to the verdict."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
from sqlalchemy import Connection

from luna.contracts.data import BuildSlotsRequest, DayQuality
from luna.energy.site import parse_site
from luna.energy.timeline import SLOT, FloatArray, Timeline
from luna.platform.database import observations, quality, readings, sites
from services.ingest.slot_service import build_site_slots

FIRST = datetime(2026, 5, 4, tzinfo=UTC)
DAYS = 3
COUNT = DAYS * 96
HOUR = np.arange(COUNT) / 4 % 24
SUN_KW: FloatArray = 4 * np.maximum(np.sin((HOUR - 4.5) / 15 * np.pi), 0.0)
LOAD_KW: FloatArray = 0.5 + 0.1 * np.sin(np.arange(COUNT))


def judge(connection: Connection, sensors: dict[str, object], said: dict[str, tuple[str, FloatArray]], **parts: object) -> list[DayQuality]:
    """Record what sensors say in each quarter-hour, build and judge the days."""
    site = {"name": "doubtful", "timezone": "UTC", "location": {"latitude": 50, "longitude": 0}, "pv": [{"peak_kw": 6}]}
    sites.save(connection, parse_site(site | {"grid": {"import_limit_kw": 11, "export_limit_kw": 8}, "input_sensors": sensors} | parts))
    record(connection, said)
    end = FIRST + timedelta(days=DAYS)
    build_site_slots(connection, BuildSlotsRequest(site_id="doubtful", first=FIRST, end=end), now=end + timedelta(days=1))
    return quality.read(connection, "doubtful", date(2026, 5, 4), date(2026, 5, 4) + timedelta(days=DAYS - 1))


def codes(day: DayQuality) -> dict[str, object]:
    return {fault.code: fault.parameters.get("sensor") for fault in day.faults}


def record(connection: Connection, said: dict[str, tuple[str, FloatArray]]) -> None:
    for sensor, (unit, values) in said.items():
        key = readings.register(connection, "doubtful", {sensor: unit})[sensor]
        instants = np.datetime64(FIRST.replace(tzinfo=None), "us") + np.arange(values.size) * np.timedelta64(15, "m")
        readings.upsert(connection, np.full(values.size, key, dtype=np.int32), instants, values)


def sum_of(connection: Connection, series: str) -> float:
    timeline = Timeline(FIRST, SLOT, COUNT)
    return float(np.nansum(observations.read_series(connection, "doubtful", timeline, (series,))[series]))


ROOF = {"total_pv_production": "roof", "total_load_consumption": "house"}


def test_a_sleeping_inverter_leaves_its_days_usable(connection: Connection) -> None:
    roof = np.where(SUN_KW > 0, SUN_KW, np.nan)
    days = judge(connection, ROOF, {"roof": ("kW", roof), "house": ("kW", LOAD_KW)})
    assert [day.verdict for day in days] == ["clean"] * DAYS


def test_a_wrong_sign_a_wrong_scale_and_a_roof_at_night_are_named(connection: Connection) -> None:
    days = judge(connection, ROOF, {"roof": ("kW", -SUN_KW), "house": ("kW", LOAD_KW * 1000)})
    for day in days:
        assert day.verdict == "exclude"
        assert codes(day).items() >= {"sensor_wrong_sign": "roof", "sensor_thousandfold": "house"}.items()


def test_a_roof_that_generates_at_night_is_named(connection: Connection) -> None:
    days = judge(connection, ROOF, {"roof": ("kW", np.roll(SUN_KW, 48)), "house": ("kW", LOAD_KW)})
    assert {codes(day).get("sensor_night") for day in days} == {"roof"}


def test_of_two_names_of_a_meter_the_one_that_speaks_counts_and_the_days_say_so(connection: Connection) -> None:
    sensors = {"total_load_consumption": ["old", "new"]}
    days = judge(connection, sensors, {"new": ("kW", LOAD_KW)})
    assert [day.verdict for day in days] == ["clean"] * DAYS
    assert [codes(day)["counted_alone"] for day in days] == ["old"] * DAYS
    assert abs(sum_of(connection, "load_kwh") - 36) < 0.5


def test_a_renamed_meter_counts_under_either_name(connection: Connection) -> None:
    # The old name speaks for a day and a half, the new one from then on.
    sensors = {"total_load_consumption": ["old", "new"]}
    half = COUNT // 2
    old, new = LOAD_KW[:half], np.concatenate([np.full(half, np.nan), LOAD_KW[half:]])
    days = judge(connection, sensors, {"old": ("kW", old), "new": ("kW", new)})
    assert [day.verdict for day in days] == ["clean"] * DAYS
    assert abs(sum_of(connection, "load_kwh") - 36) < 0.5


def test_of_two_meters_that_spoke_together_neither_counts_alone(connection: Connection) -> None:
    sensors = {"total_load_consumption": ["house", "barn"]}
    barn = LOAD_KW[: 96 + 8]
    days = judge(connection, sensors, {"house": ("kW", LOAD_KW), "barn": ("kW", barn)})
    assert [day.verdict for day in days] == ["clean", "exclude", "exclude"]
    assert codes(days[2])["silent"] == "barn"
