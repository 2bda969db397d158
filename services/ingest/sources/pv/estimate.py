"""What a service expects of PV, and the reading of its periods.

A service names each period by its end.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Protocol

import numpy as np

from luna.energy.site import Site
from luna.energy.timeline import FloatArray, InstantArray, Timeline, floor_to
from services.ingest.sources.source import SourceError, SourceRefusedError
from services.ingest.sources.web import Parameters, Web, WebAnswer

# Every status is an answer: a repeated request would count against the day's calls.
ANY_STATUS = range(100, 600)
# Whole quarter-hours, so that a period is a number of slots.
PERIODS = (timedelta(minutes=15), timedelta(minutes=30), timedelta(hours=1))


@dataclass(frozen=True, slots=True)
class PvEstimate:
    """A service's PV forecast of a home by quarter-hour, kWh; NaN if unknown.

    ``p10_kwh`` and ``p90_kwh`` are None where it gives no band.
    """

    p50_kwh: FloatArray
    p10_kwh: FloatArray | None = None
    p90_kwh: FloatArray | None = None


class PvSource(Protocol):
    """A service that forecasts a home's PV."""

    name: str

    def fetch(self, site: Site, timeline: Timeline) -> PvEstimate:
        """Return what is expected as of now, on a timeline.

        Raises:
            SourceError: the service is away, has no calls left, or contradicts itself.
            SourceRefusedError: it refuses the token or the place.
        """
        ...


def ask_once(
    web: Web, url: str, parameters: Parameters, *, headers: Mapping[str, str] | None = None
) -> WebAnswer:
    """Return the answer to one single request.

    Raises:
        SourceError: the service is away, busy, or has no calls left.
        SourceRefusedError: it refuses the token or the place.
    """
    answer = web.get(url, parameters, headers=headers, accept=ANY_STATUS)
    status = answer.status
    if status == HTTPStatus.OK:
        return answer
    if status in {HTTPStatus.PAYMENT_REQUIRED, HTTPStatus.TOO_MANY_REQUESTS}:
        raise SourceError(
            "has no calls left", field=web.service, value=status, remedy="Wait until tomorrow."
        )
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        raise SourceRefusedError(
            "does not accept the token",
            field=web.service,
            value=status,
            remedy="Check the token in the settings.",
        )
    if HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR:
        raise SourceRefusedError(
            "refuses what was asked",
            field=web.service,
            value=status,
            remedy="Check roof and place.",
        )
    raise SourceError(
        f"answers {status}", field=web.service, value=status, remedy="Try again later."
    )


def order_periods(
    service: str, ends: Sequence[datetime], period: timedelta, rows: Sequence[Sequence[float]]
) -> tuple[InstantArray, FloatArray]:
    """Return the ends of periods in order, and a column of ``rows`` for each.

    Raises:
        SourceError: no periods, some that overlap or cut quarter-hours, or two answers for one.
    """
    if not ends:
        raise SourceError("answers no forecast", field=service, remedy="Try again later.")
    if period not in PERIODS:
        raise SourceError(
            f"answers periods of {period}", field=service, remedy="Luna reads 15, 30 or 60 minutes."
        )
    by_end: dict[datetime, tuple[float, ...]] = {}
    for end, row in zip(ends, rows, strict=True):
        at = end.astimezone(UTC)
        if floor_to(at, period) != at:
            raise SourceError(
                f"answers a period that ends at {at:%H:%M:%S}",
                field=service,
                remedy="Try again later.",
            )
        values = tuple(row)
        if by_end.setdefault(at, values) != values:
            raise SourceError(
                f"answers twice for {at.isoformat()}", field=service, remedy="Try again later."
            )
    ordered = sorted(by_end)
    instants = np.array([at.replace(tzinfo=None) for at in ordered], dtype="datetime64[s]")
    return instants, np.array([by_end[at] for at in ordered], dtype=np.float64).T
