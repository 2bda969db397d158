"""A site that is there is told as set-up would have asked for it, and only what is answered
otherwise changes.
"""

from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from luna.energy.errors import InvalidInputError
from luna.energy.site import Site, parse_site
from luna.energy.site.differences import SiteDifference, list_differences
from luna.words.numbers import Numbers, write_decimal
from luna.words.pages import page_words
from services.api.pages.setup.composition import compose
from services.api.pages.setup.editing import (
    answers_of,
    change_site,
    find_fixed,
    list_changed_steps,
    view_changes,
)
from services.api.pages.setup.views import view_site_parts
from services.cli.site import load_site
from tests.support.words.wording import wording

EXAMPLE = Path(__file__).parents[5] / "config" / "site.yaml"
HOUSE: dict[str, Any] = {
    "name": "haus",
    "display_name": "Haus Müller",
    "timezone": "Europe/Berlin",
    "country": "DE",
    "location": {"latitude": 48.14, "longitude": 11.58},
    "household": {"yearly_kwh": 3500},
    "grid": {"import_limit_kw": 11},
    "batteries": [
        {
            "name": "Akku",
            "capacity_kwh": 10,
            "charge_limit_kw": 5,
            "discharge_limit_kw": 4,
            "wear_price": 0.03,
            "charge_efficiency": 0.96,
        }
    ],
    "pv": [{"name": "Süddach", "peak_kw": 6, "azimuth_deg": 190}, {"name": "Garage", "peak_kw": 2}],
    "inverters": [
        {"name": "Hybrid", "ac_limit_kw": 5, "pv": ["Garage", "Süddach"], "batteries": ["Akku"]}
    ],
    "vehicles": [{"name": "car", "capacity_kwh": 50, "charge_limit_kw": 11}],
    "loads": [
        {
            "name": "boiler",
            "kind": "water_heater",
            "power_kw": 2,
            "energy_kwh_per_day": 5,
            "max_gap_hours": 12,
        },
        {"name": "washer", "power_kw": 2, "profile_kw": [2, 0.5]},
    ],
    "tariff": {
        "import": {
            "kind": "time_of_use",
            "default": 0.3251,
            "bands": [{"from": "22:00", "to": "06:00", "price": 0.25}],
        },
        "export": {"kind": "fixed", "price": 0.0786},
    },
}


def changed(site: Site, part: str, place: int | None = None, **fields: str) -> dict[str, Any]:
    """Return the site's answers with fields typed otherwise."""
    answers = answers_of(site)
    if place is None:
        return answers | {part: answers[part] | fields}
    return answers | {
        part: [
            device | fields if number == place else device
            for number, device in enumerate(answers[part])
        ]
    }


def moved(site: Site, place: str) -> dict[str, Any]:
    """Return the site's answers with another place."""
    answers = answers_of(site)
    return answers | {"site": answers["site"] | {"place": place}}


def told(site: Site, other: Site) -> list[str]:
    return [
        each.field
        for each in list_differences(
            site.model_dump(mode="json", by_alias=True),
            other.model_dump(mode="json", by_alias=True),
        )
    ]


@pytest.mark.parametrize(
    "site",
    [
        parse_site(HOUSE),
        load_site(EXAMPLE),
        parse_site({"name": "bare", "timezone": "Asia/Tokyo", "currency": "JPY"}),
    ],
    ids=lambda site: site.name,
)
def test_what_is_not_answered_otherwise_changes_nothing(site: Site) -> None:
    assert change_site(site, answers_of(site)) == site


def test_every_answer_of_a_site_passes_its_own_check() -> None:
    assert compose(answers_of(parse_site(HOUSE))).whole
    assert not find_fixed(parse_site(HOUSE))


def test_one_field_changes_one_field_and_what_the_page_does_not_ask_for_stays() -> None:
    site = parse_site(HOUSE)
    battery = change_site(site, changed(site, "batteries", 0, capacity_kwh="12,5"))
    assert told(site, battery) == ["batteries.Akku.capacity_kwh"]
    assert battery.batteries[0].capacity_kwh == 12.5
    assert told(site, change_site(site, changed(site, "pv", 0, azimuth_deg="Südwesten"))) == [
        "pv.Süddach.azimuth_deg"
    ]
    assert told(site, change_site(site, changed(site, "tariff", export_price="7"))) == [
        "tariff.export.price"
    ]
    assert told(site, change_site(site, changed(site, "site", name="家"))) == ["display_name"]
    house = change_site(
        site,
        changed(
            site, "household", heated_by="heat_pump", heated_m2="140", car_km_per_year="12.000"
        ),
    )
    assert told(site, house) == [
        "household.heated_by",
        "household.heated_m2",
        "household.car_km_per_year",
    ]
    assert house.household.car_km_per_year == 12_000
    driven = change_site(
        site, changed(site, "vehicles", 0, km_per_year="15.000", kwh_per_100_km="16,5")
    )
    assert told(site, driven) == ["vehicles.car.km_per_year", "vehicles.car.kwh_per_100_km"]
    # What follows from the greatest power follows from the new one.
    car = change_site(site, changed(site, "vehicles", 0, power_kw="3.7"))
    assert (car.vehicles[0].charge_limit_kw, car.vehicles[0].min_charge_kw) == (3.7, 1.4)


def test_the_least_power_follows_the_charger_as_typed_and_one_of_the_file_stays_where_it_can() -> (
    None
):
    site = parse_site(HOUSE)
    three = change_site(site, changed(site, "vehicles", 0, phases="3", least_current_a="8"))
    assert three.vehicles[0].power_ranges == ((pytest.approx(3 * 8 * 0.23), 11.0),)
    typed = answers_of(three)["vehicles"][0]
    assert [typed[name] for name in ("capacity_kwh", "power_kw", "phases", "least_current_a")] == [
        "50",
        "11",
        "3",
        "8",
    ]
    # It switches by itself: from one phase on.
    assert change_site(three, changed(three, "vehicles", 0, phases="1_3")).vehicles[0].power_ranges[
        0
    ][0] == pytest.approx(8 * 0.23)
    assert told(site, change_site(three, changed(three, "vehicles", 0, phases=""))) == []
    assert (
        change_site(three, changed(three, "vehicles", 0, power_kw="22")).vehicles[0].most_charge_kw
        == 22
    )
    own = parse_site(
        HOUSE
        | {
            "vehicles": [
                {"name": "car", "capacity_kwh": 50, "charge_limit_kw": 11, "min_charge_kw": 2}
            ]
        }
    )
    for power, least in (("22", 2), ("1,8", 1.4)):
        assert (
            change_site(own, changed(own, "vehicles", 0, power_kw=power)).vehicles[0].min_charge_kw
            == least
        )
    weak = changed(site, "vehicles", 0, power_kw="3.7", phases="3", least_current_a="6")
    assert [(fault.field, fault.code) for fault in compose(weak).faults["devices"]] == [
        ("vehicles-0-power_kw", "least_current")
    ]


def test_a_device_comes_and_goes_with_what_names_it() -> None:
    site = parse_site(HOUSE)
    answers = answers_of(site)
    more = change_site(
        site,
        answers | {"pv": [*answers["pv"], {"peak_kw": "3", "tilt_deg": "20", "azimuth_deg": "W"}]},
    )
    assert [(array.name, array.azimuth_deg) for array in more.pv] == [
        ("Süddach", 190.0),
        ("Garage", 180.0),
        ("roof", 270.0),
    ]
    less = change_site(site, answers | {"pv": answers["pv"][:1], "batteries": []})
    assert ([array.name for array in less.pv], less.batteries, less.inverters[0].pv) == (
        ["Süddach"],
        [],
        ["Süddach"],
    )
    none = change_site(site, answers | {"pv": [], "batteries": []})
    assert none.inverters == []
    assert [load.name for load in none.loads] == ["boiler", "washer"]


def test_another_kind_of_tariff_takes_the_place_of_the_one_before() -> None:
    site = parse_site(HOUSE)
    fixed = change_site(site, changed(site, "tariff", import_kind="fixed", import_price="30"))
    assert fixed.tariff.import_.model_dump() == {"kind": "fixed", "price": 0.3}
    series = parse_site(HOUSE | {"tariff": {"import": {"kind": "series"}}})
    assert answers_of(series)["tariff"]["import_kind"] == "kept"
    assert change_site(series, changed(series, "grid", import_limit_kw="9")).tariff == series.tariff


def test_what_cannot_be_is_refused() -> None:
    site = parse_site(HOUSE | {"strategy": {"vacation": {"loads_off": ["boiler"]}}})
    with pytest.raises(InvalidInputError, match="boiler"):
        change_site(site, answers_of(site) | {"loads": []})


@given(st.floats(1, 500).map(lambda value: round(value, 3)))
def test_a_number_that_is_typed_is_the_number_that_is_stored(capacity: float) -> None:
    site = parse_site(HOUSE)
    assert (
        change_site(site, changed(site, "vehicles", 0, capacity_kwh=f"{capacity:.10g}"))
        .vehicles[0]
        .capacity_kwh
        == capacity
    )


def test_the_review_tells_what_was_and_what_will_be() -> None:
    site = parse_site(HOUSE)
    after = changed(site, "batteries", 0, capacity_kwh="12,5") | {"pv": answers_of(site)["pv"][1:]}
    after |= {"tariff": after["tariff"] | {"import_kind": "fixed", "import_price": "30"}}
    lines = view_changes(answers_of(site), after, page_words("setup", "de"), "de")
    assert [(line.step, line.label, line.before, line.after) for line in lines][:3] == [
        ("devices", "Akku: Kapazität", "10\u00a0kWh", "12,5\u00a0kWh"),
        ("devices", "Solaranlage: Süddach", "vorhanden", "entfernt"),
        (
            "tariff",
            wording("setup", "field_import_kind", "de"),
            wording("setup", "option_import_kind_time_of_use", "de"),
            wording("setup", "option_import_kind_fixed", "de"),
        ),
    ]
    assert list_changed_steps(answers_of(site), after) == ["devices", "tariff"]


def test_the_review_lists_every_switched_device_by_its_kind() -> None:
    pump = {
        "name": "pump",
        "power_kw": 2.5,
        "store": {"capacity_kwh_per_k": 4, "min_c": 20, "max_c": 23},
    }
    site = parse_site(HOUSE | {"loads": [{"name": "boiler", "power_kw": 2}], "heat_pumps": [pump]})
    said = dict(
        dict(
            view_site_parts(
                site, page_words("setup", "de"), Numbers("de", ZoneInfo("Europe/Berlin"), "EUR")
            )
        )["devices"]
    )
    assert said["Warmwasser"].startswith("2,0")
    assert said["Wärmepumpe"].startswith("2,5")


def test_the_review_says_all_that_was_entered_in_words() -> None:
    household = {"yearly_kwh": 4500, "heated_by": "heat_pump", "heating_kwh": 3600, "persons": 3}
    battery = HOUSE["batteries"][0] | {"min_soc": 0.15, "discharge_to_grid": False}
    grid = {"main_fuse_a": 35, "main_fuse_phases": 3, "export_limit_kw": 7}
    bands = [
        {"from": "22:00", "to": "06:00", "price": 0.25},
        {"from": "17:00", "to": "19:30", "days": "weekday", "price": 0.41},
    ]
    tariff = HOUSE["tariff"] | {"import": {"kind": "time_of_use", "default": 0.3, "bands": bands}}
    site = parse_site(
        HOUSE
        | {
            "household": household,
            "batteries": [battery, battery | {"name": "shed"}],
            "grid": grid,
            "tariff": tariff,
        }
    )
    lines = dict(
        view_site_parts(
            site, page_words("setup", "en"), Numbers("en", ZoneInfo("Europe/Berlin"), "EUR")
        )
    )
    said = {
        step: "\n".join(f"{label}: {text}" for label, text in each).replace("\u00a0", " ")
        for step, each in lines.items()
    }
    # Fields that follow a device's first sentence are said by their labels, so that a new one is
    # said as well.
    wanted = {
        "site": ["including a heat pump with 3,600 kWh", "48.14° north", ": 3"],
        "devices": [
            "Battery: Akku",
            "Battery: shed",
            ": 15%",
            ": no",
            "south (190°)",
            "Tilt: 30°",
            "3 × 35 A",
            "24.1 kW",
            "7.0 kW",
            "6.0 ct",
        ],
        "tariff": [
            "22:00 to 06:00, all days: 25.0 ct/kWh",
            "17:00 to 19:30, weekdays: 41.0 ct/kWh",
            "30.0 ct/kWh",
        ],
    }
    assert [
        text for step, texts in wanted.items() for text in texts if text not in said[step]
    ] == []


@pytest.mark.parametrize(
    ("rules", "code"),
    [
        (
            {
                "export": {
                    "kind": "time_of_use",
                    "default": 0.08,
                    "bands": [{"from": "17:00", "to": "20:00", "price": 0.12}],
                }
            },
            "selling_time_of_use",
        ),
        ({"export": {"kind": "series"}}, "selling_series"),
        ({"import": {"kind": "series"}}, "buying_series"),
    ],
    ids=["sold by time of day", "sold at own prices", "bought at own prices"],
)
def test_the_review_says_a_tariff_that_set_up_does_not_ask_for(
    rules: dict[str, Any], code: str
) -> None:
    site = parse_site(HOUSE | {"tariff": HOUSE["tariff"] | rules})
    said = dict(
        view_site_parts(
            site, page_words("setup", "en"), Numbers("en", ZoneInfo("Europe/Berlin"), "EUR")
        )
    )["tariff"]
    assert wording("tariffs", code) in dict(said).values()


def test_a_comma_where_a_point_stood_is_no_change() -> None:
    before = answers_of(parse_site(HOUSE))
    after = before | {
        "tariff": {name: write_decimal(text, "de") for name, text in before["tariff"].items()}
    }
    assert after != before
    assert list_changed_steps(before, after) == []


def test_differences_name_devices_and_what_came_or_went() -> None:
    before = {
        "name": "a",
        "pv": [{"name": "roof", "peak_kw": 5}],
        "grid": {"import_limit_kw": None},
    }
    after = {
        "name": "a",
        "pv": [{"name": "roof", "peak_kw": 6}, {"name": "shed", "peak_kw": 1}],
        "grid": {"import_limit_kw": 9},
    }
    assert list_differences(before, after) == [
        SiteDifference("pv.roof.peak_kw", 5, 6),
        SiteDifference("pv.shed", None, {"name": "shed", "peak_kw": 1}),
        SiteDifference("grid.import_limit_kw", None, 9),
    ]


def test_the_port_at_which_other_programs_find_a_device_stays_while_the_device_stays() -> None:
    via = {
        "profile": "huawei_sun2000",
        "host": "192.168.1.9",
        "proxy": {"port": 1502, "writes": True},
    }
    site = parse_site(
        HOUSE | {"control": {"by": "profile", "batteries": [{"battery": "Akku", "via": via}]}}
    )
    assert "control" not in find_fixed(site)
    assert change_site(site, answers_of(site)) == site
    typed = answers_of(site)["control"]["profile"]["Akku"]
    at_another_number, elsewhere = (
        change_site(
            site,
            answers_of(site) | {"control": {"by": "profile", "profile": {"Akku": typed | other}}},
        )
        for other in ({"unit_number": "2"}, {"host_place": "192.168.1.10"})
    )
    assert site.control is not None
    assert at_another_number.control is not None
    assert elsewhere.control is not None
    stored = site.control.vias["Akku"]
    assert at_another_number.control.vias["Akku"] == stored.model_copy(update={"unit": 2})
    assert elsewhere.control.vias["Akku"] == stored.model_copy(
        update={"host": "192.168.1.10", "proxy": None}
    )


@pytest.mark.parametrize(
    ("latitude", "longitude", "said"),
    [
        (48.14, 11.58, ("48.14° north, 11.58° east", "48,14° Nord, 11,58° Ost")),
        (-33.92, 18.42, ("33.92° south, 18.42° east", "33,92° Süd, 18,42° Ost")),
        (33.45, -112.07, ("33.45° north, 112.07° west", "33,45° Nord, 112,07° West")),
    ],
)
def test_a_place_is_said_by_its_side_of_the_equator_and_of_greenwich(
    latitude: float, longitude: float, said: tuple[str, str]
) -> None:
    site = parse_site(HOUSE | {"location": {"latitude": latitude, "longitude": longitude}})
    for language, place in zip(("en", "de"), said, strict=True):
        numbers = Numbers(language, ZoneInfo("Europe/Berlin"), "EUR")
        parts = dict(view_site_parts(site, page_words("setup", language), numbers))
        assert place in [text for _, text in parts["site"]]


PARTS: dict[str, str] = {
    "import_kind": "parts",
    "energy_kind": "spot",
    "energy_market": "DE-LU",
    "energy_surcharge": "1,5",
    "energy_billed": "60",
    "fee_kind": "windows",
    "fee_default_price": "11.3",
    "fee-0-fee_from": "15:00",
    "fee-0-fee_to": "20:00",
    "fee-0-fee_window_price": "18,6",
    "fee-0-fee_days": "weekday",
    "fee-0-fee_months": "winter",
    "levies_kind": "fixed",
    "levies_price": "4.5",
    "parts_vat_percent": "19",
    "base_price": "12,5",
    "export_kind": "fixed",
    "export_price": "8,2",
    "export_below_zero": "on",
}
COMPONENTS: dict[str, Any] = {
    "import": {
        "kind": "components",
        "components": [
            {"kind": "spot", "name": "energy", "market": "DE-LU", "factor": 1.02},
            {"kind": "fixed", "name": "tax", "price": 20.5, "unit": "per_mwh", "vat": 0.19},
            {"kind": "fixed", "name": "fee", "price": 0.1, "valid_to": "2027-01-01"},
            {"kind": "fixed", "name": "fee", "price": 0.2, "valid_from": "2027-01-01"},
        ],
    },
    "export": {
        "kind": "components",
        "components": [
            {
                "kind": "plant_size",
                "name": "EEG",
                "plant_kw": 12,
                "steps": [{"up_to_kw": 10, "price": 0.08}, {"price": 0.07}],
            }
        ],
    },
    "base": [
        {"name": "base price", "price": 12, "vat": 0.19},
        {"name": "meter", "price": 0.05, "per": "day"},
    ],
}


@pytest.mark.parametrize(
    "rules",
    [
        COMPONENTS,
        COMPONENTS | {"export": {"kind": "fixed", "price": 0.08}},
        COMPONENTS | {"import": {"kind": "fixed", "price": 0.3}},
    ],
    ids=["all", "bought", "sold"],
)
def test_a_price_that_no_field_expresses_stays_whatever_else_changes(rules: Any) -> None:
    site = parse_site(HOUSE | {"tariff": rules})
    elsewhere = change_site(site, moved(site, "AT:Graz"))
    assert (elsewhere.country, elsewhere.tariff) == ("AT", site.tariff)
    more = change_site(site, changed(site, "batteries", 0, capacity_kwh="12"))
    assert told(site, more) == ["batteries.Akku.capacity_kwh"]


def test_only_the_side_that_is_answered_otherwise_changes() -> None:
    site = parse_site(HOUSE | {"tariff": COMPONENTS})
    sold = change_site(site, changed(site, "tariff", export_kind="fixed", export_price="7"))
    assert sold.tariff.export.model_dump() == {"kind": "fixed", "price": 0.07}
    assert (sold.tariff.import_, sold.tariff.base) == (site.tariff.import_, site.tariff.base)
    bought = change_site(site, changed(site, "tariff", import_kind="fixed", import_price="30"))
    assert (bought.tariff.export, bought.tariff.base) == (site.tariff.export, site.tariff.base)


def test_another_place_loses_no_market_price() -> None:
    site = parse_site(HOUSE | {"tariff": {"import": {"kind": "spot", "market": "DE-LU"}}})
    elsewhere = change_site(site, moved(site, "AT:Graz"))
    assert (elsewhere.country, elsewhere.tariff) == ("AT", site.tariff)


def test_the_parts_of_a_bill_come_back_as_they_were_typed() -> None:
    site = parse_site(HOUSE)
    parts = change_site(site, changed(site, "tariff", **PARTS))
    answered = answers_of(parts)["tariff"]
    typed = {name: text.replace(",", ".") for name, text in PARTS.items()}
    assert {name: answered[name] for name in typed} == typed
    dearer = change_site(parts, changed(parts, "tariff", levies_price="5"))
    assert told(parts, dearer) == ["tariff.import.components.taxes and levies.price"]
    assert change_site(parts, changed(parts, "grid", import_limit_kw="9")).tariff == parts.tariff


def test_parts_from_a_day_on_keep_what_holds_until_then() -> None:
    site = parse_site(HOUSE)
    parts = change_site(site, changed(site, "tariff", **PARTS, parts_from="2027-01-01"))
    rule = parts.tariff.import_
    held = [
        [part.name for part in rule.components if part.holds_on(day)]
        for day in (date(2026, 12, 31), date(2027, 1, 1))
    ]
    assert held == [["energy"], ["energy", "surcharge", "grid fee", "taxes and levies"]]
    # Once more, for a day before the last: nothing of the later price is left.
    again = change_site(parts, changed(parts, "tariff", **PARTS, parts_from="2026-07-01"))
    later = [part for part in again.tariff.import_.components if part.valid_from]
    assert {part.valid_from for part in later} == {date(2026, 7, 1)}
    # Its day comes back as well, and a later price of another day keeps both.
    answered = answers_of(parts)["tariff"]
    assert (answered["import_kind"], answered["parts_from"]) == ("parts", "2027-01-01")
    more = change_site(parts, changed(parts, "tariff", levies_price="6", parts_from="2028-01-01"))
    assert [part.name for part in more.tariff.import_.components].count("taxes and levies") == 2


def test_the_review_says_the_parts_of_a_changed_price_line_by_line() -> None:
    site = parse_site(HOUSE)
    before = answers_of(site)
    after = changed(site, "tariff", **PARTS)
    lines = view_changes(before, after, page_words("setup", "en"), "en")
    bought = next(line for line in lines if line.label == wording("setup", "buying", "en"))
    assert len(bought.before.splitlines()) == 2
    said = bought.after.replace("\u00a0", " ").splitlines()
    assert len(said) == 4
    assert said[2].startswith("grid fee: 18.6 ct from 15:00 to 20:00 (Mon–Fri, Oct–Mar), else 11.3")
