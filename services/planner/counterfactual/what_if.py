"""Recorded days lived again under a variant: month by month, the batteries handed over from one to the next."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from luna.energy.economics.charges import Peak, peak_cost
from luna.energy.physics.mode import Mode
from luna.energy.schedule import PlainPolicy, Policy
from luna.energy.simulator import Trajectory, price, simulate
from luna.energy.timeline import FloatArray, local_dates
from luna.energy.wear import depth_wear
from services.planner.counterfactual.adapted_site import AdaptedSite
from services.planner.counterfactual.cash_flow import DayFlow, PeriodFlows
from services.planner.problem.problem import ACTING, Margin
from services.planner.problem.rolling_horizon import SiteKnowledge
from services.planner.replay import Rules
from services.planner.replay.policies import CheapestHours, ModelPredictive

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Deciding:
    """The deciding policy: its name, slots between two plans, and the margins of plan-following policies."""

    policy: str
    every: int
    margin: Margin = ACTING

    def enter(self, adapted: AdaptedSite, rules: Rules) -> Policy:
        """Return the policy for a site's days. Without a battery there is nothing to decide."""
        scene = adapted.scene
        if self.policy == "mpc" and scene.site.batteries:
            return ModelPredictive(SiteKnowledge(scene.site, adapted.energy, scene.prices), scene.timeline, self.every, margin=self.margin)
        if self.policy == "rule":
            return CheapestHours.of(scene.timeline, rules.import_price, zone=scene.zone, curtailment=rules.curtailment)
        return PlainPolicy(Mode.SELF_CONSUMPTION if self.policy == "self_consumption" else Mode.HOLD, rules.curtailment)


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of days as it was lived: dates, and by day what is paid, worn and moved, and what is stored at its end."""

    dates: list[date]
    money: FloatArray
    energy: FloatArray
    stored_kwh: FloatArray
    discharge_kwh: float


def list_months(first: date, last: date) -> list[tuple[date, date]]:
    """Return the local months from ``first`` to ``last``, both included, as first and last day."""
    months, begin = [], first
    while begin <= last:
        following = (begin.replace(day=28) + 4 * DAY).replace(day=1)
        months.append((begin, min(following - DAY, last)))
        begin = following
    return months


def live(months: Iterable[AdaptedSite], deciding: Deciding, *, outlook: str, progress: Callable[[int], None] = lambda _: None) -> PeriodFlows:
    """Return the flows of consecutive months of a site's days.

    Args:
        months: in order; read one after the other, so that a year need not be held at once.
        deciding: who decides.
        outlook: what was planned from.
        progress: receives the number of simulated months.

    Invariants: what comes of a window depends on nothing but its days: not on how many variants or workers there are.
    """
    parts: list[Period] = []
    peaks: dict[str, float] = {}
    stored, initial, worth, usable = None, 0.0, 0.0, 0.0
    for number, adapted in enumerate(months, start=1):
        rules = Rules.of(adapted.scene)
        begin = rules.initial_kwh if stored is None else stored
        initial = initial if parts else float(begin.sum())
        run = simulate(deciding.enter(adapted, rules), adapted.scene.actuals, limits=rules.limits, stored_kwh=begin)
        stored, worth = run.flows.stored_kwh[:, :, -1], rules.terminal_value
        parts.append(_sum_days(adapted, rules, run, begin))
        components = [Peak(price) for price in adapted.scene.site.tariff.peaks]
        if components:
            zone = ZoneInfo(adapted.scene.site.timezone)
            peaks[f"{parts[-1].dates[0]:%Y-%m}"] = peak_cost(run.flows.import_kwh[0], adapted.scene.timeline, components, zone=zone)
        usable = sum(battery.usable_kwh for battery in adapted.scene.site.batteries)
        progress(number)
    discharged = sum(part.discharge_kwh for part in parts)
    # What is stored more at a day's end than at its begin is worth the same on every day, as the terminal rule has it.
    dates = [day for part in parts for day in part.dates]
    gained = worth * np.diff(np.concatenate([[initial], *(part.stored_kwh for part in parts)]))
    columns = np.vstack([np.hstack([part.money for part in parts]), gained, np.hstack([part.energy for part in parts])])
    names = ("import_cost", "export_cost", "wear", "stored_gain", "import_kwh", "export_kwh")
    days = [DayFlow(day=day, **dict(zip(names, values, strict=True))) for day, values in zip(dates, columns.T.tolist(), strict=True)]
    return PeriodFlows(days=days, peaks=peaks, cycles=discharged / usable if usable else 0.0, outlook=outlook)


def _sum_days(adapted: AdaptedSite, rules: Rules, run: Trajectory, begin_kwh: FloatArray) -> Period:
    costs = price(run, import_price=rules.import_price, export_price=rules.export_price, wear_price=rules.wear_price)
    starts, ends = (np.array(edge) for edge in zip(*adapted.scene.days, strict=True))
    wear = costs.wear_cost + depth_wear(adapted.scene.site.batteries, run.flows.stored_kwh, begin_kwh)
    money, energy = ((costs.import_cost, costs.export_cost, wear), (run.flows.import_kwh, run.flows.export_kwh))
    return Period(
        dates=list(dict.fromkeys(local_dates(adapted.scene.timeline, adapted.scene.zone))),
        money=np.array([np.add.reduceat(series[0], starts) for series in money]),
        energy=np.array([np.add.reduceat(series[0], starts) for series in energy]),
        stored_kwh=run.flows.stored_kwh.sum(axis=(0, 1))[ends - 1],
        discharge_kwh=float(run.flows.discharge_kwh.sum()),
    )
