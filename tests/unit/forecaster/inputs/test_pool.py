import numpy as np
import pytest

from luna.energy.outlook import LEVELS
from luna.energy.timeline import SLOTS_PER_DAY
from services.forecaster.inputs.forecast_series import PART_ROWS, Kernel, Pool
from services.forecaster.inputs.frame import Pairs
from services.forecaster.inputs.view import MEMORY
from services.forecaster.model.stacking import MEDIAN

DAYS = 40
LOCAL = np.arange(DAYS * SLOTS_PER_DAY)  # 1970 began on a Thursday: day 32 is a Monday
EVEN = Kernel(reach=0, half_lives=(1e9,), other_day=1.0)


def pairs(*rows: tuple[int, int]) -> Pairs:
    return Pairs(*(np.array(column, dtype=np.int64) for column in zip(*rows, strict=True)))


def slot(day: int, slot_of_day: int = 50) -> int:
    return day * SLOTS_PER_DAY + slot_of_day


def test_an_even_pool_holds_the_quantiles_of_the_recalled_days() -> None:
    values = np.random.default_rng(0).gamma(2, 0.1, LOCAL.size)
    pool = Pool.of(values, pairs((slot(35), slot(35))), EVEN, LOCAL)
    recalled = np.sort(values.reshape(DAYS, SLOTS_PER_DAY)[35 - MEMORY : 35, 50])
    # The least of 28 values below or at which a share of them lies, for 0.05 the second (2/28 =
    # 0.071), for the median the 14th.
    np.testing.assert_allclose(
        pool.quantiles[0, :, 0], recalled[np.ceil(LEVELS * MEMORY).astype(int) - 1]
    )
    assert pool.mean[0, 0] == pytest.approx(recalled.mean())


def test_a_short_half_life_believes_the_last_days() -> None:
    rising = np.repeat(np.arange(DAYS, dtype=float), SLOTS_PER_DAY)
    short, long = Pool.of(
        rising, pairs((slot(35), slot(35))), Kernel(2, (1.0, 1e9), 1.0), LOCAL
    ).mean[:, 0]
    # Days 34, 33, … weigh 1, ½, …: 34 − 1 in the mean; without fading (34 + 7) / 2.
    assert short == pytest.approx(33, abs=1e-3)
    assert long == pytest.approx(20.5)


def test_a_working_day_is_pooled_from_working_days() -> None:
    weekend = (np.arange(DAYS) + 3) % 7 >= 5
    values = np.repeat(np.where(weekend, 5.0, 1.0), SLOTS_PER_DAY)
    monday = Pool.of(values, pairs((slot(32), slot(32))), Kernel(1, (1e9,), 0.0), LOCAL)
    assert monday.mean[0, 0] == pytest.approx(1)
    assert Pool.of(values, pairs((slot(37), slot(37))), Kernel(1, (1e9,), 0.0), LOCAL).mean[
        0, 0
    ] == pytest.approx(5)


def test_nothing_at_or_after_the_origin_is_pooled() -> None:
    values = np.where(slot(35, 40) > LOCAL, 1.0, 100.0)
    targets = [(slot(35, 40), slot(35, 40) + lead) for lead in (0, 1, 95, 96, 97, 191)]
    assert Pool.of(values, pairs(*targets), Kernel(2, (7.0,), 0.5), LOCAL).quantiles.max() == 1


def test_gaps_are_left_out_and_nothing_known_is_unknown() -> None:
    values = np.full(LOCAL.size, 2.0)
    values[: slot(30)] = np.nan
    pool = Pool.of(values, pairs((slot(35), slot(35)), (slot(20), slot(20))), EVEN, LOCAL)
    assert pool.quantiles[0, MEDIAN, 0] == 2
    assert np.isnan(pool.quantiles[0, :, 1]).all()
    assert np.isnan(pool.mean[0, 1])


def test_days_follow_the_clock_over_its_change() -> None:
    # The clock goes forward by an hour at the start of day 34: what stood at slot 54 stands at 50
    # from there on.
    values = np.tile(np.arange(SLOTS_PER_DAY, dtype=float), DAYS)
    local = LOCAL + 4 * (slot(34, 0) <= LOCAL)
    pool = Pool.of(values, pairs((slot(35, 50), slot(35, 50))), Kernel(0, (0.1,), 1.0), local)
    assert pool.quantiles[0, MEDIAN, 0] == 50
    assert (
        Pool.of(
            values, pairs((slot(34, 50), slot(34, 50))), Kernel(0, (0.1,), 1.0), local
        ).quantiles[0, MEDIAN, 0]
        == 54
    )


def test_many_rows_are_pooled_as_each_is_alone() -> None:
    values = np.random.default_rng(1).gamma(2, 0.1, LOCAL.size)
    origin = np.repeat(np.arange(slot(30, 0), slot(36, 0), 48), 192)
    rows = Pairs(origin, origin + np.tile(np.arange(192), origin.size // 192))
    kernel = Kernel(1, (3.0, 20.0), 0.25)
    whole = Pool.of(values, rows, kernel, LOCAL)
    # At the ends of the parts that are worked on at once, and of the rows.
    for row in (0, PART_ROWS - 1, PART_ROWS, 2 * PART_ROWS, origin.size - 1):
        alone = Pool.of(values, rows.select(np.arange(origin.size) == row), kernel, LOCAL)
        np.testing.assert_array_equal(whole.mean[:, row], alone.mean[:, 0])
        np.testing.assert_array_equal(whole.quantiles[:, :, row], alone.quantiles[:, :, 0])
    assert whole.mean.shape == (2, origin.size)


def test_origins_that_look_at_the_same_target_pool_what_each_alone_knows() -> None:
    values = np.random.default_rng(2).gamma(2, 0.1, LOCAL.size)
    reaching = Kernel(2, (3.0, 20.0), 0.25)
    # Two days over a change of the clock, from every quarter-hour: one knows all that lies around
    # the newest recalled slot, another nothing of it.
    clock = LOCAL + 4 * (slot(34, 12) <= LOCAL)
    asked = [
        (target - lead, target)
        for target in (slot(34, 30), slot(35, 10))
        for lead in range(2 * SLOTS_PER_DAY)
    ]
    together = Pool.of(values, pairs(*asked), reaching, clock)
    alone = [Pool.of(values, pairs(each), reaching, clock) for each in asked]
    np.testing.assert_array_equal(
        together.mean, np.concatenate([each.mean for each in alone], axis=1)
    )
    np.testing.assert_array_equal(
        together.quantiles, np.concatenate([each.quantiles for each in alone], axis=2)
    )
