"""The length of a file's slots, read from the distance of their starts."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta

import polars as pl

from luna.errors import InvalidInputError
from luna.timeline import SLOT

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
# Gaps leave other distances here and there; a whole day of them is another step.
LONG_RUN = 24


@dataclass(frozen=True, slots=True)
class Spacing:
    """How often each distance (seconds) of neighbouring starts occurs, and how often in a row at most."""

    counts: Counter[int] = field(default_factory=Counter)
    runs: Counter[int] = field(default_factory=Counter)


def measure_spacing(instants: pl.Series) -> Spacing:
    """Return the spacing of distinct instants, ascending."""
    distances = instants.diff().drop_nulls().dt.total_seconds()
    counts = distances.value_counts()
    runs = pl.DataFrame(distances.rle().struct.unnest()).group_by("value").agg(pl.col("len").max())
    return Spacing(Counter(dict(counts.iter_rows())), Counter(dict(runs.select("value", "len").iter_rows())))


def choose_step(spacings: Iterable[Spacing]) -> timedelta:
    """Return the step of a file; a single slot has a quarter-hour's.

    Raises:
        InvalidInputError: the step is none that fits into an hour, or it changes within the file.
    """
    counts: Counter[int] = Counter()
    runs: Counter[int] = Counter()
    for spacing in spacings:
        counts += spacing.counts
        runs |= spacing.runs
    if not counts:
        return SLOT
    step = timedelta(seconds=counts.most_common(1)[0][0])
    if step < MINUTE or step % MINUTE or HOUR % step:
        raise InvalidInputError(
            "the slots of the file do not divide an hour", field="slot_start", value=str(step), remedy="Resample it to 5, 15, 30 or 60 minutes."
        )
    others = [timedelta(seconds=distance) for distance, length in runs.items() if length >= LONG_RUN and timedelta(seconds=distance) != step]
    if others:
        raise InvalidInputError(
            f"the step changes within the file, from {step // MINUTE} to {others[0] // MINUTE} minutes",
            field="slot_start",
            remedy="Load each part as a file of its own.",
        )
    return step
