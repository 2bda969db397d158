"""The faults of a column of refused rows."""

import polars as pl

from luna.energy.row_fault import RowFault


def read_faults(column: pl.Series) -> list[RowFault]:
    """Return the faults of a column."""
    return [RowFault.parse(text) for text in column]
