"""Cumulative energy of a sensor as a curve over time, and its energy per slot."""

from dataclasses import dataclass, field
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from luna.energy.readings import Runs, increase_per_bucket
from luna.energy.timeline import FloatArray, InstantArray
from services.ingest.metering.spans import Spans, hours_between

# Up to five minutes of a quarter-hour are extrapolated from the rest; longer would be a guess.
MOST_UNKNOWN_SHARE = 1 / 3
# Rounding of instants and sums, far below a second in a quarter-hour.
ALL_BUT = 1e-9


@dataclass(frozen=True, slots=True)
class Silences:
    """Gaps of a counter that are too long to interpolate, with the energy counted over each.

    ``whole``: the energy is complete, not only a lower bound.
    """

    spans: Spans
    kwh: FloatArray
    whole: NDArray[np.bool_]

    @classmethod
    def none(cls) -> Self:
        return cls(Spans.none(), np.zeros(0), np.zeros(0, dtype=np.bool_))


@dataclass(frozen=True, slots=True)
class EnergyCurve:
    """Cumulative energy since the first instant, linear between instants, with each span's quality.

    Args:
        instants: ascending, ``datetime64[us]``, UTC.
        kwh: non-decreasing.
        unknown: spans without knowledge; the curve is flat there.
        interpolated: spans without a reading, with their energy spread evenly.
        resting: long silences after a reading of zero: at rest if other sensors of the site
            reported meanwhile.
        filled: gaps of a counter with known energy and an estimated shape.
        silences: the filled gaps and those too long to fill, with their energy.
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
        none = Spans.none()
        return cls(
            none.starts,
            np.array([], dtype=np.float64),
            unknown=none,
            interpolated=none,
            resting=none,
            filled=none,
        )


class SlotValues(NamedTuple):
    """Values per slot: energies in kWh or states of charge at the slot's end, NaN where unknown.

    ``estimated``: not fully measured; ``filled``: of these the ones in a filled gap of a counter,
    where only the gap's total is measured.
    """

    values: FloatArray
    estimated: NDArray[np.bool_]
    filled: NDArray[np.bool_]

    @classmethod
    def unknown(cls, slots: int) -> Self:
        never = np.zeros(slots, dtype=np.bool_)
        return cls(np.full(slots, np.nan), never, never.copy())


def energy_per_slot(
    curve: EnergyCurve, edges: InstantArray, awake: NDArray[np.bool_]
) -> SlotValues:
    """Return the energy between each two ``edges``.

    Args:
        awake: slots near a reading of any of the site's sensors, shape ``(edges - 1,)``; elsewhere
            a silence is unknown, not rest.

    Invariants: no energy is negative; where everything is known the slots add up to the curve's
        gain.
    """
    # Only the curve's points beside each edge, and its ends, determine the sums.
    beside = np.searchsorted(curve.instants, edges)
    last = curve.instants.size - 1
    places = np.unique(np.concatenate([beside - 1, beside, [0, last]]))
    places = places[(places >= 0) & (places <= last)]
    instants = curve.instants[places]
    energy = curve.kwh[places]
    runs = Runs(
        first_at=instants, first=energy, last_at=instants, last=energy, inner=np.zeros(places.size)
    )
    gain = increase_per_bucket(runs, edges)
    hours = hours_between(edges[:-1], edges[1:])
    silent_hours = np.where(awake, 0.0, curve.resting.hours_per_slot(edges))
    lost_hours = curve.unknown.hours_per_slot(edges) + silent_hours
    coverage = np.clip(gain.known - lost_hours / hours, 0.0, 1.0)
    enough = coverage >= 1 - MOST_UNKNOWN_SHARE - ALL_BUT
    whole = coverage >= 1 - ALL_BUT
    # A partly known slot is scaled up to its whole length.
    kwh = np.divide(
        gain.values,
        np.where(whole, 1.0, coverage),
        out=np.full(coverage.size, np.nan),
        where=enough,
    )
    filled = enough & (curve.filled.hours_per_slot(edges) > ALL_BUT)
    interpolated = curve.interpolated.hours_per_slot(edges) > ALL_BUT
    estimated = enough & (~whole | filled | interpolated)
    return SlotValues(kwh, estimated, filled)
