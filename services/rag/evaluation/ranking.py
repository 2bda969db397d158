"""Ranks the passages of a set for its questions: by vectors, by words, by both as the service fuses them."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from luna.contracts.search import Retriever
from luna.energy.errors import InvalidInputError
from services.rag.embedding import Embedder
from services.rag.evaluation.beir import SetPassage
from services.rag.evaluation.measures import DEPTH, Judgements, mean_measures
from services.rag.evaluation.word_index import WordIndex, best_of
from services.rag.retrieval.english import question_to_embed, text_to_embed
from services.rag.retrieval.fusion import fuse
from services.rag.retrieval.terms import weigh_passage, weigh_query

# How many of each side are fused, as the service does it for ten passages.
LIST_DEPTH = 60
_AT_ONCE = 64

Progress = Callable[[int, int, str], None]
FloatArray = NDArray[np.float32]


@dataclass(slots=True)
class Ranking:
    """The first ten passages by retriever and question, and how long one question took. Without an embedding model there is no ``dense``."""

    model: str | None
    passages: int
    runs: dict[Retriever, dict[str, list[str]]] = field(default_factory=dict)
    seconds: dict[Retriever, float] = field(default_factory=dict)

    def describe(self, judged: Judgements, questions: Sequence[str]) -> dict[str, Any]:
        """Return nDCG@10, recall@10 and the milliseconds of a question, by retriever; null where there is no embedding model."""
        means = {name: mean_measures(run, judged, questions) for name, run in self.runs.items()}
        milliseconds = {name: 1e3 * seconds / max(len(self.runs[name]), 1) for name, seconds in self.seconds.items()}
        return {
            "ndcg_at_10": _by_retriever({name: mean[0] for name, mean in means.items()}, 4),
            "recall_at_10": _by_retriever({name: mean[1] for name, mean in means.items()}, 4),
            "milliseconds_per_query": _by_retriever(milliseconds, 2),
            "documents": self.passages,
            "queries": len(questions),
            "model": self.model,
        }


def _by_retriever(values: Mapping[Retriever, float], digits: int) -> dict[str, float | None]:
    names: tuple[Retriever, ...] = ("dense", "sparse", "fused")
    return {name: round(values[name], digits) if name in values else None for name in names}


class Corpus:
    """The passages of a set as both indexes hold them.

    Invariants: texts are not kept; what grows with the corpus is its vectors (4 bytes per dimension and passage), its terms and its ids.
    """

    def __init__(self, passages: Iterable[SetPassage], total: int, embedder: Embedder | None, progress: Progress) -> None:
        self.embedder = embedder
        self.keys: list[str] = []
        self.words = WordIndex()
        self._vectors = None if embedder is None else np.zeros((total, embedder.dimensions), np.float32)
        for batch in _batches(passages):
            self._add(batch)
            progress(len(self.keys), total, "passages")
        if len(set(self.keys)) < len(self.keys):
            raise InvalidInputError("two passages have one id", field="corpus.jsonl", remedy="Give each passage an id of its own.")

    def find_near(self, question: str) -> dict[int, float]:
        """Return the passages with the nearest vectors, by position, with their cosines."""
        if self.embedder is None or self._vectors is None:
            return {}
        query_text = question_to_embed(question, speaks_english_alone=self.embedder.speaks_one_language)
        return best_of(self._vectors @ self.embedder.embed([query_text], role="query")[0], LIST_DEPTH)

    def find_words(self, question: str) -> dict[int, float]:
        """Return the passages that share the most telling words, by position, with their BM25 scores."""
        return self.words.rank(weigh_query(question), LIST_DEPTH)

    def _add(self, batch: Sequence[SetPassage]) -> None:
        if self.embedder is not None and self._vectors is not None:
            english = self.embedder.speaks_one_language
            texts = [text_to_embed(each.whole, each.language, speaks_english_alone=english) for each in batch]
            self._vectors[len(self.keys) : len(self.keys) + len(batch)] = self.embedder.embed(texts, role="passage")
        for each in batch:
            self.words.add(weigh_passage(each.whole, each.language))
            self.keys.append(each.key)


def rank(corpus: Corpus, queries: Mapping[str, str], progress: Progress) -> Ranking:
    """Return the best passages of a corpus for each question, by each retriever."""
    names: tuple[Retriever, ...] = ("dense", "sparse", "fused") if corpus.embedder else ("sparse", "fused")
    ranking = Ranking(corpus.embedder.model if corpus.embedder else None, len(corpus.keys), {name: {} for name in names}, dict.fromkeys(names, 0.0))
    # Models, glossary and postings are made ready at the first use; no question is to pay for that.
    for text in islice(queries.values(), 1):
        corpus.find_near(text)
        corpus.find_words(text)
    for count, (key, text) in enumerate(queries.items(), start=1):
        _rank_one(corpus, ranking, key, text)
        progress(count, len(queries), "questions")
    return ranking


def _rank_one(corpus: Corpus, ranking: Ranking, key: str, text: str) -> None:
    began = time.perf_counter()
    near = corpus.find_near(text)
    between = time.perf_counter()
    words = corpus.find_words(text)
    words_done = time.perf_counter()
    fused = [each.key for each in fuse(near, words)]
    ended = time.perf_counter()
    both: dict[Retriever, tuple[Iterable[int], float]] = {
        "dense": (near, between - began),
        "sparse": (words, words_done - between),
        "fused": (fused, ended - began),
    }
    for name, run in ranking.runs.items():
        positions, seconds = both[name]
        run[key] = [corpus.keys[position] for position in islice(positions, DEPTH)]
        ranking.seconds[name] += seconds


def _batches(passages: Iterable[SetPassage]) -> Iterator[list[SetPassage]]:
    rest = iter(passages)
    while batch := list(islice(rest, _AT_ONCE)):
        yield batch
