"""A service's PV beside Luna's own load, and when the service is asked."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from luna.energy.outlook import SHARES, Forecast, Quantiles
from luna.energy.timeline import SLOT, FloatArray, Timeline
from services.ingest.pv_forecast import build_forecast
from services.ingest.pv_service import is_due
from services.ingest.sources.pv.estimate import PvEstimate
from services.ingest.sources.source import SourceError
from tests.support.suite.tables import each_row

NOW = datetime(2026, 6, 1, 5, 10, tzinfo=UTC)
AHEAD = Timeline(datetime(2026, 6, 1, 5, tzinfo=UTC), SLOT, 192)
PEAK_KW = 4.0


def fill(value: float) -> FloatArray:
    return np.full(192, value)


def describe_base(pv: Quantiles) -> Forecast:
    return Forecast(AHEAD, NOW - timedelta(minutes=9), "own", Quantiles.exact(fill(0.2)), pv)


BAND = Quantiles(
    expected=fill(0.42),
    p05=fill(0.1),
    p10=fill(0.2),
    p25=fill(0.3),
    p50=fill(0.4),
    p75=fill(0.5),
    p90=fill(0.6),
    p95=fill(0.7),
)
BASE = describe_base(BAND)
WHOLE = PvEstimate(fill(0.5), fill(0.3), fill(0.8))


def test_the_sun_is_the_services_and_the_load_luna_s_own() -> None:
    built = build_forecast("solcast", NOW, WHOLE, BASE, peak_kw=PEAK_KW)
    forecast = built.forecast
    assert built.faults == []
    assert (forecast.version, forecast.issued_at) == ("solcast", NOW)
    assert forecast.load_kwh is BASE.load_kwh
    pv = forecast.pv_kwh
    assert [pv.p10[0], pv.p50[0], pv.p90[0]] == [0.3, 0.5, 0.8]
    # 0.3 · 0.3 + 0.4 · 0.5 + 0.3 · 0.8
    assert pv.expected[0] == pytest.approx(0.53)
    # A normal distribution's quartiles lie 0.6745 / 1.2816 as far out as its outer tenths.
    assert [pv.p25[0], pv.p75[0]] == pytest.approx([0.5 - 0.5263 * 0.2, 0.5 + 0.5263 * 0.3])
    quantiles = np.array([getattr(pv, name) for name in SHARES])
    assert (np.diff(quantiles, axis=0) >= 0).all()
    assert (quantiles >= 0).all()


def test_a_service_without_a_band_has_the_relative_one_of_the_own_forecast() -> None:
    pv = build_forecast("x", NOW, PvEstimate(fill(0.8)), BASE, peak_kw=PEAK_KW).forecast.pv_kwh
    # Twice the own median, so twice its band.
    assert [pv.p10[0], pv.p50[0], pv.p90[0], pv.expected[0]] == pytest.approx([0.4, 0.8, 1.2, 0.84])
    dark = describe_base(Quantiles.exact(fill(0.0)))
    lit = build_forecast("x", NOW, PvEstimate(fill(0.8)), dark, peak_kw=PEAK_KW).forecast.pv_kwh
    assert [lit.p10[0], lit.p50[0], lit.p90[0]] == [0.8, 0.8, 0.8]


@each_row("absurd_kwh", [1.31, -0.01], ids=["above 1.3 times 4 kW", "below zero"])
def test_absurd_values_are_left_out_and_named(absurd_kwh: float) -> None:
    p50_kwh = fill(0.5)
    p50_kwh[7] = absurd_kwh
    built = build_forecast("x", NOW, PvEstimate(p50_kwh), BASE, peak_kw=PEAK_KW)
    assert built.forecast.pv_kwh.p50[6:9].tolist() == [0.5, 0.4, 0.5]
    (fault,) = built.faults
    assert fault.startswith("x: 1 quarter-hours")


def test_the_most_that_a_roof_may_give_is_kept() -> None:
    built = build_forecast("x", NOW, PvEstimate(fill(1.3)), BASE, peak_kw=PEAK_KW)
    assert built.faults == []
    assert (built.forecast.pv_kwh.p95 <= 1.3).all()


@each_row("known_hours", [0, 12, 23.75])
def test_less_than_a_day_is_a_fault(known_hours: float) -> None:
    p50_kwh = fill(0.5)
    p50_kwh[int(4 * known_hours) :] = np.nan
    with pytest.raises(SourceError):
        build_forecast("x", NOW, PvEstimate(p50_kwh), BASE, peak_kw=PEAK_KW)


def test_what_a_service_leaves_out_is_the_own_forecast() -> None:
    p50_kwh = fill(0.5)
    p50_kwh[96:] = np.nan
    pv = build_forecast("x", NOW, PvEstimate(p50_kwh), BASE, peak_kw=PEAK_KW).forecast.pv_kwh
    assert (pv.p50[95], pv.p50[96], pv.p90[96]) == (0.5, 0.4, 0.6)


def list_calls(*, every: timedelta, days: int) -> list[datetime]:
    """Return when a service is asked that always answers."""
    stored: list[datetime] = []
    now = datetime(2026, 3, 29, 0, 4, tzinfo=UTC)
    end = now + days * timedelta(days=1)
    while now < end:
        recent = [at for at in stored if at >= now - timedelta(days=1)]
        if is_due(recent, now=now):
            stored.append(now)
        now += every
    return stored


def test_eight_calls_a_day_and_one_in_the_hour_before_each_comparison() -> None:
    # On a day on which the clock changes as well: all is in UTC.
    calls = list_calls(every=timedelta(minutes=10), days=2)
    by_day = [sum(at.day == day for at in calls) for day in (29, 30)]
    assert by_day == [9, 8]  # the first is overdue at the start
    assert {5, 11, 17, 23} <= {at.hour for at in calls if at.day == 30}


def test_ten_stored_issues_of_a_day_are_its_last() -> None:
    midnight = datetime(2026, 6, 1, tzinfo=UTC)
    calls = [midnight + number * timedelta(minutes=1) for number in range(10)]
    assert not is_due(calls, now=midnight + timedelta(hours=12))
    assert is_due(calls[:9], now=midnight + timedelta(hours=12))
    assert is_due(calls, now=midnight + timedelta(hours=26))
