"""Parse stored documents row by row.

An unreadable one is skipped, stays unchanged in the database, and is logged.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

import structlog
from pydantic import ValidationError
from sqlalchemy import Connection, RowMapping, Select

from luna.energy.errors import InvalidInputError, UnreadableError

T = TypeVar("T")
RowT = TypeVar("RowT")

# Errors of parsing a document of another form; a ValidationError is a ValueError.
UNREADABLE = (
    InvalidInputError,
    UnreadableError,
    LookupError,
    TypeError,
    ValueError,
    AttributeError,
)

MOST_FAULTS = 3

log = structlog.get_logger("luna.database")

# The fields that identify each skipped row, and why it was skipped, while ``collect_skipped_rows``
# runs.
SkippedRows = dict[tuple[tuple[str, str], ...], str]
_SKIPPED: ContextVar[SkippedRows | None] = ContextVar("skipped_rows", default=None)


@contextmanager
def collect_skipped_rows() -> Iterator[SkippedRows]:
    """Collect the rows that lists skip within the block, each once, instead of logging them."""
    skipped: SkippedRows = {}
    token = _SKIPPED.set(skipped)
    try:
        yield skipped
    finally:
        _SKIPPED.reset(token)


def read_each(rows: Iterable[RowT], read: Callable[[RowT], T]) -> list[T]:
    """Return each row as parsed by ``read``; unreadable rows are skipped and logged."""
    readable = []
    for row in rows:
        try:
            readable.append(read(row))
        except UNREADABLE as error:
            skipped = _SKIPPED.get()
            if skipped is None:
                log.warning("a stored row cannot be read", row=_name(row), error=_explain(error))
            else:
                key = tuple(sorted(_name(row).items())) or (("number", str(len(skipped) + 1)),)
                skipped.setdefault(key, _explain(error))
    return readable


def read_page(
    connection: Connection, query: Select[object], read: Callable[[RowMapping], T], *, limit: int
) -> list[T]:
    """Return the first ``limit`` readable rows of a query.

    Skipped rows must not shorten a page, which would look like the last one.
    """
    skipped = 0
    while True:
        rows = connection.execute(query.limit(limit + skipped)).mappings().all()
        readable = read_each(rows, read)
        unreadable = len(rows) - len(readable)
        if unreadable == skipped or len(rows) < limit + skipped:
            return readable
        skipped = unreadable


def _explain(error: Exception) -> str:
    """Return the error and its place, without values, which may be private."""
    if isinstance(error, ValidationError):
        faults = []
        for fault in error.errors(include_url=False, include_input=False):
            place = ".".join(map(str, fault["loc"]))
            faults.append(f"{error.title}.{place}: {fault['msg']}")
        return "; ".join(faults[:MOST_FAULTS])
    return f"{type(error).__name__}: {error}"


def _name(row: object) -> dict[str, str]:
    """Return the short plain values that identify a row.

    Never a document, which may be private.
    """
    if not isinstance(row, RowMapping):
        return {}
    identifying = ("_id", "_key", "name", "day")
    return {str(name): str(value) for name, value in row.items() if str(name).endswith(identifying)}
