"""What a form changes of a refused row."""

import pytest

from luna.energy.errors import InvalidInputError
from services.api.pages.data import read_corrections


def test_a_number_that_was_refused_for_its_comma_is_taken_as_it_is_typed() -> None:
    assert read_corrections(
        {"value:load_kwh": "0,4", "value:pv_kwh": "0,2"}, {"load_kwh": "0,4", "pv_kwh": "0.2"}
    ) == {"load_kwh": 0.4}


def test_what_is_shown_with_a_comma_and_left_so_is_no_change() -> None:
    with pytest.raises(InvalidInputError, match="no value"):
        read_corrections(
            {"value:load_kwh": "-0,4", "value:pv_kwh": "", "value:at": "noon"},
            {"load_kwh": -0.4, "pv_kwh": None, "at": "noon"},
        )
