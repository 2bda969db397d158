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
from luna.energy.timeline import SLOT, FloatArray, Timeline, local_midnight
from services.planner.devices.kind import AddedDevice, DemandSchedule
from services.planner.milp.schedule_loads import schedule_loads
from services.planner.problem.build import build_problem
from services.planner.problem.knowledge import DAY, look_ahead
from services.planner.problem.rolling_horizon import HORIZON
from services.planner.replay.import_meter import ImportMeter
from services.planner.variants.adapted_site import ADDED_KINDS, AdaptedSite, AddedUse

# An hour after day-ahead prices are published.
PLANNED_AT = timedelta(hours=14)
# An allowance that runs when days begin began on the day before, or a day of 25 hours before.
COUNTED_BEFORE = 2 * DAY


@dataclass
class Addition:
    """Devices that a variant adds, by section and name.

    ``end_states`` carries their states from one span to the next, ``lately_kwh`` their energy by
    section over ``COUNTED_BEFORE``: an allowance of theirs goes on from one month to the next.
    """

    site: Site
    devices: Mapping[str, Mapping[str, AddedDevice]]
    end_states: dict[tuple[str, str], StrictModel | None] = field(default_factory=dict)
    lately_kwh: dict[str, FloatArray] = field(default_factory=dict)

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

    def schedule_on(
        self, adapted: AdaptedSite, recorded_kwh: Mapping[str, FloatArray] | None = None
    ) -> AddedUse:
        """Return the added use in each recorded slot, and its cost beside the house's price.

        Beyond the window that of its last plan. What the tariff's running periods have drawn counts
        as if batteries moved nothing. ``recorded_kwh`` is what recorded devices with a price of
        their own drew, by section, from ``COUNTED_BEFORE`` the window on: their kind has one
        allowance for all.
        """
        scene = adapted.scene
        recorded = scene.foresight.timeline
        window = scene.timeline
        meter = ImportMeter(scene, 0, scene.begin_drawn_kwh)
        net_kwh = scene.actuals.load_kwh - scene.actuals.pv_kwh
        added = np.zeros(recorded.count)
        before = COUNTED_BEFORE // SLOT
        around = Timeline(window.start - COUNTED_BEFORE, SLOT, before + window.count)
        own_kwh: dict[str, FloatArray] = {}
        others_kwh: dict[str, FloatArray] = {}
        for priced in DEVICE_SERIES:
            own_kwh[priced] = np.zeros(around.count)
            own_kwh[priced][:before] = self.lately_kwh.get(priced, 0.0)
            others_kwh[priced] = np.zeros(around.count)
        others_kwh |= recorded_kwh or {}
        for begin, end in _list_spans(adapted):
            drawn_kwh = meter.drawn_at(window.index_of(begin))
            past = around.window(0, around.index_of(begin))
            used = self._count_use(_add(own_kwh, others_kwh), past)
            loads = self._schedule(adapted, begin, drawn_kwh, used)
            first = recorded.index_of(begin)
            slots = (end - begin) // SLOT
            last = recorded.count - first if end == window.end else slots
            uses = sum((load.use_kwh for load in loads), np.zeros(HORIZON // SLOT))
            added[first : first + min(last, uses.size)] = uses[:last]
            since = window.index_of(begin)
            span_kwh = net_kwh[since : since + slots] + added[first : first + slots]
            for kwh in np.maximum(span_kwh, 0.0).tolist():
                meter.read(kwh)
            span = Timeline(begin, SLOT, slots)
            for load in loads:
                section = load.demand.section
                name = load.demand.name
                if section in own_kwh:
                    own_kwh[section][past.count : past.count + slots] += load.use_kwh[:slots]
                device = self.devices[section][name]
                state = self.end_states.get((section, name))
                self.end_states[section, name] = device.end(load.columns(), span, state)
        self.lately_kwh = {section: used_kwh[-before:] for section, used_kwh in own_kwh.items()}
        cost = self._price(_add(own_kwh, others_kwh), around) - self._price(others_kwh, around)
        return AddedUse(added, cost)

    def _count_use(self, drawn_kwh: Mapping[str, FloatArray], past: Timeline) -> dict[str, float]:
        """Return what the allowances of devices running after ``past`` have counted, by name.

        ``drawn_kwh`` is by section; its first slots are those of ``past``.
        """
        by_series = {}
        for section, series in DEVICE_SERIES.items():
            by_series[series] = drawn_kwh[section][: past.count]
        zone = ZoneInfo(self.site.timezone)
        return count_device_use(self.site.tariff.devices, by_series, past, zone=zone)

    def _price(self, drawn_kwh: Mapping[str, FloatArray], around: Timeline) -> FloatArray:
        """Return what devices cost beside the house's price after ``COUNTED_BEFORE``, by slot."""
        before = COUNTED_BEFORE // SLOT
        zone = ZoneInfo(self.site.timezone)
        window = around.window(before, around.count - before)
        used = self._count_use(drawn_kwh, around.window(0, before))
        charges = list_device_charges(self.site.tariff.devices, used, window, zone)
        own_kwh = {section: used_kwh[before:] for section, used_kwh in drawn_kwh.items()}
        return device_slot_cost(charges, own_kwh, window, zone=zone)

    def _schedule(
        self,
        adapted: AdaptedSite,
        begin: datetime,
        drawn_kwh: Sequence[float],
        used: Mapping[str, float],
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
            "device_use": used,
        }
        state = StateMessage.model_validate(counted | begun)
        outlook = OutlookMessage(**series)
        request = PlanRequest(site=self.site, start=begin, outlook=outlook, state=state)
        schedule = schedule_loads(build_problem(request))
        return [load for load in schedule.loads if load.demand.section in self.devices]


def _add(one: Mapping[str, FloatArray], other: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
    return {section: used_kwh + other[section] for section, used_kwh in one.items()}


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
