"""What vehicles and loads that a variant adds would have used: placed day by day from what was known then, each by its own wish."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from luna.contracts.plan import BatteryState, LoadState, OutlookMessage, PlanRequest, StateMessage, VehicleState
from luna.contracts.what_if import Habit
from luna.errors import InvalidInputError
from luna.site import Site
from luna.timeline import SLOT, FloatArray, Timeline, local_midnight
from services.planner.alternatives.habit import list_stays, stand
from services.planner.alternatives.world import World
from services.planner.knowledge import DAY, look_ahead
from services.planner.placing.placement import Placement, place
from services.planner.posing.ahead import HORIZON
from services.planner.posing.problem import pose

# An hour after the next day's prices are out.
PLANNED_AT = timedelta(hours=14)


@dataclass
class Addition:
    """Devices that a variant adds, and how they stand: handed on from one stretch of days to the next.

    ``soc`` of vehicles at their chargers, ``used_kwh`` by loads since midnight, ``off_hours`` of loads.
    """

    site: Site
    habits: Mapping[str, Habit]
    soc: dict[str, float] = field(default_factory=dict)
    used_kwh: dict[str, float] = field(default_factory=dict)
    off_hours: dict[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, site: Site, names: list[str], habits: Mapping[str, Habit]) -> "Addition":
        """Return what a variant adds.

        Raises:
            InvalidInputError: a vehicle without a habit, or a habit of none that is added.
        """
        vehicles = [each for each in site.vehicles if each.name in names]
        for name in {*habits} ^ {each.name for each in vehicles}:
            remedy = "Give each vehicle that is added from, to and energy_kwh_per_day, and no other."
            raise InvalidInputError("a habit goes with a vehicle that the variant adds", field=f"habits.{name}", remedy=remedy)
        # What a car that is not there would give to the house cannot be set against a recorded load.
        vehicles = [each.model_copy(update={"discharge_limit_kw": 0.0}) for each in vehicles]
        return cls(site.model_copy(update={"vehicles": vehicles, "loads": [each for each in site.loads if each.name in names]}), habits)

    def any(self) -> bool:
        """Return whether anything is added."""
        return bool(self.site.vehicles or self.site.loads)

    def place_on(self, world: World) -> FloatArray:
        """Return what is used in each recorded slot of a world, kWh; beyond its window what is expected at its end."""
        recorded, window = world.scene.foresight.timeline, world.scene.timeline
        added = np.zeros(recorded.count)
        for begin, end in _list_spans(world):
            placed = self._place(world, begin)
            first, slots = recorded.index_of(begin), (end - begin) // SLOT
            last = recorded.count - first if end == window.end else slots
            uses = placed.vehicle_kwh.sum(axis=0) + placed.load_kwh.sum(axis=0)
            added[first : first + min(last, uses.size)] = uses[:last]
            self._hand_on(placed, Timeline(begin, SLOT, slots))
        return added

    def _place(self, world: World, begin: datetime) -> Placement:
        ahead = Timeline(begin, SLOT, HORIZON // SLOT)
        known = look_ahead(begin, ahead, energy=world.energy, prices=world.scene.prices)
        series = {name: getattr(known, name).tolist() for name in ("load_kwh", "pv_kwh", "import_price", "export_price")}
        zone = world.scene.zone
        vehicles = {each.name: self._stand(each.name, ahead, zone) for each in self.site.vehicles}
        loads = {
            each.name: LoadState(energy_today_kwh=self.used_kwh.get(each.name, 0.0), off_hours=self.off_hours.get(each.name, 0.0)) for each in self.site.loads
        }
        batteries = {each.name: BatteryState(soc=(each.min_soc + each.max_soc) / 2) for each in self.site.batteries}
        state = StateMessage(batteries=batteries, vehicles=vehicles, loads=loads)
        return place(pose(PlanRequest(site=self.site, start=begin, outlook=OutlookMessage(**series), state=state)))

    def _stand(self, name: str, ahead: Timeline, zone: ZoneInfo) -> VehicleState:
        vehicle = next(each for each in self.site.vehicles if each.name == name)
        return stand(vehicle, self.habits[name], ahead, zone=zone, soc=self.soc.get(name))

    def _hand_on(self, placed: Placement, lived: Timeline) -> None:
        """Note how the devices stand at the end of the slots that were lived."""
        zone = ZoneInfo(self.site.timezone)
        for wish, charge in zip(placed.wishes.vehicles, placed.vehicle_kwh, strict=True):
            stored = wish.stored_after(charge, np.zeros_like(charge))[lived.count - 1] / wish.vehicle.capacity_kwh
            here = any(begin < lived.end < end for begin, end in list_stays(self.habits[wish.vehicle.name], lived, zone))
            self.soc = {**self.soc, wish.vehicle.name: float(stored)} if here else {key: soc for key, soc in self.soc.items() if key != wish.vehicle.name}
        midnight = max((local_midnight(lived.end.astimezone(zone).date(), zone) - lived.start) // SLOT, 0)
        for load_wish, used in zip(placed.wishes.loads, placed.load_kwh, strict=True):
            name, today = load_wish.load.name, float(used[midnight : lived.count].sum())
            self.used_kwh[name] = today if midnight else self.used_kwh.get(name, 0.0) + today
            on = np.flatnonzero(used[: lived.count] > 0)
            self.off_hours[name] = min((lived.count - 1 - int(on[-1])) / 4 if on.size else self.off_hours.get(name, 0.0) + lived.count / 4, 168.0)


def _list_spans(world: World) -> list[tuple[datetime, datetime]]:
    """Return from when to when each plan holds: from the window's begin, then from every afternoon to the next."""
    window, zone = world.scene.timeline, world.scene.zone
    day, edges = window.start.astimezone(zone).date(), [window.start]
    while (instant := local_midnight(day, zone) + PLANNED_AT) < window.end:
        edges.append(instant)
        day += DAY
    return list(zip(edges, [*edges[1:], window.end], strict=True))
