import numpy as np
import pytest

from luna.energy.timeline import SLOTS_PER_DAY
from services.forecaster.inputs.frame import Pairs
from services.forecaster.inputs.gaps import fill_gaps
from services.forecaster.inputs.view import Days, Windows, recall_days


def pairs(*rows: tuple[int, int]) -> Pairs:
    return Pairs(*(np.array(column, dtype=np.int64) for column in zip(*rows, strict=True)))


def test_recalls_the_same_slot_of_the_days_before_newest_first() -> None:
    values = np.arange(10 * SLOTS_PER_DAY, dtype=float)
    recalled = recall_days(values, pairs((480, 490)), 3)
    assert recalled.tolist() == [[490 - 96, 490 - 192, 490 - 288]]


def test_a_target_beyond_one_day_recalls_from_before_the_origin() -> None:
    recalled = recall_days(np.arange(960.0), pairs((480, 480 + 100)), 2)
    # One day back would be slot 484, which is not known yet at 480.
    assert recalled.tolist() == [[580 - 192, 580 - 288]]


def test_a_smoothed_slot_is_unknown_while_its_neighbours_lie_ahead() -> None:
    recalled = recall_days(np.arange(960.0), pairs((480, 480 + 95)), 2, reach=2)
    # 480 + 95 − 96 = 479: known itself, but its mean reaches to 481.
    assert np.isnan(recalled[0, 0])
    assert recalled[0, 1] == 383


def test_days_follow_the_clock_over_its_change() -> None:
    slots = np.arange(960)
    # The clock goes forward by an hour at slot 480: local time is four slots further from there on.
    local = slots + 4 * (slots >= 480)
    recalled = recall_days(slots.astype(float), pairs((500, 510)), 1, local_slot=local)
    assert recalled[0, 0] == 510 + 4 - 96


def test_statistics_leave_gaps_out() -> None:
    days = Days.of(np.array([[1.0, np.nan, 3.0], [np.nan, np.nan, np.nan]]))
    assert days.count.tolist() == [2, 0]
    assert days.mean[0] == 2
    assert days.quantile(0.25)[0] == pytest.approx(1.5)
    assert np.isnan([days.mean[1], days.quantile(0.5)[1]]).all()


def test_window_means_equal_the_plain_mean_of_what_is_known() -> None:
    values = np.array([1.0, np.nan, 3.0, 4.0])
    windows = Windows.of(values)
    assert windows.mean(np.array([4, 3, 1, 0]), 2).tolist()[:3] == [3.5, 3.0, 1.0]
    assert np.isnan(windows.mean(np.array([0]), 2)[0])


def test_gaps_are_filled_from_the_first_substitute_that_knows() -> None:
    assert fill_gaps(
        np.array([np.nan, np.nan, 1.0]), np.array([5.0, np.nan, 5.0]), 7.0
    ).tolist() == [5, 7, 1]
