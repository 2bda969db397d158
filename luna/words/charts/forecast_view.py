"""A forecast as its chart needs it: mean powers per slot, beside what is usual and what happened."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from luna.energy.outlook import Quantiles
from luna.energy.timeline import FloatArray
from luna.words import Language, Numbers

STAGES: dict[str, dict[Language, str]] = {
    "cold": {
        "en": "Next to nothing has been measured yet: the consumption is that of the standard load profile.",
        "de": "Noch ist fast nichts gemessen: Der Verbrauch ist der des Standardlastprofils.",
    },
    "profile": {
        "en": "It repeats the recent days, for nothing has been learned yet.",
        "de": "Sie wiederholt die letzten Tage, denn noch ist nichts gelernt.",
    },
    "young": {
        "en": "It has learned from more than two weeks of this house, and gets better until two months are known.",
        "de": "Sie hat aus mehr als zwei Wochen dieses Hauses gelernt und wird besser, bis zwei Monate bekannt sind.",
    },
    "full": {
        "en": "It has learned from two months and more of this house.",
        "de": "Sie hat aus zwei Monaten und mehr dieses Hauses gelernt.",
    },
}

TEXTS: dict[Language, dict[str, str]] = {
    "en": {
        "title": "Forecast for {site}",
        "headline": "{hours} hours from {time}: the house uses {load} and the sun brings {pv}.",
        "headline_load": "{hours} hours from {time}: the house uses {load}.",
        "usual": "In the last seven days it was {load} and {pv} for the same hours.",
        "usual_load": "In the last seven days it was {load} for the same hours.",
        "load": "Consumption",
        "pv": "Solar power",
        "expected": "expected",
        "usual_key": "usual: mean of the last seven days",
        "happened": "what happened",
        "median": "median",
        "half": "5 of 10 cases",
        "most": "8 of 10",
        "nearly": "9 of 10",
        "night": "night",
        "between": "8 of 10 cases lie between {low} and {high}.",
        "it_was": "It was {power}.",
        "made": "{version}, issued {day}, {time}.",
        "within_load": "Of {count} quarter-hours known since, consumption lay within the 8-of-10 band in {share}; on average it should in 80%.",
        "within_pv": "Of {count} quarter-hours of daylight known since, solar power lay within the 8-of-10 band in {share}; on average it should in 80%.",
        "label": "Forecast of consumption and solar power with its uncertainty, quarter-hour by quarter-hour",
    },
    "de": {
        "title": "Vorhersage für {site}",
        "headline": "{hours} Stunden ab {time}: Das Haus verbraucht {load}, die Sonne bringt {pv}.",
        "headline_load": "{hours} Stunden ab {time}: Das Haus verbraucht {load}.",
        "usual": "In den letzten sieben Tagen waren es zu denselben Stunden {load} und {pv}.",
        "usual_load": "In den letzten sieben Tagen waren es zu denselben Stunden {load}.",
        "load": "Verbrauch",
        "pv": "Solarstrom",
        "expected": "erwartet",
        "usual_key": "üblich: Mittel der letzten sieben Tage",
        "happened": "was geschah",
        "median": "Median",
        "half": "5 von 10 Fällen",
        "most": "8 von 10",
        "nearly": "9 von 10",
        "night": "Nacht",
        "between": "8 von 10 Fällen liegen zwischen {low} und {high}.",
        "it_was": "Es waren {power}.",
        "made": "{version}, erstellt {day}, {time}.",
        "within_load": "Seither lag der Verbrauch in {share} der {count} bekannten Viertelstunden im 8-von-10-Band; im Mittel sollen es 80\u00a0% sein.",
        "within_pv": "Seither lag der Solarstrom in {share} der {count} hellen Viertelstunden im 8-von-10-Band; im Mittel sollen es 80\u00a0% sein.",
        "label": "Vorhersage von Verbrauch und Solarstrom mit ihrer Unsicherheit, Viertelstunde für Viertelstunde",
    },
}


@dataclass(frozen=True, slots=True)
class SeriesView:
    """Load or PV, mean power in kW, arrays of shape ``(slots,)``; ``happened`` is NaN where nobody knows, ``reasons`` are the words of each slot."""

    forecast: Quantiles
    usual: FloatArray
    happened: FloatArray
    reasons: Sequence[str]

    @property
    def highest(self) -> float:
        """The highest power drawn."""
        return float(np.nanmax([self.forecast.p95, self.forecast.expected, self.usual, np.nan_to_num(self.happened)]))

    @property
    def within(self) -> tuple[int, int]:
        """How many slots that happened lie between p10 and p90, and how many happened; those that could not but be zero do not count."""
        known = ~np.isnan(self.happened) & (self.forecast.p95 > 0)
        inside = (self.happened >= self.forecast.p10) & (self.happened <= self.forecast.p90)
        return int(inside[known].sum()), int(known.sum())


@dataclass(frozen=True, slots=True)
class ForecastView:
    """What is drawn: load, PV where the site has any, and the slots that the sun does not reach.

    Args:
        stage: what the forecast rests on, if that was noted: cold, profile, young or full.
        conditions: sentences about what makes it wide.
    """

    site: str
    version: str
    issued_at: datetime
    start: datetime
    step: timedelta
    load: SeriesView
    pv: SeriesView | None
    night: NDArray[np.bool_]
    numbers: Numbers
    stage: str | None
    conditions: Sequence[str]

    @property
    def count(self) -> int:
        """How many slots are shown."""
        return self.night.size

    @property
    def panels(self) -> dict[str, SeriesView]:
        """The series drawn, from top to bottom, by name."""
        return {"load": self.load} | ({"pv": self.pv} if self.pv is not None else {})

    def instant(self, edge: int) -> datetime:
        """Return the instant of a slot's edge, 0 to ``count``."""
        return self.start + edge * self.step
