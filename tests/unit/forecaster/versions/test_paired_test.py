import numpy as np
import pytest
from scipy import stats

from services.forecaster.scoring import assess_gain

GAIN = np.array([0.3, -0.1, 0.4, 0.2, 0.0, 0.5, -0.2, 0.3, 0.1, 0.4, 0.2, -0.1, 0.3, 0.2])


def test_where_days_do_not_overlap_it_is_the_paired_t_test() -> None:
    # Harvey, Leybourne and Newbold's factor for one step ahead, (n − 1) / n, turns the variance
    # over n into that over n − 1.
    assert assess_gain(GAIN, overlap=0).p_value == pytest.approx(
        stats.ttest_1samp(GAIN, 0, alternative="greater").pvalue
    )


def test_the_statistic_is_what_the_papers_say() -> None:
    # Covariances of 1, 2, 4, 1 around 2: (1+0+4+1)/4 = 1.5; lag 1 (0+0−2)/4 = −0.5; lag 2 (−2+0)/4
    # = −0.5. Variance 1.5 + 2·(2/3)(−0.5) + 2·(1/3)(−0.5) = 0.5. (4 + 1 − 6 + 6/4) / 4 = 0.125: the
    # statistic is 2 / √(0.5/4) · √0.125 = 2.
    assert assess_gain(np.array([1.0, 2.0, 4.0, 1.0])).p_value == pytest.approx(stats.t.sf(2.0, 3))


def test_a_gain_and_its_negative_are_as_sure_of_the_opposite() -> None:
    assert assess_gain(GAIN).p_value + assess_gain(-GAIN).p_value == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("gain", "p_value"),
    [(0.1, 0.0), (0.0, 0.5), (-0.1, 1.0)],
    ids=["always better", "the same", "always worse"],
)
def test_a_gain_that_never_varies_is_certain(gain: float, p_value: float) -> None:
    assert assess_gain(np.full(14, gain)).p_value == pytest.approx(p_value)


def test_fewer_than_five_in_a_hundred_equal_versions_pass_though_days_go_together() -> None:
    rng = np.random.default_rng(1)
    noise = rng.standard_normal((2000, 18))
    gains = noise[:, 2:] + 0.7 * noise[:, 1:-1] + 0.4 * noise[:, :-2]
    assert np.mean([assess_gain(gain).p_value < 0.02 for gain in gains]) < 0.06
