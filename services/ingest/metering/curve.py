"""Energy as a curve over time, and what its quarter-hours hold."""

from dataclasses import dataclass, field
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from luna.energy.readings import Runs, increase_per_bucket
from luna.energy.timeline import FloatArray, InstantArray
from services.ingest.metering.spans import Spans, hours_between

# Five minutes of a quarter-hour: what is missing is taken to be like the rest. More would be a guess.
MOST_UNKNOWN_SHARE = 1 / 3
# Rounding of instants and sums, far below a second in a quarter-hour.
ALL_BUT = 1e-9


@dataclass(frozen=True, slots=True)
class Silences:
    """Stretches between two readings of a counter that are too long to interpolate: what it counted, kWh, and whether that is all of it."""

    spans: Spans
    kwh: FloatArray
    whole: NDArray[np.bool_]

    @classmethod
    def none(cls) -> Self:
        """Return no stretch."""
        return cls(Spans.none(), np.zeros(0), np.zeros(0, dtype=np.bool_))


@dataclass(frozen=True, slots=True)
class EnergyCurve:
    """Energy since the first instant, kWh, rising evenly between instants, and how well each stretch is known.

    Args:
        instants: ascending, ``datetime64[us]``, UTC.
        kwh: never falling.
        unknown: stretches of which nothing is known; the curve is level there.
        interpolated: stretches without a reading whose energy was spread evenly.
        resting: long stretches in which the sensor said nothing after it had said zero: at rest, if others spoke meanwhile.
        filled: long stretches without a reading of which a counter's two ends give the energy, and nothing gives its shape.
        silences: these, and those that are too long to be filled, with what was counted.
    """

    instants: InstantArray
    kwh: FloatArray
    unknown: Spans
    interpolated: Spans
    resting: Spans
    filled: Spans
    silences: Silences = field(default_factory=Silences.none)

    @classmethod
    def empty(cls) -> Self:
        """Return the curve of a sensor without readings."""
        none = Spans.none()
        return cls(none.starts, np.array([], dtype=np.float64), unknown=none, interpolated=none, resting=none, filled=none)


class SlotValues(NamedTuple):
    """Values per slot, energies in kWh or states of charge at its end, NaN where unknown.

    ``estimated``: which rest on less than readings; ``filled``: which of these lie in a gap of a counter, whose two ends alone bound them.
    """

    values: FloatArray
    estimated: NDArray[np.bool_]
    filled: NDArray[np.bool_]


def energy_per_slot(curve: EnergyCurve, edges: InstantArray, awake: NDArray[np.bool_]) -> SlotValues:
    """Return the energy between each two ``edges``.

    Args:
        awake: which slots lie near a reading of any of the site's sensors, shape ``(edges - 1,)``; where none spoke, silence is no rest.

    Invariants: no energy is negative; where all is known the slots add up to what the curve gained.
    """
    # The points of the curve beside each edge, and its ends: between them it only has to be as high.
    beside, last = np.searchsorted(curve.instants, edges), curve.instants.size - 1
    places = np.unique(np.concatenate([beside - 1, beside, [0, last]]))
    places = places[(places >= 0) & (places <= last)]
    instants, energy = curve.instants[places], curve.kwh[places]
    gain = increase_per_bucket(Runs(instants, energy, instants, energy, np.zeros(places.size)), edges)
    hours = hours_between(edges[:-1], edges[1:])
    lost = curve.unknown.hours_per_slot(edges) + np.where(awake, 0.0, curve.resting.hours_per_slot(edges))
    coverage = np.clip(gain.known - lost / hours, 0.0, 1.0)
    enough = coverage >= 1 - MOST_UNKNOWN_SHARE - ALL_BUT
    whole = coverage >= 1 - ALL_BUT
    kwh = np.divide(gain.values, np.where(whole, 1.0, coverage), out=np.full(coverage.size, np.nan), where=enough)
    filled = enough & (curve.filled.hours_per_slot(edges) > ALL_BUT)
    return SlotValues(kwh, enough & (~whole | filled | (curve.interpolated.hours_per_slot(edges) > ALL_BUT)), filled)
