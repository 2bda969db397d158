"""A stretch of recorded days as it would have been for a changed site: its load and sun, what was
expected of them, its prices.

Such days are lived again under a variant: month by month, the batteries handed over from one to the
next.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
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
from services.planner.counterfactual.cash_flow import DayFlow, PeriodFlows
from services.planner.devices import PLANNED_KINDS
from services.planner.problem.knowledge import DAY, EnergyOutlook, PerfectForesight, SitePrices
from services.planner.problem.problem import ACTING, Margin
from services.planner.problem.rolling_horizon import SiteKnowledge
from services.planner.replay import ReplayData, Rules
from services.planner.replay.policies import CheapestHours, ModelPredictive

USUAL_DAYS = 7
# Of what recorded days can tell when a variant adds it.
ADDED_KINDS = tuple(kind for kind in PLANNED_KINDS if kind.add)
# What a replay can take to be different; sensors, forecasts and control play no part in it.
_REPLAYED = frozenset(
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
class AdaptedSite:
    """Days to live through: what happens in them, and what load and PV are expected to be when."""

    scene: ReplayData
    energy: EnergyOutlook


@dataclass(frozen=True, slots=True)
class SevenDayMean:
    """What is usual: the mean of the same time of day over the last seven days, as far as they were
    seen; knows nothing of the day to come.
    """

    past: PerfectForesight

    def ahead(self, now: datetime, timeline: Timeline) -> tuple[FloatArray, FloatArray]:
        """Return expected load and PV.

        Raises:
            InvalidInputError: not even a day was seen.
        """
        past_slots = self.past.timeline.index_of(now)
        slots = DAY // timeline.step
        first = (timeline.start - now) // timeline.step
        place = (first + np.arange(timeline.count)) % slots
        load, pv = (
            _mean_day(series[:past_slots], slots, now)
            for series in (self.past.load_kwh, self.past.pv_kwh)
        )
        return load[place], pv[place]


def _mean_day(measured: FloatArray, slots: int, now: datetime) -> FloatArray:
    week = measured[-USUAL_DAYS * slots :]
    days = week[week.size % slots :].reshape(-1, slots)
    count = np.isfinite(days).sum(axis=0)
    if not days.size or not count.all():
        raise refuse("usual-unknown", field="from_day", value=now.isoformat())
    return np.asarray(np.nansum(days, axis=0) / count)


@dataclass(frozen=True, slots=True)
class Adapted:
    """Expectations for a changed site: PV scaled, and what is added to the load, which is known
    because it is placed.
    """

    source: EnergyOutlook
    pv_factor: float
    added: PerfectForesight

    def ahead(self, now: datetime, timeline: Timeline) -> tuple[FloatArray, FloatArray]:
        """Return expected load and PV."""
        load, pv = self.source.ahead(now, timeline)
        return load + self.added.ahead(now, timeline)[0], pv * self.pv_factor


def adapt(
    original: AdaptedSite, site: Site, prices: SitePrices, *, added_kwh: FloatArray | None = None
) -> AdaptedSite:
    """Return the same days for a changed site.

    Args:
        original: as recorded.
        site: with the changes; its arrays yield as much per kWp as was recorded.
        prices: of its tariff.
        added_kwh: what it uses beside the recorded load, shape of the recorded series.

    Raises:
        InvalidInputError: arrays where none were recorded.
    """
    scene = original.scene
    recorded = original.scene.foresight
    factor = scale_pv(scene.site, site)
    added = PerfectForesight(
        recorded.timeline,
        np.zeros_like(recorded.load_kwh) if added_kwh is None else added_kwh,
        np.zeros_like(recorded.pv_kwh),
    )
    foresight = replace(
        recorded, load_kwh=recorded.load_kwh + added.load_kwh, pv_kwh=recorded.pv_kwh * factor
    )
    return AdaptedSite(
        ReplayData(site, scene.timeline, foresight, prices, scene.forecasts),
        Adapted(original.energy, factor, added),
    )


def scale_pv(before: Site, after: Site) -> float:
    """Return by how much recorded PV is scaled.

    Raises:
        InvalidInputError: arrays where none were recorded.
    """
    peaks = [site.peak_kw for site in (before, after)]
    if peaks[0] == 0 and peaks[1] > 0:
        raise refuse("no-array-to-scale", field="site.pv", value=peaks[1])
    return peaks[1] / peaks[0] if peaks[0] else 1.0


def list_added(before: Site, after: Site) -> dict[str, list[NamedDevice]]:
    """Return the devices that are new, by their section, of every kind that may be added.

    Raises:
        InvalidInputError: one that was there is changed or gone: what it used is part of the
            recorded load and cannot be told from it.
    """
    other = next(
        (
            name
            for name in Site.model_fields
            if name not in _REPLAYED and getattr(before, name) != getattr(after, name)
        ),
        None,
    )
    if other is not None:
        raise refuse("not-from-recorded-days", field=f"site.{other}")
    added = {}
    for kind in ADDED_KINDS:
        was, now = (
            {each.name: each for each in getattr(site, kind.section)} for site in (before, after)
        )
        for name, device in was.items():
            if now.get(name) != device:
                raise refuse("part-of-recorded-load", field=f"site.{kind.section}.{name}")
        added[kind.section] = [device for name, device in now.items() if name not in was]
    return added


@dataclass(frozen=True, slots=True)
class Deciding:
    """The deciding policy: its name, slots between two plans, and the margins of plan-following
    policies.
    """

    policy: str
    every: int
    margin: Margin = ACTING

    def enter(self, adapted: AdaptedSite, rules: Rules) -> Policy:
        """Return the policy for a site's days. Without a battery there is nothing to decide."""
        scene = adapted.scene
        if self.policy == "mpc" and scene.site.batteries:
            return ModelPredictive(
                SiteKnowledge(scene.site, adapted.energy, scene.prices),
                scene.timeline,
                self.every,
                margin=self.margin,
            )
        if self.policy == "rule":
            return CheapestHours.of(
                scene.timeline, rules.import_price, zone=scene.zone, curtailment=rules.curtailment
            )
        return PlainPolicy(
            Mode.SELF_CONSUMPTION if self.policy == "self_consumption" else Mode.HOLD,
            rules.curtailment,
        )


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of days as it was lived: dates, and by day what is paid, worn and moved, and what
    is stored at its end.
    """

    dates: list[date]
    money: FloatArray
    energy: FloatArray
    stored_kwh: FloatArray
    discharge_kwh: float


def list_months(first: date, last: date) -> list[tuple[date, date]]:
    """Return the local months from ``first`` to ``last``, both included, as first and last day."""
    months = []
    begin = first
    while begin <= last:
        following = (begin.replace(day=28) + 4 * DAY).replace(day=1)
        months.append((begin, min(following - DAY, last)))
        begin = following
    return months


def live(
    months: Iterable[AdaptedSite],
    deciding: Deciding,
    *,
    outlook: str,
    progress: Callable[[int], None] = lambda _: None,
) -> PeriodFlows:
    """Return the flows of consecutive months of a site's days.

    Args:
        months: in order; read one after the other, so that a year need not be held at once.
        deciding: who decides.
        outlook: what was planned from.
        progress: receives the number of simulated months.

    Invariants: what comes of a window depends on nothing but its days: not on how many variants or
        workers there are.
    """
    parts: list[Period] = []
    peaks: dict[str, float] = {}
    stored = None
    initial = 0.0
    worth = 0.0
    usable = 0.0
    for number, adapted in enumerate(months, start=1):
        rules = Rules.of(adapted.scene)
        begin = rules.initial_kwh if stored is None else stored
        initial = initial if parts else float(begin.sum())
        run = simulate(
            deciding.enter(adapted, rules),
            adapted.scene.actuals,
            limits=rules.limits,
            stored_kwh=begin,
        )
        stored = run.flows.stored_kwh[:, :, -1]
        worth = rules.terminal_value
        parts.append(_sum_days(adapted, rules, run, begin))
        components = [Peak(price) for price in adapted.scene.site.tariff.peaks]
        if components:
            zone = ZoneInfo(adapted.scene.site.timezone)
            peaks[f"{parts[-1].dates[0]:%Y-%m}"] = peak_cost(
                run.flows.import_kwh[0], adapted.scene.timeline, components, zone=zone
            )
        usable = sum(battery.usable_kwh for battery in adapted.scene.site.batteries)
        progress(number)
    discharged = sum(part.discharge_kwh for part in parts)
    # What is stored more at a day's end than at its begin is worth the same on every day, as the
    # terminal rule has it.
    dates = [day for part in parts for day in part.dates]
    gained = worth * np.diff(np.concatenate([[initial], *(part.stored_kwh for part in parts)]))
    columns = np.vstack(
        [
            np.hstack([part.money for part in parts]),
            gained,
            np.hstack([part.energy for part in parts]),
        ]
    )
    names = ("import_cost", "export_cost", "wear", "stored_gain", "import_kwh", "export_kwh")
    days = [
        DayFlow(day=day, **dict(zip(names, values, strict=True)))
        for day, values in zip(dates, columns.T.tolist(), strict=True)
    ]
    return PeriodFlows(
        days=days, peaks=peaks, cycles=discharged / usable if usable else 0.0, outlook=outlook
    )


def _sum_days(adapted: AdaptedSite, rules: Rules, run: Trajectory, begin_kwh: FloatArray) -> Period:
    costs = price(
        run,
        import_price=rules.import_price,
        export_price=rules.export_price,
        wear_price=rules.wear_price,
    )
    starts, ends = (np.array(edge) for edge in zip(*adapted.scene.days, strict=True))
    wear = costs.wear_cost + depth_wear(
        adapted.scene.site.batteries, run.flows.stored_kwh, begin_kwh
    )
    money = (costs.import_cost, costs.export_cost, wear)
    energy = (run.flows.import_kwh, run.flows.export_kwh)
    return Period(
        dates=list(dict.fromkeys(local_dates(adapted.scene.timeline, adapted.scene.zone))),
        money=np.array([np.add.reduceat(series[0], starts) for series in money]),
        energy=np.array([np.add.reduceat(series[0], starts) for series in energy]),
        stored_kwh=run.flows.stored_kwh.sum(axis=(0, 1))[ends - 1],
        discharge_kwh=float(run.flows.discharge_kwh.sum()),
    )
