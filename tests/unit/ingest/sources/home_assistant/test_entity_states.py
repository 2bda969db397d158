import math

import numpy as np
import pytest

from services.ingest.sources.home_assistant.entity_states import parse_history, parse_state
from services.ingest.sources.source import SourceError
from tests.support.suite.tables import each_row


@each_row(
    ("text", "value"), [("12.5", 12.5), ("-3", -3.0), ("1e3", 1000.0), ("on", 1.0), ("off", 0.0)]
)
def test_numbers_and_switches_are_numbers(text: str, value: float) -> None:
    assert parse_state(text) == value


@each_row("text", ["unknown", "unavailable", "", "1,5", "1_000", "inf", "nan", "home", None])
def test_whatever_is_no_finite_number_is_unknown(text: object) -> None:
    assert math.isnan(parse_state(text))


def test_history_is_read_from_full_and_short_states_in_order_of_time() -> None:
    full = {
        "entity_id": "sensor.a",
        "state": "1",
        "attributes": {"unit_of_measurement": "Wh"},
        "last_changed": "2024-03-31T02:30:00+02:00",
        "last_updated": "2024-03-31T02:30:00+02:00",
    }
    short = [
        {"state": "3", "last_changed": "2024-03-31T01:00:00+00:00"},
        {"state": "unavailable", "last_changed": "2024-03-31T00:45:00.25+00:00"},
    ]
    instants, values, units = parse_history([[full, *short]], "sensor.a")
    assert instants.astype(str).tolist() == [
        "2024-03-31T00:30:00.000000",
        "2024-03-31T00:45:00.250000",
        "2024-03-31T01:00:00.000000",
    ]
    np.testing.assert_array_equal(values, [1, np.nan, 3])
    assert units == ["Wh", None, None]


def test_no_states_are_no_readings() -> None:
    assert [len(part) for part in parse_history([], "sensor.a")] == [0, 0, 0]


@each_row(
    "document",
    [{"message": "x"}, [[{"state": "1"}]], [["1"]], 7],
    ids=["object", "no time", "no states", "number"],
)
def test_history_in_another_form_names_the_sensor(document: object) -> None:
    with pytest.raises(SourceError, match=r"sensor\.a"):
        parse_history(document, "sensor.a")
