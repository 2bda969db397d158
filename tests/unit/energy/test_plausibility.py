"""Prices and energies in another unit than they were read in, and those that are only unusual."""

from typing import Any

import numpy as np

from luna.energy.plausibility import doubt_energies, doubt_prices
from luna.energy.timeline import FloatArray
from tests.support.suite.tables import each_row

HOURS = np.arange(24)
# EUR/kWh: dear in the morning and the evening, cheap at noon; four weeks of it, the last of them
# dearest.
USUAL = 0.09 + 0.05 * np.cos((HOURS - 8) * np.pi / 6)
WEEKS = np.concatenate([USUAL * (1.0 + day / 28) for day in range(28)]).repeat(4)
WATER_POWER = np.full(2688, 0.004)
NOTHING = np.empty(0)
# EUR/MWh of a sunny Sunday: below zero at noon, 8 EUR in the evening; nothing of it is beyond what
# a kWh was ever quoted at.
CHEAP_DAY = np.array(
    [4, 3, 3, 2, 2, 3, 4, 3, 1, 0, -1, -3, -5, -5, -4, -2, 0, 2, 5, 7, 8, 7, 6, 5], dtype=np.float64
)


def cold(dearest: float) -> FloatArray:
    """A winter's day that is dear from morning to evening."""
    return np.where((HOURS > 5) & (HOURS < 21), dearest, dearest / 3)


@each_row(
    ("price", "stored", "currency", "units"),
    [
        (USUAL, WEEKS, "EUR", None),
        (USUAL, NOTHING, "EUR", None),
        (USUAL * 1_000, WEEKS, "EUR", ("EUR/MWh",)),
        (USUAL * 1_000, NOTHING, "EUR", ("EUR/MWh", "ct/kWh")),
        (USUAL * 100, WEEKS, "EUR", ("EUR/MWh", "ct/kWh")),
        (USUAL * 100, NOTHING, "EUR", ("EUR/MWh", "ct/kWh")),
        (CHEAP_DAY, WEEKS, "EUR", ("EUR/MWh", "ct/kWh")),
        (CHEAP_DAY, WATER_POWER, "EUR", ("EUR/MWh", "ct/kWh")),
        (CHEAP_DAY, NOTHING, "EUR", ("EUR/MWh", "ct/kWh")),
        (CHEAP_DAY / 1_000, WEEKS, "EUR", None),
        # Finland's dearest day, 1.9 EUR, after weeks of 0.3; the first usual day after weeks of
        # water power.
        (cold(1.9) * 0.7, WEEKS * 1.3, "EUR", None),
        (USUAL, WATER_POWER, "EUR", None),
        # Swedish prices are ten times as many crowns; of a currency that is not in the table only
        # what is stored speaks.
        (USUAL * 11, NOTHING, "SEK", None),
        (USUAL * 400, NOTHING, "HUF", None),
        (USUAL * 20, NOTHING, "ZAR", None),
        (USUAL * 20_000, NOTHING, "ZAR", ("ZAR/MWh", "ct/kWh")),
        (USUAL * 400, WEEKS * 400, "HUF", None),
        (USUAL * 400_000, WEEKS * 400, "HUF", ("HUF/MWh",)),
        # An evening's revision is a few prices, which a scarcity may explain.
        (np.array([5.0, 6.0]), WEEKS, "EUR", None),
        (np.full(24, np.nan), WEEKS, "EUR", None),
    ],
)
def test_prices_of_another_unit_are_told_from_dear_ones(
    price: FloatArray, stored: FloatArray, currency: str, units: Any
) -> None:
    doubt = doubt_prices(price, stored, currency)
    assert (doubt and doubt.units) == units


def test_a_doubt_names_what_it_compares() -> None:
    doubt = doubt_prices(CHEAP_DAY, np.full(96, -0.3), "EUR")
    # Half of the cheap day is at least 3 EUR from zero, ten times the 0.3 that are stored.
    assert doubt is not None
    assert (doubt.share, doubt.value, doubt.known, round(doubt.times), doubt.basis) == (
        0.5,
        3.0,
        0.3,
        10,
        "stored",
    )


@each_row(
    ("kwh", "stored", "doubted"),
    [
        # A flat of 60 W at night and 2 kW in the evening, and a car that is new to it; per
        # quarter-hour.
        (np.tile([15.0, 60.0, 500.0, 80.0], 6), np.tile([0.015, 0.06, 0.5, 0.08], 100), True),
        (np.full(24, 2.75), np.tile([0.015, 0.06, 0.2, 0.08], 100), False),
        (np.tile([15.0, 60.0, 500.0, 80.0], 6), NOTHING, False),
        (np.full(24, 500.0), np.full(400, 400.0), False),
        (np.zeros(24), np.full(400, 0.1), False),
        (np.full(24, 500.0), np.zeros(400), False),
    ],
)
def test_watt_hours_are_told_from_a_house_that_uses_more(
    kwh: FloatArray, stored: FloatArray, doubted: bool
) -> None:
    doubt = doubt_energies(kwh, stored, hours=0.25)
    assert (doubt is not None) == doubted
