"""What alternatives and variants come to, in both languages."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from luna.words import Language, Numbers, say_mode
from luna.words.alternatives import ALTERNATIVES, Bounds, say_account, say_alternative, say_baseline, say_days, say_savings, say_variant
from tests.support.suite.tables import each_row

START = datetime(2026, 5, 21, 10, 30, tzinfo=UTC)


def speak(language: Language = "en") -> Numbers:
    return Numbers(language, ZoneInfo("Europe/Berlin"), "EUR")


@each_row("language", ["en", "de"])
@each_row("mode", ALTERNATIVES)
def test_every_mode_has_words(mode: str, language: Language) -> None:
    said = say_alternative(mode, device="battery", start=START, cost=0.1, others=[START, START], numbers=speak(language))
    assert said.endswith(".")
    assert "12:30" in said
    assert "{" not in said


@each_row(
    ("savings", "payback", "said"),
    [
        pytest.param((120.0, 100.0, 140.0), None, "X saves €120.00 a year (95 %: €100.00 to €140.00).", id="saves"),
        pytest.param((-120.0, -140.0, -100.0), None, "X costs €120.00 a year more (95 %: €100.00 to €140.00).", id="costs"),
        pytest.param((50.0, None, None), (20.0, None, None), "X saves €50.00 a year; it is paid back in 20.0 years.", id="no interval"),
        pytest.param(
            (50.0, 40.0, 60.0),
            (20.0, 16.7, 25.0),
            "X saves €50.00 a year (95 %: €40.00 to €60.00); it is paid back in 20.0 years (16.7 to 25.0).",
            id="paid back",
        ),
        pytest.param(
            (5.0, -5.0, 15.0),
            (20.0, 6.7, None),
            "X saves €5.00 a year (95 %: −€5.00 to €15.00); it is paid back in 20.0 years (6.7 at the earliest).",
            id="perhaps never",
        ),
        pytest.param((-5.0, -9.0, -1.0), (None, None, None), "X costs €5.00 a year more (95 %: €1.00 to €9.00); it never pays back.", id="never"),
    ],
)
def test_savings_and_payback_are_said_with_their_intervals(savings: Bounds, payback: Bounds | None, said: str) -> None:
    assert say_savings("X", savings, payback=payback, days=365, numbers=speak()) == said


def test_what_outlasts_every_battery_is_not_paid_back() -> None:
    said = say_savings("X", (10.37, 1.0, 20.0), payback=(241.1, 125.0, 2500.0), days=365, numbers=speak())
    assert said == "X saves €10.37 a year (95 %: €1.00 to €20.00); it is not paid back within 50 years."


@each_row(
    ("saved", "least", "said"),
    [
        pytest.param(0.4, None, "X saves €0.40 in 14 days.", id="less"),
        pytest.param(-0.4, None, "X costs €0.40 more in 14 days.", id="more"),
        pytest.param(0.004, None, "X comes to the same in 14 days.", id="the same"),
        pytest.param(
            0.4, 28, "X saves €0.40 in 14 days. What a year saves, and when an investment is back, takes at least 28 days to tell.", id="asked for years"
        ),
    ],
)
def test_few_days_speak_of_themselves_alone(saved: float, least: int | None, said: str) -> None:
    assert say_days("X", saved, days=14, least=least, numbers=speak()) == said


@pytest.mark.parametrize(
    ("bill", "stored", "said"),
    [
        pytest.param(0.52, 0.92, "The bill is €0.52 higher; the charge left at the end is worth €0.92 more.", id="charge makes up for it"),
        pytest.param(-0.52, -0.92, "The bill is €0.52 lower; the charge left at the end is worth €0.92 less.", id="paid with charge"),
        pytest.param(0.0, 0.004, "The bill is the same.", id="nothing"),
    ],
)
def test_bill_and_end_charge_are_told_apart(bill: float, stored: float, said: str) -> None:
    assert say_account(bill, stored, numbers=speak()) == said


@each_row("language", ["en", "de"])
@each_row("action", [*ALTERNATIVES, "none"])
def test_every_action_of_a_table_has_words(action: str, language: Language) -> None:
    assert say_mode(action, language=language) != action


def test_less_than_a_year_says_what_it_goes_by() -> None:
    said = say_savings("X", (120.0, None, None), payback=None, days=30, numbers=speak("de"))
    assert said == "X spart 120,00\u00a0€ im Jahr, nach 30 Tagen zu urteilen."


def test_the_baseline_and_a_plan_s_variant_are_said() -> None:
    assert say_baseline(60.2, 0.004, days=364, numbers=speak()) == "364 days with the site as it is: a bill of €60.20."
    gained = "364 days with the site as it is: a bill of €60.20; at the end the batteries hold €0.50 less than at the beginning."
    assert say_baseline(60.2, -0.5, days=364, numbers=speak()) == gained
    assert say_variant("none", cost=-0.5, slots=3, numbers=speak("de")) == "none würde 0,50\u00a0€ weniger kosten; 3 Zeitabschnitte ändern sich."
