"""Whether passages hold the answer to a question: below these bounds it is "not in the documents".

Found on Luna's own set (services/rag/evaluation/sets/luna: 69 questions that its example documents answer, worded with other words than theirs, and 15 that
they do not) with passages of 150 words. Every one of the 15 has to be refused; the bounds are the lowest that do so. The price of it: of the 69, by words alone
13 are answered, 10 of them with the expected place; with the embedding model 25 and 18. A language model that reads the passages says itself that they hold
nothing, and what it says is checked, so that it is asked from lower bounds on.
"""

import re
from dataclasses import dataclass

from luna.contracts.plan import Language
from services.rag.answering.evidence import AnswerEvidence, EvidenceSource
from services.rag.answering.facts import facts_of, numbers_of
from services.rag.answering.matching import wanted_words

# Share of the question's words in three sentences of a passage, its title and headings, each weighed by how few of the passages that were found have it.
LEAST_SHARE = 0.45
LEAST_SHARE_READ = 0.25
# That share and the cosine of question and passage together, by embedding model: each has a scale of its own, one that was not measured is not asked.
LEAST_TOGETHER = {"all-minilm-l6-v2": 0.78}
READ_BELOW = 0.2
# A product with its number, as in "Fix 12": the answer on another one is none.
_MODEL = re.compile(
    r"\b([^\W\d_]{2,})[ -](\d{1,4})\b(?!\s*(?:%|ct|cent|€|eur|kwh?|kwp|watt|°|grad|tage?n?|wochen?|monate?n?|jahre?n?|days?|weeks?|months?|years?|uhr))",
    re.IGNORECASE,
)
# What burns is no electricity, however alike the questions are.
_CARRIERS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"\b(?:erd)?gas(?:preis\w*|tarif\w*|heizung\w*|vertrag\w*|verbrauch\w*)?\b|\bnatural gas\b",
        r"\b(?:heiz)?öl(?:preis\w*|heizung\w*)?\b|\bheating oil\b",
        r"\bdiesel\w*|\bbenzin\w*|\bpetrol\b|\bgasoline\b",
        r"\bwasserstoff\w*|\bhydrogen\b",
        r"\bfernwärme\w*|\bdistrict heat\w*",
        r"\bpellets?\w*|\bkaminofen\w*|\bbrennholz\b|\bfirewood\b|\bwood stove\b",
    )
)
_ASKS_WHO = re.compile(r"^\s*(?:wer|who)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Answerability:
    """How far the passages hold an answer: the numbers of those that do, the best first; ``worth_reading``: a language model may find it there."""

    answered_by: tuple[int, ...]
    worth_reading: bool

    @property
    def answered(self) -> bool:
        """Whether any does."""
        return bool(self.answered_by)


def judge_answerability(question: str, evidence: AnswerEvidence, *, language: Language, model: str | None) -> Answerability:
    """Return which passages hold the answer to a question.

    Args:
        question: by itself.
        evidence: the passages that were found for it.
        language: of the question.
        model: of the passages' cosines; None: there is none.
    """
    own = wanted_words(question)
    weights = own.rarity_among([source.terms for source in evidence.sources])
    names = facts_of(question, proper_names=language == "en").names
    together = LEAST_TOGETHER.get((model or "").rpartition("/")[2].partition(":")[0].lower())
    held: dict[int, float] = {}
    worth_reading = False
    for number, source in enumerate(evidence.sources, start=1):
        found, cosine = own.found_in(source.terms), source.passage.dense_score
        if not source.sentences or not _is_about_same(question, names, source) or (_ASKS_WHO.match(question) and not all(found)):
            continue
        share = max(own.share_in(window, weights) for window in source.windows)
        if together is None or cosine is None:
            above, score = share - LEAST_SHARE, share
            worth_reading |= share >= LEAST_SHARE_READ
        else:
            above, score = share + cosine - together, share + cosine
            worth_reading |= above >= -READ_BELOW
        if above >= 0:
            held[number] = score
    return Answerability(tuple(sorted(held, key=lambda number: -held[number])), worth_reading)


def _is_about_same(question: str, names: frozenset[str], source: EvidenceSource) -> bool:
    """Return whether what a question names, models, years, figures, fuels, stands in a passage: an answer about another one is none."""
    known = numbers_of(f"{source.passage.title} {' '.join(source.passage.headings)} {source.text}")
    dated = {float(source.passage.dated.year)} if source.passage.dated else set()
    numbers = all(any(readings & other for other in known) or bool(readings & dated) for readings in numbers_of(question))
    models = all(re.search(rf"\b{re.escape(word)}[ -]{number}\b", source.lower) for word, number in _named_models(question, source))
    carriers = all(carrier.search(source.lower) for carrier in _CARRIERS if carrier.search(question))
    return numbers and models and carriers and all(name in source.lower for name in names)


def _named_models(question: str, source: EvidenceSource) -> list[tuple[str, str]]:
    """Return the products with their numbers in a question, of those words that a passage has with a number."""
    pairs = [(word.lower(), number) for word, number in _MODEL.findall(question)]
    return [
        (word, number) for word, number in pairs if word[0].isalpha() and (re.search(rf"\b{re.escape(word)}[ -]\d", source.lower) or _is_name(word, question))
    ]


def _is_name(word: str, question: str) -> bool:
    """Return whether a word that a number follows begins with a capital, as a product's does."""
    return re.search(rf"\b{re.escape(word[0].upper() + word[1:])}[ -]\d", question) is not None
