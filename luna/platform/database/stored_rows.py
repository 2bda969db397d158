"""Rows that hold documents, each read apart: one that this release cannot read is left out of its list, stays as it is stored, and is named in the log."""

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

# What reading a document of another form ends with; a validation error is a ValueError.
UNREADABLE = (InvalidInputError, UnreadableError, LookupError, TypeError, ValueError, AttributeError)

MOST_FAULTS = 3

log = structlog.get_logger("luna.database")

# By what they are known and why they were left out, while somebody counts them.
LeftOut = dict[tuple[tuple[str, str], ...], str]
_COUNTED: ContextVar[LeftOut | None] = ContextVar("left_out", default=None)


@contextmanager
def count_left_out() -> Iterator[LeftOut]:
    """Collect the rows that are left out of lists while the context lasts, each once, instead of naming them in the log."""
    skipped: LeftOut = {}
    token = _COUNTED.set(skipped)
    try:
        yield skipped
    finally:
        _COUNTED.reset(token)


def read_each(rows: Iterable[RowT], read: Callable[[RowT], T]) -> list[T]:
    """Return what ``read`` makes of each row; one of which it makes nothing because of its form is left out and named in the log."""
    readable = []
    for row in rows:
        try:
            readable.append(read(row))
        except UNREADABLE as error:
            _note(row, error)
    return readable


def read_page(connection: Connection, query: Select[object], read: Callable[[RowMapping], T], *, limit: int) -> list[T]:
    """Return the first ``limit`` rows of a query that can be read: those that cannot do not shorten a page, which would look like the last one."""
    skipped = 0
    while True:
        rows = connection.execute(query.limit(limit + skipped)).mappings().all()
        readable = read_each(rows, read)
        unreadable = len(rows) - len(readable)
        if unreadable == skipped or len(rows) < limit + skipped:
            return readable
        skipped = unreadable


def _note(row: object, error: Exception) -> None:
    counted = _COUNTED.get()
    if counted is None:
        log.warning("a stored row cannot be read", row=_name(row), error=_explain(error))
    else:
        key = tuple(sorted(_name(row).items())) or (("number", str(len(counted) + 1)),)
        counted.setdefault(key, _explain(error))


def _explain(error: Exception) -> str:
    """Return what is wrong and where, without the values, which may be private."""
    if isinstance(error, ValidationError):
        faults = [f"{error.title}.{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors(include_url=False, include_input=False)]
        return "; ".join(faults[:MOST_FAULTS])
    return f"{type(error).__name__}: {error}"


def _name(row: object) -> dict[str, str]:
    """Return what a row is known by: its short plain values, never a document, which may be private."""
    fields = row.items() if isinstance(row, RowMapping) else ()
    return {str(name): str(value) for name, value in fields if str(name).endswith(("_id", "_key", "name", "day"))}
