"""Schedule the devices that a variant adds on recorded days, and return their use."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np

from luna.contracts.plan import BatteryState, OutlookMessage, PlanRequest, StateMessage
from luna.contracts.variant import Habit
from luna.energy.devices.kind import NamedDevice
from luna.energy.economics.charges import name_drawn
from luna.energy.economics.device_charges import (
    count_device_use,
    device_slot_cost,
    list_device_charges,
)
from luna.energy.part import StrictModel
from luna.energy.site import Site
from luna.energy.tariffs.device_price import DEVICE_SERIES
from luna.energy.timeline import SLOT, Timeline, local_midnight
from services.planner.devices.kind import AddedDevice, DemandSchedule
from services.planner.milp.schedule_loads import schedule_loads
from services.planner.problem.build import build_problem
from services.planner.problem.knowledge import DAY, look_ahead
from services.planner.problem.rolling_horizon import HORIZON
from services.planner.replay.import_meter import ImportMeter
from services.planner.variants.adapted_site import ADDED_KINDS, AdaptedSite, AddedUse

# An hour after day-ahead prices are published.
PLANNED_AT = timedelta(hours=14)


@dataclass
class Addition:
    """Devices that a variant adds, by section and name.

    ``end_states`` carries their states from one span to the next, ``used_kwh`` their energy by
    section since ``begin``: an allowance of theirs goes on from one month to the next.
    """

    site: Site
    devices: Mapping[str, Mapping[str, AddedDevice]]
    end_states: dict[tuple[str, str], StrictModel | None] = field(default_factory=dict)
    begin: datetime | None = None
    used_kwh: dict[str, list[float]] = field(default_factory=dict)

    @classmethod
    def of(
        cls, site: Site, added: Mapping[str, Sequence[NamedDevice]], habits: Mapping[str, Habit]
    ) -> "Addition":
        """Return a variant's added devices, on a site with no other flexible loads.

        Raises:
            InvalidInputError: a device lacks the habit that it needs, or a habit is of no added
                device.
        """
        zone = ZoneInfo(site.timezone)
        added_alone: dict[str, list[NamedDevice]] = {}
        devices: dict[str, dict[str, AddedDevice]] = {}
        for kind in ADDED_KINDS:
            if kind.add:
                of_kind = kind.add(added[kind.section], habits, zone)
                added_alone[kind.section] = [addition.device for addition in of_kind]
                devices[kind.section] = {addition.device.name: addition for addition in of_kind}
        return cls(site.model_copy(update=added_alone), devices)

    def any(self) -> bool:
        """Return whether anything is added."""
        return any(self.devices.values())

    def schedule_on(self, adapted: AdaptedSite) -> AddedUse:
        """Return the added use in each recorded slot, and its cost beside the house's price.

        Beyond the window that of its last plan. What the tariff's running periods have drawn counts
        as if batteries moved nothing.
        """
        scene = adapted.scene
        recorded = scene.foresight.timeline
        window = scene.timeline
        meter = ImportMeter(scene, 0, scene.begin_drawn_kwh)
        net_kwh = scene.actuals.load_kwh - scene.actuals.pv_kwh
        added = np.zeros(recorded.count)
        if self.begin is None:
            self.begin = window.start
        charges = list_device_charges(
            self.site.tariff.devices, self._count_use(window.start), window, scene.zone
        )
        for begin, end in _list_spans(adapted):
            drawn_kwh = meter.drawn_at(window.index_of(begin))
            loads = self._schedule(adapted, begin, drawn_kwh)
            first = recorded.index_of(begin)
            slots = (end - begin) // SLOT
            last = recorded.count - first if end == window.end else slots
            uses = sum((load.use_kwh for load in loads), np.zeros(HORIZON // SLOT))
            added[first : first + min(last, uses.size)] = uses[:last]
            since = window.index_of(begin)
            span_kwh = net_kwh[since : since + slots] + added[first : first + slots]
            for kwh in np.maximum(span_kwh, 0.0).tolist():
                meter.read(kwh)
            past = Timeline(begin, SLOT, slots)
            for section in self.devices:
                of_section = [load.use_kwh for load in loads if load.demand.section == section]
                section_kwh = np.sum([np.zeros(uses.size), *of_section], axis=0)[:slots]
                self.used_kwh.setdefault(section, []).extend(section_kwh.tolist())
            for load in loads:
                section = load.demand.section
                name = load.demand.name
                device = self.devices[section][name]
                state = self.end_states.get((section, name))
                self.end_states[section, name] = device.end(load.columns(), past, state)
        own_kwh = {
            section: np.array(used[-window.count :]) for section, used in self.used_kwh.items()
        }
        cost = device_slot_cost(charges, own_kwh, window, zone=scene.zone)
        return AddedUse(added, cost)

    def _count_use(self, instant: datetime) -> dict[str, float]:
        """Return what the allowances of devices running at an instant have counted, by name."""
        if self.begin is None or instant == self.begin:
            return {}
        past = Timeline(self.begin, SLOT, (instant - self.begin) // SLOT)
        nothing = np.zeros(past.count)
        drawn_kwh = {}
        for section, series in DEVICE_SERIES.items():
            drawn_kwh[series] = np.array(self.used_kwh.get(section, nothing))
        zone = ZoneInfo(self.site.timezone)
        return count_device_use(self.site.tariff.devices, drawn_kwh, past, zone=zone)

    def _schedule(
        self, adapted: AdaptedSite, begin: datetime, drawn_kwh: Sequence[float]
    ) -> list[DemandSchedule]:
        ahead = Timeline(begin, SLOT, HORIZON // SLOT)
        ahead_outlook = look_ahead(begin, ahead, energy=adapted.energy, prices=adapted.scene.prices)
        series = {
            name: getattr(ahead_outlook, name).tolist()
            for name in ("load_kwh", "pv_kwh", "import_price", "export_price")
        }
        batteries = {}
        for battery in self.site.batteries:
            half_full = (battery.min_soc + battery.max_soc) / 2
            batteries[battery.name] = BatteryState(soc=half_full)
        begun: dict[str, dict[str, object]] = {}
        for section, devices in self.devices.items():
            begun[section] = {}
            for name, device in devices.items():
                begun[section][name] = device.begin(ahead, self.end_states.get((section, name)))
        day = begin.astimezone(adapted.scene.zone).date()
        drawn = name_drawn(self.site.tariff.import_, drawn_kwh, day)
        counted = {
            "batteries": batteries,
            "drawn_kwh": drawn,
            "device_use": self._count_use(begin),
        }
        state = StateMessage.model_validate(counted | begun)
        outlook = OutlookMessage(**series)
        request = PlanRequest(site=self.site, start=begin, outlook=outlook, state=state)
        schedule = schedule_loads(build_problem(request))
        return [load for load in schedule.loads if load.demand.section in self.devices]


def _list_spans(adapted: AdaptedSite) -> list[tuple[datetime, datetime]]:
    """Return the span of each plan, from one afternoon to the next.

    The first one begins with the window, the last one ends with it.
    """
    window = adapted.scene.timeline
    zone = adapted.scene.zone
    day = window.start.astimezone(zone).date()
    edges = [window.start]
    afternoon = local_midnight(day, zone) + PLANNED_AT
    while afternoon < window.end:
        edges.append(afternoon)
        day += DAY
        afternoon = local_midnight(day, zone) + PLANNED_AT
    return list(pairwise([*edges, window.end]))
