"""The machine of an operator's link, over all orders of events.

A second, slower description is the measure: it looks each second at what has come so far.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from luna.energy.power_limitation import FailSafe, PowerLimitation

START = datetime(2026, 12, 1, 17, tzinfo=UTC)
FAIL_SAFE_KW = 4.2
FAIL_SAFE_S = 7200


@dataclass(frozen=True)
class Event:
    """A heartbeat, or a command: a limit (None: none) with a duration (None: until the next)."""

    pause_s: int
    is_command: bool
    limit_kw: float | None
    duration_s: int | None


EVENTS = st.lists(
    st.builds(
        Event,
        pause_s=st.one_of(st.integers(1, 130), st.sampled_from((119, 120, 121, 7199, 7200, 7321))),
        is_command=st.booleans(),
        limit_kw=st.one_of(st.none(), st.floats(0, 20)),
        duration_s=st.one_of(st.none(), st.integers(1, 200)),
    ),
    max_size=12,
)


class SecondBySecond:
    """What holds, found by looking each second."""

    def __init__(self) -> None:
        self.state = "init"
        self.since = 0
        self.limit_kw: float | None = None
        self.limit_end: int | None = None
        self.heartbeat: int | None = None
        self.link_since: int | None = None

    def look(self, second: int) -> None:
        is_lost = self.heartbeat is not None and second - self.heartbeat >= 120
        if is_lost and self.link_since is not None:
            self.link_since = None
            if self.state in {"unlimited", "limited"}:
                self._enter("failsafe", second)
                return
        if self.state == "limited" and self.limit_end is not None and second >= self.limit_end:
            self._enter("unlimited", second)
        if self.state not in {"init", "failsafe"}:
            return
        if self.link_since is not None:
            is_over = second - max(self.link_since, self.since) >= 120
        elif self.state == "init":
            is_over = second - self.since >= 120
        else:
            is_over = second - self.since >= FAIL_SAFE_S
        if is_over:
            self._enter("autonomous", second)

    def receive(self, second: int, event: Event) -> None:
        self.heartbeat = second
        if self.link_since is None:
            self.link_since = second
        if not event.is_command:
            return
        if event.limit_kw is None:
            self._enter("unlimited", second)
            return
        self._enter("limited", second)
        self.limit_kw = event.limit_kw
        self.limit_end = None if event.duration_s is None else second + event.duration_s

    def _enter(self, state: str, second: int) -> None:
        if state != self.state:
            self.since = second
        self.state = state
        self.limit_kw = None
        self.limit_end = None


@given(EVENTS, st.integers(0, 8000))
def test_machine_does_what_looking_each_second_finds(events: list[Event], last_s: int) -> None:
    machine = PowerLimitation.begin(FailSafe(FAIL_SAFE_KW), START)
    watcher = SecondBySecond()
    second = 0
    for event in events:
        for passed in range(second, second + event.pause_s + 1):
            watcher.look(passed)
        second += event.pause_s
        watcher.receive(second, event)
        now = START + timedelta(seconds=second)
        if event.is_command:
            seconds = event.duration_s
            duration = None if seconds is None else timedelta(seconds=seconds)
            machine = machine.receive_limit(now, event.limit_kw, duration)
        else:
            machine = machine.receive_heartbeat(now)
    for passed in range(second, second + last_s + 1):
        watcher.look(passed)
    machine = machine.advance(START + timedelta(seconds=second + last_s))
    assert machine.state == watcher.state
    assert machine.since == START + timedelta(seconds=watcher.since)
    assert machine.limit_kw == watcher.limit_kw


@given(EVENTS, st.lists(st.integers(0, 400), max_size=6))
def test_looking_in_between_changes_nothing(events: list[Event], looks: list[int]) -> None:
    rarely = PowerLimitation.begin(FailSafe(FAIL_SAFE_KW), START)
    often = rarely
    now = START
    for event in events:
        for look_s in sorted(looks):
            if look_s < event.pause_s:
                often = often.advance(now + timedelta(seconds=look_s))
        now += timedelta(seconds=event.pause_s)
        rarely = rarely.receive_limit(now, 1.0) if event.is_command else rarely.advance(now)
        often = often.receive_limit(now, 1.0) if event.is_command else often.advance(now)
    assert often == rarely
