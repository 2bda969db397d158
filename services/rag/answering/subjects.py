"""Whether a passage speaks of the products, figures, fuels and people of a question."""

import re

from services.rag.answering.evidence import EvidenceSource
from services.rag.answering.facts import numbers_of
from services.rag.answering.matching import ContentWords

# A product with its number, as in "Fix 12": a passage about another product does not answer. A year
# is no such number.
_MODEL = re.compile(
    r"\b([^\W\d_]{2,})[ -](?!20\d\d\b)(\d{1,4})\b"
    r"(?!\s*(?:%|ct|cent|€|eur|kwh?|kwp|watt|°|grad|tage?n?|wochen?|monate?n?|jahre?n?|"
    r"days?|weeks?|months?|years?|uhr))",
    re.IGNORECASE,
)
# A question about a fuel is not answered by a passage about electricity, however alike they are.
_CARRIER_PATTERNS = (
    r"\b(?:erd)?gas(?:preis\w*|tarif\w*|heizung\w*|vertrag\w*|verbrauch\w*)?\b|\bnatural gas\b",
    r"\b(?:heiz)?öl(?:preis\w*|heizung\w*)?\b|\bheating oil\b",
    r"\bdiesel\w*|\bbenzin\w*|\bpetrol\b|\bgasoline\b",
    r"\bwasserstoff\w*|\bhydrogen\b",
    r"\bfernwärme\w*|\bdistrict heat\w*",
    r"\bpellets?\w*|\bkaminofen\w*|\bbrennholz\b|\bfirewood\b|\bwood stove\b",
)
_CARRIERS = tuple(re.compile(pattern, re.IGNORECASE) for pattern in _CARRIER_PATTERNS)
_ASKS_WHO = re.compile(r"^\s*(?:wer|who)\b", re.IGNORECASE)


def may_hold(
    question: str, question_words: ContentWords, names: frozenset[str], source: EvidenceSource
) -> bool:
    """Return whether a passage has the models, figures, fuels and names of a question.

    A question about a person needs every word of it in the passage.
    """
    if not source.sentences:
        return False
    if _ASKS_WHO.match(question) and not all(question_words.matches_in(source.terms)):
        return False
    carriers = [carrier for carrier in _CARRIERS if carrier.search(question)]
    return (
        _has_numbers(question, source)
        and _has_models(question, source)
        and all(carrier.search(source.lower) for carrier in carriers)
        and all(name in source.lower for name in names)
    )


def _has_numbers(question: str, source: EvidenceSource) -> bool:
    """Return whether each number of a question stands in a passage, or is its document's year."""
    passage = source.passage
    known: set[float] = set()
    known.update(*numbers_of(f"{passage.title} {' '.join(passage.headings)} {source.text}"))
    if passage.dated:
        known.add(float(passage.dated.year))
    return all(readings & known for readings in numbers_of(question))


def _has_models(question: str, source: EvidenceSource) -> bool:
    """Return whether a passage has the same number for each product that a question names."""
    for name, number in _MODEL.findall(question):
        word = name.lower()
        capitalized = word[0].upper() + word[1:]
        # A word with a number is a product if the passage numbers it too, or by its capital.
        is_product = re.search(rf"\b{re.escape(word)}[ -]\d", source.lower) or re.search(
            rf"\b{re.escape(capitalized)}[ -]\d", question
        )
        if is_product and not re.search(rf"\b{re.escape(word)}[ -]{number}\b", source.lower):
            return False
    return True
