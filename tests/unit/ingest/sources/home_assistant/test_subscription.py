from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from services.ingest.source_readings import Reading
from services.ingest.sources.home_assistant.live import LastStates
from services.ingest.sources.source import SourceError

START = datetime(2024, 1, 1, tzinfo=UTC)
SECONDS = START.timestamp()


def after(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def event(**parts: Any) -> dict[str, Any]:
    return {"id": 1, "type": "event", "event": parts}


def test_whole_entities_and_changes_are_readings_with_the_unit_known_of_the_sensor() -> None:
    last = LastStates(["sensor.a"])
    whole = {"s": "5", "a": {"unit_of_measurement": "W"}, "c": "x", "lc": SECONDS}
    assert last.read(event(a={"sensor.a": whole, "light.b": whole})) == [
        Reading("sensor.a", START, 5.0, "W")
    ]
    changed = {"+": {"s": "6", "lc": SECONDS + 60}}
    assert last.read(event(c={"sensor.a": changed})) == [Reading("sensor.a", after(1), 6.0, "W")]
    updated = {"+": {"s": "0.006", "a": {"unit_of_measurement": "kW"}, "lc": SECONDS + 120}}
    assert last.read(event(c={"sensor.a": updated})) == [Reading("sensor.a", after(2), 0.006, "kW")]


def test_a_change_of_attributes_or_a_removal_is_no_reading() -> None:
    last = LastStates(["sensor.a"])
    assert (
        last.read(event(c={"sensor.a": {"+": {"a": {"friendly_name": "A"}, "lu": SECONDS}}})) == []
    )
    assert last.read(event(r=["sensor.a"])) == []
    assert last.read({"id": 1, "type": "result", "success": True, "result": None}) == []


def test_an_event_in_another_form_is_refused() -> None:
    with pytest.raises(SourceError):
        LastStates(["sensor.a"]).read(event(a={"sensor.a": {"s": "5"}}))


def test_a_gap_begins_with_the_last_recorded_reading() -> None:
    last = LastStates(["sensor.a", "sensor.b"], since=START)
    last.note([Reading("sensor.a", after(3), 1.0), Reading("sensor.a", after(2), 1.0)], after(4))
    assert last.gaps() == {"sensor.a": after(3), "sensor.b": START}


def test_what_still_holds_is_said_again_at_each_quarter_hour_and_once() -> None:
    last = LastStates(["sensor.a"])
    last.note([Reading("sensor.a", START, 5.0, "kWh")], START)
    assert last.holding(after(60)) == []
    again = last.holding(after(62))
    assert [reading.instant for reading in again] == [after(15), after(30), after(45), after(60)]
    last.note(again, after(62))
    assert last.holding(after(63)) == []
    assert [reading.instant for reading in last.holding(after(80))] == [after(75)]


def test_nothing_holds_after_unavailable() -> None:
    last = LastStates(["sensor.a"])
    last.note(
        [Reading("sensor.a", START, 5.0, "W"), Reading("sensor.a", after(1), np.nan, "W")], after(1)
    )
    assert last.holding(after(600)) == []


def test_a_state_of_a_clock_that_ran_ahead_hides_no_gap_and_no_later_state() -> None:
    last = LastStates(["sensor.a"])
    last.note([Reading("sensor.a", after(600), 5.0, "kWh")], START)
    assert last.gaps() == {"sensor.a": START}
    last.note([Reading("sensor.a", after(1), 6.0, "kWh")], after(1))
    assert last.gaps() == {"sensor.a": after(1)}
    assert [(reading.instant, reading.value) for reading in last.holding(after(63))] == [
        (after(minutes), 6.0) for minutes in (15, 30, 45, 60)
    ]
