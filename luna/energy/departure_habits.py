"""A vehicle's weekly departures, learnt from its stays at the charger.

Nothing here is assumed by a plan: a habit is proposed, and counts once its owner accepted it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np

from luna.energy.charger_stays import ChargerStay

# A quarter of a year: long enough for each weekday to come a dozen times, within one season.
LONGEST_MEMORY = timedelta(weeks=12)
# Shorter memories are tried for weekdays whose last weeks no longer follow the longer ones.
MEMORIES = (
    LONGEST_MEMORY,
    timedelta(weeks=8),
    timedelta(weeks=6),
    timedelta(weeks=4),
    timedelta(weeks=3),
)
# The weeks that a habit has to hold in, to be one of today.
RECENT = timedelta(weeks=3)
# Departures of a habit lie within this of each other, minutes.
WINDOW_MINUTES = 45
# Weekdays whose departures differ by less are one habit, minutes.
SAME_MINUTES = 20
# Of a habit's days this share has such a departure; of each of its weekdays a little less.
LEAST_SHARE = 0.7
LEAST_WEEKDAY_SHARE = 0.55
LEAST_RECENT_SHARE = 0.6
LEAST_OF_WEEKDAY = 3
LEAST_OF_HABIT = 4
# A plug that does not move for longer belongs to a vacation, whether the car is there or not.
VACATION = timedelta(days=5)
# Vacations leave out at most this share of the days, else there is no habit to be seen.
MOST_LEFT_OUT = 0.6
# A stay that ends sooner was a stop.
SHORTEST_STAY = timedelta(hours=2)
# Longest stay that a weekly departure stands for: the night and the evening before it.
LONGEST_STAY = timedelta(hours=16)
# Ready by: the time that three departures of four come after.
READY_QUANTILE = 0.25
# Enough: what nineteen departures of twenty need no more than. Too much costs little: the car is
# full before; too little is missing on the way.
ENOUGH_QUANTILE = 0.95
# The stay is as long as three of four are at least.
STAY_QUANTILE = 0.25
ROUND_MINUTES = 5
DAY_MINUTES = 24 * 60
MONDAY_TO_SUNDAY = range(7)


@dataclass(frozen=True, slots=True)
class DepartureHabit:
    """Departures of a vehicle that come again every week.

    Args:
        weekdays: 0 is Monday.
        ready_minute: minute of the local day by which it is to be ready.
        stay_minutes: how long before that it is at its charger, as a rule.
        departures: how many departures it rests on.
        days: of how many days that counted.
        since: the first of these days.
        usual_kwh: median of the energy that the way needs; None: unknown.
        enough_kwh: what is enough nineteen times of twenty; None: unknown.
        leaving_soc: median of the state of charge at the departure; None: unknown.
    """

    weekdays: tuple[int, ...]
    ready_minute: int
    stay_minutes: int
    departures: int
    days: int
    since: date
    usual_kwh: float | None = None
    enough_kwh: float | None = None
    leaving_soc: float | None = None


@dataclass(frozen=True, slots=True)
class _LocalDeparture:
    """A departure by the site's clock, with its stay."""

    day: date
    minute: int
    stay_minutes: float
    stay: ChargerStay


@dataclass(frozen=True, slots=True)
class _WeekdayHabit:
    """The departures of one weekday that lie close together.

    Attributes:
        departures: one a day.
        days: the days of this weekday that count, with and without a departure.
        recent_departures: those of the last weeks.
        recent_days: the days of the last weeks.
    """

    weekday: int
    middle_minute: float
    departures: tuple[_LocalDeparture, ...]
    days: int
    recent_departures: int
    recent_days: int


_Group = Sequence[_WeekdayHabit]


def learn_departures(
    stays: Sequence[ChargerStay],
    zone: ZoneInfo,
    *,
    until: datetime,
    holidays: Collection[date] = (),
) -> list[DepartureHabit]:
    """Return the departures that come again every week, by weekday and time.

    Args:
        stays: of one vehicle, in order.
        zone: of the site, whose clock people live by.
        until: nothing after it counts.
        holidays: public holidays, which are no days like their weekdays.

    Invariants: a weekday is in one habit at most; none rests on more departures than days.
    """
    past_stays = [stay for stay in stays if stay.departure is None or stay.departure < until]
    departures = _list_departures(past_stays, zone)
    first_day = _find_first_day(past_stays, zone)
    if not departures or first_day is None:
        return []
    today = until.astimezone(zone).date()
    left_out = {*holidays, *_list_vacation_days(past_stays, zone, until)}
    habits: list[DepartureHabit] = []
    open_weekdays = set(MONDAY_TO_SUNDAY)
    for memory in MEMORIES:
        span = (max(first_day, today - memory), today)
        learnt = [
            _learn_weekday(weekday, departures, left_out, span) for weekday in sorted(open_weekdays)
        ]
        weekday_habits = [habit for habit in learnt if habit is not None]
        for group in _join_weekdays(weekday_habits):
            if not _is_habit(group):
                continue
            habits.append(_describe(group))
            open_weekdays -= {habit.weekday for habit in group}
    return sorted(habits, key=lambda habit: habit.weekdays)


def _list_departures(stays: Sequence[ChargerStay], zone: ZoneInfo) -> list[_LocalDeparture]:
    departures = []
    for stay in stays:
        if stay.arrival is None or stay.departure is None:
            continue
        lasted = stay.departure - stay.arrival
        if lasted < SHORTEST_STAY:
            continue
        local = stay.departure.astimezone(zone)
        minute = local.hour * 60 + local.minute
        minutes = lasted / timedelta(minutes=1)
        departures.append(_LocalDeparture(local.date(), minute, minutes, stay))
    return departures


def _find_first_day(stays: Sequence[ChargerStay], zone: ZoneInfo) -> date | None:
    """Return the first whole local day of the record."""
    earliest = [stay.arrival or stay.departure for stay in stays]
    instants = [instant for instant in earliest if instant is not None]
    if not instants:
        return None
    return min(instants).astimezone(zone).date() + timedelta(days=1)


def _list_vacation_days(stays: Sequence[ChargerStay], zone: ZoneInfo, until: datetime) -> set[date]:
    """Return the whole local days in which the plug did not move for long."""
    moved = []
    for stay in stays:
        moved += [instant for instant in (stay.arrival, stay.departure) if instant is not None]
    days: set[date] = set()
    for before, after in pairwise([*sorted(moved), until]):
        if after - before < VACATION:
            continue
        day = before.astimezone(zone).date() + timedelta(days=1)
        last = after.astimezone(zone).date()
        while day < last:
            days.add(day)
            day += timedelta(days=1)
    return days


def _learn_weekday(
    weekday: int,
    departures: Sequence[_LocalDeparture],
    left_out: Collection[date],
    span: tuple[date, date],
) -> _WeekdayHabit | None:
    """Return the habit of a weekday between two days; None without one."""
    first, end = span
    all_days = [day for day in _list_days(first, end) if day.weekday() == weekday]
    days = [day for day in all_days if day not in left_out]
    if not days or len(days) < (1 - MOST_LEFT_OUT) * len(all_days):
        return None
    counted_days = set(days)
    of_weekday = [departure for departure in departures if departure.day in counted_days]
    densest = _find_densest(of_weekday)
    if len(densest) < LEAST_OF_WEEKDAY or len(densest) < LEAST_WEEKDAY_SHARE * len(days):
        return None
    minutes = [departure.minute for departure in densest]
    recent_from = end - RECENT
    return _WeekdayHabit(
        weekday,
        middle_minute=float(np.median(minutes)),
        departures=tuple(densest),
        days=len(days),
        recent_departures=sum(departure.day >= recent_from for departure in densest),
        recent_days=sum(day >= recent_from for day in days),
    )


def _is_habit(group: _Group) -> bool:
    """Return whether weekdays together are a habit, also in the last weeks."""
    departures = sum(len(habit.departures) for habit in group)
    days = sum(habit.days for habit in group)
    if departures < LEAST_OF_HABIT or departures < LEAST_SHARE * days:
        return False
    recent_departures = sum(habit.recent_departures for habit in group)
    recent_days = sum(habit.recent_days for habit in group)
    return recent_departures >= LEAST_RECENT_SHARE * recent_days


def _list_days(first: date, end: date) -> list[date]:
    return [first + timedelta(days=number) for number in range(max((end - first).days, 0))]


def _find_densest(departures: Sequence[_LocalDeparture]) -> list[_LocalDeparture]:
    """Return one departure a day within the window that holds most days."""
    ordered = sorted(departures, key=lambda departure: departure.minute)
    best: dict[date, _LocalDeparture] = {}
    for first in ordered:
        window: dict[date, _LocalDeparture] = {}
        for departure in ordered:
            if first.minute <= departure.minute <= first.minute + WINDOW_MINUTES:
                window.setdefault(departure.day, departure)
        if len(window) > len(best):
            best = window
    return [best[day] for day in sorted(best)]


def _join_weekdays(weekdays: _Group) -> list[list[_WeekdayHabit]]:
    """Return weekdays with nearly the same departure together."""
    groups: list[list[_WeekdayHabit]] = []
    for habit in sorted(weekdays, key=lambda habit: habit.middle_minute):
        if groups and habit.middle_minute - groups[-1][0].middle_minute <= SAME_MINUTES:
            groups[-1].append(habit)
        else:
            groups.append([habit])
    return sorted(groups, key=_first_weekday_of)


def _first_weekday_of(group: _Group) -> int:
    return min(habit.weekday for habit in group)


def _describe(group: _Group) -> DepartureHabit:
    departures: list[_LocalDeparture] = []
    for habit in group:
        departures += habit.departures
    minutes = [departure.minute for departure in departures]
    ready_minute = float(np.quantile(minutes, READY_QUANTILE))
    ready_rounded = round(ready_minute / ROUND_MINUTES) * ROUND_MINUTES
    lengths = [departure.stay_minutes for departure in departures]
    stay_minutes = float(np.quantile(lengths, STAY_QUANTILE))
    longest_minutes = LONGEST_STAY / timedelta(minutes=1)
    stay_rounded = int(min(stay_minutes, longest_minutes)) // ROUND_MINUTES * ROUND_MINUTES
    stays = [departure.stay for departure in departures]
    needs_kwh = [stay.needed_kwh for stay in stays if stay.needed_kwh is not None]
    usual_kwh = None
    enough_kwh = None
    if needs_kwh:
        usual_kwh = float(np.median(needs_kwh))
        # Of few the highest: one of twenty cannot be told from them.
        enough_kwh = float(np.quantile(needs_kwh, ENOUGH_QUANTILE, method="higher"))
    levels = [stay.leaving_soc for stay in stays if stay.leaving_soc is not None]
    return DepartureHabit(
        weekdays=tuple(sorted(habit.weekday for habit in group)),
        ready_minute=min(ready_rounded, DAY_MINUTES - ROUND_MINUTES),
        stay_minutes=max(stay_rounded, ROUND_MINUTES),
        departures=len(departures),
        days=sum(habit.days for habit in group),
        since=min(departure.day for departure in departures),
        usual_kwh=usual_kwh,
        enough_kwh=enough_kwh,
        leaving_soc=float(np.median(levels)) if levels else None,
    )


# A habit that differs by no more from another is the same one to its owner.
CHANGED_MINUTES = 30
CHANGED_SHARE = 0.3
CHANGED_KWH = 3.0


@dataclass(frozen=True, slots=True)
class AnsweredHabit:
    """A habit as it was when its owner answered: accepted, or declined."""

    weekdays: tuple[int, ...]
    ready_minute: int
    enough_kwh: float | None


def has_changed(habit: DepartureHabit, answered: AnsweredHabit) -> bool:
    """Return whether a habit differs from one that its owner has answered."""
    if not {*habit.weekdays} <= {*answered.weekdays}:
        return True
    if abs(habit.ready_minute - answered.ready_minute) >= CHANGED_MINUTES:
        return True
    if habit.enough_kwh is None or answered.enough_kwh is None:
        return False
    difference_kwh = abs(habit.enough_kwh - answered.enough_kwh)
    return difference_kwh > max(CHANGED_KWH, CHANGED_SHARE * answered.enough_kwh)
