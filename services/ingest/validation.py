"""Checks of a file's rows: they are accepted, whole or in part, or rejected with a fault. Pure."""

import json
import math
from dataclasses import dataclass, field

import polars as pl

from luna.energy.row_fault import RowFault
from services.ingest.file_schema import KINDS, Bounds, FileSchema
from services.ingest.instants import NAIVE, SKIPPED, UNREADABLE, InstantReader

# Words for an unknown value in tables and home automations; the second kind comes from a sensor.
UNKNOWN_WORDS = ("unknown", "unavailable", "none", "null", "n/a", "-")
SILENT_WORDS = ("unknown", "unavailable")
SWITCHED = {"on": 1.0, "off": 0.0}
DECIMAL_COMMA = r"^[+-]?\d*,\d+$"
ROUNDED = "a value just beyond its bounds, rounded to them"
# Columns that identify a value.
IDENTIFYING = {"instant"}
for _kind in KINDS.values():
    IDENTIFYING.update((_kind.time, *_kind.keys))
ESTIMATED = RowFault("estimated")
EMPTY = RowFault("no_value")
REPEATED_HOUR = "a local time that the clock shows twice, told apart by order"


@dataclass(frozen=True, slots=True)
class RowVerdict:
    """The accepted and rejected rows of a batch.

    ``accepted`` has ``line``, ``instant`` and the kind's keys, series and notes that the file has.
    If some rows hold a bad value beside good ones, it also has ``doubt`` and ``refused`` as
    ``refuse_values`` gives them. ``rejected`` has ``line``, ``fault``, ``raw`` (both JSON) and
    ``instant`` if the time could be read. ``repaired`` counts accepted rows by repair.
    """

    accepted: pl.DataFrame
    rejected: pl.DataFrame
    repaired: dict[str, int] = field(default_factory=dict)


def judge(rows: pl.DataFrame, kind: FileSchema, clock: InstantReader) -> RowVerdict:
    """Separate usable rows, whole or without their bad values, from rejected ones.

    Args:
        rows: Luna's columns, as text or typed, and ``line``.
        clock: reads the times; it remembers the batches before.

    Invariants: every row is either accepted or rejected; an accepted row holds a value.
    """
    sensor = rows["sensor"] if "sensor" in rows.columns else None
    times = clock.read(rows[kind.time], series=sensor)
    keys = []
    faults = [times["fault"]]
    for name, form in kind.keys.items():
        if name in rows.columns:
            key = _read_key(rows[name], form, clock)
            keys.append(key[name])
            faults.append(key["fault"])
    values = []
    doubts = []
    roundings = []
    for name, bounds in kind.series.items():
        if name in rows.columns:
            numbers = _read_numbers(rows[name], bounds, silent=kind.sampled, complete=kind.complete)
            values.append(numbers[name])
            doubts.append(numbers["fault"].alias(name))
            roundings.append(numbers["rounded"])
    doubts_by_series = pl.DataFrame(doubts)
    faults.append(_fault_without_value(pl.DataFrame(values), doubts_by_series))
    if "estimated" in kind.shares and "estimated" in rows.columns:
        faults.append(_fault_of_estimate(rows["estimated"]))
    fault = pl.select(pl.coalesce([codes.cast(pl.String) for codes in faults])).to_series()
    rounded = pl.select(pl.any_horizontal(*roundings)).to_series()
    notes = [rows[name].cast(pl.String) for name in kind.notes if name in rows.columns]
    judged = pl.DataFrame([rows["line"], times["instant"], *keys, *values, *notes])
    judged = judged.with_columns(fault.alias("fault"), times["resolved"], rounded.alias("rounded"))
    rows = _with_instants(rows, times["instant"])
    is_bad = judged["fault"].is_not_null()
    good = judged.filter(~is_bad)
    accepted = refuse_values(
        good.drop("fault", "resolved", "rounded"),
        doubts_by_series.filter(~is_bad),
        written=rows.filter(~is_bad),
    )
    bad = judged.filter(is_bad)
    rejected = describe_rejected(bad["fault"], rows.filter(is_bad)).with_columns(bad["instant"])
    counts = {REPEATED_HOUR: int(good["resolved"].sum()), ROUNDED: int(good["rounded"].sum())}
    repaired = {repair: count for repair, count in counts.items() if count}
    return RowVerdict(accepted, rejected, repaired)


def _read_key(cells: pl.Series, form: str, clock: InstantReader) -> pl.DataFrame:
    """Return a column of keys, and ``fault``."""
    name = cells.name
    if form == "instant":
        of_column = {}
        for fault in (UNREADABLE, NAIVE, SKIPPED):
            of_column[fault.text] = RowFault.of(fault.code, column=name).text
        key_fault = pl.col("fault").replace_strict(of_column, default=None, return_dtype=pl.String)
        instants = InstantReader(clock.zone).read(cells)
        return instants.select(pl.col("instant").alias(name), key_fault)
    text = pl.col(name).cast(pl.String).str.strip_chars()
    missing = pl.lit(RowFault.of("missing", series=name).text)
    key_fault = pl.when(text.is_null() | (text == "")).then(missing)
    return pl.DataFrame(cells).select(text, key_fault.alias("fault"))


def _fault_without_value(values: pl.DataFrame, doubts: pl.DataFrame) -> pl.Series:
    """Return the fault of each row without any value, null for other rows."""
    empty = values.select(pl.all_horizontal(pl.all().is_null())).to_series()
    fault = pl.coalesce(*doubts, pl.lit(EMPTY.text))
    return pl.select(pl.when(empty).then(fault)).to_series()


def _fault_of_estimate(estimated: pl.Series) -> pl.Series:
    """Return a fault for rows that are in part filled to a meter's total: no measurements."""
    share = estimated.cast(pl.String).str.to_lowercase()
    has_share = share.cast(pl.Float64, strict=False).fill_null(0.0) > 0
    is_estimated = has_share | (share.fill_null("") == "true")
    return pl.select(pl.when(is_estimated).then(pl.lit(ESTIMATED.text))).to_series()


def _with_instants(rows: pl.DataFrame, instants: pl.Series) -> pl.DataFrame:
    """Return rows with the instants as they were read, because the file's zone is not stored."""
    texts = [instants.cast(pl.String)]
    if "instant" in rows.columns:
        texts.append(rows["instant"].cast(pl.String))
    return rows.with_columns(pl.select(pl.coalesce(*texts)).to_series().alias("instant"))


def describe_rejected(fault: pl.Series, rows: pl.DataFrame) -> pl.DataFrame:
    """Return ``line``, ``fault`` and ``raw`` (the row as JSON) of refused rows."""
    cells = pl.struct(pl.exclude("line").cast(pl.String))
    described = rows.select("line", cells.struct.json_encode().alias("raw"))
    return described.with_columns(fault.alias("fault"))


def refuse_values(
    rows: pl.DataFrame, doubts: pl.DataFrame, *, written: pl.DataFrame
) -> pl.DataFrame:
    """Return the rows without their refused values.

    If there are any, ``doubt`` has the fault and ``refused`` the values, both JSON.

    Args:
        doubts: by series the fault of each refused value, null for others.
        written: the rows as they came; ``refused`` keeps of them the refused values and the cells
            that identify them.

    Invariants: values that were refused before stay so.
    """
    fault = doubts.select(pl.coalesce(pl.all().cast(pl.String))).to_series()
    doubted = fault.is_not_null()
    if not doubted.any():
        return rows
    nothing = pl.repeat(None, rows.height, dtype=pl.String, eager=True)
    before = rows["doubt"] if "doubt" in rows.columns else nothing
    refused_before = rows["refused"] if "refused" in rows.columns else nothing
    identifying = [name for name in written.columns if name in IDENTIFYING]
    columns = pl.col(*identifying, *doubts.columns).cast(pl.String)
    refused_rows = zip(
        written.filter(doubted).select(columns).iter_rows(named=True),
        doubts.filter(doubted).iter_rows(named=True),
        refused_before.filter(doubted),
        strict=True,
    )
    texts = []
    for cells, faults, earlier in refused_rows:
        chosen = [name for name in cells if name in identifying or faults[name]]
        refused_now = {name: cells[name] for name in chosen}
        texts.append(json.dumps(refused_now | json.loads(earlier or "{}"), ensure_ascii=False))
    # A copy, because it is changed in place.
    refused = nothing.clone().scatter(doubted.arg_true(), pl.Series(texts, dtype=pl.String))
    if "refused" in rows.columns:
        refused = pl.select(pl.coalesce(refused, rows["refused"])).to_series()
    undoubted = []
    for name in doubts.columns:
        undoubted.append(pl.when(doubts[name].is_null()).then(pl.col(name)).alias(name))
    doubt = pl.select(pl.coalesce(before, fault)).to_series().alias("doubt")
    return rows.with_columns(*undoubted, doubt, refused.alias("refused"))


def take_refused(rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the rows, and ``line``, ``fault`` and ``raw`` of the values refused in them."""
    if "doubt" not in rows.columns:
        nothing = pl.Series(dtype=pl.String)
        return rows, pl.DataFrame({"line": rows["line"].clear(), "fault": nothing, "raw": nothing})
    doubted = rows.filter(pl.col("doubt").is_not_null())
    refused = doubted.select("line", fault="doubt", raw="refused")
    return rows.drop("doubt", "refused"), refused


def describe_refused(rows: pl.DataFrame) -> pl.DataFrame:
    """Return rejected rows as ``describe_rejected`` does, with the values refused before."""
    whole, refused = take_refused(rows.drop("fault"))
    described = describe_rejected(rows["fault"], whole)
    written = dict(refused.select("line", "raw").iter_rows())
    if not written:
        return described
    raws = []
    for line, raw in described.select("line", "raw").iter_rows():
        cells = json.loads(raw) | json.loads(written.get(line, "{}"))
        raws.append(json.dumps(cells, ensure_ascii=False))
    return described.with_columns(pl.Series("raw", raws, dtype=pl.String))


def _read_numbers(
    cells: pl.Series, bounds: Bounds, *, silent: bool, complete: bool
) -> pl.DataFrame:
    """Return the numbers under the column's name, ``fault`` and ``rounded``.

    A number is null if it is unknown or refused.

    Args:
        silent: sensors report: their words for unknown are the value NaN, and ``SWITCHED`` are
            numbers.
        complete: a missing value is a fault.
    """
    name = cells.name

    def because(code: str, **figures: str | float) -> pl.Expr:
        return pl.lit(RowFault.of(code, series=name, **figures).text)

    value = pl.col("number")
    word = pl.col("word")
    if silent:
        switched = word.replace_strict(SWITCHED, default=None, return_dtype=pl.Float64)
        value = pl.coalesce("number", switched)
    has_other_word = value.is_null() & (word != "")
    limited = value.clip(bounds.lowest, bounds.highest)
    is_near = (value - limited).abs() <= bounds.rounding
    rounded = value.is_finite() & (value != limited) & is_near
    fault = (
        pl.when(has_other_word & word.str.contains(DECIMAL_COMMA))
        .then(because("decimal_comma"))
        .when(has_other_word & ~word.is_in(UNKNOWN_WORDS))
        .then(because("no_number"))
        .when(~value.is_finite())
        .then(because("not_finite"))
        .when((value < bounds.lowest) & ~rounded)
        .then(because("below", limit=bounds.lowest, hint=bounds.hint))
        .when((value > bounds.highest) & ~rounded)
        .then(because("above", limit=bounds.highest, hint=bounds.hint))
    )
    is_silent = word.is_in(SILENT_WORDS) & silent
    accepted = pl.when(rounded).then(limited).when(is_silent).then(math.nan).otherwise(value)
    missing = pl.when(accepted.is_null() & pl.lit(complete)).then(because("missing"))
    numbers = _split_cells(cells).select(
        accepted.alias(name),
        pl.coalesce(fault, missing).alias("fault"),
        rounded.fill_null(value=False).alias("rounded"),
    )
    return numbers.with_columns(pl.when(pl.col("fault").is_null()).then(pl.col(name)).alias(name))


def _split_cells(cells: pl.Series) -> pl.DataFrame:
    """Return ``number``, null where there is none, and ``word``, the lower-case text instead."""
    word = pl.repeat("", len(cells), eager=True)
    if cells.dtype.is_numeric():
        number = cells.cast(pl.Float64, strict=False)
    else:
        text = cells.cast(pl.String).str.strip_chars()
        number = text.cast(pl.Float64, strict=False)
        if number.null_count() > text.null_count():
            lower = pl.when(number.is_null()).then(text.str.to_lowercase())
            word = pl.select(lower.fill_null("")).to_series()
    return pl.DataFrame([number.alias("number"), word.alias("word")])
