"""Build the rolling-horizon problem of an instant, for stored sites and replays."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np

from luna.energy.economics.costs import Weights
from luna.energy.operator_limits import OperatorLimit, narrow_outlook
from luna.energy.outlook import Outlook
from luna.energy.physics.limits import SiteLimits
from luna.energy.physics.mode import Mode
from luna.energy.site import Site
from luna.energy.timeline import FloatArray, Timeline
from services.planner.problem.build import (
    TERMINAL_SHARE,
    WAYS_GAP,
    hold_reserve,
    read_reserves,
    weigh,
)
from services.planner.problem.knowledge import EnergyOutlook, SitePrices, look_ahead
from services.planner.problem.problem import (
    ACTING,
    Following,
    Margin,
    Problem,
    SearchLimits,
    StorageBounds,
    TerminalRule,
    Uncertainty,
)
from services.planner.problem.scenarios import ErrorScenarios
from services.planner.problem.strategy import margin_reserves, margin_soc, safety_factor, split_days

# The planning horizon. Source: docs/decisions/0004.
HORIZON = timedelta(hours=48)


@dataclass(frozen=True, slots=True)
class SiteKnowledge:
    """A site's expected load and PV, its prices, its operator's limits, and past forecast errors.

    The latter are None where they are not stored.
    """

    site: Site
    energy: EnergyOutlook
    prices: SitePrices
    errors: ErrorScenarios | None = None
    limits: Sequence[OperatorLimit] = ()

    def build_problem(
        self,
        now: datetime,
        stored_kwh: FloatArray,
        modes: tuple[Mode | None, ...] = (),
        *,
        margin: Margin = ACTING,
        discharged_today_kwh: FloatArray | None = None,
    ) -> Problem:
        """Return the problem of ``now``.

        Args:
            now: an instant on the grid of the prices' timeline.
            stored_kwh: in each battery, ``(batteries,)``.
            modes: of the batteries, in force until ``now``.
            margin: of the policy that follows the plan.
            discharged_today_kwh: of each battery since local midnight, ``(batteries,)``.
        """
        step = self.prices.timeline.step
        site = self.site
        timeline = Timeline(now, step, HORIZON // step)
        outlook = self.look_ahead(now, timeline)
        limits = SiteLimits.of(site).narrow(outlook.import_limit_kw, outlook.export_limit_kw)
        worth = TERMINAL_SHARE * max(self.prices.mean_import_price(now), 0.0)
        terminal = TerminalRule(
            limits.batteries.min_kwh[:, 0],
            limits.batteries.max_kwh[:, 0],
            np.full(stored_kwh.size, worth),
        )
        errors = None
        if self.errors:
            expected = (outlook.load_kwh, outlook.pv_kwh)
            errors = self.errors.days_of_errors(now, timeline, expected)
        problem = Problem(
            site,
            outlook,
            stored_kwh,
            terminal,
            limits,
            SearchLimits(WAYS_GAP),
            uncertainty=Uncertainty(errors=errors),
            storage=StorageBounds(discharged_today_kwh=discharged_today_kwh),
            following=Following(margin, site.objective.switching_price, modes),
        )
        weights = Weights.of(site.objective, carbon_is_known=outlook.carbon_g_per_kwh is not None)
        return weigh(self._hold_margin(problem), weights, automatic=True)

    def look_ahead(self, now: datetime, timeline: Timeline) -> Outlook:
        """Return the outlook over ``timeline`` as of ``now``, corrected for the forecasts' bias."""
        outlook = look_ahead(now, timeline, energy=self.energy, prices=self.prices)
        load, pv = self.errors.factors(now) if self.errors else (1.0, 1.0)
        unbiased = replace(outlook, load_kwh=outlook.load_kwh * load, pv_kwh=outlook.pv_kwh * pv)
        return narrow_outlook(unbiased, self.limits, known_at=now)

    def _hold_margin(self, problem: Problem) -> Problem:
        """Return the problem with the S-index's reserves at each midnight.

        No temperature forecast is available here.
        """
        rule = self.site.strategy.s_index if self.site.strategy else None
        if rule is None:
            return problem
        outlook = problem.outlook
        timeline = outlook.timeline
        load = split_days(outlook.load_kwh, timeline.step)
        pv = split_days(outlook.pv_kwh, timeline.step)
        factor, _, _ = safety_factor(rule, load, pv, temperature_c=None)
        soc = margin_soc(self.site, factor, load, pv)
        reserves = margin_reserves(self.site, soc, (timeline.start, timeline.end))
        return hold_reserve(problem, read_reserves(reserves, self.site, timeline))
