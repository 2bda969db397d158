"""When a vehicle that is not there yet would stand at its charger, and with how much it would come home."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from luna.contracts.plan import VehicleSession, VehicleState
from luna.contracts.what_if import Habit
from luna.errors import InvalidInputError
from luna.site import ElectricVehicle
from luna.timeline import Timeline

DAY = timedelta(days=1)
WEEKEND = 5


def stand(vehicle: ElectricVehicle, habit: Habit, timeline: Timeline, *, zone: ZoneInfo, soc: float | None = None) -> VehicleState:
    """Return a vehicle's stays over a timeline: each day it comes home with what the day took, and leaves full.

    Args:
        vehicle: of the variant.
        habit: its owner's.
        timeline: what is planned.
        zone: whose clock the habit goes by.
        soc: how full it is at the start, where it is at its charger then; default: what the day took is missing.

    Raises:
        InvalidInputError: a day takes more than it holds.
    """
    share = habit.energy_kwh_per_day / vehicle.capacity_kwh
    if share > vehicle.max_soc:
        remedy = f"It holds {vehicle.max_soc * vehicle.capacity_kwh:g} kWh; give it a larger battery or a shorter way."
        raise InvalidInputError(
            "a day takes more than the vehicle holds", field=f"habits.{vehicle.name}.energy_kwh_per_day", value=habit.energy_kwh_per_day, remedy=remedy
        )
    home = vehicle.max_soc - share
    stays = [stay for stay in list_stays(habit, timeline, zone) if stay[1] > timeline.begin and stay[0] < timeline.end]
    sessions = [VehicleSession(from_=begin, to=end, target_soc=vehicle.max_soc, arrival_soc=None if begin <= timeline.begin else home) for begin, end in stays]
    return VehicleState(soc=home if soc is None else soc, sessions=sessions)


def list_stays(habit: Habit, timeline: Timeline, zone: ZoneInfo) -> list[tuple[datetime, datetime]]:
    """Return begin and end of the stays from the day before a timeline's start to its end."""
    day, stays = timeline.start.astimezone(zone).date() - DAY, []
    while _at(day, habit.from_, zone) < timeline.end:
        if habit.days == "all" or (day.weekday() >= WEEKEND) == (habit.days == "weekend"):
            leaves = day + DAY if habit.to <= habit.from_ else day
            stays.append((_at(day, habit.from_, zone), _at(leaves, habit.to, zone)))
        day += DAY
    return stays


def _at(day: date, clock: str, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time.fromisoformat(clock), zone)
