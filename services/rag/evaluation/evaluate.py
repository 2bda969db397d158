"""Evaluates Luna on its own set."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.rag.embedding import Embedder
from services.rag.evaluation.own_set import OwnQuestion, OwnSet
from services.rag.evaluation.ranking import Corpus, Progress, Ranking, rank


def evaluate_own(embedder: Embedder | None, *, progress: Progress) -> dict[str, Any]:
    """Return how well passages are found for the questions that documents answer.

    Raises:
        UnavailableError: the embedding model is away.
    """
    own = OwnSet(hostile=False, progress=progress)
    return {"retrieval": evaluate_retrieval(own, embedder, progress=progress)}


def evaluate_retrieval(own: OwnSet, embedder: Embedder | None, *, progress: Progress) -> dict[str, Any]:
    """Return nDCG@10, recall@10 and milliseconds per question: for all, by language, across languages; and the questions whose passage was not found."""
    asked = own.asked("document")
    ranking = rank(Corpus(own.searched(), len(own.passages), embedder, progress), {each.key: each.text for each in asked}, progress)
    groups: Mapping[str, Sequence[OwnQuestion]] = {
        "all": asked,
        "de": [each for each in asked if each.language == "de" and not own.crosses(each)],
        "en": [each for each in asked if each.language == "en" and not own.crosses(each)],
        "cross": [each for each in asked if own.crosses(each)],
    }
    means = {name: ranking.describe(own.judged, [each.key for each in group]) for name, group in groups.items()}
    return means | {"failing": [_miss(own, ranking, each) for each in asked if _is_missed(own, ranking, each)]}


def _is_missed(own: OwnSet, ranking: Ranking, question: OwnQuestion) -> bool:
    return not set(ranking.runs["fused"][question.key]) & {key for key, grade in own.judged[question.key].items() if grade > 1}


def _miss(own: OwnSet, ranking: Ranking, question: OwnQuestion) -> dict[str, Any]:
    expected, found = question.evidence[0], ranking.runs["fused"][question.key]
    first = own.passages[int(found[0])] if found else None
    return {
        "question": question.key,
        "text": question.text,
        "expected": {"document": expected.document, "quote": expected.quote},
        "found_first": None if first is None else {"document": first.document_id, "headings": first.headings},
    }
