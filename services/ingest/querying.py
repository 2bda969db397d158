"""Stored series for readers: raw, or by hour and local day. What is unknown is None, never zero."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from luna.database import observations, sites
from luna.errors import InvalidInputError
from luna.observations import SERIES
from luna.resolution import kind_of
from luna.timeline import SLOT, FloatArray, InstantArray, Timeline, floor_to, local_midnight, parse_zone

RESOLUTIONS = {"15m": SLOT, "30m": timedelta(minutes=30), "1h": timedelta(hours=1), "1d": timedelta(days=1)}
REDUCE: dict[str, Callable[[FloatArray, NDArray[np.intp]], FloatArray]] = {
    "sum": np.add.reduceat,
    "mean": np.add.reduceat,
    "min": np.fmin.reduceat,
    "max": np.fmax.reduceat,
}


@dataclass(frozen=True, slots=True)
class Answer:
    """A series over time. ``known`` is the share of each bucket's quarter-hours that is stored; a sum is unknown (NaN) unless all of them are."""

    series: str
    resolution: str
    aggregate: str
    starts: InstantArray
    values: FloatArray
    known: FloatArray


@dataclass(frozen=True, slots=True)
class SeriesQuery:
    """A series of a site from ``first`` on, before ``end``; ``aggregate`` defaults to the sum of energies and the mean of anything else.

    Raises:
        InvalidInputError: no such series, resolution or aggregate, or an empty window.
    """

    series: str
    first: datetime
    end: datetime
    resolution: str = "15m"
    aggregate: str | None = None

    def __post_init__(self) -> None:
        _require("series", self.series, (*SERIES, *observations.PRICES))
        _require("resolution", self.resolution, tuple(RESOLUTIONS))
        if self.aggregate is not None:
            _require("aggregate", self.aggregate, tuple(REDUCE))
        if self.end <= self.first:
            raise InvalidInputError("the window is empty", field="to", value=self.end.isoformat(), remedy="Let it end after it begins.")


def query_series(connection: Connection, site_id: str, query: SeriesQuery) -> Answer:
    """Return what ``query`` asks for; days are the site's local days.

    Raises:
        NotFoundError: no such site.
    """
    zone = parse_zone(sites.load(connection, site_id).timezone)
    start = floor_to(query.first, SLOT)
    timeline = Timeline(start, SLOT, -((start - query.end) // SLOT))
    values = observations.read_series(connection, site_id, timeline, (query.series,))[query.series]
    aggregate = query.aggregate or ("sum" if kind_of(query.series) == "energy" else "mean")
    begins = find_buckets(timeline.starts, RESOLUTIONS[query.resolution], zone)
    reduced, known = reduce_buckets(values, begins, aggregate)
    return Answer(query.series, query.resolution, aggregate, timeline.starts[begins], reduced, known)


def find_buckets(starts: InstantArray, length: timedelta, zone: ZoneInfo) -> NDArray[np.intp]:
    """Return the place of the first slot of every bucket: a local day, or ``length`` counted in UTC."""
    if length >= RESOLUTIONS["1d"]:
        return _find_days(starts, zone)
    bucket = starts.astype("datetime64[s]").astype(np.int64) // int(length.total_seconds())
    return np.flatnonzero(np.diff(bucket, prepend=bucket[0] - 1))


def _find_days(starts: InstantArray, zone: ZoneInfo) -> NDArray[np.intp]:
    first, last = (start.astype(datetime).replace(tzinfo=UTC).astimezone(zone).date() for start in starts[[0, -1]])
    midnights = [local_midnight(first + timedelta(days=day), zone).replace(tzinfo=None) for day in range(1, (last - first).days + 1)]
    return np.array([0, *np.searchsorted(starts, np.array(midnights, dtype=starts.dtype))], dtype=np.intp)


def reduce_buckets(values: FloatArray, begins: NDArray[np.intp], aggregate: str) -> tuple[FloatArray, FloatArray]:
    """Return one value per bucket and the share of it that is known.

    A sum of a part would be too low, so it is NaN unless all is known; mean, lowest and highest are of what is known.
    """
    slots = np.diff(begins, append=values.size)
    there = np.add.reduceat(~np.isnan(values), begins, dtype=np.int64)
    filled = np.nan_to_num(values) if aggregate in {"sum", "mean"} else values
    reduced = REDUCE[aggregate](filled, begins)
    if aggregate == "mean":
        reduced = reduced / np.maximum(there, 1)
    enough = there == slots if aggregate == "sum" else there > 0
    return np.where(enough, reduced, np.nan), there / slots


def as_rows(answer: Answer) -> list[dict[str, Any]]:
    """Return the answer as rows of start, value (None: unknown) and known share."""
    starts = np.datetime_as_string(answer.starts, unit="s", timezone="UTC").tolist()
    values = np.where(np.isnan(answer.values), None, answer.values).tolist()  # type: ignore[call-overload]
    return [{"start": start, "value": value, "known": known} for start, value, known in zip(starts, values, answer.known.tolist(), strict=True)]


def _require(field: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise InvalidInputError(f"no such {field}", field=field, value=value, remedy=f"Choose one of {', '.join(known)}.")
