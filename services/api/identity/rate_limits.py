"""Rate limits per minute, counted in Redis for all processes.

While Redis is away, in this process alone.

The counter is a sliding window: the previous minute counts by the share of it that the window still
covers. Source: "How we built rate limiting capable of scaling to millions of domains", Cloudflare
2017; RFC 6585, 4.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import redis
import structlog
from anyio import to_thread
from prometheus_client import Counter

from luna.energy.errors import TooManyRequestsError, UnavailableError
from luna.platform.queue.connection import reachable

WINDOW_SECONDS = 60
# A process reserves one in so many requests of a budget at once, so that not every request asks
# Redis.
LEASES = 50
REDIS_PAUSE_SECONDS = 5.0
MOST_COUNTERS = 20_000
REFUSED = Counter("luna_api_refused_requests_total", "Requests refused by a budget.", ["budget"])

log = structlog.get_logger("luna.api")


@dataclass(frozen=True, slots=True)
class Budget:
    """The requests that one subject (an address, a caller, a user) may make in a minute."""

    name: str
    per_minute: int

    @property
    def lease(self) -> int:
        """Requests that a process reserves in Redis at once."""
        return max(1, self.per_minute // LEASES)


@dataclass(slots=True)
class _Counter:
    """One subject's count in a window: ``remaining`` of the lease.

    ``consumed`` in this window and ``before`` in the last one while Redis is away.
    """

    window: int
    remaining: int = 0
    consumed: int = 0
    before: int = 0
    refused_until: float = 0.0


@dataclass
class Limiter:
    """Counts requests by budget and subject; threads and tasks of one event loop may share it."""

    redis: "redis.Redis"
    now: Callable[[], float] = time.time
    _counters: dict[str, _Counter] = field(default_factory=dict)
    _redis_away_until: float = 0.0

    async def spend(self, budget: Budget, whose: str) -> None:
        """Count one request of the subject ``whose``.

        Raises:
            TooManyRequestsError: the budget is used up; it carries the seconds to wait.
        """
        key = f"{budget.name}:{whose}"
        window = int(self.now() // WINDOW_SECONDS)
        counter = self._counters.get(key)
        if counter is None and len(self._counters) >= MOST_COUNTERS:
            # The entries that were unused for longest go first: they belong to callers that have
            # left.
            for old in list(self._counters)[: MOST_COUNTERS // 10]:
                del self._counters[old]
        if counter is None or counter.window != window:
            before = 0
            if counter is not None and counter.window == window - 1:
                before = counter.consumed
            # Taken out first, to keep entries in the order of their windows' last use.
            self._counters.pop(key, None)
            counter = self._counters[key] = _Counter(window, before=before)
        if counter.refused_until <= self.now() and counter.remaining < 1:
            consumed, before = await self._take(counter, budget.lease, key)
            elapsed = self.now() / WINDOW_SECONDS % 1
            allowed = budget.per_minute - before * (1 - elapsed) - (consumed - budget.lease)
            granted = max(0, min(budget.lease, math.floor(allowed + 1e-9)))
            counter.remaining += granted
            if granted < budget.lease:
                # A refused request is not counted: retrying early does not lengthen the wait.
                await self._take(counter, granted - budget.lease, key)
            if not granted:
                wait = _seconds_to_wait(
                    budget.per_minute,
                    consumed=consumed - budget.lease,
                    before=before,
                    elapsed=elapsed,
                )
                counter.refused_until = self.now() + wait
        if counter.remaining < 1:
            REFUSED.labels(budget.name).inc()
            seconds = max(1, math.ceil(counter.refused_until - self.now()))
            remedy = f"Try again in {seconds} seconds."
            raise TooManyRequestsError(
                f"more than {budget.per_minute} requests in a minute",
                retry_after_seconds=seconds,
                remedy=remedy,
            )
        counter.remaining -= 1

    async def _take(self, counter: _Counter, count: int, whose: str) -> tuple[int, int]:
        """Count ``count`` requests.

        Return the totals of this window, these included, and of the one before.
        """
        if self.now() >= self._redis_away_until:
            if self._redis_away_until:
                # One request probes Redis; the others go on counting here meanwhile.
                self._redis_away_until = self.now() + REDIS_PAUSE_SECONDS
            try:
                totals = await to_thread.run_sync(
                    self._take_from_redis, f"luna:limit:{whose}", counter.window, count
                )
            except UnavailableError:
                self._redis_away_until = self.now() + REDIS_PAUSE_SECONDS
                log.warning("requests are counted in this process alone: Redis is away")
            else:
                self._redis_away_until = 0.0
                return totals
        counter.consumed += count
        return counter.consumed, counter.before

    def _take_from_redis(self, name: str, window: int, count: int) -> tuple[int, int]:
        with reachable(), self.redis.pipeline(transaction=True) as pipe:
            pipe.set(f"{name}:{window}", 0, ex=2 * WINDOW_SECONDS, nx=True)
            pipe.incrby(f"{name}:{window}", count)
            pipe.get(f"{name}:{window - 1}")
            _, consumed, before = pipe.execute()
        return int(consumed), int(before or 0)


def _seconds_to_wait(most: int, *, consumed: int, before: int, elapsed: float) -> float:
    """Return the seconds until one more request is allowed.

    In this window that is as the last one's share falls, in the next as this one's does.
    """
    if before and consumed < most:
        return WINDOW_SECONDS * max(0.0, 1 - elapsed - (most - consumed - 1) / before)
    return WINDOW_SECONDS * (1 - elapsed + max(0.0, 1 - (most - 1) / max(consumed, 1)))
