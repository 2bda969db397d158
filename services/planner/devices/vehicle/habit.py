"""A vehicle that is not there yet: its stays by its owner's habit, and how full it is from one stretch of days to the next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from luna.contracts.counterfactual import Habit
from luna.contracts.plan import VehicleSession, VehicleState
from luna.contracts.plan.columns import Columns
from luna.energy.devices import ElectricVehicle
from luna.energy.refusals import refuse
from luna.energy.site import Site
from luna.energy.timeline import Timeline

DAY, WEEKEND = timedelta(days=1), 5


@dataclass(frozen=True, slots=True)
class AddedVehicle:
    """A vehicle and its owner's habit, by a clock."""

    device: ElectricVehicle
    habit: Habit
    zone: ZoneInfo

    def begin(self, ahead: Timeline, before: VehicleState | None) -> VehicleState:
        """Return its stays over a timeline: each day it comes home with what the day took, and leaves full.

        Args:
            ahead: what is planned.
            before: how full it was left, where it is at its charger at the start; None: what the day took is missing.

        Raises:
            InvalidInputError: a day takes more than it holds.
        """
        vehicle = self.device
        share = self.habit.energy_kwh_per_day / vehicle.capacity_kwh
        if share > vehicle.max_soc:
            raise refuse(
                "day-beyond-vehicle",
                field=f"habits.{vehicle.name}.energy_kwh_per_day",
                value=self.habit.energy_kwh_per_day,
                holds_kwh=vehicle.max_soc * vehicle.capacity_kwh,
            )
        home, target = vehicle.max_soc - share, vehicle.max_soc
        stays = [stay for stay in self.list_stays(ahead) if stay[1] > ahead.begin and stay[0] < ahead.end]
        sessions = [VehicleSession(from_=begin, to=end, target_soc=target, arrival_soc=None if begin <= ahead.begin else home) for begin, end in stays]
        return VehicleState(soc=home if before is None else before.soc, sessions=sessions)

    def end(self, flows: Columns, lived: Timeline, before: VehicleState | None) -> VehicleState | None:  # a plan begins with it
        """Return how full it is at the end of what was lived; None where it is away then, and comes back with what the day took."""
        here = any(begin < lived.end < end for begin, end in self.list_stays(lived))
        return VehicleState(soc=flows["soc_end"][lived.count - 1]) if here else None

    def list_stays(self, timeline: Timeline) -> list[tuple[datetime, datetime]]:
        """Return begin and end of the stays from the day before a timeline's start to its end."""
        habit, day, stays = self.habit, timeline.start.astimezone(self.zone).date() - DAY, []
        while self._at(day, habit.from_) < timeline.end:
            if habit.days == "all" or (day.weekday() >= WEEKEND) == (habit.days == "weekend"):
                leaves = day + DAY if habit.to <= habit.from_ else day
                stays.append((self._at(day, habit.from_), self._at(leaves, habit.to)))
            day += DAY
        return stays

    def _at(self, day: date, clock: str) -> datetime:
        return datetime.combine(day, time.fromisoformat(clock), self.zone)


def add_vehicles(vehicles: Sequence[ElectricVehicle], habits: Mapping[str, Habit], zone: ZoneInfo) -> list[AddedVehicle]:
    """Return the vehicles that a variant adds to recorded days.

    Raises:
        InvalidInputError: a vehicle without a habit, or a habit of none that is added.
    """
    for name in {*habits} ^ {each.name for each in vehicles}:
        raise refuse("habit-without-vehicle", field=f"habits.{name}")
    # What a car that is not there would give to the house cannot be set against a recorded load.
    return [AddedVehicle(each.model_copy(update={"discharge_limit_kw": 0.0}), habits[each.name], zone) for each in vehicles]


def place_by_habit(site: Site, habits: Mapping[str, Habit], timeline: Timeline) -> dict[str, VehicleState]:
    """Return the vehicles of a variant of a plan that stand as they are used to.

    Raises:
        InvalidInputError: a habit of a vehicle that the site does not have, or a day takes more than it holds.
    """
    vehicles, zone = {vehicle.name: vehicle for vehicle in site.vehicles}, ZoneInfo(site.timezone)
    if strangers := [name for name in habits if name not in vehicles]:
        raise refuse("variant-no-such-vehicle", field=f"variant.habits.{strangers[0]}", names=", ".join(vehicles) or "none")
    return {name: AddedVehicle(vehicles[name], habit, zone).begin(timeline, None) for name, habit in habits.items()}
