"""Plausibility of units of prices and energies.

They are judged by stored values of the same series, and by bounds of markets and homes.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from luna.energy.part import PER_EURO, in_currency
from luna.energy.timeline import FloatArray

# Harmonised limits of day-ahead clearing prices, -500 and 4,000 EUR/MWh, with a margin for taxes
# and fees. Source: ACER decision 01-2023.
LOWEST_PRICE_EUR = -1.0
HIGHEST_PRICE_EUR = 6.0
# Markets that may clear higher than Europe's, currency/kWh, with a margin for taxes and fees.
# Source: AEMC, market price cap of 2025-26, 20,300 AUD/MWh; New Zealand's Electricity Industry
# Participation Code, scarcity prices up to 20,000 NZD/MWh; ERCOT, 9,000 USD/MWh in February 2021.
_HIGHEST_PRICES = {"AUD": 30.0, "NZD": 30.0, "USD": 12.0}
# Ten times the harmonised limit, which rises in steps: only a wrong unit exceeds it.
ABSURD_PRICE_EUR = 40.0
# The highest median of a day so far was 0.9 EUR/kWh (Finland, 5 January 2024).
DEAREST_DAY_EUR = 1.5
# Weeks of plentiful hydropower cost next to nothing, until the weather changes.
LEAST_KNOWN_EUR = 0.1
# Share of the prices → factor over the last weeks' 99 % quantile that they exceed in a wrong unit.
# In the right one not even the coldest day did.
PRICE_TIMES = {0.5: 5.0, 0.1: 10.0}
USUAL_SHARE = 0.99
# A cheap day in EUR/MWh looks like a usual one in ct/kWh; beyond this factor only EUR/MWh remains.
CENTS_TIMES = 100.0
# Watt-hours are a factor of 1,000; a new car and heat pump in a flat a factor of ten.
ENERGY_TIMES = 10.0
# More than a connection of 3 × 63 A carries, and less than watt-hours of the smallest flat read as
# kilowatt-hours.
HOME_POWER_KW = 45.0
# A site with more usual power has a connection limit set; a home's watt-hours read as
# kilowatt-hours exceed it.
USUAL_POWER_KW = 300.0
# Rated powers, meters and forecasts differ by a smaller factor.
FAR_BEYOND = 3.0
# Fewest stored slots (a day), and fewest judged rows (half a day of hours).
FEWEST_KNOWN = 96
FEWEST_JUDGED = 12
# Per quarter-hour: meters of both directions round a few watt-hours below zero, and inverters use a
# few at night.
ENERGY_ROUNDING_KWH = 0.005


@dataclass(frozen=True, slots=True)
class UnitDoubt:
    """A doubt about the unit in which values were read.

    Args:
        share: share of the values with a magnitude of at least ``value``.
        value: magnitude, in the unit as read.
        known: reference value, in the same unit.
        basis: of the reference: ``stored``: the 99 % quantile of the last weeks' values; ``field``:
            bounds of markets.
        units: those in which the values would be usual.
    """

    share: float
    value: float
    known: float
    basis: Literal["stored", "field"]
    units: tuple[str, ...]

    @property
    def times(self) -> float:
        """Ratio of the value to the reference."""
        return self.value / self.known


def doubt_prices(price: FloatArray, stored: FloatArray, currency: str) -> UnitDoubt | None:
    """Return a doubt that prices are in currency/kWh; None where they are plausible.

    Args:
        price: currency/kWh, as read; NaN where unknown.
        stored: the last weeks' prices of the same series; NaN where unknown.
        currency: ISO 4217; for one that ``PER_EURO`` lacks only the stored prices are compared.
    """
    distance = np.abs(price[np.isfinite(price)])
    scale = PER_EURO.get(currency)
    if distance.size < FEWEST_JUDGED:
        return None
    usual = find_usual(stored)
    if usual is not None:
        compared = max(usual, LEAST_KNOWN_EUR * (scale or 0.0))
        for share, times in PRICE_TIMES.items():
            value = float(np.quantile(distance, 1.0 - share))
            if value > times * compared > 0.0:
                return UnitDoubt(
                    share, value, compared, "stored", _suspect_units(currency, value / compared)
                )
        return None
    middle = float(np.median(distance))
    if scale is None or middle <= DEAREST_DAY_EUR * scale:
        return None
    return UnitDoubt(
        0.5,
        middle,
        DEAREST_DAY_EUR * scale,
        "field",
        _suspect_units(currency, middle / (DEAREST_DAY_EUR * scale)),
    )


def doubt_energies(kwh: FloatArray, stored_kwh: FloatArray, *, hours: float) -> UnitDoubt | None:
    """Return a doubt that energies are in kWh; None where they are plausible.

    Args:
        kwh: per slot, as read; NaN where unknown.
        stored_kwh: the last weeks' energies of the same series, in slots of the same length; NaN
            where unknown.
        hours: length of a slot.
    """
    used = kwh[np.isfinite(kwh) & (kwh > 0.0)]
    usual = find_usual(stored_kwh)
    if used.size < FEWEST_JUDGED or usual is None or usual <= 0.0:
        return None
    middle = float(np.median(used))
    doubted = middle > ENERGY_TIMES * usual and middle > HOME_POWER_KW * hours
    return UnitDoubt(0.5, middle, usual, "stored", ("Wh",)) if doubted else None


def find_usual(stored: FloatArray) -> float | None:
    """Return the 99 % quantile of the stored values' magnitudes.

    None where less than a day is stored.
    """
    distance = np.abs(stored[np.isfinite(stored)])
    return float(np.quantile(distance, USUAL_SHARE)) if distance.size >= FEWEST_KNOWN else None


def absurd_price(currency: str) -> float:
    """Return the price, currency/kWh, that only a wrong unit exceeds.

    For a currency that ``PER_EURO`` lacks the highest such bound.
    """
    return in_currency(ABSURD_PRICE_EUR, currency)


def possible_prices(currency: str) -> tuple[float, float] | None:
    """Return the lowest and the highest price that a market can reach, currency/kWh.

    None for a currency that ``PER_EURO`` lacks.
    """
    scale = PER_EURO.get(currency)
    if scale is None:
        return None
    highest = _HIGHEST_PRICES.get(currency, HIGHEST_PRICE_EUR * scale)
    return LOWEST_PRICE_EUR * scale, highest


def _suspect_units(currency: str, times: float) -> tuple[str, ...]:
    return (f"{currency}/MWh",) if times > CENTS_TIMES else (f"{currency}/MWh", "ct/kWh")
