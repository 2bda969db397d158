"""How commands are told of stays of vehicles: ``car=18:00..07:00,target=0.8,soc=0.4``."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, cast
from zoneinfo import ZoneInfo

from luna.contracts.charging_stays import WEEKDAYS, Weekday
from luna.contracts.plan import PlanRequest, VehicleSession, VehicleState
from luna.energy.errors import InvalidInputError
from luna.energy.timeline import parse_instant
from luna.platform.clock import SystemClock
from luna.platform.desk.servers import unit_of_work
from services.cli.options import compose_request

if TYPE_CHECKING:
    from luna.energy.site import Site

# What is said of a stay: its name in the option, the field, and whether it is a share (0.8 or 80%).
FIELDS: dict[str, tuple[str, bool]] = {
    "target": ("target_soc", True),
    "soc": ("arrival_soc", True),
    "limit": ("limit_soc", True),
    "min": ("min_soc", True),
    "value": ("extra_value", False),
    "power": ("min_power_kw", False),
}
GRAMMAR = f'Write it like "car=18:00..07:00,target=0.8,soc=0.4"; after the times may stand {", ".join(FIELDS)}.'
HELP = 'A stay of a vehicle, "car=18:00..07:00,target=0.8,soc=0.4": times of the site\'s clock or instants, shares as 0.8 or 80%. May be repeated.'
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})")


def read_days(text: str) -> list[Weekday]:
    """Return the weekdays of ``mon-fri`` or ``sat,sun``; none of an empty text.

    Raises:
        InvalidInputError: something else stands there.
    """
    found: list[Weekday] = []
    for part in filter(None, (part.strip().lower() for part in text.split(","))):
        first, _, last = part.partition("-")
        if not {first, last or first} <= set(WEEKDAYS):
            remedy = f"Write it like mon-fri or sat,sun; there are {', '.join(WEEKDAYS)}."
            raise InvalidInputError("these are no weekdays", field="--days", value=text, remedy=remedy)
        begin, end = WEEKDAYS.index(cast("Weekday", first)), WEEKDAYS.index(cast("Weekday", last or first))
        found += [WEEKDAYS[place % len(WEEKDAYS)] for place in range(begin, end + 1 if end >= begin else end + 1 + len(WEEKDAYS))]
    return found


@dataclass(frozen=True, slots=True)
class StayClock:
    """By what the times of a stay are read: the site's zone, and the instant before which it is not over."""

    zone: ZoneInfo
    now: datetime

    def read(self, first: str, end: str, *, fields: tuple[str, str]) -> tuple[datetime, datetime]:
        """Return when a stay begins and ends.

        Each is an instant with its offset, a local day, a day and time of the site's clock, or a time alone. Times alone are those of the stay that goes on
        or comes next: the end is the first such time after now, or after a beginning with its day, and the beginning the last one before the end. An empty
        beginning is now.

        Args:
            first: the beginning.
            end: the end.
            fields: what they are called, for refusals.

        Raises:
            InvalidInputError: no time, one that the clock skips or shows twice, or the stay ends before it begins.
        """
        begin = None if _CLOCK.fullmatch(first) else self.now if not first else parse_instant(first, field=fields[0], zone=self.zone)
        until = self._next(end, begin or self.now, field=fields[1]) if _CLOCK.fullmatch(end) else parse_instant(end, field=fields[1], zone=self.zone)
        begin = begin or self._last(first, until, field=fields[0])
        if until <= begin:
            raise InvalidInputError("the stay ends before it begins", field=fields[1], value=end, remedy="Name a later end, or an earlier beginning.")
        return begin, until

    def _next(self, clock: str, after: datetime, *, field: str) -> datetime:
        return next(instant for instant in self._times(clock, after, range(3), field=field) if instant > after)

    def _last(self, clock: str, before: datetime, *, field: str) -> datetime:
        return next(instant for instant in self._times(clock, before, range(0, -3, -1), field=field) if instant < before)

    def _times(self, clock: str, around: datetime, days: range, *, field: str) -> Iterator[datetime]:
        """Yield a time of the clock on the days around an instant."""
        day = around.astimezone(self.zone).date()
        for number in days:
            yield parse_instant(f"{day + timedelta(days=number)} {clock.zfill(5)}", field=field, zone=self.zone)


def read_sessions(texts: Sequence[str], clock: StayClock) -> dict[str, list[VehicleSession]]:
    """Return the stays that options name, by vehicle, in order of their beginning.

    Raises:
        InvalidInputError: names the option's part that is wrong.
    """
    found: dict[str, list[VehicleSession]] = {}
    for text in texts:
        name, session = _read_session(text, clock)
        found.setdefault(name, []).append(session)
    return {name: sorted(sessions, key=lambda each: each.from_) for name, sessions in found.items()}


def _read_session(text: str, clock: StayClock) -> tuple[str, VehicleSession]:
    name, _, rest = text.partition("=")
    window, *settings = rest.split(",")
    first, dots, end = window.partition("..")
    if not name.strip() or not dots or not end.strip():
        raise InvalidInputError("names no vehicle with its stay", field="--session", value=text, remedy=GRAMMAR)
    begin, until = clock.read(first.strip(), end.strip(), fields=("--session", "--session"))
    return name.strip(), compose_session(dict(_read_settings(settings)), begin, until)


def compose_session(wanted: Mapping[str, Any], begin: datetime, until: datetime) -> VehicleSession:
    """Return a stay of these fields; refusals name them as the option does.

    Raises:
        InvalidInputError: a value that is out of bounds, or a target beyond the limit.
    """
    try:
        return compose_request(VehicleSession, **wanted, from_=begin, to=until)
    except InvalidInputError as error:
        said = {field: name for name, (field, _) in FIELDS.items()}.get(error.field or "")
        error.field = f"--session {said}" if said else "--session"
        raise


def _read_settings(settings: Sequence[str]) -> Iterator[tuple[str, float]]:
    for part in settings:
        name, equals, value = (word.strip() for word in part.partition("="))
        if not equals or name not in FIELDS:
            raise InvalidInputError("is nothing that is said of a stay", field="--session", value=part.strip(), remedy=GRAMMAR)
        field, share = FIELDS[name]
        yield field, read_number(value, field=f"--session {name}", share=share)


def read_number(text: str, *, field: str, share: bool) -> float:
    """Return a number; a share may be written as 0.8 or 80%.

    Raises:
        InvalidInputError: it is none.
    """
    digits, percent = (text[:-1], 100.0) if share and text.endswith("%") else (text, 1.0)
    try:
        return float(digits) / percent
    except ValueError as exc:
        raise InvalidInputError("is no number", field=field, value=text, remedy="Write a share like 0.8 or 80%." if share else "Write it like 3.7.") from exc


def add_sessions(request: PlanRequest, texts: Sequence[str]) -> PlanRequest:
    """Return the request with the stays that options name, in place of what it says of these vehicles.

    Raises:
        NotFoundError: no such site.
        InvalidInputError: no stay, a vehicle that the site does not have, or one of which nobody knows how full it is.
    """
    site, start = _find_site(request), request.start or SystemClock().now()
    stays = read_sessions(texts, StayClock(ZoneInfo(site.timezone), start))
    names = [vehicle.name for vehicle in site.vehicles]
    strange = next((name for name in stays if name not in names), None)
    if strange is not None:
        remedy = f"There are: {', '.join(names)}." if names else "Describe one in the site's file, under vehicles."
        raise InvalidInputError("the site has no such vehicle", field="--session", value=strange, remedy=remedy)
    known = {name: state.soc for name, state in request.state.vehicles.items()}
    if request.site_id is not None and any(each[0].arrival_soc is None and name not in known for name, each in stays.items()):
        from services.planner.service.state import read_carried

        with unit_of_work() as connection:
            carried, facts = read_carried(connection, site, start, now=SystemClock().now())
        known |= {name: each.charge.soc for name, each in facts.sensed.items() if each.charge is not None}
        known |= {name: vehicle.soc for name, vehicle in carried.vehicles.items()}
    vehicles = {name: _state(name, each, known) for name, each in stays.items()}
    return request.model_copy(update={"state": request.state.model_copy(update={"vehicles": request.state.vehicles | vehicles})})


def _state(name: str, sessions: list[VehicleSession], known: Mapping[str, float]) -> VehicleState:
    soc = known.get(name) if sessions[0].arrival_soc is None else sessions[0].arrival_soc
    if soc is None:
        raise InvalidInputError("how full the vehicle comes is not known", field="--session", value=name, remedy="Say it: soc=0.4.")
    return VehicleState(soc=soc, sessions=sessions)


def _find_site(request: PlanRequest) -> "Site":
    if request.site is not None:
        return request.site
    from luna.platform.database import sites

    with unit_of_work() as connection:
        return sites.load(connection, str(request.site_id))
