"""A clock that stands still is noticed: by the gateway, by its container's own check, by an alert.

It takes minutes, so it has containers of its own.
"""

import json
import signal
import time
from collections.abc import Callable, Iterator

import pytest

from tests.compose.stack import Stack, wait_for


@pytest.fixture(scope="module")
def turning(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Beat, and those who watch it."""
    stack = Stack("luna-beat-test", tmp_path_factory.mktemp("stack"))
    with stack.running("api", "beat", "prometheus"):
        yield stack


def test_a_frozen_beat_is_noticed_within_three_minutes(
    turning: Stack, recovered: Callable[[str, float], None]
) -> None:
    def alerts() -> set[str]:
        said = json.loads(
            turning.execute(
                "prometheus", "wget", "-q", "-O", "-", "http://127.0.0.1:9090/api/v1/alerts"
            )
        )
        return {
            alert["labels"]["alertname"]
            for alert in said["data"]["alerts"]
            if alert["state"] == "firing"
        }

    def unhealthy() -> bool:
        return turning.health("beat") == "unhealthy"

    def ready() -> bool:
        return bool(turning.services()["beat"]["ready"])

    signs = {
        "the gateway says so": lambda: not ready(),
        "its container is unhealthy": unhealthy,
        "the alert fires": lambda: "BeatFrozen" in alerts(),
    }
    wait_for(ready, seconds=180, what="beat turns")
    begun = time.monotonic()
    turning.signal("beat", signal.SIGSTOP)
    try:
        for sign, seen in signs.items():
            wait_for(seen, seconds=180 - (time.monotonic() - begun), what=sign)
            recovered(f"beat frozen, {sign}", time.monotonic() - begun)
    finally:
        turning.signal("beat", signal.SIGCONT)
    recovered(
        "beat goes on, its container healthy",
        wait_for(lambda: ready() and not unhealthy(), seconds=180, what="beat turns again"),
    )
