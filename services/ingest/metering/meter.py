"""The sensors of one site over one window: what they said in order, and what each column's come to."""

from collections.abc import Mapping
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from luna.site import Site
from luna.timeline import SLOT, FloatArray, InstantArray, Timeline
from services.ingest.metering.columns import Column
from services.ingest.metering.counter import read_counter
from services.ingest.metering.curve import EnergyCurve, SlotEnergy, energy_per_slot
from services.ingest.metering.level import SlotLevel, read_level
from services.ingest.metering.limits import believable_rise_kw, limit_columns
from services.ingest.metering.order import put_in_order
from services.ingest.metering.power import read_power
from services.ingest.metering.rejection import Mask, Readings, Refusals
from services.ingest.metering.spans import LONGEST_GAP_HOURS, runs_of
from services.ingest.metering.unit import ENERGY_UNITS, level_factor, read_measure
from services.ingest.reading import Samples

Part = tuple[FloatArray, NDArray[np.bool_]]
GAP_SLOTS = int(timedelta(hours=LONGEST_GAP_HOURS) / SLOT)


class Meters:
    """Reads the sensors of a site; what is refused goes to ``refusals``."""

    def __init__(self, site: Site, window: Timeline, refusals: Refusals) -> None:
        self._site = site
        self._limits = limit_columns(site)
        self._refusals = refusals
        self._edges: InstantArray = np.append(window.starts, window.starts[-1:] + np.timedelta64(SLOT)).astype("datetime64[us]")
        self._readings: dict[str, Readings] = {}
        self._awake: Mask = np.zeros(window.count, dtype=np.bool_)

    def read(self, samples: Mapping[str, Samples], columns: list[Column], *, now: datetime | None) -> None:
        """Put the samples of all sensors in order and see when any of them spoke."""
        for column in columns:
            for name, _ in column.sensors:
                given = samples.get(name) or Samples.empty(name)
                self._readings[name] = put_in_order(given, _factor(given.unit, column), self._refusals, now=now)
        self._awake = _find_awake(list(self._readings.values()), self._edges)

    def measure(self, column: Column) -> Part:
        """Return a column's value per slot, NaN where unknown, and which values rest on less than readings."""
        if column.name == "soc":
            return self._measure_level(column)
        parts = [(sign, self._measure_energy(name, column)) for name, sign in column.sensors]
        estimated = np.any([part.estimated for _, part in parts], axis=0)
        if column.reversed:
            return np.sum([part.kwh for _, part in parts], axis=0), estimated
        return np.maximum(np.sum([sign * part.kwh for sign, part in parts], axis=0), 0.0), estimated

    def refuse_slots(self, column: Column, slots: Mask, reason: str) -> Mask:
        """Refuse what a column's sensors said in ``slots``; returns those slots without the runs in which a person released it."""
        refused = slots.copy()
        for first, end in runs_of(slots):
            if any(self._is_released(name, self._edges[first], self._edges[end], reason) for name, _ in column.sensors):
                refused[first:end] = False
        return refused

    def _is_released(self, name: str, start: np.datetime64, end: np.datetime64, reason: str) -> bool:
        readings = self._readings[name]
        # A source that tells changes only says nothing while a meter stands still: what it said last is what is refused.
        last = np.searchsorted(readings.instants, start, side="right") - 1
        within = (readings.instants < end) & (np.arange(len(readings)) >= last)
        return bool((within & ~self._refusals.refuse(readings, within, reason)).any())

    def _measure_energy(self, name: str, column: Column) -> SlotEnergy:
        return energy_per_slot(self._draw(self._readings[name], column), self._edges, self._awake)

    def _draw(self, readings: Readings, column: Column) -> EnergyCurve:
        measure = read_measure(readings.unit)
        if measure is None:
            said = f"its unit {readings.unit!r} is none of energy or power" if readings.unit else "its unit is not known"
            reason = f"{said}: give {ENERGY_UNITS}"
            self._refusals.refuse(readings, np.ones(len(readings), dtype=np.bool_), reason)
            return EnergyCurve.empty()
        directed = readings.turned() if column.reversed else readings
        limit_kw = self._limits[column.name]
        if measure.kind == "power":
            return read_power(directed, limit_kw, self._refusals, reverse_kw=max(self._limits.values()))
        return read_counter(directed, believable_rise_kw(directed, limit_kw), self._refusals)

    def _measure_level(self, column: Column) -> Part:
        levels = [read_level(self._readings[name], self._edges[1:], self._awake, self._refusals) for name, _ in column.sensors]
        return np.average([level.soc for level in levels], axis=0, weights=self._weigh(levels)), np.any([level.estimated for level in levels], axis=0)

    def _weigh(self, levels: list[SlotLevel]) -> list[float]:
        """Return what each state of charge counts: a battery's capacity, where there is one sensor for each battery."""
        capacities = [battery.capacity_kwh for battery in self._site.batteries]
        return capacities if len(capacities) == len(levels) else [1.0] * len(levels)


def _factor(unit: str | None, column: Column) -> float:
    if column.name == "soc":
        return level_factor(unit)
    measure = read_measure(unit)
    return measure.factor if measure else 1.0


def _find_awake(sensors: list[Readings], edges: InstantArray) -> Mask:
    """Return the slots within the longest gap of a reading of any sensor."""
    step = edges[1] - edges[0]
    around = edges[0] + np.arange(-GAP_SLOTS, edges.size + GAP_SLOTS) * step
    spoke = np.zeros(around.size - 1, dtype=np.bool_)
    for readings in sensors:
        spoke |= np.diff(np.searchsorted(readings.instants, around)) > 0
    near = np.convolve(spoke, np.ones(2 * GAP_SLOTS + 1), mode="valid")
    return np.asarray(near > 0.5)
