"""Define the data of a replay and the rules common to all policies."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from zoneinfo import ZoneInfo

import numpy as np

from luna.energy.economics.charges import list_drawn
from luna.energy.economics.curtailment import site_curtailment
from luna.energy.operator_limits import OperatorLimit, limit_slots
from luna.energy.physics.limits import SiteLimits
from luna.energy.physics.mode import IntArray
from luna.energy.simulator import Actuals
from luna.energy.site import Site
from luna.energy.timeline import FloatArray, Timeline, local_dates
from services.planner.problem.build import TERMINAL_SHARE
from services.planner.problem.knowledge import ForecastArchive, PerfectForesight, SitePrices

# Initial stored energy of every policy, as a share of usable capacity.
INITIAL_SHARE = 0.5


@dataclass(frozen=True)
class ReplayData:
    """Input of a replay.

    Args:
        site: the replayed site.
        timeline: the replayed window.
        foresight: actual energies of the window and of one planning horizon after it. Energies from
            before it, if given, are for the past forecast errors of ``mpc_scenarios``.
        prices: prices with their instants of publication.
        forecasts: forecasts with their instants of issue.
        carbon_g_per_kwh: the grid's actual intensity in each slot, NaN where unknown.
        limits: those of the grid operator that held.
        drawn_kwh: what the meter had counted in the tariff's running periods when the window began,
            by key of the component.
    """

    site: Site
    timeline: Timeline
    foresight: PerfectForesight
    prices: SitePrices
    forecasts: ForecastArchive
    carbon_g_per_kwh: FloatArray | None = None
    limits: Sequence[OperatorLimit] = ()
    drawn_kwh: Mapping[str, float] = field(default_factory=dict)

    @property
    def actuals(self) -> Actuals:
        """Actual energies of the window."""
        load, pv = self.foresight.ahead(self.timeline.start, self.timeline)
        return Actuals(self.timeline, load, pv)

    @cached_property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.site.timezone)

    @property
    def begin_drawn_kwh(self) -> list[float]:
        """Energy that each component's running period had drawn when the window began, kWh."""
        first_day = self.timeline.start.astimezone(self.zone).date()
        return list_drawn(self.site.tariff.import_, self.drawn_kwh, first_day)

    @cached_property
    def days(self) -> list[tuple[int, int]]:
        """First slot and end of each local day of the window; a day has 23 to 25 hours."""
        dates = np.array([day.toordinal() for day in local_dates(self.timeline, self.zone)])
        ends = [*(np.flatnonzero(np.diff(dates)) + 1).tolist(), dates.size]
        return list(zip([0, *ends[:-1]], ends, strict=True))


@dataclass(frozen=True, slots=True)
class Rules:
    """Limits, prices, curtailment, initial energy and terminal value of all policies.

    The connection's limits vary by slot where a grid operator lowered them.
    """

    limits: SiteLimits
    import_price: FloatArray
    export_price: FloatArray
    curtailment: IntArray
    wear_price: FloatArray
    initial_kwh: FloatArray
    terminal_value: float

    @classmethod
    def of(cls, scene: ReplayData) -> "Rules":
        """Return the rules of a scene.

        A stored kWh left at the end is worth 0.6 × the mean import price of the last seven days.
        """
        limits = _find_limits(scene)
        imported, exported = scene.prices.actual(scene.timeline)
        curtailment = site_curtailment(scene.site, imported, exported)
        batteries = limits.batteries
        wear = np.array([battery.wear_price for battery in scene.site.batteries]).reshape(-1, 1, 1)
        initial = batteries.min_kwh + INITIAL_SHARE * (batteries.max_kwh - batteries.min_kwh)
        last_week = imported[-7 * 24 * 3600 // int(scene.timeline.step.total_seconds()) :]
        mean_price = float(last_week.mean())
        return cls(
            limits,
            imported,
            exported,
            curtailment,
            wear,
            initial,
            terminal_value=TERMINAL_SHARE * max(mean_price, 0.0),
        )


def _find_limits(scene: ReplayData) -> SiteLimits:
    """Return the site's limits, with those of the grid operator by slot where one held.

    What the house drew as measured was drawn, and what a roof fed in that nobody can hold back was
    fed in: no policy is blamed for it.
    """
    limits = SiteLimits.of(scene.site)
    if not scene.limits:
        return limits
    actuals = scene.actuals
    slots = limit_slots(
        scene.limits, scene.timeline, load_kwh=actuals.load_kwh, pv_kwh=actuals.pv_kwh
    )
    need_kw = (actuals.load_kwh - actuals.pv_kwh) / scene.timeline.hours
    import_kw = np.maximum(slots.import_kw, need_kw)
    export_kw = slots.export_kw
    if not scene.site.curtailable:
        export_kw = np.maximum(export_kw, -need_kw)
    return limits.narrow(import_kw, export_kw)
