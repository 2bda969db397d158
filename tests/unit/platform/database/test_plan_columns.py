"""Reasons of stored plans become words when they are read."""

from zoneinfo import ZoneInfo

import pytest

from luna.contracts.plan.columns import write_reason
from luna.words import Language, Numbers, Sentences, sentence

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize("language", ["en", "de"])
def test_a_reason_is_said_as_its_figures_are(language: Language) -> None:
    figures = {
        "kwh": 2.0,
        "buy": 0.12,
        "price": 0.31,
        "time": "2024-02-01T17:00:00+00:00",
        "start": "2024-02-01T02:00:00+00:00",
    }
    read = write_reason(
        {"code": "charge_from_grid", "figures": figures},
        Sentences(Numbers(language, BERLIN, "EUR")),
    )
    assert (read["code"], read["figures"]) == ("charge_from_grid", figures)
    assert read["text"] == sentence(
        "charge_from_grid", figures, language=language, zone=BERLIN, currency="EUR"
    )


@pytest.mark.parametrize(
    ("code", "figures"),
    [("of_a_later_release", {"kwh": 2.0}), ("charge_from_grid", {})],
    ids=["no words", "figures of another wording"],
)
def test_a_reason_without_words_reads_as_its_code(code: str, figures: dict[str, float]) -> None:
    read = write_reason({"code": code, "figures": figures}, Sentences(Numbers("en", BERLIN, "EUR")))
    assert read == {"code": code, "text": code, "short": "", "figures": figures}
