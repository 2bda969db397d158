"""Messages to owners: what is told, to whom, once, not at night, and again where it was not
taken.
"""

import itertools
import re
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Engine

from luna.contracts.control import BatterySetpoint, ControlState, Decision, LeftAlone, Setpoint
from luna.contracts.notification import Notification
from luna.contracts.plan import PlanReply
from luna.contracts.plan.reply import NoteReply
from luna.energy.site import parse_site
from luna.energy.timeline import local_days, parse_zone
from luna.platform.database import control, notifications, readings, sites
from luna.platform.database.engine import unit_of_work
from luna.platform.settings import Settings
from luna.words import Language
from luna.words.devices import say_device
from services.notifier import notification
from services.notifier.targets import Target, open_targets
from tests.support.control.inverters import describe
from tests.support.database.databases import remove_site
from tests.support.notifications.server import TOKEN, MessageServer, serve_messages
from tests.support.planning.plans import describe_plan, store_plan
from tests.support.words.wording import wording, wording_pattern

NOON = datetime(2024, 2, 1, 12, tzinfo=UTC)
BATTERY = {"name": "battery", "capacity_kwh": 10, "charge_limit_kw": 5, "discharge_limit_kw": 5}
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
HOLD = BatterySetpoint(mode="hold")
_NUMBERS = itertools.count()


@pytest.fixture
def house() -> Iterator[MessageServer]:
    with serve_messages() as house:
        yield house


@pytest.fixture
def site(database: Engine) -> Iterator[str]:
    """A stored site in UTC that is not armed and has no plan."""
    name = f"noted-{next(_NUMBERS)}-{time.time_ns()}"
    spot = {"import": {"kind": "spot", "market": "NL"}}
    document = {
        "name": name,
        "timezone": "UTC",
        "batteries": [BATTERY],
        "tariff": spot,
        "control": describe(),
        "input_sensors": {"battery_soc": "sensor.soc"},
    }
    with unit_of_work(database) as connection:
        sites.save(connection, parse_site(document))
    yield name
    remove_site(database, name)


@pytest.fixture
def tell(database: Engine, house: MessageServer, site: str) -> Any:
    """Looks for what is new and sends what is due at an instant, of this test's site alone."""

    def run(now: datetime, lines: str | None = None, **settings: Any) -> None:
        urls = lines or f"json://127.0.0.1:{house.port}/apprise"
        own = Settings(
            notify_urls=urls,
            home_assistant_url=f"http://127.0.0.1:{house.port}",
            home_assistant_token=TOKEN,
            **settings,
        )
        notification.notify(database, open_targets(own), own, now=now)

    return run


def arm(database: Engine, site: str) -> None:
    with unit_of_work(database) as connection:
        control.arm(connection, site, at=NOON, by="owner")


def plan(
    database: Engine, site: str, start: datetime, prices: list[float] | None = None, **parts: Any
) -> None:
    """Store a plan of two days from ``start`` on; ``prices`` by the hour."""
    told: PlanReply = describe_plan(f"{site}-{next(_NUMBERS)}", start, [HOLD] * 192)
    slots = [
        slot.model_copy(update={"import_price": (prices or [0.3] * 48)[place // 4]})
        for place, slot in enumerate(told.slots)
    ]
    with unit_of_work(database) as connection:
        store_plan(connection, site, told.model_copy(update={"slots": slots} | parts))


def told(database: Engine, site: str) -> list[Notification]:
    with unit_of_work(database) as connection:
        return notifications.list_newest(connection, site_id=site, limit=100)


def statuses(database: Engine, site: str) -> list[str]:
    return [
        each.status for notification in told(database, site) for each in notification.deliveries
    ]


def test_a_site_with_nothing_the_matter_is_not_heard_of(
    tell: Any, house: MessageServer, database: Engine, site: str
) -> None:
    tell(NOON)
    assert (house.taken, told(database, site)) == ([], [])


def test_an_armed_site_without_a_plan_is_told_once(
    tell: Any, house: MessageServer, database: Engine, site: str
) -> None:
    arm(database, site)
    for minutes in (0, 5, 10):
        tell(NOON + timedelta(minutes=minutes))
    assert house.texts == [_text_of(site, "text_no_plan")]
    (only,) = told(database, site)
    assert (only.event, only.code, only.urgent, only.deliveries[0].status) == (
        "plan",
        "no_plan",
        True,
        "sent",
    )


def test_each_old_plan_is_an_event_of_its_own(
    tell: Any, house: MessageServer, database: Engine, site: str
) -> None:
    arm(database, site)
    plan(database, site, NOON)
    tell(NOON + 4 * HOUR)
    plan(database, site, NOON + 5 * HOUR)
    tell(NOON + 6 * HOUR)
    tell(NOON + 9 * HOUR)
    assert [each.code for each in told(database, site)] == ["plan_old", "plan_old"]
    assert "Thu 12:00" in house.texts[0]


def test_a_plan_issued_long_before_it_begins_is_followed_and_not_old(
    tell: Any, database: Engine, site: str
) -> None:
    arm(database, site)
    plan(database, site, NOON + 5 * HOUR, issued_at=NOON)
    tell(NOON + 6 * HOUR)
    assert told(database, site) == []


def test_what_a_plan_misses_is_told_once_a_day_in_german_when_that_is_wanted(
    tell: Any, house: MessageServer, database: Engine, site: str
) -> None:
    figures = {"name": "battery", "worst": "2024-02-01T18:00:00+00:00", "missing": 0.1}
    missed = {
        "constraint": "reserve: battery battery out of reach",
        "shortfall": "10.0%",
        "cost": 1.0,
        "code": "reserve",
        "figures": figures,
    }
    sought = {"constraint": "load boiler", "shortfall": "2.000 kWh", "cost": 1.0, "unproven": True}
    for hours in (0, 1):
        plan(
            database,
            site,
            NOON + hours * HOUR,
            status="compromised",
            compromises=[_compromise(missed), _compromise(sought)],
        )
        tell(NOON + hours * HOUR, message_language="de")
    # What nobody had the time to find is not said to be out of reach.
    unproven = _text_of(site, "text_plan_unproven", "de", missed="load boiler: 2.000 kWh")
    (other,) = [text for text in house.texts if text != unproven]
    reserve = re.compile(r".*Batterie.*Do\. 18:00: 10,0\u00a0% fehlen")
    assert len(house.texts) == 2
    compromised = wording_pattern("messages", "text_plan_compromised", "de", missed=reserve)
    assert compromised.fullmatch(other.removeprefix(f"{site}: "))


def _text_of(site: str, code: str, language: Language = "en", /, **figures: object) -> str:
    """Return a message's text as it is sent for a site."""
    text = wording("messages", code, language, **figures)
    return wording("messages", "with_site", language, site=site, text=text)


def _compromise(document: dict[str, Any]) -> Any:
    from luna.contracts.plan.reply import CompromiseReply

    return CompromiseReply.model_validate(document)


def test_a_car_that_takes_nothing_is_told_once_for_each_session(
    tell: Any, house: MessageServer, database: Engine, site: str
) -> None:
    for hours, plugged_in in ((0, 0), (1, 0), (8, 7)):
        since = (NOON + plugged_in * HOUR).isoformat()
        note = NoteReply(
            code="vehicle_takes_nothing",
            text="",
            figures={"vehicle": "car", "since": since, "planned_kwh": 22.0 + hours},
        )
        plan(database, site, NOON + hours * HOUR, notes=[note])
        tell(NOON + hours * HOUR)
    assert [(each.event, each.code) for each in told(database, site)] == [
        ("device", "device_takes_nothing")
    ] * 2
    assert re.search(r"22\.0.kWh", house.texts[0])


def test_a_device_that_did_not_confirm_is_told(
    tell: Any, house: MessageServer, database: Engine, site: str
) -> None:
    arm(database, site)
    plan(database, site, NOON)
    alone = LeftAlone(since=NOON, until=NOON + timedelta(minutes=15), failures=1)
    decision = Decision(
        slot_start=NOON,
        source="planner",
        decided_by="rule",
        reason="not_acknowledged",
        requested={},
        allowed={"battery": HOLD},
        left_alone=alone,
    )
    with unit_of_work(database) as connection:
        control.decide(connection, control.load(connection, site), decision)
    tell(NOON)
    battery = say_device("batteries", language="en")
    assert house.texts == [_text_of(site, "text_device_silent", device=battery, at="Thu 12:00")]


def test_sensors_are_missed_after_an_hour_and_forgotten_after_a_week(
    tell: Any, house: MessageServer, database: Engine, site: str
) -> None:
    with unit_of_work(database) as connection:
        key = readings.register(connection, site, {"sensor.soc": "%"})["sensor.soc"]
        at = np.array([NOON.replace(tzinfo=None)], dtype="datetime64[us]")
        readings.upsert(connection, np.array([key], dtype=np.int32), at, np.array([50.0]))
    tell(NOON + timedelta(minutes=50))
    assert house.texts == []
    tell(NOON + 2 * HOUR)
    tell(NOON + 8 * DAY)
    assert house.texts == [_text_of(site, "text_sensors_silent", at="Thu 12:00")]


def test_cheap_hours_of_tomorrow_are_told_where_they_are_cheap_and_never_after_they_began(
    tell: Any, house: MessageServer, database: Engine, site: str
) -> None:
    # From 12:00 on: 12 hours of today, then tomorrow's 24, of which 02:00 to 05:00 cost 0.06 and
    # the rest 0.30: 0.27 on average.
    prices = [0.3] * 14 + [0.06] * 3 + [0.3] * 31
    plan(database, site, NOON, prices)
    tell(NOON)
    tell(NOON + HOUR)
    figures = {
        "start": "Fri 02:00",
        "end": "05:00",
        "price": "6.0\u00a0ct",
        "usual": "27.0\u00a0ct",
    }
    assert house.texts == [_text_of(site, "text_cheap_hours", **figures)]


def test_the_day_is_told_in_its_morning_to_those_alone_who_ask_for_it(
    tell: Any, house: MessageServer, database: Engine, site: str
) -> None:
    morning = datetime(2024, 2, 1, 7, 30, tzinfo=UTC)
    plan(database, site, morning)
    lines = f"day=json://127.0.0.1:{house.port}/apprise\nnotify.phone"
    tell(morning - HOUR, lines)
    assert house.texts == []
    tell(morning + timedelta(minutes=20), lines)
    tell(morning + HOUR, lines)
    (text,) = house.texts
    now = wording_pattern("house", "house_now", end="Sat 07:30", mode=wording("modes", "mode_hold"))
    statements = re.compile(f"{re.escape(wording('house', 'house_would'))} {now.pattern}")
    day_ahead = wording_pattern("messages", "text_day_ahead", statements=statements)
    assert day_ahead.match(text.removeprefix(f"{site}: "))
    assert wording("house", "house_stored", soc="50%", basis="planned") in text


def test_prices_that_are_level_or_not_published_yet_are_no_news(
    tell: Any, house: MessageServer, database: Engine, site: str
) -> None:
    plan(database, site, NOON)
    tell(NOON)
    plan(database, site, NOON + HOUR, [0.06] * 3 + [0.3] * 45, prices_known_until=NOON + 12 * HOUR)
    tell(NOON + HOUR)
    assert house.texts == []


def test_what_can_wait_waits_for_the_morning_of_the_site_and_what_is_urgent_does_not(
    tell: Any, house: MessageServer, database: Engine, site: str
) -> None:
    night = datetime(2024, 2, 1, 23, tzinfo=UTC)
    plan(database, site, night, [0.3] * 24 + [0.06] * 3 + [0.3] * 21)
    plan_misses = {"constraint": "Reserve", "shortfall": "10 %", "cost": 1.0, "code": "reserve"}
    plan(
        database,
        site,
        night,
        status="compromised",
        compromises=[_compromise(plan_misses)],
        issued_at=night + timedelta(minutes=1),
    )
    tell(night + timedelta(minutes=2))
    assert (house.texts, statuses(database, site)) == ([], ["waiting"])
    tell(night + 8 * HOUR - timedelta(minutes=1))
    assert house.texts == []
    arm(database, site)
    tell(night + 7 * HOUR)
    # The plan is seven hours old: that is said at six in the morning.
    assert len(house.texts) == 1
    tell(night + 8 * HOUR)
    assert len(house.texts) == 2


def test_each_target_is_told_of_the_events_it_wants(
    tell: Any, house: MessageServer, database: Engine, site: str
) -> None:
    arm(database, site)
    lines = (
        f"prices,saving=json://127.0.0.1:{house.port}/apprise\n# phone\nplan = "
        "notify.mobile_app_phone\n"
    )
    tell(NOON, lines)
    assert [path for path, _ in house.taken] == ["/api/services/notify/mobile_app_phone"]
    assert house.taken[0][1]["title"] == wording("messages", "title_no_plan")


@pytest.mark.parametrize(
    ("fault", "line"),
    [
        pytest.param("500", "json://127.0.0.1:{port}/apprise", id="apprise-500"),
        pytest.param("hang_up", "json://127.0.0.1:{port}/apprise", id="apprise-hang_up"),
        pytest.param("404", "notify.phone", id="home assistant-404"),
    ],
)
def test_a_message_that_was_not_taken_comes_again_and_once(
    tell: Any, house: MessageServer, database: Engine, site: str, fault: str, line: str
) -> None:
    arm(database, site)
    house.faults.append(fault)
    lines = line.format(port=house.port)
    tell(NOON, lines)
    (failed,) = told(database, site)[0].deliveries
    assert (failed.status, failed.tries, failed.due_at) == (
        "waiting",
        1,
        NOON + timedelta(minutes=5),
    )
    for minutes in (4, 6, 8, 30):
        tell(NOON + timedelta(minutes=minutes), lines)
    assert (len(house.taken), statuses(database, site)) == (1, ["sent"])


def test_a_target_that_never_takes_it_is_given_up_and_keeps_no_other_waiting(
    tell: Any, house: MessageServer, database: Engine, site: str
) -> None:
    arm(database, site)
    lines = f"json://127.0.0.1:1/away\njson://127.0.0.1:{house.port}/apprise"
    # 5, 15, 45, 135, 240 minutes: the sixth try is the last.
    for minutes in itertools.accumulate([0, 5, 15, 45, 135, 240, 240]):
        tell(NOON + timedelta(minutes=minutes), lines)
    assert sorted(statuses(database, site)) == ["failed", "sent"]
    assert max(each.tries for each in told(database, site)[0].deliveries) == 6
    assert len(house.taken) == 1


def test_what_a_process_began_and_did_not_end_is_never_sent_a_second_time(
    tell: Any, house: MessageServer, database: Engine, site: str
) -> None:
    arm(database, site)
    tell(NOON, "json://127.0.0.1:1/away")
    own = Settings(notify_urls="json://127.0.0.1:1/away")
    with unit_of_work(database) as connection:
        taken = notifications.claim(
            connection, [open_targets(own)[0].name], now=NOON + HOUR, most=10
        )
    assert len(taken) == 1
    for hours in (1, 2, 3):
        tell(NOON + hours * HOUR, "json://127.0.0.1:1/away")
    assert statuses(database, site) == ["unknown"]


class CrashingChannel:
    """Ends its process in the middle of the first message, and takes the others."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def send(self, title: str, text: str) -> None:
        self.texts.append(text)
        if len(self.texts) == 1:
            raise SystemExit


def test_a_crash_in_the_middle_of_a_message_loses_no_other(database: Engine, site: str) -> None:
    arm(database, site)
    channel = CrashingChannel()
    targets = [
        Target(f"{name} of {site}", name, ("plan",), channel)
        for name in ("phone", "mail", "speaker")
    ]
    with pytest.raises(SystemExit):
        notification.notify(database, targets, Settings(), now=NOON)
    notification.notify(database, targets, Settings(), now=NOON + 2 * HOUR)
    assert sorted(statuses(database, site)) == ["sent", "sent", "unknown"]


def test_a_message_that_is_no_news_any_more_is_not_sent(
    tell: Any, house: MessageServer, database: Engine, site: str
) -> None:
    arm(database, site)
    house.faults.append("500")
    tell(NOON)
    tell(NOON + 25 * HOUR)
    assert (house.taken, statuses(database, site)) == ([], ["expired"])


@pytest.mark.parametrize(
    ("controlled", "code", "count"),
    [(3, "text_weekly_saving", 3), (0, "text_weekly_proposal", 5)],
    ids=["in control", "never in control"],
)
def test_the_week_is_told_on_monday_by_what_luna_did_or_else_would_have_saved(
    tell: Any,
    house: MessageServer,
    database: Engine,
    site: str,
    *,
    controlled: int,
    code: str,
    count: int,
) -> None:
    days = [date(2024, 1, 22) + number * DAY for number in range(7)]
    with unit_of_work(database) as connection:
        _score(connection, site, {"self_consumption": 2.0, "mpc": 1.5, "oracle": 1.0}, days[:5])
        for slot in (
            local_days(days[0], days[0] + (controlled - 1) * DAY, parse_zone("UTC"))
            if controlled
            else ()
        ):
            mode: dict[str, Setpoint] = {"battery": BatterySetpoint(mode="self_consumption")}
            decision = Decision(
                slot_start=slot,
                source="planner",
                decided_by="planner",
                reason="planned",
                requested=mode,
                allowed=mode,
            )
            control.record(connection, ControlState(site=site), decision, {})
    tell(datetime(2024, 1, 29, 7, 55, tzinfo=UTC))
    assert house.texts == []
    tell(datetime(2024, 1, 29, 8, 0, tzinfo=UTC))
    tell(datetime(2024, 1, 30, 12, 0, tzinfo=UTC))
    # Half a euro a day.
    assert house.texts == [_text_of(site, code, saved=f"€{0.5 * count:.2f}", days=count)]


def _score(connection: Any, site: str, costs: dict[str, float], days: list[date]) -> None:
    from luna.platform.database.schema.plans import daily_scores

    key = sites.key_of(connection, site)
    base = {"site_key": key, "system_id": "simulation", "stored_gain": 0.0, "currency": "EUR"}
    rows = [
        base | {"day": day, "policy": policy, "cost": cost}
        for policy, cost in costs.items()
        for day in days
    ]
    connection.execute(daily_scores.insert(), rows)


def test_a_test_message_goes_to_everybody_and_says_who_did_not_take_it(
    house: MessageServer,
) -> None:
    lines = f"saving=json://user:secret@127.0.0.1:{house.port}/apprise\nnotify.phone"
    own = Settings(
        notify_urls=lines,
        home_assistant_url=f"http://127.0.0.1:{house.port}",
        home_assistant_token="wrong",
    )
    apprise, phone = notification.send_test(open_targets(own), own).targets
    assert (apprise.sent, apprise.events, phone.sent, phone.error) == (
        True,
        ["saving"],
        False,
        "Home Assistant answers 401 Unauthorized",
    )
    assert "secret" not in apprise.target
    assert house.texts == [wording("messages", "text_test")]
