"""Extracts for open questions, which ask for no kind of value: the sentences nearest to them."""

from collections.abc import Iterator

import numpy as np

from services.rag.answering.answerability import MOST_COMPARED
from services.rag.answering.evidence import AnswerEvidence
from services.rag.answering.matching import ContentWords, content_words
from services.rag.answering.reading.reader import ReadAnswer, is_statement

MOST_EXTRACTS = 2
# A second extract is given if its score comes this near to the best one's.
NEAR_BEST = 0.8
WORDS_WEIGHT = 0.7
WINDOW_WEIGHT = 0.5
COSINE_WEIGHT = 0.8
HEADING_WEIGHT = 0.2
ORDER_WEIGHT = 0.2


def extract_sentences(
    question: str, evidence: AnswerEvidence, answered_by: tuple[int, ...]
) -> list[ReadAnswer]:
    """Return the nearest sentences of the sources ``answered_by``, the best first."""
    words = content_words(question)
    weights = words.rarity_among([source.terms for source in evidence.sources])
    ranked: list[ReadAnswer] = []
    for rank, number in enumerate(answered_by):
        cosines = np.zeros(len(evidence.sources[number - 1].sentences))
        if rank < MOST_COMPARED:
            cosines = evidence.similarities(question, number)
        for place, score in _score_sentences(words, weights, evidence, number):
            total = score + COSINE_WEIGHT * float(cosines[place]) - ORDER_WEIGHT * rank
            text = evidence.sources[number - 1].sentences[place]
            ranked.append(ReadAnswer(text, number, total))
    ranked.sort(key=lambda extract: extract.score, reverse=True)
    distinct: dict[str, ReadAnswer] = {}
    for extract in ranked:
        if extract.score > 0 and extract.score >= ranked[0].score * NEAR_BEST:
            distinct.setdefault(" ".join(extract.text.lower().split()), extract)
    return list(distinct.values())[:MOST_EXTRACTS]


def _score_sentences(
    words: ContentWords, weights: list[float], evidence: AnswerEvidence, number: int
) -> Iterator[tuple[int, float]]:
    """Yield the place and score of each statement of a source."""
    source = evidence.sources[number - 1]
    heads = words.share_in(source.head_terms)
    for place, sentence in enumerate(source.sentences):
        if is_statement(sentence):
            score = (
                WORDS_WEIGHT * words.share_in(source.sentence_terms[place], weights)
                + WINDOW_WEIGHT * words.share_in(source.windows[place], weights)
                + HEADING_WEIGHT * heads
            )
            yield place, score
