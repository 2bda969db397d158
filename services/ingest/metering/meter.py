"""Readings of a site's sensors over a window, as energies and levels per column."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np

from luna.energy.observations import EnergyInterval
from luna.energy.row_fault import RowFault, refuse_unit
from luna.energy.site import SENSOR_ROLES, Site, SiteSensor
from luna.energy.timeline import SLOT, FloatArray, InstantArray, Timeline, to_utc
from luna.energy.units import level_factor, read_measure
from services.ingest.metering.column_sensors import Column
from services.ingest.metering.counter import read_counter
from services.ingest.metering.gap_filling import DIGITS
from services.ingest.metering.level import read_level
from services.ingest.metering.night import NIGHT, Nights, find_service, rest_at_night
from services.ingest.metering.no_value import find_no_powers
from services.ingest.metering.power import (
    STANDBY_SHARE,
    OneWay,
    find_thousandfold,
    read_power,
)
from services.ingest.metering.rejection import Mask, Readings, Refusals, put_in_order
from services.ingest.metering.slot_energy import EnergyCurve, SlotValues, energy_per_slot
from services.ingest.metering.spans import (
    LONGEST_GAP_HOURS,
    MOMENT,
    REST_KW,
    Spans,
    hours_between,
    runs_of,
)
from services.ingest.metering.standstill import find_long_standstills
from services.ingest.plausible_powers import ANY_POWER_KW, TOLERANCE, limit_power, limit_powers
from services.ingest.source_readings import Samples

# The largest connection of a home, three phases of 125 A, carries 86 kW.
ANY_HOME_KW = 100.0
# More than ten times the 99.9 % quantile is no peak.
FAR_BEYOND = 10.0
USUAL_SHARE = 0.999


def limit_columns(site: Site) -> dict[str, float]:
    """Return the highest plausible power of each energy column, kW."""
    sensors = site.input_sensors
    load = ANY_POWER_KW
    # The sum of connection, roof and batteries; without a limit where a part has a sensor and no
    # size.
    is_roof_sized = bool(site.pv) or not sensors.total_pv_production
    is_battery_sized = bool(site.batteries) or not sensors.total_battery_discharge
    if is_roof_sized and is_battery_sized:
        parts = [array.peak_kw for array in site.pv]
        parts += [battery.discharge_limit_kw for battery in site.batteries]
        load = min(ANY_POWER_KW, (site.grid.import_limit_kw + sum(parts)) * TOLERANCE)
    limits = limit_powers(site) | {"load_kwh": load}
    for role in SENSOR_ROLES.values():
        if role.flow == "submetered" and role.series:
            limits[role.series] = limit_power(site, role, load)
    return limits


def believable_rise_kw(counter: Readings, limit_kw: float) -> float:
    """Return the highest plausible power of a counter, kW.

    It is the site's limit; without one it is estimated from the counter's readings.
    """
    counter = counter.without(np.isnan(counter.values))
    hours = hours_between(counter.instants[:-1], counter.instants[1:])
    if limit_kw < ANY_POWER_KW or not hours.size:
        return limit_kw
    rates: FloatArray = np.diff(counter.values) / hours
    usual_kw = float(np.quantile(rates, USUAL_SHARE, method="lower"))
    return min(limit_kw, max(ANY_HOME_KW, FAR_BEYOND * usual_kw))


PV = "pv_kwh"
# Two directions of one meter: while its value for one is impossible, its value for the other is
# unknown.
TWINS = {
    "import_kwh": "export_kwh",
    "export_kwh": "import_kwh",
    "charge_kwh": "discharge_kwh",
    "discharge_kwh": "charge_kwh",
}
TWIN = RowFault("twin_impossible")
GAP_SLOTS = int(timedelta(hours=LONGEST_GAP_HOURS) / SLOT)


class Meters:
    """Readings and energy curves of a site's sensors; rejected readings go to ``refusals``."""

    def __init__(self, site: Site, window: Timeline, refusals: Refusals) -> None:
        self._site = site
        self._limits = limit_columns(site)
        self._refusals = refusals
        end = window.starts[-1:] + np.timedelta64(SLOT)
        self._edges: InstantArray = np.append(window.starts, end).astype("datetime64[us]")
        self._readings: dict[str, Readings] = {}
        self._columns: list[Column] = []
        self._curves: dict[tuple[str, bool, SiteSensor], EnergyCurve] = {}
        self._awake: Mask = np.zeros(window.count, dtype=np.bool_)
        self._nights = Nights.over(site, self._edges)

    @property
    def starts(self) -> InstantArray:
        return self._edges[:-1]

    def read(
        self, samples: Mapping[str, Samples], columns: list[Column], *, now: datetime | None
    ) -> None:
        """Order the samples of all sensors, and find the slots near any reading."""
        for column in columns:
            for name in _names_of([column]):
                sensor_samples = samples.get(name) or Samples.empty(name)
                factor = _unit_factor(sensor_samples.unit, is_level=column.is_level)
                self._readings[name] = put_in_order(sensor_samples, factor, self._refusals, now=now)
        self._columns = columns
        self._leave_out_twins()
        # Awake: within the longest gap of a reading of any sensor.
        step = self._edges[1] - self._edges[0]
        around = self._edges[0] + np.arange(-GAP_SLOTS, self._edges.size + GAP_SLOTS) * step
        spoke = np.zeros(around.size - 1, dtype=np.bool_)
        for readings in self._readings.values():
            spoke |= np.diff(np.searchsorted(readings.instants, around)) > 0
        near = np.convolve(spoke, np.ones(2 * GAP_SLOTS + 1), mode="valid")
        self._awake = np.asarray(near > 0.5)

    def measure(self, column: Column) -> SlotValues:
        """Return a column's values per slot from the sensors valid in it.

        They are NaN where unknown, and below zero where subtracted sensors exceed the others. A
        sensor that replaces another counts from its own first reading.
        """
        whole = SlotValues.unknown(self.starts.size)
        for together, slots in column.in_turn(self._edges):
            if column.is_level:
                part = self._measure_levels(together)
            else:
                part = self._measure_energies(together)
            for values, measured in zip(whole, part, strict=True):
                values[slots] = measured[slots]
        return self._settle_nights(column, whole)

    def _settle_nights(self, column: Column, measured: SlotValues) -> SlotValues:
        """Set PV to zero at night, and to unknown where it generates in deep night."""
        if column.name != PV or self._nights is None:
            return measured
        wrong = self._nights.find_generation(measured.values)
        if wrong.any():
            refused = self.refuse_slots(column, wrong, NIGHT)
            return measured._replace(values=np.where(refused, np.nan, measured.values))
        # One of its sensors may be silent at night; then another's zero counts for it.
        instants = [self._readings[name].instants for name in _names_of([column])]
        in_service = find_service(np.unique(np.concatenate(instants)), self.starts, self._awake)
        return self._nights.settle(measured, in_service & self.find_named(column))

    def measure_subtracted(self, column: Column) -> FloatArray:
        """Return the energy per slot of a column's subtracted sensors, NaN if unknown or none."""
        subtracted_kwh = np.full(self.starts.size, np.nan)
        for together, slots in column.in_turn(self._edges):
            if together.subtracted is not None:
                measured = self._measure_energies(together.subtracted)
                subtracted_kwh[slots] = measured.values[slots]
        return subtracted_kwh

    def find_intervals(self, column: Column) -> list[EnergyInterval]:
        """Return the energies of the long gaps of a column's counters, sensor by sensor."""
        if column.is_level:
            return []
        intervals = []
        for sensor in column.sensors:
            silences = self._curve_of(sensor, column).silences
            sign = 1 if column.reversed else sensor.sign
            energies = np.round(sign * silences.kwh, DIGITS).tolist()
            for place, energy_kwh in enumerate(energies):
                interval = EnergyInterval(
                    series=column.name,
                    sensor=sensor.name,
                    first=to_utc(silences.spans.starts[place]),
                    end=to_utc(silences.spans.ends[place]),
                    energy_kwh=energy_kwh,
                    certainty="counted" if silences.whole[place] else "at_least",
                )
                intervals.append(interval)
        return intervals

    def find_named(self, column: Column) -> Mask:
        """Return a mask of the slots in which any sensor of a column is valid."""
        return column.is_named(self._edges)

    def _measure_levels(self, column: Column) -> SlotValues:
        levels = []
        for sensor in column.sensors:
            readings = self._readings_of(sensor)
            levels.append(read_level(readings, self._edges[1:], self._awake, self._refusals))
        # Weighted by capacity where each battery has its own sensor.
        capacities = [battery.capacity_kwh for battery in self._site.batteries]
        weights = capacities if len(capacities) == len(levels) else [1.0] * len(levels)
        soc = np.average([level.values for level in levels], axis=0, weights=weights)
        return _any_marked(soc, levels)

    def _measure_energies(self, column: Column) -> SlotValues:
        parts = []
        signed_kwh = []
        for sensor in column.sensors:
            part = energy_per_slot(self._curve_of(sensor, column), self._edges, self._awake)
            parts.append(part)
            signed_kwh.append(part.values if column.reversed else sensor.sign * part.values)
        return _any_marked(np.sum(signed_kwh, axis=0), parts)

    def refuse_slots(self, column: Column, slots: Mask, fault: RowFault) -> Mask:
        """Reject the readings of a column's sensors in ``slots``.

        Return the slots without the runs that a person has released.
        """
        refused = slots.copy()
        for first, end in runs_of(slots):
            edges = self._edges[[first, end]]
            for readings in self._valid_readings(column, edges):
                # A source that reports changes only is silent during a standstill: its last reading
                # before is rejected as well.
                last = np.searchsorted(readings.instants, edges[0], side="right") - 1
                within = (readings.instants < edges[1]) & (np.arange(len(readings)) >= last)
                released = within & ~self._refusals.refuse(readings, within, fault)
                if released.any():
                    refused[first:end] = False
                    break
        return refused

    def _valid_readings(self, column: Column, edges: InstantArray) -> list[Readings]:
        """Return the readings of the sensors that are valid in any slot between ``edges``."""
        valid = []
        for sensor in column.sensors:
            alone = Column(column.name, (sensor,))
            if alone.is_named(edges).any():
                valid.append(self._readings[sensor.name])
        return valid

    def find_long_standstills(self, columns: Sequence[Column]) -> Spans:
        """Return the spans in which a grid meter's sensors all repeat their values for too long."""
        return find_long_standstills([self._readings[name] for name in _names_of(columns)])

    def leave_out(
        self, columns: Sequence[Column], span: tuple[np.datetime64, np.datetime64], fault: RowFault
    ) -> None:
        """Reject the readings of the sensors of ``columns`` within a span."""
        start, end = span
        for name in _names_of(columns):
            readings = self._readings[name]
            within = (readings.instants > start) & (readings.instants <= end)
            self._blank(name, self._refusals.refuse(readings, within, fault))
        affected = {column.name for column in columns}
        self._curves = {key: curve for key, curve in self._curves.items() if key[0] not in affected}

    def _blank(self, sensor: str, refused: Mask) -> None:
        readings = self._readings[sensor]
        values = np.where(refused, np.nan, readings.values)
        self._readings[sensor] = replace(readings, values=values)

    def _curve_of(self, sensor: SiteSensor, column: Column) -> EnergyCurve:
        key = column.name, column.reversed, sensor
        if key not in self._curves:
            self._curves[key] = self._read_curve(sensor, column)
        return self._curves[key]

    def _read_curve(self, sensor: SiteSensor, column: Column) -> EnergyCurve:
        readings = self._readings_of(sensor)
        limit_kw = self._limits[column.name]
        directed = readings.turned() if column.reversed else readings
        if read_measure(readings.unit) is None:
            everything = np.ones(len(readings), dtype=np.bool_)
            self._refusals.refuse(readings, everything, refuse_unit(readings.unit))
            return EnergyCurve.empty()
        if readings.is_power:
            return read_power(
                directed,
                limit_kw,
                self._refusals,
                reverse_kw=max(self._limits.values()),
                direction=self._direction_of(sensor, column),
            )
        rise_kw = believable_rise_kw(directed, limit_kw)
        nights = self._nights_of(column, directed)
        counted = read_counter(directed, rise_kw, self._refusals, nights)
        return rest_at_night(counted, nights)

    def _direction_of(self, sensor: SiteSensor, column: Column) -> OneWay | None:
        """Return the one direction that a sensor measures, or None if it measures both."""
        is_reversed = set()
        for other in self._columns:
            if sensor.name in _names_of([other]):
                is_reversed.add(other.reversed)
        if len(is_reversed) > 1:
            return None
        noise_kw = REST_KW
        if column.name == PV:
            noise_kw = max(REST_KW, STANDBY_SHARE * self._limits[column.name])
        return OneWay(noise_kw, may_rest=column.name in TWINS)

    def _leave_out_twins(self) -> None:
        """Treat one direction of a meter as unknown while the other's value is impossible."""
        sensors = {column.name: _names_of([column]) for column in self._columns}
        wrong: dict[str, Mask] = {}
        for name, twin in TWINS.items():
            if name not in sensors or twin not in sensors:
                continue
            others = [sensor for sensor in sensors[twin] if sensor not in sensors[name]]
            for sensor in sensors[name]:
                spans = self._find_impossible(self._readings[sensor], self._limits[name])
                if not spans.starts.size:
                    continue
                for other in others:
                    readings = self._readings[other]
                    covered = spans.cover(readings.instants) & np.isfinite(readings.values)
                    wrong[other] = wrong[other] | covered if other in wrong else covered
        for sensor, covered in wrong.items():
            self._blank(sensor, self._refusals.refuse(self._readings[sensor], covered, TWIN))

    def _find_impossible(self, readings: Readings, limit_kw: float) -> Spans:
        """Return the spans from a power's impossible readings to just before its next ones."""
        if not readings.is_power:
            return Spans.none()
        no_value = find_no_powers(readings)
        valued = replace(readings, values=np.where(no_value, np.nan, readings.values))
        if find_thousandfold(valued, limit_kw):
            return Spans.none()
        impossible = no_value | (np.abs(readings.values) > max(self._limits.values()))
        runs = runs_of(impossible)
        if not runs:
            return Spans.none()
        last = len(readings) - 1
        starts = readings.instants[[first for first, _ in runs]]
        ends = readings.instants[[min(end, last) for _, end in runs]]
        return Spans(starts, np.maximum(starts, ends - MOMENT))

    def _nights_of(self, column: Column, readings: Readings) -> Spans:
        """Return the nights over a roof's readings, also outside the window; none for others."""
        if column.name != PV or self._nights is None or not len(readings):
            return Spans.none()
        step = np.timedelta64(SLOT).astype("timedelta64[us]")
        # Whole slots, rounded up.
        slots_before = -((readings.instants[0] - self._edges[0]) // step)
        slots_after = -((self._edges[-1] - readings.instants[-1]) // step)
        before = max(int(slots_before), 0)
        after = max(int(slots_after), 0)
        edges = self._edges[0] + np.arange(-before, self._edges.size + after) * step
        nights = Nights.over(self._site, edges)
        return nights.spans if nights else Spans.none()

    def _readings_of(self, sensor: SiteSensor) -> Readings:
        """Return a sensor's readings within its validity.

        A power or level from shortly before still counts at its start, a counter's reading does
        not.
        """
        readings = self._readings[sensor.name]
        measure = read_measure(readings.unit)
        is_counter = measure is not None and measure.kind != "power"
        if sensor.start is not None:
            earliest = sensor.start
            if not is_counter:
                earliest = sensor.start - timedelta(hours=LONGEST_GAP_HOURS)
            too_early = readings.instants < np.datetime64(earliest.replace(tzinfo=None))
            readings = readings.without(too_early)
        if not is_counter:
            instants, values = sensor.limit(readings.instants, readings.values)
            return replace(readings, instants=instants, values=values)
        if sensor.end is None:
            return readings
        return readings.without(readings.instants > np.datetime64(sensor.end.replace(tzinfo=None)))


def _names_of(columns: Sequence[Column]) -> list[str]:
    """Return the sensors of ``columns``, each once."""
    names: dict[str, None] = {}
    for column in columns:
        names.update(dict.fromkeys(sensor.name for sensor in column.sensors))
    return list(names)


def _unit_factor(unit: str | None, *, is_level: bool) -> float:
    if is_level:
        return level_factor(unit)
    measure = read_measure(unit)
    return measure.factor if measure else 1.0


def _any_marked(values: FloatArray, parts: Sequence[SlotValues]) -> SlotValues:
    """Return values that are estimated or filled where any of their parts is."""
    estimated = np.any([part.estimated for part in parts], axis=0)
    filled = np.any([part.filled for part in parts], axis=0)
    return SlotValues(values, estimated, filled)
