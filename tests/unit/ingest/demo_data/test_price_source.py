"""The price file's two date formats, its blank row, and when a price became known."""

import numpy as np
import polars as pl

from services.ingest.demo_data.sources import parse_prices


def table(rows: list[tuple[str | None, float]]) -> pl.DataFrame:
    return pl.DataFrame(
        rows, schema={"Datetime (UTC)": pl.String, "Price (EUR/MWhe)": pl.Float64}, orient="row"
    )


def test_reads_both_date_formats_and_drops_the_blank_row() -> None:
    starts, price = parse_prices(
        table([("2023-01-02 00:00:00", 50.0), (None, 0.0), ("02/01/2023 01:00", -500.0)])
    )
    assert [str(start) for start in starts] == ["2023-01-02T00:00:00", "2023-01-02T01:00:00"]
    assert price.tolist() == [0.05, -0.5]


def test_the_later_writing_of_an_hour_counts() -> None:
    _, price = parse_prices(table([("2023-01-02 00:00:00", 50.0), ("02/01/2023 00:00", 60.0)]))
    assert price.tolist() == [0.06]


def test_day_and_month_are_not_mixed_up() -> None:
    starts, _ = parse_prices(table([("05/11/2023 00:00", 1.0)]))
    assert starts[0] == np.datetime64("2023-11-05T00:00:00")
