"""A roof that yields more than it used to: a new array.

What was measured before is scaled, so that nothing is stuck in the past.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np

from luna.energy.devices.inverter import Inverter
from luna.energy.observations import Observations
from luna.energy.site import Site
from luna.energy.timeline import SLOT_HOURS, SLOTS_PER_DAY, FloatArray
from services.forecaster.inputs.solar import estimate_clear_sky, limit_output, sum_peaks

# Clear-sky shares of the brightest days differ by a tenth or two over a season; the smallest array
# worth adding is a third of the old ones.
LEAST_GROWTH = 1.3
# Without four weeks before it a bright day proves nothing; one day may be a wrong reading, two
# within a week are not.
LEAST_DAYS_BEFORE = 28
WEEK = 7
HIGH_SUN = 0.2  # of the brightest slot: below, shadows and rounding speak
LEAST_SLOTS = 8
MOST_GROWTH = 10.0
DARK = 0.02  # of the clear sky: a roof that never reached it had no array


@dataclass(frozen=True, slots=True)
class CapacityChange:
    """From the slot at ``since`` on, the arrays yield ``factor`` times what they yielded before.

    ``top_kwh`` is the most seen in a quarter-hour since.

    ``factor`` is NaN where there was next to nothing before: what the arrays would have yielded is
    unknown.
    """

    since: np.datetime64
    factor: float
    top_kwh: float

    def scale(self, history: Observations) -> Observations:
        """Return the history with PV from before ``since`` as the arrays would yield it now."""
        return replace(
            history,
            pv_kwh=np.where(
                history.starts < self.since, history.pv_kwh * self.factor, history.pv_kwh
            ),
        )

    def enlarge(self, site: Site) -> Site:
        """Return the site with arrays large enough for the observed output.

        The same where they can already.
        """
        limit = sum_peaks(site)
        if not np.isfinite(limit) or self.top_kwh <= limit:
            return site
        arrays = []
        for array in site.pv:
            peak_kw = array.peak_kw * self.top_kwh / limit
            arrays.append(array.model_copy(update={"peak_kw": peak_kw}))
        return site.model_copy(update={"pv": arrays})


def cap_output(site: Site, ceiling_kwh: float) -> Site:
    """Return the site with arrays that never yield more than ``ceiling_kwh`` in a quarter-hour.

    The same where they cannot anyway, and at an infinite one.
    """
    if ceiling_kwh >= limit_output(site):
        return site
    inverter = Inverter(ac_limit_kw=ceiling_kwh / SLOT_HOURS, pv=[array.name for array in site.pv])
    return site.model_copy(update={"inverters": [inverter]})


def find_growth(history: Observations, site: Site, *, before: datetime) -> CapacityChange | None:
    """Return the last growth of the arrays known ``before`` an instant, if any.

    The history is gapless. If two bright days of a week exceed all days before by a third, the
    arrays have grown since the first of them.
    """
    is_past = history.starts < np.datetime64(before.astimezone(UTC).replace(tzinfo=None), "s")
    starts = history.starts[is_past]
    pv = history.pv_kwh[is_past]
    if starts.size < SLOTS_PER_DAY:
        return None
    # The share of the clear sky that each whole run of 96 slots reached at its brightest (its 90 %
    # quantile), NaN where too little is known.
    clear_sky_kwh = estimate_clear_sky(starts, site)
    days = starts.size // SLOTS_PER_DAY
    is_high = clear_sky_kwh > HIGH_SUN * clear_sky_kwh.max()
    ratio = pv / np.maximum(clear_sky_kwh, SLOT_HOURS * 1e-6)
    share = np.where(is_high, ratio, np.nan)
    share = share[: days * SLOTS_PER_DAY].reshape(days, SLOTS_PER_DAY)
    measured_slots = np.count_nonzero(~np.isnan(share), axis=1)
    ordered = np.sort(share, axis=1)  # NaN last
    place = np.maximum(np.floor(0.9 * (measured_slots - 1)).astype(np.int64), 0)
    brightness: FloatArray = np.where(
        measured_slots >= LEAST_SLOTS, ordered[np.arange(days), place], np.nan
    )
    day = _find_day(brightness)
    if day is None:
        return None
    level = _average_bright(brightness[:day])
    factor = float("nan")
    if level > DARK:
        factor = min(_average_bright(brightness[day:]) / level, MOST_GROWTH)
    slot = day * SLOTS_PER_DAY
    return CapacityChange(starts[slot], factor, float(np.nanquantile(pv[slot:], 0.999)))


def _find_day(brightness: FloatArray) -> int | None:
    """Return the last day since which the arrays yield more."""
    growth_day = None
    begin = 0
    for day in range(brightness.size):
        before = brightness[begin:day]
        if np.count_nonzero(~np.isnan(before)) < LEAST_DAYS_BEFORE:
            continue
        # The second largest known value, for the largest may be a wrong reading.
        ordered = np.sort(before[~np.isnan(before)])
        second = float(ordered[-2]) if ordered.size > 1 else 0.0
        exceeding = brightness[day : day + WEEK] > LEAST_GROWTH * max(second, DARK)
        if exceeding[0] and exceeding.sum() >= 2:
            growth_day = begin = day
    return growth_day


def _average_bright(brightness: FloatArray) -> float:
    """Return the mean of the brighter half of the known days."""
    ordered = np.sort(brightness[~np.isnan(brightness)])
    return float(ordered[ordered.size // 2 :].mean())
