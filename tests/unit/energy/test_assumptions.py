"""What is assumed of a site is listed until it is told, in words of both languages, and no figure stands there that was not measured."""

from typing import Any

import pytest

from luna.energy.site import parse_site
from luna.energy.site.assumptions import WORTH, list_assumptions
from luna.words import Language
from luna.words.pages import page_words
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
    "batteries": [{"capacity_kwh": 10, "charge_limit_kw": 5, "discharge_limit_kw": 5, "charge_efficiency": 0.97, "discharge_efficiency": 0.97}],
    "pv": [{"peak_kw": 6, "tilt_deg": 35, "azimuth_deg": 200, "shading": "none"}],
    "vehicles": [{"capacity_kwh": 60, "charger": {"phases": [3]}, "km_per_year": 12_000}],
}


def codes(document: dict[str, Any], **household: object) -> set[str]:
    return {each.code for each in list_assumptions(parse_site(document | ({"household": household} if household else {})))}


def test_all_that_nobody_told_is_listed_and_nothing_else() -> None:
    assert codes(BARE) == {"yearly_kwh", "heated_by", "location", "efficiency", "facing", "shading", "phases", "km_per_year"}
    assert codes(TOLD) == set()
    assert codes(TOLD, persons=3, heated_by="heat_pump") == {"yearly_kwh_by_persons", "heating_kwh"}
    pump = {"power_kw": 3, "store": {"capacity_kwh_per_k": 2, "min_c": 20, "max_c": 22}}
    assert codes(TOLD | {"heat_pumps": [pump]}, yearly_kwh=4200) == set()


def test_a_place_is_worth_what_was_measured_where_the_sun_gives_something() -> None:
    worth = [{each.code: each.worth for each in list_assumptions(parse_site(site))}["location"] for site in (BARE, BARE | {"pv": []})]
    assert worth == [WORTH["location"], None]


@pytest.mark.parametrize("language", ["en", "de"])
def test_each_is_a_sentence_and_what_is_worth_most_comes_first(language: Language) -> None:
    for document in (BARE, TOLD | {"household": {"persons": 3, "heated_by": "electric"}}):
        site = parse_site(document)
        lines = view_assumptions(site, page_words("setup", language), numbers_of_site(site, language))
        assert [each.text for each in lines if "{" in each.text or each.text[-1] != "."] == []
        measured = [bool(each.worth) for each in lines]
        assert measured == sorted(measured, reverse=True)
    assert set(WORTH.values()) == {worth for worth in WORTH.values() if 0.005 <= worth < 0.5}
