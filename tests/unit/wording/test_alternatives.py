"""What alternatives and variants come to, in both languages."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from luna.wording import Language, Numbers
from luna.wording.alternatives import ALTERNATIVES, Bounds, say_alternative, say_baseline, say_savings, say_variant

START = datetime(2026, 5, 21, 10, 30, tzinfo=UTC)


def speak(language: Language = "en") -> Numbers:
    return Numbers(language, ZoneInfo("Europe/Berlin"), "EUR")


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("mode", ALTERNATIVES)
def test_every_mode_has_words(mode: str, language: Language) -> None:
    said = say_alternative(mode, device="battery", start=START, cost=0.1, others=[START, START], numbers=speak(language))
    assert said.endswith(".")
    assert "12:30" in said
    assert "{" not in said


@pytest.mark.parametrize(
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


def test_less_than_a_year_says_what_it_goes_by() -> None:
    said = say_savings("X", (120.0, None, None), payback=None, days=30, numbers=speak("de"))
    assert said == "X spart 120,00\u00a0€ im Jahr, nach 30 Tagen zu urteilen."


def test_the_baseline_and_a_plan_s_variant_are_said() -> None:
    assert say_baseline(60.2, days=364, numbers=speak()) == "364 days with the site as it is: a bill of €60.20."
    assert say_variant("none", cost=-0.5, slots=3, numbers=speak("de")) == "none würde 0,50\u00a0€ weniger kosten; 3 Zeitabschnitte ändern sich."
