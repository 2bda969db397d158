"""From what was typed to a site: what is taken as it is meant, what is refused and where."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from luna.energy.site.countries import COUNTRIES, place_named, places
from luna.energy.timeline import parse_zone
from luna.energy.zone_country import find_country
from luna.platform.grid_fees.published import find_published
from luna.words.catalogue import CATALOGUE, ENGLISH
from luna.words.numbers import read_number
from services.api.pages.setup.composition import Composition, compose, suggest_tariff
from services.api.pages.setup.devices import DEVICE_FORMS
from services.api.pages.setup.draft_answers import change_devices, merge_step
from services.api.pages.setup.editing import answers_of
from services.api.pages.setup.fields import GRID, HOUSEHOLD, SITE, TARIFF
from services.ingest.sources.prices.registry import list_markets
from tests.support.suite.tables import each_row

SITE_TYPED = {"name": "Home", "place": "DE:Berlin"}
BATTERY = {
    "capacity_kwh": "10",
    "power_kw": "5",
    "reserve_percent": "10",
    "efficiency_percent": "81",
    "from_grid": "on",
}
FIXED = {
    "import_kind": "fixed",
    "import_price": "32",
    "export_kind": "fixed",
    "export_price": "8,2",
}


def typed(**parts: Any) -> dict[str, Any]:
    return {"site": SITE_TYPED, "tariff": FIXED} | parts


def refused(composed: Composition) -> dict[str, str]:
    return {fault.field: fault.code for faults in composed.faults.values() for fault in faults}


@each_row(
    ("text", "value"),
    [
        ("9,5", 9.5),
        ("9.5", 9.5),
        ("1.234,5", 1234.5),
        ("1,234.5", 1234.5),
        ("\u22123", -3.0),
        ("1\u00a0000", 1000.0),
        (".5", 0.5),
        ("7", 7.0),
    ],
)
def test_numbers_are_read_as_either_language_writes_them(text: str, value: float) -> None:
    assert read_number(text) == value


@each_row("text", ["", "ten", "1e5", "nan", "inf", "1,2,3", "0x10", "--1", "9 kW"])
def test_what_is_no_number_is_none(text: str) -> None:
    assert read_number(text) is None


@each_row(
    ("place", "expected"),
    [
        ("US:New York", ("America/New_York", "USD", "US")),
        ("US:Phoenix", ("America/Phoenix", "USD", "US")),
        ("US:Honolulu", ("Pacific/Honolulu", "USD", "US")),
        ("CA:St. John's", ("America/St_Johns", "CAD", "CA")),
        ("AU:Adelaide", ("Australia/Adelaide", "AUD", "AU")),
        ("NZ:Auckland", ("Pacific/Auckland", "NZD", "NZ")),
        ("ZA:Durban", ("Africa/Johannesburg", "ZAR", "ZA")),
        ("GB:Leeds", ("Europe/London", "GBP", "GB")),
        ("IE:Galway", ("Europe/Dublin", "EUR", "IE")),
    ],
)
def test_a_town_has_its_own_clock_where_its_country_has_several(
    place: str, expected: tuple[str, str, str]
) -> None:
    site = compose(typed(site={"name": "Home", "place": place})).site()
    assert (site.timezone, site.currency, site.country) == expected
    # Opened again it is the same town, and nothing is left to be typed.
    answer = answers_of(site)["site"]
    assert answer["place"] == place
    assert (answer["timezone"], answer["currency"], answer["latitude"]) == ("", "", "")


@each_row("kind", ["fixed", "time_of_use"])
def test_a_tariff_is_whole_in_a_country_without_a_market(kind: str) -> None:
    bands = {"default_price": "34", "first_price": "24"}
    for code, country in COUNTRIES.items():
        if country.markets:
            continue
        site = {"name": "Home", "place": f"{code}:{country.towns[0].name}"}
        suggested = suggest_tariff({"site": site})
        tariff = suggested | FIXED | bands | {"import_kind": kind}
        composed = compose(typed(site=site, tariff=tariff))
        assert composed.whole, (code, composed.faults)
        assert composed.site().tariff.markets == []


def test_a_roof_follows_its_home_over_the_equator() -> None:
    answers: dict[str, Any] = {"pv": [DEVICE_FORMS["pv"].begin()]}
    sydney = merge_step(answers, "site", {"name": "Home", "place": "AU:Sydney"})
    assert sydney["pv"][0]["azimuth_deg"] == "0"
    # A further roof, and a site step without another place.
    change_devices(sydney, "add-pv")
    assert [roof["azimuth_deg"] for roof in sydney["pv"]] == ["0", "0"]
    typed_roofs = sydney | {"pv": [{"azimuth_deg": "180"}, {"azimuth_deg": "0"}]}
    kept = merge_step(typed_roofs, "site", {"name": "House", "place": "AU:Perth"})
    assert [roof["azimuth_deg"] for roof in kept["pv"]] == ["180", "0"]
    # Back north only what faces the equator turns.
    west = sydney | {"pv": [{"azimuth_deg": "270"}, {"azimuth_deg": "0"}]}
    berlin = merge_step(west, "site", SITE_TYPED)
    assert [roof["azimuth_deg"] for roof in berlin["pv"]] == ["270", "180"]
    # Elsewhere the typed latitude says it.
    elsewhere = {"place": "elsewhere", "latitude": "-22,9", "longitude": "-43,2"}
    rio = merge_step(answers, "site", elsewhere)
    assert rio["pv"][0]["azimuth_deg"] == "0"


def test_a_town_gives_clock_currency_country_and_place() -> None:
    site = compose(typed()).site()
    assert (site.timezone, site.currency, site.country) == ("Europe/Berlin", "EUR", "DE")
    assert site.location is not None
    assert (site.location.latitude, site.location.longitude) == (52.52, 13.4)


@each_row(
    ("household", "expected"),
    [
        ({}, (3500, "assumed")),
        ({"yearly_kwh": "", "persons": ""}, (3500, "assumed")),
        ({"yearly_kwh": "4.200,5", "persons": ""}, (4200.5, "yearly_kwh")),
        ({"yearly_kwh": "", "persons": "5"}, (5430, "persons")),
        ({"yearly_kwh": "3.500"}, (3500, "yearly_kwh")),
        ({"yearly_kwh": "3,500"}, (3500, "yearly_kwh")),
        ({"yearly_kwh": "123.456"}, (123.456, "yearly_kwh")),
    ],
)
def test_a_household_may_say_what_it_uses_or_how_many_it_is(
    household: dict[str, str], expected: tuple[float, str]
) -> None:
    said = compose(typed(household=household)).site().household
    assert (said.yearly_load_kwh, said.load_basis) == expected


def test_a_yearly_consumption_in_megawatt_hours_is_refused() -> None:
    assert refused(compose(typed(household={"yearly_kwh": "3,5"}))) == {"yearly_kwh": "least"}


def test_a_battery_loses_half_on_each_way_and_an_unset_switch_is_off() -> None:
    [battery] = compose(typed(batteries=[BATTERY])).site().batteries
    # Of 81 % that come out again, √0.81 = 0.9 are left after each way.
    assert (battery.charge_efficiency, battery.discharge_efficiency, battery.min_soc) == (
        0.9,
        0.9,
        0.1,
    )
    assert (battery.charge_from_grid, battery.discharge_to_grid) == (True, False)


def test_an_error_of_the_whole_site_keeps_its_reason() -> None:
    same_name = BATTERY | {"name": "shed"}
    [fault] = compose(typed(batteries=[same_name, same_name])).faults["site"]
    assert (fault.field, fault.code) == ("", "refused")
    assert fault.refusal is not None
    assert fault.refusal.reason == "name-twice"


def test_devices_of_a_kind_get_names_of_their_own() -> None:
    pv = {"peak_kw": "6", "tilt_deg": "30", "azimuth_deg": "180"}
    assert [array.name for array in compose(typed(pv=[pv, pv])).site().pv] == ["roof", "roof 2"]


def test_prices_are_typed_in_hundredths_and_stored_in_the_currency() -> None:
    tariff = compose(typed()).site().tariff
    assert (tariff.import_.price, tariff.export.price) == (0.32, 0.082)


def test_prices_of_a_small_currency_are_within_its_own_bounds() -> None:
    elsewhere = {
        "name": "Home",
        "place": "elsewhere",
        "latitude": "47,5",
        "longitude": "19",
        "timezone": "Europe/Budapest",
        "currency": "HUF",
    }
    forint = compose(
        typed(site=elsewhere, tariff=FIXED | {"import_price": "70", "export_price": "5"})
    )
    assert forint.site().tariff.import_.price == 70
    assert refused(compose(typed(tariff=FIXED | {"import_price": "7000"}))) == {
        "import_price": "most"
    }


def test_a_price_below_one_hundredth_is_asked_about() -> None:
    assert refused(compose(typed(tariff=FIXED | {"import_price": "0,32"}))) == {
        "import_price": "too_cheap"
    }


def test_a_market_s_tariff_takes_what_is_usual_in_the_country_until_something_else_is_typed() -> (
    None
):
    suggested = suggest_tariff({"site": SITE_TYPED})
    site = compose(typed(tariff=suggested | {"import_kind": "spot"})).site()
    assert (site.tariff.import_.market, site.tariff.import_.vat) == ("DE-LU", 0.19)


def test_a_power_in_watts_is_refused() -> None:
    assert refused(compose(typed(batteries=[BATTERY | {"power_kw": "500"}]))) == {
        "batteries-0-power_kw": "watts"
    }


def test_elsewhere_needs_place_and_clock_and_takes_them() -> None:
    assert refused(compose(typed(site={"name": "Home", "place": "elsewhere"}))) == dict.fromkeys(
        ("latitude", "longitude", "timezone", "currency"), "missing_elsewhere"
    )
    far = {
        "name": "Home",
        "place": "elsewhere",
        "latitude": "-33,9",
        "longitude": "151,2",
        "timezone": "Australia/Sydney",
        "currency": "aud",
    }
    assert compose(typed(site=far)).site().currency == "AUD"


def test_special_hours_run_over_midnight_and_a_second_band_is_whole_or_not_there() -> None:
    bands = {
        "default_price": "34",
        "first_from": "22:00",
        "first_to": "06:00",
        "first_price": "24",
        "first_days": "all",
        "import_kind": "time_of_use",
    }
    assert compose(typed(tariff=FIXED | bands)).whole
    assert refused(compose(typed(tariff=FIXED | bands | {"second_from": "12:00"}))) == {
        "second_to": "band",
        "second_price": "band",
    }


def test_sensors_count_only_where_home_assistant_was_chosen() -> None:
    sensors = {"total_load_consumption": "sensor.house"}
    assert compose(
        typed(sensors=sensors, data={"source": "home_assistant"})
    ).site().input_sensors.total_load_consumption == ("sensor.house",)
    assert (
        compose(typed(sensors=sensors, data={"source": "nothing"}))
        .site()
        .input_sensors.total_load_consumption
        == ()
    )


PARTS = {
    "import_kind": "parts",
    "fee_kind": "fixed",
    "fee_price": "0,7",
    "levies_kind": "fixed",
    "levies_price": "4",
    "export_kind": "none",
}


def test_the_parts_of_a_bill_add_up() -> None:
    composed = compose(typed(tariff=PARTS | {"fee_name": "Netzentgelt", "base_price": "9,90"}))
    tariff = composed.site().tariff
    parts = [(part.kind, part.name, part.vat) for part in tariff.import_.components]
    # Without a surcharge there is no line for one.
    assert parts == [
        ("spot", "energy", 0.19),
        ("fixed", "Netzentgelt", 0.19),
        ("fixed", "taxes and levies", 0.19),
    ]
    assert [(base.price, base.per) for base in tariff.base] == [(9.9, "month")]


def test_published_prices_are_taken_as_they_are() -> None:
    published = {
        "fee_kind": "published",
        "fee_published": "Avacon Netz: Module 3 (§ 14a EnWG)",
        "levies_kind": "published",
    }
    composed = compose(
        typed(tariff=PARTS | published | {"energy_kind": "fixed"} | {"energy_price": "9"})
    )
    operator = find_published("DE", "Avacon Netz")
    levies = find_published("DE", "levies")
    assert operator is not None
    assert levies is not None
    products = [*operator.products, *(each for each in levies.products if each.role == "levy")]
    expected = [part for product in products for part in product.lasting_components]
    assert [*composed.site().tariff.import_.components][1:] == expected


@each_row(
    ("fields", "faults"),
    [
        ({"fee_price": "viel"}, {"fee_price": "number"}),
        (
            {"fee_kind": "windows"},
            {
                "fee_default_price": "missing",
                "fee-0-fee_from": "missing",
                "fee-0-fee_to": "missing",
                "fee-0-fee_window_price": "missing",
            },
        ),
        (
            {
                "fee_kind": "windows",
                "fee_default_price": "1",
                "fee-0-fee_from": "25:00",
                "fee-0-fee_to": "20:00",
                "fee-0-fee_window_price": "3",
                "fee-2-fee_from": "10:00",
                "fee-2-fee_to": "12:00",
            },
            {"fee-0-fee_from": "clock", "fee-2-fee_window_price": "band"},
        ),
        ({"fee_kind": "published"}, {"fee_published": "missing"}),
        ({"fee_kind": "published", "fee_published": "N1: C customer"}, {"fee_published": "choice"}),
        ({"energy_market": "FR"}, {"energy_market": "choice"}),
        ({"parts_from": "1.1.2027"}, {"parts_from": "date"}),
        ({"base_price": "-1"}, {"base_price": "least"}),
        ({"import_kind": "kept"}, {"import_kind": "choice"}),
        ({"export_kind": "fixed", "export_price": ""}, {"export_price": "missing"}),
    ],
)
def test_a_wrong_part_is_refused_at_its_field(
    fields: dict[str, str], faults: dict[str, str]
) -> None:
    assert refused(compose(typed(tariff=PARTS | fields))) == faults


@pytest.mark.parametrize(
    ("fields", "kinds"),
    [
        ({"export_kind": "fixed", "export_price": "8"}, ["fixed"]),
        ({"export_kind": "spot"}, ["spot"]),
        ({"export_kind": "spot", "export_fee": "0,5"}, ["spot", "fixed"]),
    ],
    ids=["fixed", "market", "less a fee"],
)
def test_feed_in_may_be_nothing_while_the_market_is_below_zero(
    fields: dict[str, str], kinds: list[str]
) -> None:
    tariff = FIXED | fields | {"export_below_zero": "on"}
    parts = compose(typed(tariff=tariff)).site().tariff.export.components
    assert [part.kind for part in parts] == kinds
    assert {part.zero_below_spot for part in parts} == {"DE-LU"}


TEXT = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        [
            "on",
            "1",
            "-1",
            "1e9",
            "99999999",
            "0.0001",
            "22:00",
            "24:00",
            "DE:Berlin",
            "elsewhere",
            "spot",
            "fixed",
        ]
    ),
)


def fields(entries: Any) -> Any:
    return st.fixed_dictionaries({}, optional={entry.name: TEXT for entry in entries})


@given(
    site=fields(SITE),
    household=fields(HOUSEHOLD),
    grid=fields(GRID),
    tariff=fields(TARIFF),
    devices=st.fixed_dictionaries(
        {
            section: st.lists(fields(form.entries), max_size=2)
            for section, form in DEVICE_FORMS.items()
        }
    ),
)
def test_whatever_is_typed_is_a_site_or_has_a_fault(
    site: Any, household: Any, grid: Any, tariff: Any, devices: Any
) -> None:
    composed = compose(
        {"site": site, "household": household, "grid": grid, "tariff": tariff, **devices}
    )
    assert not composed.whole or composed.site().name


def test_every_market_of_a_country_is_one_that_a_price_source_has() -> None:
    named = {market for country in COUNTRIES.values() for market in country.markets}
    assert named <= set(list_markets())


def test_every_country_has_a_name() -> None:
    assert {name for name in CATALOGUE.read("setup", ENGLISH) if name.startswith("country_")} == {
        f"country_{code}" for code in COUNTRIES
    }


# From the Canaries' latitude to the North Cape.
EUROPE = (27, 72)
LATITUDES = {
    "AU": (-44, -10),
    "CA": (42, 70),
    "NZ": (-48, -34),
    "US": (18, 72),
    "ZA": (-35, -22),
}
SOUTHERN_WINTER = datetime(2026, 7, 1, tzinfo=UTC)


def test_every_place_has_a_clock_and_lies_where_it_can() -> None:
    for place, code in places():
        country, town = place_named(place)
        assert country.code == code
        zone = parse_zone(country.timezone_of(town))
        assert find_country(zone.key) == code, place
        # By the sun a clock is at most two hours off, as in the west of Spain and in the Yukon.
        winter = datetime(2026, 1, 1, tzinfo=UTC) if town.latitude > 0 else SOUTHERN_WINTER
        offset = winter.astimezone(zone).utcoffset() or timedelta()
        assert abs(offset / timedelta(hours=1) - town.longitude / 15) < 2.1, place
        south, north = LATITUDES.get(code, EUROPE)
        assert south < town.latitude < north, place
