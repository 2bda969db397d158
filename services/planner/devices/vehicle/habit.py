"""Place vehicles by their owners' habits: ones added to recorded days, ones of a changed plan."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from luna.contracts.plan.columns import Columns
from luna.contracts.plan.state import VehicleSession, VehicleState
from luna.contracts.variant import Habit
from luna.energy.devices.vehicle import ElectricVehicle
from luna.energy.refusals import refuse
from luna.energy.site import Site
from luna.energy.timeline import Timeline

DAY = timedelta(days=1)
SATURDAY = 5


@dataclass(frozen=True, slots=True)
class AddedVehicle:
    """A vehicle and its owner's habit, by a clock."""

    device: ElectricVehicle
    habit: Habit
    zone: ZoneInfo

    def begin(self, ahead: Timeline, before: VehicleState | None) -> VehicleState:
        """Return its state with its sessions over a timeline.

        Each day it comes home without the energy that the day took, and leaves full.

        Args:
            ahead: the timeline to plan.
            before: its state at the start if it is at its charger; None: the day's energy is
                missing.

        Raises:
            InvalidInputError: a day takes more than it holds.
        """
        vehicle = self.device
        day_soc = self.habit.energy_kwh_per_day / vehicle.capacity_kwh
        if day_soc > vehicle.max_soc:
            raise refuse(
                "day-beyond-vehicle",
                field=f"habits.{vehicle.name}.energy_kwh_per_day",
                value=self.habit.energy_kwh_per_day,
                holds_kwh=vehicle.max_soc * vehicle.capacity_kwh,
            )
        home_soc = vehicle.max_soc - day_soc
        sessions = []
        for begin, end in self.list_charging_sessions(ahead):
            if begin < ahead.end and end > ahead.begin:
                session = VehicleSession(
                    from_=begin,
                    to=end,
                    target_soc=vehicle.max_soc,
                    arrival_soc=None if begin <= ahead.begin else home_soc,
                )
                sessions.append(session)
        return VehicleState(soc=home_soc if before is None else before.soc, sessions=sessions)

    def end(
        self, flows: Columns, past: Timeline, before: VehicleState | None
    ) -> VehicleState | None:
        """Return its state at the end of some slots, or None if it is away then."""
        at_charger = any(begin < past.end < end for begin, end in self.list_charging_sessions(past))
        return VehicleState(soc=flows["soc_end"][past.count - 1]) if at_charger else None

    def list_charging_sessions(self, timeline: Timeline) -> list[tuple[datetime, datetime]]:
        """Return begin and end of sessions, from a day before a timeline's start to its end."""
        habit = self.habit
        day = timeline.start.astimezone(self.zone).date() - DAY
        sessions = []
        while self._at(day, habit.from_) < timeline.end:
            is_weekend = day.weekday() >= SATURDAY
            if habit.days == "all" or is_weekend == (habit.days == "weekend"):
                leaves = day + DAY if habit.to <= habit.from_ else day
                sessions.append((self._at(day, habit.from_), self._at(leaves, habit.to)))
            day += DAY
        return sessions

    def _at(self, day: date, clock: str) -> datetime:
        return datetime.combine(day, time.fromisoformat(clock), self.zone)


def add_vehicles(
    vehicles: Sequence[ElectricVehicle], habits: Mapping[str, Habit], zone: ZoneInfo
) -> list[AddedVehicle]:
    """Return the vehicles that a variant adds to recorded days.

    Raises:
        InvalidInputError: a vehicle without a habit, or a habit without an added vehicle.
    """
    names = {vehicle.name for vehicle in vehicles}
    for name in {*habits} ^ names:
        raise refuse("habit-without-vehicle", field=f"habits.{name}")
    added = []
    for vehicle in vehicles:
        # The recorded load does not show what an added car would have given to the house.
        charging_only = vehicle.model_copy(update={"discharge_limit_kw": 0.0})
        added.append(AddedVehicle(charging_only, habits[vehicle.name], zone))
    return added


def schedule_by_habit(
    site: Site, habits: Mapping[str, Habit], timeline: Timeline
) -> dict[str, VehicleState]:
    """Return the states of the vehicles for which a variant of a plan names a habit.

    Raises:
        InvalidInputError: a habit of a vehicle that the site does not have, or a day takes more
            than it holds.
    """
    vehicles = {vehicle.name: vehicle for vehicle in site.vehicles}
    zone = ZoneInfo(site.timezone)
    for name in habits:
        if name not in vehicles:
            raise refuse(
                "no-such-device", field=f"variant.habits.{name}", names=tuple(vehicles) or ("–",)
            )
    return {
        name: AddedVehicle(vehicles[name], habit, zone).begin(timeline, None)
        for name, habit in habits.items()
    }
