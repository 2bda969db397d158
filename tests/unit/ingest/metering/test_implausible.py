"""Powers and counters whose sign, scale or numbers cannot be, over four winter days without sun."""

from collections.abc import Mapping
from datetime import UTC, datetime

import numpy as np
import pytest

from luna.energy.row_fault import RowFault
from luna.energy.site import Site, parse_site
from luna.energy.timeline import SLOT, FloatArray, InstantArray, Timeline
from services.ingest.metering import SlotBuild, build_slots
from services.ingest.source_readings import Samples

FIRST = datetime(2026, 1, 12, tzinfo=UTC)
DAYS = 4
READINGS = DAYS * 288 + 1
INSTANTS: InstantArray = np.datetime64(FIRST.replace(tzinfo=None), "us") + np.arange(
    READINGS
) * np.timedelta64(5, "m")
HOUR = np.arange(READINGS) / 12 % 24
# 0.5 kW with something that moves.
KW: FloatArray = 0.5 + 0.1 * np.sin(np.arange(READINGS))
SUN: FloatArray = 3.0 * np.maximum(np.sin((HOUR - 8) / 8 * np.pi), 0.0) * ((HOUR > 8) & (HOUR < 16))
NOTHING = np.zeros(READINGS)
AWAY = (np.arange(READINGS) >= 216) & (np.arange(READINGS) < 252)
ROLES = {
    "pv": "total_pv_production",
    "load": "total_load_consumption",
    "in": "total_grid_import",
    "out": "total_grid_export",
}
ROLES |= {
    "charge": "total_battery_charge",
    "discharge": "total_battery_discharge",
    "pump": "heat_pump_consumption",
}
COLUMNS = {
    "pv": "pv_kwh",
    "load": "load_kwh",
    "in": "import_kwh",
    "out": "export_kwh",
    "charge": "charge_kwh",
    "discharge": "discharge_kwh",
}
COLUMNS |= {"pump": "heat_pump_kwh"}


def describe(**named: object) -> Site:
    site = {
        "name": "home",
        "timezone": "UTC",
        "pv": [{"peak_kw": 6}],
        "grid": {"import_limit_kw": 11, "export_limit_kw": 8},
    }
    battery = {"capacity_kwh": 10, "charge_limit_kw": 5, "discharge_limit_kw": 5}
    sensors = {ROLES.get(name, name): sensor for name, sensor in named.items()}
    return parse_site(site | {"batteries": [battery], "input_sensors": sensors})


def build(site: Site, values: Mapping[str, FloatArray], unit: str = "kW") -> SlotBuild:
    samples = {name: Samples(name, unit, INSTANTS, kw) for name, kw in values.items()}
    return build_slots(site, samples, Timeline(FIRST, SLOT, DAYS * 96))


def faults(built: SlotBuild) -> set[tuple[str, str]]:
    return {(refused.sensor, refused.fault.code) for refused in built.rejected}


@pytest.mark.parametrize("sensor", [*COLUMNS])
def test_a_power_that_is_always_negative_is_unknown_and_named(sensor: str) -> None:
    kw = SUN if sensor == "pv" else KW
    built = build(describe(**{sensor: sensor}), {sensor: -kw})
    assert np.isnan(built.columns[COLUMNS[sensor]]).all()
    assert faults(built) == {(sensor, "wrong_sign")}
    # With its minus it is right.
    mended = build(describe(**{sensor: f"-{sensor}"}), {sensor: -kw})
    assert not mended.rejected
    assert np.nansum(mended.columns[COLUMNS[sensor]]) == pytest.approx(kw[:-1].sum() / 12, rel=1e-3)


def test_a_counter_that_counts_down_is_unknown_and_named() -> None:
    built = build(describe(load="load"), {"load": -np.cumsum(KW) / 12}, unit="kWh")
    assert np.isnan(built.columns["load_kwh"]).all()
    assert faults(built) == {("load", "wrong_sign")}


def test_a_power_with_a_sign_in_two_roles_and_one_that_changes_sides_stay() -> None:
    net = KW - SUN
    both = build(describe(**{"in": "grid", "out": "-grid"}), {"grid": net})
    assert not both.rejected
    assert np.nansum(both.columns["export_kwh"]) > 1
    # Days on which everything flows out, and a sensor that tells both directions to one role.
    assert not build(describe(**{"in": "grid", "out": "-grid"}), {"grid": -KW}).rejected
    assert not build(describe(**{"in": "grid"}), {"grid": net}).rejected


@pytest.mark.parametrize("noise", [-0.01, -0.025])
def test_what_an_inverter_uses_while_it_stands_by_stays_zero(noise: float) -> None:
    built = build(describe(pv="pv"), {"pv": noise + 0.001 * np.sin(np.arange(READINGS))})
    assert not built.rejected
    assert (built.columns["pv_kwh"] == 0).all()


NUMBERS = [
    0x7FFFFFFF,
    0xFFFFFFFF,
    0x80000000,
    0x7FFF,
    0xFFFF,
    0x8000,
    -0x8000,
    -0x80000000,
    -3.4e38,
]


@pytest.mark.parametrize("scale", [1.0, 0.1, 0.01, 0.001])
@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("unit", ["W", "kW"])
def test_what_a_maker_says_for_no_value_is_unknown_of_both_directions(
    unit: str, number: float, scale: float
) -> None:
    factor = 1000 if unit == "W" else 1
    site = describe(**{"in": "in", "out": "out"})
    built = build(
        site,
        {"in": np.where(AWAY, 0.0, KW * factor), "out": np.where(AWAY, number * scale, 0.0)},
        unit,
    )
    unknown = np.zeros(DAYS * 96, dtype=np.bool_)
    unknown[72:84] = True
    for column in ("import_kwh", "export_kwh"):
        np.testing.assert_array_equal(np.isnan(built.columns[column]), unknown)
    assert ("in", "twin_impossible") in faults(built)


@pytest.mark.parametrize("scale", [1.0, 0.1, 0.01, 0.001])
@pytest.mark.parametrize("number", NUMBERS)
def test_what_a_maker_says_for_no_value_is_nothing_counted(number: float, scale: float) -> None:
    kwh = 7_000 + np.cumsum(KW) / 12
    built = build(describe(load="load"), {"load": np.where(AWAY, number * scale, kwh)}, "kWh")
    assert np.nanmax(built.columns["load_kwh"]) < 0.16
    assert np.nansum(built.columns["load_kwh"]) <= kwh[-1] - kwh[0] + 1e-3


@pytest.mark.parametrize("level", [32.6, 65.4, 327.5, 655.2, 3276.5, 6553.4])
def test_a_counter_passes_such_a_number(level: float) -> None:
    kwh = np.round(level + np.cumsum(KW) / 12, 3)
    target = kwh[
        np.searchsorted(kwh, [32.767, 65.535, 327.67, 655.35, 3276.7, 6553.5]).clip(
            max=READINGS - 1
        )
    ]
    passing = np.isclose(kwh[:, None], target[None, :]).any(axis=1)
    built = build(describe(load="load"), {"load": kwh}, "kWh")
    assert passing.any()
    assert not built.rejected
    assert np.isfinite(built.columns["load_kwh"]).all()


def test_watts_called_kilowatts_are_unknown_and_named() -> None:
    built = build(describe(load="load"), {"load": KW * 1000})
    assert np.isnan(built.columns["load_kwh"]).all()
    assert faults(built) == {("load", RowFault("thousandfold").code)}
