"""Weekly departures that are learnt from a car's sessions, judged on weeks that were not learnt.

Run as ``python -m bench.departures``. Drivers are drawn, not recorded: each of them lives by a
rule with chance in it. After twelve weeks the learner proposes; the four weeks after that are
compared with what it proposed. The constants of ``luna.energy.departure_habits`` were chosen with
other seeds than the ones here (``TRIED_SEEDS``).
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from luna.energy.charger_stays import ChargerStay, list_stays
from luna.energy.departure_habits import DepartureHabit, learn_departures
from luna.energy.devices.vehicle import ElectricVehicle
from luna.energy.energy_store import MeteredEnergy
from luna.energy.public_holidays import EPOCH, list_holidays
from luna.energy.timeline import SLOT, Timeline, floor_to

ZONE = ZoneInfo("Europe/Berlin")
LEARNT = timedelta(weeks=12)
JUDGED = timedelta(weeks=4)
# Seeds with which the constants were chosen; those of the report begin behind them.
TRIED_SEEDS = range(20)
SEEDS = range(1000, 1040)
CLOSE_MINUTES = 15
CAR = ElectricVehicle(name="car", capacity_kwh=60, charge_limit_kw=11)
WEEKEND = (5, 6)
# Days that begin the record; the second one has the clock change of 29 March within its weeks.
BEGIN = date(2026, 4, 6)
BEGIN_BEFORE_CLOCK_CHANGE = date(2026, 1, 12)


@dataclass(frozen=True, slots=True)
class DrivenTrip:
    """A trip of a drawn driver: local departure and return, and its energy."""

    leaves: datetime
    returns: datetime
    used_kwh: float


Draw = Callable[[date, np.random.Generator], DrivenTrip | None]


@dataclass(frozen=True, slots=True)
class Driver:
    """A drawn driver: how a day is drawn, and when the record begins.

    ``forgets``: share of returns after which nobody plugs in. ``shares``: the charger is shared
    with another car, which stands there while this one is away.
    """

    draw: Draw
    begin: date = BEGIN
    forgets: float = 0.05
    shares: bool = False
    away: Sequence[tuple[date, date]] = field(default_factory=tuple)


def _draw_trip(day: date, leaves_hour: float, returns_hour: float, used_kwh: float) -> DrivenTrip:
    midnight = datetime.combine(day, time(), tzinfo=ZONE)
    leaves = midnight + timedelta(hours=leaves_hour)
    returns = midnight + timedelta(hours=max(returns_hour, leaves_hour + 0.5))
    return DrivenTrip(leaves, returns, max(used_kwh, 0.5))


def _draw_weekend(day: date, chance: np.random.Generator) -> DrivenTrip | None:
    if chance.uniform() < 0.45:
        return None
    leaves = chance.uniform(9, 15)
    return _draw_trip(day, leaves, leaves + chance.uniform(1, 6), chance.gamma(3, 4))


def _draw_commuter(day: date, chance: np.random.Generator) -> DrivenTrip | None:
    is_holiday = (day - EPOCH).days in list_holidays("DE", None, day.year)
    if day.weekday() in WEEKEND or is_holiday:
        return _draw_weekend(day, chance)
    if chance.uniform() < 0.06:
        return None
    leaves = 7.5 + chance.normal(0, 0.13)
    return _draw_trip(day, leaves, 17.2 + chance.normal(0, 0.6), chance.normal(9, 1.2))


def _draw_home_office(day: date, chance: np.random.Generator) -> DrivenTrip | None:
    if day.weekday() in (1, 2, 3):
        return _draw_commuter(day, chance)
    return _draw_weekend(day, chance) if chance.uniform() < 0.4 else None


def _draw_shifts(day: date, chance: np.random.Generator) -> DrivenTrip | None:
    if day.weekday() in WEEKEND:
        return _draw_weekend(day, chance)
    begins = (5.5, 13.5, 21.5)[day.isocalendar().week % 3]
    leaves = begins + chance.normal(0, 0.1)
    return _draw_trip(day, leaves, begins + 9 + chance.normal(0, 0.2), chance.normal(7, 1))


def _draw_retired(day: date, chance: np.random.Generator) -> DrivenTrip | None:
    if day.weekday() == 1:
        return _draw_trip(
            day, 9.75 + chance.normal(0, 0.15), 12 + chance.normal(0, 0.4), chance.normal(5, 1)
        )
    if chance.uniform() < 0.5:
        return None
    leaves = chance.uniform(9, 17)
    return _draw_trip(day, leaves, leaves + chance.uniform(0.5, 5), chance.gamma(2, 3))


def _draw_changed(day: date, chance: np.random.Generator) -> DrivenTrip | None:
    """Draw a commuter whose work begins an hour and a half later since four weeks."""
    trip = _draw_commuter(day, chance)
    if trip is None or day.weekday() in WEEKEND or day < BEGIN + timedelta(weeks=8):
        return trip
    later = timedelta(hours=1.5)
    return DrivenTrip(trip.leaves + later, trip.returns + later, trip.used_kwh + 4)


DRIVERS: Mapping[str, Driver] = {
    "commuter": Driver(_draw_commuter),
    "home_office": Driver(_draw_home_office),
    "shift_worker": Driver(_draw_shifts),
    "retired": Driver(_draw_retired),
    "two_cars_one_charger": Driver(_draw_commuter, shares=True, forgets=0.15),
    "after_a_vacation": Driver(
        _draw_commuter, away=((BEGIN + timedelta(weeks=9), BEGIN + timedelta(weeks=11)),)
    ),
    "clock_change": Driver(_draw_commuter, begin=BEGIN_BEFORE_CLOCK_CHANGE),
    "changed_habit": Driver(_draw_changed),
}


def _list_trips(driver: Driver, chance: np.random.Generator) -> Iterator[DrivenTrip]:
    """Yield the trips of a driver in order, none before the one before has ended."""
    back = datetime.combine(driver.begin, time(), tzinfo=ZONE)
    for number in range((LEARNT + JUDGED).days):
        day = driver.begin + timedelta(days=number)
        if any(first <= day < end for first, end in driver.away):
            continue
        trip = driver.draw(day, chance)
        if trip is not None and trip.leaves > back:
            yield trip
            back = trip.returns


def record_driver(driver: Driver, *, seed: int) -> list[ChargerStay]:
    """Return a drawn driver's stays, read from plug and meter as a site records them."""
    chance = np.random.default_rng(seed)
    begin = datetime.combine(driver.begin, time(), tzinfo=ZONE).astimezone(UTC)
    timeline = Timeline(floor_to(begin, SLOT), SLOT, (LEARNT + JUDGED) // SLOT)
    counted_kwh = np.zeros(timeline.count)
    instants = [begin]
    values = [1.0]
    missing_kwh = 0.0
    since = begin
    is_plugged = True
    for trip in _list_trips(driver, chance):
        leaves = trip.leaves.astimezone(UTC)
        if is_plugged:
            _charge(counted_kwh, timeline, since, leaves, stored_kwh=missing_kwh)
            missing_kwh = 0.0
            instants.append(leaves)
            values.append(0.0)
            if driver.shares and chance.uniform() < 0.5:
                # The other car charges while this one is away: the one meter counts it too.
                returns = trip.returns.astimezone(UTC)
                _charge(counted_kwh, timeline, leaves, returns, stored_kwh=6.0)
        missing_kwh += trip.used_kwh
        is_plugged = chance.uniform() >= driver.forgets
        if is_plugged:
            since = trip.returns.astimezone(UTC) + timedelta(minutes=chance.uniform(1, 15))
            instants.append(since)
            values.append(1.0)
    plugs = (
        np.array([instant.replace(tzinfo=None) for instant in instants], dtype="M8[us]"),
        np.array(values),
    )
    nothing = (np.empty(0, dtype="M8[us]"), np.empty(0))
    return list_stays(CAR, plugs, nothing, MeteredEnergy(timeline, counted_kwh))


def _charge(
    counted_kwh: Any, timeline: Timeline, first: datetime, end: datetime, *, stored_kwh: float
) -> None:
    """Count the energy that a car takes at full power from its arrival on."""
    left_kwh = stored_kwh / CAR.charge_efficiency
    hours = timeline.overlap_hours(first, end)
    for place in np.flatnonzero(hours > 0).tolist():
        taken_kwh = min(left_kwh, hours[place] * CAR.charge_limit_kw)
        counted_kwh[place] += taken_kwh
        left_kwh -= taken_kwh


@dataclass(slots=True)
class DepartureScore:
    """Counts of judged departures.

    ``promised``: proposed days; ``came``: those with a departure within an hour of the proposed
    time; ``close``: within a quarter of an hour; ``in_time``: not before the car was ready;
    ``enough``: with no more energy than proposed; ``kept``: close, and with enough.
    """

    departures: int = 0
    promised: int = 0
    came: int = 0
    close: int = 0
    in_time: int = 0
    enough: int = 0
    kept: int = 0
    proposals: int = 0

    def figures(self) -> dict[str, float | int | None]:
        """Return the shares, None where nothing was proposed."""

        def share(count: int, of: int) -> float | None:
            return round(count / of, 3) if of else None

        return {
            "departures": self.departures,
            "proposals": self.proposals,
            "proposed_days": self.promised,
            "departures_proposed": share(self.came, self.departures),
            "proposed_days_with_departure": share(self.came, self.promised),
            "within_15_minutes": share(self.close, self.came),
            "ready_in_time": share(self.in_time, self.came),
            "energy_enough": share(self.enough, self.came),
            "close_with_enough": share(self.kept, self.came),
        }


def judge_habits(
    habits: Sequence[DepartureHabit], stays: Sequence[ChargerStay], first: datetime
) -> DepartureScore:
    """Return how often habits came true in the weeks from ``first`` on."""
    score = DepartureScore(proposals=len(habits))
    by_weekday = {weekday: habit for habit in habits for weekday in habit.weekdays}
    departures: dict[date, list[tuple[float, ChargerStay]]] = {}
    for stay in stays:
        if stay.departure is not None and stay.departure >= first:
            local = stay.departure.astimezone(ZONE)
            minute = local.hour * 60 + local.minute + local.second / 60
            departures.setdefault(local.date(), []).append((minute, stay))
            score.departures += 1
    day = first.astimezone(ZONE).date()
    for number in range(JUDGED.days):
        _judge_day(score, by_weekday, departures, day + timedelta(days=number))
    return score


def _judge_day(
    score: DepartureScore,
    by_weekday: Mapping[int, DepartureHabit],
    departures: Mapping[date, Sequence[tuple[float, ChargerStay]]],
    day: date,
) -> None:
    habit = by_weekday.get(day.weekday())
    if habit is None:
        return
    score.promised += 1
    near = [
        (abs(minute - habit.ready_minute), minute, stay)
        for minute, stay in departures.get(day, ())
        if abs(minute - habit.ready_minute) <= 60
    ]
    if not near:
        return
    distance, minute, stay = min(near, key=_distance_of)
    score.came += 1
    is_close = distance <= CLOSE_MINUTES
    score.close += is_close
    score.in_time += minute >= habit.ready_minute
    needed_kwh = stay.needed_kwh or 0.0
    is_enough = habit.enough_kwh is not None and needed_kwh <= habit.enough_kwh + 0.01
    score.enough += is_enough
    score.kept += is_close and is_enough


def _distance_of(near: tuple[float, float, ChargerStay]) -> float:
    return near[0]


def measure(seeds: Sequence[int] = SEEDS) -> dict[str, Any]:
    """Return for each kind of driver how often its learnt departures came true."""
    figures: dict[str, Any] = {}
    for name, driver in DRIVERS.items():
        total = DepartureScore()
        for seed in seeds:
            stays = record_driver(driver, seed=seed)
            begin = datetime.combine(driver.begin + LEARNT, time(), tzinfo=ZONE)
            first = begin.astimezone(UTC)
            days = [
                EPOCH + timedelta(days=number)
                for year in {driver.begin.year, first.year}
                for number in list_holidays("DE", None, year)
            ]
            habits = learn_departures(stays, ZONE, until=first, holidays=days)
            score = judge_habits(habits, stays, first)
            for part in DepartureScore.__slots__:
                setattr(total, part, getattr(total, part) + getattr(score, part))
        figures[name] = total.figures()
    figures["drivers_each"] = len(seeds)
    return figures


if __name__ == "__main__":
    print(json.dumps(measure(), indent=1))
