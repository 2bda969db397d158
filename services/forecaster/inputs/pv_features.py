"""Features of PV, as known at each origin, relative to clear sky and to the site's best days."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from luna.energy.timeline import SLOTS_PER_DAY, SLOTS_PER_HOUR, FloatArray
from services.forecaster.inputs.frame import Frame, IntArray, Pairs
from services.forecaster.inputs.gaps import fill_gaps
from services.forecaster.inputs.solar import Light, estimate_output
from services.forecaster.inputs.view import (
    EDGES,
    FLOOR_KWH,
    MEMORY,
    WEEK,
    Days,
    FeatureMatrix,
    Part,
    Windows,
    divide,
    mark_time,
    name_edges,
    recall_days,
    stack_columns,
)

LIKE_REACH = 2  # slots on either side answer alike
# Bright slots' worth of output: where a time of day has promised no more, the arrays' answer at all
# times speaks
DOUBT_SLOTS = 4.0
MOST_ANSWER = 2.0
SIGNS = ("temperature_c", "wind_m_s", "cloud_fraction")
LIGHTS = ("clear_index", "beam_index", "diffuse_share")


@dataclass(frozen=True, slots=True)
class WeatherYield:
    """Output as the weather promises it, by row; NaN where nothing was issued.

    ``estimate_kwh`` is that of the arrays as configured, ``corrected_kwh`` what lately came of it
    at that time of day, ``signs`` the weather itself.
    """

    estimate_kwh: FloatArray
    corrected_kwh: FloatArray
    signs: dict[str, FloatArray]

    @classmethod
    def of(cls, frame: Frame, pairs: Pairs) -> Self:
        """Return the output promised by the weather as issued by each origin."""
        if frame.sky is None or not len(frame.weather):
            unknown = np.full(pairs.lead.size, np.nan)
            return cls(unknown, unknown, dict.fromkeys((*SIGNS, *LIGHTS), unknown))
        weather = frame.weather_at(pairs)
        sky = frame.sky.at(pairs.target)
        light = Light.of(weather, sky)
        estimate = estimate_output(weather, light, sky, frame.arrays)
        signs = {name: weather[name] for name in SIGNS}
        signs["clear_index"] = divide(light.ghi, sky.clear_ghi_w_m2)
        signs["beam_index"] = light.dni / sky.extra_w_m2
        signs["diffuse_share"] = divide(light.dhi, light.ghi)
        # Measured output as a share of the promised one, at the target's time of day on the
        # recalled days, by row; of all slots where those say little.
        has_both = ~np.isnan(frame.promised_kwh) & ~np.isnan(frame.pv_kwh)
        measured = Windows.of(np.where(has_both, frame.pv_kwh, np.nan))
        promised = Windows.of(np.where(has_both, frame.promised_kwh, np.nan))

        def sum_days(windows: Windows) -> FloatArray:
            days = recall_days(windows.centre(LIKE_REACH), pairs, MEMORY, reach=LIKE_REACH)
            total: FloatArray = np.nansum(days, axis=1)
            return total

        whole_share = divide(
            measured.mean(pairs.origin, MEMORY * SLOTS_PER_DAY),
            promised.mean(pairs.origin, MEMORY * SLOTS_PER_DAY),
        )
        unshaded = frame.unshaded_share[pairs.target]
        usual = np.clip(fill_gaps(whole_share, unshaded), 0, MOST_ANSWER)
        doubt = DOUBT_SLOTS * frame.brightest_kwh
        answer = (sum_days(measured) + doubt * usual) / (sum_days(promised) + doubt)
        share: FloatArray = np.clip(answer, 0, MOST_ANSWER)
        return cls(estimate, estimate * share, signs)


CLEAR_SKY = "clear_sky"  # the member that is the last days' shares of a clear sky
SKY_FLOOR = 0.02  # share of the best clear-sky slot below which a ratio to it says nothing
TWILIGHT = 0.15  # share of the brightest slot: hours under a sky darker than that say less of today
DEFAULT_SKY_SHARE = 0.8  # of clear sky on the best day, when nothing has been measured
# After which the brightness of the last two hours has lost all but 1/e of what set it apart
BRIGHT_FADE_SLOTS = 24.0


def recall_shares(frame: Frame, pairs: Pairs, days: int) -> FloatArray:
    """Return the target slot's PV over clear sky on the latest days; see ``recall_days``."""
    clear_sky_kwh = recall_days(frame.clear_sky_kwh, pairs, days)
    divisor_kwh = np.maximum(clear_sky_kwh, SKY_FLOOR * frame.brightest_kwh)
    shares: FloatArray = recall_days(frame.pv_kwh, pairs, days) / divisor_kwh
    return shares


@dataclass(frozen=True, slots=True)
class _Yields:
    """Statistics of the recalled days, in kWh and as shares of clear sky."""

    recalled: FloatArray
    week: Days
    month: Days
    week_shares: Days
    month_shares: Days

    @classmethod
    def of(cls, frame: Frame, pairs: Pairs) -> Self:
        recalled = recall_days(frame.pv_kwh, pairs, MEMORY)
        shares = recall_shares(frame, pairs, MEMORY)
        return cls(
            recalled=recalled,
            week=Days.of(recalled[:, :WEEK]),
            month=Days.of(recalled),
            week_shares=Days.of(shares[:, :WEEK]),
            month_shares=Days.of(shares),
        )


@dataclass(frozen=True, slots=True)
class _Usual:
    """Output of arrays without measurements, by row, on an ordinary day and on the best."""

    centre_kwh: FloatArray
    best_kwh: FloatArray

    @classmethod
    def of(cls, frame: Frame, pairs: Pairs) -> Self:
        sky = frame.clear_sky_kwh[pairs.target]
        mean = sky
        most = sky
        if frame.rough_sky is not None:
            mean = frame.rough_sky.mean_kwh[pairs.target]
            most = frame.rough_sky.most_kwh[pairs.target]
        unshaded = frame.unshaded_share[pairs.target]
        return cls(DEFAULT_SKY_SHARE / 2 * unshaded * mean, DEFAULT_SKY_SHARE * unshaded * most)


@dataclass(frozen=True, slots=True)
class _Brightness:
    """Output over clear sky, by row; NaN where unknown.

    Args:
        now: of the last two hours.
        usual: of the same hours in the week before.
        days: of each of the last three days.
        week: of the last week.
        recent_sky_kwh: clear sky of the last two hours, per slot.
        brightest_kwh: the brightest slot's clear sky.
    """

    now: FloatArray
    usual: FloatArray
    days: tuple[FloatArray, ...]
    week: FloatArray
    recent_sky_kwh: FloatArray
    brightest_kwh: float

    @classmethod
    def of(cls, frame: Frame, origin: IntArray) -> Self:
        output = Windows.of(frame.pv_kwh)
        sky = Windows.of(np.where(np.isnan(frame.pv_kwh), np.nan, frame.clear_sky_kwh))

        def share(end: IntArray, length: int) -> FloatArray:
            return divide(output.mean(end, length), sky.mean(end, length))

        days = tuple(share(origin - back * SLOTS_PER_DAY, SLOTS_PER_DAY) for back in range(3))
        output_before = []
        sky_before = []
        for days_back in range(1, WEEK + 1):
            end = origin - days_back * SLOTS_PER_DAY
            output_before.append(output.mean(end, 2 * SLOTS_PER_HOUR))
            sky_before.append(sky.mean(end, 2 * SLOTS_PER_HOUR))
        usual = divide(np.nansum(output_before, axis=0), np.nansum(sky_before, axis=0))
        return cls(
            now=share(origin, 2 * SLOTS_PER_HOUR),
            usual=usual,
            days=days,
            week=share(origin, WEEK * SLOTS_PER_DAY),
            recent_sky_kwh=sky.mean(origin, 2 * SLOTS_PER_HOUR),
            brightest_kwh=frame.brightest_kwh,
        )

    @property
    def unusual(self) -> FloatArray:
        """The last two hours over the same hours of the week before, one where unknown.

        An afternoon is not unusually dark only because the roof faces east.
        """
        doubt = TWILIGHT * self.brightest_kwh
        now_kwh = self.now * self.recent_sky_kwh + doubt
        usual_kwh = self.usual * self.recent_sky_kwh + doubt
        ratio = np.clip(divide(now_kwh, usual_kwh), 0, 3)
        unusual: FloatArray = np.where(np.isnan(ratio), 1.0, ratio)
        return unusual


def view_pv(frame: Frame, pairs: Pairs) -> FeatureMatrix:
    """Return the features and members of PV, as known at each origin."""
    sky = frame.clear_sky_kwh[pairs.target]
    usual = _Usual.of(frame, pairs)
    # Whether any output was measured before the origin.
    count = np.concatenate([[0], np.cumsum(np.isfinite(frame.pv_kwh))])
    measured: NDArray[np.bool_] = count[pairs.origin] > 0
    # Where nothing is known of the sky, earlier measurements show whether there is PV at all.
    can_yield = measured | (usual.best_kwh > 0) & bool(frame.arrays)
    limit = np.where((sky > 0) & can_yield, frame.pv_limit_kwh, 0.0)
    yields = _Yields.of(frame, pairs)
    brightness = _Brightness.of(frame, pairs.origin)
    weather = WeatherYield.of(frame, pairs)
    best = np.minimum(fill_gaps(yields.month_shares.quantile(1.0) * sky, usual.best_kwh), limit)
    scale = np.maximum(best, FLOOR_KWH)
    clear = fill_gaps(
        yields.week_shares.mean * sky, yields.month_shares.mean * sky, usual.centre_kwh
    )
    mean = fill_gaps(yields.week.mean, yields.month.mean, clear)
    fading = np.exp(-pairs.lead / BRIGHT_FADE_SLOTS)
    lasting_brightness = 1 + (brightness.unusual - 1) * fading
    centres = {
        "mean": mean,
        "median": fill_gaps(yields.week.quantile(0.5), mean),
        "latest": fill_gaps(yields.recalled[:, 0], mean),
        "month_median": fill_gaps(yields.month.quantile(0.5), mean),
        CLEAR_SKY: clear,
        "month_clear_sky": fill_gaps(yields.month_shares.mean * sky, usual.centre_kwh),
        "persistent": clear * lasting_brightness,
        # Where no weather was issued, its centre is the clear sky's.
        "weather": fill_gaps(weather.corrected_kwh, clear),
    }
    centre = {name: np.minimum(member, limit) for name, member in centres.items()}
    unmeasured: dict[Part, FloatArray] = {"p10": np.zeros_like(best), "p90": best}
    edges = {}
    for head, share in EDGES:
        edges[head] = {
            "month": fill_gaps(yields.month.quantile(share), unmeasured[head]),
            "week": fill_gaps(yields.week.quantile(share), unmeasured[head]),
        }
    energies = {
        **centre,
        **name_edges(edges),
        "month_q25": yields.month.quantile(0.25),
        "month_q75": yields.month.quantile(0.75),
        "weather_estimate": weather.estimate_kwh,
    }
    shares = {name: energy / scale for name, energy in energies.items()}
    days = {f"brightness_day_{back}": share for back, share in enumerate(brightness.days, start=1)}
    now = {
        "brightness_now": brightness.now,
        **days,
        "brightness_week": brightness.week,
        "brightness_unusual": brightness.unusual,
    }
    columns = {
        **shares,
        **now,
        "clear_sky_kwh": sky,
        "best_kwh": best,
        "recent_clear_sky_kwh": brightness.recent_sky_kwh,
        **weather.signs,
        **mark_time(frame, pairs),
    }
    return FeatureMatrix(
        features=stack_columns(columns),
        scale_kwh=scale,
        members={"centre": centre, **edges},
        known_days=yields.month.count,
        limit_kwh=limit,
        names=tuple(columns),
    )
