"""What a site is called, and the id that follows from it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from luna.energy.errors import InvalidInputError
from luna.energy.part import MOST_CALLED
from luna.energy.site import parse_site
from luna.platform.site_name import free_identifier, identifier_of
from tests.support.suite.tables import each_row

SITE = {"name": "home", "timezone": "Europe/Berlin"}


@each_row(
    ("called", "expected"),
    [
        ("Home", "home"),
        ("Müller", "mueller"),
        ("Straße 5, Hinterhaus", "strasse_5_hinterhaus"),
        ("São João", "sao_joao"),
        ("Bjørn", "bjorn"),
        ("家", "jia"),
        ("Дом", "dom"),
        ("🏡", "house_with_garden"),
        ("!?", "home"),
    ],
)
def test_an_id_is_read_from_a_name_in_any_script(called: str, expected: str) -> None:
    assert identifier_of(called) == expected


@given(st.text(max_size=MOST_CALLED), st.sets(st.sampled_from(["home", "Home_2", "home_3"])))
def test_every_name_has_an_id_that_is_free_and_that_a_site_can_have(
    called: str, taken: set[str]
) -> None:
    found = free_identifier(identifier_of(called), taken)
    assert found not in {name.casefold() for name in taken}
    assert parse_site(SITE | {"name": found}).name == found


def test_a_site_is_called_as_its_owner_writes_it() -> None:
    assert (
        parse_site(SITE | {"display_name": "  Familie  Mu\u0308ller "}).called == "Familie Müller"
    )
    assert parse_site(SITE).called == "home"


@each_row("called", ["", "   ", "a\x00b", "a\u202eb", "x" * (MOST_CALLED + 1)])
def test_a_name_that_cannot_be_shown_is_refused(called: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        parse_site(SITE | {"display_name": called})
    assert refused.value.field == "site.display_name"


def test_devices_differ_in_more_than_capital_letters_and_take_every_script() -> None:
    assert parse_site(SITE | {"pv": [{"name": "Süddach", "peak_kw": 5}]}).pv[0].name == "Süddach"
    with pytest.raises(InvalidInputError, match="used twice"):
        parse_site(SITE | {"pv": [{"name": "Roof", "peak_kw": 5}, {"name": "roof", "peak_kw": 5}]})
