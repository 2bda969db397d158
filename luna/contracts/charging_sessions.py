"""Stays of vehicles at their chargers.

A stored session is checked where it is stored, laid out where it repeats, and fitted where its
vehicle has changed.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from operator import attrgetter
from typing import Annotated, ClassVar, Literal, TypeAlias, TypeVar, get_args
from zoneinfo import ZoneInfo

import numpy as np
from pydantic import Field, ValidationInfo, field_validator

from luna.contracts.device_runs import PlannedRun, find_run
from luna.contracts.message import Message, Request, Schedule
from luna.contracts.owner import Authored
from luna.contracts.plan import PlanReply
from luna.contracts.plan.reply import VehicleFlow
from luna.contracts.plan.state import VehicleSession
from luna.energy.charge_sensors import list_read
from luna.energy.devices.vehicle import ElectricVehicle
from luna.energy.errors import LunaError
from luna.energy.refusals import invalid_part, refuse
from luna.energy.site import Site
from luna.energy.timeline import local_instant
from luna.words import say_instant

LONGEST = timedelta(days=62)
# Whatever repeats shows itself within two weeks.
_TWO_WEEKS = timedelta(days=14)

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)


class NewSession(VehicleSession):
    """A session to be stored, for every plan from the next one on.

    It holds until it is over or taken back. ``arrival_soc`` is how full the vehicle is when the
    session begins, or now where it has begun; it may be left out where an earlier session is
    stored, or where the vehicle's sensor says it.

    With ``days`` the session repeats until it is taken back: ``from`` and ``to`` are its first
    time,
    and from then on it lasts from the one to the other clock time of the site, leaving on each of
    these days. A session without days takes the place of a repeated one that it overlaps.
    """

    vehicle: Annotated[str, Field(min_length=1, max_length=64, description="by its name")]
    days: Annotated[
        list[Weekday],
        Field(
            max_length=7, description="weekdays on which it leaves, again every week; empty: once"
        ),
    ] = []

    @property
    def device(self) -> str:
        """The name of what stays."""
        return self.vehicle

    @field_validator("to")
    @classmethod
    def _ends_later(cls, to: datetime, info: ValidationInfo) -> datetime:
        if "from_" in info.data and to <= info.data["from_"]:
            raise invalid_part("ends-before-start")
        return to

    @field_validator("days")
    @classmethod
    def _in_order(cls, days: list[Weekday]) -> list[Weekday]:
        return [day for day in WEEKDAYS if day in days]


class StoredSession(Authored, NewSession):
    """A stored session with its author."""

    session_id: Annotated[int, Field(description="number by which it is taken back")]


Session = TypeVar("Session", bound=NewSession)
# Stays in order, by the device's name.
SessionMap: TypeAlias = Mapping[str, Sequence[VehicleSession]]


def check_session(
    session: NewSession,
    site: Site,
    standing: Sequence[StoredSession],
    *,
    now: datetime,
    is_seen: bool = False,
) -> None:
    """Refuse a session that the site's vehicle cannot follow.

    Args:
        session: to be stored.
        site: whose vehicle stays.
        standing: the sessions of the same vehicle that are stored and not over.
        now: the session ends after this.
        is_seen: its sensor says how full it is.

    Raises:
        InvalidInputError: no such vehicle, a session that is over or lasts too long, that overlaps
            another, that wants what the vehicle cannot do, or of which nobody knows how full the
            vehicle comes.
    """
    vehicle = find_vehicle(site, session.vehicle)
    zone = ZoneInfo(site.timezone)
    value = session.to.astimezone(zone).isoformat()
    if session.to <= now and not session.days:
        raise refuse("time-passed", field="to", value=value)
    if session.to - session.from_ > LONGEST:
        raise refuse("too-many-days", field="to", value=value, days=LONGEST.days)
    if session.days:
        times = list(_repeat(session, zone, first=session.from_, end=session.to + _TWO_WEEKS))
        if any(meet(before, following) for before, following in pairwise(times)):
            raise refuse("planned-session-repeats-early", field="days", value=session.days)
    _check_charge(session, vehicle)
    comes_after_another = any(stored.from_ < session.from_ for stored in standing)
    if session.arrival_soc is None and not is_seen and not comes_after_another:
        raise refuse("arrival-unknown", field="arrival_soc")
    for stored in standing:
        # One that repeats makes way for one that does not.
        is_same_kind = bool(stored.days) == bool(session.days)
        if is_same_kind and _overlap(session, stored, zone):
            raise _refuse_overlap(session, stored, zone)


def _check_charge(session: NewSession, vehicle: ElectricVehicle) -> None:
    for name in ("target_soc", "min_soc"):
        soc = getattr(session, name)
        if soc is not None and soc > vehicle.max_soc:
            raise refuse(
                "soc-beyond", field=name, value=soc, max_soc=vehicle.max_soc, name=vehicle.name
            )
    if session.min_power_kw is not None and session.min_power_kw > vehicle.most_charge_kw:
        raise refuse(
            "power-beyond",
            field="min_power_kw",
            value=session.min_power_kw,
            most=vehicle.most_charge_kw,
            device=vehicle.name,
        )


def _refuse_overlap(session: NewSession, stored: StoredSession, zone: ZoneInfo) -> LunaError:
    span = f"{say_instant(stored.from_, zone)} to {say_instant(stored.to, zone)}"
    return refuse(
        "planned-session-overlaps",
        field="from",
        value=session.from_.isoformat(),
        vehicle=session.vehicle,
        span=span,
        session_id=stored.session_id,
    )


def find_vehicle(site: Site, name: str) -> ElectricVehicle:
    """Return the vehicle of a name.

    Raises:
        InvalidInputError: the site has none of that name.
    """
    for vehicle in site.vehicles:
        if vehicle.name == name:
            return vehicle
    names = tuple(vehicle.name for vehicle in site.vehicles)
    code = "no-such-device" if names else "no-vehicle"
    raise refuse(code, field="vehicle", value=name, names=names)


def lay_out_sessions(
    sessions: Sequence[Session], zone: ZoneInfo, *, first: datetime, end: datetime
) -> list[Session]:
    """Return the sessions that are not over at ``first``, in order of their beginning.

    Those that repeat come once for each time that begins before ``end``.

    Args:
        sessions: as stored, of one vehicle or several.
        zone: of the site, whose clock repeated sessions follow.
        first: an instant.
        end: an instant.
    """
    once = [session for session in sessions if not session.days and session.to > first]
    # One that repeats makes way for one that does not.
    free: list[Session] = []
    for session in sessions:
        if not session.days:
            continue
        once_of_vehicle = [single for single in once if single.vehicle == session.vehicle]
        for time in _repeat(session, zone, first=first, end=end):
            if not any(meet(time, single) for single in once_of_vehicle):
                free.append(time)
    return sorted([*once, *free], key=attrgetter("from_"))


def _repeat(
    session: Session, zone: ZoneInfo, *, first: datetime, end: datetime
) -> Iterator[Session]:
    """Yield the times of a repeated session between two instants.

    They are not over at ``first`` and begin before ``end``.

    None lies before its first time.
    """
    comes = session.from_.astimezone(zone)
    leaves = session.to.astimezone(zone)
    nights = leaves.date() - comes.date()
    begin_clock = f"{comes:%H:%M}"
    end_clock = f"{leaves:%H:%M}"
    # A session belongs to the day on which it ends.
    day = max(leaves.date(), first.astimezone(zone).date())
    begins = local_instant(day - nights, begin_clock, zone)
    while begins < end:
        ends = local_instant(day, end_clock, zone)
        if WEEKDAYS[day.weekday()] in session.days and ends > max(first, begins):
            yield session.model_copy(update={"from_": begins, "to": ends})
        day += timedelta(days=1)
        begins = local_instant(day - nights, begin_clock, zone)


def _overlap(session: NewSession, other: NewSession, zone: ZoneInfo) -> bool:
    """Return whether two sessions of a vehicle ever overlap.

    Of repeated ones the first two weeks decide.
    """
    if not session.days:
        return meet(session, other)
    since = max(session.to, other.to)
    until = since + _TWO_WEEKS
    other_times = list(_repeat(other, zone, first=since, end=until))
    for time in _repeat(session, zone, first=since, end=until):
        if any(meet(time, other_time) for other_time in other_times):
            return True
    return False


def meet(first: VehicleSession, second: VehicleSession) -> bool:
    """Return whether two sessions are there at once."""
    return first.from_ < second.to and second.from_ < first.to


def fit_session(session: VehicleSession, vehicle: ElectricVehicle) -> VehicleSession:
    """Return a stored session within the bounds of its vehicle as it is now.

    A session of today must not end planning because the site has changed.
    """
    bounds = {
        "target_soc": vehicle.max_soc,
        "min_soc": vehicle.max_soc,
        "min_power_kw": vehicle.most_charge_kw,
    }
    fitted = {}
    for name, most in bounds.items():
        wanted = getattr(session, name)
        fitted[name] = None if wanted is None else min(wanted, most)
    return session.model_copy(update=fitted)


@dataclass(frozen=True, slots=True)
class SessionAhead:
    """A session in a plan, with the states of charge on arrival and departure.

    ``is_read``: the plan rests on the reading of a sensor.
    """

    device: str
    start: datetime
    end: datetime
    arrival_soc: float
    leaving_soc: float
    is_read: bool


def list_names(site: Site) -> list[str]:
    """Return the names of a site's devices that stay at a charger."""
    return [vehicle.name for vehicle in site.vehicles]


def list_planned_sessions(site: Site, plan: PlanReply, now: datetime) -> list[SessionAhead]:
    """Return the sessions of a plan that are not over, by their begin.

    A session is the slots in which the plan says why something charges or waits.
    """
    sessions: list[SessionAhead] = []
    for vehicle in site.vehicles:
        sessions += _find_planned(vehicle, plan, now)
    return sorted(sessions, key=attrgetter("start"))


def _find_planned(
    vehicle: ElectricVehicle, plan: PlanReply, now: datetime
) -> Iterator[SessionAhead]:
    step = timedelta(minutes=plan.slot_minutes)
    is_read = vehicle.name in list_read(plan.notes)
    sessions: list[list[tuple[datetime, VehicleFlow]]] = []
    for slot in plan.slots:
        flow = slot.vehicles.get(vehicle.name)
        if flow is None or flow.reason is None or slot.start + step <= now:
            continue
        if not sessions or sessions[-1][-1][0] + step != slot.start:
            sessions.append([])
        sessions[-1].append((slot.start, flow))
    for session in sessions:
        start, first_flow = session[0]
        last_start, last_flow = session[-1]
        yield SessionAhead(
            vehicle.name,
            start=start,
            end=last_start + step,
            arrival_soc=_soc_before(first_flow, vehicle),
            leaving_soc=last_flow.soc_end,
            is_read=is_read,
        )


def _soc_before(flow: VehicleFlow, vehicle: ElectricVehicle) -> float:
    into_kwh = flow.charge_kwh * vehicle.charge_efficiency
    out_kwh = flow.discharge_kwh / vehicle.discharge_efficiency
    before = flow.soc_end - (into_kwh - out_kwh) / vehicle.capacity_kwh
    return float(np.clip(before, 0.0, 1.0))


def find_charging_run(
    plan: PlanReply, device: str, first: datetime, end: datetime
) -> PlannedRun | None:
    """Return the planned charge of a device between two instants, None without any."""
    charged = []
    for slot in plan.slots:
        flow = slot.vehicles.get(device)
        charged.append(0.0 if flow is None else flow.charge_kwh)
    return find_run(plan, charged, first, end, unbroken=False)


class FollowSessionsReply(Message):
    """The number of sites with a vehicle that differs from their plan."""

    sites: int


class FollowSessionsRequest(Request):
    """Note which vehicles differ from their sites' plans, and plan these anew.

    A vehicle differs if it is fuller or emptier, or was plugged in or out since.
    """

    task: ClassVar[str] = "planner.vehicles.follow"
    reply: ClassVar[type[Message]] = FollowSessionsReply
    schedule: ClassVar[Schedule | None] = Schedule(
        timedelta(minutes=1),
        "vehicles",
        "time between two looks at what vehicles say of themselves",
        prompt=True,
    )
