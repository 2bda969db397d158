"""Reasons make bands wider, never narrower, and move nothing else."""

import numpy as np
import pytest

from luna.energy.outlook import SHARES
from luna.words.compromises import CONDITIONS
from services.forecaster.forecaster import Batch
from services.forecaster.input_quality import FACTORS, widen
from services.forecaster.inputs.solar import limit_output
from services.forecaster.model.baseline import Baseline
from tests.support.household.measurements import day, describe_site, measure_days
from tests.support.suite.tables import each_row

SITE = describe_site()


@pytest.fixture(scope="module")
def usual() -> Batch:
    return Baseline("baseline_7_day_avg", SITE).issue_many(measure_days(30), [day(30), day(30, 12)])


def test_every_code_has_words_and_a_width() -> None:
    # Blended sun is no forecast of this service, and has a band of its own.
    assert set(FACTORS) | {"pv_blended"} == set(CONDITIONS)


@each_row("code", FACTORS)
def test_no_reason_makes_a_band_narrower_or_moves_median_and_mean(usual: Batch, code: str) -> None:
    wide = widen(usual, [(code,), (code,)], SITE)
    for before, after in ((usual.load_kwh, wide.load_kwh), (usual.pv_kwh, wide.pv_kwh)):
        assert (after.p90 - after.p10 >= before.p90 - before.p10 - 1e-12).all()
        np.testing.assert_allclose(after.p50, before.p50)
        np.testing.assert_array_equal(after.expected, before.expected)


def test_quantiles_keep_their_order_and_pv_its_night_and_its_limit(usual: Batch) -> None:
    wide = widen(usual, [("pv_silent", "load_constant", "future_reading")] * 2, SITE)
    for quantiles in (wide.load_kwh, wide.pv_kwh):
        ordered = np.stack([getattr(quantiles, name) for name in SHARES])
        assert (np.diff(ordered, axis=0) >= 0).all()
        assert ordered.min() >= 0
    assert wide.pv_kwh.p95.max() <= limit_output(SITE)
    assert wide.pv_kwh.p95[0, :8].max() == 0


def test_a_band_without_width_gets_one(usual: Batch) -> None:
    exact = Batch(
        usual.version,
        usual.stage,
        usual.issued_at,
        usual.load_kwh.exact(usual.load_kwh.p50),
        usual.pv_kwh,
    )
    wide = widen(exact, [("load_constant",)] * 2, SITE)
    assert (wide.load_kwh.p90 > wide.load_kwh.p10).all()


def test_without_reasons_nothing_changes_but_that_somebody_looked(usual: Batch) -> None:
    same = widen(usual, [(), ()], SITE)
    assert same.reasons == [(), ()]
    np.testing.assert_allclose(same.load_kwh.p90, usual.load_kwh.p90)


def test_each_instant_is_widened_by_its_own_reasons(usual: Batch) -> None:
    wide = widen(usual, [(), ("load_gaps",)], SITE)
    np.testing.assert_allclose(wide.load_kwh.p90[0], usual.load_kwh.p90[0])
    assert (wide.load_kwh.p90[1] > usual.load_kwh.p90[1]).all()


def test_without_a_roof_pv_stays_nothing() -> None:
    bare = describe_site(pv=[])
    nothing = Baseline("seasonal_naive", bare).issue_many(measure_days(3), [day(3)])
    dark = nothing.pv_kwh.exact(np.zeros_like(nothing.pv_kwh.p50))
    wide = widen(
        Batch(nothing.version, nothing.stage, nothing.issued_at, nothing.load_kwh, dark),
        [("no_history",)],
        bare,
    )
    assert wide.pv_kwh.p95.max() == 0


def test_a_baseline_that_recalls_few_days_is_widened_more_than_a_model(usual: Batch) -> None:
    learned = Batch("aurora_v1.0", usual.stage, usual.issued_at, usual.load_kwh, usual.pv_kwh)
    few = [("short_history",)] * 2
    assert (widen(usual, few, SITE).load_kwh.p90 > widen(learned, few, SITE).load_kwh.p90).all()
