"""What alternatives and variants come to, in both languages."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from luna.words import Language, Numbers, say_mode
from luna.words.alternatives import (
    ALTERNATIVES,
    Bounds,
    say_account,
    say_alternative,
    say_baseline,
    say_days,
    say_savings,
    say_variant,
)
from tests.support.suite.tables import each_row
from tests.support.words.wording import plain, plain_wording

START = datetime(2026, 5, 21, 10, 30, tzinfo=UTC)


def speak(language: Language = "en") -> Numbers:
    return Numbers(language, ZoneInfo("Europe/Berlin"), "EUR")


@each_row("language", ["en", "de"])
@each_row("mode", ALTERNATIVES)
def test_every_mode_has_words(mode: str, language: Language) -> None:
    said = say_alternative(
        mode,
        device="battery",
        start=START,
        cost=0.1,
        others=[START, START],
        numbers=speak(language),
    )
    assert said.endswith(".")
    assert "12:30" in said
    assert "{" not in said


def fill(name: str, language: Language = "en", /, **figures: object) -> str:
    return plain_wording("alternatives", name, language, **figures)


def saves(value: str, *, basis: str = "") -> str:
    return fill("saves", name="X", value=value, basis=basis)


def costs(value: str) -> str:
    return fill("costs", name="X", value=value, basis="")


INTERVAL = fill("interval", low="€100.00", high="€140.00")
AFTER_20_YEARS = fill("payback_after", value="20.0")


@each_row(
    ("savings", "payback", "parts"),
    [
        pytest.param((120.0, 100.0, 140.0), None, (saves("€120.00"), INTERVAL), id="saves"),
        pytest.param((-120.0, -140.0, -100.0), None, (costs("€120.00"), INTERVAL), id="costs"),
        pytest.param(
            (50.0, None, None),
            (20.0, None, None),
            (saves("€50.00"), AFTER_20_YEARS),
            id="no interval",
        ),
        pytest.param(
            (50.0, 40.0, 60.0),
            (20.0, 16.7, 25.0),
            (
                saves("€50.00"),
                fill("interval", low="€40.00", high="€60.00"),
                AFTER_20_YEARS,
                fill("payback_interval", low="16.7", high="25.0"),
            ),
            id="paid back",
        ),
        pytest.param(
            (5.0, -5.0, 15.0),
            (20.0, 6.7, None),
            (
                saves("€5.00"),
                fill("interval", low="−€5.00", high="€15.00"),
                AFTER_20_YEARS,
                fill("payback_earliest", low="6.7"),
            ),
            id="perhaps never",
        ),
        pytest.param(
            (-5.0, -9.0, -1.0),
            (None, None, None),
            (
                costs("€5.00"),
                fill("interval", low="€1.00", high="€9.00"),
                fill("payback_never"),
            ),
            id="never",
        ),
        pytest.param(
            (10.37, 1.0, 20.0),
            (241.1, 125.0, 2500.0),
            (
                saves("€10.37"),
                fill("interval", low="€1.00", high="€20.00"),
                fill("payback_beyond", value="50"),
            ),
            id="outlasts every battery",
        ),
    ],
)
def test_savings_and_payback_are_said_with_their_intervals(
    savings: Bounds,
    payback: Bounds | None,
    parts: tuple[str, ...],
) -> None:
    said = say_savings("X", savings, payback=payback, days=365, numbers=speak())
    assert said == f"{''.join(parts)}."


@each_row(
    ("saved", "least", "said"),
    [
        pytest.param(0.4, None, fill("days_less", name="X", money="€0.40", days="14"), id="less"),
        pytest.param(
            -0.4,
            None,
            fill("days_more", name="X", money="€0.40", days="14"),
            id="more",
        ),
        pytest.param(0.004, None, fill("days_same", name="X", days="14"), id="the same"),
        pytest.param(
            0.4,
            28,
            fill("days_less", name="X", money="€0.40", days="14") + fill("days_few", least="28"),
            id="asked for years",
        ),
    ],
)
def test_few_days_speak_of_themselves_alone(saved: float, least: int | None, said: str) -> None:
    assert say_days("X", saved, days=14, least=least, numbers=speak()) == said


@pytest.mark.parametrize(
    ("bill", "stored", "parts"),
    [
        pytest.param(
            0.52,
            0.92,
            (fill("bill_more", money="€0.52"), fill("end_more", money="€0.92")),
            id="charge makes up for it",
        ),
        pytest.param(
            -0.52,
            -0.92,
            (fill("bill_less", money="€0.52"), fill("end_less", money="€0.92")),
            id="paid with charge",
        ),
        pytest.param(0.0, 0.004, (fill("bill_same"),), id="nothing"),
    ],
)
def test_bill_and_end_charge_are_told_apart(
    bill: float,
    stored: float,
    parts: tuple[str, ...],
) -> None:
    assert say_account(bill, stored, numbers=speak()) == f"{'; '.join(parts)}."


@each_row("language", ["en", "de"])
@each_row("action", [*ALTERNATIVES, "none"])
def test_every_action_of_a_table_has_words(action: str, language: Language) -> None:
    assert say_mode(action, language=language) != action


def test_less_than_a_year_says_what_it_goes_by() -> None:
    said = say_savings("X", (120.0, None, None), payback=None, days=30, numbers=speak("de"))
    basis = fill("basis", "de", days="30")
    assert plain(said) == fill("saves", "de", name="X", value="120,00 €", basis=basis) + "."


def test_the_baseline_says_what_was_stored_or_taken() -> None:
    baseline = fill("baseline", days="364", bill="€60.20")
    assert say_baseline(60.2, 0.004, days=364, numbers=speak()) == f"{baseline}."
    taken = fill("gain_less", money="€0.50")
    assert say_baseline(60.2, -0.5, days=364, numbers=speak()) == f"{baseline}{taken}."


def test_a_plan_s_variant_says_what_it_costs_and_how_many_slots_change() -> None:
    said = say_variant("none", cost=-0.5, slots=3, numbers=speak("de"))
    money = fill("cost_less", "de", money="0,50 €")
    assert plain(said) == fill("variant", "de", name="none", money=money, count=3, shown="3")
