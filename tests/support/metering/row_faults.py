"""The faults of a column of refused rows, as people and tests read them."""

import polars as pl

from luna.energy.row_fault import RowFault


def say_faults(column: pl.Series) -> list[str]:
    """Return what the faults of a column say in English."""
    return [str(RowFault.parse(text)) for text in column]
