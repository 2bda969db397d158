"""Adapt recorded days to a changed site, and simulate them month by month.

The adapted days have the changed site's load, PV, forecasts and prices. Each month begins with the
stored energy left by the month before.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial
from zoneinfo import ZoneInfo

import numpy as np

from luna.energy.devices.kind import NamedDevice
from luna.energy.economics.charges import Peak, peak_cost
from luna.energy.economics.depth_wear import depth_wear
from luna.energy.physics.mode import Mode
from luna.energy.refusals import refuse
from luna.energy.schedule import PlainPolicy, Policy
from luna.energy.simulator import Trajectory, price, simulate
from luna.energy.site import Site
from luna.energy.timeline import FloatArray, Timeline, local_dates
from services.planner.devices import PLANNED_KINDS
from services.planner.problem.knowledge import DAY, EnergyOutlook, PerfectForesight, SitePrices
from services.planner.problem.problem import ACTING, Margin
from services.planner.problem.rolling_horizon import SiteKnowledge
from services.planner.replay import ReplayData, Rules
from services.planner.replay.import_meter import ImportMeter
from services.planner.replay.policies import CheapestHours, ModelPredictive
from services.planner.variants.cash_flow import DayFlow, PeriodFlows

USUAL_DAYS = 7
# The kinds of devices that a variant may add to recorded days.
ADDED_KINDS = tuple(kind for kind in PLANNED_KINDS if kind.add)
# The parts of a site that a variant may change; sensors, forecasts and control do not affect days.
_CHANGEABLE = frozenset(
    {
        "batteries",
        "pv",
        "grid",
        "tariff",
        "input_sensors",
        "forecasting",
        "control",
        *(kind.section for kind in ADDED_KINDS),
    }
)


@dataclass(frozen=True, slots=True)
class AddedUse:
    """What added devices draw on recorded days.

    Attributes:
        use_kwh: beside the recorded load, in the shape of the recorded series.
        device_cost: what it costs beside the house's price, by slot of the window, currency.
    """

    use_kwh: FloatArray
    device_cost: FloatArray


@dataclass(frozen=True, slots=True)
class AdaptedSite:
    """Days to simulate, with the forecasts of load and PV in them.

    ``device_cost`` is what added devices cost beside the house's price, by slot.
    """

    scene: ReplayData
    energy: EnergyOutlook
    device_cost: FloatArray | float = 0.0


@dataclass(frozen=True, slots=True)
class SevenDayMean:
    """Mean of the same time of day over the last seven days, where known."""

    past: PerfectForesight

    def ahead(self, now: datetime, timeline: Timeline) -> tuple[FloatArray, FloatArray]:
        """Return expected load and PV.

        Raises:
            InvalidInputError: not even a day is known.
        """
        past_slots = self.past.timeline.index_of(now)
        slots_per_day = DAY // timeline.step
        load = _mean_day(self.past.load_kwh[:past_slots], slots_per_day, now)
        pv = _mean_day(self.past.pv_kwh[:past_slots], slots_per_day, now)
        first = (timeline.start - now) // timeline.step
        slots = (first + np.arange(timeline.count)) % slots_per_day
        return load[slots], pv[slots]


def _mean_day(measured: FloatArray, slots_per_day: int, now: datetime) -> FloatArray:
    """Return the mean of the last week's days, each of the length before ``now``."""
    week = measured[-USUAL_DAYS * slots_per_day :]
    days = week[week.size % slots_per_day :].reshape(-1, slots_per_day)
    count = np.isfinite(days).sum(axis=0)
    if not days.size or not count.all():
        raise refuse("usual-unknown", field="from_day", value=now.isoformat())
    return np.asarray(np.nansum(days, axis=0) / count)


@dataclass(frozen=True, slots=True)
class AdaptedOutlook:
    """Forecasts for a changed site: PV scaled, and the load of added devices.

    That load is scheduled and so is known.
    """

    source: EnergyOutlook
    pv_factor: float
    added: PerfectForesight

    def ahead(self, now: datetime, timeline: Timeline) -> tuple[FloatArray, FloatArray]:
        """Return expected load and PV."""
        load, pv = self.source.ahead(now, timeline)
        added_load, _ = self.added.ahead(now, timeline)
        return load + added_load, pv * self.pv_factor


def adapt(
    original: AdaptedSite,
    site: Site,
    prices: SitePrices,
    *,
    drawn_kwh: Mapping[str, float],
    added: AddedUse | None = None,
) -> AdaptedSite:
    """Return the same days for a changed site.

    Args:
        original: the recorded days.
        site: with the changes; its arrays yield as much per kWp as was recorded.
        prices: of its tariff.
        drawn_kwh: what the meter had counted in its tariff's running periods when the window began.
        added: what devices draw beside the recorded load.

    Raises:
        InvalidInputError: arrays where none were recorded.
    """
    scene = original.scene
    recorded = scene.foresight
    factor = scale_pv(scene.site, site)
    nothing = np.zeros_like(recorded.load_kwh)
    added_kwh = nothing if added is None else added.use_kwh
    known_use = PerfectForesight(recorded.timeline, added_kwh, np.zeros_like(recorded.pv_kwh))
    foresight = replace(
        recorded, load_kwh=recorded.load_kwh + added_kwh, pv_kwh=recorded.pv_kwh * factor
    )
    return AdaptedSite(
        ReplayData(
            site,
            scene.timeline,
            foresight,
            prices,
            scene.forecasts,
            limits=scene.limits,
            drawn_kwh=drawn_kwh,
        ),
        AdaptedOutlook(original.energy, factor, known_use),
        0.0 if added is None else added.device_cost,
    )


def scale_pv(before: Site, after: Site) -> float:
    """Return the factor by which recorded PV is scaled.

    Raises:
        InvalidInputError: arrays where none were recorded.
    """
    if before.peak_kw == 0:
        if after.peak_kw > 0:
            raise refuse("no-array-to-scale", field="site.pv", value=after.peak_kw)
        return 1.0
    return after.peak_kw / before.peak_kw


def list_added(before: Site, after: Site) -> dict[str, list[NamedDevice]]:
    """Return the new devices of every kind that may be added, by their section.

    Raises:
        InvalidInputError: a device was changed or removed: its use is part of the recorded load and
            cannot be told from it; or recorded devices got another price of their own, which no
            replay of house and batteries shows.
    """
    for name in Site.model_fields:
        if name not in _CHANGEABLE and getattr(before, name) != getattr(after, name):
            raise refuse("not-from-recorded-days", field=f"site.{name}")
    prices_before = before.tariff.devices
    prices_after = after.tariff.devices
    for own in [*prices_before, *prices_after]:
        is_same = own in prices_before and own in prices_after
        if getattr(before, own.devices) and not is_same:
            raise refuse("not-from-recorded-days", field="site.tariff.devices")
    added = {}
    for kind in ADDED_KINDS:
        devices_before = {device.name: device for device in getattr(before, kind.section)}
        devices_after = {device.name: device for device in getattr(after, kind.section)}
        for name, device in devices_before.items():
            if devices_after.get(name) != device:
                raise refuse("part-of-recorded-load", field=f"site.{kind.section}.{name}")
        added[kind.section] = [
            device for name, device in devices_after.items() if name not in devices_before
        ]
    return added


@dataclass(frozen=True, slots=True)
class DecidingPolicy:
    """The policy of simulated days.

    Args:
        policy: its name.
        every: slots between two plans.
        margin: the margins of policies that follow plans.
    """

    policy: str
    every: int
    margin: Margin = ACTING

    def prepare(self, adapted: AdaptedSite, rules: Rules, meter: ImportMeter) -> Policy:
        """Return the policy for a site's days. Without a battery there is nothing to decide."""
        scene = adapted.scene
        if self.policy == "mpc" and scene.site.batteries:
            knowledge = SiteKnowledge(scene.site, adapted.energy, scene.prices, limits=scene.limits)
            return ModelPredictive(
                knowledge, scene.timeline, self.every, margin=self.margin, meter=meter
            )
        if self.policy == "rule":
            return CheapestHours.of(
                scene.timeline, rules.import_price, zone=scene.zone, curtailment=rules.curtailment
            )
        mode = Mode.SELF_CONSUMPTION if self.policy == "self_consumption" else Mode.HOLD
        return PlainPolicy(mode, rules.curtailment)


@dataclass(frozen=True, slots=True)
class SimulatedMonth:
    """A simulated month.

    Args:
        dates: its days.
        money: cost of import, earnings of export and wear, ``(3, days)``.
        energy: import and export, kWh, ``(2, days)``.
        stored_kwh: energy stored at the end of each day.
        discharge_kwh: energy discharged in all.
        peak_cost: the cost of its peaks; None without a peak price.
    """

    dates: list[date]
    money: FloatArray
    energy: FloatArray
    stored_kwh: FloatArray
    discharge_kwh: float
    peak_cost: float | None


def list_months(first: date, last: date) -> list[tuple[date, date]]:
    """Return the local months from ``first`` to ``last``, both included, as first and last day."""
    months = []
    begin = first
    while begin <= last:
        following = (begin.replace(day=28) + 4 * DAY).replace(day=1)
        months.append((begin, min(following - DAY, last)))
        begin = following
    return months


def simulate_months(
    months: Iterable[AdaptedSite],
    deciding: DecidingPolicy,
    *,
    outlook: str,
    progress: Callable[[int], None] = lambda _: None,
) -> PeriodFlows:
    """Return the flows of consecutive months of a site's days.

    Args:
        months: in order; read one after the other, so that a year need not be held at once.
        deciding: the policy that decides.
        outlook: the name of the forecasts.
        progress: receives the number of simulated months.

    Invariants: the flows of a window depend on nothing but its days: not on the number of variants
        or workers.
    """
    simulated: list[SimulatedMonth] = []
    stored = None
    drawn_kwh: Sequence[float] | None = None
    initial = 0.0
    worth = 0.0
    usable = 0.0
    for number, adapted in enumerate(months, start=1):
        rules = Rules.of(adapted.scene)
        begin = rules.initial_kwh if stored is None else stored
        if not simulated:
            initial = float(begin.sum())
        scene = adapted.scene
        meter = ImportMeter(scene, 0, scene.begin_drawn_kwh if drawn_kwh is None else drawn_kwh)
        run = simulate(
            deciding.prepare(adapted, rules, meter),
            scene.actuals,
            limits=rules.limits.by_slot(),
            stored_kwh=begin,
            read_import=partial(_read_meter, meter),
        )
        stored = run.flows.stored_kwh[:, :, -1]
        drawn_kwh = meter.drawn_at(scene.timeline.count)
        worth = rules.terminal_value
        simulated.append(_sum_days(rules, run, begin, meter, device_cost=adapted.device_cost))
        usable = sum(battery.usable_kwh for battery in scene.site.batteries)
        progress(number)
    discharged = sum(month.discharge_kwh for month in simulated)
    peaks = {
        f"{month.dates[0]:%Y-%m}": month.peak_cost
        for month in simulated
        if month.peak_cost is not None
    }
    return PeriodFlows(
        days=_list_day_flows(simulated, initial_kwh=initial, worth=worth),
        peaks=peaks,
        cycles=discharged / usable if usable else 0.0,
        outlook=outlook,
    )


def _read_meter(meter: ImportMeter, import_kwh: FloatArray) -> None:
    """Let the meter count what the one site has bought in a slot."""
    meter.read(float(import_kwh[0]))


def _list_day_flows(
    simulated: Sequence[SimulatedMonth], *, initial_kwh: float, worth: float
) -> list[DayFlow]:
    """Return the days of simulated months.

    A kWh more at a day's end than at its begin is ``worth`` the same on every day, as in the
    terminal rule.
    """
    stored = np.concatenate([[initial_kwh], *(month.stored_kwh for month in simulated)])
    gains = (worth * np.diff(stored)).tolist()
    money = np.hstack([month.money for month in simulated]).T.tolist()
    energy = np.hstack([month.energy for month in simulated]).T.tolist()
    days: list[DayFlow] = []
    for month in simulated:
        for day in month.dates:
            place = len(days)
            import_cost, export_cost, wear = money[place]
            import_kwh, export_kwh = energy[place]
            flow = DayFlow(
                day=day,
                import_cost=import_cost,
                export_cost=export_cost,
                wear=wear,
                stored_gain=gains[place],
                import_kwh=import_kwh,
                export_kwh=export_kwh,
            )
            days.append(flow)
    return days


def _sum_days(
    rules: Rules,
    run: Trajectory,
    begin_kwh: FloatArray,
    meter: ImportMeter,
    *,
    device_cost: FloatArray | float,
) -> SimulatedMonth:
    scene = meter.scene
    flows = run.flows
    costs = price(
        run,
        import_price=rules.import_price,
        export_price=rules.export_price,
        wear_price=rules.wear_price,
    )
    wear = costs.wear_cost + depth_wear(scene.site.batteries, flows.stored_kwh, begin_kwh)
    import_cost = costs.import_cost + meter.slot_surcharge() + device_cost
    money = (import_cost, costs.export_cost, wear)
    energy = (flows.import_kwh, flows.export_kwh)
    starts = np.array([start for start, _ in scene.days])
    ends = np.array([end for _, end in scene.days])
    peaks = [Peak(peak) for peak in scene.site.tariff.peaks]
    cost_of_peaks = None
    if peaks:
        zone = ZoneInfo(scene.site.timezone)
        cost_of_peaks = peak_cost(flows.import_kwh[0], scene.timeline, peaks, zone=zone)
    dates = dict.fromkeys(local_dates(scene.timeline, scene.zone))
    stored_kwh = flows.stored_kwh.sum(axis=(0, 1))
    return SimulatedMonth(
        dates=list(dates),
        money=np.array([np.add.reduceat(series[0], starts) for series in money]),
        energy=np.array([np.add.reduceat(series[0], starts) for series in energy]),
        stored_kwh=stored_kwh[ends - 1],
        discharge_kwh=float(flows.discharge_kwh.sum()),
        peak_cost=cost_of_peaks,
    )
