"""Aurora's trained model of one series.

Trees, stacking weights, the correction by recent errors, and calibrated widths of the quantiles.
"""

from dataclasses import dataclass

import numpy as np

from luna.energy.outlook import SHARES
from luna.energy.timeline import FloatArray
from services.forecaster.inputs.frame import IntArray
from services.forecaster.inputs.view import FeatureMatrix
from services.forecaster.model.recent_error_correction import Level
from services.forecaster.model.stacking import (
    BAND_STARTS,
    LeadGroups,
    QuantileHeads,
    band_of,
    blend_members,
    spread_heads,
)
from services.forecaster.model.trees import Trees

FEWEST_DAYS = 3  # slots measured on fewer days are forecast by the profile
HEADS: dict[str, float | None] = {"expected": None, **SHARES}
PARTS = {"expected": ("centre", "expected"), "p50": ("centre", "p50")}
TREES = "trees"
# the members used before training
PROFILE = "pool_7"
WEATHER = "weather"


@dataclass(frozen=True)
class SeriesModel:
    """Learned parts of one series.

    Args:
        weights: stacking weights by head, shape ``(strata, members)``; the first member is the
            trees' own forecast.
        level: the correction by the last hours' errors.
        widths: factors for the distance of each quantile from the median, shape
            ``(bands of lead, levels)``.
        by_weekend: whether working days and weekends are separate strata in every band of leads.
    """

    trees: Trees
    weights: dict[str, FloatArray]
    level: Level
    widths: FloatArray
    by_weekend: bool = False

    def predict(self, view: FeatureMatrix, lead: IntArray) -> QuantileHeads:
        """Return the forecast of every row.

        The profile's where fewer than ``FEWEST_DAYS`` are known.
        """
        blended = blend_heads(
            predict_trees(self.trees, view), view, self.weights, self.stratum_of(view, lead)
        )
        learned = self.level.correct(blended, view, lead).stretch(
            self.widths[band_of(lead)].T, view.scale_kwh
        )
        unknown = view.known_days < FEWEST_DAYS
        return learned.replace(unknown, predict_profile(view)) if unknown.any() else learned

    def stratum_of(self, view: FeatureMatrix, lead: IntArray) -> IntArray:
        """Return each row's index into the weights."""
        return stratify(view, lead, by_weekend=self.by_weekend).of_row


def stratify(view: FeatureMatrix, lead: IntArray, *, by_weekend: bool) -> LeadGroups:
    """Return the band of leads of each row or, by weekend, twice as many strata."""
    band = band_of(lead)
    bands = BAND_STARTS.size
    if not by_weekend:
        return LeadGroups(band, bands)
    is_weekend = view.column("weekend").astype(np.int64)
    return LeadGroups(band + bands * is_weekend, 2 * bands)


def predict_profile(view: FeatureMatrix) -> QuantileHeads:
    """Return the untrained forecast: the pool of recalled days, in a wider band than theirs.

    The fewer days are known, the wider it is. PV is half that and half the weather's estimate,
    because few days say little about weather.
    """
    mean = view.members["expected"][PROFILE]
    median = view.members["p50"][PROFILE]
    if WEATHER in view.members["centre"]:
        by_weather = view.members["centre"][WEATHER]
        mean = (mean + by_weather) / 2
        median = (median + by_weather) / 2
    low = median - view.members["p10"]["month"]
    high = view.members["p90"]["month"] - median
    slack = (0.05 + 0.75 / np.maximum(view.known_days, 1)) * view.scale_kwh
    return spread_heads(
        mean, median, 1.2 * np.maximum(low, 0) + slack, 1.2 * np.maximum(high, 0) + slack
    )


def predict_trees(trees: Trees, view: FeatureMatrix) -> dict[str, FloatArray]:
    """Return the trees' own forecast per head, kWh, between zero and the limit.

    Rows with a limit of 0 skip the trees.

    Trees are trained for the 10, 50 and 90 % quantile; the others are placed as in a normal
    distribution, until calibration.
    """
    possible = view.limit_kwh > 0
    grown = {head: np.zeros(possible.size) for head in trees.boosters}
    if possible.any():
        for head, share in trees.predict(view.features[possible]).items():
            grown[head][possible] = np.clip(
                share * view.scale_kwh[possible], 0, view.limit_kwh[possible]
            )
    p50 = grown["p50"]
    shaped = spread_heads(grown["expected"], p50, p50 - grown["p10"], grown["p90"] - p50).quantiles
    return {
        "expected": grown["expected"],
        **dict(zip(SHARES, np.clip(shaped, 0, view.limit_kwh), strict=True)),
    }


def list_members(
    outputs: dict[str, FloatArray], view: FeatureMatrix, head: str
) -> dict[str, FloatArray]:
    """Return a head's members for stacking, the trees first."""
    members = {TREES: outputs[head]}
    for part in PARTS.get(head, (head,)):
        members |= view.members[part]
    return members


def blend_heads(
    outputs: dict[str, FloatArray],
    view: FeatureMatrix,
    weights: dict[str, FloatArray],
    stratum: IntArray,
) -> QuantileHeads:
    """Return the stacked forecast of every head, kWh."""
    blended = {
        head: blend_members(list_members(outputs, view, head), weights[head], stratum)
        for head in HEADS
    }
    return QuantileHeads(blended["expected"], np.stack([blended[name] for name in SHARES]))
