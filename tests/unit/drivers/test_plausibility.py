"""Readings of every profile: NaN with a reason, or a number that the device and its connection can
have.
"""

import math
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from luna.drivers.plausibility import (
    ImplausibleReading,
    check_readings,
    default_most,
    rate_readings,
)
from luna.drivers.profile import DeviceProfile
from luna.drivers.profiles import list_profiles
from luna.drivers.readings import SIGNED_READINGS, LimitName, ReadingName, split_sign
from luna.energy.site import parse_site

PROFILES = {profile.profile: profile for profile in list_profiles()}
LIMITS: dict[LimitName, float] = {"charge_w": 5000.0, "discharge_w": 3000.0}
# A roof of 3 kW: 500 W for the house, 1.5 kW into the battery, 1 kW out.
BALANCED = {
    "pv_power": 3000.0,
    "load_power": 500.0,
    "export_power": 1000.0,
    "battery_power": -1500.0,
    "soc": 55.3,
}


def check(
    name: str,
    points: Mapping[str, float],
    limits: Mapping[LimitName, float] = LIMITS,
    ratings: Mapping[ReadingName, float] | None = None,
) -> tuple[dict[str, float], dict[str, str]]:
    """Return a profile's readings of these points, all others 0, and why readings are unknown."""
    profile = PROFILES[name]
    values = dict.fromkeys(profile.points, 0.0) | dict(points)
    read = check_readings(
        profile, tuple(profile.reads), values, limits=limits, ratings=ratings or {}
    )
    return read.values, {fault.name: fault.cause for fault in read.implausible}


@given(name=st.sampled_from(sorted(PROFILES)), data=st.data())
def test_a_reading_is_unknown_with_a_reason_or_within_what_a_home_has(
    name: str, data: st.DataObject
) -> None:
    profile = PROFILES[name]
    number = st.one_of(
        st.floats(),
        st.floats(-10_000, 10_000),
        st.sampled_from([0.0, -3.4e38, 65535.0, 2147483647.0]),
    )
    points = {point: data.draw(number, label=point) for point in list_read_points(profile)}
    values, faults = check(name, points)
    assert {reading for reading, value in values.items() if math.isnan(value)} == faults.keys()
    known = {reading: values[reading] for reading in profile.reads if reading not in faults}
    for reading, value in known.items():
        least = -default_most(reading) if reading in SIGNED_READINGS else 0
        assert least <= value <= default_most(reading)
    if {"charge_w", "discharge_w"} <= known.keys():
        assert known["charge_w"] <= 5000 * 1.25 + 500


def list_read_points(profile: DeviceProfile) -> set[str]:
    return {split_sign(entry)[1] for entries in profile.reads.values() for entry in entries}


def test_one_direction_that_is_measured_leaves_0_to_the_other() -> None:
    values, faults = check(
        "huawei_sun2000", {"battery_power": -1500, "grid_power": 800, "pv_power": -12, "soc": 50}
    )
    assert faults == {}
    assert values == {
        "soc": 50,
        "charge_w": 0,
        "discharge_w": 1500,
        "pv_w": 0,
        "import_w": 0,
        "export_w": 800,
    }


def test_a_roof_that_is_a_difference_of_powers_may_miss_0_by_the_losses() -> None:
    # 4 kW out of the battery, of which the inverter takes 3.7 kW: nothing from the roof.
    values, faults = check("solaredge_storedge", {"DCW": 3700, "battery_power": -4000, "soc": 50})
    assert faults == {}
    assert values["pv_w"] == 0
    # It charges with 3 kW from the grid: the roof gives one and a half.
    charging = {"DCW": -1500, "battery_power": 3000, "soc": 50}
    assert check("solaredge_storedge", charging)[0]["pv_w"] == 1500
    turned = {"DCW": -2000, "battery_power": -2000, "soc": 50}
    assert check("solaredge_storedge", turned)[1]["pv_w"] == "wrong_sign"


def test_a_minus_where_only_one_direction_is_measured_is_unknown() -> None:
    values, faults = check("huawei_sun2000", {"pv_power": -400})
    assert math.isnan(values["pv_w"])
    assert faults == {"pv_w": "wrong_sign"}
    # One string below zero hides behind the other one.
    assert check("sma_hybrid", {"string_1": -1000, "string_2": 3000})[1] == {"pv_w": "wrong_sign"}
    assert check("sma_hybrid", {"imported": -900})[1] == {"import_w": "wrong_sign"}
    assert check("eastron_sdm630", {"imported": -1})[1] == {"import_kwh": "wrong_sign"}


def test_what_is_beyond_a_rating_is_unknown_in_both_directions() -> None:
    assert check("huawei_sun2000", {"battery_power": 7000})[1] == dict.fromkeys(
        ["charge_w", "discharge_w"], "beyond_rating"
    )
    # It may discharge with less than it charges with: either is a power that it has.
    assert check("huawei_sun2000", {"battery_power": 5500})[1] == {}
    assert check("huawei_sun2000", {"grid_power": 2147483646})[1] == dict.fromkeys(
        ["import_w", "export_w"], "beyond_rating"
    )
    assert check("victron_gx", {"grid_1": 300_000, "grid_2": -300_000})[1] == dict.fromkeys(
        ["import_w", "export_w"], "beyond_rating"
    )
    assert check("eastron_sdm630", {"imported": 4_294_967.0})[1] == {"import_kwh": "beyond_rating"}
    for soc in (-1, 100.5, 6553.5):
        assert check("huawei_sun2000", {"soc": soc})[1] == {"soc": "beyond_rating"}


def test_a_site_narrows_what_a_home_may_have_or_widens_it() -> None:
    assert check("huawei_sun2000", {"pv_power": 30_000})[1] == {}
    assert check("huawei_sun2000", {"pv_power": 30_000}, ratings={"pv_w": 12_500})[1] == {
        "pv_w": "beyond_rating"
    }
    assert check("huawei_sun2000", {"pv_power": 130_000}, ratings={"pv_w": 200_000})[1] == {}
    # What the site states of its battery may be less than the device does by itself.
    assert check("huawei_sun2000", {"battery_power": 5000}, ratings={"charge_w": 2000})[1] == {}
    assert check(
        "huawei_sun2000",
        {"battery_power": 5000},
        limits={},
        ratings={"charge_w": 2000, "discharge_w": 2000},
    )[1] == dict.fromkeys(["charge_w", "discharge_w"], "beyond_rating")


def test_a_battery_does_not_charge_and_discharge_at_once() -> None:
    assert check("sma_hybrid", {"charging": 1500, "discharging": 1500})[1] == dict.fromkeys(
        ["charge_w", "discharge_w"], "contradicts"
    )
    assert check("sma_hybrid", {"charging": 1500, "discharging": 30})[1] == {}


@pytest.mark.parametrize(
    ("wrong", "unknown"),
    [
        ({}, ()),
        # Conversion, and a heater that was switched on between two registers.
        ({"load_power": 700}, ()),
        ({"battery_power": 1500}, ("charge_w", "discharge_w")),
        ({"export_power": -1000}, ("import_w", "export_w")),
        # Nobody knows which of them it is.
        ({"pv_power": 9000}, ("pv_w", "load_w", "charge_w", "discharge_w", "import_w", "export_w")),
        (
            {"battery_power": 0},
            ("pv_w", "load_w", "charge_w", "discharge_w", "import_w", "export_w"),
        ),
        # Without a meter of the house.
        ({"load_power": 0, "export_power": 0}, ("load_w", "import_w", "export_w")),
        ({"load_power": math.nan, "battery_power": 1500}, ("load_w",)),
    ],
)
def test_powers_of_one_reading_that_do_not_add_up_are_unknown(
    wrong: dict[str, float], unknown: tuple[str, ...]
) -> None:
    values, faults = check("sungrow_sh", BALANCED | wrong)
    assert faults.keys() == set(unknown)
    assert {name for name, value in values.items() if math.isnan(value)} == set(unknown)


def test_a_fault_names_what_was_reported() -> None:
    profile = PROFILES["huawei_sun2000"]
    points = dict.fromkeys(profile.points, 0.0) | {"pv_power": -400.0}
    read = check_readings(profile, ("pv_w",), points, limits={}, ratings={})
    assert read.implausible == (ImplausibleReading("pv_w", "wrong_sign", -400.0),)


def test_a_site_rates_roof_battery_and_main_fuse_and_takes_no_wish_for_a_rating() -> None:
    battery = {"capacity_kwh": 10, "charge_limit_kw": 3, "discharge_limit_kw": 5}
    document = {
        "name": "home",
        "timezone": "UTC",
        "pv": [{"name": "south", "peak_kw": 6}, {"name": "west", "peak_kw": 4}],
        "batteries": [battery | {"name": "one"}, battery | {"name": "two"}],
        # What its owner wants to buy at most.
        "grid": {"import_limit_kw": 4, "export_limit_kw": 0},
    }
    ratings = rate_readings(parse_site(document))
    assert ratings == {"pv_w": 13_000, "charge_w": 12_500, "discharge_w": 20_500}
    assert rate_readings(parse_site(document), battery="two")["charge_w"] == 6500
    # 35 A at three phases are 24.15 kW, for some minutes twice as much.
    fused = rate_readings(
        parse_site(document | {"grid": {"main_fuse_a": 35, "main_fuse_phases": 3}})
    )
    assert (fused["import_w"], fused["export_w"]) == pytest.approx((48_800, 48_800))
    # Beyond what a home has by default.
    assert (
        rate_readings(parse_site(document | {"grid": {"import_limit_kw": 250}}))["import_w"]
        == 250_500
    )
    assert rate_readings(parse_site({"name": "home", "timezone": "UTC"})) == {}
