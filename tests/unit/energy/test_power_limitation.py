"""The state machine of an operator's link, with times given by the tests."""

from datetime import UTC, datetime, timedelta

import pytest

from luna.energy.power_limitation import FailSafe, PowerLimitation

START = datetime(2026, 12, 1, 17, tzinfo=UTC)
FAIL_SAFE = FailSafe(4.2)


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def led_until(seconds: int, limit_kw: float | None) -> PowerLimitation:
    """A link with a command at the start and a heartbeat each minute."""
    machine = PowerLimitation.begin(FAIL_SAFE, START).receive_limit(START, limit_kw)
    for second in range(60, seconds + 1, 60):
        machine = machine.receive_heartbeat(after(second))
    return machine


def test_start_waits_at_the_fail_safe_limit_then_goes_alone() -> None:
    machine = PowerLimitation.begin(FAIL_SAFE, START)
    assert machine.limit_in_force_kw == 4.2
    assert machine.advance(after(119)).state == "init"
    alone = machine.advance(after(120))
    assert alone.state == "autonomous"
    assert alone.limit_in_force_kw is None


def test_limit_holds_while_heartbeats_come() -> None:
    machine = led_until(3600, 3.0)
    assert machine.state == "limited"
    assert machine.limit_in_force_kw == 3.0
    assert machine.since == START


def test_lost_heartbeat_fails_safe_after_two_minutes() -> None:
    machine = led_until(600, None)
    assert machine.advance(after(600 + 119)).state == "unlimited"
    failed = machine.advance(after(600 + 500))
    assert failed.state == "failsafe"
    assert failed.since == after(600 + 120)
    assert failed.limit_in_force_kw == 4.2


def test_fail_safe_lasts_two_hours_without_a_heartbeat() -> None:
    failed = led_until(600, 3.0).advance(after(720))
    assert failed.advance(after(720 + 7199)).state == "failsafe"
    assert failed.advance(after(720 + 7200)).state == "autonomous"


def test_fail_safe_ends_two_minutes_after_heartbeats_came_back() -> None:
    machine = led_until(600, 3.0).advance(after(720))
    for second in (1000, 1060, 1119):
        machine = machine.receive_heartbeat(after(second))
        assert machine.state == "failsafe"
    # Nobody looked for a while: the order of what happened meanwhile still counts.
    assert machine.advance(after(5000)).state == "autonomous"
    assert machine.advance(after(5000)).since == after(1120)


def test_one_heartbeat_alone_does_not_end_a_fail_safe() -> None:
    machine = led_until(600, 3.0).advance(after(720)).receive_heartbeat(after(1000))
    assert machine.advance(after(1300)).state == "failsafe"


def test_command_ends_a_fail_safe_at_once() -> None:
    machine = led_until(600, 3.0).advance(after(720))
    assert machine.receive_limit(after(800), 2.0).limit_in_force_kw == 2.0
    assert machine.receive_limit(after(800), None).limit_in_force_kw is None


def test_limit_with_a_duration_ends_by_itself() -> None:
    machine = PowerLimitation.begin(FAIL_SAFE, START)
    machine = machine.receive_limit(START, 2.0, timedelta(seconds=90))
    assert machine.advance(after(89)).limit_in_force_kw == 2.0
    assert machine.advance(after(90)).state == "unlimited"
    # The heartbeat is lost 30 s later.
    assert machine.advance(after(200)).state == "failsafe"


@pytest.mark.parametrize("limit_kw", [-1.0, float("nan")])
def test_limit_that_is_none_is_refused(limit_kw: float) -> None:
    machine = PowerLimitation.begin(FAIL_SAFE, START)
    with pytest.raises(ValueError, match="at least 0"):
        machine.receive_limit(START, limit_kw)


def test_fail_safe_shorter_than_two_hours_is_refused() -> None:
    with pytest.raises(ValueError, match="2 to 24 hours"):
        FailSafe(4.2, timedelta(hours=1))
