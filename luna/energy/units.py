"""Units of sensors: conversion factors, and the history of a sensor's unit."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray

from luna.energy.timeline import FloatArray, IndexArray, InstantArray


@dataclass(frozen=True, slots=True)
class Measure:
    """A counter of energy or a power, with the factor to kWh or kW."""

    kind: Literal["counter", "power"]
    factor: float


_MEASURES = {
    "wh": Measure("counter", 1e-3),
    "kwh": Measure("counter", 1.0),
    "mwh": Measure("counter", 1e3),
    "gwh": Measure("counter", 1e6),
    "w": Measure("power", 1e-3),
    "kw": Measure("power", 1.0),
    "mw": Measure("power", 1e3),
}
NOT_SAID = -1


def read_measure(unit: str | None) -> Measure | None:
    """Return the measure of a unit, None where it is neither energy nor power.

    Case is ignored: no home measures milliwatts.
    """
    return _MEASURES.get((unit or "").strip().casefold())


def level_factor(unit: str | None) -> float:
    """Return the factor from a level's unit to a fraction: 0.01 for per cent, else 1."""
    return 0.01 if (unit or "").strip() == "%" else 1.0


_KILOMETRES = {"km": 1.0, "m": 1e-3, "mi": 1.609344}


def distance_factor(unit: str | None) -> float:
    """Return the factor from a distance's unit to kilometres, which an unknown one is taken for."""
    return _KILOMETRES.get((unit or "").strip().casefold(), 1.0)


def ratio(unit: str | None, to: str | None) -> float:
    """Return the factor from ``unit`` to the unit ``to``; NaN if there is none."""
    if unit == to:
        return 1.0
    kind, factor = _scale(unit)
    other_kind, other_factor = _scale(to)
    return factor / other_factor if kind and kind == other_kind else np.nan


def _scale(unit: str | None) -> tuple[str | None, float]:
    """Return a unit's kind (None: unknown) and its factor to the kind's base unit."""
    measure = read_measure(unit)
    if measure:
        return measure.kind, measure.factor
    return ("share", level_factor(unit)) if unit in {"%", "1"} else (None, 1.0)


@dataclass(frozen=True, slots=True)
class StatedUnits:
    """The stated unit of each reading of a batch.

    It is the index in ``names``, ``NOT_SAID`` without one.
    """

    names: tuple[str, ...]
    codes: IndexArray

    @classmethod
    def of(cls, units: Sequence[str | None]) -> Self:
        """Return the stated units of readings, stripped of blanks; an empty unit is none."""
        stripped = [(unit or "").strip() for unit in units]
        names = tuple(sorted({*stripped} - {""}))
        place = {"": NOT_SAID} | {name: code for code, name in enumerate(names)}
        return cls(names, np.array([place[name] for name in stripped], dtype=np.int64))


@dataclass(frozen=True, slots=True)
class UnitHistory:
    """The unit of a sensor's readings over time.

    It is ``first``, then from each instant of ``since`` on the entry of ``later`` at its index.

    Args:
        first: None until a unit is stated.
        since: ``datetime64[us]``, UTC, ascending.
        later: one unit per instant of ``since``; neighbours differ.
    """

    first: str | None = None
    since: InstantArray = field(default_factory=lambda: np.array([], dtype="datetime64[us]"))
    later: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str | None, ...]:
        """The units in order of time; ``places`` returns indices of this tuple."""
        return (self.first, *self.later)

    def places(self, instants: InstantArray) -> IndexArray:
        """Return the index in ``names`` of the unit at each instant."""
        return np.searchsorted(self.since, instants, side="right").astype(np.int64)

    def newest(self, instants: InstantArray | None = None) -> str | None:
        """Return the newest unit of the most frequent kind among readings.

        They are those at ``instants`` (None: among ``names``); without a known unit it is the
        newest unknown one.
        """
        places = np.arange(len(self.names)) if instants is None else self.places(instants)
        readings: Counter[str] = Counter()
        newest: dict[str | None, str | None] = {None: self.first}
        for place, count in zip(
            *(counts.tolist() for counts in np.unique(places, return_counts=True)), strict=True
        ):
            kind, _ = _scale(self.names[place])
            newest[kind] = self.names[place]
            # A single reading of another kind, a power among a counter's, is an outlier even where
            # it is the newest.
            readings.update({kind: count} if kind else {})
        most = max(readings.values(), default=0)
        return next(
            (newest[kind] for kind in reversed(newest) if kind and readings[kind] == most),
            newest[None],
        )

    def factors(self, instants: InstantArray, unit: str | None) -> FloatArray:
        """Return the factor of each reading to ``unit``, NaN where it cannot be converted."""
        return np.array([ratio(name, unit) for name in self.names])[self.places(instants)]

    def agrees(self, instants: InstantArray, stated: StatedUnits) -> bool:
        """Return whether the readings state the units of the history."""
        code = {name: place for place, name in enumerate(stated.names)}
        codes = np.array(
            [NOT_SAID if name is None else code.get(name, NOT_SAID) for name in self.names]
        )
        has_unit = stated.codes != NOT_SAID
        return bool((codes[self.places(instants)] == stated.codes)[has_unit].all())

    def with_stated(
        self, instants: InstantArray, stated: StatedUnits, others: InstantArray
    ) -> "UnitHistory":
        """Return the history updated with the stated units of new readings.

        Args:
            instants: of the new readings, each once, in any order.
            stated: their units.
            others: instants of the stored readings from the first new one on, up to the next one
                after the last new one.

        Invariants: a new reading has its stated unit, every other one keeps its unit, and units
            change only at a reading.
        """
        has_unit = stated.codes != NOT_SAID
        if not has_unit.any():
            return self
        own = instants[has_unit]
        units = np.array(stated.names, dtype=np.object_)[stated.codes[has_unit]]
        history = self
        if self.first is None:
            history = UnitHistory(str(units[own.argmin()]), self.since, self.later)
        unchanged = np.setdiff1d(others[others >= own.min()], own)
        points: InstantArray = np.concatenate([own, unchanged])
        order = np.argsort(points, kind="stable")
        points = points[order]
        all_names = np.array(history.names, dtype=np.object_)
        unchanged_units = all_names[history.places(unchanged)]
        names: NDArray[np.object_] = np.concatenate([units, unchanged_units])[order]
        earlier = int(np.searchsorted(history.since, points[0]))
        # Without a stored reading after the new ones, the last stated unit applies from there on.
        later = history.since.size
        if unchanged.size and unchanged[-1] > own.max():
            later = int(np.searchsorted(history.since, points[-1], side="right"))
        changes = names != np.concatenate([[history.names[earlier]], names[:-1]])
        since: InstantArray = np.concatenate(
            [history.since[:earlier], points[changes], history.since[later:]]
        )
        return UnitHistory(
            history.first,
            since,
            (*history.later[:earlier], *names[changes].tolist(), *history.later[later:]),
        )
