"""Reasons: the wording that is chosen, and its figures as people of each language write them."""

from datetime import UTC, datetime
from string import Formatter
from zoneinfo import ZoneInfo

import pytest

from luna.energy.errors import InvalidInputError
from luna.words import (
    FIGURES,
    LIMITS,
    MODES,
    SHORT_LENGTH,
    Language,
    limit,
    list_reason_codes,
    mode,
    sentence,
)
from luna.words.reason_sentences import Figure
from luna.words.reason_wordings import COMPARED, find_wordings
from tests.support.suite.tables import each_row
from tests.support.words.wording import plain

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
# 10:30 UTC is 12:30 in Amsterdam in May.
FIGURES_GIVEN: dict[str, Figure] = {
    "kwh": 6.2,
    "buy": 0.40,
    "sell": 0.27,
    "price": 0.31,
    "value": 0.24,
    "fee": 0.03,
    "paid": 0.04,
    "keep": 0.22,
    "counted": 0.45,
    "dearest": 0.48,
    "reserve": 0.2,
    "target": 0.5,
    "soc": 0.098,
    "least": 0.1,
    "most": 0.95,
    "held": 0.5,
    "takes": 6.2,
    "gives": 0.5,
    "count": 8,
    "total": 40,
    "kw": 1.2,
    "cost": 6.0,
    "hours": 8.0,
    "time": datetime(2026, 5, 21, 10, 30, tzinfo=UTC),
    "start": datetime(2026, 5, 20, 17, 30, tzinfo=UTC),
}


def say(code: str, language: Language = "en", *, short: bool = False, **changes: Figure) -> str:
    return sentence(
        code,
        FIGURES_GIVEN | changes,
        language=language,
        zone=AMSTERDAM,
        currency="EUR",
        short=short,
    )


# The same figures as they are to be written: in English, in German where that is other.
WRITTEN = {
    "kwh": ("6.2 kWh", "6,2 kWh"),
    "buy": ("40 ct",),
    "sell": ("27 ct",),
    "price": ("31 ct",),
    "value": ("24 ct",),
    "fee": ("3 ct",),
    "paid": ("4 ct",),
    "keep": ("22 ct",),
    "counted": ("45 ct",),
    "dearest": ("48 ct",),
    "reserve": ("20%", "20 %"),
    "target": ("50%", "50 %"),
    # With the decimals that set them apart.
    "soc": ("9.8%", "9,8 %"),
    "least": ("10.0%", "10,0 %"),
    "most": ("95.0%", "95,0 %"),
    "held": ("0.5 kWh", "0,5 kWh"),
    "takes": ("6.2 kWh", "6,2 kWh"),
    "gives": ("0.5 kWh", "0,5 kWh"),
    "count": ("8",),
    "total": ("40",),
    "kw": ("1.2 kW", "1,2 kW"),
    "cost": ("€6.00", "6,00 €"),
    "hours": ("8 h",),
    "time": ("Thu 12:30", "Do. 12:30"),
    "at_time": ("on Thu at 12:30", "am Do. um 12:30"),
}
TEXTS = {
    "en": {name: texts[0] for name, texts in WRITTEN.items()},
    "de": {name: texts[-1] for name, texts in WRITTEN.items()},
}


@each_row("language", ["en", "de"])
@each_row("code", list_reason_codes())
def test_says_the_fullest_wording_with_its_figures_as_they_are_written(
    code: str,
    language: Language,
) -> None:
    wordings = [wording.text for wording in find_wordings(code, language)]
    assert plain(say(code, language)) == plain(wordings[0]).format_map(TEXTS[language])
    assert say(code, language).endswith(".")


@each_row("language", ["en", "de"])
@each_row("code", list_reason_codes())
def test_says_the_fullest_short_wording_that_fits_a_small_screen(
    code: str,
    language: Language,
) -> None:
    wordings = [wording.text for wording in find_wordings(code, language, short=True)]
    texts = [plain(wording).format_map(TEXTS[language]) for wording in wordings]
    fullest = next(text for text in texts if len(text) <= SHORT_LENGTH)
    assert plain(say(code, language, short=True)) == fullest


@each_row("short", [False, True])
@each_row("code", list_reason_codes())
def test_wordings_ask_only_for_known_figures_and_the_same_in_both_languages(
    code: str, short: bool
) -> None:
    english, german = (
        [read_names(wording.text) for wording in find_wordings(code, language, short=short)]
        for language in ("en", "de")
    )
    assert english == german
    assert set().union(*english) <= {*FIGURES, "at_time"}


def read_names(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@each_row("language", ["en", "de"])
@each_row("code", list_reason_codes())
def test_no_figure_makes_a_short_form_longer_than_a_small_screen(
    code: str, language: Language
) -> None:
    # An hour that the clock shows twice, on another day, names its zone; energies, prices and money
    # are as long as they get.
    long = {
        name: {
            "energy": 12345.6,
            "price": -1.2345,
            "money": 12345.6,
            "power": 12345.6,
            "share": 0.1234,
        }.get(kind, 1234.5)
        for name, kind in FIGURES.items()
    }
    when = {
        "time": datetime(2026, 10, 25, 1, 45, tzinfo=UTC),
        "start": datetime(2026, 10, 1, tzinfo=UTC),
    }
    texts = [
        say(code, language, short=True, **long | when),
        find_wordings(code, language, short=True)[-1].text,
    ]
    assert all(0 < len(text) <= SHORT_LENGTH for text in texts)
    assert not any(text.endswith(".") for text in texts)
    assert read_names(texts[-1]) == set()


@each_row("code", list_reason_codes())
def test_what_a_sentence_sets_against_each_other_stands_in_it(code: str) -> None:
    said = [read_names(wording.text) for wording in find_wordings(code, "en")]
    assert all(any({low, high} <= names for names in said) for low, high in COMPARED.get(code, ()))


def test_a_short_form_says_what_the_sentence_says() -> None:
    # Figures of a reserve: charged for, saved for, or kept.
    missing: list[dict[str, Figure]] = [{}, {"kwh": None}, {"kwh": None, "time": None}]
    full = [plain(say("reserve", **figures)) for figures in missing]
    short = [plain(say("reserve", short=True, **figures)) for figures in missing]
    assert [text.split()[0] for text in full] == [text.split()[0] for text in short]
    assert len(set(short)) == len(missing)


def test_numbers_never_part_from_their_units() -> None:
    assert "6.2\u00a0kWh" in say("sell_stored")
    assert "27\u00a0ct" in say("sell_stored")


def test_a_time_of_the_same_day_needs_no_weekday() -> None:
    said = say("hold_for_peak", start=datetime(2026, 5, 21, 4, tzinfo=UTC))
    assert "12:30" in said
    assert "Thu" not in said


def test_a_time_may_come_as_text() -> None:
    assert say("hold_for_peak", time="2026-05-21T10:30:00Z") == say("hold_for_peak")


def test_says_the_shorter_wording_where_figures_are_missing() -> None:
    fullest, *others = (wording.text for wording in find_wordings("sell_stored", "en"))
    left = set(TEXTS["en"]) - {"value"}
    shorter = next(wording for wording in others if read_names(wording) <= left)
    assert "value" in read_names(fullest)
    said = plain(say("sell_stored", value=None))
    assert said == plain(shorter).format_map(TEXTS["en"])


def test_prices_that_would_read_the_same_get_a_decimal() -> None:
    spoken = plain(say("serve_house", buy=0.274, value=0.266))
    assert "27.4 ct" in spoken
    assert "26.6 ct" in spoken


@each_row(
    ("code", "figures", "complaint"),
    [
        ("sell_low", {}, r"reason\.code: has no words \(got 'sell_low'\)"),
        (
            "serve_house",
            {"buy": 0.3, "worth": 0.2},
            r"reason\.figures: has no words \(got 'worth'\)",
        ),
        ("sell_stored", {"kwh": 1.0, "value": 0.2}, r"reason\.figures: sell_stored needs sell"),
        ("serve_house", {"buy": 0.3, "value": "much"}, r"reason\.figures\.value: is no number"),
        (
            "hold_for_peak",
            {"kwh": 1, "price": 0.3, "time": 12},
            r"reason\.figures\.time: is no time",
        ),
        ("hold_for_peak", {"kwh": 1, "price": 0.3, "time": "2026-05-21T10:30"}, "no offset"),
    ],
    ids=["code", "figure", "missing", "not a number", "not a time", "no offset"],
)
def test_names_what_is_wrong_with_a_reason(
    code: str, figures: dict[str, Figure], complaint: str
) -> None:
    with pytest.raises(InvalidInputError, match=complaint):
        sentence(code, figures, language="en", zone=AMSTERDAM, currency="EUR")


@each_row("name", MODES)
def test_every_mode_has_words(name: str) -> None:
    assert all(
        len(mode(name, language=language).short) <= len(mode(name, language=language).full)
        for language in ("en", "de")
    )


@each_row("code", LIMITS)
def test_every_limit_has_words(code: str) -> None:
    assert limit(code, language="en") != limit(code, language="de")


def test_refuses_a_limit_without_words() -> None:
    with pytest.raises(InvalidInputError, match="moon_phase"):
        limit("moon_phase", language="en")
