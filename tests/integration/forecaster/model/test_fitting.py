from collections.abc import Callable
from functools import partial

import numpy as np
import pytest

from luna.energy.outlook import LEVELS
from services.forecaster.inputs.forecast_series import EVERY_SERIES
from services.forecaster.inputs.frame import frame_series, number_slot
from services.forecaster.model.aurora import (
    BASELINES,
    FittedSeries,
    Rows,
    expect_weights,
    grow_rows,
    judge_trees,
    learn_series,
    sample_rows,
)
from services.forecaster.model.stacking import SIDES, band_of
from services.forecaster.model.trees import Trees
from tests.support.household.measurements import QUICK, day, describe_site, measure_days

DAYS = 60


def take_rows(name: str) -> Rows:
    series = next(each for each in EVERY_SERIES if each.name == name)
    frame = frame_series(
        measure_days(DAYS), describe_site(), first=number_slot(day(0)), last=number_slot(day(DAYS))
    )
    rows = sample_rows(frame, series, QUICK.rows, np.random.default_rng(0))
    assert rows is not None
    return rows


def grow_of(name: str) -> Callable[[Rows], Trees]:
    return partial(grow_rows, name, settings=QUICK.trees, seed=0, threads=1)


@pytest.fixture(scope="module", params=["load", "pv"])
def fitted(request: pytest.FixtureRequest) -> FittedSeries:
    return learn_series(request.param, take_rows(request.param), grow_of(request.param))


def test_no_baseline_is_better_on_the_rows_that_were_judged(fitted: FittedSeries) -> None:
    rows = fitted.judged
    centre = fitted.judged.view.members["centre"]
    baselines = [centre[name] for name in BASELINES if name in centre]
    for band in np.unique(band_of(rows.lead)):
        chosen = band_of(rows.lead) == band
        actual = rows.actual_kwh[chosen]
        assert (
            np.abs(actual - fitted.heads.p50[chosen]).mean()
            <= min(np.abs(actual - each[chosen]).mean() for each in baselines) + 1e-12
        )
        assert ((actual - fitted.heads.expected[chosen]) ** 2).mean() <= min(
            ((actual - each[chosen]) ** 2).mean() for each in baselines
        ) + 1e-12
    best = min(value for name, value in fitted.metrics.items() if name.startswith("mae_kwh."))
    assert fitted.metrics["mae_kwh"] == pytest.approx(
        best * fitted.metrics["mae_over_best_baseline"]
    )
    assert all(value <= 1 + 1e-9 for name, value in fitted.metrics.items() if "over_best" in name)


def test_every_quantile_beside_the_median_holds_its_share_of_the_judged_rows(
    fitted: FittedSeries,
) -> None:
    held = (fitted.judged.actual_kwh <= fitted.heads.quantiles).mean(axis=1)
    assert held[SIDES != 0] == pytest.approx(LEVELS[SIDES != 0], abs=0.02)


def test_trees_are_judged_on_what_comes_after_all_they_know() -> None:
    grown: list[Rows] = []

    def note(rows: Rows) -> Trees:
        grown.append(rows)
        return grow_of("load")(rows)

    judged, _ = judge_trees(take_rows("load"), note)
    assert [int(rows.quarter.max()) for rows in grown] == [1, 2]
    assert judged.quarter.min() == 2


def test_what_is_expected_of_a_blend_before_it_is_learned_sums_to_one() -> None:
    weights = expect_weights(["trees", "mean", "pool_7", "pool_20"])
    assert weights.sum() == pytest.approx(1)
    assert weights[2] == weights[3] > weights[0] > weights[1] > 0
