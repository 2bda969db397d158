"""Queries of stored time series and their replies: names of series, aggregation, thinning, rows.

Unknown values are None, never zero.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from luna.energy.buckets import (
    AGGREGATES,
    RESOLUTIONS,
    Parts,
    find_buckets,
    reduce_buckets,
    reduce_parts,
    share_per_bucket,
    thin,
)
from luna.energy.day_fault import DayFault
from luna.energy.observations import EnergyInterval
from luna.energy.outlook import SHARES
from luna.energy.quality_verdict import QualityVerdict
from luna.energy.refusals import refuse
from luna.energy.resolution import kind_of
from luna.energy.site import SUBMETERED
from luna.energy.timeline import FloatArray, InstantArray, Timeline, parse_zone

OBSERVED = (
    "load_kwh",
    "pv_kwh",
    "import_kwh",
    "export_kwh",
    "charge_kwh",
    "discharge_kwh",
    "soc",
    "residual_kwh",
    "beyond_house_kwh",
    *SUBMETERED,
    "import_price",
    "export_price",
)
_FORECAST_COLUMNS = ("kwh", *(f"{share}_kwh" for share in SHARES))
FORECAST = (
    *(f"load_{column}" for column in _FORECAST_COLUMNS),
    *(f"pv_{column}" for column in _FORECAST_COLUMNS),
)
PLANNED = (
    "load_kwh",
    "pv_kwh",
    "curtailed_kwh",
    "import_kwh",
    "export_kwh",
    "charge_kwh",
    "discharge_kwh",
    "import_price",
    "export_price",
)
# Source of a series that is no column of the observations → form of its name.
FORMS = {
    "market_prices": "market_prices:MARKET",
    "slot_forecasts": "slot_forecasts:VERSION:COLUMN",
    "plans": "plans:COLUMN",
    "sensor_readings": "sensor_readings:SENSOR",
    "smart_meter_readings": "smart_meter_readings:METER:REGISTER",
}
COLUMNS = {"slot_forecasts": FORECAST, "plans": PLANNED}
# Far from the ends of the calendar: days, pages and horizons are added to these.
EARLIEST = datetime(1800, 1, 1, tzinfo=UTC)
LATEST = datetime(3000, 1, 1, tzinfo=UTC)
SAMPLED = ("sensor_readings", "smart_meter_readings")


@dataclass(frozen=True, slots=True)
class SeriesName:
    """A parsed series name: the table it comes from, and what names it there."""

    source: str
    parts: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse a column of the observations, or a name of one of ``FORMS``.

        Raises:
            InvalidInputError: it names no series.
        """
        source, colon, rest = text.partition(":")
        if not colon:
            require_choice("series", text, (*OBSERVED, *FORMS.values()))
            return cls("slot_observations", (text,))
        require_choice("series", source, tuple(FORMS))
        form = FORMS[source]
        part_count = form.count(":")
        # A sensor's name and an OBIS code may hold colons of their own.
        parts = tuple(rest.split(":", maxsplit=part_count - 1))
        if len(parts) != part_count or not all(parts):
            raise refuse("no-such-series", field="series", value=text, form=form)
        if source in COLUMNS:
            require_choice("series", parts[-1], COLUMNS[source])
        return cls(source, parts)

    @property
    def sampled(self) -> bool:
        """Whether its values belong to instants, not to slots."""
        return self.source in SAMPLED

    @property
    def kind(self) -> str:
        """``energy``, ``state`` or ``price``: how it is resampled."""
        if self.source == "market_prices":
            return "price"
        return kind_of(self.parts[-1])


@dataclass(frozen=True, slots=True)
class SeriesQuery:
    """A query of a series over ``[first, end)``.

    Args:
        series: a name of ``SeriesName``, but no readings.
        first: the first instant.
        end: the instant after the last.
        resolution: length of a bucket; ``1d`` means the site's local days.
        aggregate: default: the sum of energies and the mean of anything else.
        points: thin the series to at most so many rows, keeping extremes and gaps.
        limit: most buckets of a reply; the next page has the rest.
        known_at: prices, forecasts and plans as known at this instant.
        issued_at: only the forecast or plan of this issue.

    Raises:
        InvalidInputError: no such series, resolution or aggregate, an empty window, or an option
            that does not apply to the series.
    """

    series: str
    first: datetime
    end: datetime
    resolution: str = "15m"
    aggregate: str | None = None
    points: int | None = None
    limit: int | None = None
    known_at: datetime | None = None
    issued_at: datetime | None = None

    def __post_init__(self) -> None:
        name = self.name
        if name.sampled:
            raise refuse("readings-are-no-slots", field="series", value=self.series)
        require_choice("resolution", self.resolution, tuple(RESOLUTIONS))
        if self.aggregate is not None:
            require_choice("aggregate", self.aggregate, AGGREGATES)
        require_window(self.first, self.end)
        for field, value, sources in (
            ("known_at", self.known_at, ("market_prices", *COLUMNS)),
            ("issued_at", self.issued_at, tuple(COLUMNS)),
        ):
            if value is not None and name.source not in sources:
                raise refuse("not-taken-here", field=field, value=value.isoformat(), takers=sources)

    @property
    def name(self) -> SeriesName:
        """The parsed name."""
        return SeriesName.parse(self.series)

    @property
    def reduced_by(self) -> str:
        """The effective aggregate."""
        if self.aggregate is not None:
            return self.aggregate
        return "sum" if self.name.kind == "energy" else "mean"


@dataclass(frozen=True, slots=True)
class UnusableSpan:
    """A span in which a series may not be used, with verdict and faults."""

    first: datetime
    end: datetime
    verdict: QualityVerdict
    faults: Sequence[DayFault]


@dataclass(frozen=True, slots=True)
class SeriesAnswer:
    """A series over time.

    Attributes:
        values: per bucket; a sum is NaN unless its whole bucket is stored.
        known: stored share of each bucket; None: readings as received.
        following: start of the next page; None on the last.
        estimated: share of each bucket that is filled to a meter's total; None where a series has
            no estimates.
        intervals: counter increases over long gaps that overlap the window.
        unusable: the days that the quality verdict keeps from training and scores.
    """

    series: str
    resolution: str | None
    aggregate: str | None
    starts: InstantArray
    values: FloatArray
    known: FloatArray | None
    following: datetime | None = None
    estimated: FloatArray | None = None
    intervals: Sequence[EnergyInterval] = ()
    unusable: Sequence[UnusableSpan] = ()

    def columns(self) -> tuple[str, ...]:
        """Return the column names of a row, in order."""
        if self.known is None:
            return ("instant", "value")
        return ("start", "value", *self.shares())

    def shares(self) -> dict[str, FloatArray]:
        """Return the columns with shares, by name."""
        shares = {"known": self.known, "estimated": self.estimated}
        return {name: share for name, share in shares.items() if share is not None}

    def thinned(self, points: int | None) -> "SeriesAnswer":
        """Return the answer with at most ``points`` rows that keep extremes and gaps.

        None: every row.
        """
        if points is None or self.known is None:
            return self
        places = thin(self.values, points)
        estimated = None if self.estimated is None else self.estimated[places]
        return replace(
            self,
            starts=self.starts[places],
            values=self.values[places],
            known=self.known[places],
            estimated=estimated,
        )


def reduce_series(
    query: SeriesQuery,
    timeline: Timeline,
    values: FloatArray,
    zone: str,
    *,
    estimated: NDArray[np.bool_] | None = None,
) -> SeriesAnswer:
    """Aggregate and thin quarter-hours as ``query`` asks.

    Args:
        query: resolution, aggregate and points.
        timeline: quarter-hours of the values.
        values: NaN where unknown.
        zone: IANA name, for local days.
        estimated: which values are filled to a meter's total; None: the series has no estimates.
    """
    length = RESOLUTIONS[query.resolution]
    if length == timeline.step:
        reduced = values
        starts = timeline.starts
        known = (~np.isnan(values)).astype(np.float64)
    else:
        begins = find_buckets(timeline.starts, length, parse_zone(zone))
        reduced, known = reduce_buckets(values, begins, query.reduced_by)
        starts = timeline.starts[begins]
    return _answer(query, starts, (reduced, known), timeline=timeline, estimated=estimated)


def reduce_summed(
    query: SeriesQuery,
    timeline: Timeline,
    summed: tuple[InstantArray, Parts],
    zone: str,
    *,
    estimated: NDArray[np.bool_] | None = None,
) -> SeriesAnswer:
    """Aggregate as ``reduce_series`` does, from partial sums instead of quarter-hours.

    Args:
        query: as for ``reduce_series``; sum or mean.
        timeline: the quarter-hours of ``estimated``.
        summed: start of each part, ``datetime64[s]`` in UTC, and the parts; every bucket begins
            with one.
        zone: IANA name, for local days.
        estimated: as for ``reduce_series``.
    """
    part_starts, parts = summed
    begins = find_buckets(part_starts, RESOLUTIONS[query.resolution], parse_zone(zone))
    reduced = reduce_parts(parts, begins, query.reduced_by)
    return _answer(query, part_starts[begins], reduced, timeline=timeline, estimated=estimated)


def _answer(
    query: SeriesQuery,
    starts: InstantArray,
    reduced: tuple[FloatArray, FloatArray],
    *,
    timeline: Timeline,
    estimated: NDArray[np.bool_] | None,
) -> SeriesAnswer:
    """Return the thinned answer with the buckets' values and known shares ``reduced``."""
    values, known = reduced
    share = None
    if estimated is not None:
        share = share_per_bucket(estimated, timeline.starts, starts)
    answer = SeriesAnswer(
        query.series, query.resolution, query.reduced_by, starts, values, known, estimated=share
    )
    return answer.thinned(query.points)


def as_rows(answer: SeriesAnswer) -> list[dict[str, Any]]:
    """Return rows of start, value (None: unknown), known and estimated share.

    Readings as received have an instant and a value.
    """
    names = answer.columns()
    values = [None if math.isnan(value) else value for value in answer.values.tolist()]
    shares = [share.tolist() for share in answer.shares().values()]
    columns = [write_instants(answer.starts), values, *shares]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def list_intervals(answer: SeriesAnswer) -> list[dict[str, Any]]:
    """Return the answer's energy intervals as rows: span, energy, counter, certainty."""
    return [
        {
            "from": interval.first.isoformat(),
            "to": interval.end.isoformat(),
            "energy_kwh": interval.energy_kwh,
            "source": interval.sensor,
            "certainty": interval.certainty,
        }
        for interval in answer.intervals
    ]


def write_instants(instants: InstantArray) -> list[str]:
    """Return instants as ISO 8601 in UTC.

    Slots are exact to the second, readings to the microsecond.
    """
    exact: Literal["us", "s"] = "us" if instants.dtype == np.dtype("M8[us]") else "s"
    written: list[str] = np.datetime_as_string(instants, unit=exact, timezone="UTC").tolist()
    return written


def require_choice(field: str, value: str, choices: tuple[str, ...]) -> None:
    """Check that ``value`` is one of the ``choices``.

    Raises:
        InvalidInputError: it is none.
    """
    if value not in choices:
        raise refuse("no-such-choice", field=field, value=value, name=field, names=choices)


def require_window(first: datetime, end: datetime, *, longest: timedelta | None = None) -> None:
    """Check that a window is valid and no longer than ``longest``.

    A valid one is not empty and lies between ``EARLIEST`` and ``LATEST``.

    Raises:
        InvalidInputError: it is not.
    """
    for field, instant in (("from", first), ("to", end)):
        if not EARLIEST <= instant <= LATEST:
            raise refuse(
                "years-outside",
                field=field,
                value=instant.isoformat(),
                first=EARLIEST.year,
                last=LATEST.year,
            )
    if end <= first:
        raise refuse("ends-before-start", field="to", value=end.isoformat())
    if longest is not None and end - first > longest:
        raise refuse("too-many-days", field="to", value=end.isoformat(), days=longest.days)
