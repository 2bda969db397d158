"""A household of two months and a half, and what was learned from most of it."""

import pytest

from luna.energy.observations import Observations
from services.forecaster.model.aurora import Aurora, train
from tests.support.household.measurements import QUICK, day, describe_site, measure_days


@pytest.fixture(scope="session")
def history() -> Observations:
    return measure_days(75)


@pytest.fixture(scope="session")
def aurora(history: Observations) -> Aurora:
    return train(history, site=describe_site(), until=day(65), settings=QUICK)
