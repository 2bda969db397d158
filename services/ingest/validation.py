"""Rows as they came into rows that can be believed, whole or in part, and rows that cannot, each
with its fault. Pure: no files, no database.
"""

import json
import math
from dataclasses import dataclass, field

import polars as pl

from luna.energy.row_fault import RowFault
from services.ingest.file_schema import KINDS, Bounds, FileSchema
from services.ingest.instants import NAIVE, SKIPPED, UNREADABLE, InstantReader

# What tables and home automations write where they know nothing; the second kind is a sensor's own
# word.
UNKNOWN_WORDS = ("unknown", "unavailable", "none", "null", "n/a", "-")
SILENT_WORDS = ("unknown", "unavailable")
SWITCHED = {"on": 1.0, "off": 0.0}
DECIMAL_COMMA = r"^[+-]?\d*,\d+$"
ROUNDED = "a value just beyond its bounds, rounded to them"
# What says whose a value is, and when.
WHOSE = frozenset(
    {"instant"} | {name for kind in KINDS.values() for name in (kind.time, *kind.keys)}
)
ESTIMATED = RowFault("estimated")
EMPTY = RowFault("no_value")
REPEATED_HOUR = "a local time that the clock shows twice, told apart by order"


@dataclass(frozen=True, slots=True)
class RowVerdict:
    """What became of a batch.

    ``accepted`` has ``line``, ``instant``, the kind's keys, series and notes that the file has, and
    where some rows hold a bad value beside good ones ``doubt`` and ``refused`` as ``refuse_values``
    gives them; ``rejected`` has ``line``, ``fault``, ``raw`` (both JSON) and ``instant`` where the
    time could be read; ``repaired`` counts accepted rows by what was done to them.
    """

    accepted: pl.DataFrame
    rejected: pl.DataFrame
    repaired: dict[str, int] = field(default_factory=dict)


def judge(rows: pl.DataFrame, kind: FileSchema, clock: InstantReader) -> RowVerdict:
    """Tell rows that can be used, whole or without their bad values, from rows that cannot.

    Args:
        rows: Luna's columns, as text or typed, and ``line``.
        clock: reads the times; it remembers the batches before.

    Invariants: every row is either accepted or rejected; an accepted row holds a value.
    """
    names = [name for name in kind.series if name in rows.columns]
    times = clock.read(rows[kind.time], series=rows["sensor"] if "sensor" in rows.columns else None)
    keys = []
    for cells, form in (
        (rows[name], form) for name, form in kind.keys.items() if name in rows.columns
    ):
        if form == "instant":
            of_column = {
                fault.text: RowFault.of(fault.code, column=cells.name).text
                for fault in (UNREADABLE, NAIVE, SKIPPED)
            }
            key_fault = pl.col("fault").replace_strict(
                of_column, default=None, return_dtype=pl.String
            )
            keys.append(
                InstantReader(clock.zone)
                .read(cells)
                .select(pl.col("instant").alias(cells.name), key_fault)
            )
        else:
            text = pl.col(cells.name).cast(pl.String).str.strip_chars()
            missing = pl.lit(RowFault.of("missing", series=cells.name).text)
            keys.append(
                pl.DataFrame(cells).select(
                    text, pl.when(text.is_null() | (text == "")).then(missing).alias("fault")
                )
            )
    numbers = [
        _read_numbers(rows[name], kind.series[name], silent=kind.sampled, complete=kind.complete)
        for name in names
    ]
    values = pl.DataFrame([reading[name] for name, reading in zip(names, numbers, strict=True)])
    doubts = pl.DataFrame(
        [reading["fault"].alias(name) for name, reading in zip(names, numbers, strict=True)]
    )
    empty = values.select(pl.all_horizontal(pl.all().is_null())).to_series()
    nothing = pl.select(pl.when(empty).then(pl.coalesce(*doubts, pl.lit(EMPTY.text)))).to_series()
    notes = [name for name in kind.notes if name in rows.columns]
    judged = pl.DataFrame(
        [
            rows["line"],
            times["instant"],
            *(key.to_series() for key in keys),
            *values,
            *(rows[name].cast(pl.String) for name in notes),
        ]
    )
    faults = [times["fault"], *(key["fault"] for key in keys), nothing]
    if "estimated" in kind.shares and "estimated" in rows.columns:
        # Rows that are in part filled to a meter's total are no measurements.
        share = rows["estimated"].cast(pl.String).str.to_lowercase()
        is_estimated = (share.cast(pl.Float64, strict=False).fill_null(0.0) > 0) | (
            share.fill_null("") == "true"
        )
        faults.append(pl.select(pl.when(is_estimated).then(pl.lit(ESTIMATED.text))).to_series())
    fault = (
        pl.select(pl.coalesce([each.cast(pl.String) for each in faults])).to_series().alias("fault")
    )
    rounded = (
        pl.select(pl.any_horizontal(*(reading["rounded"] for reading in numbers)))
        .to_series()
        .alias("rounded")
    )
    judged = judged.with_columns(fault, times["resolved"], rounded)
    # The instant as it was read stands beside the one written: later nobody knows where the file's
    # clock stood.
    instants = times["instant"]
    written = [rows["instant"].cast(pl.String)] if "instant" in rows.columns else []
    rows = rows.with_columns(
        pl.select(pl.coalesce(instants.cast(pl.String), *written)).to_series().alias("instant")
    )
    bad = judged["fault"].is_not_null()
    good = judged.filter(~bad)
    repaired = {REPEATED_HOUR: int(good["resolved"].sum()), ROUNDED: int(good["rounded"].sum())}
    accepted = refuse_values(
        good.drop("fault", "resolved", "rounded"), doubts.filter(~bad), written=rows.filter(~bad)
    )
    rejected = describe_rejected(judged.filter(bad)["fault"], rows.filter(bad)).with_columns(
        judged.filter(bad)["instant"]
    )
    return RowVerdict(
        accepted, rejected, {what: count for what, count in repaired.items() if count}
    )


def describe_rejected(fault: pl.Series, rows: pl.DataFrame) -> pl.DataFrame:
    """Return ``line``, ``fault`` and ``raw`` (the row as JSON) of refused rows."""
    return rows.select(
        "line", pl.struct(pl.exclude("line").cast(pl.String)).struct.json_encode().alias("raw")
    ).with_columns(fault.alias("fault"))


def refuse_values(
    rows: pl.DataFrame, doubts: pl.DataFrame, *, written: pl.DataFrame
) -> pl.DataFrame:
    """Return the rows without the values that cannot be believed.

    Where there are any, with ``doubt``, the fault, and ``refused``, both JSON.

    Args:
        doubts: by series why each value is refused, null where it is not.
        written: the rows as they came; ``refused`` keeps of them the refused values and what says
            whose they are.

    Invariants: what was refused before stays so.
    """
    fault = doubts.select(pl.coalesce(pl.all().cast(pl.String))).to_series()
    doubted = fault.is_not_null()
    if not doubted.any():
        return rows
    before = (
        rows["doubt"]
        if "doubt" in rows.columns
        else pl.Series([None] * rows.height, dtype=pl.String)
    )
    refused_before = (
        rows["refused"].filter(doubted)
        if "refused" in rows.columns
        else [None] * int(doubted.sum())
    )
    # For each row what says whose it is and the values that are refused now or were before.
    whose = [name for name in written.columns if name in WHOSE]
    cells = (
        written.filter(doubted)
        .select(pl.col(*whose, *doubts.columns).cast(pl.String))
        .iter_rows(named=True)
    )
    texts = [
        json.dumps(
            {name: text for name, text in row.items() if name in whose or faults[name]}
            | json.loads(earlier or "{}"),
            ensure_ascii=False,
        )
        for row, faults, earlier in zip(
            cells, doubts.filter(doubted).iter_rows(named=True), refused_before, strict=True
        )
    ]
    refused = pl.Series([None] * rows.height, dtype=pl.String).scatter(
        doubted.arg_true(), pl.Series(texts, dtype=pl.String)
    )
    if "refused" in rows.columns:
        refused = pl.select(pl.coalesce(refused, rows["refused"])).to_series()
    without = [
        pl.when(doubts[name].is_null()).then(pl.col(name)).alias(name) for name in doubts.columns
    ]
    return rows.with_columns(
        *without,
        pl.select(pl.coalesce(before, fault)).to_series().alias("doubt"),
        refused.alias("refused"),
    )


def take_refused(rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the rows, and of those that were accepted in part ``line``, ``fault`` and ``raw`` of
    what was refused.
    """
    if "doubt" not in rows.columns:
        return rows, pl.DataFrame(
            schema={"line": rows["line"].dtype, "fault": pl.String, "raw": pl.String}
        )
    refused = rows.filter(pl.col("doubt").is_not_null()).select(
        "line", pl.col("doubt").alias("fault"), pl.col("refused").alias("raw")
    )
    return rows.drop("doubt", "refused"), refused


def describe_refused(rows: pl.DataFrame) -> pl.DataFrame:
    """Return rows that were read and then set aside as ``describe_rejected`` does, each with the
    values that were refused before.
    """
    whole, refused = take_refused(rows.drop("fault"))
    described = describe_rejected(rows["fault"], whole)
    written = dict(refused.select("line", "raw").iter_rows())
    if not written:
        return described
    raws = [
        json.dumps(json.loads(raw) | json.loads(written.get(line, "{}")), ensure_ascii=False)
        for line, raw in described.select("line", "raw").iter_rows()
    ]
    return described.with_columns(pl.Series("raw", raws, dtype=pl.String))


def _read_numbers(
    cells: pl.Series, bounds: Bounds, *, silent: bool, complete: bool
) -> pl.DataFrame:
    """Return the numbers (null: unknown or refused) under the column's name, ``fault`` and
    ``rounded``.

    Args:
        silent: whether sensors speak: their word for knowing nothing is a value of its own, NaN,
            and ``SWITCHED`` are numbers.
        complete: whether a value that is missing is a fault.
    """
    name = cells.name

    def because(code: str, **figures: str | float) -> pl.Expr:
        return pl.lit(RowFault.of(code, series=name, **figures).text)

    # Numbers, null where there is none, and in lower case what stands there instead; empty beside
    # numbers and where nothing does.
    text = None if cells.dtype.is_numeric() else cells.cast(pl.String).str.strip_chars()
    number = (cells if text is None else text).cast(pl.Float64, strict=False)
    word = pl.repeat("", len(cells), eager=True)
    if text is not None and number.null_count() > text.null_count():
        word = pl.select(
            pl.when(number.is_null()).then(text.str.to_lowercase()).fill_null("")
        ).to_series()
    cell_parts = pl.DataFrame([number.alias("number"), word.alias("word")])
    value = pl.coalesce(
        "number",
        pl.when(silent).then(
            pl.col("word").replace_strict(SWITCHED, default=None, return_dtype=pl.Float64)
        ),
    )
    wordless = value.is_null() & (pl.col("word") != "")
    believed = value.clip(bounds.lowest, bounds.highest)
    rounded = (
        value.is_finite() & (value != believed) & ((value - believed).abs() <= bounds.rounding)
    )
    fault = (
        pl.when(wordless & pl.col("word").str.contains(DECIMAL_COMMA))
        .then(because("decimal_comma"))
        .when(wordless & ~pl.col("word").is_in(UNKNOWN_WORDS))
        .then(because("no_number"))
        .when(~value.is_finite())
        .then(because("not_finite"))
        .when((value < bounds.lowest) & ~rounded)
        .then(because("below", limit=bounds.lowest, hint=bounds.hint))
        .when((value > bounds.highest) & ~rounded)
        .then(because("above", limit=bounds.highest, hint=bounds.hint))
    )
    accepted = (
        pl.when(rounded)
        .then(believed)
        .when(pl.col("word").is_in(SILENT_WORDS) & silent)
        .then(math.nan)
        .otherwise(value)
    )
    missing = pl.when(accepted.is_null() & pl.lit(complete)).then(because("missing"))
    numbers = cell_parts.select(
        accepted.alias(name),
        pl.coalesce(fault, missing).alias("fault"),
        rounded.fill_null(value=False).alias("rounded"),
    )
    return numbers.with_columns(pl.when(pl.col("fault").is_null()).then(pl.col(name)).alias(name))
