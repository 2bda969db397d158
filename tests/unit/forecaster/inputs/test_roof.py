"""A roof that grows is noticed, and what it yielded before is scaled."""

from datetime import timedelta

import numpy as np
import pytest

from luna.energy.timeline import SLOT
from services.forecaster.inputs.roof import find_growth
from services.forecaster.inputs.solar import limit_output
from tests.support.forecasts.faulty_days import change, grow_roof
from tests.support.household.measurements import ROOF, START, day, describe_site, measure_days
from tests.support.suite.tables import each_row

SITE = describe_site()


def test_a_second_array_is_found_with_its_day_and_size() -> None:
    growth = find_growth(grow_roof(measure_days(60), day(45), 2.0), SITE, before=day(60))
    assert growth is not None
    # The first bright day after the change; the sky of the made-up household is bright every other
    # day.
    assert (
        timedelta(0)
        <= growth.since.astype("O").replace(tzinfo=START.tzinfo) - day(45)
        <= timedelta(days=4)
    )
    assert growth.factor == pytest.approx(2.0, rel=0.15)


def test_what_a_smaller_roof_yielded_is_scaled_and_the_rest_stays() -> None:
    history = grow_roof(measure_days(60), day(45), 2.0)
    growth = find_growth(history, SITE, before=day(60))
    assert growth is not None
    scaled = growth.scale(history)
    assert (scaled.pv_kwh[50 * 96 :] == history.pv_kwh[50 * 96 :]).all()
    assert scaled.pv_kwh[: 40 * 96].sum() == pytest.approx(
        history.pv_kwh[: 40 * 96].sum() * growth.factor
    )


def test_arrays_whose_peak_nobody_corrected_are_enlarged_to_what_they_yield() -> None:
    history = grow_roof(measure_days(60), day(45), 2.0)
    growth = find_growth(history, SITE, before=day(60))
    assert growth is not None
    assert limit_output(growth.enlarge(SITE)) == pytest.approx(growth.top_kwh)
    assert growth.enlarge(describe_site(pv=[ROOF | {"peak_kw": 12}])).pv[0].peak_kw == 12


def test_arrays_where_there_were_none_make_the_time_before_unknown() -> None:
    growth = find_growth(
        change(measure_days(60), day(0), day(45), {"pv_kwh": 0.0}), SITE, before=day(60)
    )
    assert growth is not None
    assert np.isnan(growth.scale(measure_days(60)).pv_kwh[: 44 * 96]).all()


@each_row("seed", range(4))
def test_a_year_of_clouds_is_no_growth(seed: int) -> None:
    history = measure_days(365, seed=seed)
    assert find_growth(history, SITE, before=day(365)) is None


def test_one_wrong_reading_is_no_growth() -> None:
    history = change(measure_days(60), day(45), day(46), {"pv_kwh": 2.0})
    assert find_growth(history, SITE, before=day(60)) is None


def test_growth_is_not_known_before_it_is_seen() -> None:
    history = grow_roof(measure_days(60), day(45), 2.0)
    assert find_growth(history, SITE, before=day(45) + SLOT) is None


def test_a_site_without_history_has_not_grown() -> None:
    assert find_growth(measure_days(1), SITE, before=START) is None
