"""What a stay of a vehicle may be: checked where it is stored, laid out where it repeats, and fitted to the vehicle where that has changed since."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TypeVar
from zoneinfo import ZoneInfo

from luna.contracts.plan import VehicleSession
from luna.contracts.vehicle_session import WEEKDAYS, NewSession, StoredSession
from luna.energy.devices import ElectricVehicle
from luna.energy.refusals import refuse
from luna.energy.site import Site
from luna.energy.timeline import local_instant
from luna.words import say_instant

LONGEST = timedelta(days=62)
# Whatever repeats shows itself within two weeks.
_TWO_WEEKS = timedelta(days=14)

Session = TypeVar("Session", bound=NewSession)


def check_session(session: NewSession, site: Site, standing: Sequence[StoredSession], *, now: datetime, is_seen: bool = False) -> None:
    """Refuse a stay that the site's vehicle cannot follow.

    Args:
        session: to be stored.
        site: whose vehicle stays.
        standing: the stays of the same vehicle that are stored and not over.
        now: the stay ends after this.
        is_seen: its sensor says how full it is.

    Raises:
        InvalidInputError: no such vehicle, a stay that is over or lasts too long, that overlaps another, that wants what the vehicle cannot do, or of which
            nobody knows how full the vehicle comes.
    """
    vehicle = find_vehicle(site, session.vehicle)
    zone = ZoneInfo(site.timezone)
    _check_time(session, zone, now=now)
    _check_power(session, vehicle)
    if session.arrival_soc is None and not is_seen and not any(other.from_ < session.from_ for other in standing):
        raise refuse("arrival-unknown", field="arrival_soc")
    # One that repeats makes way for one that does not.
    others = [other for other in standing if bool(other.days) == bool(session.days)]
    overlapping = next((other for other in others if _overlap(session, other, zone)), None)
    if overlapping is not None:
        span = " to ".join(say_instant(instant, zone) for instant in (overlapping.from_, overlapping.to))
        raise refuse("stay-overlaps", field="from", value=session.from_.isoformat(), vehicle=session.vehicle, span=span, session_id=overlapping.session_id)


def find_vehicle(site: Site, name: str) -> ElectricVehicle:
    """Return the vehicle of a name.

    Raises:
        InvalidInputError: the site has none of that name.
    """
    found = next((vehicle for vehicle in site.vehicles if vehicle.name == name), None)
    if found is None:
        names = tuple(vehicle.name for vehicle in site.vehicles)
        raise refuse("no-such-vehicle" if names else "no-vehicle", field="vehicle", value=name, names=names)
    return found


def lay_out_sessions(sessions: Sequence[Session], zone: ZoneInfo, *, first: datetime, end: datetime) -> list[Session]:
    """Return the stays that are not over at ``first``, in order of their beginning: those that repeat once for each time that begins before ``end``.

    Args:
        sessions: as stored, of one vehicle or several.
        zone: of the site, whose clock repeated stays follow.
        first: an instant.
        end: an instant.
    """
    once = [each for each in sessions if not each.days and each.to > first]
    again = [time for each in sessions if each.days for time in _repeat(each, zone, first=first, end=end)]
    free = [each for each in again if not any(other.vehicle == each.vehicle and meet(each, other) for other in once)]
    return sorted([*once, *free], key=lambda each: each.from_)


def _repeat(session: Session, zone: ZoneInfo, *, first: datetime, end: datetime) -> Iterator[Session]:
    """Yield each time of a repeated stay that is not over at ``first`` and begins before ``end``; none lies before its first time."""
    comes, leaves = session.from_.astimezone(zone), session.to.astimezone(zone)
    nights, clocks = leaves.date() - comes.date(), [f"{each:%H:%M}" for each in (comes, leaves)]
    day = max(leaves.date(), first.astimezone(zone).date())
    while (begins := local_instant(day - nights, clocks[0], zone)) < end:
        ends = local_instant(day, clocks[1], zone)
        if WEEKDAYS[day.weekday()] in session.days and ends > max(first, begins):
            yield session.model_copy(update={"from_": begins, "to": ends})
        day += timedelta(days=1)


def _overlap(session: NewSession, other: NewSession, zone: ZoneInfo) -> bool:
    """Whether two stays of a vehicle are ever there at once; of repeated ones the first two weeks tell."""
    if not session.days:
        return meet(session, other)
    since = max(session.to, other.to)
    times = [list(_repeat(each, zone, first=since, end=since + _TWO_WEEKS)) for each in (session, other)]
    return any(meet(one, two) for one in times[0] for two in times[1])


def meet(one: VehicleSession, other: VehicleSession) -> bool:
    """Return whether two stays are there at once."""
    return one.from_ < other.to and other.from_ < one.to


def fit_session(session: VehicleSession, vehicle: ElectricVehicle) -> VehicleSession:
    """Return a stored stay with no more wanted than its vehicle can do now; a stay of today must not end planning because the site has changed."""
    socs = {name: getattr(session, name) for name in ("target_soc", "min_soc")}
    power_kw = session.min_power_kw
    fitted = {name: None if soc is None else min(soc, vehicle.max_soc) for name, soc in socs.items()}
    return session.model_copy(update=fitted | {"min_power_kw": None if power_kw is None else min(power_kw, vehicle.most_charge_kw)})


def _check_time(session: NewSession, zone: ZoneInfo, *, now: datetime) -> None:
    value = session.to.astimezone(zone).isoformat()
    if session.to <= now and not session.days:
        raise refuse("stay-passed", field="to", value=value)
    if session.to - session.from_ > LONGEST:
        raise refuse("stay-too-long", field="to", value=value, days=LONGEST.days)
    times = list(_repeat(session, zone, first=session.from_, end=session.to + _TWO_WEEKS)) if session.days else []
    if any(following.from_ < before.to for before, following in pairwise(times)):
        raise refuse("stay-repeats-early", field="days", value=session.days)


def _check_power(session: NewSession, vehicle: ElectricVehicle) -> None:
    for name in ("target_soc", "min_soc"):
        wanted = getattr(session, name)
        if wanted is not None and wanted > vehicle.max_soc:
            raise refuse("soc-beyond", field=name, value=wanted, max_soc=vehicle.max_soc)
    if session.min_power_kw is not None and session.min_power_kw > vehicle.most_charge_kw:
        raise refuse("charge-power-beyond", field="min_power_kw", value=session.min_power_kw, most_kw=vehicle.most_charge_kw)
