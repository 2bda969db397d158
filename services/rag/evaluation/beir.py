"""Reads a set in BEIR layout: ``corpus.jsonl``, ``queries.jsonl`` and ``qrels.tsv`` or ``qrels/test.tsv``.

Source: Thakur et al., "BEIR: A heterogeneous benchmark for zero-shot evaluation of information retrieval models", 2021, and its wiki on data sets.
"""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from luna.contracts.documents import DocumentLanguage
from luna.energy.errors import InvalidInputError

_HEADER = ("query-id", "corpus-id", "score")
_JUDGED_IN = ("qrels/test.tsv", "qrels.tsv")


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
        InvalidInputError: a file is missing or a line of it cannot be read; the field names file and line.
    """
    path = _find(folder, "corpus.jsonl")
    for where, row in _rows(path):
        language = row.get("language") or (row.get("metadata") or {}).get("language")
        yield SetPassage(_text(row, "_id", where), str(row.get("title") or ""), _text(row, "text", where), language if language in {"de", "en"} else None)


def read_queries(folder: Path) -> dict[str, str]:
    """Return the questions by id.

    Raises:
        InvalidInputError: as in ``read_passages``; an id stands twice.
    """
    queries: dict[str, str] = {}
    for where, row in _rows(_find(folder, "queries.jsonl")):
        key = _text(row, "_id", where)
        if key in queries:
            raise InvalidInputError("this id stood on a line before", field=where, value=key, remedy="Give each question an id of its own.")
        queries[key] = _text(row, "text", where)
    return queries


def read_judgements(folder: Path) -> dict[str, dict[str, int]]:
    """Return the relevance of passages by question; a first line of names is left out.

    Raises:
        InvalidInputError: as in ``read_passages``.
    """
    path = _find(folder, *_JUDGED_IN)
    judged: dict[str, dict[str, int]] = {}
    for number, row in enumerate(csv.reader(_lines(path), delimiter="\t", quoting=csv.QUOTE_NONE), start=1):
        if not row or (number == 1 and row[-1].strip().lower() in {"score", "relevance"}):
            continue
        where, remedy = f"{path}:{number}", f"Write three columns with tabs between them: {', '.join(_HEADER)}."
        if len(row) != len(_HEADER):
            raise InvalidInputError(f"a line has {len(row)} columns, not 3", field=where, value="\t".join(row)[:80], remedy=remedy)
        query, passage, grade = row
        try:
            judged.setdefault(query, {})[passage] = int(grade)
        except ValueError:
            raise InvalidInputError("the relevance is no whole number", field=where, value=grade, remedy=remedy) from None
    return judged


def _find(folder: Path, *names: str) -> Path:
    for name in names:
        if (folder / name).is_file():
            return folder / name
    words = " or ".join(names)
    raise InvalidInputError(f"the set has no {words}", field=str(folder), remedy="Name a folder with corpus.jsonl, queries.jsonl and qrels/test.tsv.")


def _rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each line's place and content."""
    for number, line in enumerate(_lines(path), start=1):
        if line.strip():
            where = f"{path}:{number}"
            remedy = 'Write one JSON object per line, such as {"_id": "1", "text": "…"}.'
            try:
                row = json.loads(line)
            except (ValueError, RecursionError) as exc:
                raise InvalidInputError(f"the line is not JSON: {exc}", field=where, remedy=remedy) from exc
            if not isinstance(row, dict):
                raise InvalidInputError("the line is no JSON object", field=where, value=line.strip()[:80], remedy=remedy)
            yield where, row


def _text(row: dict[str, Any], name: str, where: str) -> str:
    value = row.get(name)
    if isinstance(value, int) and name == "_id" and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str) or (name == "_id" and not value):
        raise InvalidInputError(f"{name} is missing, or no text", field=where, value=value, remedy=f"Give the line a field {name} that is text.")
    return value


def _lines(path: Path) -> Iterator[str]:
    try:
        with path.open(encoding="utf-8-sig") as file:
            yield from file
    except UnicodeDecodeError as exc:
        raise InvalidInputError("the file is not UTF-8", field=str(path), remedy="Store it as UTF-8.") from exc
    except OSError as exc:
        raise InvalidInputError(f"the file cannot be read: {exc.strerror}", field=str(path), remedy="Let Luna read it.") from exc
