"""Rows as they came into rows that can be believed and rows that cannot, each with its reason. Pure: no files, no database."""

import math
from dataclasses import dataclass, field

import polars as pl

from services.ingest.file_schema import ABOVE, Bounds, FileSchema
from services.ingest.instants import InstantReader

# What tables and home automations write where they know nothing; the second kind is a sensor's own word.
UNKNOWN_WORDS = ("unknown", "unavailable", "none", "null", "n/a", "-")
SILENT_WORDS = ("unknown", "unavailable")
SWITCHED = {"on": 1.0, "off": 0.0}
DECIMAL_COMMA = r"^[+-]?\d*,\d+$"
ROUNDED = "a value just beyond its bounds, rounded to them"
TOLD_APART = "a local time that the clock shows twice, told apart by order"


@dataclass(frozen=True, slots=True)
class RowVerdict:
    """What became of a batch.

    ``accepted`` has ``line``, ``instant``, the kind's keys, series and notes that the file has; ``rejected`` has ``line``, ``reason``, ``raw`` (JSON)
    and ``instant`` where the time could be read; ``repaired`` counts accepted rows by what was done to them.
    """

    accepted: pl.DataFrame
    rejected: pl.DataFrame
    repaired: dict[str, int] = field(default_factory=dict)


def judge(rows: pl.DataFrame, kind: FileSchema, clock: InstantReader) -> RowVerdict:
    """Tell rows that can be used from rows that cannot.

    Args:
        rows: Luna's columns, as text or typed, and ``line``.
        clock: reads the times; it remembers the batches before.

    Invariants: every row is either accepted or rejected.
    """
    names = [name for name in kind.series if name in rows.columns]
    times = clock.read(rows[kind.time], series=rows["sensor"] if "sensor" in rows.columns else None)
    keys = [
        _read_instant_key(rows[name], clock) if form == "instant" else _read_text_key(rows[name]) for name, form in kind.keys.items() if name in rows.columns
    ]
    numbers = [_read_numbers(rows[name], kind.series[name], silent=kind.sampled) for name in names]
    values = pl.DataFrame([reading[name] for name, reading in zip(names, numbers, strict=True)])
    faults = [reading["fault"] for reading in (times, *keys, *numbers, _find_gaps(values, complete=kind.complete))]
    judged = pl.DataFrame(
        [rows["line"], times["instant"], *(key.to_series() for key in keys), *values, *(rows[name].cast(pl.String) for name in _notes(rows, kind))]
    )
    return _separate(judged.with_columns(_first(faults), times["resolved"], _any([reading["rounded"] for reading in numbers])), rows)


def _separate(judged: pl.DataFrame, rows: pl.DataFrame) -> RowVerdict:
    bad = judged["reason"].is_not_null()
    good = judged.filter(~bad)
    repaired = {TOLD_APART: int(good["resolved"].sum()), ROUNDED: int(good["rounded"].sum())}
    return RowVerdict(
        good.drop("reason", "resolved", "rounded"),
        describe_rejected(judged.filter(bad)["reason"], _note_instants(rows, judged["instant"]).filter(bad)).with_columns(judged.filter(bad)["instant"]),
        {what: count for what, count in repaired.items() if count},
    )


def _note_instants(rows: pl.DataFrame, instants: pl.Series) -> pl.DataFrame:
    """Return the rows with the instant as it was read beside what was written: later nobody knows where the file's clock stood."""
    written = [rows["instant"].cast(pl.String)] if "instant" in rows.columns else []
    return rows.with_columns(pl.select(pl.coalesce(instants.cast(pl.String), *written)).to_series().alias("instant"))


def describe_rejected(reason: pl.Series | pl.Expr, rows: pl.DataFrame) -> pl.DataFrame:
    """Return ``line``, ``reason`` and ``raw`` (the row as JSON) of refused rows."""
    return rows.select("line", pl.struct(pl.exclude("line").cast(pl.String)).struct.json_encode().alias("raw")).with_columns(reason.alias("reason"))


def _notes(rows: pl.DataFrame, kind: FileSchema) -> list[str]:
    return [name for name in kind.notes if name in rows.columns]


def _first(faults: list[pl.Series]) -> pl.Series:
    return pl.select(pl.coalesce([fault.cast(pl.String) for fault in faults])).to_series().alias("reason")


def _any(flags: list[pl.Series]) -> pl.Series:
    return pl.select(pl.any_horizontal(*flags)).to_series().alias("rounded")


def _read_instant_key(cells: pl.Series, clock: InstantReader) -> pl.DataFrame:
    times = InstantReader(clock.zone).read(cells)
    return times.select(pl.col("instant").alias(cells.name), (pl.lit(f"{cells.name}: ") + pl.col("fault")).alias("fault"))


def _read_text_key(cells: pl.Series) -> pl.DataFrame:
    text = pl.col(cells.name).cast(pl.String).str.strip_chars()
    missing = text.is_null() | (text == "")
    return pl.DataFrame(cells).select(text, pl.when(missing).then(pl.lit(f"{cells.name} is missing")).alias("fault"))


def _read_numbers(cells: pl.Series, bounds: Bounds, *, silent: bool) -> pl.DataFrame:
    """Return the numbers (null: unknown) under the column's name, ``fault`` and ``rounded``.

    Args:
        silent: whether sensors speak: their word for knowing nothing is a value of its own, NaN, and ``SWITCHED`` are numbers.
    """
    name = cells.name
    number, word = _read_words(cells)
    given = pl.DataFrame([number.alias("number"), word.alias("word")])
    value = pl.coalesce("number", pl.when(silent).then(pl.col("word").replace_strict(SWITCHED, default=None, return_dtype=pl.Float64)))
    wordless = value.is_null() & (pl.col("word") != "")
    believed = value.clip(bounds.lowest, bounds.highest)
    rounded = value.is_finite() & (value != believed) & ((value - believed).abs() <= bounds.rounding)
    fault = (
        pl.when(wordless & pl.col("word").str.contains(DECIMAL_COMMA)).then(pl.lit(f"{name} is no number: decimals follow a point, not a comma"))
        .when(wordless & ~pl.col("word").is_in(UNKNOWN_WORDS)).then(pl.lit(f"{name} is no number"))
        .when(~value.is_finite()).then(pl.lit(f"{name} is not finite"))
        .when((value < bounds.lowest) & ~rounded).then(pl.lit(f"{name} is below {bounds.lowest:g}: {bounds.hint}"))
        .when((value > bounds.highest) & ~rounded).then(pl.lit(f"{name}{ABOVE}{bounds.highest:g}: {bounds.hint}"))
    )  # fmt: skip
    known = pl.when(rounded).then(believed).when(pl.col("word").is_in(SILENT_WORDS) & silent).then(math.nan).otherwise(value)
    return given.select(known.alias(name), fault.alias("fault"), rounded.fill_null(value=False).alias("rounded"))


def _read_words(cells: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Return the numbers, null where there is none, and in lower case what stands there instead; empty beside numbers and where nothing does."""
    nothing = pl.repeat("", len(cells), eager=True)
    if cells.dtype.is_numeric():
        return cells.cast(pl.Float64), nothing
    text = cells.cast(pl.String).str.strip_chars()
    number = text.cast(pl.Float64, strict=False)
    if number.null_count() == text.null_count():
        return number, nothing
    return number, pl.select(pl.when(number.is_null()).then(text.str.to_lowercase()).fill_null("")).to_series()


def _find_gaps(values: pl.DataFrame, *, complete: bool) -> pl.DataFrame:
    if complete:
        return values.select(pl.coalesce(pl.when(pl.col(name).is_null()).then(pl.lit(f"{name} is missing")) for name in values.columns).alias("fault"))
    return values.select(pl.when(pl.all_horizontal(pl.all().is_null())).then(pl.lit("the row holds no value")).alias("fault"))
