"""What else moves a load: days off, warmth and cold as forecast, and nobody being at home."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from luna.timeline import FloatArray
from services.forecaster.inputs.frame import DAY_SLOTS, Frame, Pairs
from services.forecaster.inputs.recall import Windows, fill_gaps
from services.forecaster.inputs.view import MEMORY, WEEK

DAY_HOURS_BACK = np.arange(0, DAY_SLOTS, 12)  # slots before the target at which the temperature of a day is looked at
HEATING_LIMIT_C = 15.0  # below which houses are heated. Source: VDI 2067
AWAY_SHARE = 0.05  # of a slot: the household was not only at home
QUIET_SHARE = 0.35  # of the usual load, while nobody is there: the quietest days of two households reached 0.26 and 0.37 of their mean
QUIET_SLOTS = 48  # slots of absence that say as much as this prejudice


def describe_day_off(frame: Frame, pairs: Pairs) -> dict[str, FloatArray]:
    """Return whether each target lies on a holiday, or on a bridge day."""
    return {"holiday": frame.days_off.holiday[pairs.target].astype(np.float64), "holiday_bridge": frame.days_off.bridge[pairs.target].astype(np.float64)}


def describe_temperature(frame: Frame, pairs: Pairs) -> dict[str, FloatArray]:
    """Return the target's temperature as forecast, the mean of the day that ends with it, how that differs from the last week, and how cold it is."""
    if not len(frame.weather):
        return dict.fromkeys(("temperature_c", "temperature_day_c", "temperature_change_c", "heating_degrees"), np.full(pairs.lead.size, np.nan))
    ahead = np.stack([frame.weather_at(Pairs(pairs.origin, pairs.target - back))["temperature_c"] for back in DAY_HOURS_BACK])
    known = ~np.isnan(ahead)
    day = np.divide(np.where(known, ahead, 0.0).sum(axis=0), known.sum(axis=0), out=np.full(pairs.lead.size, np.nan), where=known.any(axis=0))
    week = Windows.of(frame.temperature_c).mean(pairs.origin, WEEK * DAY_SLOTS)
    return {
        "temperature_c": ahead[0],
        "temperature_day_c": day,
        "temperature_change_c": day - week,
        "heating_degrees": np.where(np.isnan(day), np.nan, np.clip(HEATING_LIMIT_C - day, 0, None)),
    }


@dataclass(frozen=True, slots=True)
class Absence:
    """The load while somebody was at home, kWh by slot of the frame, NaN otherwise; by row the share of absence at the origin and what it leaves of it."""

    home_kwh: FloatArray
    share: FloatArray
    left: FloatArray

    @classmethod
    def of(cls, frame: Frame, pairs: Pairs) -> Self:
        """Return absence as known at each origin; it is held ahead, for nobody says when it ends.

        What an empty house takes is learned from the absences of the last weeks, from nothing but a prejudice while there was none.
        """
        away = np.nan_to_num(frame.vacation_share)
        share = np.where(pairs.origin > 0, away[np.maximum(pairs.origin - 1, 0)], 0.0)
        if not away.any():
            return cls(frame.load_kwh, share, np.ones(pairs.lead.size))
        home = np.where(away > AWAY_SHARE, np.nan, frame.load_kwh)
        empty = np.where(away > 1 - AWAY_SHARE, frame.load_kwh, np.nan)
        usual = fill_gaps(Windows.of(home).mean(pairs.origin, MEMORY * DAY_SLOTS), Windows.of(frame.load_kwh).mean(pairs.origin, MEMORY * DAY_SLOTS), 1.0)
        slots = Windows.of(np.where(np.isnan(empty), 0.0, 1.0)).mean(pairs.origin, MEMORY * DAY_SLOTS) * MEMORY * DAY_SLOTS
        quiet = fill_gaps(Windows.of(empty).mean(pairs.origin, MEMORY * DAY_SLOTS), 0.0)
        learned = (quiet * slots + QUIET_SHARE * usual * QUIET_SLOTS) / (np.nan_to_num(slots) + QUIET_SLOTS)
        left = np.clip(learned / np.maximum(usual, 1e-9), 0, 1)
        return cls(home, share, 1 - share * (1 - left))
