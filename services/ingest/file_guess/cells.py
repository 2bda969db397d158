"""Written times and figures of anybody's file as Luna reads them. Pure."""

import polars as pl

from luna.contracts.file_guess import DayOrder

# A date of figures, a clock, and an offset; what follows, such as the end of the interval, is not
# looked at.
MOMENT = (
    r"^\s*(?:[A-Za-z]{2,9}[,.]?\s+)?(\d{1,4})[./-](\d{1,2})[./-](\d{1,4})\.?"
    r"(?:[T,;\s]+(\d{1,2})[:.h](\d{2})(?:[:.](\d{2})(?:[.,]\d+)?)?\s*([AaPp]\.?\s?[Mm]\.?)?"
    r"\s*(Z|z|UTC|GMT|[+-]\d{2}(?::?\d{2})?(?:\s|$))?)?"
)
COMPACT = r"^\s*((?:19|20)\d{2})(\d{2})(\d{2})(?:[T\s]?(\d{2}):?(\d{2})(?::?(\d{2}))?)?(Z)?\s*$"
WORDED = r"^\s*(\d{1,2})[\s-]([A-Za-z]{3})[A-Za-z]*\.?[\s-](\d{2,4})(.*)$"
EPOCH = r"^\s*(\d{10})(?:\.\d+)?\s*$"
EPOCH_MILLISECONDS = r"^\s*(\d{13})\s*$"
MONTHS = {
    name: f"{number:02d}"
    for number, names in enumerate(
        (
            "jan ene gen",
            "feb fev",
            "mar mär mrt",
            "apr abr avr",
            "may mai mei mag maj",
            "jun giu",
            "jul lug",
            "aug ago",
            "sep set",
            "oct okt out ott",
            "nov",
            "dec dez dic des",
        ),
        1,
    )
    for name in names.split()
}
MOST = 1e12
BLANKS = r"[\s'’\u00a0\u202f]"
UNIT_BEHIND = r"(?i)(kwh|mwh|wh|kw|mw|w|%|€|eur|chf|kr)$"
FIGURE_WITH_COMMA = r"^[+-]?(\d+|\d{1,3}(\.\d{3})+)?(,\d+)?$"
FIGURE = r"^[+-]?(\d*|\d{1,3}(,\d{3})+)(\.\d+)?([eE][+-]?\d+)?$"
_PARTS = ["first", "month", "last", "hour", "minute", "second", "half", "offset"]


def join_times(frame: pl.DataFrame, time_columns: list[str]) -> pl.Series:
    """Return the text of a frame's times: of one column, or of day and clock time in two.

    A clock's interval is its beginning.
    """
    if len(time_columns) == 1:
        return frame[time_columns[0]].alias("time")
    day, clock = (frame[name].cast(pl.String) for name in time_columns)
    # A day from a workbook has a midnight behind it, its clock time may have a day before it.
    return (
        pl.select(
            pl.concat_str(
                day.str.replace(r"[T ]00:00(:00)?$", ""),
                clock.str.replace(r"^\d{4}-\d{2}-\d{2}[T ]", "").str.replace(r"^\s*(\d)", "${1}"),
                separator=" ",
            )
        )
        .to_series()
        .alias("time")
    )


def write_iso(times: pl.Series, day_order: DayOrder) -> pl.Series:
    """Return times as ISO 8601, with an offset where one was written.

    What is none stays as it is. ``24:00`` is the beginning of the next day.
    """
    text = unfold(times.cast(pl.String))
    parts = (
        pl.DataFrame({"text": text})
        .select(
            "text",
            pl.col("text").str.extract_groups(MOMENT).struct.rename_fields(_PARTS).alias("parts"),
        )
        .unnest("parts")
    )
    year_first = pl.col("first").str.len_bytes() == 4
    month_first = ~year_first & (day_order == "month_first")
    year = pl.when(year_first).then("first").otherwise("last").str.zfill(2)
    day = (
        pl.when(year_first)
        .then("last")
        .when(month_first)
        .then("month")
        .otherwise("first")
        .str.zfill(2)
    )
    month = pl.when(month_first).then("first").otherwise("month").str.zfill(2)
    hour = pl.col("hour").cast(pl.Int64, strict=False).fill_null(0)
    afternoon = pl.col("half").str.to_lowercase().str.starts_with("p")
    hour = (
        pl.when(pl.col("half").is_null())
        .then(hour)
        .otherwise(hour % 12 + 12 * afternoon.cast(pl.Int64).fill_null(0))
    )
    minute, second = (
        pl.col(name).cast(pl.Int64, strict=False).fill_null(0) for name in ("minute", "second")
    )
    whole_year = pl.when(year.str.len_bytes() == 2).then("20" + year).otherwise(year)
    midnight = pl.concat_str(whole_year, pl.lit("-"), month, pl.lit("-"), day).str.to_datetime(
        "%Y-%m-%d", time_unit="us", strict=False
    )
    possible = (hour <= 24) & (minute < 60) & (second < 60)
    local = pl.when(possible).then(
        midnight + pl.duration(hours=hour, minutes=minute, seconds=second)
    )
    offset = (
        pl.col("offset").str.strip_chars().fill_null("").replace({"UTC": "Z", "GMT": "Z", "z": "Z"})
    )
    iso = pl.concat_str(local.dt.to_string("%Y-%m-%dT%H:%M:%S"), offset)
    return parts.select(
        pl.coalesce(iso, pl.Series(times.cast(pl.String))).alias("time")
    ).to_series()


def unfold(text: pl.Series) -> pl.Series:
    """Return times that are written without separators, with a month's name or as seconds since
    1970 in the form of the others.
    """
    sample = text.drop_nulls().head(50)
    if sample.str.contains(COMPACT).any():
        names = ["year", "month", "day", "hour", "minute", "second", "zone"]
        parts = (
            pl.DataFrame({"text": text})
            .select(
                "text",
                pl.col("text")
                .str.extract_groups(COMPACT)
                .struct.rename_fields(names)
                .alias("parts"),
            )
            .unnest("parts")
        )
        clock = pl.concat_str(
            pl.lit(" "),
            pl.col("hour").fill_null("00"),
            pl.lit(":"),
            pl.col("minute").fill_null("00"),
            pl.lit(":"),
            pl.col("second").fill_null("00"),
            pl.col("zone").fill_null(""),
        )
        text = parts.select(
            pl.coalesce(
                pl.concat_str("year", pl.lit("-"), "month", pl.lit("-"), "day", clock), "text"
            )
        ).to_series()
    if sample.str.contains(WORDED).any():
        parts = (
            pl.DataFrame({"text": text})
            .select(
                "text",
                pl.col("text")
                .str.extract_groups(WORDED)
                .struct.rename_fields(["day", "name", "year", "rest"])
                .alias("parts"),
            )
            .unnest("parts")
        )
        month = (
            pl.col("name")
            .str.to_lowercase()
            .replace_strict(MONTHS, default=None, return_dtype=pl.String)
        )
        year = (
            pl.when(pl.col("year").str.len_bytes() == 2)
            .then("20" + pl.col("year"))
            .otherwise("year")
        )
        text = parts.select(
            pl.coalesce(
                pl.concat_str(
                    year, pl.lit("-"), month, pl.lit("-"), pl.col("day").str.zfill(2), "rest"
                ),
                "text",
            )
        ).to_series()
    for pattern, factor in ((EPOCH, 1_000_000), (EPOCH_MILLISECONDS, 1_000)):
        if sample.str.contains(pattern).any():
            seconds = (text.str.extract(pattern).cast(pl.Int64) * factor).cast(pl.Datetime("us"))
            text = pl.select(
                pl.coalesce(seconds.dt.to_string("%Y-%m-%dT%H:%M:%SZ"), text)
            ).to_series()
    return text


def read_figures(cells: pl.Series, *, decimal_comma: bool) -> pl.Series:
    """Return cells as numbers, null where they are none: blanks and marks between thousands are
    taken out, and a unit behind.
    """
    plainly = cells.cast(pl.Float64, strict=False)
    if not decimal_comma and plainly.null_count() == cells.null_count():
        return _finite(plainly)
    bare = (
        cells.cast(pl.String)
        .str.replace_all(BLANKS, "")
        .str.replace(UNIT_BEHIND, "")
        .str.strip_chars('"')
    )
    if decimal_comma:
        turned = bare.str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True)
        figures = pl.select(
            pl.when(bare.str.contains(FIGURE_WITH_COMMA)).then(turned).otherwise(bare)
        ).to_series()
    else:
        figures = pl.select(
            pl.when(bare.str.contains(FIGURE))
            .then(bare.str.replace_all(",", "", literal=True))
            .otherwise(bare)
        ).to_series()
    return _finite(figures.cast(pl.Float64, strict=False).alias(cells.name))


def _finite(figures: pl.Series) -> pl.Series:
    # 1e300 of anything is no measurement either, and its sum is none.
    return pl.select(pl.when(figures.abs() < MOST).then(figures).alias(figures.name)).to_series()
