"""The German and English words of the energy field."""

from services.rag.retrieval.glossary import GLOSSARY
from tests.support.suite.tables import each_row


def test_glossary_holds_at_least_250_groups_with_words_on_both_sides() -> None:
    assert len(GLOSSARY) >= 250
    assert all(german and english for german, english in GLOSSARY)


def test_words_are_lower_case_trimmed_and_once_per_side() -> None:
    sides = [side for group in GLOSSARY for side in group]

    assert all(word == word.lower().strip() for side in sides for word in side)
    assert all(len(set(side)) == len(side) for side in sides)


@each_row(
    ("german", "english"),
    [
        ("arbeitspreis", "energy price"),
        ("einspeisevergütung", "feed-in tariff"),
        ("kündigungsfrist", "notice period"),
        ("ladezustand", "state of charge"),
    ],
)
def test_words_of_tariffs_and_devices_meet_across_languages(german: str, english: str) -> None:
    assert any(german in left and english in right for left, right in GLOSSARY)
