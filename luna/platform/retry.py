"""How often something that failed is tried again, and how long to wait before that."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import Protocol


class RandomSource(Protocol):
    """``random.Random`` and ``np.random.Generator`` alike."""

    def random(self) -> float:
        """Return a number from 0 to below 1."""


# The system's own: processes forked from one do not draw the same.
SYSTEM: RandomSource = random.SystemRandom()
# Beyond this every pause is the longest one; the powers below stay floats.
_MOST_STEPS = 300
_MOST_GROWTH = 10.0


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Pauses that grow from failure to failure.

    Args:
        first: the pause after the first failure.
        growth: what each further failure multiplies it by, 1 to 10; 1: pauses of one length.
        longest: no pause is longer.
        tries: how many in all; None: until one succeeds.
        jitter: the share of a pause that chance may take off, 0 to 1, so that those who failed together do not come back together.

    Invariants: a pause is never longer than ``longest``, never shorter than its share without jitter, and not shorter than the one before where there is none.
    """

    first: timedelta
    growth: float = 2.0
    longest: timedelta = timedelta(days=1)
    tries: int | None = None
    jitter: float = 0.0

    def __post_init__(self) -> None:
        if not (self.first >= timedelta(0) and 1 <= self.growth <= _MOST_GROWTH and 0 <= self.jitter <= 1 and (self.tries is None or self.tries > 0)):
            raise ValueError(f"{self}: wanted first >= 0, growth of 1 to {_MOST_GROWTH:g}, jitter of 0 to 1, tries > 0")

    def pause(self, failures: int, random_source: RandomSource = SYSTEM) -> timedelta:
        """Return how long to wait after so many failures in a row; after none, not at all."""
        if failures <= 0:
            return timedelta(0)
        grown = self.first.total_seconds() * float(self.growth) ** min(failures - 1, _MOST_STEPS)
        pause = timedelta(seconds=min(grown, self.longest.total_seconds()))
        return pause * (1 - self.jitter + self.jitter * random_source.random()) if self.jitter else pause

    def attempts(self) -> Iterator[int]:
        """Yield the number of each try, from 1."""
        return iter(count(1) if self.tries is None else range(1, self.tries + 1))

    def gives_up(self, failures: int) -> bool:
        """Return whether there is no further try after so many failures."""
        return self.tries is not None and failures >= self.tries
