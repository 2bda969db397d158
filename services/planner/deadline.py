"""By when an answer has to be there: one instant for placing, solving, comparing and wording together."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from time import monotonic

from numba.core import event


class _Compilations(event.Listener):
    """How long loops were compiled in this process, seconds; a loop that is compiled for another counts with that. Numba compiles one at a time."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._begun: list[float] = []

    def on_start(self, event: event.Event) -> None:
        self._begun.append(monotonic())

    def on_end(self, event: event.Event) -> None:
        begun = self._begun.pop()
        if not self._begun:
            self.seconds += monotonic() - begun


_compilations = _Compilations()
event.register("numba:compile", _compilations)  # type: ignore[no-untyped-call]


def planning_clock_s() -> float:
    """Return the seconds of a clock that never goes back, and stands still while a loop is compiled: that leaves a plan its time."""
    return monotonic() - _compilations.seconds


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
