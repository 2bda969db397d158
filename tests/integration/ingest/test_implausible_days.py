"""Why a day's data is doubted: readings that cannot be, from the file to the verdict."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from sqlalchemy import Connection

from luna.contracts.data import BuildSlotsRequest, DayQuality
from luna.energy.site import parse_site
from luna.energy.timeline import SLOT, FloatArray, Timeline
from luna.platform.database import observations, quality, readings, sites
from services.ingest.slot_builder import build_site_slots

FIRST = datetime(2026, 5, 4, tzinfo=UTC)
DAYS = 3
COUNT = DAYS * 96
HOUR = np.arange(COUNT) / 4 % 24
SUN_KW: FloatArray = 4 * np.maximum(np.sin((HOUR - 4.5) / 15 * np.pi), 0.0)
LOAD_KW: FloatArray = 0.5 + 0.1 * np.sin(np.arange(COUNT))


def judge(
    connection: Connection,
    sensors: Mapping[str, object],
    said: Mapping[str, tuple[str, FloatArray]],
    **parts: object,
) -> list[DayQuality]:
    """Record what sensors say in each quarter-hour, build and judge the days."""
    site = {
        "name": "doubtful",
        "timezone": "UTC",
        "location": {"latitude": 50, "longitude": 0},
        "pv": [{"peak_kw": 6}],
    }
    sites.save(
        connection,
        parse_site(
            site
            | {"grid": {"import_limit_kw": 11, "export_limit_kw": 8}, "input_sensors": sensors}
            | parts
        ),
    )
    record(connection, said)
    end = FIRST + timedelta(days=DAYS)
    build_site_slots(
        connection,
        BuildSlotsRequest(site_id="doubtful", first=FIRST, end=end),
        now=end + timedelta(days=1),
    )
    return quality.read(
        connection, "doubtful", date(2026, 5, 4), date(2026, 5, 4) + timedelta(days=DAYS - 1)
    )


def codes(day: DayQuality) -> dict[str, object]:
    return {fault.code: fault.parameters.get("sensor") for fault in day.faults}


def record(connection: Connection, said: Mapping[str, tuple[str, FloatArray]]) -> None:
    for sensor, (unit, values) in said.items():
        key = readings.register(connection, "doubtful", {sensor: unit})[sensor]
        instants = np.datetime64(FIRST.replace(tzinfo=None), "us") + np.arange(
            values.size
        ) * np.timedelta64(15, "m")
        readings.upsert(connection, np.full(values.size, key, dtype=np.int32), instants, values)


def sum_of(connection: Connection, series: str) -> float:
    timeline = Timeline(FIRST, SLOT, COUNT)
    return float(
        np.nansum(observations.read_series(connection, "doubtful", timeline, (series,))[series])
    )


ROOF = {"total_pv_production": "roof", "total_load_consumption": "house"}


def test_a_sleeping_inverter_leaves_its_days_usable(connection: Connection) -> None:
    roof = np.where(SUN_KW > 0, SUN_KW, np.nan)
    days = judge(connection, ROOF, {"roof": ("kW", roof), "house": ("kW", LOAD_KW)})
    assert [day.verdict for day in days] == ["clean"] * DAYS


def test_a_wrong_sign_a_wrong_scale_and_a_roof_at_night_are_named(connection: Connection) -> None:
    days = judge(connection, ROOF, {"roof": ("kW", -SUN_KW), "house": ("kW", LOAD_KW * 1000)})
    for day in days:
        assert day.verdict == "exclude"
        assert (
            codes(day).items()
            >= {"sensor_wrong_sign": "roof", "sensor_thousandfold": "house"}.items()
        )


def test_a_roof_that_generates_at_night_is_named(connection: Connection) -> None:
    days = judge(connection, ROOF, {"roof": ("kW", np.roll(SUN_KW, 48)), "house": ("kW", LOAD_KW)})
    assert {codes(day).get("sensor_night") for day in days} == {"roof"}


def test_of_two_names_of_a_meter_the_one_that_speaks_counts_and_the_days_say_so(
    connection: Connection,
) -> None:
    sensors = {"total_load_consumption": ["old", "new"]}
    days = judge(connection, sensors, {"new": ("kW", LOAD_KW)})
    assert [day.verdict for day in days] == ["clean"] * DAYS
    assert [codes(day)["counted_alone"] for day in days] == ["old"] * DAYS
    assert abs(sum_of(connection, "load_kwh") - 36) < 0.5


def test_a_renamed_meter_counts_under_either_name(connection: Connection) -> None:
    # The old name speaks for a day and a half, the new one from then on.
    sensors = {"total_load_consumption": ["old", "new"]}
    half = COUNT // 2
    old = LOAD_KW[:half]
    new = np.concatenate([np.full(half, np.nan), LOAD_KW[half:]])
    days = judge(connection, sensors, {"old": ("kW", old), "new": ("kW", new)})
    assert [day.verdict for day in days] == ["clean"] * DAYS
    assert abs(sum_of(connection, "load_kwh") - 36) < 0.5


def test_of_two_meters_that_spoke_together_neither_counts_alone(connection: Connection) -> None:
    sensors = {"total_load_consumption": ["house", "barn"]}
    barn = LOAD_KW[: 96 + 8]
    days = judge(connection, sensors, {"house": ("kW", LOAD_KW), "barn": ("kW", barn)})
    assert [day.verdict for day in days] == ["clean", "exclude", "exclude"]
    assert codes(days[2])["silent"] == "barn"


BATTERY = {"batteries": [{"capacity_kwh": 10, "charge_limit_kw": 5, "discharge_limit_kw": 5}]}
GRID = {"total_grid_import": "grid", "total_grid_export": "-grid"}


def follow_sun(load_kw: FloatArray, sun_kw: FloatArray, *, limit_kw: float = 1.0) -> FloatArray:
    """Return what a battery takes (above zero) and gives (below) to keep the grid's meter near
    zero, kW.
    """
    held = 3.0
    flows = []
    for surplus_kw in (sun_kw - load_kw).tolist():
        flow_kw = (
            min(surplus_kw, limit_kw, (10 - held) * 4)
            if surplus_kw > 0
            else -min(-surplus_kw, limit_kw, (held - 1) * 4)
        )
        held += flow_kw / 4
        flows.append(flow_kw)
    return np.array(flows)


@pytest.mark.parametrize("sun_share", [1.0, 0.25, 0.0])
@pytest.mark.parametrize(
    "house", [{}, {"total_load_consumption": "house"}], ids=["derived", "metered"]
)
def test_a_battery_the_other_way_round_is_named_in_each_day(
    connection: Connection, sun_share: float, house: Mapping[str, object]
) -> None:
    # Without sun it charges from midnight to three and gives from six in the evening on.
    sun = SUN_KW * sun_share
    at_night = np.where(HOUR < 3, 0.6, np.where((HOUR >= 18) & (HOUR < 22), -0.45, 0.0))
    battery = follow_sun(LOAD_KW, sun) if sun_share else at_night
    grid = LOAD_KW + battery - sun
    sensors = {
        "total_pv_production": "roof",
        **GRID,
        **house,
        "total_battery_charge": "-battery",
        "total_battery_discharge": "battery",
    }
    said = {"roof": ("kW", sun), "grid": ("kW", grid), "battery": ("kW", battery)} | (
        {"house": ("kW", LOAD_KW)} if house else {}
    )
    days = judge(connection, sensors, said, **BATTERY)
    for day in days:
        assert "turned" in codes(day)
