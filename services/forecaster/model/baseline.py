"""Baseline forecasts.

Persistence and means of the last seven days, clear-sky scaling, and similar days.

Aurora has to beat them all; without a trained model, plans use the similar days.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from luna.energy.observations import Observations
from luna.energy.outlook import SHARES, Quantiles
from luna.energy.site import Site
from luna.energy.timeline import FloatArray
from services.forecaster.forecaster import HORIZON_SLOTS, Batch, check_issue, fold_rows
from services.forecaster.inputs.context import NO_CONTEXT, Context
from services.forecaster.inputs.forecast_series import LOAD, PV, OriginViews
from services.forecaster.inputs.gaps import fill_gaps
from services.forecaster.inputs.pv_features import CLEAR_SKY
from services.forecaster.inputs.view import FeatureMatrix
from services.forecaster.model.like_days import recall_load, recall_pv

# Version → member of a view, for load and for PV.
MEMBERS = {
    "baseline_7_day_avg": ("mean", "mean"),
    "baseline_7_day_median": ("median", "median"),
    "seasonal_naive": ("latest", "latest"),
    "baseline_clear_sky": ("mean", CLEAR_SKY),
}
LIKE_DAYS = "baseline_like_days"
BASELINES = (LIKE_DAYS, *MEMBERS)
TAIL = 0.4  # between the median and the edges of a view's members


@dataclass(frozen=True, slots=True)
class Baseline:
    """A forecast from the same slot of the last seven days, or from similar days.

    The days' values, or their shares of a clear sky, give it the quantiles of the seven.
    """

    version: str
    site: Site

    def issue_many(
        self,
        history: Observations,
        issued_at: Sequence[datetime],
        slots: int = HORIZON_SLOTS,
        *,
        context: Context = NO_CONTEXT,
    ) -> Batch:
        """Return the forecasts issued at each instant.

        See ``Forecaster``. Only similar days use the context.
        """
        return self.issue_from_views(
            OriginViews.of(
                history, self.site, check_issue(issued_at, slots), slots, context=context
            )
        )

    def issue_from_views(self, origin_views: OriginViews) -> Batch:
        """Return the same from views of the history at the instants."""
        if self.version == LIKE_DAYS:
            load, pv = (recall(origin_views).quantiles for recall in (recall_load, recall_pv))
            return Batch(
                version=self.version,
                stage="profile",
                issued_at=origin_views.issued_at,
                load_kwh=fold_rows(load, origin_views.slots),
                pv_kwh=fold_rows(pv, origin_views.slots),
            )
        home = origin_views.at_home
        load_member, pv_member = MEMBERS[self.version]
        load = _spread(home.described[LOAD.name], load_member, home.load_week)
        pv = _spread(
            home.described[PV.name],
            pv_member,
            home.clear_sky_week if pv_member == CLEAR_SKY else home.pv_week,
        )
        return Batch(
            version=self.version,
            stage="profile",
            issued_at=origin_views.issued_at,
            load_kwh=fold_rows(load, origin_views.slots),
            pv_kwh=fold_rows(pv, origin_views.slots),
        )


def _spread(view: FeatureMatrix, member: str, week: Mapping[str, FloatArray]) -> Quantiles:
    """Return the forecast around a member, with the last days' quantiles.

    They are extrapolated from p10 and p90 where they are unknown.
    """
    centre = view.members["centre"][member]
    edges = {
        "low": view.members["p10"]["week"] - centre,
        "high": view.members["p90"]["week"] - centre,
    }
    parts = {}
    for name, share in SHARES.items():
        unknown = centre + edges["low" if share < 0.5 else "high"] * abs(share - 0.5) / TAIL
        recalled = np.minimum(fill_gaps(week[name], unknown), view.limit_kwh)
        parts[name] = np.clip(recalled, 0, centre) if share < 0.5 else np.maximum(recalled, centre)
    return Quantiles(expected=centre, **parts | {"p50": centre})
