"""Capacity limits of a grid operator's events, over OpenADR 3.

An event has intervals with payloads; those of the types ``IMPORT_CAPACITY_LIMIT`` and
``EXPORT_CAPACITY_LIMIT`` limit what the meter may import and export, in kW unless the event's
``payloadDescriptors`` name another unit. Other payloads do not concern Luna.

Source: OpenADR Alliance, OpenADR 3.0.1, Definition: ``GET /events``, objects event, interval,
intervalPeriod. A start of year 1 means now, a duration of 9999 years means until further notice.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import AwareDatetime, BaseModel, Field, TypeAdapter, ValidationError

from luna.contracts.operator_limits import NewLimit
from luna.energy.units import read_measure
from services.ingest.sources.source import SourceError
from services.ingest.sources.web import Web

NAME = "openadr"
IMPORT_LIMIT = "IMPORT_CAPACITY_LIMIT"
EXPORT_LIMIT = "EXPORT_CAPACITY_LIMIT"
# The page size that every server has to accept.
PAGE = 50
MOST_PAGES = 20
_YEARS = re.compile(r"^P\d+Y")
_DURATION = TypeAdapter(timedelta)
# An identifier in a limit's name.
_UNUSABLE = re.compile(r"[^A-Za-z0-9._-]")
_LONGEST_ID = 40


class _Period(BaseModel):
    start: AwareDatetime | None = None
    duration: str | None = None


class _Payload(BaseModel):
    type: str
    values: list[Any] = []


class _Interval(BaseModel):
    id: int
    intervalPeriod: _Period | None = None  # noqa: N815 - the standard's names
    payloads: list[_Payload] = []


class _PayloadDescriptor(BaseModel):
    payloadType: str | None = None  # noqa: N815
    units: str | None = None


class _Event(BaseModel):
    id: str = Field(min_length=1)
    programID: str  # noqa: N815
    intervalPeriod: _Period | None = None  # noqa: N815
    intervals: list[_Interval] = []
    payloadDescriptors: list[_PayloadDescriptor] | None = None  # noqa: N815


_EVENTS = TypeAdapter(list[_Event])


@dataclass(frozen=True, slots=True)
class OpenAdrEvents:
    """Reads the events of a programme.

    Args:
        url: of the server's API, such as ``https://vtn.example/openadr3/3.0.1``.
        token: that the server gave to this client.
        web: sends the requests.
    """

    url: str
    token: str
    web: Web

    def fetch(self, program: str, *, now: datetime) -> list[NewLimit]:
        """Return the limits of a programme's events that are not over.

        Raises:
            SourceError: the server is away, or what it answers cannot be read.
            SourceRefusedError: it does not accept the token.
        """
        limits: list[NewLimit] = []
        for event in self._read_events(program):
            try:
                limits.extend(_read_limits(event, now=now))
            except (ValueError, ValidationError) as error:
                raise SourceError(
                    f"event {event.id} cannot be read: {error}",
                    field=NAME,
                    remedy="Ask the grid operator.",
                ) from error
        return limits

    def _read_events(self, program: str) -> list[_Event]:
        events: list[_Event] = []
        headers = {"authorization": f"Bearer {self.token}"}
        for page in range(MOST_PAGES):
            parameters = {"programID": program, "skip": f"{page * PAGE}", "limit": f"{PAGE}"}
            answer = self.web.get(f"{self.url.rstrip('/')}/events", parameters, headers=headers)
            try:
                part = _EVENTS.validate_json(answer.content)
            except ValidationError as error:
                raise SourceError(
                    "answers what is no list of events",
                    field=NAME,
                    remedy="Check grid.openadr.url of the site.",
                ) from error
            # Not every server filters.
            events += [event for event in part if event.programID == program]
            if len(part) < PAGE:
                return events
        raise SourceError(
            f"has more than {MOST_PAGES * PAGE} events", field=NAME, remedy="Ask the grid operator."
        )


def _read_limits(event: _Event, *, now: datetime) -> Iterator[NewLimit]:
    """Yield the limits of an event's intervals that are not over.

    Raises:
        ValueError: a value is no power, or a time is missing.
    """
    start = _read_start(event.intervalPeriod, now)
    for interval in event.intervals:
        period = interval.intervalPeriod or event.intervalPeriod
        if interval.intervalPeriod is not None:
            start = _read_start(interval.intervalPeriod, now)
        duration = _read_duration(None if period is None else period.duration)
        end = None if duration is None else start + duration
        imported_kw = _find_kw(event, interval, IMPORT_LIMIT)
        exported_kw = _find_kw(event, interval, EXPORT_LIMIT)
        is_over = end is not None and end <= now
        if not is_over and (imported_kw is not None or exported_kw is not None):
            yield NewLimit(
                start=start,
                end=end,
                import_kw=imported_kw,
                export_kw=exported_kw,
                scope="connection",
                limit_id=f"{NAME}:{_UNUSABLE.sub('-', event.id)[-_LONGEST_ID:]}:{interval.id}",
            )
        if end is None:
            return
        # Without a period of its own the next interval follows at once.
        start = end


def _read_start(period: _Period | None, now: datetime) -> datetime:
    if period is None or period.start is None or period.start.year <= 1:
        return now
    return period.start.astimezone(UTC)


def _read_duration(text: str | None) -> timedelta | None:
    """Return a duration, None where it has no end."""
    if text is None or _YEARS.match(text):
        return None
    duration = _DURATION.validate_python(text)
    return duration if duration > timedelta() else None


def _find_kw(event: _Event, interval: _Interval, kind: str) -> float | None:
    """Return the strictest limit of a kind in an interval, None where it has none."""
    values: list[float] = []
    for payload in interval.payloads:
        if payload.type == kind:
            values += [float(value) for value in payload.values]
    if not values:
        return None
    return min(values) * _factor(event.payloadDescriptors or (), kind)


def _factor(descriptors: Sequence[_PayloadDescriptor], kind: str) -> float:
    """Return the factor from a payload's unit to kW.

    Raises:
        ValueError: the unit is none of power.
    """
    for descriptor in descriptors:
        if descriptor.payloadType == kind and descriptor.units is not None:
            measure = read_measure(descriptor.units)
            if measure is None or measure.kind != "power":
                raise ValueError(f"{descriptor.units} is no unit of power")
            return measure.factor
    return 1.0
