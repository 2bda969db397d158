"""Weekly departures that are proposed from a vehicle's stays, and their owner's answers."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, StringConstraints

from luna.contracts.charging_sessions import WEEKDAYS, NewSession, StoredSession, Weekday
from luna.contracts.message import Message
from luna.energy.departure_habits import (
    CHANGED_MINUTES,
    DAY_MINUTES,
    AnsweredHabit,
    DepartureHabit,
    has_changed,
)
from luna.energy.devices.vehicle import ElectricVehicle
from luna.energy.local_times import clock_minutes
from luna.energy.part import Fraction
from luna.energy.timeline import local_instant

DepartureId = Annotated[
    str, Field(pattern=r"^[0-9a-f]{12}$", description="the proposal's name, as in the list")
]
Clock = Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
DepartureAnswer = Literal["accepted", "declined"]


class ProposedDeparture(Message):
    """A weekly departure, learnt from a vehicle's stays.

    No plan counts on it before its owner accepts it.
    """

    departure_id: DepartureId
    vehicle: Annotated[str, Field(description="by its name")]
    days: Annotated[list[Weekday], Field(description="weekdays on which it leaves")]
    leaves: Annotated[Clock, Field(description="ready by, on the site's clock")]
    comes: Annotated[Clock, Field(description="usually at its charger from, on the site's clock")]
    departures: Annotated[int, Field(description="departures that it rests on")]
    of_days: Annotated[int, Field(description="of so many days that counted")]
    since: Annotated[date, Field(description="first of these days")]
    usual_kwh: Annotated[
        float | None, Field(description="what the way usually needs, stored; null: not known")
    ] = None
    enough_kwh: Annotated[
        float | None, Field(description="enough nineteen times of twenty; null: not known")
    ] = None
    target_soc: Annotated[Fraction, Field(description="charged to, once it is accepted")]
    arrival_soc: Annotated[
        Fraction | None,
        Field(description="level that it is taken to come with; null: its sensor tells it"),
    ] = None
    replaces: Annotated[
        list[int], Field(description="weekly sessions that it takes days from, by their numbers")
    ] = []


class DepartureChanges(Message):
    """Changes to a proposed departure; a field that is left out stays."""

    days: Annotated[
        list[Weekday] | None, Field(max_length=7, min_length=1, description="other weekdays")
    ] = None
    leaves: Annotated[Clock | None, Field(description="another time of departure: 07:15")] = None
    target_soc: Annotated[
        Fraction | None, Field(description="another level at the departure: 0.8")
    ] = None


def identify(vehicle: str, habit: DepartureHabit) -> str:
    """Return the name of a proposal, which its days and time decide."""
    text = f"{vehicle} {habit.weekdays} {habit.ready_minute}"
    return sha256(text.encode()).hexdigest()[:12]


def propose_departure(
    vehicle: ElectricVehicle, habit: DepartureHabit, standing: Sequence[StoredSession]
) -> ProposedDeparture:
    """Return a habit as a proposal, with the levels that its session would have.

    Where no level is recorded, the car is to leave full after a charge of what is enough.
    """
    days = [WEEKDAYS[weekday] for weekday in habit.weekdays]
    need_soc = (habit.enough_kwh or 0.0) / vehicle.capacity_kwh
    target_soc = vehicle.max_soc
    arrival_soc: float | None = round(max(target_soc - need_soc, 0.0), 3)
    if habit.leaving_soc is not None:
        least_soc = need_soc + vehicle.min_soc
        target_soc = min(max(habit.leaving_soc, least_soc), vehicle.max_soc)
        arrival_soc = None
    comes = (habit.ready_minute - habit.stay_minutes) % DAY_MINUTES
    replaced = []
    for session in standing:
        shares_days = not set(days).isdisjoint(session.days)
        if session.vehicle == vehicle.name and shares_days:
            replaced.append(session.session_id)
    return ProposedDeparture(
        departure_id=identify(vehicle.name, habit),
        vehicle=vehicle.name,
        days=days,
        leaves=write_clock(habit.ready_minute),
        comes=write_clock(comes),
        departures=habit.departures,
        of_days=habit.days,
        since=habit.since,
        usual_kwh=_round(habit.usual_kwh),
        enough_kwh=_round(habit.enough_kwh),
        target_soc=round(target_soc, 2),
        arrival_soc=arrival_soc,
        replaces=replaced,
    )


def list_figures(proposed: ProposedDeparture) -> dict[str, Any]:
    """Return the figures of a proposal for its recommendation."""
    return {
        "departure_id": proposed.departure_id,
        "device": proposed.vehicle,
        "weekdays": [WEEKDAYS.index(day) for day in proposed.days],
        "clock": proposed.leaves,
        "departures": proposed.departures,
        "days": proposed.of_days,
    }


def _round(energy_kwh: float | None) -> float | None:
    return None if energy_kwh is None else round(energy_kwh, 1)


def write_clock(minute: int) -> str:
    """Return a minute of the day as on a clock."""
    return f"{minute // 60:02d}:{minute % 60:02d}"


def is_open(
    habit: DepartureHabit,
    answers: Sequence["AnsweredDeparture"],
    standing: Sequence[StoredSession],
    zone: ZoneInfo,
) -> bool:
    """Return whether a habit is worth a proposal: neither answered nor a session already.

    Args:
        habit: of one vehicle.
        answers: its owner's to the same vehicle's, the latest first.
        standing: the stored sessions of the vehicle.
        zone: of the site.
    """
    days = {WEEKDAYS[weekday] for weekday in habit.weekdays}
    answered_days: set[Weekday] = set()
    for answer in answers:
        # A later answer for a weekday takes the place of an earlier one.
        is_latest = answered_days.isdisjoint(answer.days)
        answered_days |= {*answer.days}
        if is_latest and not has_changed(habit, answer.as_habit()):
            return False
    for session in standing:
        leaves = session.to.astimezone(zone)
        minutes = abs(leaves.hour * 60 + leaves.minute - habit.ready_minute)
        if days <= {*session.days} and minutes < CHANGED_MINUTES:
            return False
    return True


def compose_session(
    proposed: ProposedDeparture, changes: DepartureChanges, zone: ZoneInfo, *, now: datetime
) -> NewSession:
    """Return the weekly session that an accepted departure becomes.

    Its first time is the next one that begins after ``now``; a target that the owner changes keeps
    the energy that the way needs.
    """
    days = changes.days or proposed.days
    leaves = changes.leaves or proposed.leaves
    target_soc = proposed.target_soc if changes.target_soc is None else changes.target_soc
    arrival_soc = proposed.arrival_soc
    if arrival_soc is not None:
        need_soc = proposed.target_soc - arrival_soc
        arrival_soc = max(target_soc - need_soc, 0.0)
    stay_minutes = (clock_minutes(proposed.leaves) - clock_minutes(proposed.comes)) % DAY_MINUTES
    comes_minute = clock_minutes(leaves) - stay_minutes
    comes = write_clock(comes_minute % DAY_MINUTES)
    comes_on_eve = comes_minute < 0
    nights = timedelta(days=1 if comes_on_eve else 0)
    day = now.astimezone(zone).date()
    while True:
        begins = local_instant(day - nights, comes, zone)
        if WEEKDAYS[day.weekday()] in days and begins >= now:
            break
        day += timedelta(days=1)
    document = {
        "vehicle": proposed.vehicle,
        "from": begins.astimezone(UTC),
        "to": local_instant(day, leaves, zone).astimezone(UTC),
        "days": days,
        "target_soc": target_soc,
        "arrival_soc": arrival_soc,
    }
    return NewSession.model_validate(document)


def keep_other_days(session: StoredSession, days: Sequence[Weekday]) -> NewSession | None:
    """Return a weekly session without some of its days; None where none is left."""
    left = [day for day in session.days if day not in days]
    if not left:
        return None
    plain = session.model_dump(by_alias=True, include={*NewSession.model_fields})
    return NewSession.model_validate(plain | {"days": left})


class AnsweredDeparture(Message):
    """An owner's answer to a proposed departure."""

    departure_id: DepartureId
    vehicle: Annotated[str, Field(description="by its name")]
    days: Annotated[list[Weekday], Field(description="weekdays of the proposal")]
    leaves: Annotated[Clock, Field(description="time of the proposal")]
    enough_kwh: Annotated[
        float | None, Field(description="energy of the proposal; null: not known")
    ] = None
    answer: Annotated[DepartureAnswer, Field(description="accepted or declined")]
    answered_by: Annotated[str, Field(description="who answered")]
    answered_at: Annotated[datetime, Field(description="when")]
    session_id: Annotated[
        int | None, Field(description="weekly session that it became; null: declined")
    ] = None

    def as_habit(self) -> AnsweredHabit:
        """Return the habit that was answered."""
        weekdays = tuple(WEEKDAYS.index(day) for day in self.days)
        return AnsweredHabit(weekdays, clock_minutes(self.leaves), self.enough_kwh)
