"""Written times and figures of foreign files as Luna reads them. Pure."""

from collections.abc import Sequence

import polars as pl

from luna.contracts.file_guess import DayOrder

# A date of figures, a clock, and an offset; what follows, such as the end of the interval, is
# ignored.
MOMENT = (
    r"^\s*(?:\p{L}{2,10}[,.]{0,2}\s+)?(\d{1,4})[./-](\d{1,2})[./-](\d{1,4})\.?"
    r"(?:[T,;\s]+(\d{1,2})[:.h](\d{2})(?:[:.](\d{2})(?:[.,]\d+)?)?\s*([AaPp]\.?\s?[Mm]\.?)?"
    r"\s*(Z|z|UTC|GMT|[+-]\d{2}(?::?\d{2})?(?:\s|$))?)?"
)
COMPACT = r"^\s*((?:19|20)\d{2})(\d{2})(\d{2})(?:[T\s]?(\d{2}):?(\d{2})(?::?(\d{2}))?)?(Z)?\s*$"
# French June and July differ in their fourth letter.
WORDED = (
    r"(?i)^\s*(?:\p{L}{2,10}[,.]{0,2}\s+)?(\d{1,2})[.\s-]{1,2}"
    r"(jui[ln]|\p{L}{3})\p{L}*[.\s-]{1,2}(\d{2,4})(.*)$"
)
EPOCH = r"^\s*(\d{10})(?:\.\d+)?\s*$"
EPOCH_MILLISECONDS = r"^\s*(\d{13})\s*$"
MONTH_NAMES = {
    "01": "jan ene gen",
    "02": "feb fev fév",
    "03": "mar mär mrt mrz",
    "04": "apr abr avr",
    "05": "may mai mei mag maj",
    "06": "jun giu juin",
    "07": "jul lug juil",
    "08": "aug ago aoû",
    "09": "sep set",
    "10": "oct okt out ott",
    "11": "nov",
    "12": "dec dez dic des déc",
}
MONTHS = {name: number for number, names in MONTH_NAMES.items() for name in names.split()}
MOST = 1e12
BLANKS = r"[\s'’\u00a0\u202f]"
UNIT_BEHIND = r"(?i)(kwh|mwh|wh|kw|mw|w|%|€|eur|chf|kr)$"
FIGURE_WITH_COMMA = r"^[+-]?(\d+|\d{1,3}(\.\d{3})+)?(,\d+)?$"
FIGURE = r"^[+-]?(\d*|\d{1,3}(,\d{3})+)(\.\d+)?([eE][+-]?\d+)?$"
MOMENT_PARTS = ("first", "month", "last", "hour", "minute", "second", "half", "offset")
COMPACT_PARTS = ("year", "month", "day", "hour", "minute", "second", "zone")
WORDED_PARTS = ("day", "name", "year", "rest")


def join_times(frame: pl.DataFrame, time_columns: list[str]) -> pl.Series:
    """Return the text of a frame's times, of one column or of day and clock columns.

    A clock time that is an interval counts from its beginning.
    """
    if len(time_columns) == 1:
        return frame[time_columns[0]].alias("time")
    day, clock = (frame[name].cast(pl.String) for name in time_columns)
    # A workbook's day may have a midnight behind it, its clock time a day before it.
    day = day.str.replace(r"[T ]00:00(:00)?$", "")
    clock = clock.str.replace(r"^\d{4}-\d{2}-\d{2}[T ]", "").str.replace(r"^\s*(\d)", "${1}")
    joined = pl.select(pl.concat_str(day, clock, separator=" "))
    return joined.to_series().alias("time")


def split_text(text: pl.Series, pattern: str, names: Sequence[str]) -> pl.DataFrame:
    """Return texts beside the groups of a pattern in them, null where it does not match."""
    groups = pl.col("text").str.extract_groups(pattern).struct.rename_fields(names)
    return pl.DataFrame({"text": text}).select("text", groups.alias("parts")).unnest("parts")


def write_iso(times: pl.Series, day_order: DayOrder) -> pl.Series:
    """Return times as ISO 8601, with an offset if one was written.

    Other texts stay as they are. ``24:00`` is the beginning of the next day.
    """
    parts = split_text(unfold(times.cast(pl.String)), MOMENT, MOMENT_PARTS)
    possible = (_hour() <= 24) & (_number("minute") < 60) & (_number("second") < 60)
    clock = pl.duration(hours=_hour(), minutes=_number("minute"), seconds=_number("second"))
    local = pl.when(possible).then(_midnight(day_order) + clock)
    offset = pl.col("offset").str.strip_chars().fill_null("")
    offset = offset.replace({"UTC": "Z", "GMT": "Z", "z": "Z"})
    iso = pl.concat_str(local.dt.to_string("%Y-%m-%dT%H:%M:%S"), offset)
    written = pl.Series(times.cast(pl.String))
    return parts.select(pl.coalesce(iso, written).alias("time")).to_series()


def _midnight(day_order: DayOrder) -> pl.Expr:
    year_first = pl.col("first").str.len_bytes() == 4
    month_first = ~year_first & (day_order == "month_first")
    year = pl.when(year_first).then("first").otherwise("last").str.zfill(2)
    whole_year = pl.when(year.str.len_bytes() == 2).then("20" + year).otherwise(year)
    month = pl.when(month_first).then("first").otherwise("month").str.zfill(2)
    day = pl.when(year_first).then("last").when(month_first).then("month").otherwise("first")
    date = pl.concat_str(whole_year, pl.lit("-"), month, pl.lit("-"), day.str.zfill(2))
    return date.str.to_datetime("%Y-%m-%d", time_unit="us", strict=False)


def _hour() -> pl.Expr:
    hour = _number("hour")
    afternoon = pl.col("half").str.to_lowercase().str.starts_with("p")
    of_half = hour % 12 + 12 * afternoon.cast(pl.Int64).fill_null(0)
    return pl.when(pl.col("half").is_null()).then(hour).otherwise(of_half)


def _number(part: str) -> pl.Expr:
    return pl.col(part).cast(pl.Int64, strict=False).fill_null(0)


def unfold(text: pl.Series) -> pl.Series:
    """Return times with separators and figures.

    Converted are those without separators, with a month's name, and seconds since 1970.
    """
    sample = text.drop_nulls().head(50)
    if sample.str.contains(COMPACT).any():
        text = _unfold_compact(text)
    if sample.str.contains(WORDED).any():
        text = _unfold_worded(text)
    for pattern, factor in ((EPOCH, 1_000_000), (EPOCH_MILLISECONDS, 1_000)):
        if sample.str.contains(pattern).any():
            seconds = (text.str.extract(pattern).cast(pl.Int64) * factor).cast(pl.Datetime("us"))
            iso = seconds.dt.to_string("%Y-%m-%dT%H:%M:%SZ")
            text = pl.select(pl.coalesce(iso, text)).to_series()
    return text


def _unfold_compact(text: pl.Series) -> pl.Series:
    parts = split_text(text, COMPACT, COMPACT_PARTS)
    clock = pl.concat_str(
        pl.lit(" "),
        pl.col("hour").fill_null("00"),
        pl.lit(":"),
        pl.col("minute").fill_null("00"),
        pl.lit(":"),
        pl.col("second").fill_null("00"),
        pl.col("zone").fill_null(""),
    )
    time = pl.concat_str("year", pl.lit("-"), "month", pl.lit("-"), "day", clock)
    return parts.select(pl.coalesce(time, "text")).to_series()


def _unfold_worded(text: pl.Series) -> pl.Series:
    parts = split_text(text, WORDED, WORDED_PARTS)
    name = pl.col("name").str.to_lowercase()
    month = name.replace_strict(MONTHS, default=None, return_dtype=pl.String)
    is_short = pl.col("year").str.len_bytes() == 2
    year = pl.when(is_short).then("20" + pl.col("year")).otherwise("year")
    day = pl.col("day").str.zfill(2)
    time = pl.concat_str(year, pl.lit("-"), month, pl.lit("-"), day, "rest")
    return parts.select(pl.coalesce(time, "text")).to_series()


def read_figures(cells: pl.Series, *, decimal_comma: bool) -> pl.Series:
    """Return cells as numbers, null where they are none.

    Blanks, marks between thousands and a unit behind are removed.
    """
    plainly = cells.cast(pl.Float64, strict=False)
    if not decimal_comma and plainly.null_count() == cells.null_count():
        return _finite(plainly)
    bare = cells.cast(pl.String).str.replace_all(BLANKS, "").str.replace(UNIT_BEHIND, "")
    bare = bare.str.strip_chars('"')
    if decimal_comma:
        is_figure = bare.str.contains(FIGURE_WITH_COMMA)
        without_points = bare.str.replace_all(".", "", literal=True)
        figure = without_points.str.replace(",", ".", literal=True)
    else:
        is_figure = bare.str.contains(FIGURE)
        figure = bare.str.replace_all(",", "", literal=True)
    figures = pl.select(pl.when(is_figure).then(figure).otherwise(bare)).to_series()
    return _finite(figures.cast(pl.Float64, strict=False).alias(cells.name))


def _finite(figures: pl.Series) -> pl.Series:
    # No measurement is as large as 1e300, and sums of such figures overflow.
    return pl.select(pl.when(figures.abs() < MOST).then(figures).alias(figures.name)).to_series()
