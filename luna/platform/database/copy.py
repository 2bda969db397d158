"""Arrays into tables through PostgreSQL's binary COPY, and out of them as array values.

Rows never become Python objects: a batch is one NumPy record array laid out as the wire wants it.
Source: PostgreSQL documentation, COPY, "Binary Format".
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg import sql
from psycopg.types.json import Jsonb
from sqlalchemy import Connection, Table
from sqlalchemy.dialects.postgresql import Insert, insert

from luna.platform.database import chunks

Array = NDArray[Any]
# An array holds one value per row, anything else is the value of every row.
Columns = Mapping[str, Array | str | int | datetime]
# What a stored row becomes: itself, the new one, or the new one with its unknown values taken from the stored.
OnConflict = Literal["keep", "replace", "complete"]

SIGNATURE = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
TRAILER = b"\xff\xff"
# Dimensions, flags, element type, length, lower bound.
ARRAY_HEADER_BYTES = 20
POSTGRES_EPOCH = np.datetime64("2000-01-01", "us")
_EPOCH: datetime = POSTGRES_EPOCH.astype(datetime).replace(tzinfo=UTC)
BATCH_ROWS = 32_768
_COMMA = sql.SQL(", ")
SQL_TYPES = {"f8": "float8", "i2": "int2", "i4": "int4", "i8": "int8", "b1": "bool"}


@dataclass(frozen=True, slots=True)
class Written:
    """What a bulk write did, in rows."""

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0

    def __add__(self, other: "Written") -> "Written":
        return Written(self.inserted + other.inserted, self.updated + other.updated, self.unchanged + other.unchanged)

    @property
    def rows(self) -> int:
        """Rows handed in."""
        return self.inserted + self.updated + self.unchanged


def upsert(connection: Connection, table: Table, columns: Columns, *, on_conflict: OnConflict = "replace") -> Written:
    """Write rows of which some may be stored already.

    New rows go straight into ``table``; where a key is already there, all go through a staging table.

    Args:
        columns: by column name ``float64`` (NaN: unknown), ``int16``/``32``/``64``, ``bool`` or ``datetime64`` (UTC) arrays of equal length, or one value for
            all rows. They hold the primary key, each key once; text (``S``) is quickest where equal values stand together.

    Invariants: writing the same rows twice changes nothing the second time.
    """
    arrays = _broadcast(columns)
    rows = len(next(iter(arrays.values())))
    if not rows:
        return Written()
    chunks.prepare(connection, table, arrays)
    try:
        with connection.begin_nested():
            append(connection, table.name, arrays)
    except psycopg.errors.UniqueViolation:
        return _upsert_staged(connection, _Upsert(table, arrays), on_conflict)
    return Written(inserted=rows)


def append(connection: Connection, table: str, columns: Columns) -> int:
    """Append rows to ``table``; a key that is already there is an error. Returns the number of rows."""
    arrays = {name: array for name, array in _broadcast(columns).items() if array.dtype.kind != "f" or not np.isnan(array).all()}
    with cursor(connection) as session:
        with session.copy(_copy_into(table, arrays)) as copy:
            copy.write(SIGNATURE)
            for rows in encode(arrays):
                copy.write(rows)
            copy.write(TRAILER)
        return session.rowcount


def _copy_into(table: str, columns: Iterable[str]) -> sql.Composed:
    return sql.SQL("COPY {} ({}) FROM STDIN (FORMAT binary)").format(sql.Identifier(table), identifiers(columns))


def _append_rows(connection: Connection, table: str, types: Mapping[str, str], rows: Sequence[Sequence[object]]) -> None:
    """Append rows of few, large values to ``table``, by the PostgreSQL ``types`` of the columns; a key that is already there is an error."""
    with cursor(connection) as session, session.copy(_copy_into(table, types)) as copy:
        copy.set_types(list(types.values()))
        for row in rows:
            copy.write_row(row)


def upsert_rows(
    connection: Connection, table: Table, types: Mapping[str, str], rows: Sequence[Mapping[str, Any]], *, on_conflict: Literal["keep", "replace"]
) -> None:
    """Store rows of few, large values, each by column, in the PostgreSQL ``types``; ``on_conflict`` says what becomes of one whose key is there."""
    if not rows:
        return
    if len(rows) > 1:
        copied = [[Jsonb(row[name]) if kind == "jsonb" and row[name] is not None else row[name] for name, kind in types.items()] for row in rows]
        with suppress(psycopg.errors.UniqueViolation), connection.begin_nested():
            _append_rows(connection, table.name, types, copied)
            return
    # One row, or rows of which some may be there: a COPY takes three turns with the server.
    connection.execute(_insert_rows(table, tuple(types), on_conflict), rows)


@cache
def _insert_rows(table: Table, names: Sequence[str], on_conflict: Literal["keep", "replace"]) -> Insert:
    # To put it together takes as long as one small row.
    write, keys = insert(table), table.primary_key.columns
    if on_conflict == "keep":
        return write.on_conflict_do_nothing()
    return write.on_conflict_do_update(index_elements=keys, set_={name: write.excluded[name] for name in names if name not in keys})


def read(connection: Connection, query: sql.Composable, types: Mapping[str, str]) -> dict[str, Array]:
    """Return the result of ``query`` as arrays.

    The server packs each column into one array value: a COPY would hand over row by row, three times as slow.

    Args:
        query: yields one column per entry of ``types``, none of them NULL: floats go through ``known``.
        types: name → ``f8``, ``i4``, ``i8`` or ``M8[s]`` (an instant in UTC), in the query's order.
    """
    with cursor(connection) as session:
        session.execute(sql.SQL("SELECT {} FROM ({}) AS rows ({})").format(packed(types), query, identifiers(types)), binary=True)
        result = session.pgresult
        cells = [result.get_value(0, place) if result else None for place in range(len(types))]
    return {name: _unpack(cell, kind) for cell, (name, kind) in zip(cells, types.items(), strict=True)}


def read_rows(connection: Connection, query: sql.Composed, kinds: Sequence[str]) -> list[tuple[Any, ...]]:
    """Return the rows of ``query`` whose values are few, and some of them long.

    Args:
        query: yields one column per entry of ``kinds``, none of them NULL.
        kinds: ``i4``, ``M8`` (an instant), ``f8[]`` or ``M8[s][]`` (arrays of floats, or of instants, free of NULL), in the query's order.
    """
    with cursor(connection) as session:
        session.execute(query, binary=True)
        result = session.pgresult
        places = range(result.ntuples) if result else ()
        return [tuple([_CELLS[kind](result.get_value(row, place) or b"") for place, kind in enumerate(kinds)]) for row in places if result]


def split(rows: Mapping[str, Array], *, by: int = 1) -> dict[int, dict[str, Array]]:
    """Return the result of a query by the values of its first column, integers; of each the other columns, in order of the next ``by`` - 1 of them.

    The server is not asked to order: rows that come along an index are in order already, and where they are not, arrays sort in a tenth of the time.
    """
    (_, keys), *columns = rows.items()
    order = _find_order([keys, *(values for _, values in columns[: by - 1])])
    if order is not None:
        keys, columns = keys[order], [(name, values[order]) for name, values in columns]
    edges = [0, *(np.flatnonzero(np.diff(keys)) + 1).tolist(), keys.size] if keys.size else [0]
    return {int(keys[first]): {name: values[first:end] for name, values in columns} for first, end in pairwise(edges)}


def _find_order(columns: Sequence[Array]) -> Array | None:
    """Return the order of rows by several columns, None where they stand in it."""
    same, ordered = np.ones(max(columns[0].size - 1, 0), dtype=bool), True
    for column in columns:
        step = np.diff(column.astype(np.int64, copy=False))
        ordered = ordered and not (same & (step < 0)).any()
        same &= step == 0
    return None if ordered else np.lexsort(columns[::-1])


def identifiers(names: Iterable[str]) -> sql.Composed:
    """Return names of columns as a list of a query."""
    return _COMMA.join(map(sql.Identifier, names))


def coalesced(*columns: str) -> sql.Composed:
    """Return expressions that give NaN where float ``columns`` are unknown: ``read`` needs elements of equal width."""
    return _COMMA.join(sql.SQL("coalesce({}, 'NaN')").format(sql.Identifier(column)) for column in columns)


def packed(columns: Iterable[str]) -> sql.Composed:
    """Return expressions that give each of ``columns`` as one array of all rows: handed over row by row they would cost twice as much."""
    return _COMMA.join(sql.SQL("array_agg({})").format(sql.Identifier(column)) for column in columns)


def encode(arrays: Mapping[str, Array]) -> Iterator[bytes]:
    """Yield rows in the binary format, without signature and trailer. NaN becomes NULL."""
    # Fields of one width make rows of one: text is written in runs of one value.
    texts = {name: array for name, array in arrays.items() if array.dtype.kind == "S" and array.strides != (0,)}
    edges = {0, len(next(iter(arrays.values())))}.union(*((np.flatnonzero(array[1:] != array[:-1]) + 1).tolist() for array in texts.values()))
    for first, end in pairwise(sorted(edges)):
        same = {name: np.broadcast_to(np.array(bytes(array[first])), end - first) for name, array in texts.items()}
        yield from _encode_run({name: array[first:end] for name, array in arrays.items()} | same)


def _encode_run(arrays: Mapping[str, Array]) -> Iterator[bytes]:
    wires = {name: _wire(array) for name, array in arrays.items()}
    total = len(next(iter(wires.values())))
    layout = [("fields", ">i2")]
    for name, wire in wires.items():
        layout += [(f"{name} length", ">i4"), (name, wire.dtype.newbyteorder(">").str)]
    batch = np.zeros(min(total, BATCH_ROWS), dtype=layout)
    batch["fields"] = len(wires)
    for first in range(0, total, BATCH_ROWS):
        rows = batch[: min(BATCH_ROWS, total - first)]
        yield _fill(rows, {name: wire[first : first + rows.size] for name, wire in wires.items()})


def _fill(rows: Array, wires: Mapping[str, Array]) -> bytes:
    unknown = {}
    for name, wire in wires.items():
        rows[name] = wire
        rows[f"{name} length"] = wire.itemsize
        if wire.dtype.kind == "f" and (missing := np.isnan(wire)).any():
            rows[f"{name} length"][missing] = -1
            unknown[name] = missing
    if not unknown:
        return rows.tobytes()
    # A NULL has a length of -1 and no bytes: cut its bytes out.
    keep = np.ones((rows.size, rows.itemsize), dtype=np.bool_)
    for name, missing in unknown.items():
        width, offset = rows.dtype.fields[name][0].itemsize, rows.dtype.fields[name][1]  # type: ignore[index]
        keep[missing, offset : offset + width] = False
    return rows.view(np.uint8).reshape(rows.size, rows.itemsize)[keep].tobytes()


class _Upsert:
    """The statements that carry a staging table into its target."""

    def __init__(self, table: Table, columns: Mapping[str, Array]) -> None:
        self.table = table
        self.columns = columns
        self.keys = [column.name for column in table.primary_key]
        self.values = [name for name in columns if name not in self.keys]

    def create_staging(self) -> sql.Composed:
        types = (sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(_sql_type(array))) for name, array in self.columns.items())
        return sql.SQL("CREATE TEMP TABLE staging ({}) ON COMMIT DROP").format(_COMMA.join(types))

    def insert(self) -> sql.Composed:
        names = identifiers(self.columns)
        # The anti-join passes over rows that are there faster than ON CONFLICT does, which is left with those that others are just adding.
        return sql.SQL(
            "INSERT INTO {table} ({names}) SELECT {names} FROM staging WHERE NOT EXISTS (SELECT FROM {table} WHERE {same}) ON CONFLICT DO NOTHING"
        ).format(table=sql.Identifier(self.table.name), names=names, same=self._same_key())

    def update(self, *, complete: bool) -> sql.Composed:
        """Return the statement that changes the rows whose values differ, and touches no other."""
        form = "coalesce({}, {})" if complete else "{}"
        fresh = {name: sql.SQL(form).format(*[_staged(name), self._stored(name)][: 1 + complete]) for name in self.values}
        return sql.SQL("UPDATE {table} SET {assigned} FROM staging WHERE {same} AND ROW({before}) IS DISTINCT FROM ROW({after})").format(
            table=sql.Identifier(self.table.name),
            assigned=_COMMA.join(sql.SQL("{} = {}").format(sql.Identifier(name), value) for name, value in fresh.items()),
            same=self._same_key(),
            before=_COMMA.join(map(self._stored, self.values)),
            after=_COMMA.join(fresh.values()),
        )

    def _same_key(self) -> sql.Composed:
        equal = [sql.SQL("{} = {}").format(self._stored(name), _staged(name)) for name in self.keys]
        return sql.SQL(" AND ").join([*equal, *(self._bound_key(name) for name in self.keys if _has_extremes(self.columns[name]))])

    def _bound_key(self, name: str) -> sql.Composed:
        # Constants tell the planner which part of the index matters; without them it reads the whole table.
        return sql.SQL("{} BETWEEN {} AND {}").format(self._stored(name), *_extremes(self.columns[name]))

    def _stored(self, name: str) -> sql.Identifier:
        return sql.Identifier(self.table.name, name)


def _upsert_staged(connection: Connection, statements: _Upsert, on_conflict: OnConflict) -> Written:
    rows = len(next(iter(statements.columns.values())))
    with cursor(connection) as session:
        session.execute(statements.create_staging())
        append(connection, "staging", statements.columns)
        session.execute(statements.insert())
        inserted, updated = session.rowcount, 0
        if on_conflict != "keep" and statements.values:
            session.execute(statements.update(complete=on_conflict == "complete"))
            updated = session.rowcount
        session.execute("DROP TABLE staging")
    return Written(inserted, updated, rows - inserted - updated)


def cursor(connection: Connection) -> psycopg.Cursor[Any]:
    """Return a cursor of the driver inside the connection's transaction, for what SQLAlchemy cannot say."""
    driver: psycopg.Connection[Any] | None = connection.connection.driver_connection
    if driver is None:
        raise psycopg.OperationalError("the connection is closed")
    return driver.cursor()


def _staged(name: str) -> sql.Identifier:
    return sql.Identifier("staging", name)


def _broadcast(columns: Columns) -> dict[str, Array]:
    rows = next(value.size for value in columns.values() if isinstance(value, np.ndarray))
    return {name: value if isinstance(value, np.ndarray) else np.broadcast_to(_scalar(value), rows) for name, value in columns.items()}


def _scalar(value: str | int | datetime) -> Array:
    if isinstance(value, str):
        return np.array(value.encode())
    if isinstance(value, datetime):
        return np.array(value.astimezone(UTC).replace(tzinfo=None), dtype="datetime64[us]")
    return np.array(value, dtype=np.int32)


def _has_extremes(array: Array) -> bool:
    # How text sorts is the database's choice; one text for all rows needs no order.
    return array.dtype.kind != "S" or array.strides == (0,)


def _extremes(array: Array) -> tuple[object, object]:
    if array.dtype.kind == "M":
        lowest, highest = (instant.astype("datetime64[us]").astype(datetime).replace(tzinfo=UTC) for instant in (array.min(), array.max()))
        return lowest, highest
    if array.dtype.kind == "S":
        return array[0].decode(), array[0].decode()
    return array.min().item(), array.max().item()


def _wire(array: Array) -> Array:
    return (array.astype("datetime64[us]") - POSTGRES_EPOCH).astype(np.int64) if array.dtype.kind == "M" else array


def _unpack(cell: bytes | None, kind: str) -> Array:
    """Return the elements of an array value; no rows make none. Source: PostgreSQL, array_send."""
    if cell is None:
        return np.empty(0, dtype=kind)
    wire, own = _element_types(kind)
    native = np.frombuffer(cell, dtype=wire, offset=ARRAY_HEADER_BYTES)["value"].astype(own)
    return (POSTGRES_EPOCH + native.astype("timedelta64[us]")).astype(kind) if kind.startswith("M") else native


@cache
def _element_types(kind: str) -> tuple[np.dtype[Any], np.dtype[Any]]:
    """Return an element as it comes, behind its length, and as it is worked with. To put a type together takes as long as to read an array."""
    own = np.dtype("i8" if kind.startswith("M") else kind)
    return np.dtype([("length", ">i4"), ("value", own.newbyteorder(">"))]), own


def _unpack_instant(cell: bytes) -> datetime:
    return _EPOCH + timedelta(microseconds=int.from_bytes(cell, "big", signed=True))


_CELLS: dict[str, Callable[[bytes], Any]] = {
    "i4": lambda cell: int.from_bytes(cell, "big", signed=True),
    "M8": _unpack_instant,
    "f8[]": lambda cell: _unpack(cell, "f8"),
    "M8[s][]": lambda cell: _unpack(cell, "M8[s]"),
}


def _sql_type(array: Array) -> str:
    return "text" if array.dtype.kind == "S" else "timestamptz" if array.dtype.kind == "M" else SQL_TYPES[array.dtype.str[1:]]
