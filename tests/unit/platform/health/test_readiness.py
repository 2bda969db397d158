"""Dependencies are looked at side by side, and none holds up the others."""

import threading
from datetime import timedelta

import pytest
from prometheus_client import REGISTRY

from luna.energy.errors import UnavailableError
from luna.platform.health.readiness import Readiness, check_all, check_health, not_ready


def well() -> str:
    return "answers"


def away() -> str:
    raise UnavailableError("does not answer")


def broken() -> str:
    raise ZeroDivisionError("an inner detail")


def test_probes_run_side_by_side() -> None:
    # Each returns only when the other has begun.
    meeting = threading.Barrier(2, timeout=10)

    def meet() -> str:
        meeting.wait()
        return "met"

    assert [
        check.detail
        for check in check_all({"one": meet, "other": meet}, patience=timedelta(seconds=20))
    ] == ["met", "met"]


def test_a_check_says_what_is_wrong_and_how_long_it_took() -> None:
    check = check_health("database", away)
    assert not check.ok
    assert "does not answer" in check.detail
    assert check.latency_ms >= 0


def test_a_probe_that_hangs_fails_alone() -> None:
    never = threading.Event()

    def hang() -> str:
        never.wait()
        return "too late"

    checks = check_all({"slow": hang, "well": well}, patience=timedelta(seconds=0.2))
    never.set()
    assert [(check.name, check.ok) for check in checks] == [("slow", False), ("well", True)]
    assert checks[0].latency_ms == 200


def test_a_probe_that_breaks_fails_without_telling_its_inner_details() -> None:
    [check] = check_all({"broken": broken})
    assert not check.ok
    assert "inner detail" not in check.detail


def test_what_was_seen_stays_and_is_measured() -> None:
    readiness = Readiness({"test-well": well, "test-away": away})
    assert readiness.checks == ()
    assert readiness.look() == readiness.checks
    assert REGISTRY.get_sample_value("luna_health_dependency_up", {"dependency": "test-well"}) == 1
    assert REGISTRY.get_sample_value("luna_health_dependency_up", {"dependency": "test-away"}) == 0
    assert REGISTRY.get_sample_value(
        "luna_health_dependency_seconds", {"dependency": "test-well"}
    ) == pytest.approx(readiness.checks[0].latency_ms / 1000)


def test_what_fails_is_named() -> None:
    assert not_ready(check_all({"one": well})) is None
    assert "not ready: other, third" in str(
        not_ready(check_all({"one": well, "other": away, "third": away}))
    )


def test_it_is_at_rest_while_no_probe_is_under_way_and_none_is_begun_meanwhile() -> None:
    begun = threading.Event()
    going_on = threading.Event()

    def probe() -> str:
        begun.set()
        going_on.wait(5)
        return "answers"

    readiness = Readiness({"slow": probe})
    looking = threading.Thread(target=readiness.look)
    looking.start()
    begun.wait(5)
    with readiness.at_rest() as free:
        assert not free
    going_on.set()
    looking.join()
    for thread in threading.enumerate():
        if thread.name.startswith("probe-"):
            thread.join()
    begun.clear()
    with readiness.at_rest() as free:
        assert free
        again = threading.Thread(target=readiness.look)
        again.start()
        assert not begun.wait(0.05)
    again.join()
    assert begun.is_set()
