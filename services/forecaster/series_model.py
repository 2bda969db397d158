"""What Aurora has learned about one series: trees, the blend with the baselines, and the width of the band."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from luna.outlook import Quantiles
from luna.timeline import FloatArray
from services.forecaster.blend import band_of, blend_members, measure_loss, stretch_bands, weigh_bands
from services.forecaster.frame import IntArray
from services.forecaster.trees import HEADS, QUANTILES, Trees, TreeSettings, grow_trees
from services.forecaster.view import Part, View

TAIL = 0.9  # share of what happens that lies above p10, and below p90
THINNEST = 0.01  # least half-width of a band, as a share of the series' scale
FEWEST_DAYS = 3  # slots known on fewer days are forecast without trees
NEAR_WIDTH, FAR_WIDTH = 0.5263, 1.2835  # of the 25 and the 5 % quantile from the median, in distances of the 10 % quantile
GROWTHS = 3  # of trees in one training: one for each fold, one for all
PARTS: dict[str, Part] = {"expected": "centre", "p10": "p10", "p50": "centre", "p90": "p90"}


def spread_band(expected: FloatArray, p50: FloatArray, p10: FloatArray, p90: FloatArray) -> Quantiles:
    """Return the forecast whose other quantiles lie within and beyond the band as those of a normal distribution do, on either side by itself."""
    near, far = NEAR_WIDTH, FAR_WIDTH
    below, above = p50 - p10, p90 - p50
    return Quantiles(expected, np.maximum(p50 - far * below, 0), p10, p50 - near * below, p50, p50 + near * above, p90, p50 + far * above)


@dataclass(frozen=True)
class Heads:
    """A forecast before it is bounded, kWh, each of shape ``(rows,)``; ``low`` and ``high`` are distances from the median."""

    expected: FloatArray
    p50: FloatArray
    low: FloatArray
    high: FloatArray

    def bound(self, limit_kwh: FloatArray) -> Quantiles:
        """Return the forecast with ``0 ≤ p10 ≤ p50 ≤ p90 ≤ limit`` and the mean within zero and the limit."""
        p50 = np.clip(self.p50, 0, limit_kwh)
        low, high = np.clip(self.p50 - self.low, 0, p50), np.clip(self.p50 + self.high, p50, limit_kwh)
        return spread_band(np.clip(self.expected, 0, limit_kwh), p50, low, high).map(lambda part: np.clip(part, 0, limit_kwh))

    def replace(self, rows: NDArray[np.bool_], other: "Heads") -> "Heads":
        """Return the heads with ``rows`` taken from ``other``."""
        pairs = ((self.expected, other.expected), (self.p50, other.p50), (self.low, other.low), (self.high, other.high))
        return Heads(*(np.where(rows, theirs, mine) for mine, theirs in pairs))


@dataclass(frozen=True)
class SeriesModel:
    """Learned parts of one series.

    Args:
        weights: by head, shape ``(bands of lead, members)``; the first member is the trees' own forecast.
        stretch_low, stretch_high: factors for the half-bands, shape ``(bands of lead,)``.
    """

    trees: Trees
    weights: dict[str, FloatArray]
    stretch_low: FloatArray
    stretch_high: FloatArray

    def predict(self, view: View, lead: IntArray) -> Heads:
        """Return the blended heads of every row, the half-bands stretched as trained; where hardly a day is known, the profile's."""
        heads = blend_heads(predict_trees(self.trees, view), view, self.weights, lead)
        band = band_of(lead)
        low, high = (half_width(heads, view, head) for head in ("p10", "p90"))
        learned = Heads(heads["expected"], heads["p50"], self.stretch_low[band] * low, self.stretch_high[band] * high)
        unknown = view.known_days < FEWEST_DAYS
        return learned.replace(unknown, predict_profile(view)) if unknown.any() else learned


def predict_profile(view: View) -> Heads:
    """Return what a site is told before anything is learned: the recalled days, in a band a good half wider than theirs, more so the fewer they are."""
    centre = view.members["centre"]
    median = centre["median"]
    low, high = median - view.members["p10"]["month"], view.members["p90"]["month"] - median
    slack = (0.25 + 0.75 / np.maximum(view.known_days, 1)) * view.scale_kwh
    return Heads(centre["mean"], median, 1.5 * np.maximum(low, 0) + slack, 1.5 * np.maximum(high, 0) + slack)


@dataclass(frozen=True)
class Rows:
    """A view with what happened, by row; ``block`` numbers the weeks a row lies in."""

    view: View
    lead: IntArray
    block: IntArray
    actual_kwh: FloatArray

    def select(self, rows: NDArray[np.bool_]) -> "Rows":
        """Return the chosen rows."""
        return Rows(self.view.select(rows), self.lead[rows], self.block[rows], self.actual_kwh[rows])


Grow = Callable[[Rows], Trees]


def fit_series(rows: Rows, settings: TreeSettings, *, seed: int, threads: int, step: Callable[[], None]) -> tuple[SeriesModel, dict[str, float]]:
    """Learn blend and band from trees that have not seen the rows they are judged on, then grow the trees again on every row.

    Returns:
        The model, and what those judged rows say about it. ``step`` is called after each of three growths.
    """

    def grow(chosen: Rows) -> Trees:
        weight = chosen.view.scale_kwh / chosen.view.scale_kwh.mean()
        trees = grow_trees(chosen.view.features, chosen.actual_kwh / chosen.view.scale_kwh, weight, settings=settings, seed=seed, threads=threads)
        step()
        return trees

    outputs = cross_predict(rows, grow)
    weights = {
        head: weigh_bands(np.column_stack([*list_members(outputs, rows.view, head).values()]), rows.actual_kwh, rows.lead, QUANTILES.get(head))
        for head in HEADS
    }
    heads = blend_heads(outputs, rows.view, weights, rows.lead)
    low = stretch_bands(heads["p50"] - rows.actual_kwh, half_width(heads, rows.view, "p10"), rows.lead, TAIL)
    high = stretch_bands(rows.actual_kwh - heads["p50"], half_width(heads, rows.view, "p90"), rows.lead, TAIL)
    return SeriesModel(grow(rows), weights, low, high), judge_blend(heads, rows)


def cross_predict(rows: Rows, grow: Grow) -> dict[str, FloatArray]:
    """Return each head's trees forecast for every row from trees grown on the other fold.

    The two folds are alternating blocks of weeks, so that both hold every season there is.
    """
    outputs = {head: np.zeros(rows.lead.size) for head in HEADS}
    for fold in (0, 1):
        judged = rows.block % 2 == fold
        for head, output in predict_trees(grow(rows.select(~judged)), rows.select(judged).view).items():
            outputs[head][judged] = output
    return outputs


def judge_blend(heads: dict[str, FloatArray], rows: Rows) -> dict[str, float]:
    """Return the median's MAE on rows the trees have not seen, kWh per slot, and its ratio to the best baseline's."""
    mae = 2 * float(measure_loss(rows.actual_kwh - heads["p50"], 0.5).mean())
    baselines = [float(np.abs(rows.actual_kwh - rows.view.members["centre"][name]).mean()) for name in ("mean", "median", "latest")]
    return {"mae_kwh": mae, "mae_over_best_baseline": mae / max(min(baselines), 1e-12)}


def predict_trees(trees: Trees, view: View) -> dict[str, FloatArray]:
    """Return the trees' own forecast per head, kWh, within zero and the limit; rows that cannot be above zero are not asked about."""
    asked = view.limit_kwh > 0
    outputs: dict[str, FloatArray] = {head: np.zeros(asked.size) for head in trees.boosters}
    if asked.any():
        for head, share in trees.predict(view.features[asked]).items():
            outputs[head][asked] = np.clip(share * view.scale_kwh[asked], 0, view.limit_kwh[asked])
    return outputs


def list_members(outputs: dict[str, FloatArray], view: View, head: str) -> dict[str, FloatArray]:
    """Return what a head is blended from, the trees first."""
    return {"trees": outputs[head], **view.members[PARTS[head]]}


def blend_heads(outputs: dict[str, FloatArray], view: View, weights: dict[str, FloatArray], lead: IntArray) -> dict[str, FloatArray]:
    """Return every head's blend, kWh."""
    return {head: blend_members(list_members(outputs, view, head), weights[head], lead) for head in HEADS}


def half_width(heads: dict[str, FloatArray], view: View, head: str) -> FloatArray:
    """Return how far a quantile lies from the median, kWh, never less than a sliver."""
    return np.maximum(np.abs(heads[head] - heads["p50"]), THINNEST * view.scale_kwh)
