"""A cause of what a battery does, and the figures of its sentence."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from luna.energy.physics.mode import BoolArray
from luna.energy.timeline import FloatArray, IndexArray
from services.planner.reply.evidence import Evidence

# Figures by name, as arrays over slots, or over batteries and slots; NaN: left out. ``TIME`` holds
# slots instead, -1: left out.
Figures = Mapping[str, FloatArray | IndexArray]
TIME = "time"
Predicate = Callable[[Evidence], BoolArray]


def show_nothing(_: Evidence) -> Figures:
    """Return the figures of a sentence without any."""
    return {}


@dataclass(frozen=True, slots=True)
class Cause:
    """A code of ``luna.words``, where it is true, and the figures of its sentence.

    What a sentence sets against each other is compared in ``holds`` with the very figures that it
    shows.
    """

    code: str
    holds: Predicate
    figures: Callable[[Evidence], Figures] = show_nothing


@dataclass(frozen=True, slots=True)
class CauseGroup:
    """Causes of one thing that a battery does; the first that is true is the reason."""

    applies: Predicate
    causes: tuple[Cause, ...]
