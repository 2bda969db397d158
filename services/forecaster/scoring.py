"""Score forecasts (MAE, RMSE, pinball loss, coverage), and test whether a gain is significant."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr

from luna.energy.observations import Observations
from luna.energy.outlook import PARTS, SHARES, Forecast, Quantiles
from luna.energy.site import Site
from luna.energy.timeline import FloatArray
from services.forecaster.forecaster import Batch
from services.forecaster.inputs.frame import IntArray, frame_series, number_slot

SERIES = ("load_kwh", "pv_kwh")


@dataclass(frozen=True, slots=True)
class Score:
    """Errors of one series' forecasts, kWh per slot.

    Args:
        mae: mean absolute error of the median.
        rmse: root mean squared error of the mean.
        pinball: pinball loss of the quantiles.
        coverage_80: share of slots between p10 and p90; for PV, of slots between sunrise and
            sunset, since at night every band is right.
        slots: the scored slots.
    """

    mae: float
    rmse: float
    pinball: float
    coverage_80: float
    slots: int


def score_batch(batch: Batch, history: Observations, site: Site) -> dict[str, Score]:
    """Return the score of each series over all forecasts of a batch.

    Slots without a measurement do not count.
    """
    return score_forecasts(list(batch), history, site)


def score_forecasts(
    forecasts: Sequence[Forecast], history: Observations, site: Site
) -> dict[str, Score]:
    """Return the score of each series over forecasts of one length.

    Slots without a measurement or forecast do not count.
    """
    origins = np.array(
        [number_slot(forecast.timeline.start) for forecast in forecasts], dtype=np.int64
    )
    slots = forecasts[0].timeline.count
    frame = frame_series(history, site, first=int(origins.min()), last=int(origins.max()) + slots)
    target: IntArray = (origins - frame.first)[:, None] + np.arange(slots)
    light = frame.clear_sky_kwh[target] > 0
    load = _stack_quantiles([forecast.load_kwh for forecast in forecasts])
    pv = _stack_quantiles([forecast.pv_kwh for forecast in forecasts])
    return {
        "load_kwh": score_quantiles(load, frame.load_kwh[target], np.ones_like(light)),
        "pv_kwh": score_quantiles(pv, frame.pv_kwh[target], light),
    }


def _stack_quantiles(rows: Sequence[Quantiles]) -> Quantiles:
    parts = {part: np.stack([getattr(row, part) for row in rows]) for part in PARTS}
    return Quantiles(**parts)


def score_quantiles(forecast: Quantiles, actual: FloatArray, counted: NDArray[np.bool_]) -> Score:
    """Return the score of one series, with the coverage over ``counted`` slots.

    NaN where no slot has both measurement and forecast.
    """
    unknown = np.any([np.isnan(getattr(forecast, name)) for name in PARTS], axis=0)
    scored = ~np.isnan(actual) & ~unknown
    if not scored.any():
        return Score(mae=np.nan, rmse=np.nan, pinball=np.nan, coverage_80=np.nan, slots=0)
    error = {name: (actual - getattr(forecast, name))[scored] for name in PARTS}
    pinball = []
    for name, share in SHARES.items():
        loss = np.maximum(share * error[name], (share - 1) * error[name])
        pinball.append(loss.mean())
    is_inside = (error["p10"] >= 0) & (error["p90"] <= 0)
    inside = is_inside[counted[scored]]
    return Score(
        mae=float(np.abs(error["p50"]).mean()),
        rmse=float(np.sqrt((error["expected"] ** 2).mean())),
        pinball=float(np.mean(pinball)),
        coverage_80=float(inside.mean()) if inside.size else float("nan"),
        slots=int(scored.sum()),
    )


def measure_skill(mae: float, reference_mae: float) -> float:
    """Return ``1 − MAE / MAE of the reference``.

    Against an exact reference, 0 for an exact forecast and −1 for any other.
    """
    if reference_mae > 0:
        return 1 - mae / reference_mae
    return 0.0 if mae == 0 else -1.0


# The losses of 48-hour forecasts are correlated up to two days apart, because their horizons
# overlap.
OVERLAP_DAYS = 2


@dataclass(frozen=True, slots=True)
class PairedTest:
    """The outcome of a test for a gain.

    ``mean`` is the gain per day, ``p_value`` the probability of at least as much by chance.
    """

    days: int
    mean: float
    p_value: float


def assess_gain(gain: FloatArray, *, overlap: int = OVERLAP_DAYS) -> PairedTest:
    """Test whether ``gain``, one value per day in order, has a mean above zero.

    Diebold and Mariano's statistic with Newey and West's variance over ``overlap`` days, corrected
    for few days and compared with Student's t as Harvey, Leybourne and Newbold propose. One-sided;
    a gain that never varies is certain.

    Source: Diebold, Mariano 1995, doi:10.1080/07350015.1995.10524599; Newey, West 1987,
    doi:10.2307/1913610; Harvey, Leybourne, Newbold 1997, doi:10.1016/S0169-2070(96)00719-4.

    Invariants: the p-values of a gain and of its negative add up to one.
    """
    days = gain.size
    mean = float(gain.mean())
    # The variance with the covariances of days up to `overlap` apart, weighted so that it cannot be
    # negative.
    centred = gain - mean
    covariances = []
    weights = []
    for lag in range(min(overlap, days - 1) + 1):
        covariances.append(float(centred[lag:] @ centred[: days - lag]) / days)
        weights.append(2 * (1 - lag / (overlap + 1)) if lag else 1.0)
    variance = float(np.dot(weights, covariances)) / days
    if variance <= 0:
        certain = 0.5 if mean == 0 else float(mean < 0)
        return PairedTest(days, mean, certain)
    ahead = overlap + 1
    shrunk = (days + 1 - 2 * ahead + ahead * (ahead - 1) / days) / days
    statistic = mean / np.sqrt(variance) * np.sqrt(shrunk)
    return PairedTest(days, mean, float(stdtr(days - 1, -statistic)))
