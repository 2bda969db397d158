"""Transfer NumPy arrays in bulk.

They go into tables by binary COPY, and come out of queries as array values.

Rows never become Python objects: a batch is one NumPy record array in the wire format.
Source: PostgreSQL documentation, COPY, "Binary Format".
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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

from luna.energy.timeline import to_utc
from luna.platform.database import chunks

Array = NDArray[Any]
# An array has one value per row; a scalar applies to all rows.
Columns = Mapping[str, Array | str | int | datetime]
# On an existing key: keep the stored row, replace it, or replace only where the new value is known.
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
    """Rows inserted, updated and unchanged by a bulk write."""

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0

    def __add__(self, other: "Written") -> "Written":
        return Written(
            self.inserted + other.inserted,
            self.updated + other.updated,
            self.unchanged + other.unchanged,
        )

    @property
    def rows(self) -> int:
        """All rows that were passed."""
        return self.inserted + self.updated + self.unchanged


def upsert(
    connection: Connection, table: Table, columns: Columns, *, on_conflict: OnConflict = "replace"
) -> Written:
    """Insert rows, and apply ``on_conflict`` to those whose key exists.

    New rows are copied straight into ``table``; where any key exists, all go through a staging
    table.

    Args:
        columns: by column name ``float64`` (NaN: unknown), ``int16``/``32``/``64``, ``bool`` or
            ``datetime64`` (UTC) arrays of equal length, or one value for all rows. They include the
            primary key, each key once; text (``S``) is fastest with equal values adjacent.

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
    """Append rows to ``table`` and return their number; an existing key raises."""
    arrays = {}
    for name, array in _broadcast(columns).items():
        is_unknown = array.dtype.kind == "f" and np.isnan(array).all()
        # A column that is left out is NULL.
        if not is_unknown:
            arrays[name] = array
    with cursor(connection) as session:
        with session.copy(_copy_into(table, arrays)) as copy:
            copy.write(SIGNATURE)
            for rows in encode(arrays):
                copy.write(rows)
            copy.write(TRAILER)
        return session.rowcount


def _copy_into(table: str, columns: Iterable[str]) -> sql.Composed:
    return sql.SQL("COPY {} ({}) FROM STDIN (FORMAT binary)").format(
        sql.Identifier(table), identifiers(columns)
    )


def _append_rows(
    connection: Connection, table: str, types: Mapping[str, str], rows: Sequence[Mapping[str, Any]]
) -> None:
    """Append rows of few, large values to ``table``, with the columns' PostgreSQL ``types``.

    An existing key raises.
    """
    with cursor(connection) as session, session.copy(_copy_into(table, types)) as copy:
        copy.set_types(list(types.values()))
        for row in rows:
            values = []
            for name, kind in types.items():
                value = row[name]
                if kind == "jsonb" and value is not None:
                    value = Jsonb(value)
                values.append(value)
            copy.write_row(values)


def upsert_rows(
    connection: Connection,
    table: Table,
    types: Mapping[str, str],
    rows: Sequence[Mapping[str, Any]],
    *,
    on_conflict: Literal["keep", "replace"],
) -> None:
    """Store rows of few, large values, each by column, with the PostgreSQL ``types``.

    ``on_conflict`` applies to existing keys.
    """
    if not rows:
        return
    # For one row COPY would take three round trips.
    if len(rows) > 1:
        try:
            with connection.begin_nested():
                _append_rows(connection, table.name, types, rows)
        except psycopg.errors.UniqueViolation:
            pass
        else:
            return
    connection.execute(_insert_rows(table, tuple(types), on_conflict), rows)


@cache
def _insert_rows(
    table: Table, names: Sequence[str], on_conflict: Literal["keep", "replace"]
) -> Insert:
    # Cached: building the statement takes as long as inserting one small row.
    write = insert(table)
    keys = table.primary_key.columns
    if on_conflict == "keep":
        return write.on_conflict_do_nothing()
    new_values = {name: write.excluded[name] for name in names if name not in keys}
    return write.on_conflict_do_update(index_elements=keys, set_=new_values)


def read(
    connection: Connection, query: sql.Composable, types: Mapping[str, str]
) -> dict[str, Array]:
    """Return the result of ``query`` as arrays.

    The server packs each column into one array value; COPY would send row by row, three times as
    slow.

    Args:
        query: yields one column per entry of ``types``, without NULL: see ``coalesced``.
        types: name → ``f8``, ``i4``, ``i8`` or ``M8[s]`` (an instant in UTC), in the query's order.
    """
    statement = sql.SQL("SELECT {} FROM ({}) AS rows ({})").format(
        packed(types), query, identifiers(types)
    )
    with cursor(connection) as session:
        session.execute(statement, binary=True)
        result = session.pgresult
    arrays = {}
    for place, (name, kind) in enumerate(types.items()):
        cell = result.get_value(0, place) if result else None
        arrays[name] = _unpack(cell, kind)
    return arrays


def read_rows(
    connection: Connection, query: sql.Composed, kinds: Sequence[str]
) -> list[tuple[Any, ...]]:
    """Return the rows of ``query``: few values each, some of them long arrays.

    Args:
        query: yields one column per entry of ``kinds``, without NULL.
        kinds: ``i4``, ``M8`` (an instant), ``f8[]`` or ``M8[s][]`` (arrays of floats, or of
            instants, without NULL), in the query's order.
    """
    with cursor(connection) as session:
        session.execute(query, binary=True)
        result = session.pgresult
    if result is None:
        return []
    unpackers = [_CELLS[kind] for kind in kinds]
    rows = []
    for row in range(result.ntuples):
        cells = [result.get_value(row, place) or b"" for place in range(len(kinds))]
        rows.append(tuple(unpack(cell) for unpack, cell in zip(unpackers, cells, strict=True)))
    return rows


def split(rows: Mapping[str, Array], *, by: int = 1) -> dict[int, dict[str, Array]]:
    """Group the result of a query by its first column, integers.

    Each group holds the other columns, sorted by the next ``by`` - 1 of them.

    Sorting here instead of in the server: rows from an index are sorted already, and otherwise
    arrays sort in a tenth of the time.
    """
    columns = list(rows.values())
    order = _find_order(columns[:by])
    if order is not None:
        columns = [values[order] for values in columns]
    keys, *others = columns
    if not keys.size:
        return {}
    _, *names = rows
    changes = np.flatnonzero(np.diff(keys)) + 1
    groups = {}
    for first, end in pairwise([0, *changes.tolist(), keys.size]):
        parts = [values[first:end] for values in others]
        groups[int(keys[first])] = dict(zip(names, parts, strict=True))
    return groups


def _find_order(columns: Sequence[Array]) -> Array | None:
    """Return the permutation that sorts rows by several columns; None: they are sorted."""
    # Whether a row equals the one before it in the columns so far.
    same = np.ones(max(columns[0].size - 1, 0), dtype=bool)
    is_sorted = True
    for column in columns:
        step = np.diff(column.astype(np.int64, copy=False))
        is_sorted = is_sorted and not (same & (step < 0)).any()
        same &= step == 0
    if is_sorted:
        return None
    # NumPy sorts by the last key first.
    return np.lexsort(list(reversed(columns)))


def identifiers(names: Iterable[str]) -> sql.Composed:
    """Return column names as an SQL list."""
    return _COMMA.join(map(sql.Identifier, names))


def coalesced(*columns: str) -> sql.Composed:
    """Return SQL expressions of float ``columns``, NaN instead of NULL.

    ``read`` needs elements of equal width.
    """
    expressions = [
        sql.SQL("coalesce({}, 'NaN')").format(sql.Identifier(column)) for column in columns
    ]
    return _COMMA.join(expressions)


def packed(columns: Iterable[str]) -> sql.Composed:
    """Return SQL expressions that aggregate each of ``columns`` into one array.

    Row by row the transfer would cost twice as much.
    """
    arrays = [sql.SQL("array_agg({})").format(sql.Identifier(column)) for column in columns]
    return _COMMA.join(arrays)


def encode(arrays: Mapping[str, Array]) -> Iterator[bytes]:
    """Yield rows in the binary format, without signature and trailer. NaN becomes NULL."""
    # Rows of equal width need fields of equal width: text is encoded in runs of one value.
    texts = {}
    edges = {0, len(next(iter(arrays.values())))}
    for name, array in arrays.items():
        if array.dtype.kind == "S" and not _is_constant(array):
            texts[name] = array
            changes = np.flatnonzero(array[1:] != array[:-1]) + 1
            edges.update(changes.tolist())
    for first, end in pairwise(sorted(edges)):
        run = {name: array[first:end] for name, array in arrays.items()}
        for name, array in texts.items():
            run[name] = np.broadcast_to(np.array(bytes(array[first])), end - first)
        yield from _encode_run(run)


def _encode_run(arrays: Mapping[str, Array]) -> Iterator[bytes]:
    wires = {name: _wire(array) for name, array in arrays.items()}
    total = len(next(iter(wires.values())))
    layout = [("fields", ">i2")]
    for name, wire in wires.items():
        layout += [(f"{name} length", ">i4"), (name, wire.dtype.newbyteorder(">").str)]
    batch = np.zeros(min(total, BATCH_ROWS), dtype=layout)
    batch["fields"] = len(wires)
    for first in range(0, total, BATCH_ROWS):
        end = min(first + BATCH_ROWS, total)
        rows = batch[: end - first]
        yield _fill(rows, {name: wire[first:end] for name, wire in wires.items()})


def _fill(rows: Array, wires: Mapping[str, Array]) -> bytes:
    nulls = {}
    for name, wire in wires.items():
        rows[name] = wire
        rows[f"{name} length"] = wire.itemsize
        if wire.dtype.kind != "f":
            continue
        is_null = np.isnan(wire)
        if is_null.any():
            rows[f"{name} length"][is_null] = -1
            nulls[name] = is_null
    if not nulls:
        return rows.tobytes()
    # A NULL has length -1 and no bytes: remove its bytes.
    keep = np.ones((rows.size, rows.itemsize), dtype=np.bool_)
    for name, is_null in nulls.items():
        column, offset = rows.dtype.fields[name][:2]  # type: ignore[index]
        width = column.itemsize
        keep[is_null, offset : offset + width] = False
    return rows.view(np.uint8).reshape(rows.size, rows.itemsize)[keep].tobytes()


class _Upsert:
    """The statements that move a staging table into its target."""

    def __init__(self, table: Table, columns: Mapping[str, Array]) -> None:
        self.table = table
        self.columns = columns
        self.keys = [column.name for column in table.primary_key]
        self.values = [name for name in columns if name not in self.keys]

    def create_staging(self) -> sql.Composed:
        types = (
            sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(_sql_type(array)))
            for name, array in self.columns.items()
        )
        return sql.SQL("CREATE TEMP TABLE staging ({}) ON COMMIT DROP").format(_COMMA.join(types))

    def insert(self) -> sql.Composed:
        names = identifiers(self.columns)
        # The anti-join skips existing rows faster than ON CONFLICT, which handles only those of
        # concurrent transactions.
        return sql.SQL(
            "INSERT INTO {table} ({names}) SELECT {names} FROM staging WHERE NOT EXISTS "
            "(SELECT FROM {table} WHERE {same}) ON CONFLICT DO NOTHING"
        ).format(table=sql.Identifier(self.table.name), names=names, same=self._same_key())

    def update(self, *, complete: bool) -> sql.Composed:
        """Return the statement that updates rows with other values."""
        stored_values = []
        fresh_values = []
        assigned = []
        for name in self.values:
            stored = self._stored(name)
            fresh: sql.Composable = _staged(name)
            if complete:
                # A value that is not known any more stays as it was.
                fresh = sql.SQL("coalesce({}, {})").format(fresh, stored)
            stored_values.append(stored)
            fresh_values.append(fresh)
            assigned.append(sql.SQL("{} = {}").format(sql.Identifier(name), fresh))
        return sql.SQL(
            "UPDATE {table} SET {assigned} FROM staging WHERE {same} AND ROW({before}) IS "
            "DISTINCT FROM ROW({after})"
        ).format(
            table=sql.Identifier(self.table.name),
            assigned=_COMMA.join(assigned),
            same=self._same_key(),
            before=_COMMA.join(stored_values),
            after=_COMMA.join(fresh_values),
        )

    def _same_key(self) -> sql.Composed:
        conditions = []
        for name in self.keys:
            stored = self._stored(name)
            conditions.append(sql.SQL("{} = {}").format(stored, _staged(name)))
            values = self.columns[name]
            # With constants PostgreSQL scans only that part of the index; without them it reads
            # the whole table. The order of text depends on the database; a single one needs none.
            if values.dtype.kind != "S" or _is_constant(values):
                bounds = sql.SQL("{} BETWEEN {} AND {}")
                conditions.append(bounds.format(stored, *_extremes(values)))
        return sql.SQL(" AND ").join(conditions)

    def _stored(self, name: str) -> sql.Identifier:
        return sql.Identifier(self.table.name, name)


def _upsert_staged(connection: Connection, statements: _Upsert, on_conflict: OnConflict) -> Written:
    rows = len(next(iter(statements.columns.values())))
    with cursor(connection) as session:
        session.execute(statements.create_staging())
        append(connection, "staging", statements.columns)
        session.execute(statements.insert())
        inserted = session.rowcount
        updated = 0
        if on_conflict != "keep" and statements.values:
            session.execute(statements.update(complete=on_conflict == "complete"))
            updated = session.rowcount
        session.execute("DROP TABLE staging")
    return Written(inserted, updated, rows - inserted - updated)


def cursor(connection: Connection) -> psycopg.Cursor[Any]:
    """Return a psycopg cursor in the transaction, for statements beyond SQLAlchemy."""
    driver: psycopg.Connection[Any] | None = connection.connection.driver_connection
    if driver is None:
        raise psycopg.OperationalError("the connection is closed")
    return driver.cursor()


def _staged(name: str) -> sql.Identifier:
    return sql.Identifier("staging", name)


def _broadcast(columns: Columns) -> dict[str, Array]:
    rows = next(value.size for value in columns.values() if isinstance(value, np.ndarray))
    arrays = {}
    for name, value in columns.items():
        if isinstance(value, np.ndarray):
            arrays[name] = value
        else:
            arrays[name] = np.broadcast_to(_scalar(value), rows)
    return arrays


def _scalar(value: str | int | datetime) -> Array:
    if isinstance(value, str):
        return np.array(value.encode())
    if isinstance(value, datetime):
        return np.array(value.astimezone(UTC).replace(tzinfo=None), dtype="datetime64[us]")
    return np.array(value, dtype=np.int32)


def _is_constant(array: Array) -> bool:
    """Return whether an array is one value, broadcast to all rows."""
    return array.strides == (0,)


def _extremes(array: Array) -> tuple[object, object]:
    if array.dtype.kind == "M":
        return to_utc(array.min()), to_utc(array.max())
    if array.dtype.kind == "S":
        text = array[0].decode()
        return text, text
    return array.min().item(), array.max().item()


def _wire(array: Array) -> Array:
    if array.dtype.kind == "M":
        return (array.astype("datetime64[us]") - POSTGRES_EPOCH).astype(np.int64)
    return array


def _unpack(cell: bytes | None, kind: str) -> Array:
    """Return the elements of a binary array value.

    NULL is empty. Source: PostgreSQL, array_send.
    """
    if cell is None:
        return np.empty(0, dtype=kind)
    wire, native_type = _element_types(kind)
    elements = np.frombuffer(cell, dtype=wire, offset=ARRAY_HEADER_BYTES)
    native = elements["value"].astype(native_type)
    if kind.startswith("M"):
        return (POSTGRES_EPOCH + native.astype("timedelta64[us]")).astype(kind)
    return native


@cache
def _element_types(kind: str) -> tuple[np.dtype[Any], np.dtype[Any]]:
    """Return an element's wire type, with its length, and its native type.

    Cached: building them takes as long as reading an array.
    """
    native = np.dtype("i8" if kind.startswith("M") else kind)
    return np.dtype([("length", ">i4"), ("value", native.newbyteorder(">"))]), native


def _unpack_instant(cell: bytes) -> datetime:
    return _EPOCH + timedelta(microseconds=int.from_bytes(cell, "big", signed=True))


def _unpack_integer(cell: bytes) -> int:
    return int.from_bytes(cell, "big", signed=True)


_CELLS: dict[str, Callable[[bytes], Any]] = {
    "i4": _unpack_integer,
    "M8": _unpack_instant,
    "f8[]": lambda cell: _unpack(cell, "f8"),
    "M8[s][]": lambda cell: _unpack(cell, "M8[s]"),
}


def _sql_type(array: Array) -> str:
    if array.dtype.kind == "S":
        return "text"
    if array.dtype.kind == "M":
        return "timestamptz"
    return SQL_TYPES[array.dtype.str[1:]]
