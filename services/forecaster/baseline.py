"""What anybody could say: the last days again. Aurora has to beat these, and falls back on them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from luna.observations import Observations
from luna.outlook import Quantiles
from luna.site import Site
from services.forecaster.context import NO_CONTEXT, Context
from services.forecaster.forecaster import HORIZON_SLOTS, Batch, check_issue, fold_rows
from services.forecaster.frame import frame_origins, pair_origins
from services.forecaster.heads import spread_heads
from services.forecaster.load_view import view_load
from services.forecaster.pv_view import view_pv
from services.forecaster.view import View

# Version → which member of a view it is, for load and for PV.
BASELINES = {
    "baseline_7_day_avg": ("mean", "mean"),
    "baseline_7_day_median": ("median", "median"),
    "seasonal_naive": ("latest", "latest"),
    "baseline_clear_sky": ("mean", "clear_sky"),
}


@dataclass(frozen=True, slots=True)
class Baseline:
    """The same slot of the last days, its band the 10 and 90 % quantiles of the last seven."""

    version: str
    site: Site

    def issue_many(self, history: Observations, issued_at: Sequence[datetime], slots: int = HORIZON_SLOTS, *, context: Context = NO_CONTEXT) -> Batch:
        """Return what would have been forecast at each instant; see ``Forecaster``."""
        instants = check_issue(issued_at, slots)
        frame = frame_origins(history, self.site, instants, slots, context=context)
        pairs = pair_origins(frame, instants, slots)
        load_member, pv_member = BASELINES[self.version]
        load, pv = _forecast(view_load(frame, pairs), load_member), _forecast(view_pv(frame, pairs), pv_member)
        return Batch(self.version, "profile", instants, fold_rows(load, slots), fold_rows(pv, slots))


def _forecast(view: View, member: str) -> Quantiles:
    centre = view.members["centre"][member]
    below, above = centre - np.minimum(view.members["p10"]["week"], centre), np.maximum(view.members["p90"]["week"], centre) - centre
    return spread_heads(centre, centre, below, above).bound(view.limit_kwh)
