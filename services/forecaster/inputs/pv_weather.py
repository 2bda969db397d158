"""What the weather as issued says of the arrays' output, and how the arrays have lately answered to it."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from luna.timeline import FloatArray
from services.forecaster.inputs.frame import DAY_SLOTS, Frame, Pairs
from services.forecaster.inputs.irradiance import Light, estimate_output
from services.forecaster.inputs.recall import Windows, fill_gaps, recall_days
from services.forecaster.inputs.view import MEMORY, divide

LIKE_REACH = 2  # slots on either side answer alike
DOUBT_SLOTS = 4.0  # bright slots' worth of output: where a time of day has promised no more, the arrays' answer at all times speaks
MOST_ANSWER = 2.0
SIGNS = ("temperature_c", "wind_m_s", "cloud_fraction")
LIGHTS = ("clear_index", "beam_index", "diffuse_share")


@dataclass(frozen=True, slots=True)
class WeatherYield:
    """Output as the weather promises it, by row; NaN where nothing was issued.

    ``estimate_kwh`` is that of the arrays as configured, ``corrected_kwh`` what lately came of it at that time of day, ``signs`` the weather itself.
    """

    estimate_kwh: FloatArray
    corrected_kwh: FloatArray
    signs: dict[str, FloatArray]

    @classmethod
    def of(cls, frame: Frame, pairs: Pairs) -> Self:
        """Return what the weather as issued by each origin says of its target."""
        if frame.sky is None or not len(frame.weather):
            unknown = np.full(pairs.lead.size, np.nan)
            return cls(unknown, unknown, dict.fromkeys((*SIGNS, *LIGHTS), unknown))
        weather, sky = frame.weather_at(pairs), frame.sky.at(pairs.target)
        light = Light.of(weather, sky)
        estimate = estimate_output(weather, light, sky, frame.arrays)
        indices = (divide(light.ghi, sky.clear_ghi_w_m2), light.dni / sky.extra_w_m2, divide(light.dhi, light.ghi))
        signs = {name: weather[name] for name in SIGNS} | dict(zip(LIGHTS, indices, strict=True))
        return cls(estimate, estimate * measure_answer(frame, pairs), signs)


def measure_answer(frame: Frame, pairs: Pairs) -> FloatArray:
    """Return the share of what the weather promised that came at the target's time of day on the recalled days, by row; of all slots where those say little."""
    known = ~np.isnan(frame.promised_kwh) & ~np.isnan(frame.pv_kwh)
    both = [Windows.of(np.where(known, values, np.nan)) for values in (frame.pv_kwh, frame.promised_kwh)]
    came, promised = (np.nansum(recall_days(window.centre(LIKE_REACH), pairs, MEMORY, reach=LIKE_REACH), axis=1) for window in both)
    usual = np.clip(fill_gaps(divide(*(window.mean(pairs.origin, MEMORY * DAY_SLOTS) for window in both)), 1.0), 0, MOST_ANSWER)
    doubt = DOUBT_SLOTS * frame.brightest_kwh
    share: FloatArray = np.clip((came + doubt * usual) / (promised + doubt), 0, MOST_ANSWER)
    return share
