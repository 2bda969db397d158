"""Whether passages hold the answer to a question: below a bound it is "not in the documents".

A logistic model says so for each passage; the best one decides. It was fitted (L2; penalty 3 with
the embedding model, 1 by words) on Luna's own set (bench/own_questions.py): its 74 questions over
all documents, the same 74 over the documents without those that answer them, which hold what is
near and no answer, and its 15 unanswerable ones. The bound is the lowest that refuses 13 of those
15 and 85 % of the questions whose documents were taken away.

Cross-validated by document, with the embedding model 31 of the 74 are answered, 28 of them with the
place among the passages; by words alone 30 and 24. Of the 74, retrieval finds the place for 62 and
49: what limits it is judging. To refuse 80 % instead answers 37 and 35, 75 % answers 40 and 39.
"""

import math
import re
from dataclasses import dataclass

from luna.words import Language
from services.rag.answering.evidence import AnswerEvidence, EvidenceSource
from services.rag.answering.facts import facts_of, numbers_of
from services.rag.answering.matching import ContentWords, content_words
from services.rag.answering.question import has_validity

# How far below the bound a language model is still asked: it reads the passages and says itself
# that they hold nothing, and what it says is checked.
READING_MARGIN = 1.5
# Comparing sentences by the embedding model takes a core a tenth of a second for each passage.
MOST_COMPARED = 4


@dataclass(frozen=True, slots=True)
class AnswerabilityModel:
    """Weights of a passage's features, and the bound of their sum.

    Attributes:
        share: of the question's words in three sentences of the passage, its title and headings,
            each weighed by how few of the passages found have it.
        place: how many passages were found before it; they are eight at most.
        cosine: of question and passage.
        sentence: cosine of question and the nearest sentence, both in English words where the model
            knows English alone.
        least: the bound.
    """

    share: float
    place: float
    least: float
    cosine: float = 0.0
    sentence: float = 0.0


BY_WORDS = AnswerabilityModel(share=5.578, place=-0.324, least=2.154)
# Cosines of each embedding model have a scale of their own: one that was not measured is not asked.
BY_EMBEDDING_MODEL = {
    "all-minilm-l6-v2": AnswerabilityModel(
        share=4.621, place=-0.342, cosine=2.801, sentence=1.247, least=3.48
    )
}
# A product with its number, as in "Fix 12": the answer on another one is none. A year is no such
# number.
_MODEL = re.compile(
    r"\b([^\W\d_]{2,})[ -](?!20\d\d\b)(\d{1,4})\b"
    r"(?!\s*(?:%|ct|cent|€|eur|kwh?|kwp|watt|°|grad|tage?n?|wochen?|monate?n?|jahre?n?|"
    r"days?|weeks?|months?|years?|uhr))",
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
    """How far the passages hold an answer: the numbers of those that do, the best first.

    ``worth_reading``: a language model may find it there.
    """

    answered_by: tuple[int, ...]
    worth_reading: bool

    @property
    def answered(self) -> bool:
        """Whether any does."""
        return bool(self.answered_by)


def judge_answerability(
    question: str,
    evidence: AnswerEvidence,
    *,
    language: Language,
    model: str | None,
    timeless: str | None = None,
) -> Answerability:
    """Return which passages hold the answer to a question.

    Args:
        question: by itself.
        evidence: the passages that were found for it.
        timeless: the question without the time that it names, which passages of documents that hold
            then need not name themselves.
        language: of the question.
        model: of the passages' cosines; None: there is none.
    """
    terms = [source.terms for source in evidence.sources]
    texts = [
        timeless if timeless is not None and has_validity(source.passage) else question
        for source in evidence.sources
    ]
    words = {
        text: (content_words(text), content_words(text).rarity_among(terms))
        for text in {question, *texts}
    }
    names = {text: facts_of(text, proper_names=language == "en").names for text in words}
    calibrated = BY_EMBEDDING_MODEL.get((model or "").rpartition("/")[2].partition(":")[0].lower())
    numbered = list(zip(range(1, len(texts) + 1), texts, evidence.sources, strict=True))
    possible = [
        (number, text, source)
        for number, text, source in numbered
        if _may_hold(text, words[text][0], names[text], source)
    ]
    shares = {
        number: max(words[text][0].share_in(window, words[text][1]) for window in source.windows)
        for number, text, source in possible
    }
    if (
        calibrated is None
        or evidence.embedder is None
        or any(evidence.sources[number - 1].passage.dense_score is None for number in shares)
    ):
        used = BY_WORDS
        scores = {
            number: BY_WORDS.share * share + BY_WORDS.place * (number - 1)
            for number, share in shares.items()
        }
    else:
        # The few passages that come first by words and cosine: the sentences of others are not
        # compared.
        used = calibrated
        scores = {}
        cosines = {
            number: evidence.sources[number - 1].passage.dense_score or 0.0 for number in shares
        }
        for number in sorted(shares, key=lambda each: -(shares[each] + cosines[each]))[
            :MOST_COMPARED
        ]:
            sentence = float(evidence.similarities(question, number).max())
            scores[number] = (
                used.share * shares[number]
                + used.place * (number - 1)
                + used.cosine * cosines[number]
                + used.sentence * sentence
            )
    answering = sorted(
        (number for number, score in scores.items() if score >= used.least),
        key=lambda number: -scores[number],
    )
    return Answerability(
        tuple(answering), max(scores.values(), default=-math.inf) >= used.least - READING_MARGIN
    )


def _may_hold(
    question: str, question_words: ContentWords, names: frozenset[str], source: EvidenceSource
) -> bool:
    """Return whether what a question names, models, years, figures, fuels, stands in a passage: an
    answer about another one is none.

    A question about a person needs every word of it in the passage.
    """
    if not source.sentences or (
        _ASKS_WHO.match(question) and not all(question_words.matches_in(source.terms))
    ):
        return False
    passage_numbers = numbers_of(
        f"{source.passage.title} {' '.join(source.passage.headings)} {source.text}"
    )
    dated = {float(source.passage.dated.year)} if source.passage.dated else set()
    numbers = all(
        any(readings & other for other in passage_numbers) or bool(readings & dated)
        for readings in numbers_of(question)
    )
    # A product is a word that the passage has with a number, or that begins with a capital in the
    # question.
    products = [
        (word, number)
        for word, number in ((word.lower(), number) for word, number in _MODEL.findall(question))
        if re.search(rf"\b{re.escape(word)}[ -]\d", source.lower)
        or re.search(rf"\b{re.escape(word[0].upper() + word[1:])}[ -]\d", question)
    ]
    models = all(
        re.search(rf"\b{re.escape(word)}[ -]{number}\b", source.lower) for word, number in products
    )
    carriers = all(
        carrier.search(source.lower) for carrier in _CARRIERS if carrier.search(question)
    )
    return numbers and models and carriers and all(name in source.lower for name in names)
