"""What the weather as issued says of the arrays' output, and how the arrays have lately answered to it."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from luna.timeline import FloatArray
from services.forecaster.frame import DAY_SLOTS, Frame, Pairs
from services.forecaster.irradiance import Light, estimate_output
from services.forecaster.recall import Days, Windows, fill_gaps, recall_days
from services.forecaster.view import MEMORY, divide

LIKE_REACH = 2  # slots on either side answer alike
DOUBT_SLOTS = 4.0  # bright slots' worth of output: where a time of day has promised no more, the arrays' answer at all times speaks
MOST_ANSWER = 2.0
SIGNS = ("temperature_c", "wind_m_s", "cloud_fraction")
LIGHTS = ("clear_index", "beam_index", "diffuse_share")


@dataclass(frozen=True, slots=True)
class WeatherYield:
    """Output as the weather promises it, by row; NaN where nothing was issued.

    ``estimate_kwh`` is that of the arrays as configured, ``corrected_kwh`` what lately came of it at that time of day; ``answers`` are the shares that came on
    each recalled day, ``signs`` the weather itself.
    """

    estimate_kwh: FloatArray
    corrected_kwh: FloatArray
    answers: Days
    signs: dict[str, FloatArray]

    @classmethod
    def of(cls, frame: Frame, pairs: Pairs) -> Self:
        """Return what the weather as issued by each origin says of its target."""
        unknown = np.full(pairs.lead.size, np.nan)
        if frame.sky is None or not len(frame.weather):
            return cls(unknown, unknown, Days.of(unknown[:, None]), dict.fromkeys((*SIGNS, *LIGHTS), unknown))
        weather, sky = frame.weather_at(pairs), frame.sky.at(pairs.target)
        light = Light.of(weather, sky)
        estimate = estimate_output(weather, light, sky, frame.arrays)
        indices = (divide(light.ghi, sky.clear_ghi_w_m2), light.dni / sky.extra_w_m2, divide(light.dhi, light.ghi))
        answer = _Answer.of(frame, pairs)
        return cls(estimate, estimate * answer.share, answer.days, {name: weather[name] for name in SIGNS} | dict(zip(LIGHTS, indices, strict=True)))


@dataclass(frozen=True, slots=True)
class _Answer:
    """What came of what the weather promised: the share at the target's time of day over the recalled days, and day by day; by row."""

    share: FloatArray
    days: Days

    @classmethod
    def of(cls, frame: Frame, pairs: Pairs) -> Self:
        known = ~np.isnan(frame.promised_kwh) & ~np.isnan(frame.pv_kwh)
        promised, came = (Windows.of(np.where(known, values, np.nan)).centre(LIKE_REACH) for values in (frame.promised_kwh, frame.pv_kwh))
        past, answered = (recall_days(values, pairs, MEMORY, reach=LIKE_REACH) for values in (promised, came))
        whole = [Windows.of(np.where(known, values, np.nan)).mean(pairs.origin, MEMORY * DAY_SLOTS) for values in (frame.pv_kwh, frame.promised_kwh)]
        usual = np.clip(fill_gaps(divide(whole[0], whole[1]), 1.0), 0, MOST_ANSWER)
        doubt = DOUBT_SLOTS * frame.brightest_kwh
        share = (np.nansum(answered, axis=1) + doubt * usual) / (np.nansum(past, axis=1) + doubt)
        return cls(np.clip(share, 0, MOST_ANSWER), Days.of(divide(answered, past)))
