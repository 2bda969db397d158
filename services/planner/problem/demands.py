"""What flexible loads ask for: appliances, water heaters, heat pumps and vehicles, read from the request into slots."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from luna.contracts.plan import HeatPumpState, LoadState, OutlookMessage, StateMessage
from luna.energy.devices import ComfortWindow, DeferrableLoad, HeatPump
from luna.energy.physics import Warming, heat_per_kwh
from luna.energy.refusals import refuse
from luna.energy.site import Site
from luna.energy.timeline import FloatArray, Timeline, local_midnight
from luna.energy.windows import find_spans, mark_slots
from services.planner.linear.schedules import RunRules, read_rules
from services.planner.problem.vehicle_demand import VehicleDemand, read_vehicle

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
_DAY_HOURS = 24.0


@dataclass(frozen=True, slots=True)
class DayNeed:
    """What an appliance has to use within slots ``first`` to ``end`` (exclusive): of a local day, or for its comfort by a local instant, as ``when``.

    ``most_kwh`` is what it may use there at most, None: hardly more than it needs; infinite where another need says it.
    """

    first: int
    end: int
    need_kwh: float
    when: date
    most_kwh: float | None = None


@dataclass(frozen=True, slots=True)
class LoadDemand:
    """An appliance over the horizon: its needs, for how long it has been off or on at the start, and the slots it may run in (``(slots,)``)."""

    load: DeferrableLoad
    needs: tuple[DayNeed, ...]
    off_hours: float
    on_hours: float
    allowed: FloatArray

    def rules(self, hours: FloatArray) -> RunRules:
        """Return how it may be on and off, in slots."""
        load = self.load
        gap = load.max_gap_hours if load.max_gap_hours < _DAY_HOURS and load.energy_kwh_per_day > 0 else np.inf
        return read_rules((load.min_on_minutes / 60, load.min_off_minutes / 60, gap), (self.on_hours, self.off_hours), hours)

    def forced_kwh(self, hours: FloatArray) -> FloatArray:
        """Return what it uses whatever is planned, because it has just begun, shape ``(slots,)``."""
        return self.rules(hours).bounds(np.zeros(hours.size))[0] * self.load.power_kw * hours

    def missing_kwh(self, used_kwh: FloatArray) -> FloatArray:
        """Return what each need lacks when so much is used per slot, shape ``(needs,)``."""
        return np.array([max(need.need_kwh - float(used_kwh[need.first : need.end].sum()), 0.0) for need in self.needs])


def read_load(load: DeferrableLoad, state: LoadState, timeline: Timeline, *, zone: ZoneInfo) -> LoadDemand:
    """Return what an appliance wants over a timeline, local day by local day."""
    needs = [*_read_days(load, state, timeline, zone)]
    for window in load.comfort:
        needs += _read_comfort(load, window, timeline, state=state, zone=zone)
    return LoadDemand(load, tuple(needs), state.off_hours, state.on_hours, read_allowed(load, timeline, zone))


def read_allowed(load: DeferrableLoad, timeline: Timeline, zone: ZoneInfo) -> FloatArray:
    """Return 1 in the slots in which the clock lets an appliance be on, 0 elsewhere, shape ``(slots,)``."""
    inside = mark_slots(load.allowed, timeline, zone, whole=True) if load.allowed else np.ones(timeline.count, dtype=bool)
    return (inside & ~mark_slots(load.forbidden, timeline, zone, whole=False)).astype(float)


def _read_days(load: DeferrableLoad, state: LoadState, timeline: Timeline, zone: ZoneInfo) -> Iterator[DayNeed]:
    first_day = day = timeline.start.astimezone(zone).date()
    while (midnight := local_midnight(day, zone)) < timeline.end:
        following = local_midnight(day + DAY, zone)
        ahead = (min(following, timeline.end) - max(midnight, timeline.begin)) / (following - midnight)
        need = load.energy_kwh_per_day * ahead
        used = state.energy_today_kwh if day == first_day else None
        if used is not None:
            left = max(load.energy_kwh_per_day - used, 0.0)
            need = left if following <= timeline.end else min(left, need)
        first, end = (timeline.first_from(instant) for instant in (midnight, following))
        if end > first:
            yield DayNeed(first, end, need, day, _most_kwh(load, used or 0.0))
        day += DAY


def _most_kwh(load: DeferrableLoad, used_kwh: float) -> float | None:
    if load.extra_value is None:
        return None
    return np.inf if load.most_kwh_per_day is None else max(load.most_kwh_per_day - used_kwh, 0.0)


def _read_comfort(load: DeferrableLoad, window: ComfortWindow, timeline: Timeline, *, state: LoadState, zone: ZoneInfo) -> Iterator[DayNeed]:
    midnight = local_midnight(timeline.start.astimezone(zone).date(), zone)
    for begin, end in find_spans(window, timeline, zone):
        used_today = state.energy_today_kwh if begin >= midnight else None
        later_kwh = max((end - timeline.end) / HOUR, 0.0) * load.power_kw
        need = window.energy_kwh - _used_kwh(window, (begin, end), load, now=timeline.begin, used_today_kwh=used_today) - later_kwh
        first, last = timeline.first_from(begin), min(int((end - timeline.start) // timeline.step), timeline.count)
        if need > 0 and last > first:
            yield DayNeed(first, last, need, end.astimezone(zone), np.inf)


def _used_kwh(window: ComfortWindow, span: tuple[datetime, datetime], load: DeferrableLoad, *, now: datetime, used_today_kwh: float | None) -> float:
    """Return what an open window has got already: today's use as far as it can have been since, or as if it had come evenly."""
    begin, end = span
    passed = max((now - begin) / HOUR, 0.0)
    if used_today_kwh is not None:
        return min(used_today_kwh, passed * load.power_kw)
    return window.energy_kwh * passed / ((end - begin) / HOUR)


@dataclass(frozen=True, slots=True)
class CycleRun:
    """One run that is asked for: what each possible start uses per slot, ``(starts, slots)``, begin by begin; it is over at ``by``.

    ``open`` says that there is time for it beyond the horizon.
    """

    use_kwh: FloatArray
    by: datetime
    open: bool


@dataclass(frozen=True, slots=True)
class CycleDemand:
    """A programme over the horizon: the runs that are asked for, and what is left of the one that runs at the start, ``(slots,)``."""

    load: DeferrableLoad
    runs: tuple[CycleRun, ...]
    running_kwh: FloatArray

    @property
    def most_kwh(self) -> FloatArray:
        """What it uses at most per slot, whatever its runs' starts, shape ``(slots,)``."""
        return sum((run.use_kwh.max(axis=0, initial=0.0) for run in self.runs), self.running_kwh)

    @property
    def energy_kwh(self) -> float:
        """What one run uses."""
        return sum(self.load.profile_kw) * self.load.profile_minutes / 60


def read_cycle(load: DeferrableLoad, state: LoadState, timeline: Timeline, *, zone: ZoneInfo) -> CycleDemand:
    """Return what is asked of a programme over a timeline.

    Raises:
        InvalidInputError: a run that is to be over before it may begin.
    """
    edges = np.concatenate([[0.0], np.cumsum(timeline.hours)])
    running = _use_kwh(load, -state.on_hours, edges) if state.on_hours > 0 else np.zeros(timeline.count)
    return CycleDemand(load, tuple(_read_runs(load, state, timeline, zone=zone)), running)


def _read_runs(load: DeferrableLoad, state: LoadState, timeline: Timeline, *, zone: ZoneInfo) -> Iterator[CycleRun]:
    edges = np.concatenate([[0.0], np.cumsum(timeline.hours)])
    now = timeline.begin
    allowed = read_allowed(load, timeline, zone) > 0
    for place, run in enumerate(state.runs):
        earliest = max(run.from_ or now, now)
        if run.by <= (run.from_ or now):
            field = f"state.loads.{load.name}.runs.{place}.by"
            raise refuse("run-reversed", field=field, value=run.by.astimezone(zone).isoformat())
        latest = (min(run.by, timeline.end) - now) / HOUR - load.programme_hours
        begins = edges[:-1][(edges[:-1] >= (earliest - now) / HOUR - 1e-9) & (edges[:-1] <= latest + 1e-9)]
        use = np.array([_use_kwh(load, begin, edges) for begin in begins]).reshape(-1, timeline.count)
        fits = ~(use[:, ~allowed] > 0).any(axis=1)
        yield CycleRun(use[fits], run.by.astimezone(UTC), (run.by - timeline.end) / HOUR >= load.programme_hours)


def _use_kwh(load: DeferrableLoad, begin: float, edges: FloatArray) -> FloatArray:
    """Return what a run that begins so many hours after the start uses per slot, shape ``(slots,)``."""
    step = load.profile_minutes / 60
    passed = np.arange(len(load.profile_kw) + 1) * step
    used = np.concatenate([[0.0], np.cumsum(load.profile_kw) * step])
    return np.diff(np.interp(edges - begin, passed, used))


# Where no outdoor temperature is known. Source: standard rating condition of EN 14511.
OUTDOOR_C = 7.0


@dataclass(frozen=True, slots=True)
class HeatDemand:
    """A heat pump over the horizon: how warm its store is at the start, and per slot (``(slots,)``) its band, the pump's COP and the store's course.

    ``most_c`` is where it gets warmer by itself how warm that is, ``aim_c`` the band's lower end where the pump can reach it, else what it can reach.
    ``assumed`` are temperatures of which nothing was known, each with its code in ``luna.words``; ``on`` says in which slots the pump is on
    (1, else 0), None where that is open.
    """

    pump: HeatPump
    state: HeatPumpState
    start_c: float
    least_c: FloatArray
    most_c: FloatArray
    aim_c: FloatArray
    cop: FloatArray
    warming: Warming
    assumed: tuple[tuple[str, float], ...]
    on: FloatArray | None = None

    def rules(self, hours: FloatArray) -> RunRules:
        """Return how the pump may be on and off, in slots."""
        pump, state = self.pump, self.state
        return read_rules((pump.min_on_minutes / 60, pump.min_off_minutes / 60, np.inf), (state.on_hours, state.off_hours), hours)

    def forced_kwh(self, hours: FloatArray) -> FloatArray:
        """Return what the pump uses whatever is planned: its least power where it has just begun, or is known to be on, shape ``(slots,)``."""
        least = self.rules(hours).bounds(np.zeros(hours.size))[0] if self.on is None else self.on
        return least * self.pump.min_power_kw * hours

    def temperature_c(self, used_kwh: FloatArray) -> FloatArray:
        """Return how warm the store is at the end of each slot when the pump uses so much electricity, shape ``(slots,)``."""
        return self.warming.follow(self.start_c, used_kwh * self.cop)


def read_heat_pump(pump: HeatPump, state: HeatPumpState, timeline: Timeline, *, series: OutlookMessage, zone: ZoneInfo) -> HeatDemand:
    """Return what is wanted of a heat pump over a timeline, under the temperatures and the demand for heat of an outlook."""
    outdoor = np.array(series.outdoor_temperature_c or [OUTDOOR_C] * timeline.count)
    demand = np.array(series.heat_demand_kwh.get(pump.name, pump.heat_demand_kw * timeline.hours))
    least, most = _band(pump, timeline, zone)
    start = float(least[0] + most[0]) / 2 if state.temperature_c is None else state.temperature_c
    warming = Warming.of(pump.store, hours=timeline.hours, outdoor_c=outdoor, demand_kwh=demand)
    assumed = [("heat_outdoor", OUTDOOR_C)] if series.outdoor_temperature_c is None else []
    assumed += [("heat_store", start)] if state.temperature_c is None else []
    cop, highest = heat_per_kwh(pump, outdoor), np.maximum(most, warming.least_warming(start, least))
    aim = np.minimum(least, warming.most_warming(start, pump.power_kw * timeline.hours * cop, highest))
    return HeatDemand(pump, state, start, least, highest, aim, cop, warming, tuple(assumed))


def _band(pump: HeatPump, timeline: Timeline, zone: ZoneInfo) -> tuple[FloatArray, FloatArray]:
    store = pump.store
    least, most = np.full(timeline.count, store.min_c), np.full(timeline.count, store.max_c)
    for band in reversed(store.bands):
        inside = mark_slots([band], timeline, zone, whole=False)
        least[inside], most[inside] = band.min_c, band.max_c
    return least, most


@dataclass(frozen=True, slots=True)
class Demands:
    """Everything that may be placed."""

    vehicles: tuple[VehicleDemand, ...] = ()
    loads: tuple[LoadDemand, ...] = ()
    programmes: tuple[CycleDemand, ...] = ()
    heat_pumps: tuple[HeatDemand, ...] = ()

    def any(self) -> bool:
        """Return whether there is anything to place."""
        return bool(self.vehicles or self.loads or self.programmes or self.heat_pumps)

    def forced_kwh(self, hours: FloatArray) -> FloatArray:
        """Return what runs on whatever is planned, shape ``(slots,)``."""
        parts = [demand.forced_kwh(hours) for demand in self.loads] + [pump.forced_kwh(hours) for pump in self.heat_pumps]
        return sum([*parts, *(demand.running_kwh for demand in self.programmes)], np.zeros(hours.size))


NO_DEMANDS = Demands()


def read_demands(site: Site, state: StateMessage, timeline: Timeline, *, series: OutlookMessage) -> Demands:
    """Return what a site's vehicles and appliances want over a timeline. A vehicle without a session wants nothing.

    Args:
        series: what lies ahead; what its load includes is not placed.

    Raises:
        InvalidInputError: state of a vehicle or load the site does not have, a session without state of charge or upside down.
    """
    _refuse_strangers("vehicles", state.vehicles, [vehicle.name for vehicle in site.vehicles])
    _refuse_strangers("loads", state.loads, [load.name for load in site.loads])
    zone = ZoneInfo(site.timezone)
    vehicles = tuple(
        read_vehicle(vehicle, state.vehicles[vehicle.name], timeline, zone=zone)
        for vehicle in site.vehicles
        if vehicle.name in state.vehicles and state.vehicles[vehicle.name].sessions
    )
    apart = [load for load in site.loads if load.name not in series.load_includes]
    known = [(load, state.loads.get(load.name, LoadState())) for load in apart]
    loads = tuple(read_load(load, now, timeline, zone=zone) for load, now in known if not load.profile_kw)
    programmes = tuple(read_cycle(load, now, timeline, zone=zone) for load, now in known if load.profile_kw and (now.runs or now.on_hours))
    return Demands(vehicles, loads, programmes, _read_heat_pumps(site, state, timeline, series))


def _read_heat_pumps(site: Site, state: StateMessage, timeline: Timeline, series: OutlookMessage) -> tuple[HeatDemand, ...]:
    names = [pump.name for pump in site.heat_pumps]
    _refuse_strangers("heat_pumps", state.heat_pumps, names)
    _refuse_strangers("heat_pumps", series.heat_demand_kwh, names, where="outlook.heat_demand_kwh")
    apart = [pump for pump in site.heat_pumps if pump.name not in series.load_includes]
    zone = ZoneInfo(site.timezone)
    return tuple(read_heat_pump(pump, state.heat_pumps.get(pump.name, HeatPumpState()), timeline, series=series, zone=zone) for pump in apart)


def _refuse_strangers(kind: str, named: Collection[str], known: Sequence[str], *, where: str | None = None) -> None:
    for name in named:
        if name not in known:
            raise refuse("no-such-load", field=f"{where or f'state.{kind}'}.{name}", kind=kind, names=", ".join(known) or "none")
