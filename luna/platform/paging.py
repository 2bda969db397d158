"""Page lists by cursors.

A cursor holds the key of a page's last row, so that new rows do not shift later pages.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, TypeVar

from pydantic import Field

from luna.energy.errors import LunaError
from luna.energy.refusals import refuse
from luna.energy.timeline import Instant

RowT = TypeVar("RowT")
Key = Sequence[str | int]

Limit = Annotated[int, Field(ge=1, le=500, description="most rows of a page")]
Cursor = Annotated[
    str | None,
    Field(
        max_length=400,
        description="the previous page's cursor; default: the first page",
    ),
]
From = Annotated[
    Instant | None,
    Field(
        alias="from",
        description=("start, in the site's time zone; a day means its midnight"),
    ),
]
To = Annotated[
    Instant | None,
    Field(
        alias="to",
        description=("end, not included, in the site's time zone; a day means its midnight"),
    ),
]


def cut_page(
    rows: Sequence[RowT], *, limit: int, key: Callable[[RowT], Key]
) -> tuple[list[RowT], str | None]:
    """Return a page of ``limit`` rows and the next cursor, None on the last page.

    ``rows`` has one more row than the page where there is a next one.
    """
    page = list(rows[:limit])
    following = write_cursor(key(page[-1])) if len(rows) > limit else None
    return page, following


def write_cursor(key: Key) -> str:
    """Encode a row's key as a cursor."""
    return urlsafe_b64encode(json.dumps(list(key)).encode()).decode().rstrip("=")


def read_text(cursor: str | None) -> str | None:
    """Decode the cursor of a list that is sorted by a text.

    Raises:
        InvalidInputError: it is no cursor of such a list.
    """
    return None if cursor is None else _part(_read(cursor, 1)[0], str, cursor)


def read_number(cursor: str | None) -> int | None:
    """Decode the cursor of a list that is sorted by a number.

    Raises:
        InvalidInputError: it is no cursor of such a list.
    """
    return None if cursor is None else _part(_read(cursor, 1)[0], int, cursor)


def read_instant_and_text(cursor: str | None) -> tuple[datetime, str] | None:
    """Decode the cursor of a list sorted by instant, then text.

    Raises:
        InvalidInputError: it is no cursor of such a list.
    """
    if cursor is None:
        return None
    instant, text = _read(cursor, 2)
    try:
        at = datetime.fromisoformat(_part(instant, str, cursor))
    except ValueError as exc:
        raise _wrong(cursor) from exc
    if at.tzinfo is None:
        raise _wrong(cursor)
    return at, _part(text, str, cursor)


def _read(cursor: str, length: int) -> list[object]:
    try:
        parts = json.loads(urlsafe_b64decode(f"{cursor}===").decode())
    except (ValueError, RecursionError) as exc:
        raise _wrong(cursor) from exc
    if not isinstance(parts, list) or len(parts) != length:
        raise _wrong(cursor)
    return parts


PartT = TypeVar("PartT", str, int)


def _part(part: object, kind: type[PartT], cursor: str) -> PartT:
    # PostgreSQL stores no NUL, and no integer beyond 64 bits.
    if (
        type(part) is not kind
        or (isinstance(part, str) and ("\x00" in part or not part.isprintable()))
        or (isinstance(part, int) and abs(part) >= 2**63)
    ):
        raise _wrong(cursor)
    return part


def _wrong(cursor: str) -> LunaError:
    return refuse("no-cursor", field="cursor", value=cursor)
