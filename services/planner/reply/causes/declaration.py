"""A cause of what a battery does, and the figures of its sentence."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from luna.energy.physics.mode import BoolArray
from luna.energy.timeline import FloatArray, IndexArray

# Figures by name, as arrays over slots, or over batteries and slots; NaN: left out. ``TIME`` holds
# slots instead, -1: left out.
Figures = dict[str, FloatArray | IndexArray]
TIME = "time"


@dataclass(frozen=True, slots=True)
class Cause:
    """A code of ``luna.words``, where it is true, and the figures of its sentence.

    What a sentence sets against each other is compared in ``holds`` with the very figures that it
    shows.
    """

    code: str
    holds: BoolArray
    figures: Mapping[str, FloatArray | IndexArray] = field(default_factory=dict)
