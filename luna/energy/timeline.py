"""The time grid: UTC instants, slots of equal length and local days.

Daylight-saving changes and the parsing of local times belong to it. Local time appears only here
and at the edges. A slot is named by its start and covers ``[start, start + step)``. A first slot
that has begun counts only with its remaining part: ``hours``, ``edges`` and the methods that
compare slots with instants use that part.
"""

import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property, lru_cache
from itertools import accumulate, repeat
from typing import Annotated, Any, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, AwareDatetime, BeforeValidator

from luna.energy.errors import InvalidInputError
from luna.energy.refusals import invalid_part, part_of, refuse

FloatArray = NDArray[np.float64]
InstantArray = NDArray[np.datetime64]
IndexArray = NDArray[np.int64]
Scalar = TypeVar("Scalar", bound=np.generic)

SLOT = timedelta(minutes=15)
SLOT_SECONDS = 900
SLOT_HOURS = 0.25
SLOTS_PER_HOUR = 4
SLOTS_PER_DAY = 96
STEPS = tuple(timedelta(minutes=minutes) for minutes in (5, 15, 30, 60))


@dataclass(frozen=True)
class Timeline:
    """``count`` consecutive slots of length ``step`` from ``start``.

    ``first_step`` is the remaining part of a first slot that has begun, from ``begin`` to the end
    of the slot.

    Raises:
        InvalidInputError: naive or unaligned start, a step that is not 5, 15, 30 or 60 minutes, no
            slots, or a ``first_step`` outside ``(0, step]``.
    """

    start: datetime
    step: timedelta
    count: int
    first_step: timedelta | None = None

    def __post_init__(self) -> None:
        if self.step not in STEPS:
            raise refuse(
                "slot-length", field="slot_minutes", value=self.step / timedelta(minutes=1)
            )
        if self.count < 1:
            raise refuse("no-slot", field="slots", value=self.count)
        object.__setattr__(self, "start", require_utc(self.start, field="start"))
        # Local midnights of some time zones lie off the UTC grid of longer slots; all of them lie
        # on five minutes.
        if (self.start - _EPOCH) % STEPS[0]:
            raise refuse("start-off-grid", field="start", value=self.start.isoformat())
        if self.first_step is not None and not timedelta(0) < self.first_step <= self.step:
            raise refuse(
                "first-slot-length", field="first_slot_minutes", value=str(self.first_step)
            )

    @property
    def begin(self) -> datetime:
        """The start of the first slot's remaining part; its start unless it has begun."""
        return self.start if self.first_step is None else self.start + self.step - self.first_step

    @property
    def end(self) -> datetime:
        """The instant at which the last slot ends."""
        return self.start + self.count * self.step

    @cached_property
    def hours(self) -> FloatArray:
        """Remaining length of each slot, shape ``(slots,)``, hours."""
        hours = np.full(self.count, self.step / timedelta(hours=1))
        if self.first_step is not None:
            hours[0] = self.first_step / timedelta(hours=1)
        return hours

    @cached_property
    def starts(self) -> InstantArray:
        """Start of each slot, shape ``(slots,)``, ``datetime64[s]`` in UTC."""
        start = np.datetime64(self.start.replace(tzinfo=None), "s")
        step = np.timedelta64(int(self.step.total_seconds()), "s")
        return start + np.arange(self.count) * step

    @cached_property
    def edges(self) -> InstantArray:
        """``begin`` and the end of each slot, shape ``(slots + 1,)``, ``datetime64[us]`` in UTC."""
        edges = to_instant(self.start) + np.arange(self.count + 1) * np.timedelta64(self.step)
        edges[0] = to_instant(self.begin)
        return edges

    def overlap_hours(self, begin: datetime, end: datetime) -> FloatArray:
        """Return each slot's overlap with a window, hours, shape ``(slots,)``.

        Of a slot its remaining part counts; the window lies between two instants.
        """
        overlap = np.minimum(self.edges[1:], to_instant(end)) - np.maximum(
            self.edges[:-1], to_instant(begin)
        )
        return np.maximum(overlap / np.timedelta64(1, "h"), 0.0)

    def within(self, begin: datetime, end: datetime) -> NDArray[np.bool_]:
        """Return which slots lie wholly between two instants, by their remaining part.

        Shape ``(slots,)``.
        """
        return (self.edges[:-1] >= to_instant(begin)) & (self.edges[1:] <= to_instant(end))

    def first_from(self, instant: datetime) -> int:
        """Return the first slot whose remaining part starts at ``instant`` or later.

        ``count`` where there is none.
        """
        return int(np.searchsorted(self.edges[:-1], to_instant(instant)))

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[datetime]:
        return accumulate(repeat(self.step, self.count - 1), operator.add, initial=self.start)

    def index_of(self, instant: datetime) -> int:
        """Return the slot that covers ``instant``.

        Raises:
            InvalidInputError: the instant carries no offset, or lies outside the timeline.
        """
        slot = (require_utc(instant, field="instant") - self.start) // self.step
        if not 0 <= slot < self.count:
            raise refuse(
                "instant-outside",
                value=instant.isoformat(),
                start=self.start.isoformat(),
                end=self.end.isoformat(),
            )
        return slot

    def window(self, first: int, count: int) -> "Timeline":
        """Return the timeline of ``count`` slots from slot ``first`` on."""
        begun = self.first_step if first == 0 else None
        return Timeline(self.start + first * self.step, self.step, count, begun)

    def whole(self) -> "Timeline":
        """Return the same slots with the full length of the first one."""
        return replace(self, first_step=None)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Python's calendar ends with 1 and 9999; slots and days computed around these years stay within it.
YEARS = range(1900, 3000)


def require_utc(instant: datetime, *, field: str) -> datetime:
    """Return ``instant`` in UTC.

    Raises:
        InvalidInputError: the instant carries no offset, or its year in UTC is not between 1 and
            9999.
    """
    if instant.tzinfo is None or instant.utcoffset() is None:
        raise refuse("time-without-offset", field=field, value=instant.isoformat())
    try:
        return instant.astimezone(UTC)
    except OverflowError as exc:
        raise refuse("outside-calendar", field=field, value=instant.isoformat()) from exc


def to_instant(instant: datetime) -> np.datetime64:
    """Return an instant as ``datetime64[us]`` in UTC.

    Raises:
        InvalidInputError: as ``require_utc``.
    """
    return np.datetime64(require_utc(instant, field="instant").replace(tzinfo=None), "us")


def to_utc(instant: np.datetime64) -> datetime:
    """Return an instant of a UTC array as datetime."""
    naive: datetime = instant.astype("datetime64[us]").astype(datetime)
    return naive.replace(tzinfo=UTC)


def parse_instant(text: str, *, field: str, zone: ZoneInfo | None = None) -> datetime:
    """Parse an ISO 8601 time with an offset, or a local one with ``zone``.

    A local day stands for its beginning.

    Raises:
        InvalidInputError: no time, a year outside ``YEARS``, neither offset nor zone, or a local
            time that a daylight-saving change skips or repeats.
    """
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as exc:
        raise refuse("not-a-time", field=field, value=text) from exc
    require_year(instant, field=field)
    if instant.tzinfo is None and zone is not None:
        if _is_day(text):
            return local_midnight(instant.date(), zone)
        return _read_clock(instant, text, field=field, zone=zone)
    return require_utc(instant, field=field)


def parse_day(text: str, *, field: str) -> date:
    """Parse a local day such as 2024-02-01.

    Raises:
        InvalidInputError: no day, or a year outside ``YEARS``.
    """
    try:
        day = date.fromisoformat(text)
    except ValueError as exc:
        raise refuse("expected-day", field=field, value=text) from exc
    require_year(day, field=field)
    return day


def require_year(day: date, *, field: str) -> None:
    """Check that the year of a day or an instant is one of ``YEARS``.

    Raises:
        InvalidInputError: it is not.
    """
    if day.year not in YEARS:
        raise refuse(
            "years-outside", field=field, value=day.isoformat(), first=YEARS[0], last=YEARS[-1]
        )


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _read_clock(local: datetime, text: str, *, field: str, zone: ZoneInfo) -> datetime:
    first = require_utc(local.replace(tzinfo=zone, fold=0), field=field)
    second = require_utc(local.replace(tzinfo=zone, fold=1), field=field)
    if first == second:
        return first
    one = first.astimezone(zone).isoformat()
    other = second.astimezone(zone).isoformat()
    if first < second:
        raise refuse("clock-twice", field=field, value=text, zone=zone.key, one=one, other=other)
    raise refuse("clock-skips", field=field, value=text, zone=zone.key, one=one)


def parse_zone(name: str, *, field: str = "timezone") -> ZoneInfo:
    """Return the time zone of an IANA ``name``.

    Raises:
        InvalidInputError: no such zone.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as exc:
        raise refuse("no-such-time-zone", field=field, value=name) from exc


def share_zone(names: Iterable[str]) -> ZoneInfo:
    """Return the time zone that all ``names`` share, else UTC.

    The rows of one table use one clock.
    """
    zones = set(names)
    return parse_zone(zones.pop() if len(zones) == 1 else "UTC")


def floor_to(instant: datetime, step: timedelta) -> datetime:
    """Return the start of the slot that covers ``instant``."""
    return instant - (instant - _EPOCH) % step


def local_midnight(day: date, zone: ZoneInfo) -> datetime:
    """Return the instant at which the local ``day`` begins, in UTC."""
    return datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)


def local_instant(day: date, clock: str, zone: ZoneInfo) -> datetime:
    """Return the instant (UTC) of a local time such as ``07:00``.

    ``24:00`` is the next midnight. A time skipped by a daylight-saving change moves forward.
    """
    hours, minutes = map(int, clock.split(":"))
    if hours == 24:
        return local_midnight(day + timedelta(days=1), zone)
    return datetime.combine(day, time(hours, minutes), tzinfo=zone).astimezone(UTC)


def local_day(day: date, zone: ZoneInfo, step: timedelta = SLOT) -> Timeline:
    """Return the slots of one local calendar day.

    In most zones it has 92, 96 or 100 quarter-hours.

    Invariants: consecutive days join without gap or overlap.

    Raises:
        InvalidInputError: the day is no whole number of slots (a half-hour change on an hourly
            grid).
    """
    return local_days(day, day, zone, step)


def local_days(first: date, last: date, zone: ZoneInfo, step: timedelta = SLOT) -> Timeline:
    """Return the slots of the local days ``first`` to ``last``, both included."""
    start = local_midnight(first, zone)
    end = local_midnight(last + timedelta(days=1), zone)
    count, rest = divmod(end - start, step)
    if rest:
        raise refuse(
            "slots-not-whole",
            field="slot_minutes",
            value=step / timedelta(minutes=1),
            first=first,
            last=last,
            zone=zone.key,
        )
    return Timeline(start, step, count)


def local_dates(timeline: Timeline, zone: ZoneInfo) -> list[date]:
    """Return the local calendar day of each slot."""
    return [instant.astimezone(zone).date() for instant in timeline]


def split_days(timeline: Timeline, zone: ZoneInfo, *, begins: str = "00:00") -> list[int]:
    """Return the index of each local day's first slot, and the number of slots.

    The first edge is 0, the last one the number of slots.

    Args:
        timeline: to split.
        zone: whose clock counts.
        begins: the local time at which a day begins, such as ``12:00``.
    """
    day = timeline.start.astimezone(zone).date()
    edges = [0]
    while (begin := local_instant(day, begins, zone)) < timeline.end:
        if begin > timeline.start:
            # A slot that contains the begin belongs to the day before.
            edges.append(-((timeline.start - begin) // timeline.step))
        day += timedelta(days=1)
    return [*edges, timeline.count]


def local_offsets(instants: InstantArray, zone: ZoneInfo) -> NDArray[np.timedelta64]:
    """Return the offset of local time from UTC at each instant (``datetime64``, UTC).

    Offsets change at half-hours, and on few days: the other days need one look-up each.
    """
    if not instants.size:
        return np.zeros(instants.shape, dtype="timedelta64[s]")
    halves = instants.astype("datetime64[s]").astype(np.int64) // _HALF_HOUR_S
    days = halves // _HALVES_PER_DAY
    first_day = int(days.min())
    place = days - first_day
    is_asked = np.zeros(int(place.max()) + 1, dtype=bool)
    is_asked[place] = True
    offset_of_day = np.zeros(is_asked.size, dtype=np.int64)
    changing = []
    for day in np.flatnonzero(is_asked).tolist():
        first_half = (first_day + day) * _HALVES_PER_DAY
        offset = _offset_seconds(zone, first_half)
        offset_of_day[day] = offset
        if offset != _offset_seconds(zone, first_half + _HALVES_PER_DAY):
            changing.append(day)
    seconds = offset_of_day[place]
    for day in changing:
        inside = place == day
        seconds[inside] = [_offset_seconds(zone, half) for half in halves[inside].tolist()]
    return seconds.astype("timedelta64[s]")


_HALF_HOUR_S = 1800
_HALVES_PER_DAY = 48


# A plan looks up the same days many times.
@lru_cache(maxsize=1 << 13)
def _offset_seconds(zone: ZoneInfo, half: int) -> int:
    offset = datetime.fromtimestamp(_HALF_HOUR_S * half, zone).utcoffset()
    return offset // timedelta(seconds=1)  # type: ignore[operator]


def broadcast(values: NDArray[Scalar], shape: tuple[int, ...]) -> NDArray[Scalar]:
    """Broadcast values to a shape.

    Skips ``np.broadcast_to``, which costs more than the use of the values, where they have it
    already.
    """
    return values if values.shape == shape else np.broadcast_to(values, shape)


def bound(values: FloatArray, low: FloatArray | float, high: FloatArray | float) -> FloatArray:
    """Clip values to ``low`` and ``high``.

    For a day's slots it is three times as fast as ``np.clip``.
    """
    return np.minimum(np.maximum(values, low), high)


def spread_energy(energy: FloatArray, factor: int) -> FloatArray:
    """Split each value into ``factor`` equal parts: hourly energy onto quarter-hours.

    The sum stays.
    """
    return np.repeat(energy / factor, factor)


def hold_price(price: FloatArray, factor: int) -> FloatArray:
    """Repeat each value ``factor`` times: hourly prices onto quarter-hours. The mean stays."""
    return np.repeat(price, factor)


def repeat_last(places: IndexArray, known: int, *, period: int) -> IndexArray:
    """Map slot indices onto the first ``known`` slots.

    Beyond them, the last ``period`` slots repeat.
    """
    periods_back = np.where(places >= known, (places - known) // period + 1, 0)
    return np.asarray(places - periods_back * period)


def align(starts: InstantArray, values: FloatArray, timeline: Timeline) -> FloatArray:
    """Place ``values`` by their ``starts`` on ``timeline``.

    A slot without a value is NaN, never zero.

    Args:
        starts: strictly ascending slot starts in UTC, shape ``(values,)``.
        values: one value per start, shape ``(values,)``.

    Raises:
        InvalidInputError: unsorted or duplicated starts, or one that begins within a slot.
    """
    return align_each(starts, {"values": values}, timeline)["values"]


def align_each(
    starts: InstantArray, columns: Mapping[str, FloatArray], timeline: Timeline
) -> dict[str, FloatArray]:
    """Place several columns that share their ``starts`` on ``timeline``, as ``align`` does."""
    if starts.size > 1 and not (np.diff(starts) > np.timedelta64(0)).all():
        wrong = int(np.flatnonzero(np.diff(starts) <= np.timedelta64(0))[0]) + 1
        raise refuse("slots-not-ascending", field=f"slot_start[{wrong}]", value=str(starts[wrong]))
    since = starts.astype("datetime64[s]") - timeline.starts[0]
    step = np.timedelta64(int(timeline.step.total_seconds()), "s")
    slots = since // step
    inside = (slots >= 0) & (slots < timeline.count)
    late = np.flatnonzero(inside & (since != slots * step))
    if late.size:
        raise refuse("value-off-slot", field=f"slot_start[{late[0]}]", value=str(starts[late[0]]))
    places = slots[inside]
    aligned = {name: np.full(timeline.count, np.nan) for name in columns}
    for name, values in columns.items():
        aligned[name][places] = values[inside]
    return aligned


# --- pydantic types: an instant with its offset; inside ``site_clock`` also in the site's local tim


# One call of a command or of the gateway concerns one site, and validators of a model receive no
# argument that could carry its time zone.
_CLOCK: ContextVar[ZoneInfo | Callable[[], ZoneInfo] | None] = ContextVar(
    "site_clock", default=None
)


@contextmanager
def site_clock(zone: ZoneInfo | Callable[[], ZoneInfo] | None) -> Iterator[None]:
    """Validate local days and times in this time zone, given or looked up when needed.

    None: accept only instants with an offset.
    """
    token = _CLOCK.set(zone)
    try:
        yield
    finally:
        _CLOCK.reset(token)


# In a URL an unescaped plus sign arrives as a blank.
_LOST_PLUS = re.compile(r"\d{4}-\d{2}-\d{2}T[\d:.,]+ \d{2}:?\d{2}")


def _read_instant(value: Any) -> Any:
    clock = _CLOCK.get()
    # YAML parses what looks like a day or a time into one.
    text = value.isoformat() if isinstance(value, date) else value
    if isinstance(text, str) and _LOST_PLUS.fullmatch(text):
        raise invalid_part("lost-plus")
    if clock is None or not isinstance(text, str):
        return value
    try:
        has_offset = datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return value
    if has_offset:
        return value
    zone = clock if isinstance(clock, ZoneInfo) else clock()
    try:
        return parse_instant(text, field="", zone=zone)
    except InvalidInputError as error:
        raise part_of(error) from error


_Day = TypeVar("_Day", bound=date)


def _within_calendar(day: _Day) -> _Day:
    try:
        require_year(day, field="")
    except InvalidInputError as error:
        raise part_of(error) from error
    return day


# With an offset; inside ``site_clock`` also a local day (its beginning) or a local time of the
# site.
Instant = Annotated[AwareDatetime, BeforeValidator(_read_instant), AfterValidator(_within_calendar)]
# A local day of the site.
Day = Annotated[date, AfterValidator(_within_calendar)]
