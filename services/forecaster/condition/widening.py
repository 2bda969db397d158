"""How much wider a forecast becomes by what is the matter with what it rests on."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC

import numpy as np

from luna.outlook import SHARES, Quantiles
from luna.site import Site
from luna.timeline import SLOT, FloatArray, floor_to
from services.forecaster.forecaster import Batch
from services.forecaster.inputs.solar import estimate_clear_sky, limit_output
from services.forecaster.model.baseline import BASELINES

# Code → factors of the half-bands of load and PV. Without a model the profile speaks, in bands that are wide already. A trained model hardly suffers from gaps
# (of 24 issues for a demo household, 78 % of load in the 80 % band became 77 %), so a tenth is enough.
FACTORS: dict[str, tuple[float, float]] = {
    "no_history": (1.3, 1.2),
    "short_history": (1.05, 1.05),
    "load_gaps": (1.1, 1.0),
    "pv_gaps": (1.0, 1.1),
    "load_frozen": (1.1, 1.0),
    "pv_frozen": (1.0, 1.1),
    "load_constant": (3.0, 1.0),
    "pv_silent": (1.0, 2.0),
    "roof_grown": (1.0, 1.15),
    "roof_exceeds_peak": (1.0, 1.15),
    "clock_change": (1.05, 1.0),
    "future_reading": (1.05, 1.05),
    "weather_missing": (1.05, 1.3),
    "weather_late": (1.02, 1.1),
    "model_unusable": (1.0, 1.0),
    "model_away": (1.0, 1.0),
    "untrained": (1.0, 1.0),
    "sun_from_time_zone": (1.0, 1.0),
}
# A baseline's band is that of its last seven days; of fewer it is far too narrow. Of the same household, 63 % in the band became 45 % after a gap of half a
# week, and 24 % with two days known; with these factors they are 69 and 81 %, and the pinball loss falls.
BASELINE_FACTORS = FACTORS | {"short_history": (2.3, 2.0), "load_gaps": (1.25, 1.0), "pv_gaps": (1.0, 1.25)}
MOST = 3.0
CLOUD_EDGE = 1.2  # times a clear sky: the edge of a cloud reflects
SLACK = 0.25  # of the expected load, or of the clear sky, per unit of widening: a band of no width has nothing to be stretched
# Of each quantile from the median, in distances of the 10 % quantile of a normal distribution.
DISTANCES = {"p05": -1.2835, "p10": -1.0, "p25": -0.5263, "p50": 0.0, "p75": 0.5263, "p90": 1.0, "p95": 1.2835}


def widen(batch: Batch, reasons: Sequence[tuple[str, ...]], site: Site) -> Batch:
    """Return the batch with these reasons, one tuple of codes per instant, its bands widened accordingly.

    Invariants: no band becomes narrower, median and mean stay, and PV stays zero where no sun shines.
    """
    factors = BASELINE_FACTORS if batch.version in BASELINES else FACTORS
    load_factor, pv_factor = (np.array([_combine([factors[code][place] for code in codes]) for codes in reasons])[:, None] for place in (0, 1))
    usual = batch.load_kwh.expected.mean(axis=1, keepdims=True)
    sky, limit = _look_up(batch, site)
    load = stretch(batch.load_kwh, load_factor, slack_kwh=usual, limit_kwh=np.inf)
    pv = stretch(batch.pv_kwh, pv_factor, slack_kwh=sky, limit_kwh=np.fmax(limit, batch.pv_kwh.p95))
    return replace(batch, reasons=list(reasons), load_kwh=load, pv_kwh=pv)


def stretch(quantiles: Quantiles, factor: FloatArray, *, slack_kwh: FloatArray, limit_kwh: FloatArray | float) -> Quantiles:
    """Return quantiles ``factor`` (at least 1) times as far from the median, and further by a share of ``slack_kwh``; within zero and the limit."""
    p50 = quantiles.p50
    slack = SLACK * (factor - 1) * slack_kwh
    parts = {name: np.clip(p50 + factor * (getattr(quantiles, name) - p50) + DISTANCES[name] * slack, 0, limit_kwh) for name in SHARES}
    return Quantiles(quantiles.expected, **parts)


def _combine(factors: Sequence[float]) -> float:
    return min(float(np.prod(factors)), MOST)


def _look_up(batch: Batch, site: Site) -> tuple[FloatArray, FloatArray]:
    """Return what the arrays yield per slot under a clear sky, and at most, shape ``(instants, slots)``; where nobody knows the sun, from what is expected."""
    if site.location is None or not site.pv:
        expected = batch.pv_kwh.expected
        return expected, np.where(expected > 0, limit_output(site), 0.0)
    origins = np.array([np.datetime64(floor_to(instant, SLOT).astimezone(UTC).replace(tzinfo=None), "s") for instant in batch.issued_at])
    starts = origins[:, None] + np.arange(batch.pv_kwh.expected.shape[1]) * np.timedelta64(SLOT)
    sky: FloatArray = estimate_clear_sky(starts.ravel().astype("datetime64[s]"), site).reshape(starts.shape)
    return sky, np.minimum(CLOUD_EDGE * sky, limit_output(site))
