"""Instants by the clock of a site: local days, clock times, and the two odd hours of the year."""

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from luna.contracts.owner import ManualBlock
from luna.contracts.plan import PlanRequest
from luna.energy.errors import InvalidInputError
from luna.energy.site import invalid_input
from luna.energy.timeline import parse_instant, site_clock
from tests.support.suite.tables import each_row

BERLIN = ZoneInfo("Europe/Berlin")
BEIRUT = ZoneInfo("Asia/Beirut")
HAVANA = ZoneInfo("America/Havana")


@each_row(
    ("text", "hour"),
    [
        ("2024-09-01", 22),
        ("20240901", 22),
        ("2024-09-01 14:00", 12),
        ("2024-09-01T14:00", 12),
        ("2024-09-01 14", 12),
        ("2024-09-01T14:00Z", 14),
        ("2024-09-01T14:00:00-05:00", 19),
    ],
)
def test_a_day_and_a_clock_time_are_the_sites(text: str, hour: int) -> None:
    # Berlin is two hours ahead of UTC in summer; its first of September begins on the last evening
    # of August.
    first = 31 if hour == 22 else 1
    assert parse_instant(text, field="at", zone=BERLIN) == datetime(
        2024, 8 if first == 31 else 9, first, hour, tzinfo=UTC
    )


def test_without_a_site_an_offset_is_needed() -> None:
    with pytest.raises(InvalidInputError, match="no offset"):
        parse_instant("2024-09-01", field="at")


@pytest.mark.parametrize(
    ("text", "reason", "remedy"),
    [
        (
            "2024-10-27 02:30",
            "clock-twice",
            "Write 2024-10-27T02:30:00+02:00 or 2024-10-27T02:30:00+01:00.",
        ),
        (
            "2024-03-31 02:30",
            "clock-skips",
            "Choose another time, such as 2024-03-31T03:30:00+02:00.",
        ),
    ],
)
def test_a_time_that_comes_twice_or_never_is_refused_with_what_to_write(
    text: str, reason: str, remedy: str
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        parse_instant(text, field="--at", zone=BERLIN)
    assert (caught.value.field, caught.value.reason) == ("--at", reason)
    assert caught.value.remedy == remedy
    # What the remedy says is read.
    assert parse_instant(remedy.removesuffix(".").rsplit(" ", 1)[1], field="--at", zone=BERLIN)


@pytest.mark.parametrize(
    ("zone", "day", "begins"),
    [
        # The clock goes from midnight to one o'clock: the day begins at one, which is midnight by
        # the offset before.
        (BEIRUT, "2024-03-31", datetime(2024, 3, 30, 22, tzinfo=UTC)),
        # The clock goes from one o'clock back to midnight: the day begins at the first of the two.
        (HAVANA, "2024-11-03", datetime(2024, 11, 3, 4, tzinfo=UTC)),
    ],
    ids=["without midnight", "with two"],
)
def test_a_day_begins_also_where_the_clock_changes_at_midnight(
    zone: ZoneInfo, day: str, begins: datetime
) -> None:
    assert parse_instant(day, field="at", zone=zone) == begins


def block(**times: object) -> dict[str, Any]:
    return {
        "device": "battery",
        "action": "hold",
        "from": "2024-09-01 14:00",
        "to": "2024-09-01 16:00",
    } | times


def test_fields_of_messages_are_read_by_the_sites_clock_where_it_is_known() -> None:
    with site_clock(BERLIN):
        read = ManualBlock.model_validate(block())
    assert (read.from_, read.to) == (
        datetime(2024, 9, 1, 12, tzinfo=UTC),
        datetime(2024, 9, 1, 14, tzinfo=UTC),
    )
    with pytest.raises(ValidationError, match="timezone"):
        ManualBlock.model_validate(block())


def test_what_yaml_makes_of_a_day_or_a_time_is_read_the_same() -> None:
    with site_clock(BERLIN):
        read = ManualBlock.model_validate(
            block(**{"from": date(2024, 9, 1)}, to=datetime(2024, 9, 1, 16))  # noqa: DTZ001
        )
    assert (read.from_, read.to) == (
        datetime(2024, 8, 31, 22, tzinfo=UTC),
        datetime(2024, 9, 1, 14, tzinfo=UTC),
    )


def test_a_refused_time_of_a_message_names_field_and_remedy() -> None:
    with site_clock(BERLIN), pytest.raises(ValidationError) as caught:
        ManualBlock.model_validate(block(to="2024-10-27 02:30"))
    error = invalid_input(caught.value, field="")
    assert (error.field, error.value) == ("to", "2024-10-27 02:30")
    assert error.remedy == "Write 2024-10-27T02:30:00+02:00 or 2024-10-27T02:30:00+01:00."


def test_a_request_with_its_own_site_is_read_by_that_sites_clock_and_no_other() -> None:
    outlook = {"load_kwh": [0.1], "pv_kwh": [0.0], "import_price": [0.3], "export_price": [0.1]}
    session = {"from": "2024-09-01 18:00", "to": "2024-09-02 07:00", "target_soc": 0.8}
    document = {
        "site": {
            "name": "home",
            "timezone": "America/New_York",
            "vehicles": [{"capacity_kwh": 40}],
        },
        "start": "2024-09-01",
        "outlook": outlook,
        "state": {"vehicles": {"car": {"soc": 0.5, "sessions": [session]}}},
        "manual": [block() | {"device": "car", "action": "no_charge"}],
    }
    with site_clock(BERLIN):
        read = PlanRequest.model_validate(document)
    # New York is four hours behind UTC in summer.
    assert read.start == datetime(2024, 9, 1, 4, tzinfo=UTC)
    assert read.state.vehicles["car"].sessions[0].to == datetime(2024, 9, 2, 11, tzinfo=UTC)
    assert read.manual[0].from_ == datetime(2024, 9, 1, 18, tzinfo=UTC)
