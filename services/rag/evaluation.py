"""Evaluate retrieval on a set in BEIR layout: by vectors, by words, and fused.

A set is ``corpus.jsonl``, ``queries.jsonl`` and ``qrels.tsv`` or ``qrels/test.tsv``. By words,
passages are ranked in memory: what the index of the service does, exactly and without a server.

Source: Thakur et al., "BEIR: A heterogeneous benchmark for zero-shot evaluation of information
retrieval models", 2021, and its wiki on data sets.
"""

import csv
import json
import math
import time
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from luna.contracts.documents import DocumentLanguage
from luna.contracts.search import Retriever
from luna.energy.errors import InvalidInputError
from services.rag.embedding import Embedder
from services.rag.retrieval.english import question_to_embed, text_to_embed
from services.rag.retrieval.fusion import fuse
from services.rag.retrieval.terms import weigh_passage, weigh_query

_HEADER = ("query-id", "corpus-id", "score")

# Relevance by passage, by question.
Judgements = Mapping[str, Mapping[str, int]]
# Passages, the best first, by question.
Run = Mapping[str, Sequence[str]]
Progress = Callable[[int, int, str], None]

DEPTH = 10
# How many of each side are fused, as the service does it for ten passages.
_LIST_DEPTH = 60
_AT_ONCE = 64


def evaluate_set(folder: Path, embedder: Embedder | None, *, progress: Progress) -> dict[str, Any]:
    """Return a set's nDCG@10, recall@10 and milliseconds per question by each retriever.

    Only questions with a passage judged above zero count. Questions and judgements are read before
    the corpus, so that a bad file is reported at once.

    Raises:
        InvalidInputError: a file is missing or bad; the field names file and line.
        UnavailableError: the embedding model is away.
    """
    queries = read_queries(folder)
    judged = read_judgements(folder)
    counted = [key for key in queries if any(grade > 0 for grade in judged.get(key, {}).values())]
    if not counted:
        remedy = (
            "Use the ids of queries.jsonl in its first column, and judge at least one passage "
            "above zero."
        )
        raise InvalidInputError(
            "no question has a relevant passage", field=str(folder / "qrels"), remedy=remedy
        )
    corpus = Corpus(read_passages(folder), count_passages(folder), embedder, progress)
    return rank(corpus, {key: queries[key] for key in counted}, progress).describe(judged, counted)


@dataclass(frozen=True, slots=True)
class SetPassage:
    """A passage of a set. ``language``: None, unknown."""

    key: str
    title: str
    text: str
    language: DocumentLanguage | None = None

    @property
    def whole(self) -> str:
        """Return what is searched: title and text."""
        return f"{self.title} {self.text}".strip()


def count_passages(folder: Path) -> int:
    """Return how many lines the corpus has."""
    with _find(folder, "corpus.jsonl").open("rb") as file:
        return sum(1 for line in file if line.strip())


def read_passages(folder: Path) -> Iterator[SetPassage]:
    """Yield the passages one after the other; they are never in memory together.

    Raises:
        InvalidInputError: a file is missing or a line of it cannot be read; the field names file
            and line.
    """
    path = _find(folder, "corpus.jsonl")
    for where, row in _rows(path):
        language = row.get("language") or (row.get("metadata") or {}).get("language")
        yield SetPassage(
            _text(row, "_id", where),
            str(row.get("title") or ""),
            _text(row, "text", where),
            language if language in {"de", "en"} else None,
        )


def read_queries(folder: Path) -> dict[str, str]:
    """Return the questions by id.

    Raises:
        InvalidInputError: as in ``read_passages``; an id stands twice.
    """
    queries: dict[str, str] = {}
    for where, row in _rows(_find(folder, "queries.jsonl")):
        key = _text(row, "_id", where)
        if key in queries:
            raise InvalidInputError(
                "this id stood on a line before",
                field=where,
                value=key,
                remedy="Give each question an id of its own.",
            )
        queries[key] = _text(row, "text", where)
    return queries


def read_judgements(folder: Path) -> dict[str, dict[str, int]]:
    """Return the relevance of passages by question, without a first line of column names.

    Raises:
        InvalidInputError: as in ``read_passages``.
    """
    path = _find(folder, "qrels/test.tsv", "qrels.tsv")
    judged: dict[str, dict[str, int]] = {}
    rows = csv.reader(_lines(path), delimiter="\t", quoting=csv.QUOTE_NONE)
    for number, row in enumerate(rows, start=1):
        if not row or (number == 1 and row[-1].strip().lower() in {"score", "relevance"}):
            continue
        where = f"{path}:{number}"
        remedy = f"Write three columns with tabs between them: {', '.join(_HEADER)}."
        if len(row) != len(_HEADER):
            raise InvalidInputError(
                f"a line has {len(row)} columns, not 3",
                field=where,
                value="\t".join(row)[:80],
                remedy=remedy,
            )
        query, passage, grade = row
        try:
            judged.setdefault(query, {})[passage] = int(grade)
        except ValueError:
            raise InvalidInputError(
                "the relevance is no whole number", field=where, value=grade, remedy=remedy
            ) from None
    return judged


def _find(folder: Path, *names: str) -> Path:
    for name in names:
        if (folder / name).is_file():
            return folder / name
    words = " or ".join(names)
    raise InvalidInputError(
        f"the set has no {words}",
        field=str(folder),
        remedy="Name a folder with corpus.jsonl, queries.jsonl and qrels/test.tsv.",
    )


def _rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each line's place and content."""
    for number, line in enumerate(_lines(path), start=1):
        if line.strip():
            where = f"{path}:{number}"
            remedy = 'Write one JSON object per line, such as {"_id": "1", "text": "…"}.'
            try:
                row = json.loads(line)
            except (ValueError, RecursionError) as exc:
                raise InvalidInputError(
                    f"the line is not JSON: {exc}", field=where, remedy=remedy
                ) from exc
            if not isinstance(row, dict):
                raise InvalidInputError(
                    "the line is no JSON object",
                    field=where,
                    value=line.strip()[:80],
                    remedy=remedy,
                )
            yield where, row


def _text(row: dict[str, Any], name: str, where: str) -> str:
    value = row.get(name)
    if isinstance(value, int) and name == "_id" and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str) or (name == "_id" and not value):
        raise InvalidInputError(
            f"{name} is missing, or no text",
            field=where,
            value=value,
            remedy=f"Give the line a field {name} that is text.",
        )
    return value


def _lines(path: Path) -> Iterator[str]:
    try:
        with path.open(encoding="utf-8-sig") as file:
            yield from file
    except UnicodeDecodeError as exc:
        raise InvalidInputError(
            "the file is not UTF-8", field=str(path), remedy="Store it as UTF-8."
        ) from exc
    except OSError as exc:
        raise InvalidInputError(
            f"the file cannot be read: {exc.strerror}", field=str(path), remedy="Let Luna read it."
        ) from exc


class WordIndex:
    """Collects weighted terms, then ranks.

    Twelve bytes per term of a passage while collecting, eight afterwards.
    """

    def __init__(self) -> None:
        self._terms = array("I")
        self._passages = array("I")
        self._weights = array("f")
        self._count = 0
        self._postings: dict[int, tuple[int, int]] = {}
        self._by_term: tuple[NDArray[np.uint32], NDArray[np.float32]] | None = None

    def add(self, weights: Mapping[int, float]) -> None:
        """Take in the next passage: term numbers with BM25 weights."""
        self._terms.extend(weights)
        self._passages.extend([self._count] * len(weights))
        self._weights.extend(weights.values())
        self._count += 1

    def rank(self, query: Mapping[int, float], depth: int) -> dict[int, float]:
        """Return BM25 scores of the best passages with a term of the query, by position.

        Source: rarity ln(1 + (N − n + 0.5) / (n + 0.5)), Robertson and Zaragoza 2009, never below
        zero.
        """
        if self._by_term is None:
            self._by_term = self._sort_by_term()
        passages, weights = self._by_term
        scores = np.zeros(self._count, dtype=np.float32)
        for term, query_weight in query.items():
            first, end = self._postings.get(term, (0, 0))
            rarity = np.log1p((self._count - (end - first) + 0.5) / (end - first + 0.5))
            scores[passages[first:end]] += query_weight * rarity * weights[first:end]
        return best_of(scores, depth)

    def _sort_by_term(self) -> tuple[NDArray[np.uint32], NDArray[np.float32]]:
        """Note each term's slice, and return passages and weights in the order of terms."""
        terms = np.frombuffer(self._terms, dtype=np.uint32)
        order = np.argsort(terms, kind="stable")
        numbers, starts = np.unique(terms[order], return_index=True)
        ends = [*starts[1:].tolist(), len(order)]
        slices = zip(starts.tolist(), ends, strict=True)
        self._postings = dict(zip(numbers.tolist(), slices, strict=True))
        passages = np.frombuffer(self._passages, dtype=np.uint32)[order]
        weights = np.frombuffer(self._weights, dtype=np.float32)[order]
        # The collected terms are not needed any more.
        self._terms = array("I")
        self._passages = array("I")
        self._weights = array("f")
        return passages, weights


def best_of(scores: NDArray[np.float32], depth: int) -> dict[int, float]:
    """Return the positions of the highest scores above zero, the best first.

    Equal ones in their order.
    """
    places = np.arange(scores.size)
    if scores.size > depth:
        places = np.argpartition(-scores, depth)[:depth]
    ordered = places[np.lexsort((places, -scores[places]))]
    return {int(place): float(scores[place]) for place in ordered if scores[place] > 0}


@dataclass(slots=True)
class Ranking:
    """The first ten passages by retriever and question, and how long one question took.

    Without an embedding model there is no ``dense``.
    """

    model: str | None
    passages: int
    runs: dict[Retriever, dict[str, list[str]]] = field(default_factory=dict)
    seconds: dict[Retriever, float] = field(default_factory=dict)

    def describe(self, judged: Judgements, questions: Sequence[str]) -> dict[str, Any]:
        """Return nDCG@10, recall@10 and the milliseconds of a question, by retriever.

        Null where there is no embedding model.
        """
        gains: dict[Retriever, float] = {}
        recalls: dict[Retriever, float] = {}
        milliseconds: dict[Retriever, float] = {}
        for name, run in self.runs.items():
            gains[name], recalls[name] = mean_measures(run, judged, questions)
            milliseconds[name] = 1e3 * self.seconds[name] / max(len(run), 1)
        return {
            "ndcg_at_10": _by_retriever(gains, 4),
            "recall_at_10": _by_retriever(recalls, 4),
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

    Invariants: texts are not kept; what grows with the corpus is its vectors (4 bytes per dimension
    and passage), its terms and its ids.
    """

    def __init__(
        self,
        passages: Iterable[SetPassage],
        total: int,
        embedder: Embedder | None,
        progress: Progress,
    ) -> None:
        self.embedder = embedder
        self.keys: list[str] = []
        self.words = WordIndex()
        self._vectors = (
            None if embedder is None else np.zeros((total, embedder.dimensions), np.float32)
        )
        rest = iter(passages)
        while batch := list(islice(rest, _AT_ONCE)):
            self._embed(batch)
            for passage in batch:
                self.words.add(weigh_passage(passage.whole, passage.language))
                self.keys.append(passage.key)
            progress(len(self.keys), total, "passages")
        if len(set(self.keys)) < len(self.keys):
            raise InvalidInputError(
                "two passages have one id",
                field="corpus.jsonl",
                remedy="Give each passage an id of its own.",
            )

    def _embed(self, batch: Sequence[SetPassage]) -> None:
        """Store the vectors of the next passages."""
        if self.embedder is None or self._vectors is None:
            return
        english = self.embedder.speaks_one_language
        texts = []
        for passage in batch:
            text = text_to_embed(passage.whole, passage.language, speaks_english_alone=english)
            texts.append(text)
        first = len(self.keys)
        vectors = self.embedder.embed(texts, role="passage")
        self._vectors[first : first + len(batch)] = vectors

    def find_near(self, question: str) -> dict[int, float]:
        """Return the cosines of the passages with the nearest vectors, by position."""
        if self.embedder is None or self._vectors is None:
            return {}
        english = self.embedder.speaks_one_language
        text = question_to_embed(question, speaks_english_alone=english)
        vector = self.embedder.embed([text], role="query")[0]
        return best_of(self._vectors @ vector, _LIST_DEPTH)

    def find_words(self, question: str) -> dict[int, float]:
        """Return BM25 scores of the passages that share rare words, by position."""
        return self.words.rank(weigh_query(question), _LIST_DEPTH)


def rank(corpus: Corpus, queries: Mapping[str, str], progress: Progress) -> Ranking:
    """Return the best passages of a corpus for each question, by each retriever."""
    names: list[Retriever] = ["sparse", "fused"]
    model = None
    if corpus.embedder is not None:
        names.insert(0, "dense")
        model = corpus.embedder.model
    runs: dict[Retriever, dict[str, list[str]]] = {name: {} for name in names}
    ranking = Ranking(model, len(corpus.keys), runs, dict.fromkeys(names, 0.0))
    # Models, glossary and postings are made ready at the first use; no question is to pay for that.
    for text in islice(queries.values(), 1):
        corpus.find_near(text)
        corpus.find_words(text)
    for count, (key, text) in enumerate(queries.items(), start=1):
        began = time.perf_counter()
        near = corpus.find_near(text)
        vectors_end = time.perf_counter()
        words = corpus.find_words(text)
        words_end = time.perf_counter()
        fused = [ranked.key for ranked in fuse(near, words)]
        ended = time.perf_counter()
        results: dict[Retriever, tuple[Iterable[int], float]] = {
            "dense": (near, vectors_end - began),
            "sparse": (words, words_end - vectors_end),
            "fused": (fused, ended - began),
        }
        for name, run in ranking.runs.items():
            positions, seconds = results[name]
            run[key] = [corpus.keys[position] for position in islice(positions, DEPTH)]
            ranking.seconds[name] += seconds
        progress(count, len(queries), "questions")
    return ranking


def ndcg(ranked: Sequence[str], relevance: Mapping[str, int], *, depth: int = DEPTH) -> float:
    """Return the normalised discounted cumulative gain of a ranking, 0 to 1.

    The gain is linear, as trec_eval, pytrec_eval and BEIR count it: a passage of grade 2 is worth
    two of grade 1, not three. The ideal ranking holds every judged passage, also one that is not in
    the corpus; grades below zero count as zero.

    Source: Järvelin and Kekäläinen, "Cumulated gain-based evaluation of IR techniques", ACM TOIS
    20(4), 2002; discount log2(rank + 1).
    Invariants: 1 for an ideal ranking, 0 where nothing relevant is among the first ``depth``.
    """
    grades = sorted((max(grade, 0) for grade in relevance.values()), reverse=True)
    ideal = _gain(grades[:depth])
    if ideal <= 0:
        return 0.0
    found = [max(relevance.get(key, 0), 0) for key in ranked[:depth]]
    return _gain(found) / ideal


def recall(ranked: Sequence[str], relevance: Mapping[str, int], *, depth: int = DEPTH) -> float:
    """Return the share of relevant passages (grade above zero) among the first ``depth``."""
    relevant = {key for key, grade in relevance.items() if grade > 0}
    return len(relevant.intersection(ranked[:depth])) / len(relevant) if relevant else 0.0


def mean_measures(run: Run, judged: Judgements, questions: Iterable[str]) -> tuple[float, float]:
    """Return nDCG@10 and recall@10, each the mean over questions.

    Raises:
        InvalidInputError: there is no question to take a mean of.
    """
    keys = list(questions)
    if not keys:
        raise InvalidInputError(
            "no question has a relevant passage",
            field="qrels",
            remedy="Judge at least one passage of one question above zero.",
        )
    gains = [ndcg(run[key], judged[key]) for key in keys]
    recalls = [recall(run[key], judged[key]) for key in keys]
    return float(np.mean(gains)), float(np.mean(recalls))


def _gain(grades: Sequence[int]) -> float:
    return sum(grade / math.log2(rank + 1) for rank, grade in enumerate(grades, start=1))
