"""Whether prices and energies are what their unit says, by what the same series was and by what is known of markets and homes. Pure."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from luna.energy.part import PER_EURO, in_currency
from luna.energy.timeline import FloatArray

# The harmonised limits of day-ahead clearing prices are -500 and 4,000 EUR/MWh; the rest is for taxes and fees. Source: ACER decision 01-2023.
LOWEST_PRICE_EUR, HIGHEST_PRICE_EUR = -1.0, 6.0
# Ten times the harmonised limit, which rises in steps: beyond it lies a wrong unit alone.
ABSURD_PRICE_EUR = 40.0
# No day was dearer in its middle than 0.9 EUR/kWh (Finland, 5 January 2024).
DEAREST_DAY_EUR = 1.5
# Weeks of water power cost next to nothing, and the weather ends them.
LEAST_KNOWN_EUR = 0.1
# How many times what all but a hundredth of the last weeks cost half, and a tenth, of the prices of another unit are at least; of the last weeks' own unit
# not even the coldest day's were.
PRICE_TIMES = {0.5: 5.0, 0.1: 10.0}
USUAL_SHARE = 0.99
# Of a cheap day in EUR/MWh as much is left as of a usual one in ct/kWh; beyond this only the former is.
CENTS_TIMES = 100.0
# Watt-hours are a thousand times as many; a car and a heat pump that are new to a flat are ten.
ENERGY_TIMES = 10.0
# More than a home's connection of three times 63 A carries, and less than watt-hours of the smallest flat would be.
HOME_POWER_KW = 45.0
# A site whose usual power is beyond it knows its connection's limit; a home's watt-hours read as kilowatt-hours are beyond it.
USUAL_POWER_KW = 300.0
# Plates, meters and forecasts differ by less.
FAR_BEYOND = 3.0
# Fewer slots than a day and fewer rows than half a day of hours say too little.
FEWEST_KNOWN, FEWEST_JUDGED = 96, 12
# Of a quarter-hour: meters that count both directions round a few watt-hours below zero, and an inverter uses a few itself at night.
ENERGY_ROUNDING_KWH = 0.005


@dataclass(frozen=True, slots=True)
class UnitDoubt:
    """Why values are hardly in the unit in which they were read.

    Args:
        share: how much of the values is at least ``value`` away from zero.
        value: that, as it was read.
        known: what it is compared with, in the same unit.
        basis: ``stored``: what all but a hundredth of the last weeks' values stay within; ``field``: what is known of markets.
        units: those in which the values would be usual.
    """

    share: float
    value: float
    known: float
    basis: Literal["stored", "field"]
    units: tuple[str, ...]

    @property
    def times(self) -> float:
        """How many times what it is compared with."""
        return self.value / self.known


def doubt_prices(price: FloatArray, stored: FloatArray, currency: str) -> UnitDoubt | None:
    """Return why prices are hardly in currency/kWh; None where they may well be.

    Args:
        price: currency/kWh, as read; NaN where unknown.
        stored: the last weeks' prices of the same series; NaN where unknown.
        currency: ISO 4217; of one without an order of magnitude here only the stored prices speak.
    """
    distance, scale = np.abs(price[np.isfinite(price)]), PER_EURO.get(currency)
    if distance.size < FEWEST_JUDGED:
        return None
    usual = find_usual(stored)
    if usual is not None:
        compared = max(usual, LEAST_KNOWN_EUR * (scale or 0.0))
        for share, times in PRICE_TIMES.items():
            value = float(np.quantile(distance, 1.0 - share))
            if value > times * compared > 0.0:
                return UnitDoubt(share, value, compared, "stored", _suspect_units(currency, value / compared))
        return None
    middle = float(np.median(distance))
    if scale is None or middle <= DEAREST_DAY_EUR * scale:
        return None
    return UnitDoubt(0.5, middle, DEAREST_DAY_EUR * scale, "field", _suspect_units(currency, middle / (DEAREST_DAY_EUR * scale)))


def doubt_energies(kwh: FloatArray, stored_kwh: FloatArray, *, hours: float) -> UnitDoubt | None:
    """Return why energies are hardly in kWh; None where they may well be.

    Args:
        kwh: per slot of ``hours``, as read; NaN where unknown.
        stored_kwh: the last weeks' of the same series, in slots of the same length; NaN where unknown.
        hours: how long a slot is.
    """
    used, usual = kwh[np.isfinite(kwh) & (kwh > 0.0)], find_usual(stored_kwh)
    if used.size < FEWEST_JUDGED or usual is None or usual <= 0.0:
        return None
    middle = float(np.median(used))
    doubted = middle > ENERGY_TIMES * usual and middle > HOME_POWER_KW * hours
    return UnitDoubt(0.5, middle, usual, "stored", ("Wh",)) if doubted else None


def find_usual(stored: FloatArray) -> float | None:
    """Return how far from zero all but a hundredth of the stored values are at most; None where less than a day is stored."""
    distance = np.abs(stored[np.isfinite(stored)])
    return float(np.quantile(distance, USUAL_SHARE)) if distance.size >= FEWEST_KNOWN else None


def absurd_price(currency: str) -> float:
    """Return the price, currency/kWh, beyond which only another unit lies; of a currency without an order of magnitude here that of the smallest one."""
    return in_currency(ABSURD_PRICE_EUR, currency)


def _suspect_units(currency: str, times: float) -> tuple[str, ...]:
    return (f"{currency}/MWh",) if times > CENTS_TIMES else (f"{currency}/MWh", "ct/kWh")
