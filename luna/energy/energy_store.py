"""Stores of energy and the energy that their meters counted.

A store is a battery, a car, a water tank or a heating buffer. Pure.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np

from luna.energy.devices.battery import Battery
from luna.energy.soc_plausibility import HOUR, LevelPace, pace_of_batteries
from luna.energy.timeline import FloatArray, Timeline

# Whole per cents at both ends.
ROUNDING_SOC = 0.02
# A quarter-hour is built when it is over; a meter that is silent for longer says nothing.
MOST_UNKNOWN = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class StoreKind:
    """A kind of store: its limits, its meters and how far its sensor is trusted.

    Attributes:
        stuck_share: the share of the capacity that goes in or out at most while the level stands.
        drawn_unmetered: energy also leaves the store without a meter: by a tap, on the road.
        filled_unmetered: energy also comes into it without a meter: at another charger.
        counted_on: the meter carries the level on from the last change that the sensor reported:
            it is trusted more than the sensor.
        stale_after: the age from which a reading says nothing by itself.
        least: the lowest level that there is.
        most: the highest one.
    """

    stuck_share: float = 0.1
    drawn_unmetered: bool = False
    filled_unmetered: bool = False
    counted_on: bool = False
    stale_after: timedelta = timedelta(days=1)
    least: float = 0.0
    most: float = 1.0


BATTERY = StoreKind()
# A car's level passes through its maker's cloud, which may hold it back for hours.
CAR = StoreKind(counted_on=True)
# It is unknown whether the car is at its wallbox.
ROAMING_CAR = replace(CAR, drawn_unmetered=True, filled_unmetered=True)
# Level 0 and 1 are the ends of the comfort band: a store of heat is colder and warmer at times.
TANK = StoreKind(stuck_share=0.5, drawn_unmetered=True, least=-2.0, most=3.0)
# A buffer is drained by the heating circuit while it is filled.
BUFFER = StoreKind(stuck_share=1.0, drawn_unmetered=True, least=-2.0, most=3.0)


@dataclass(frozen=True, slots=True)
class EnergyStore:
    """A store of energy.

    Attributes:
        kind: what is particular about its level.
        capacity_kwh: between level 0 and 1.
        charge_kw: the most that is stored at once, losses taken off.
        discharge_kw: the most that is taken out of what is stored at once, losses added.
        charge_efficiency: stored per metered kWh; of a heat pump its COP.
        discharge_efficiency: metered per kWh that leaves the store.
        loss_kw: the most that leaves the store without a meter on a usual day.
        fastest: how fast the level moves, where it is not what the powers come to.
    """

    kind: StoreKind
    capacity_kwh: float
    charge_kw: float
    discharge_kw: float = 0.0
    charge_efficiency: float = 1.0
    discharge_efficiency: float = 1.0
    loss_kw: float = 0.0
    fastest: LevelPace | None = None

    @property
    def pace(self) -> LevelPace:
        """The fastest rise and fall of its level."""
        if self.fastest is not None:
            return self.fastest
        rise = self.charge_kw / self.capacity_kwh
        return LevelPace(rise, self.discharge_kw / self.capacity_kwh)

    def clip(self, level: float) -> float:
        """Return the nearest level that there is."""
        return min(max(level, self.kind.least), self.kind.most)

    def has(self, level: float) -> bool:
        """Return whether there is such a level, whole per cents aside."""
        return self.kind.least - ROUNDING_SOC <= level <= self.kind.most + ROUNDING_SOC


# Draw of inverter and battery management from a battery without a meter.
BATTERY_STANDBY_KW = 0.05


def store_of_batteries(batteries: Sequence[Battery]) -> EnergyStore:
    """Return a site's batteries as one store, whose level is the mean of theirs."""
    capacity = sum(battery.capacity_kwh for battery in batteries)
    charge = sum(battery.capacity_kwh * battery.charge_efficiency for battery in batteries)
    discharge = sum(battery.capacity_kwh * battery.discharge_efficiency for battery in batteries)
    return EnergyStore(
        BATTERY,
        capacity,
        charge_kw=sum(battery.charge_limit_kw * battery.charge_efficiency for battery in batteries),
        discharge_kw=sum(
            battery.discharge_limit_kw / battery.discharge_efficiency for battery in batteries
        ),
        charge_efficiency=charge / capacity,
        discharge_efficiency=discharge / capacity,
        loss_kw=BATTERY_STANDBY_KW * len(batteries),
        fastest=pace_of_batteries(batteries),
    )


@dataclass(frozen=True, slots=True)
class MeteredEnergy:
    """Energy that a store's meters counted per quarter-hour, kWh; NaN where it is unknown."""

    timeline: Timeline
    into_kwh: FloatArray
    out_kwh: FloatArray | None = None

    @property
    def until(self) -> datetime | None:
        """The end of the last quarter-hour that is known; None without any."""
        known = np.flatnonzero(np.isfinite(self._net()))
        if not known.size:
            return None
        return self.timeline.start + (int(known[-1]) + 1) * self.timeline.step

    def _net(self) -> FloatArray:
        return self.into_kwh if self.out_kwh is None else self.into_kwh - self.out_kwh

    def count_into(self, first: datetime, end: datetime) -> float:
        """Return what was metered into the store between two instants, kWh."""
        return self._between(_known(self.into_kwh), first, end)

    def count_out(self, first: datetime, end: datetime) -> float | None:
        """Return what was metered out of the store between two instants, kWh."""
        if self.out_kwh is None:
            return None
        return self._between(_known(self.out_kwh), first, end)

    def count_moved(self, first: datetime, end: datetime) -> float:
        """Return what was metered into and out of the store between two instants, kWh."""
        return self._between(_known(self.into_kwh + self._out()), first, end)

    def count_stored(self, store: EnergyStore, first: datetime, end: datetime) -> float:
        """Return by what share of the capacity the metered energy changed the level."""
        stored = self.into_kwh * store.charge_efficiency - self._out() / store.discharge_efficiency
        return self._between(_known(stored), first, end) / store.capacity_kwh

    def count_unknown(self, first: datetime, end: datetime) -> float:
        """Return of how many hours between two instants nobody knows what was metered."""
        hours = self.timeline.step / HOUR
        known = self._between(np.isfinite(self._net()) * hours, first, end)
        return max((end - first) / HOUR - known, 0.0)

    def is_counted(self, first: datetime, end: datetime) -> bool:
        """Return whether the meter is known between two instants.

        What is still on its way counts as known.
        """
        return self.until is not None and self.count_unknown(first, end) < MOST_UNKNOWN / HOUR

    def _out(self) -> FloatArray:
        return np.zeros(self.timeline.count) if self.out_kwh is None else self.out_kwh

    def _between(self, values: FloatArray, first: datetime, end: datetime) -> float:
        """Return the part of the slots' values that falls between two instants."""
        return self._until(values, max(first, end)) - self._until(values, first)

    def _until(self, values: FloatArray, instant: datetime) -> float:
        """Return the part of the slots' values before an instant."""
        slots = (instant - self.timeline.start) / self.timeline.step
        whole = min(max(int(slots), 0), values.size)
        total = float(values[:whole].sum())
        if 0.0 < slots < values.size:
            total += (slots - whole) * float(values[whole])
        return total


def _known(energy_kwh: FloatArray) -> FloatArray:
    """Return energy with 0 where it is unknown."""
    return np.where(np.isnan(energy_kwh), 0.0, energy_kwh)
