"""What readers ask of a sensor's or a meter's readings: as received, cut into buckets, or thinned to a shape."""

from dataclasses import dataclass
from datetime import datetime

from luna.energy.buckets import RESOLUTIONS
from luna.energy.errors import InvalidInputError
from luna.energy.history import require_known, require_window

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
    """Readings of a sensor from ``first`` on, before ``end``; without ``aggregate`` as they were received.

    Args:
        sensor: its name, or a meter's register.
        first: the first instant.
        end: the instant after the last.
        aggregate: ``increase`` of a counter, ``time_weighted_mean``, or ``shape``.
        resolution: length of a bucket; ``1d`` means the site's local days. For ``increase`` and ``time_weighted_mean`` alone.
        points: how many readings a ``shape`` has at most.
        limit: how many rows an answer has at most; what follows is for the next one. A shape has none.

    Raises:
        InvalidInputError: no such aggregate or resolution, an option that the aggregate has no use for, or an empty window.
    """

    sensor: str | Register
    first: datetime
    end: datetime
    aggregate: str | None = None
    resolution: str | None = None
    points: int | None = None
    limit: int | None = None

    def __post_init__(self) -> None:
        for field, value, known in (("aggregate", self.aggregate, AGGREGATES), ("resolution", self.resolution, tuple(RESOLUTIONS))):
            if value is not None:
                require_known(field, value, known)
        if self.resolution is not None and self.aggregate not in BUCKETED:
            raise InvalidInputError("only buckets have a resolution", field="resolution", value=self.resolution, remedy=f"Ask for {' or '.join(BUCKETED)}.")
        if self.points is not None and self.aggregate != "shape":
            raise InvalidInputError("only a shape has a number of points", field="points", value=self.points, remedy="Ask for shape.")
        require_window(self.first, self.end)

    @property
    def bucket(self) -> str | None:
        """The resolution that holds, None where rows are readings."""
        return (self.resolution or USUAL_RESOLUTION) if self.aggregate in BUCKETED else None
