"""The inputs of forecasts go when nobody holds them, without the collector of cycles."""

import gc
import weakref
from collections.abc import Iterator

import numpy as np
import pytest

from services.forecaster.forecaster import HORIZON_SLOTS
from services.forecaster.inputs.context import NO_CONTEXT, Context, Vacation
from services.forecaster.inputs.forecast_series import OriginViews
from services.forecaster.model.baseline import BASELINES, Baseline
from tests.support.household.measurements import day, describe_site, measure_days
from tests.support.suite.tables import each_row

SITE = describe_site()
HISTORY = measure_days(10)
AWAY = Context(
    vacation=Vacation(
        np.array([day(2).replace(tzinfo=None)], dtype="datetime64[us]"), np.array([1.0])
    )
)


@pytest.fixture(autouse=True)
def no_collector() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


@each_row("context", [NO_CONTEXT, AWAY])
def test_views_of_origins_are_freed_once_all_versions_are_issued(context: Context) -> None:
    views = OriginViews.of(HISTORY, SITE, [day(8)], HORIZON_SLOTS, context=context)
    for version in BASELINES:
        Baseline(version, SITE).issue_from_views(views)
    seen = weakref.ref(views)
    del views
    assert seen() is None
