import numpy as np
import pytest

from services.forecaster.inputs.view import FeatureMatrix
from services.forecaster.model.recent_error_correction import (
    STEP_STARTS,
    learn_level,
    stack_signals,
    step_of,
)
from services.forecaster.model.stacking import spread_heads

ROWS = 12_000
SHARE = 0.4


def look(deviation: np.ndarray) -> FeatureMatrix:
    names = ("hour_deviation", "day_deviation")
    features = np.column_stack([deviation, np.zeros_like(deviation)]).astype(np.float32)
    return FeatureMatrix(
        features, np.ones(ROWS), {}, np.full(ROWS, 28), np.full(ROWS, np.inf), names
    )


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_what_stays_of_the_last_hour_is_learned_and_ends_with_its_reach(
    rng: np.random.Generator,
) -> None:
    deviation = rng.normal(0, 1, ROWS)
    lead = rng.integers(0, 192, ROWS)
    half = rng.random(ROWS) < 0.5
    view = look(deviation)
    flat = np.full(ROWS, 5.0)
    actual = 5 + SHARE * deviation * (lead < STEP_STARTS[-1]) + rng.normal(0, 0.2, ROWS)
    level = learn_level(
        "load", spread_heads(flat, flat, flat, flat), view, lead=lead, half=half, actual_kwh=actual
    )
    assert level.median[:-1, 0] == pytest.approx(SHARE, abs=0.06)
    assert level.mean[-1, 0] == 0


def test_what_says_nothing_moves_nothing_on_unseen_rows(rng: np.random.Generator) -> None:
    deviation = rng.normal(0, 1, ROWS)
    lead = rng.integers(0, 192, ROWS)
    half = rng.random(ROWS) < 0.5
    flat = np.full(ROWS, 5.0)
    level = learn_level(
        "load",
        spread_heads(flat, flat, flat, flat),
        look(deviation),
        lead=lead,
        half=half,
        actual_kwh=5 + rng.normal(0, 1, ROWS),
    )
    assert np.abs(level.median).max() < 0.1
    assert (level.median == 0).any()


def test_steps_begin_at_their_first_lead() -> None:
    assert step_of(np.array([0, 1, 2, 5, 24, 191])).tolist() == [0, 0, 1, 2, 5, 5]


def test_an_unknown_last_hour_is_no_signal() -> None:
    assert stack_signals("load", look(np.full(ROWS, np.nan))).max() == 0
