import numpy as np
import pytest

from luna.energy.outlook import Quantiles
from services.forecaster.scoring import measure_skill, score_quantiles


def forecast(p10: float, p50: float, p90: float, expected: float) -> Quantiles:
    return Quantiles(
        *(np.full((1, 4), value) for value in (expected, p10, p10, p50, p50, p50, p90, p90))
    )


def test_scores_are_what_the_definitions_say() -> None:
    actual = np.array([[0.0, 1.0, 2.0, np.nan]])
    score = score_quantiles(forecast(0.5, 1.0, 1.5, 1.0), actual, np.ones_like(actual, dtype=bool))
    assert score.mae == pytest.approx(2 / 3)
    assert score.rmse == pytest.approx(np.sqrt(2 / 3))
    # Errors to 0.5 are −0.5, 0.5, 1.5: as p05 they cost 0.475 + 0.025 + 0.075, as p10 0.45 + 0.05 +
    # 0.15. p25, p50 and p75 are 1.0, errors −1, 0, 1: 0.75 + 0.25 each of p25 and p75, 0.5 + 0.5 of
    # p50. p90 and p95 mirror p10 and p05.
    assert score.pinball == pytest.approx((0.575 + 0.65 + 1.0 + 1.0 + 1.0 + 0.65 + 0.575) / 21)
    assert score.coverage_80 == pytest.approx(1 / 3)
    assert score.slots == 3


def test_coverage_counts_only_the_chosen_slots() -> None:
    actual = np.array([[0.0, 1.0, 2.0, 1.0]])
    score = score_quantiles(
        forecast(0.5, 1.0, 1.5, 1.0), actual, np.array([[False, True, False, True]])
    )
    assert score.coverage_80 == 1


def test_nothing_measured_gives_no_score() -> None:
    score = score_quantiles(
        forecast(0, 0, 0, 0), np.full((1, 4), np.nan), np.ones((1, 4), dtype=bool)
    )
    assert score.slots == 0
    assert np.isnan(score.mae)


@pytest.mark.parametrize(
    ("mae", "reference", "skill"), [(0.5, 1.0, 0.5), (1.0, 1.0, 0.0), (0.0, 0.0, 0.0)]
)
def test_skill_is_the_share_of_the_references_error_that_is_gone(
    mae: float, reference: float, skill: float
) -> None:
    assert measure_skill(mae, reference) == skill
