"""Follow an operator's heartbeat and limits: the state machine of EEBUS LPC and LPP.

One machine limits one direction: consumption (LPC) or production (LPP). It is a value; each event
gives a new one. Nothing here reads a clock.

- ``init``: just started. The fail-safe limit holds until the first heartbeat and command.
- ``unlimited``: the operator is there and limits nothing.
- ``limited``: the operator's limit holds, for its duration where it has one.
- ``failsafe``: no heartbeat for 120 s. The fail-safe limit holds for its minimum duration, unless
  the operator comes back.
- ``autonomous``: there is no operator. Nothing is limited.

A fail-safe ends with the operator's next command. It also ends when the heartbeat is back for 120 s
without a command, or when its minimum duration has passed without a heartbeat.

Source: EEBUS use cases Limitation of Power Consumption and Limitation of Power Production, 1.0.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Literal

LimitationState = Literal["init", "unlimited", "limited", "failsafe", "autonomous"]

HEARTBEAT_TIMEOUT = timedelta(seconds=120)
# How long a command may follow the first heartbeat.
COMMAND_TIMEOUT = timedelta(seconds=120)
FAILSAFE_SHORTEST = timedelta(hours=2)
FAILSAFE_LONGEST = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class FailSafe:
    """The limit without a heartbeat, kW, and how long it holds at least."""

    limit_kw: float
    duration: timedelta = FAILSAFE_SHORTEST

    def __post_init__(self) -> None:
        if not self.limit_kw >= 0:
            raise ValueError("a fail-safe limit is at least 0 kW")
        if not FAILSAFE_SHORTEST <= self.duration <= FAILSAFE_LONGEST:
            raise ValueError("a fail-safe lasts 2 to 24 hours")


@dataclass(frozen=True, slots=True)
class PowerLimitation:
    """The demand of an operator's link, and its start.

    Args:
        fail_safe: the limit without a heartbeat.
        state: of the machine.
        since: when this state began.
        heartbeat_at: the last heartbeat; None: none yet.
        link_since: when the present row of heartbeats began; None: there is none.
        limit_kw: the operator's limit, in the state ``limited``.
        limit_end: when that limit ends by itself; None: with the next command.
    """

    fail_safe: FailSafe
    state: LimitationState
    since: datetime
    heartbeat_at: datetime | None = None
    link_since: datetime | None = None
    limit_kw: float | None = None
    limit_end: datetime | None = None

    @classmethod
    def begin(cls, fail_safe: FailSafe, now: datetime) -> "PowerLimitation":
        """Return the machine of a link that was opened now."""
        return cls(fail_safe, "init", now)

    def advance(self, now: datetime) -> "PowerLimitation":
        """Return the machine after the time that has passed until now."""
        machine = self
        while True:
            following = machine._follow_timers(now)
            if following is None:
                return machine
            machine = following

    def receive_heartbeat(self, now: datetime) -> "PowerLimitation":
        """Return the machine after a heartbeat."""
        machine = self.advance(now)
        link_since = machine.link_since or now
        return replace(machine, heartbeat_at=now, link_since=link_since)

    def receive_limit(
        self, now: datetime, limit_kw: float | None, duration: timedelta | None = None
    ) -> "PowerLimitation":
        """Return the machine after a command; it counts as a heartbeat.

        Args:
            now: when it came.
            limit_kw: the limit; None: nothing is limited.
            duration: how long it holds; None: until the next command.

        Raises:
            ValueError: the limit is negative or no number, or the duration is not positive.
        """
        if limit_kw is not None and not limit_kw >= 0:
            raise ValueError("a limit is at least 0 kW")
        if duration is not None and duration <= timedelta():
            raise ValueError("a limit lasts longer than nothing")
        machine = self.receive_heartbeat(now)
        if limit_kw is None:
            return _enter(machine, "unlimited", now)
        end = None if duration is None else now + duration
        since = machine.since if machine.state == "limited" else now
        return replace(
            machine, state="limited", since=since, limit_kw=float(limit_kw), limit_end=end
        )

    @property
    def limit_in_force_kw(self) -> float | None:
        """The limit that holds now, kW; None: there is none."""
        if self.state == "limited":
            return self.limit_kw
        if self.state in {"init", "failsafe"}:
            return self.fail_safe.limit_kw
        return None

    def _follow_timers(self, now: datetime) -> "PowerLimitation | None":
        """Return the machine after the first timer that has run out, None without one."""
        due = [timer for timer in self._list_timers() if timer[0] <= now]
        if not due:
            return None
        # A link that is lost counts before what ends at the same moment.
        _, following = min(due, key=itemgetter(0))
        return following

    def _list_timers(self) -> list[tuple[datetime, "PowerLimitation"]]:
        """Return when this state ends by itself, each with the machine from then on."""
        timers = []
        is_led = self.state in {"unlimited", "limited"}
        lost_at = self._lost_at
        if lost_at is not None:
            lost = _enter(self, "failsafe", lost_at) if is_led else self
            timers.append((lost_at, replace(lost, link_since=None)))
        if self.state == "limited" and self.limit_end is not None:
            timers.append((self.limit_end, _enter(self, "unlimited", self.limit_end)))
        if self.state in {"init", "failsafe"}:
            ends_at = self._waits_until
            timers.append((ends_at, _enter(self, "autonomous", ends_at)))
        return timers

    @property
    def _lost_at(self) -> datetime | None:
        """The end of the present row of heartbeats, if no other comes."""
        if self.link_since is None or self.heartbeat_at is None:
            return None
        return self.heartbeat_at + HEARTBEAT_TIMEOUT

    @property
    def _waits_until(self) -> datetime:
        """The end of the wait for a command or a heartbeat."""
        if self.link_since is not None:
            return max(self.link_since, self.since) + COMMAND_TIMEOUT
        wait = HEARTBEAT_TIMEOUT if self.state == "init" else self.fail_safe.duration
        return self.since + wait


def _enter(machine: PowerLimitation, state: LimitationState, at: datetime) -> PowerLimitation:
    """Return the machine in a state without the operator's limit."""
    since = machine.since if state == machine.state else at
    return replace(machine, state=state, since=since, limit_kw=None, limit_end=None)
