"""Stays of vehicles as options say them."""

import json
from contextlib import suppress
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from luna.contracts.session_times import SessionClock
from luna.energy.errors import InvalidInputError
from services.cli.charging import read_sessions
from tests.support.command_line.call import Luna
from tests.support.suite.tables import each_row
from tests.unit.cli.test_plan_command import plan_request

BERLIN = ZoneInfo("Europe/Berlin")
# 13:00 in Berlin, in winter.
NOON = datetime(2024, 2, 1, 12, tzinfo=UTC)
NAMES = ("from", "to")


def local(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=BERLIN)  # type: ignore[arg-type, misc]


@each_row(
    ("now", "first", "end", "session"),
    [
        (NOON, "18:00", "07:00", (local(2024, 2, 1, 18), local(2024, 2, 2, 7))),
        (
            NOON + timedelta(hours=8),
            "18:00",
            "07:00",
            (local(2024, 2, 1, 18), local(2024, 2, 2, 7)),
        ),
        (
            NOON - timedelta(hours=8),
            "18:00",
            "07:00",
            (local(2024, 1, 31, 18), local(2024, 2, 1, 7)),
        ),
        (NOON, "8:00", "17:30", (local(2024, 2, 1, 8), local(2024, 2, 1, 17, 30))),
        (NOON, "", "07:00", (NOON, local(2024, 2, 2, 7))),
        (NOON, "2024-02-03 18:00", "07:00", (local(2024, 2, 3, 18), local(2024, 2, 4, 7))),
        (NOON, "18:00", "2024-02-04 07:00", (local(2024, 2, 3, 18), local(2024, 2, 4, 7))),
        (NOON, "2024-02-03", "2024-02-04", (local(2024, 2, 3), local(2024, 2, 4))),
        (
            NOON,
            "2024-02-01T20:00:00Z",
            "2024-02-02T06:00:00+01:00",
            (local(2024, 2, 1, 21), local(2024, 2, 2, 6)),
        ),
        # The night of the change has an hour less: 18:00 to 07:00 are twelve hours.
        (
            datetime(2024, 3, 30, 12, tzinfo=UTC),
            "18:00",
            "07:00",
            (datetime(2024, 3, 30, 17, tzinfo=UTC), datetime(2024, 3, 31, 5, tzinfo=UTC)),
        ),
        (
            datetime(2024, 10, 26, 12, tzinfo=UTC),
            "18:00",
            "07:00",
            (datetime(2024, 10, 26, 16, tzinfo=UTC), datetime(2024, 10, 27, 6, tzinfo=UTC)),
        ),
    ],
    ids=[
        "tonight",
        "going on",
        "since yesterday",
        "by day",
        "from now",
        "from a day",
        "until a day",
        "days",
        "instants",
        "spring",
        "autumn",
    ],
)
def test_a_session_is_the_one_that_goes_on_or_comes_next(
    now: datetime, first: str, end: str, session: tuple[datetime, datetime]
) -> None:
    assert SessionClock(BERLIN, now).read(first, end, fields=NAMES) == session


@given(minutes=st.integers(-2_000_000, 3_000_000), first=st.times(), end=st.times())
def test_times_alone_name_a_session_of_a_day_at_most_that_is_not_over(
    minutes: int, first: time, end: time
) -> None:
    # Not between 02:00 and 03:00, which the clock may skip or show twice.
    assume(first.hour != 2 and end.hour != 2)
    instant = NOON + timedelta(minutes=minutes)
    begin, until = SessionClock(BERLIN, instant).read(
        f"{first:%H:%M}", f"{end:%H:%M}", fields=NAMES
    )
    assert until > instant
    assert timedelta(0) < until - begin <= timedelta(hours=25)
    assert [f"{each.astimezone(BERLIN):%H:%M}" for each in (begin, until)] == [
        f"{first:%H:%M}",
        f"{end:%H:%M}",
    ]


def test_settings_follow_the_times_and_shares_may_be_percent() -> None:
    found = read_sessions(
        ["car=18:00..07:00, target=80%, soc=0.4, limit=0.9, power=3.7, value=0.1"],
        SessionClock(BERLIN, NOON),
    )["car"][0]
    assert (
        found.target_soc,
        found.arrival_soc,
        found.limit_soc,
        found.min_power_kw,
        found.extra_value,
    ) == (0.8, 0.4, 0.9, 3.7, 0.1)


def test_several_sessions_are_in_order_of_their_beginning() -> None:
    texts = ["car=2024-02-03 18:00..07:00", "van=..07:00", "car=18:00..07:00"]
    found = read_sessions(texts, SessionClock(BERLIN, NOON))
    assert [each.from_ for each in found["car"]] == [local(2024, 2, 1, 18), local(2024, 2, 3, 18)]
    assert list(found) == ["car", "van"]


@each_row(
    ("text", "field", "value"),
    [
        ("car", "--session", "car"),
        ("car=18:00", "--session", "car=18:00"),
        ("=18:00..07:00", "--session", "=18:00..07:00"),
        ("car=18:00..", "--session", "car=18:00.."),
        ("car=25:00..07:00", "--session", None),
        ("car=18:00..noon", "--session", "noon"),
        ("car=2024-02-03..2024-02-02", "--session", "2024-02-02"),
        ("car=18:00..2024-03-31 02:30", "--session", "2024-03-31 02:30"),
        ("car=18:00..2024-10-27 02:30", "--session", "2024-10-27 02:30"),
        ("car=18:00..07:00,target=0,8", "--session", "8"),
        ("car=18:00..07:00,goal=0.8", "--session", "goal=0.8"),
        ("car=18:00..07:00,target=full", "--session target", "full"),
        ("car=18:00..07:00,target=80", "--session target", 80.0),
        ("car=18:00..07:00,target=nan", "--session target", None),
        ("car=18:00..07:00,power=0", "--session power", 0.0),
        ("car=18:00..07:00,target=0.9,limit=0.8", "--session", None),
    ],
)
def test_what_is_no_session_is_refused_by_its_part_with_a_way_to_write_it(
    text: str, field: str, value: Any
) -> None:
    with pytest.raises(InvalidInputError) as refused:
        read_sessions([text], SessionClock(BERLIN, NOON))
    assert refused.value.field == field
    assert value is None or refused.value.value == value


@given(st.text(alphabet="car=.:,0123456789-TZ+ %ptsocgel", max_size=40))
def test_whatever_is_written_is_a_session_or_refused(text: str) -> None:
    with suppress(InvalidInputError):
        found = read_sessions([text], SessionClock(BERLIN, NOON))
        assert all(each.from_ < each.to for sessions in found.values() for each in sessions)


def request_with_car() -> dict[str, Any]:
    request = plan_request() | {"options": {}, "state": {}}
    request["site"] |= {
        "batteries": [],
        "vehicles": [{"capacity_kwh": 40, "charge_efficiency": 1.0}],
    }
    return request


def test_a_session_given_beside_a_request_is_planned_to_its_target(
    luna: Luna, tmp_path: Path
) -> None:
    file = tmp_path / "request.json"
    file.write_text(json.dumps(request_with_car()), encoding="utf-8")
    said = luna(
        "plan", "--request", str(file), "--session", "car=..03:00,target=40%,soc=0.35", "--json"
    )
    assert said.code == 0, said.err
    # Berlin's 03:00 is 02:00 UTC: the end of the eighth quarter-hour.
    assert said.document["slots"][7]["vehicles"]["car"]["soc_end"] == pytest.approx(0.4)
    assert [note["code"] for note in said.document["notes"]] == []


@pytest.mark.parametrize(
    ("session", "remedy"),
    [("bus=..03:00,soc=0.3", "There are: car."), ("car=..03:00,target=0.5", "Say it: soc=0.4.")],
    ids=["unknown vehicle", "unknown charge"],
)
def test_a_session_that_cannot_be_planned_is_refused_with_a_remedy(
    luna: Luna, tmp_path: Path, session: str, remedy: str
) -> None:
    file = tmp_path / "request.json"
    file.write_text(json.dumps(request_with_car()), encoding="utf-8")
    said = luna("plan", "--request", str(file), "--session", session, "--json")
    assert (said.code, said.problem["field"], said.problem["remedy"]) == (2, "--session", remedy)
