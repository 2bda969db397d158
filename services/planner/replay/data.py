"""Define the data of a replay and the rules common to all policies."""

from dataclasses import dataclass, replace
from functools import cached_property
from zoneinfo import ZoneInfo

import numpy as np

from luna.energy.economics.charges import find_charges
from luna.energy.economics.curtailment import site_curtailment
from luna.energy.operator_limits import SlotLimits
from luna.energy.physics.limits import SiteLimits
from luna.energy.physics.mode import IntArray
from luna.energy.refusals import refuse
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
        operator: an operator's limits in each slot of the window, which hold for every policy;
            None: there were none.
    """

    site: Site
    timeline: Timeline
    foresight: PerfectForesight
    prices: SitePrices
    forecasts: ForecastArchive
    carbon_g_per_kwh: FloatArray | None = None
    operator: SlotLimits | None = None

    @property
    def actuals(self) -> Actuals:
        """Actual energies of the window."""
        load, pv = self.foresight.ahead(self.timeline.start, self.timeline)
        return Actuals(self.timeline, load, pv)

    @cached_property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.site.timezone)

    @cached_property
    def days(self) -> list[tuple[int, int]]:
        """First slot and end of each local day of the window; a day has 23 to 25 hours."""
        dates = np.array([day.toordinal() for day in local_dates(self.timeline, self.zone)])
        ends = [*(np.flatnonzero(np.diff(dates)) + 1).tolist(), dates.size]
        return list(zip([0, *ends[:-1]], ends, strict=True))


@dataclass(frozen=True, slots=True)
class Rules:
    """Limits, prices, curtailment, initial energy and terminal value of all policies.

    The connection's limits have the shape ``(1,)``, or ``(slots,)`` where an operator lowered them.
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

        Raises:
            InvalidInputError: the tariff's price depends on energy drawn before, hence on days that
                are not replayed.
        """
        charged = find_charges(scene.site.tariff.import_)
        if charged:
            kind = charged[0].component.kind
            raise refuse(
                "tariff-not-replayable", field="site.tariff.import.kind", value=kind, kind=kind
            )
        limits = SiteLimits.of(scene.site)
        if scene.operator is not None:
            limits = _narrow_limits(limits, scene, scene.operator)
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

    def limit_slots(self, part: slice) -> SiteLimits:
        """Return the limits of some slots, for runs side by side."""
        import_kw = self.limits.import_limit_kw
        export_kw = self.limits.export_limit_kw
        if import_kw.size == 1:
            return self.limits
        return replace(
            self.limits, import_limit_kw=import_kw[part], export_limit_kw=export_kw[part]
        ).by_slot()


def _narrow_limits(limits: SiteLimits, scene: ReplayData, operator: SlotLimits) -> SiteLimits:
    """Return the limits of every slot under an operator's.

    What the house drew as measured was drawn, and what a roof fed in that nobody can hold back was
    fed in: no policy is blamed for it.
    """
    actuals = scene.actuals
    need_kw = (actuals.load_kwh - actuals.pv_kwh) / scene.timeline.hours
    import_kw = np.maximum(operator.import_kw, need_kw)
    export_kw = operator.export_kw
    if not scene.site.curtailable:
        export_kw = np.maximum(export_kw, -need_kw)
    return limits.narrow(import_kw, export_kw)
