"""By when an answer has to be there: one instant for placing, solving, comparing and wording together."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from services.planner.loops import planning_clock_s


@dataclass(frozen=True, slots=True)
class Deadline:
    """An instant ``at_s`` of a clock that never goes back, ``now_s``, seconds."""

    at_s: float
    now_s: Callable[[], float] = planning_clock_s

    @classmethod
    def within(cls, seconds: float, *, now_s: Callable[[], float] = planning_clock_s) -> "Deadline":
        """Return the deadline so many seconds from now."""
        return cls(now_s() + seconds, now_s)

    @property
    def left_s(self) -> float:
        """How long it is until then, seconds; nothing when it is over."""
        return max(self.at_s - self.now_s(), 0.0)

    def share(self, share: float) -> "Deadline":
        """Return the deadline by which only this share of the time left is used up."""
        return replace(self, at_s=self.at_s - (1.0 - share) * self.left_s)
