"""What is assumed of a site is listed until it is told, in words of both languages, and no figure
stands there that was not measured.
"""

from typing import Any

import pytest

from luna.energy.devices.battery import usual_wear_price
from luna.energy.site import parse_site
from luna.energy.site.assumptions import WORTH, list_assumptions
from luna.words import Language
from luna.words.pages import page_words
from services.api.pages.setup.composition import compose, suggest_tariff
from services.api.pages.setup.devices import DEVICE_FORMS
from services.api.pages.setup.fields import (
    ALL_PARTS,
    DEVICE_PRICE,
    GRID,
    HOUSEHOLD,
    PRODUCT_PARTS,
    SITE,
    TARIFF,
)
from services.api.pages.setup.views import numbers_of_site, view_assumptions

BARE: dict[str, Any] = {
    "name": "home",
    "timezone": "Europe/Berlin",
    "batteries": [{"capacity_kwh": 10, "charge_limit_kw": 5, "discharge_limit_kw": 5}],
    "pv": [{"peak_kw": 6}],
    "vehicles": [{"capacity_kwh": 60}],
}
TOLD: dict[str, Any] = {
    "name": "home",
    "timezone": "Europe/Berlin",
    "location": {"latitude": 52.5, "longitude": 13.4},
    "household": {"yearly_kwh": 4200, "heated_by": "none"},
    "grid": {"main_fuse_a": 35, "main_fuse_phases": 3, "export_limit_kw": 8},
    "batteries": [
        {
            "capacity_kwh": 10,
            "charge_limit_kw": 5,
            "discharge_limit_kw": 5,
            "charge_efficiency": 0.97,
            "discharge_efficiency": 0.97,
            "wear_price": 0.05,
            "charge_from_grid": False,
            "discharge_to_grid": False,
        }
    ],
    "pv": [{"peak_kw": 6, "tilt_deg": 35, "azimuth_deg": 200, "shading": "none"}],
    "vehicles": [
        {
            "capacity_kwh": 60,
            "charge_limit_kw": 7,
            "charger": {"phases": [3], "min_current_a": 8},
            "km_per_year": 12_000,
            "kwh_per_100_km": 16,
        }
    ],
    "tariff": {
        "import": {"kind": "fixed", "price": 0.3},
        "export": {"kind": "fixed", "price": 0.08},
    },
}


def codes(document: dict[str, Any], **household: object) -> set[str]:
    return {
        each.code
        for each in list_assumptions(
            parse_site(document | ({"household": household} if household else {}))
        )
    }


def test_all_that_nobody_told_is_listed_and_nothing_else() -> None:
    of_battery = {"efficiency", "no_wear", "charges_from_grid", "sells_to_grid"}
    of_connection = {"no_import_limit", "no_export_limit", "no_export_price"}
    assert codes(BARE) == {
        "yearly_kwh",
        "heated_by",
        "location",
        "facing",
        "shading",
        "phases",
        "charge_power",
        "km_per_year",
        *of_battery,
        *of_connection,
    }
    assert codes(TOLD) == set()
    assert codes(TOLD, persons=3, heated_by="heat_pump") == {"yearly_kwh_by_persons", "heating_kwh"}
    pump = {"power_kw": 3, "store": {"capacity_kwh_per_k": 2, "min_c": 20, "max_c": 22}}
    assert codes(TOLD | {"heat_pumps": [pump]}, yearly_kwh=4200) == set()


def test_a_place_is_worth_what_was_measured_where_the_sun_gives_something() -> None:
    worth = [
        {each.code: each.worth for each in list_assumptions(parse_site(site))}["location"]
        for site in (BARE, BARE | {"pv": []})
    ]
    assert worth == [WORTH["location"], None]


@pytest.mark.parametrize("language", ["en", "de"])
def test_each_is_a_sentence_and_what_is_worth_most_comes_first(language: Language) -> None:
    for document in (BARE, TOLD | {"household": {"persons": 3, "heated_by": "electric"}}):
        site = parse_site(document)
        lines = view_assumptions(
            site, page_words("setup", language), numbers_of_site(site, language)
        )
        assert [each.text for each in lines if "{" in each.text or each.text[-1] != "."] == []
        measured = [bool(each.worth) for each in lines]
        assert measured == sorted(measured, reverse=True)
    assert set(WORTH.values()) == {worth for worth in WORTH.values() if 0.005 <= worth < 0.5}


# Fields whose default is no assumption: the reader sees them as they are, or they count only beside
# others.
SAID_PLAINLY = {"name", "import_kind", "export_kind", "second_days"} | {
    entry.name for entry in (*ALL_PARTS, *PRODUCT_PARTS, *DEVICE_PRICE)
}
# Of fields that set-up fills in: what has to be typed beside them for a site to be whole.
NEEDED = {
    "batteries": {"capacity_kwh": "10", "power_kw": "5"},
    "pv": {"peak_kw": "6"},
    "vehicles": {"capacity_kwh": "60", "km_per_year": "9000", "phases": "3"},
}
TYPED_PRICES = {"import_price": "30", "default_price": "30", "first_price": "20"}


def compose_untouched(import_kind: str, export_kind: str) -> set[str]:
    """Return what is assumed of a home in Sweden of which nothing was typed but what has to be."""
    devices = {
        section: [form.begin() | NEEDED.get(section, {})] for section, form in DEVICE_FORMS.items()
    }
    answers: dict[str, Any] = {"site": {"name": "home", "place": "SE:Malmö"}, **devices}
    answers["tariff"] = (
        suggest_tariff(answers)
        | TYPED_PRICES
        | {"import_kind": import_kind, "export_kind": export_kind}
    )
    composed = compose(answers)
    assert composed.whole, composed.faults
    return {each.code for each in list_assumptions(composed.site())}


def test_every_default_that_set_up_fills_in_is_listed_as_an_assumption() -> None:
    listed = set.union(
        *(compose_untouched(*kinds) for kinds in (("spot", "spot"), ("time_of_use", "fixed")))
    )
    forms = {section: form.entries for section, form in DEVICE_FORMS.items()} | {
        "site": SITE,
        "household": HOUSEHOLD,
        "grid": GRID,
        "tariff": TARIFF,
    }
    suggested = suggest_tariff({"site": {"place": "SE:Malmö"}})
    filled_in = [
        entry
        for entries in forms.values()
        for entry in entries
        if entry.default or suggested.get(entry.name)
    ]
    silent = [
        entry.name
        for entry in filled_in
        if entry.name not in SAID_PLAINLY and entry.assumed not in listed
    ]
    assert silent == []
    # A fuse and a battery's wear are assumed where their fields are left empty.
    assert {"main_fuse", "no_export_limit", "wear"} <= listed


@pytest.mark.parametrize(
    ("country", "grid", "limit_kw", "assumed"),
    [
        ("DE", {}, 3 * 35 * 0.23, True),
        ("NL", {"export_limit_kw": 5}, 3 * 25 * 0.23, True),
        ("DE", {"import_limit_kw": 10_000}, 3 * 35 * 0.23, True),
        ("DE", {"import_limit_kw": 11}, 11, False),
        ("DE", {"main_fuse_a": 63}, 3 * 63 * 0.23, False),
        ("DE", {"main_fuse_a": 63, "main_fuse_phases": 1}, 63 * 0.23, False),
        ("ZA", {}, 60 * 0.23, True),
        (None, {"main_fuse_a": 20}, 20 * 0.23, False),
        (None, {}, 10_000, False),
    ],
    ids=[
        "nothing told",
        "another limit told",
        "no limit told",
        "limit told",
        "fuse told",
        "fuse and phases told",
        "one phase",
        "fuse without a country",
        "no country",
    ],
)
def test_a_connection_carries_what_its_fuse_does(
    country: str | None, grid: dict[str, float], limit_kw: float, assumed: bool
) -> None:
    site = parse_site(
        {"name": "home", "timezone": "Europe/Berlin", "country": country, "grid": grid}
    )
    assert site.grid.import_limit_kw == pytest.approx(limit_kw, abs=1e-3)
    assert ("main_fuse" in {each.code for each in list_assumptions(site)}) is assumed
    # Stored and read again it is the same.
    assert parse_site(site.model_dump(mode="json", by_alias=True)) == site


@pytest.mark.parametrize(
    ("latitude", "roof", "code"),
    [
        (-33.9, {}, "facing_north"),
        (-33.9, {"tilt_deg": 20}, "north"),
        (-33.9, {"azimuth_deg": 180, "tilt_deg": 20}, None),
        (52.5, {}, "facing"),
        (52.5, {"azimuth_deg": 0, "tilt_deg": 20}, None),
    ],
)
def test_a_roof_is_assumed_to_face_the_equator(
    latitude: float, roof: dict[str, float], code: str | None
) -> None:
    site = parse_site(
        {
            "name": "home",
            "timezone": "UTC",
            "location": {"latitude": latitude, "longitude": 0},
            "pv": [{"peak_kw": 6} | roof],
        }
    )
    listed = {each.code for each in list_assumptions(site)}
    facing = {"facing", "facing_north", "north", "south"} & listed
    assert facing == (set() if code is None else {code})


@pytest.mark.parametrize(("currency", "cost"), [("EUR", 400), ("AUD", 800), ("ZAR", 8000)])
def test_a_usual_battery_costs_about_the_same_in_every_currency(currency: str, cost: float) -> None:
    battery = BARE["batteries"][0] | {"wear_price": usual_wear_price(currency)}
    site = parse_site(BARE | {"currency": currency, "batteries": [battery]})
    [wear] = [each for each in list_assumptions(site) if each.code == "wear"]
    assert wear.figures["cost"] == pytest.approx(cost, rel=1e-4)


def test_what_a_battery_wears_follows_from_its_price_and_cycles() -> None:
    typed = (
        DEVICE_FORMS["batteries"].begin()
        | NEEDED["batteries"]
        | {"battery_price": "5400", "cycles": "6000"}
    )
    values, _ = DEVICE_FORMS["batteries"].check(typed, prefix="")
    # 9 of 10 kWh are usable: 54,000 kWh go in and 54,000 come out; half of the price is worn by
    # each.
    assert DEVICE_FORMS["batteries"].compose(values)["wear_price"] == pytest.approx(
        5400 / (2 * 9 * 6000)
    )
