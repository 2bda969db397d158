import numpy as np
import pytest

from luna.energy.outlook import SHARES, Quantiles
from services.forecaster.inputs.solar import estimate_clear_sky
from services.forecaster.model.baseline import BASELINES, Baseline
from tests.support.household.measurements import day, describe_site, measure_days
from tests.support.suite.tables import each_row

SITE = describe_site()
HISTORY = measure_days(30)
SLOT = 40  # half past ten by the clock of UTC, on the day of the issue


def issue(version: str, **site: object) -> tuple[Quantiles, Quantiles]:
    forecast = Baseline(version, describe_site(**site)).issue_many(HISTORY, [day(20)]).forecast(0)
    return forecast.load_kwh, forecast.pv_kwh


def last_week(values: np.ndarray) -> np.ndarray:
    """What the slot held on the seven days before the issue."""
    return values[: 20 * 96].reshape(20, 96)[-7:, SLOT]


def test_the_quantiles_are_those_of_the_seven_days_around_their_centre() -> None:
    load, pv = issue("baseline_7_day_median")
    for forecast, days in ((load, last_week(HISTORY.load_kwh)), (pv, last_week(HISTORY.pv_kwh))):
        told = [getattr(forecast, name)[SLOT] for name in SHARES]
        assert told == pytest.approx(np.quantile(days, [*SHARES.values()]).tolist())


def test_the_seasonal_naive_repeats_the_last_day_within_the_quantiles_of_the_week() -> None:
    load, _ = issue("seasonal_naive")
    days = last_week(HISTORY.load_kwh)
    assert load.p50[SLOT] == days[-1]
    assert load.p05[SLOT] == pytest.approx(min(np.quantile(days, 0.05), days[-1]))
    assert load.p95[SLOT] == pytest.approx(max(np.quantile(days, 0.95), days[-1]))


def test_clear_sky_scaling_scales_its_quantiles_as_well() -> None:
    _, pv = issue("baseline_clear_sky")
    sky = estimate_clear_sky(HISTORY.starts, SITE)
    shares = last_week(HISTORY.pv_kwh) / last_week(sky)
    today = sky[20 * 96 + SLOT]
    assert pv.p50[SLOT] == pytest.approx(shares.mean() * today)
    assert pv.p10[SLOT] == pytest.approx(np.quantile(shares, 0.1) * today)
    assert pv.p90[SLOT] == pytest.approx(np.quantile(shares, 0.9) * today)


@each_row("version", BASELINES)
def test_where_nothing_is_known_the_quantiles_are_wide_and_in_order(version: str) -> None:
    forecast = Baseline(version, SITE).issue_many(HISTORY, [day(0)]).forecast(0)
    for series in (forecast.load_kwh, forecast.pv_kwh):
        assert (np.diff([getattr(series, name) for name in SHARES], axis=0) >= 0).all()
        assert (series.p05 >= 0).all()
    assert (forecast.load_kwh.p95 > 2 * forecast.load_kwh.p50).all()
