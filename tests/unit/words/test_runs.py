"""One sentence for several slots: true of each of them, or not said."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from luna.words import Numbers, Sentences
from luna.words.modes import join_figures
from tests.support.words.wording import plain, plain_wording

START = datetime(2024, 2, 1, 6, tzinfo=UTC)
SPOKEN = Sentences(Numbers("en", ZoneInfo("UTC"), "EUR"))


def say(code: str, *figures: dict[str, Any]) -> str:
    joined = join_figures(code, figures)
    assert joined is not None
    return plain(SPOKEN.say(code, joined))


def test_energies_are_added_up_and_prices_become_a_range() -> None:
    later = {"time": START + timedelta(hours=5), "start": START, "price": 0.27}
    bought = [
        {"kwh": 1.9, "buy": 0.146} | later,
        {"kwh": 5.0, "buy": 0.14} | later,
    ]
    figures = {"kwh": "6.9 kWh", "buy": "14–15 ct"}
    used = {"price": "27 ct", "time": "11:00"}
    said = plain_wording("trade_reasons", "reason_charge_from_grid_1", **figures, **used)
    assert say("charge_from_grid", *bought) == said


def test_what_is_kept_is_no_sum() -> None:
    kept = [{"kwh": 5.0, "buy": 0.2, "value": 0.3}, {"kwh": 5.0, "buy": 0.22, "value": 0.31}]
    said = say("hold_for_peak", *kept)
    figures = ("5.0 kWh", "30–31 ct", "20–22 ct")
    assert [figure for figure in figures if figure not in said] == []


def test_a_range_below_nothing_is_said_with_words() -> None:
    said = say("sell_solar", {"sell": -0.04, "keep": -0.1}, {"sell": 0.02, "keep": -0.1})
    assert [figure for figure in ("−4 to 2 ct", "−10 ct") if figure not in said] == []


def test_a_range_is_told_apart_from_what_it_is_set_against() -> None:
    said = say("serve_house", {"buy": 0.25, "value": 0.2474}, {"buy": 0.3, "value": 0.24})
    assert [figure for figure in ("25.0–30.0 ct", "24.0–24.7 ct") if figure not in said] == []


@pytest.mark.parametrize(
    ("code", "other"),
    [
        pytest.param("serve_house", {"buy": 0.2, "value": 0.19}, id="ranges that overlap"),
        pytest.param("serve_house", {"buy": 0.3}, id="other figures"),
    ],
)
def test_what_is_not_true_of_all_slots_is_not_said_of_them(
    code: str, other: dict[str, Any]
) -> None:
    assert join_figures(code, [{"buy": 0.3, "value": 0.25}, other]) is None


def test_another_time_is_another_sentence() -> None:
    first, second = (
        {"sell": 0.08, "price": 0.3, "time": START + timedelta(hours=hours), "start": START}
        for hours in (3, 4)
    )
    assert join_figures("store_solar", [first, second]) is None
