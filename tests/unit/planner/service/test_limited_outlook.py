"""Stored limits in a plan's outlook: beside those of a request the stricter one holds."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from luna.contracts.plan import OutlookMessage
from luna.energy.operator_limits import OperatorLimit
from luna.energy.timeline import SLOT
from services.planner.service.operator_limits import limit_outlook, note_limits

START = datetime(2026, 1, 15, 17, tzinfo=UTC)
LIMIT = OperatorLimit(
    limit_id="event",
    start=START + SLOT,
    end=START + 3 * SLOT,
    import_kw=4.2,
    export_kw=None,
    scope="connection",
    source="api",
)


def describe(**limits: Any) -> OutlookMessage:
    series = {name: [0.1] * 4 for name in ("load_kwh", "pv_kwh", "import_price", "export_price")}
    return OutlookMessage.model_validate(series | limits)


def test_without_limits_the_outlook_is_as_before() -> None:
    assert limit_outlook(describe(), [], start=START) == describe()


def test_a_limit_is_in_its_slots_alone() -> None:
    limited = limit_outlook(describe(), [LIMIT], start=START)
    assert limited.import_limit_kw == [None, 4.2, 4.2, None]
    assert limited.export_limit_kw is None


def test_the_stricter_of_a_request_and_a_stored_limit_holds() -> None:
    stated = describe(import_limit_kw=[3.0, 3.0, 6.0, None], export_limit_kw=[None, 0.0, 1.0, 1.0])
    limited = limit_outlook(describe(), [LIMIT], start=START, stated=stated)
    assert limited.import_limit_kw == [3.0, 3.0, 4.2, None]
    assert limited.export_limit_kw == [None, 0.0, 1.0, 1.0]


def test_notes_name_what_is_limited_since_when_and_until_when() -> None:
    of_devices = replace(LIMIT, scope="devices", end=None, export_kw=0.0)
    notes = [*note_limits([LIMIT, of_devices])]
    assert [note.code for note in notes] == ["limited_import", "limited_devices", "limited_export"]
    assert notes[0].figures["until"] == (START + timedelta(minutes=45)).isoformat()
    assert notes[1].figures == {"kw": 4.2, "at": LIMIT.start.isoformat(), "until": None}
