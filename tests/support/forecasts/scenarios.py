"""Forecasts, past errors and prices for tests of scenarios, made up from a seed."""

from datetime import UTC, datetime

import numpy as np

from luna.energy.outlook import SHARES, Forecast, Quantiles
from luna.energy.timeline import SLOT, FloatArray, Timeline, floor_to
from services.forecaster.scenarios.past_error import ErrorHistory

ISSUED_AT = datetime(2024, 5, 6, 10, 7, tzinfo=UTC)
SLOTS = 192
LIMIT_KWH = 1.25


def describe_energy(rng: np.random.Generator, *, dark: slice = slice(0, 0)) -> Quantiles:
    """Return ordered quantiles whose expected value is that of straight lines between them, zero in
    the ``dark`` slots.
    """
    inner = np.sort(rng.gamma(2, 0.1, (SLOTS, len(SHARES))), axis=1)
    inner[dark] = 0
    return Quantiles(inner.mean(axis=1), *inner.T)


def describe_forecast(rng: np.random.Generator, issued_at: datetime = ISSUED_AT) -> Forecast:
    """Return a forecast of two days; PV is nothing in the first and last 20 slots."""
    pv = describe_energy(rng, dark=slice(0, 20)).map(
        lambda part: np.where(np.arange(SLOTS) < SLOTS - 20, np.minimum(part, LIMIT_KWH), 0.0)
    )
    return Forecast(
        Timeline(floor_to(issued_at, SLOT), SLOT, SLOTS),
        issued_at,
        "aurora_v1.0",
        describe_energy(rng),
        pv,
    )


def describe_errors(rng: np.random.Generator, days: int = 42) -> ErrorHistory:
    """Return past errors that have nothing in common from slot to slot."""
    return ErrorHistory(
        np.arange(2, 2 + days), rng.random((days, SLOTS)), rng.random((days, SLOTS)), LIMIT_KWH
    )


def describe_prices(timeline: Timeline, *, seed: int = 1) -> FloatArray:
    """Return prices with a daily rhythm, cheaper weekends and noise of hours, some below zero."""
    rng = np.random.default_rng(seed)
    number = timeline.starts.astype("datetime64[m]").astype(np.int64) // 15
    quarter = number % 96
    day = number // 96
    noise = np.repeat(rng.normal(0, 0.015, timeline.count // 4 + 1), 4)[: timeline.count]
    level: FloatArray = (
        0.06 - 0.07 * np.exp(-((quarter - 52) ** 2) / 200) - 0.02 * (day % 7 >= 5) + noise
    )
    return level
