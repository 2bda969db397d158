"""What the figures of the camera lab say: in both languages, with the way of a difference in words,
and hedged where nothing can be told.
"""

from typing import Any

from luna.energy.timeline import parse_zone
from luna.words import Numbers
from luna.words.catalogue import CATALOGUE
from luna.words.edge import say_controller, say_insight, say_locations, say_span
from luna.words.language import Language
from tests.support.suite.tables import each_row
from tests.support.words.wording import plain, plain_wording

COMPARED = {
    "controller": "custom",
    "other": "rule",
    "metric": "dirty_wh_per_day",
    "pairs": 96,
    "weeks": 32,
    "p_value": 0.0123,
    "level": 0.95,
}
SPAN = {"value": -0.5, "low": -0.6, "high": -0.4}
INSIGHTS: dict[str, dict[str, Any]] = {
    "nothing": {"damaged": 3},
    "stand_in": {"locations": ["CA", "NY"], "all": False},
    "few_weeks": {"weeks": 2, "needed": 6},
    "runs_missing": {"cameras": 96, "controllers": ["custom"], "most": 4},
    "runs_failed": {"runs": 3},
    "oracle_share": {
        "controller": "custom",
        "equal": 90,
        "pairs": 96,
        "weeks": 30,
        "value": 0.961,
        "low": 0.94,
        "high": 0.98,
    },
    "oracle_share_unknown": {
        "controller": "custom",
        "equal": 0,
        "pairs": 96,
        "weeks": 0,
        "value": None,
        "low": None,
        "high": None,
    },
    "compared": COMPARED | SPAN | {"way": "lower"},
    "best": {"controller": "custom", "objective": 9.87, "misses": 0.0031, "clean_share": 0.468},
    "farthest": {"controller": "custom", "location": "CA", "season": "fall", "gap": 0.107},
    "efficiency": {
        "controller": "naive_weak",
        "mwh": 0.37,
        "other": "naive_strong",
        "other_mwh": 1.78,
    },
    "trend": {"controller": "custom", "metric": "clean_share", "weeks": 30, **SPAN},
    "no_trend": {"weeks": 30},
    "damage": {"rows": 2, "file": "runs-0001.jsonl", "line": 7, "reason": "half a line"},
}


def numbers(language: Language) -> Numbers:
    return Numbers(language, parse_zone("UTC"), "EUR")


@each_row("language", CATALOGUE.languages)
@each_row("code", INSIGHTS)
def test_every_insight_is_a_sentence(code: str, language: Language) -> None:
    said = say_insight(code, INSIGHTS[code], numbers(language))
    assert said.endswith(".")
    assert not set("{}_") & set(said)
    assert "None" not in said


def fill(name: str, language: Language = "en", /, **figures: object) -> str:
    return plain_wording("camera_lab", name, language, **figures)


@each_row(
    ("way", "span", "value", "ends"),
    [
        ("lower", (-0.5, -0.6, -0.4), "0.50 Wh", ("0.40", "0.60")),
        ("higher", (0.5, 0.4, 0.6), "0.50 Wh", ("0.40", "0.60")),
        ("open", (-0.1, -0.3, 0.1), "−0.10 Wh", ("−0.30", "+0.10")),
        ("same", (0.0, 0.0, 0.0), "", ("", "")),
    ],
)
def test_a_difference_says_its_way_in_words(
    way: str,
    span: tuple[float, float, float],
    value: str,
    ends: tuple[str, str],
) -> None:
    bounds = dict(zip(("value", "low", "high"), span, strict=True))
    said = plain(say_insight("compared", COMPARED | {"way": way} | bounds, numbers("en")))
    names = {
        "Controller": fill("controller_custom").capitalize(),
        "other": fill("controller_rule"),
        "metric": fill("metric_dirty_wh_per_day"),
    }
    interval = fill("word_span", low=ends[0], high=ends[1])
    test = fill("word_test", p="0.012")
    figures = {"value": value, "span": interval, "pairs": "96", "test": test}
    assert said == fill(f"insight_compared_{way}", **names, **figures)


def test_german_writes_its_own_numbers() -> None:
    said = plain(say_insight("compared", INSIGHTS["compared"], numbers("de")))
    figures = ("0,50 Wh", "0,40", "0,60", "96", "0,012")
    assert [figure for figure in figures if figure not in said] == []


def test_a_figure_without_an_interval_says_so() -> None:
    assert say_span((0.5, None, None), str, "en") == fill("word_no_span")


def test_what_nobody_named_keeps_its_own_name() -> None:
    assert say_controller("tabular", "de") == "tabular"
    assert say_locations(["CA", "XX"], "de") == "Kalifornien und XX"
