import polars as pl
import pytest

from luna.energy.errors import InvalidInputError
from luna.energy.site import parse_site
from services.ingest.file_units import (
    choose_units,
    convert,
    describe_units,
    set_aside_unknown_units,
)
from tests.support.metering.row_faults import read_faults
from tests.support.suite.tables import each_row


@each_row(
    ("theirs", "ours", "unit"),
    [
        ("Verbrauch [Wh]", "load_kwh", "Wh"),
        ("load_wh", "load_kwh", "wh"),
        ("Energy (kWh)", "pv_kwh", "kWh"),
        ("SOC in %", "soc", "%"),
        ("Deutschland/Luxemburg [€/MWh] Originalauflösungen", "spot_price", "€/MWh"),
        ("Preis (ct/kWh)", "import_price", "ct/kWh"),
    ],
)
def test_a_columns_name_says_its_unit(theirs: str, ours: str, unit: str) -> None:
    assert choose_units({theirs: ours}, {}) == {ours: unit}


@each_row("theirs", ["load_kwh_total", "verbrauch", "Zähler (neu)", "spot_price"])
def test_a_name_without_a_unit_says_none(theirs: str) -> None:
    assert choose_units({theirs: "load_kwh"}, {}) == {}


def test_the_unit_that_was_named_counts() -> None:
    assert choose_units({"load_kwh": "load_kwh"}, {"load_kwh": "Wh"}) == {"load_kwh": "Wh"}


@each_row(
    ("ours", "unit", "value"),
    [
        ("load_kwh", "Wh", 0.25),
        ("load_kwh", "kWh", 250.0),
        ("soc", "%", 2.5),
        ("spot_price", "EUR/MWh", 0.25),
        ("spot_price", "öre/kWh", 2.5),
    ],
)
def test_numbers_come_in_lunas_units(ours: str, unit: str, value: float) -> None:
    assert convert(pl.DataFrame({ours: ["250", "250.0"]}), {ours: unit})[ours].cast(
        pl.Float64
    ).to_list() == [value, value]
    assert convert(pl.DataFrame({ours: [250]}), {ours: unit})[ours].to_list() == [value]


def test_a_converted_number_is_the_one_that_was_meant() -> None:
    # 238 Wh are 0.238 kWh to the last bit, so that the same in kilowatt-hours changes nothing.
    assert convert(pl.DataFrame({"load_kwh": ["238", "142"]}), {"load_kwh": "Wh"})["load_kwh"].cast(
        pl.Float64
    ).to_list() == [0.238, 0.142]
    assert convert(pl.DataFrame({"soc": [57.0, 140.0]}), {"soc": "%"})["soc"].to_list() == [
        0.57,
        1.4,
    ]


def test_what_is_no_number_stays_as_it_is_written() -> None:
    assert convert(pl.DataFrame({"load_kwh": ["unknown", None, "", " 250 "]}), {"load_kwh": "Wh"})[
        "load_kwh"
    ].to_list() == ["unknown", None, "", "0.25"]


def test_only_what_was_converted_is_told() -> None:
    assert describe_units({"load_kwh": "Wh", "pv_kwh": "kWh"}) == [
        "load_kwh was converted from Wh."
    ]


@each_row(
    ("matched", "named", "field", "remedy"),
    [
        ({"load_kwh": "load_kwh"}, {"load_kwh": "J"}, "unit.load_kwh", "Wh, kWh or MWh"),
        ({"soc": "soc"}, {"soc": "kWh"}, "unit.soc", "%"),
        ({"spot_price": "spot_price"}, {"spot_price": "EUR"}, "unit.spot_price", "EUR/MWh"),
        (
            {"temperature_c": "temperature_c"},
            {"temperature_c": "F"},
            "unit.temperature_c",
            "its own",
        ),
        ({"load_kwh": "load_kwh"}, {"pv_kwh": "Wh"}, "unit.pv_kwh", "Choose one of: load_kwh"),
        ({"Leistung (W)": "load_kwh"}, {}, "unit.load_kwh", "readings"),
    ],
    ids=["no energy", "no share", "no price", "no choice", "no column", "a power"],
)
def test_says_which_units_there_are(
    matched: dict[str, str], named: dict[str, str], field: str, remedy: str
) -> None:
    with pytest.raises(InvalidInputError, match=remedy) as caught:
        choose_units(matched, named)
    assert caught.value.field == field


def test_readings_of_a_device_outside_the_houses_meter_are_judged_by_its_own_role() -> None:
    sensors = {
        "total_load_consumption": "house",
        "vehicle_consumption": [{"sensor": "car", "from": "2026-03-01"}],
        "outside_house_meter": "car",
    }
    site = parse_site({"name": "home", "timezone": "UTC", "input_sensors": sensors})
    rows = pl.DataFrame({"sensor": ["car", "house"], "unit": ["litre", "kWh"]})
    kept, refused = set_aside_unknown_units(rows, site)
    assert (kept["sensor"].to_list(), refused["sensor"].to_list()) == (["house"], ["car"])
    fault = read_faults(refused["fault"])[0]
    assert (fault.code, fault.parameters["sensor"], fault.parameters["role"]) == (
        "wrong_unit_of",
        "car",
        "vehicle_consumption",
    )
