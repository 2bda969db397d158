"""Queries of a sensor's or a smart meter's readings.

They are answered as received, aggregated into buckets, or downsampled to a shape.
"""

from dataclasses import dataclass
from datetime import datetime

from luna.energy.buckets import RESOLUTIONS
from luna.energy.refusals import refuse
from luna.energy.series_query import require_choice, require_window

BUCKETED = ("increase", "time_weighted_mean")
AGGREGATES = (*BUCKETED, "shape")
USUAL_RESOLUTION = "1h"
USUAL_POINTS = 500


@dataclass(frozen=True, slots=True)
class Register:
    """A register of a smart meter; ``register`` is its OBIS code."""

    meter: str
    register: str


@dataclass(frozen=True, slots=True)
class ReadingQuery:
    """A query of readings over ``[first, end)``; without ``aggregate`` as received.

    Args:
        sensor: its name, or a meter's register.
        first: the first instant.
        end: the instant after the last.
        aggregate: ``increase`` of a counter, ``time_weighted_mean``, or ``shape``.
        resolution: length of a bucket; ``1d`` means the site's local days. Only for ``increase``
            and ``time_weighted_mean``.
        points: most readings of a ``shape``.
        limit: most rows of a reply; the next page has the rest. A shape ignores it.

    Raises:
        InvalidInputError: no such aggregate or resolution, an option that does not apply to the
            aggregate, or an empty window.
    """

    sensor: str | Register
    first: datetime
    end: datetime
    aggregate: str | None = None
    resolution: str | None = None
    points: int | None = None
    limit: int | None = None

    def __post_init__(self) -> None:
        for field, value, choices in (
            ("aggregate", self.aggregate, AGGREGATES),
            ("resolution", self.resolution, tuple(RESOLUTIONS)),
        ):
            if value is not None:
                require_choice(field, value, choices)
        if self.resolution is not None and self.aggregate not in BUCKETED:
            raise refuse(
                "not-taken-here",
                field="resolution",
                value=self.resolution,
                takers=" or ".join(BUCKETED),
            )
        if self.points is not None and self.aggregate != "shape":
            raise refuse("not-taken-here", field="points", value=self.points, takers="shape")
        require_window(self.first, self.end)

    @property
    def bucket(self) -> str | None:
        """The effective resolution, None where rows are readings."""
        return (self.resolution or USUAL_RESOLUTION) if self.aggregate in BUCKETED else None
