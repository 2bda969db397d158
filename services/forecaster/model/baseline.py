"""What anybody could say: the last days again. Aurora has to beat these, and falls back on them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from luna.observations import Observations
from luna.outlook import SHARES, Quantiles
from luna.site import Site
from luna.timeline import FloatArray
from services.forecaster.forecaster import HORIZON_SLOTS, Batch, check_issue, fold_rows
from services.forecaster.inputs.context import NO_CONTEXT, Context
from services.forecaster.inputs.frame import Frame, Pairs, frame_origins, pair_origins
from services.forecaster.inputs.load_features import view_load
from services.forecaster.inputs.pv_features import CLEAR_SKY, recall_shares, view_pv
from services.forecaster.inputs.view import WEEK, Days, FeatureMatrix, fill_gaps, recall_days

# Version → which member of a view it is, for load and for PV.
BASELINES = {
    "baseline_7_day_avg": ("mean", "mean"),
    "baseline_7_day_median": ("median", "median"),
    "seasonal_naive": ("latest", "latest"),
    "baseline_clear_sky": ("mean", CLEAR_SKY),
}
TAIL = 0.4  # between the median and the edges of a view's members


@dataclass(frozen=True, slots=True)
class Baseline:
    """The same slot of the last seven days, or their shares of a clear sky; its quantiles are those of the seven."""

    version: str
    site: Site

    def issue_many(self, history: Observations, issued_at: Sequence[datetime], slots: int = HORIZON_SLOTS, *, context: Context = NO_CONTEXT) -> Batch:
        """Return what would have been forecast at each instant; see ``Forecaster``. The context does not matter: the last days are what they were."""
        instants = check_issue(issued_at, slots)
        frame = frame_origins(history, self.site, instants, slots)
        pairs = pair_origins(frame, instants, slots)
        load_member, pv_member = BASELINES[self.version]
        load = _spread(view_load(frame, pairs), load_member, recall_days(frame.load_kwh, pairs, WEEK, local_slot=frame.local_slot))
        pv = _spread(view_pv(frame, pairs), pv_member, _recall_pv(frame, pairs, pv_member))
        return Batch(self.version, "profile", instants, fold_rows(load, slots), fold_rows(pv, slots))


def _recall_pv(frame: Frame, pairs: Pairs, member: str) -> FloatArray:
    if member != CLEAR_SKY:
        return recall_days(frame.pv_kwh, pairs, WEEK)
    recalled: FloatArray = recall_shares(frame, pairs, WEEK) * frame.clear_sky_kwh[pairs.target][:, None]
    return recalled


def _spread(view: FeatureMatrix, member: str, recalled: FloatArray) -> Quantiles:
    """Return the forecast whose centre is a member and whose quantiles are those of the recalled days, shape ``(rows, days)``; wide where none is known."""
    centre, days = view.members["centre"][member], Days.of(recalled)
    edges = {"low": view.members["p10"]["week"] - centre, "high": view.members["p90"]["week"] - centre}
    parts = {}
    for name, share in SHARES.items():
        unknown = centre + edges["low" if share < 0.5 else "high"] * abs(share - 0.5) / TAIL
        known = np.minimum(fill_gaps(days.quantile(share), unknown), view.limit_kwh)
        parts[name] = np.clip(known, 0, centre) if share < 0.5 else np.maximum(known, centre)
    return Quantiles(expected=centre, **parts | {"p50": centre})
