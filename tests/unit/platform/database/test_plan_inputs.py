"""Complete requests in bytes: what is read is what was written, to the last digit."""

import json
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from luna.contracts.plan import PlanRequest, ScenariosMessage
from luna.contracts.plan.request_bytes import parse_inputs, write_inputs
from tests.support.planning.requests import describe_request
from tests.support.suite.tables import each_row

SLOTS = 8
COURSES = np.round(np.random.default_rng(5).gamma(2.0, 0.1, (3, SLOTS)), 4)
BATTERY = {"capacity_kwh": 10, "charge_limit_kw": 5, "discharge_limit_kw": 5}
SUN = {"pv_kwh": [0.0] * SLOTS}
# Fits in two bytes, in four, in none of them.
LOADS = {
    "whole": COURSES,
    "large": COURSES * 1e4,
    "minus zero": -0.0 * COURSES,
    "any digits": COURSES / 3,
}


def make_request(load: np.ndarray, **more: Any) -> PlanRequest:
    courses = {"probability": [0.2] * 3, "load_kwh": load.tolist(), "pv_kwh": [SUN["pv_kwh"]] * 3}
    outlook = {
        "load_kwh": [1 / 3] * SLOTS,
        "import_price": [0.1, -0.0] * 4,
        "export_price": [0.02] * SLOTS,
        **SUN,
        "errors": courses,
        **more,
    }
    return PlanRequest.model_validate(
        describe_request({"batteries": [BATTERY]}, outlook, soc=0.5, slot_minutes=15)
    )


@each_row("load", LOADS.values(), ids=LOADS.keys())
def test_what_is_read_is_what_a_document_would_say(load: np.ndarray) -> None:
    request = make_request(
        load,
        load_p10_kwh=[0.1] * SLOTS,
        scenarios={"probability": [0.5], "load_kwh": load[:1].tolist(), "pv_kwh": [SUN["pv_kwh"]]},
    )
    document = request.model_dump_json(by_alias=True)
    read = parse_inputs(write_inputs(request))
    # As text: -0.0 and 0.0 are equal, and not the same.
    assert json.dumps(read, sort_keys=True) == json.dumps(json.loads(document), sort_keys=True)
    assert PlanRequest.model_validate(read) == request
    assert parse_inputs(document.encode()) == read


def test_courses_of_unlike_length_and_numbers_that_are_no_energies_are_refused() -> None:
    with pytest.raises(ValidationError, match="1 to 2 values"):
        ScenariosMessage.model_validate(
            {"probability": [0.5, 0.5], "load_kwh": [[1.0], [1.0, 2.0]], "pv_kwh": [[1.0], [1.0]]}
        )
    for wrong in (np.array([[-1.0]]), np.array([[np.nan]]), np.array([1.0])):
        with pytest.raises(ValidationError, match="not between 0"):
            ScenariosMessage(probability=[0.5], load_kwh=wrong, pv_kwh=np.ones((1, 1)))
