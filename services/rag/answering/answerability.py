"""Judges whether passages answer a question; if none does, it is "not in the documents".

A logistic model scores each passage; the best one decides. It was fitted (L2; penalty 3 with
the embedding model, 1 by words) on Luna's own set (bench/own_questions.py): its 74 questions over
all documents, the same 74 over the documents without those that answer them, which hold related
text and no answer, and its 15 unanswerable ones. The bound is the lowest that refuses 13 of those
15 and 85 % of the questions whose documents were taken away.

Cross-validated by document, with the embedding model 31 of the 74 are answered, 28 of them with the
place among the passages; by words alone 30 and 24. Of the 74, retrieval finds the place for 62 and
49: the judgement is the bottleneck. To refuse 80 % instead answers 37 and 35, 75 % answers 40 and
39.
"""

import math
from dataclasses import dataclass
from operator import attrgetter

from luna.words import Language
from services.rag.answering.evidence import AnswerEvidence, EvidenceSource
from services.rag.answering.facts import facts_of
from services.rag.answering.matching import content_words
from services.rag.answering.question import has_validity
from services.rag.answering.subjects import may_hold

# Down to this far below the bound a language model is still tried: it may itself report that the
# passages hold nothing, and its answer is checked.
READING_MARGIN = 1.5
# Comparing sentences by the embedding model takes a core a tenth of a second for each passage.
MOST_COMPARED = 4


@dataclass(frozen=True, slots=True)
class AnswerabilityModel:
    """Weights of a passage's features, and the bound of their sum.

    Attributes:
        share: of the question's words in three sentences of the passage, its title and headings,
            each weighed by how few of the passages found have it.
        place: how many passages were found before it; it was fitted on the first eight.
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
# Cosines of each embedding model have a scale of their own: a model not measured here is not used.
BY_EMBEDDING_MODEL = {
    "all-minilm-l6-v2": AnswerabilityModel(
        share=4.621, place=-0.342, cosine=2.801, sentence=1.247, least=3.48
    )
}


@dataclass(frozen=True, slots=True)
class Answerability:
    """The numbers of the passages that hold an answer, the best first.

    ``worth_reading``: a language model may find one there.
    """

    answered_by: tuple[int, ...]
    worth_reading: bool

    @property
    def answered(self) -> bool:
        return bool(self.answered_by)


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A passage that may hold the answer, with its share of the question's words."""

    number: int
    source: EvidenceSource
    share: float

    @property
    def cosine(self) -> float:
        return self.source.passage.dense_score or 0.0

    @property
    def nearness(self) -> float:
        return self.share + self.cosine


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
        timeless: the question without the time that it names; documents valid at that time need not
            name it themselves.
        language: of the question.
        model: of the passages' cosines; None: there is none.
    """
    candidates = _find_candidates(question, evidence, language=language, timeless=timeless)
    model_name = (model or "").rpartition("/")[2].partition(":")[0].lower()
    weights = BY_EMBEDDING_MODEL.get(model_name)
    has_cosines = all(candidate.source.passage.dense_score is not None for candidate in candidates)
    scores = {}
    if weights is None or evidence.embedder is None or not has_cosines:
        weights = BY_WORDS
        for candidate in candidates:
            scores[candidate.number] = _score_words(candidate, weights)
    else:
        # Comparing sentences is slow: only the nearest passages by words and cosine are compared.
        nearest = sorted(candidates, key=attrgetter("nearness"), reverse=True)
        for candidate in nearest[:MOST_COMPARED]:
            sentence = float(evidence.similarities(question, candidate.number).max())
            scores[candidate.number] = (
                _score_words(candidate, weights)
                + weights.cosine * candidate.cosine
                + weights.sentence * sentence
            )
    answering = [number for number, score in scores.items() if score >= weights.least]
    answering.sort(key=scores.__getitem__, reverse=True)
    highest = max(scores.values(), default=-math.inf)
    return Answerability(tuple(answering), highest >= weights.least - READING_MARGIN)


def _find_candidates(
    question: str, evidence: AnswerEvidence, *, language: Language, timeless: str | None
) -> list[_Candidate]:
    terms = [source.terms for source in evidence.sources]
    rarities: dict[str, list[float]] = {}
    candidates = []
    for number, source in enumerate(evidence.sources, start=1):
        text = question
        if timeless is not None and has_validity(source.passage):
            text = timeless
        words = content_words(text)
        names = facts_of(text, proper_names=language == "en").names
        if may_hold(text, words, names, source):
            if text not in rarities:
                rarities[text] = words.rarity_among(terms)
            share = max(words.share_in(window, rarities[text]) for window in source.windows)
            candidates.append(_Candidate(number, source, share))
    return candidates


def _score_words(candidate: _Candidate, weights: AnswerabilityModel) -> float:
    return weights.share * candidate.share + weights.place * (candidate.number - 1)
