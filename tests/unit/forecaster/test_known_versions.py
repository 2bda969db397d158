from typing import get_args

import pytest

from luna.energy.errors import InvalidInputError
from luna.energy.site import ForecastVersion, parse_site
from services.forecaster.forecast_issue import KNOWN_VERSIONS


def test_a_site_may_pin_what_the_forecaster_offers() -> None:
    assert set(get_args(ForecastVersion)) == set(KNOWN_VERSIONS)


def test_a_pin_of_an_unknown_version_is_refused_with_those_there_are() -> None:
    with pytest.raises(InvalidInputError, match="baseline_7_day_median") as caught:
        parse_site(
            {
                "name": "home",
                "timezone": "UTC",
                "forecasting": {"active_forecast_version": "aurora_v9"},
            }
        )
    assert caught.value.field == "site.forecasting.active_forecast_version"
