"""Prices of a market as collected from its sources, before they are stored."""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from luna.energy.timeline import FloatArray, InstantArray, Timeline

NEVER = np.datetime64("NaT", "us")


@dataclass(frozen=True, slots=True)
class Need:
    """Quarter-hours of a market in a currency to fetch prices for."""

    market: str
    currency: str
    timeline: Timeline


@dataclass(slots=True)
class CollectedPrices:
    """Prices collected for a need.

    Args:
        price: on the need's timeline, NaN: none.
        published_at: of each price, NaT: not stated.
        source: of each price, "": none.
        sources: number of slots by source.
        reached: whether any service answered, be it with a fault.
        absurd: the prices left out because only a wrong unit explains them, by source and slot.
    """

    need: Need
    price: FloatArray
    published_at: InstantArray
    source: NDArray[np.object_]
    sources: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    reached: bool = False
    absurd: dict[str, dict[int, float]] = field(default_factory=dict)

    @classmethod
    def nothing(cls, need: Need) -> "CollectedPrices":
        """Return a result without prices."""
        count = need.timeline.count
        return cls(
            need, np.full(count, np.nan), np.full(count, NEVER), np.full(count, "", dtype=object)
        )
