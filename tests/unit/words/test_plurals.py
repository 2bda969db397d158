"""A figure before a plural noun is a choice by the language's plural forms: one day, two days."""

import re

import pytest

from luna.words.catalogue import CATALOGUE
from luna.words.language import Language
from tests.support.words.wording import wording

COUNTED = (
    "days|times|rows|documents|minutes|hours|lines|slots|quarter-hours|years|sensors|tables|"
    "points|breaches|things|pages"
)
# Figures of these are limits, or never one: columns, bytes, the camera lab's runs.
LIMITS = ("refusals", "camera_lab", "edge", "forecast_chart", "compromises", "agent", "quarantine")
# Of one day there is another message, or there are always two days.
APART = ("report.headline", "report.headline_nothing", "report.plan")
# Rates and parts: 1.2 times the limit, 3 of the 14 days; of a file or a load there are always more
# than one.
NEVER_ONE = re.compile(
    r"\btimes (the|as)\b|\bof \{ \$\w+ \}|cheapest|Cheapest|the last \{|\bnone "
    r"of\b|reaches|at least \{"
)
PLURAL = re.compile(
    rf"\{{ \$\w+ \}} (?:more |unseen |complete |scored |recorded |smaller )*(?:{COUNTED})\b"
)


def test_a_count_before_a_plural_noun_is_a_choice() -> None:
    without = [
        f"{topic}.{name}"
        for topic in CATALOGUE.topics("en")
        if topic not in LIMITS
        for name, message in CATALOGUE.read(topic, "en").items()
        if f"{topic}.{name}" not in APART
        and "->" not in message.source
        and PLURAL.search(message.source)
        and not NEVER_ONE.search(message.source)
    ]
    assert without == []


@pytest.mark.parametrize("language", CATALOGUE.languages)
@pytest.mark.parametrize("count", [1, "1"], ids=["a number", "a number that is written out"])
def test_one_is_no_plural(language: Language, count: object) -> None:
    assert wording("savings", "headline_plain", language, days=count, saved="1") != wording(
        "savings", "headline_plain", language, days=2, saved="1"
    ).replace("2", "1")
