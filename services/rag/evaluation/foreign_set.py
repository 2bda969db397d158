"""Evaluates retrieval on any set in BEIR layout."""

from pathlib import Path
from typing import Any

from luna.energy.errors import InvalidInputError
from services.rag.embedding import Embedder
from services.rag.evaluation.beir import count_passages, read_judgements, read_passages, read_queries
from services.rag.evaluation.ranking import Corpus, Progress, rank


def evaluate_set(folder: Path, embedder: Embedder | None, *, progress: Progress) -> dict[str, Any]:
    """Return nDCG@10, recall@10 and milliseconds per question of a set, by vectors, by words and fused.

    Counted are the questions with a passage judged above zero. Questions and judgements are read before the corpus, so that a bad file is told at once.

    Raises:
        InvalidInputError: a file is missing or bad; the field names file and line.
        UnavailableError: the embedding model is away.
    """
    queries, judged = read_queries(folder), read_judgements(folder)
    counted = [key for key in queries if any(grade > 0 for grade in judged.get(key, {}).values())]
    if not counted:
        remedy = "Use the ids of queries.jsonl in its first column, and judge at least one passage above zero."
        raise InvalidInputError("no question has a relevant passage", field=str(folder / "qrels"), remedy=remedy)
    corpus = Corpus(read_passages(folder), count_passages(folder), embedder, progress)
    return rank(corpus, {key: queries[key] for key in counted}, progress).describe(judged, counted)
