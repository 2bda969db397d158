"""Numbers as people of a language write them."""

import math
import re
from datetime import UTC, date, datetime
from importlib.resources import files
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from luna.energy.errors import InvalidInputError
from luna.words import Numbers
from luna.words.catalogue import CATALOGUE
from luna.words.language import language_forms
from luna.words.numbers import join_unit, join_words, round_to_total, say_date
from tests.support.suite.tables import each_row

BERLIN = ZoneInfo("Europe/Berlin")
EN = Numbers("en", BERLIN, "EUR")
DE = Numbers("de", BERLIN, "EUR")
finite = st.floats(-1e6, 1e6)


def plain(text: str) -> str:
    return text.replace("\u00a0", " ")


@each_row(
    ("english", "german", "expected"),
    [
        (EN.money(2.6), DE.money(2.6), ("€2.60", "2,60 €")),
        (EN.money(-0.4), DE.money(-0.4), ("−€0.40", "−0,40 €")),
        (EN.money(1.65, signed=True), DE.money(1.65, signed=True), ("+€1.65", "+1,65 €")),
        (EN.money(1234.5), DE.money(1234.5), ("€1,234.50", "1.234,50 €")),
        (EN.price(0.27), DE.price(0.27), ("27 ct", "27 ct")),
        (EN.price_per_kwh(0.265), DE.price_per_kwh(0.265), ("26.5 ct/kWh", "26,5 ct/kWh")),
        (EN.energy(6.2), DE.energy(6.2), ("6.2 kWh", "6,2 kWh")),
        (EN.power(-5), DE.power(-5), ("−5.0 kW", "−5,0 kW")),
        (EN.share(0.72), DE.share(0.72), ("72%", "72 %")),
        (EN.number(-0.004, 2), DE.number(-0.004, 2), ("0.00", "0,00")),
        (EN.money(None), DE.energy(float("nan")), ("–", "–")),
    ],
    ids=[
        "money",
        "negative",
        "gain",
        "thousands",
        "price",
        "table price",
        "energy",
        "power",
        "share",
        "no minus zero",
        "unknown",
    ],
)
def test_follows_the_language(english: str, german: str, expected: tuple[str, str]) -> None:
    assert (plain(english), plain(german)) == expected


@each_row(
    ("currency", "money", "in_german", "price"),
    [
        ("USD", "$4.20", "4,20 $", "27 ¢"),
        ("CAD", "$4.20", "4,20 $", "27 ¢"),
        ("AUD", "$4.20", "4,20 $", "27 c"),
        ("NZD", "$4.20", "4,20 $", "27 c"),
        ("ZAR", "R4.20", "4,20 R", "27 c"),
        ("GBP", "£4.20", "4,20 £", "27 p"),
    ],
)
def test_money_is_written_as_at_home(currency: str, money: str, in_german: str, price: str) -> None:
    english, german = (Numbers(language, BERLIN, currency) for language in ("en", "de"))
    assert (plain(english.money(4.2)), plain(german.money(4.2))) == (money, in_german)
    assert plain(english.price(0.27)) == price


@each_row(
    ("zone", "temperature", "difference"),
    [
        ("Europe/Berlin", "3.2 °C", "3.2 °C"),
        ("America/Toronto", "3.2 °C", "3.2 °C"),
        ("UTC", "3.2 °C", "3.2 °C"),
        # 3.2 · 1.8 = 5.76, and 32 more from the freezing point on.
        ("America/Phoenix", "37.8 °F", "5.8 °F"),
        ("Pacific/Honolulu", "37.8 °F", "5.8 °F"),
    ],
)
def test_americans_read_degrees_fahrenheit(zone: str, temperature: str, difference: str) -> None:
    numbers = Numbers("en", ZoneInfo(zone), "USD")
    assert plain(numbers.temperature(3.2)) == temperature
    assert plain(numbers.temperature_difference(3.2)) == difference
    assert numbers.temperature_difference(None) == "–"


@each_row(
    ("currency", "expected"),
    [
        ("CHF", ("CHF 2.60", "27 Rp.")),
        ("GBP", ("£2.60", "27 p")),
        ("JPY", ("JPY 3", "0 JPY")),
        ("XYZ", ("XYZ 2.60", "0.27 XYZ")),
    ],
)
def test_follows_the_currency(currency: str, expected: tuple[str, str]) -> None:
    numbers = Numbers("en", BERLIN, currency)
    assert (plain(numbers.money(2.6)), plain(numbers.price(0.27))) == expected


def test_names_days_and_times_of_the_site() -> None:
    instant = datetime(2026, 5, 21, 17, 15, tzinfo=UTC)
    assert (EN.clock(instant), plain(EN.day(instant)), plain(DE.day(instant))) == (
        "19:15",
        "Thu 21 May",
        "Do., 21. Mai",
    )
    assert (plain(EN.day_with_year(instant)), plain(DE.day_with_year(instant))) == (
        "21 May 2026",
        "21. Mai 2026",
    )


def test_a_day_in_digits_and_a_list_follow_the_language() -> None:
    day = date(2024, 2, 1)
    assert (say_date(day, "en"), say_date(day, "de")) == ("2024-02-01", "1.2.2024")
    assert [join_words(words, "de") for words in (["a"], ["a", "b"], ["a", "b", "c"])] == [
        "a",
        "a und b",
        "a und b und c",
    ]


def test_the_hour_that_the_clock_shows_twice_carries_its_zone() -> None:
    hours = [datetime(2023, 10, 29, hour, tzinfo=UTC) for hour in (0, 1, 2)]
    assert [plain(EN.clock(hour)) for hour in hours] == ["02:00 CEST", "02:00 CET", "03:00"]


def test_refuses_a_language_it_does_not_speak() -> None:
    with pytest.raises(InvalidInputError, match="Use en, de or nl"):
        Numbers("fr", BERLIN, "EUR")


def test_half_a_digit_is_rounded_up_as_in_the_charts() -> None:
    assert [EN.number(value) for value in (0.5, 1.5, 32.5, -2.5)] == ["1", "2", "33", "−3"]
    assert EN.price(0.325) == "33\N{NO-BREAK SPACE}ct"
    # 2.675 is a little less than it reads, for charts as well.
    assert EN.number(2.675, 2) == "2.67"


@given(finite, st.sampled_from([EN, DE]))
def test_uses_the_true_minus_and_never_minus_zero(value: float, numbers: Numbers) -> None:
    texts = [
        numbers.money(value),
        numbers.price(value),
        numbers.energy(value),
        numbers.share(value),
    ]
    assert not any("-" in text or " " in text for text in texts)
    assert not any(
        text.startswith("−") and not any(digit in text for digit in "123456789") for text in texts
    )


@pytest.mark.parametrize("language", CATALOGUE.languages)
def test_the_catalogue_writes_percent_as_numbers_do(language: str) -> None:
    gap = language_forms(language).share.format(number="").removesuffix("%")
    folder = Path(str(files("luna.words.catalogue"))) / language
    wrong = []
    for path in folder.glob("*.ftl"):
        text = path.read_text(encoding="utf-8").replace('{ "\\u00A0" }', "\u00a0")
        found = re.findall(r"[\d}]([ \u00a0\u202f]*)%", text)
        wrong += [path.stem for each in found if each != gap]
    assert wrong == []


def test_a_unit_is_joined_as_the_language_does() -> None:
    joined = [join_unit("7", "%", language) for language in ("en", "de", "nl")]
    assert joined == ["7%", "7\u00a0%", "7%"]
    assert [join_unit("7", unit, "en") for unit in ("kWh", "°", "")] == ["7\u00a0kWh", "7°", "7"]


@given(
    values=st.lists(st.floats(-500, 500), min_size=1, max_size=20),
    currency=st.sampled_from(["EUR", "JPY"]),
)
def test_shown_amounts_add_up_to_their_shown_total(values: list[float], currency: str) -> None:
    numbers = Numbers("en", ZoneInfo("Europe/Berlin"), currency)
    total = math.fsum(values)
    decimals = numbers.money_decimals
    rounded = round_to_total(values, total, decimals=decimals)
    assert round(math.fsum(rounded), decimals) == pytest.approx(round(total, decimals))
    for value, shown in zip(values, rounded, strict=True):
        assert abs(value - shown) < 10.0**-decimals + 1e-9
    assert numbers.amounts(values, total) == [numbers.money(value) for value in rounded]
