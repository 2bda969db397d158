"""A forecast of load and PV from an outside service's PV and a forecast of Luna's own."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from luna.energy.outlook import SHARES, Forecast, Quantiles
from luna.energy.timeline import SLOT, FloatArray
from services.ingest.sources.pv.estimate import PvEstimate
from services.ingest.sources.source import SourceError

# More than this, times the installed power, no roof gives: edges of clouds add a fifth for seconds.
MOST_PER_PEAK = 1.3
# A shorter answer is part of one; forecast.solar knows today and tomorrow.
LEAST_AHEAD = timedelta(hours=24)
# Quantiles of the standard normal distribution, relative to that of 90 %.
DISTANCES = {"p05": -1.2835, "p25": -0.5263, "p75": 0.5263, "p95": 1.2835}
# Weights of p10, p50 and p90 in the mean of a distribution that is not symmetric.
# Source: Swanson's rule, in Hurst, Brown, Swanson 2000, AAPG Bulletin 84, 1883-1891.
SWANSON = {"p10": 0.3, "p50": 0.4, "p90": 0.3}

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class BuiltForecast:
    """A forecast with a service's PV, and the service's faults."""

    forecast: Forecast
    faults: list[str]


def build_forecast(
    version: str, issued_at: datetime, estimate: PvEstimate, base: Forecast, *, peak_kw: float
) -> BuiltForecast:
    """Return the forecast of ``version``: the service's PV, and the rest of ``base``.

    Slots that the service leaves out, or whose value no roof of ``peak_kw`` gives, are those of
    ``base``, so that the forecast is complete. Where the service has no band, PV has the relative
    band of ``base``.

    Args:
        base: the forecast of load, on the same timeline.

    Raises:
        SourceError: the service knows less than a day ahead.
    """
    p50_kwh = estimate.p50_kwh
    known = np.isfinite(p50_kwh)
    bands = (estimate.p10_kwh, estimate.p90_kwh)
    for band in bands:
        if band is not None:
            known &= np.isfinite(band)
    _require_day(version, known)
    most_kwh = MOST_PER_PEAK * peak_kw * (SLOT / timedelta(hours=1))
    absurd = np.zeros_like(known)
    for values in (p50_kwh, *bands):
        if values is not None:
            absurd |= known & ((values < 0) | (values > most_kwh))
    faults = []
    if absurd.any():
        faults.append(
            f"{version}: {int(absurd.sum())} quarter-hours left out: below zero, or above "
            f"{MOST_PER_PEAK:g} times the installed {peak_kw:g} kW"
        )
    usable = known & ~absurd
    if estimate.p10_kwh is None or estimate.p90_kwh is None:
        own = _scale_band(p50_kwh, base.pv_kwh, most_kwh)
    else:
        own = _spread(estimate.p10_kwh, p50_kwh, estimate.p90_kwh, most_kwh)
    joined = {}
    for part in Quantiles.__dataclass_fields__:
        joined[part] = np.where(usable, getattr(own, part), getattr(base.pv_kwh, part))
    forecast = Forecast(
        timeline=base.timeline,
        issued_at=issued_at,
        version=version,
        load_kwh=base.load_kwh,
        pv_kwh=Quantiles(**joined),
    )
    return BuiltForecast(forecast, faults)


def _require_day(version: str, known: Flags) -> None:
    """Raise ``SourceError`` unless a day is known."""
    ahead = int(known.sum()) * SLOT
    if ahead < LEAST_AHEAD:
        raise SourceError(
            f"answers {ahead / timedelta(hours=1):g} hours of what is ahead",
            field=version,
            remedy=f"Luna needs {LEAST_AHEAD // timedelta(hours=1)}.",
        )


def _spread(
    p10_kwh: FloatArray, p50_kwh: FloatArray, p90_kwh: FloatArray, most_kwh: float
) -> Quantiles:
    """Return all quantiles from three, each side like a normal distribution's."""
    low = np.minimum(p10_kwh, p50_kwh)
    high = np.maximum(p90_kwh, p50_kwh)
    parts = {"p10": low, "p50": p50_kwh, "p90": high}
    for name, distance in DISTANCES.items():
        edge = low if distance < 0 else high
        parts[name] = np.clip(p50_kwh + abs(distance) * (edge - p50_kwh), 0, most_kwh)
    expected = np.sum([share * parts[name] for name, share in SWANSON.items()], axis=0)
    return Quantiles(expected=expected, **{name: parts[name] for name in SHARES})


def _scale_band(p50_kwh: FloatArray, band: Quantiles, most_kwh: float) -> Quantiles:
    """Return quantiles around a median, with the ratios that those of ``band`` have to theirs."""
    has_sun = band.p50 > 0
    ratio = np.divide(p50_kwh, band.p50, out=np.ones_like(p50_kwh), where=has_sun)
    parts = {}
    for part in Quantiles.__dataclass_fields__:
        scaled = np.minimum(getattr(band, part) * ratio, most_kwh)
        parts[part] = np.where(has_sun, scaled, p50_kwh)
    return Quantiles(**parts | {"p50": p50_kwh})
