"""Retry policies: number of tries and back-off between them."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import Protocol


class RandomSource(Protocol):
    """The interface that ``random.Random`` and ``np.random.Generator`` share."""

    def random(self) -> float:
        """Return a number from 0 to below 1."""


# The system's generator: forked processes do not draw equal numbers.
SYSTEM: RandomSource = random.SystemRandom()
# Caps the exponent, so that the power stays a finite float; the pause is the longest one long
# before.
_MOST_STEPS = 300
_MOST_GROWTH = 10.0


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Exponential back-off with jitter.

    Args:
        first: the pause after the first failure.
        growth: factor per further failure, 1 to 10; 1: constant pauses.
        longest: upper bound of a pause.
        tries: how many in all; None: until one succeeds.
        jitter: share of a pause, 0 to 1, of which a random part is subtracted, so that clients that
            failed together do not retry together.

    Invariants: a pause is never longer than ``longest``, never shorter than its share without
        jitter, and without jitter never shorter than the one before.
    """

    first: timedelta
    growth: float = 2.0
    longest: timedelta = timedelta(days=1)
    tries: int | None = None
    jitter: float = 0.0

    def __post_init__(self) -> None:
        if not (
            self.first >= timedelta(0)
            and 1 <= self.growth <= _MOST_GROWTH
            and 0 <= self.jitter <= 1
            and (self.tries is None or self.tries > 0)
        ):
            raise ValueError(
                f"{self}: wanted first >= 0, growth of 1 to {_MOST_GROWTH:g}, jitter of 0 "
                "to 1, tries > 0"
            )

    def pause(self, failures: int, random_source: RandomSource = SYSTEM) -> timedelta:
        """Return the pause after ``failures`` failures in a row; zero after none."""
        if failures <= 0:
            return timedelta(0)
        grown = self.first.total_seconds() * float(self.growth) ** min(failures - 1, _MOST_STEPS)
        pause = timedelta(seconds=min(grown, self.longest.total_seconds()))
        if not self.jitter:
            return pause
        return pause * (1 - self.jitter + self.jitter * random_source.random())

    def attempts(self) -> Iterator[int]:
        """Yield the number of each try, from 1."""
        return iter(count(1) if self.tries is None else range(1, self.tries + 1))

    def gives_up(self, failures: int) -> bool:
        """Return whether ``failures`` exhaust the tries."""
        return self.tries is not None and failures >= self.tries
