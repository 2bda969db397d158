"""A site is refused by name of the field, with its value and what to do.

A right one loads as written.
"""

import json
from copy import deepcopy
from datetime import UTC, date, datetime
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from luna.energy.errors import InvalidInputError
from luna.energy.site import FixedPrice, Site, SiteSensor, SpotPrice, TimeOfUsePrice, parse_site
from services.cli.site import load_site
from tests.support.suite.tables import each_row

EXAMPLE = Path(__file__).parents[3] / "config" / "site.yaml"
BATTERY = {"capacity_kwh": 10, "charge_limit_kw": 5, "discharge_limit_kw": 5}
SITE: dict[str, Any] = {
    "name": "home",
    "timezone": "Europe/Berlin",
    "location": {"latitude": 52.5, "longitude": 13.4},
    "household": {"persons": 2},
    "grid": {"import_limit_kw": 11, "export_limit_kw": 8},
    "batteries": [BATTERY],
    "pv": [{"peak_kw": 6}],
    "vehicles": [{"capacity_kwh": 60}],
    "loads": [{"name": "water_heater", "power_kw": 3, "energy_kwh_per_day": 6}],
    "tariff": {
        "import": {
            "kind": "time_of_use",
            "default": 0.3,
            "bands": [{"from": "22:00", "to": "06:00", "price": 0.2}],
        },
        "export": {"kind": "fixed", "price": 0.07},
        "peak": {"price_per_kw_month": 5},
    },
}


def change(path: str, value: object) -> dict[str, Any]:
    """The site above with one value put at ``path``."""
    site = deepcopy(SITE)
    *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    reduce(lambda part, key: part[key], parents, site)[last] = value  # type: ignore[index]
    return site


def refuse(document: object) -> InvalidInputError:
    with pytest.raises(InvalidInputError) as caught:
        parse_site(document)
    return caught.value


def test_few_fields_are_required() -> None:
    site = parse_site({"name": "home", "timezone": "UTC"})
    assert (site.batteries, site.pv, site.curtailable, site.currency) == ([], [], False, "EUR")
    assert site.tariff.import_ == FixedPrice(price=0.3)


def test_the_example_in_the_repository_loads_as_written() -> None:
    site = load_site(EXAMPLE)
    battery = site.batteries[0]
    assert (site.timezone, site.grid.import_limit_kw, site.grid.export_limit_kw) == (
        "Europe/Berlin",
        11,
        8,
    )
    assert (
        battery.capacity_kwh,
        battery.min_soc,
        battery.taper_from_soc,
        battery.taper_to_share,
    ) == (10, 0.1, 0.9, 0.3)
    assert site.tariff.import_ == SpotPrice(kind="spot", market="NL", markup=0.13)
    assert site.tariff.peak is not None
    assert parse_site(site.model_dump(mode="json", by_alias=True)) == site


@each_row(
    ("household", "expected"),
    [
        pytest.param({}, (3500, "assumed"), id="nothing said"),
        pytest.param({"persons": 1}, (1900, "persons"), id="one"),
        pytest.param({"persons": 4}, (4085, "persons"), id="four"),
        pytest.param({"persons": 9}, (5430, "persons"), id="more than the table has"),
        pytest.param(
            {"yearly_kwh": 6200, "persons": 1},
            (6200, "yearly_kwh"),
            id="the bill goes before the persons",
        ),
    ],
)
def test_a_household_uses_what_it_says_or_what_is_assumed_of_it(
    household: dict[str, float], expected: tuple[float, str]
) -> None:
    said = parse_site(change("household", household)).household
    assert (said.yearly_load_kwh, said.load_basis) == expected


def test_each_kind_of_tariff_is_read_by_its_name() -> None:
    assert isinstance(parse_site(SITE).tariff.import_, TimeOfUsePrice)
    assert isinstance(
        parse_site(change("tariff.import", {"kind": "spot", "market": "DE"})).tariff.import_,
        SpotPrice,
    )
    assert isinstance(
        parse_site(change("tariff.import", {"kind": "fixed", "price": -0.1})).tariff.import_,
        FixedPrice,
    )


@each_row(
    ("path", "value"),
    [
        ("batteries.0.charge_efficiency", 1.3),
        ("batteries.0.charge_efficiency", 95),
        ("batteries.0.discharge_efficiency", 0),
        ("batteries.0.min_soc", 10),
        ("batteries.0.max_soc", -0.1),
        ("batteries.0.capacity_kwh", 0),
        ("batteries.0.capacity_kwh", 200_000),
        ("batteries.0.charge_limit_kw", -5),
        ("batteries.0.charge_limit_kw", 50_000),
        ("batteries.0.wear_price", -0.01),
        ("batteries.0.taper_to_share", 30),
        ("grid.import_limit_kw", 0),
        ("grid.import_limit_kw", 11_000),
        ("grid.export_limit_kw", -1),
        ("household.yearly_kwh", 3.5),
        ("household.yearly_kwh", 3_500_000),
        ("household.persons", 0),
        ("household.persons", 2.5),
        ("pv.0.peak_kw", 0),
        ("pv.0.tilt_deg", 91),
        ("pv.0.azimuth_deg", 360),
        ("location.latitude", 90.1),
        ("location.longitude", -181),
        ("vehicles.0.charge_limit_kw", -1),
        ("loads.0.power_kw", 0),
        ("loads.0.max_gap_hours", 0),
        ("loads.0.min_on_minutes", 1441),
        ("tariff.import.default", 300),
        ("tariff.import.bands.0.price", -101),
        ("tariff.export.price", 101),
        ("tariff.peak.highest", 0),
        ("tariff.peak.interval_minutes", 20),
        ("timezone", "Mars/Phobos"),
        ("timezone", ""),
        ("currency", "euro"),
        ("name", ""),
        ("name", "../home"),
        ("tariff.import.bands.0.from", "24:00"),
        ("tariff.import.bands.0.to", "6:00"),
    ],
)
def test_a_value_out_of_bounds_is_refused_by_field_value_and_remedy(
    path: str, value: object
) -> None:
    error = refuse(change(path, value))
    assert (error.field, error.value) == (f"site.{path}", value)
    assert error.remedy
    assert f"site.{path}" in str(error)
    assert repr(value) in str(error)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_number_that_is_none_is_refused(value: float) -> None:
    error = refuse(change("batteries.0.capacity_kwh", value))
    assert error.field == "site.batteries.0.capacity_kwh"
    assert "Give a finite number" in str(error.remedy)
    assert str(value) in str(error)


@each_row(
    ("path", "value", "remedy"),
    [
        ("batteries.0.capacity_kwh", "0,95", "a point before the decimals"),
        ("batteries.0.capacity_kwh", None, "a finite number"),
        ("batteries", {"capacity_kwh": 10}, "a list"),
        ("location", "Berlin", "named fields"),
        ("pv.0.curtailable", "perhaps", "true or false"),
        ("tariff.import", {"kind": "auction", "price": 0.3}, "one of these"),
        ("tariff.import", {"kind": "dynamic", "price": 0.3}, "Use spot"),
        ("tariff.import", {"price": 0.3}, "its kind"),
        ("tariff.peak.interval_minutes", 20, "one of these"),
        ("name", "a" * 65, "Shorten"),
    ],
)
def test_the_remedy_fits_what_is_wrong(path: str, value: object, remedy: str) -> None:
    error = refuse(change(path, value))
    assert error.field == f"site.{path}"
    assert remedy in str(error.remedy)


@each_row(
    "path",
    [
        "colour",
        "batteries.0.capacity_wh",
        "tariff.import.vat",
        "grid.limit_kw",
        "tariff.peak.price",
    ],
)
def test_an_unknown_field_is_refused_by_name(path: str) -> None:
    error = refuse(change(path, 3))
    assert (error.field, error.value) == (f"site.{path}", 3)
    assert "config/site.yaml" in str(error)


@each_row("kind", ["batteries", "pv", "vehicles", "loads"])
def test_two_parts_of_one_name_are_refused(kind: str) -> None:
    error = refuse(change(kind, SITE[kind] * 2))
    assert f"{kind}: the name" in str(error)
    assert "is used twice" in str(error)


def test_parts_of_different_kinds_may_share_a_name() -> None:
    assert parse_site(SITE | {"pv": [{"peak_kw": 6, "name": "battery"}]}).pv[0].name == "battery"


@pytest.mark.parametrize(("low", "high"), [(0.9, 0.5), (0.5, 0.5)], ids=["crossed", "equal"])
def test_a_battery_without_a_usable_range_is_refused(low: float, high: float) -> None:
    error = refuse(change("batteries.0", BATTERY | {"min_soc": low, "max_soc": high}))
    assert error.field == "site.batteries.0"
    assert error.reason == "shares-crossed"


@pytest.mark.parametrize(
    ("path", "part"),
    [
        ("batteries.0", BATTERY | {"min_charge_kw": 6}),
        ("vehicles.0", {"capacity_kwh": 60, "charge_limit_kw": 1}),
    ],
    ids=["battery", "vehicle"],
)
def test_a_part_that_could_never_charge_is_refused(path: str, part: dict[str, float]) -> None:
    error = refuse(change(path, part))
    assert error.field == f"site.{path}"
    assert "min_charge_kw" in error.message
    assert "charge_limit_kw" in error.message


def test_a_load_whose_day_is_too_short_is_refused() -> None:
    # 3 kW for 24 hours make 72 kWh
    error = refuse(change("loads.0.energy_kwh_per_day", 73))
    assert error.field == "site.loads.0"
    assert "72" in error.message


def test_a_clock_time_that_yaml_made_a_number_asks_for_quotes() -> None:
    # YAML 1.1 reads 22:00 as 22 · 60
    error = refuse(change("tariff.import.bands.0.from", 1320))
    assert (error.field, error.value) == ("site.tariff.import.bands.0.from", 1320)
    assert "quotes" in str(error)


def test_a_missing_field_is_asked_for() -> None:
    error = refuse({"name": "home"})
    assert (error.field, error.remedy) == ("site.timezone", "Add it.")


def test_every_wrong_field_is_named_at_once() -> None:
    wrong = change("grid.import_limit_kw", -1)
    wrong["batteries"] = [BATTERY | {"charge_efficiency": 1.3}]
    wrong["colour"] = "red"
    message = str(refuse(wrong))
    assert all(
        f"site.{field}" in message
        for field in ("grid.import_limit_kw", "batteries.0.charge_efficiency", "colour")
    )


def test_a_wrong_kind_of_tariff_names_the_known_ones() -> None:
    error = refuse(change("tariff.import.kind", "spott"))
    assert error.field == "site.tariff.import"
    assert all(kind in error.message for kind in ("spott", "fixed", "time_of_use", "spot"))


def test_a_field_called_like_a_tariff_keeps_its_name() -> None:
    assert refuse(change("input_sensors", {"spot": 5})).field == "site.input_sensors.spot"


def test_what_lies_outside_the_houses_meter_is_a_device_of_a_house_that_has_one() -> None:
    stranger = refuse(
        change("input_sensors", {"total_load_consumption": "house", "outside_house_meter": "car"})
    )
    assert (stranger.field, stranger.reason) == ("site.input_sensors", "outside-meter-no-device")
    assert stranger.parameters["sensor"] == "car"
    without = refuse(
        change("input_sensors", {"vehicle_consumption": "car", "outside_house_meter": "car"})
    )
    assert "total_grid_import" in str(without.remedy)


@each_row("document", [None, [], "home", 3])
def test_what_is_no_site_at_all_is_refused(document: object) -> None:
    assert refuse(document).field == "site"


@pytest.mark.parametrize(
    ("arrays", "curtailable"),
    [([], False), ([True], True), ([True, False], False)],
    ids=["no PV", "every array", "not every array"],
)
def test_pv_may_be_held_back_where_every_array_allows_it(
    arrays: list[bool], curtailable: bool
) -> None:
    pv = [
        {"name": f"roof {number}", "peak_kw": 5, "curtailable": allowed}
        for number, allowed in enumerate(arrays)
    ]
    assert parse_site(change("pv", pv)).curtailable is curtailable


@pytest.mark.parametrize(
    ("location", "zone", "azimuth_deg"),
    [
        ({"latitude": -33.87, "longitude": 151.21}, "UTC", 0),
        ({"latitude": 52.5, "longitude": 13.4}, "Australia/Perth", 180),
        (None, "Australia/Perth", 0),
        (None, "Europe/Berlin", 180),
        (None, "UTC", 180),
    ],
)
def test_a_roof_that_says_nothing_faces_the_equator(
    location: dict[str, float] | None, zone: str, azimuth_deg: float
) -> None:
    arrays = [{"name": "roof", "peak_kw": 5}, {"name": "shed", "peak_kw": 2, "azimuth_deg": 180}]
    site = parse_site({"name": "home", "timezone": zone, "location": location, "pv": arrays})
    assert [array.azimuth_deg for array in site.pv] == [azimuth_deg, 180]
    assert parse_site(site.model_dump(mode="json", by_alias=True)) == site


def test_a_site_does_not_change() -> None:
    site: Any = parse_site(SITE)
    with pytest.raises(ValueError, match="frozen"):
        site.name = "other"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"name: [home", "YAML"),
        (b"name: Caf\xe9", "UTF-8"),
        (b"", "dictionary"),
        (b"name: home\ntimezone: Mars", "time zone"),
    ],
    ids=["no YAML", "no UTF-8", "empty", "no site"],
)
def test_a_file_that_holds_no_site_is_refused_by_its_path(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    path = tmp_path / "site.yaml"
    path.write_bytes(content)
    with pytest.raises(InvalidInputError, match=reason) as caught:
        load_site(path)
    assert str(caught.value.field).startswith(str(path))
    assert caught.value.remedy


@pytest.mark.parametrize("name", ["missing.yaml", "."], ids=["missing", "a folder"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInputError, match="cannot be read") as caught:
        load_site(tmp_path / name)
    assert caught.value.field == str(tmp_path / name)
    assert caught.value.remedy


def test_a_site_survives_its_own_json() -> None:
    site = parse_site(SITE)
    assert Site.model_validate_json(site.model_dump_json(by_alias=True)) == site


def test_watts_given_as_kilowatts_are_refused() -> None:
    battery = {"capacity_kwh": 10, "charge_limit_kw": 5000, "discharge_limit_kw": 5}
    with pytest.raises(InvalidInputError) as caught:
        parse_site({"name": "home", "timezone": "Europe/Berlin", "batteries": [battery]})
    told = {"name": "charge_limit_kw", "power_kw": 5000, "capacity_kwh": 10}
    assert (caught.value.reason, caught.value.parameters) == ("power-in-watts", told)


def test_a_sensor_holds_from_its_local_day_until_its_own() -> None:
    named = [
        "sensor.roof",
        {"sensor": "-sensor.old", "until": date(2026, 3, 1)},
        {"sensor": "sensor.new", "from": "2026-03-01"},
    ]
    site = parse_site(
        {
            "name": "home",
            "timezone": "Europe/Berlin",
            "input_sensors": {"total_pv_production": named},
        }
    )
    midnight = datetime(2026, 2, 28, 23, tzinfo=UTC)
    sensors = site.list_sensors(site.input_sensors.total_pv_production)
    assert sensors == (
        SiteSensor("sensor.roof"),
        SiteSensor("sensor.old", -1, end=midnight),
        SiteSensor("sensor.new", start=midnight),
    )
    assert [sensor.name for sensor in sensors if sensor.holds_at(midnight)] == [
        "sensor.roof",
        "sensor.new",
    ]
    assert parse_site(json.loads(site.model_dump_json(by_alias=True))) == site


@each_row(
    ("named", "field", "said"),
    [
        (
            [{"sensor": "a", "from": "2026-03-02", "until": "2026-03-01"}],
            "site.input_sensors.total_grid_import",
            "a ends before it begins",
        ),
        (
            ["a", {"sensor": "a", "from": "2026-03-01"}],
            "site.input_sensors.total_grid_import",
            "a is listed twice for the same time",
        ),
        (
            [{"sensor": "a", "until": "2026-03-02"}, {"sensor": "a", "from": "2026-03-01"}],
            "site.input_sensors.total_grid_import",
            "a is listed twice for the same time",
        ),
        (
            [{"sensor": "a", "from": "yesterday"}],
            "site.input_sensors.total_grid_import",
            "not a time: yesterday",
        ),
        (
            [{"sensor": "a", "since": "2026-03-01"}],
            "site.input_sensors.total_grid_import.0.since",
            "",
        ),
        ([""], "site.input_sensors.total_grid_import.0", ""),
    ],
)
def test_times_of_sensors_are_refused_where_they_cannot_be(
    named: object, field: str, said: str
) -> None:
    with pytest.raises(InvalidInputError) as refused:
        parse_site(
            {"name": "home", "timezone": "UTC", "input_sensors": {"total_grid_import": named}}
        )
    assert refused.value.field == field
    assert said in refused.value.message
    assert refused.value.remedy


def test_what_a_sensor_says_is_limited_to_the_time_for_which_it_holds() -> None:
    at = np.array(["2026-03-01T00", "2026-03-01T06", "2026-03-01T12"], dtype="M8[us]")
    sensor = SiteSensor(
        "a", start=datetime(2026, 3, 1, 3, tzinfo=UTC), end=datetime(2026, 3, 1, 9, tzinfo=UTC)
    )
    instants, values = sensor.limit(at, np.array([1.0, 2.0, 3.0]))
    assert instants.tolist() == [datetime(2026, 3, 1, hour) for hour in (3, 6, 9)]  # noqa: DTZ001
    np.testing.assert_array_equal(values, [1.0, 2.0, np.nan])


@each_row(
    ("currency", "rule"),
    [
        ("HUF", {"kind": "fixed", "price": 140.0}),
        (
            "HUF",
            {
                "kind": "time_of_use",
                "default": 140.0,
                "bands": [{"from": "22:00", "to": "06:00", "price": 110.0}],
            },
        ),
        ("HUF", {"kind": "spot", "market": "HU", "markup": 120.0}),
        (
            "HUF",
            {"kind": "blocks", "blocks": [{"up_to_kwh": 210, "price": 36.0}, {"price": 150.0}]},
        ),
        ("CZK", {"kind": "fixed", "price": 130.0}),
        ("SEK", {"kind": "fixed", "price": 110.0}),
    ],
)
def test_a_price_of_a_small_currency_stands_in_any_kind_of_tariff(
    currency: str, rule: dict[str, Any]
) -> None:
    battery = BATTERY | {"wear_price": 12.0}
    site = parse_site(
        SITE
        | {
            "currency": currency,
            "batteries": [battery],
            "tariff": {"import": rule, "peak": {"price_per_kw_month": 1_600}},
        }
    )
    assert site.tariff.import_.kind == rule["kind"]


@each_row(
    ("path", "value", "field", "remedy"),
    [
        (
            "tariff.import.bands.0.price",
            320.0,
            "site.tariff.import.bands.0.price",
            "Give at most 100. Prices are per kWh.",
        ),
        ("tariff.export.price", -101.0, "site.tariff.export.price", "Give at least -100."),
        (
            "tariff.peak.price_per_kw_month",
            1_200.0,
            "site.tariff.peak.price_per_kw_month",
            "Give at most 1000.",
        ),
        (
            "batteries.0",
            BATTERY | {"wear_price": 11.0},
            "site.batteries.0.wear_price",
            "Give at most 10.",
        ),
        ("loads.0.price_limit", 101.0, "site.loads.0.price_limit", "Give at most 100."),
        ("loads.0.start_price", -1.0, "site.loads.0.start_price", "Give at least 0."),
    ],
)
def test_an_amount_beyond_its_currency_s_bounds_is_refused_by_name(
    path: str, value: object, field: str, remedy: str
) -> None:
    refused = refuse(change(path, value))
    assert (refused.field, (refused.remedy or "")[: len(remedy)]) == (field, remedy)
