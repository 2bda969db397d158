"""PV while the sun is below the horizon.

At 50° N, 0° E in early May the sun is down from 19:30 to 04:20 UTC.
"""

from datetime import UTC, datetime

import numpy as np
import pytest

from luna.energy.row_fault import RowFault
from luna.energy.site import Location, Site, parse_site
from luna.energy.sun import compute_sun_height
from luna.energy.timeline import SLOT, FloatArray, InstantArray, Timeline
from services.ingest.metering import SlotBuild, build_slots
from services.ingest.source_readings import Samples

FIRST = datetime(2026, 5, 4, tzinfo=UTC)
DAYS = 4
WINDOW = Timeline(FIRST, SLOT, DAYS * 96)
STEP_MINUTES = 5
INSTANTS: InstantArray = np.datetime64(FIRST.replace(tzinfo=None), "us") + np.arange(
    DAYS * 288 + 1
) * np.timedelta64(STEP_MINUTES, "m")
HOURS = np.arange(DAYS * 288 + 1) * STEP_MINUTES / 60 % 24
ASLEEP = (HOURS < 4.5) | (HOURS >= 19.5)
# A half sine from 04:30 to 19:30 with 20 kWh below it.
KW: FloatArray = np.where(ASLEEP, 0.0, np.sin(np.pi * (HOURS - 4.5) / 15) * 20 * np.pi / 30)
LOAD_KW = 0.4 + 0.02 * (np.arange(INSTANTS.size) % 3 - 1)


def describe(**sensors: object) -> Site:
    site = {
        "name": "roof",
        "timezone": "UTC",
        "location": {"latitude": 50, "longitude": 0},
        "pv": [{"peak_kw": 6}],
    }
    grid = {"import_limit_kw": 17, "export_limit_kw": 10}
    return parse_site(
        site | {"grid": grid, "input_sensors": {"total_pv_production": "pv", **sensors}}
    )


def count(kw: FloatArray) -> FloatArray:
    return np.concatenate([[0.0], np.cumsum(kw[:-1])]) * STEP_MINUTES / 60


def build(site: Site, **values: tuple[str, FloatArray]) -> SlotBuild:
    samples = {name: Samples(name, unit, INSTANTS, kw) for name, (unit, kw) in values.items()}
    return build_slots(site, samples, WINDOW)


def check_days(values: FloatArray, expected: float, *, edges: float = 0.0) -> None:
    """Check the sum of each day, of which the quarter-hours of sunrise and sunset may be unknown
    with ``edges`` in them.
    """
    days = values.reshape(DAYS, 96)
    assert (np.isnan(days).sum(axis=1) <= 2).all()
    np.testing.assert_allclose(np.nansum(days, axis=1), expected, rtol=0.005, atol=edges)


@pytest.mark.parametrize("asleep", [np.nan, 65.535, 6.5535, 2_147_483.648, 0.0, 0.004, -0.02])
def test_an_inverter_that_sleeps_gives_nothing_whatever_it_says(asleep: float) -> None:
    built = build(describe(), pv=("kW", np.where(ASLEEP, asleep, KW)))
    check_days(built.columns["pv_kwh"], 20)


def test_an_inverter_that_is_silent_at_night_gives_nothing() -> None:
    samples = {"pv": Samples("pv", "kW", INSTANTS[~ASLEEP], KW[~ASLEEP])}
    built = build_slots(describe(), samples, WINDOW)
    known = np.isfinite(built.columns["pv_kwh"].reshape(DAYS, 96))
    # Before its first reading and after its last nobody knows whether it is there.
    assert (known[1:-1].mean(axis=1) > 0.95).all()


@pytest.mark.parametrize("asleep", [np.nan, 0.0, 4_294_967.295])
@pytest.mark.parametrize("daily", [False, True], ids=["for good", "of the day"])
def test_a_counter_that_sleeps_counts_its_days(asleep: float, daily: bool) -> None:
    kwh = count(KW) + (0 if daily else 500)
    if daily:
        kwh = kwh - kwh[::288].repeat(288)[: kwh.size]
    built = build(describe(), pv=("kWh", np.where(ASLEEP, asleep, kwh)))
    check_days(built.columns["pv_kwh"], 20)


def test_a_coarse_counter_told_as_it_changes_counts_by_day_only() -> None:
    kwh = np.floor(count(KW))
    told = np.append([True], np.diff(kwh) > 0)
    samples = {"pv": Samples("pv", "kWh", INSTANTS[told], kwh[told])}
    built = build_slots(describe(), samples, WINDOW)
    night = (compute_sun_height(WINDOW.starts, Location(latitude=50, longitude=0)) < -3).nonzero()[
        0
    ]
    assert np.nan_to_num(built.columns["pv_kwh"][night]).sum() == 0
    assert not built.rejected


def test_one_of_two_inverters_sleeps() -> None:
    site = describe(total_pv_production=["pv", "garage"])
    built = build(site, pv=("kW", np.where(ASLEEP, np.nan, KW)), garage=("kW", KW / 2))
    check_days(built.columns["pv_kwh"], 30)


def test_the_load_at_night_follows_from_the_balance() -> None:
    site = describe(total_grid_import="in", total_grid_export="out")
    net = LOAD_KW - KW
    built = build(
        site,
        pv=("kW", np.where(ASLEEP, np.nan, KW)),
        **{"in": ("kW", np.maximum(net, 0)), "out": ("kW", np.maximum(-net, 0))},
    )
    check_days(built.columns["load_kwh"], 9.6, edges=0.2)


def test_a_sensor_that_generates_every_night_is_no_roofs() -> None:
    built = build(describe(), pv=("kW", KW + 0.5 + 0.01 * np.sin(np.arange(KW.size))))
    assert np.isnan(built.columns["pv_kwh"]).all()
    assert {refused.fault for refused in built.rejected} == {RowFault("night")}


def test_a_clock_that_is_half_a_day_off_is_not_believed() -> None:
    built = build(describe(), pv=("kW", np.roll(KW, 144)))
    assert np.isnan(built.columns["pv_kwh"]).all()


def test_one_misreading_at_night_is_unknown_and_the_days_stand() -> None:
    kw = KW.copy()
    kw[288 + 6] = 3.0
    built = build(describe(), pv=("kW", kw))
    pv = built.columns["pv_kwh"]
    assert np.isnan(pv).sum() == 1
    assert [refused.fault for refused in built.rejected] == [RowFault("night")]


@pytest.mark.parametrize(("latitude", "month", "up"), [(78, 6, True), (78, 12, False)])
def test_the_sun_stays_up_or_down_near_the_pole(latitude: float, month: int, up: bool) -> None:
    instants = np.datetime64(f"2026-{month:02}-21") + np.arange(24) * np.timedelta64(1, "h")
    height = compute_sun_height(instants, Location(latitude=latitude, longitude=15))
    assert ((height > 0) == up).all()


def test_the_sun_stands_where_the_almanac_has_it() -> None:
    # Berlin, 21 June 2024 at 11:00 and 24 UTC; Sydney, 1 January 2025 at 02:00 UTC. Source: NOAA's
    # solar calculator.
    berlin = Location(latitude=52.52, longitude=13.405)
    sydney = Location(latitude=-33.87, longitude=151.21)
    assert compute_sun_height(np.array(["2024-06-21T11:08"], dtype="M8[us]"), berlin)[
        0
    ] == pytest.approx(60.9, abs=0.1)
    assert compute_sun_height(np.array(["2024-06-20T23:08"], dtype="M8[us]"), berlin)[
        0
    ] == pytest.approx(-14.05, abs=0.1)
    assert compute_sun_height(np.array(["2025-01-01T01:58"], dtype="M8[us]"), sydney)[
        0
    ] == pytest.approx(79.1, abs=0.15)


def test_a_night_before_the_first_reading_and_after_the_last_is_unknown() -> None:
    second = slice(288, 577)
    samples = {"pv": Samples("pv", "kW", INSTANTS[second], KW[second])}
    known = (
        np.isfinite(build_slots(describe(), samples, WINDOW).columns["pv_kwh"])
        .reshape(DAYS, 96)
        .sum(axis=1)
    )
    # While the site is awake, for two hours after the last reading, it still rests.
    assert known[0] == 0
    assert known[1] == 96
    assert known[2] <= 9
    assert known[3] == 0
