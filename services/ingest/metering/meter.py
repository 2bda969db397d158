"""Readings of a site's sensors over one window, converted into energies and states of charge per
column; detection of frozen grid meters.

A grid meter that repeats its value while the house uses energy measures nothing: such standstills
are rejected.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from luna.energy.observations import EnergyInterval
from luna.energy.part import SOC_ROUNDING
from luna.energy.row_fault import RowFault, refuse_unit
from luna.energy.site import SENSOR_ROLES, Site, SiteSensor
from luna.energy.timeline import SLOT, FloatArray, InstantArray, Timeline
from luna.energy.units import level_factor, read_measure
from services.ingest.limits import ANY_POWER_KW, TOLERANCE, limit_power, limit_powers
from services.ingest.metering.columns import Column
from services.ingest.metering.counter import measure_step, read_counter
from services.ingest.metering.gap_filling import DIGITS
from services.ingest.metering.night import NIGHT, Nights, find_service, rest_at_night
from services.ingest.metering.no_value import find_no_powers
from services.ingest.metering.power import (
    STANDBY_SHARE,
    OneWay,
    find_outliers,
    find_thousandfold,
    read_power,
)
from services.ingest.metering.rejection import Mask, Readings, Refusals, put_in_order
from services.ingest.metering.slot_energy import EnergyCurve, SlotValues, energy_per_slot
from services.ingest.metering.spans import (
    LONGEST_GAP_HOURS,
    LONGEST_STEP_HOURS,
    REST_KW,
    Spans,
    find_paced,
    hours_between,
    runs_of,
)
from services.ingest.reading import Samples

# Shorter standstills are normal: polling, a restart of the gateway, a dead band of the display.
LEAST_STOOD_HOURS = 10 / 60
FEWEST_REPEATS = 3
# A battery that follows the load errs by tens of watts: about 10 W at the meter on average, half of
# that at least. A counter may stand still until this power makes one step of its display, and twice
# as long, for the error may be smaller for a while.
LEAST_GRID_KW = 0.005
# Factor over the longest other standstill in the days around.
TIMES_AS_LONG = 2.0
LEAST_OBSERVED_HOURS = 24.0
# A hundredth of a watt-hour: smaller differences are floating-point losses.
SAME_KWH = 1e-5
# Resolution of instants.
MOMENT = np.timedelta64(1, "us")
# Between readings further apart a standstill cannot be told.
LONGEST_COUNTED_HOURS = 2.0


def find_long_standstills(meter: Sequence[Readings]) -> Spans:
    """Return the spans in which all sensors of a grid meter repeat their values for too long.

    Too long is more than ten minutes, than twice the time of one display step at the least power,
    and than twice the longest other standstill in the days around. None is found with less than a
    whole day of other readings, a coarse display or a direction that hardly ever counts, nor for a
    power near zero, which some displays do not show.

    Args:
        meter: readings of each of its sensors, in kW or kWh.
    """
    steps = []
    for each in meter:
        kwh = each.values[np.isfinite(each.values)]
        # A fine counter hardly ever rises twice by exactly the same energy: then the smallest
        # difference of rises shows its step.
        rises = np.diff(kwh)[np.diff(kwh) > 0]
        differs = np.abs(np.diff(rises))
        step = (
            min(measure_step(kwh), float(np.min(differs, initial=np.inf, where=differs > SAME_KWH)))
            or np.inf
        )
        steps.append(0.0 if _is_power(each) else step)
    if not meter or not all(np.isfinite(steps)):
        return Spans.none()
    # A standstill lasts from one change of any sensor to the next, until the last reading of that
    # sensor whose readings end first.
    moved = [
        np.append([True], np.diff(each.values) != 0)
        | (_is_power(each) & (np.abs(each.values) <= REST_KW))
        for each in meter
    ]
    moves = np.unique(
        np.concatenate([each.instants[is_new] for each, is_new in zip(meter, moved, strict=True)])
    )
    following: InstantArray = np.append(
        moves[1:], np.max([each.instants[-1] for each in meter]) + MOMENT
    )
    ends = [np.searchsorted(each.instants, following) for each in meter]
    last = np.min(
        [each.instants[np.maximum(end - 1, 0)] for each, end in zip(meter, ends, strict=True)],
        axis=0,
    )
    repeats = np.min(
        [
            end - np.searchsorted(each.instants, moves, side="right")
            for each, end in zip(meter, ends, strict=True)
        ],
        axis=0,
    )
    hours = hours_between(moves, np.maximum(last, moves))
    longest = np.sort(hours)[-2:] if hours.size > 1 else np.zeros(2)
    # The longest other standstill of each: for the longest one the second.
    beside = np.where(hours == longest[-1], longest[0], longest[-1])
    least = np.maximum(
        TIMES_AS_LONG * np.maximum(max(steps) / LEAST_GRID_KW, beside), LEAST_STOOD_HOURS
    )
    observed_hours = min(
        float(
            np.minimum(
                hours_between(each.instants[:-1], each.instants[1:]), LONGEST_COUNTED_HOURS
            ).sum()
        )
        for each in meter
    )
    long = (
        (hours > least)
        & (repeats >= FEWEST_REPEATS)
        & (observed_hours - hours >= LEAST_OBSERVED_HOURS)
    )
    return Spans(moves[long], (following - MOMENT)[long])


def _is_power(readings: Readings) -> bool:
    measure = read_measure(readings.unit)
    return measure is not None and measure.kind == "power"


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
    if (site.pv or not sensors.total_pv_production) and (
        site.batteries or not sensors.total_battery_discharge
    ):
        parts = [array.peak_kw for array in site.pv] + [
            battery.discharge_limit_kw for battery in site.batteries
        ]
        load = min(ANY_POWER_KW, (site.grid.import_limit_kw + sum(parts)) * TOLERANCE)
    submetered = {
        role.series: limit_power(site, role, load)
        for role in SENSOR_ROLES.values()
        if role.flow == "submetered" and role.series
    }
    return limit_powers(site) | {"load_kwh": load} | submetered


def believable_rise_kw(counter: Readings, limit_kw: float) -> float:
    """Return the highest plausible power of a counter, kW: the site's limit, without one an
    estimate from its readings.
    """
    counter = counter.without(np.isnan(counter.values))
    hours = hours_between(counter.instants[:-1], counter.instants[1:])
    if limit_kw < ANY_POWER_KW or not hours.size:
        return limit_kw
    rates: FloatArray = np.diff(counter.values) / hours
    return min(
        limit_kw,
        max(ANY_HOME_KW, FAR_BEYOND * float(np.quantile(rates, USUAL_SHARE, method="lower"))),
    )


# No home battery gains or loses a tenth of its capacity within the seconds of the outlier window.
LONE_JUMP = 0.1
# One step of the coarsest displays: a battery with the same level after a silence has rested.
STEADY = 0.02

OUT_OF_BOUNDS = RowFault("no_soc")
FAR_FROM_NEIGHBOURS = RowFault("far")


def read_level(
    level: Readings, ends: InstantArray, awake: NDArray[np.bool_], refusals: Refusals
) -> SlotValues:
    """Return the last state of charge at or before each of ``ends``, if it is no older than the
    longest gap, or the next reading is the same.

    Where a reading is missing between two different ones it is interpolated. Interpolated values
    and those of a rest through a silence are estimated.

    Args:
        awake: slots near a reading of any of the site's sensors.

    Invariants: a state of charge lies between 0 and 1.
    """
    level = level.without(np.isnan(level.values))
    level = level.without(
        refusals.refuse(
            level, (level.values < -SOC_ROUNDING) | (level.values > 1 + SOC_ROUNDING), OUT_OF_BOUNDS
        )
    )
    level = level.without(
        refusals.refuse(
            level, find_outliers(level.instants, level.values, LONE_JUMP), FAR_FROM_NEIGHBOURS
        )
    )
    if not len(level):
        return SlotValues(np.full(ends.size, np.nan), *np.zeros((2, ends.size), dtype=np.bool_))
    place = np.searchsorted(level.instants, ends, side="right") - 1
    last = np.maximum(place, 0)
    following = np.minimum(place + 1, len(level) - 1)
    age = hours_between(level.instants[last], ends)
    until = hours_between(level.instants[last], level.instants[following])
    fresh = (place >= 0) & (age <= LONGEST_GAP_HOURS)
    same = np.abs(level.values[following] - level.values[last]) <= STEADY
    rested = ~fresh & awake & same & (place >= 0) & (place + 1 < len(level))
    # A reading is missing where the next one differs by more than a step and comes later than a
    # slot or the source's pace.
    paced = np.append(find_paced(hours_between(level.instants[:-1], level.instants[1:])), [False])[
        last
    ]
    passed = (
        fresh
        & ~same
        & ~paced
        & (age > 0)
        & (until > LONGEST_STEP_HOURS)
        & (until <= LONGEST_GAP_HOURS)
    )
    share = np.divide(age, until, out=np.zeros(ends.size), where=passed)
    soc = level.values[last] + share * (level.values[following] - level.values[last])
    return SlotValues(
        np.where(fresh | rested, np.clip(soc, 0.0, 1.0), np.nan),
        rested | passed,
        np.zeros(ends.size, dtype=np.bool_),
    )


PV = "pv_kwh"
# Two directions of one meter: where it says something impossible of one, it says nothing of the
# other.
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
        self._edges: InstantArray = np.append(
            window.starts, window.starts[-1:] + np.timedelta64(SLOT)
        ).astype("datetime64[us]")
        self._readings: dict[str, Readings] = {}
        self._columns: list[Column] = []
        self._curves: dict[tuple[str, bool, SiteSensor], EnergyCurve] = {}
        self._awake: Mask = np.zeros(window.count, dtype=np.bool_)
        self._nights = Nights.over(site, self._edges)

    @property
    def starts(self) -> InstantArray:
        """Slot starts of the window."""
        return self._edges[:-1]

    def read(
        self, samples: Mapping[str, Samples], columns: list[Column], *, now: datetime | None
    ) -> None:
        """Order the samples of all sensors, and find the slots near any reading."""
        for column in columns:
            for name in dict.fromkeys(sensor.name for sensor in column.sensors):
                sensor_samples = samples.get(name) or Samples.empty(name)
                measure = read_measure(sensor_samples.unit)
                factor = (
                    level_factor(sensor_samples.unit)
                    if column.is_level
                    else measure.factor
                    if measure
                    else 1.0
                )
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
        """Return a column's values per slot from the sensors valid in it: NaN where unknown, below
        zero where subtracted sensors exceed the others.

        A sensor that replaces another counts from its own first reading.
        """
        whole = SlotValues(
            np.full(self.starts.size, np.nan), *np.zeros((2, self.starts.size), dtype=np.bool_)
        )
        # Weighted by capacity where each battery has its own sensor.
        capacities = [battery.capacity_kwh for battery in self._site.batteries]
        for together, slots in column.in_turn(self._edges):
            if column.is_level:
                levels = [
                    read_level(
                        self._readings_of(sensor), self._edges[1:], self._awake, self._refusals
                    )
                    for sensor in together.sensors
                ]
                weights = capacities if len(capacities) == len(levels) else [1.0] * len(levels)
                soc = np.average([level.values for level in levels], axis=0, weights=weights)
                part = SlotValues(
                    soc,
                    *(
                        np.any(masks, axis=0)
                        for masks in zip(
                            *((level.estimated, level.filled) for level in levels), strict=True
                        )
                    ),
                )
            else:
                part = self._measure_together(together)
            for there, measured in zip(whole, part, strict=True):
                there[slots] = measured[slots]
        return self._settle_nights(column, whole)

    def _settle_nights(self, column: Column, measured: SlotValues) -> SlotValues:
        """Return PV with zero at night, and unknown where it generates in deep night.

        Other columns as they are.
        """
        if column.name != PV or self._nights is None:
            return measured
        wrong = self._nights.find_generation(measured.values)
        if wrong.any():
            refused = self.refuse_slots(column, wrong, NIGHT)
            return measured._replace(values=np.where(refused, np.nan, measured.values))
        # Of all its sensors: one that sleeps says nothing, the others' zero speaks for it.
        instants = [self._readings[name].instants for name in _names_of([column])]
        in_service = find_service(np.unique(np.concatenate(instants)), self.starts, self._awake)
        return self._nights.settle(measured, in_service & self.find_named(column))

    def measure_subtracted(self, column: Column) -> FloatArray:
        """Return the energy per slot of a column's subtracted sensors, NaN where unknown or without
        any.
        """
        subtracted_kwh = np.full(self.starts.size, np.nan)
        for together, slots in column.in_turn(self._edges):
            if together.subtracted is not None:
                subtracted_kwh[slots] = self._measure_together(together.subtracted).values[slots]
        return subtracted_kwh

    def find_intervals(self, column: Column) -> list[EnergyInterval]:
        """Return the energies of the long gaps of a column's counters, sensor by sensor."""
        intervals = []
        for sensor in () if column.is_level else column.sensors:
            silences = self._curve_of(sensor, column).silences
            sign = 1 if column.reversed else sensor.sign
            ends = zip(
                *(
                    instants.astype(datetime).tolist()
                    for instants in (silences.spans.starts, silences.spans.ends)
                ),
                strict=True,
            )
            for (first, end), kwh, whole in zip(
                ends,
                np.round(sign * silences.kwh, DIGITS).tolist(),
                silences.whole.tolist(),
                strict=True,
            ):
                span = first.replace(tzinfo=UTC), end.replace(tzinfo=UTC)
                intervals.append(
                    EnergyInterval(
                        column.name, sensor.name, *span, kwh, "counted" if whole else "at_least"
                    )
                )
        return intervals

    def find_named(self, column: Column) -> Mask:
        """Return the slots in any part of which one of a column's sensors is valid."""
        return column.is_named(self._edges)

    def _measure_together(self, column: Column) -> SlotValues:
        parts = [
            (sensor.sign, energy_per_slot(self._curve_of(sensor, column), self._edges, self._awake))
            for sensor in column.sensors
        ]
        values = np.sum(
            [part.values if column.reversed else sign * part.values for sign, part in parts], axis=0
        )
        return SlotValues(
            values,
            *(
                np.any(masks, axis=0)
                for masks in zip(*((part.estimated, part.filled) for _, part in parts), strict=True)
            ),
        )

    def refuse_slots(self, column: Column, slots: Mask, fault: RowFault) -> Mask:
        """Reject the readings of a column's sensors in ``slots``.

        Return the slots without the runs that a person has released.
        """
        refused = slots.copy()
        for first, end in runs_of(slots):
            edges = self._edges[[first, end]]
            holding = [
                sensor.name
                for sensor in column.sensors
                if Column(column.name, (sensor,)).is_named(edges).any()
            ]
            for readings in (self._readings[name] for name in holding):
                # A source that reports changes only is silent during a standstill: its last reading
                # before is rejected as well.
                last = np.searchsorted(readings.instants, edges[0], side="right") - 1
                within = (readings.instants < edges[1]) & (np.arange(len(readings)) >= last)
                if (within & ~self._refusals.refuse(readings, within, fault)).any():
                    refused[first:end] = False
                    break
        return refused

    def find_long_standstills(self, columns: Sequence[Column]) -> Spans:
        """Return the spans in which all sensors of these columns, one grid meter, repeat their
        values for too long.
        """
        return find_long_standstills([self._readings[name] for name in _names_of(columns)])

    def leave_out(
        self, columns: Sequence[Column], span: tuple[np.datetime64, np.datetime64], fault: RowFault
    ) -> None:
        """Reject the readings of the sensors of ``columns`` within a span, and treat them as
        unknown from now on.
        """
        for name in _names_of(columns):
            readings = self._readings[name]
            refused = self._refusals.refuse(
                readings, (readings.instants > span[0]) & (readings.instants <= span[1]), fault
            )
            self._readings[name] = replace(
                readings, values=np.where(refused, np.nan, readings.values)
            )
        affected = {column.name for column in columns}
        self._curves = {key: curve for key, curve in self._curves.items() if key[0] not in affected}

    def _curve_of(self, sensor: SiteSensor, column: Column) -> EnergyCurve:
        key = column.name, column.reversed, sensor
        if key not in self._curves:
            readings = self._readings_of(sensor)
            limit_kw = self._limits[column.name]
            measure = read_measure(readings.unit)
            directed = readings.turned() if column.reversed else readings
            if measure is None:
                self._refusals.refuse(
                    readings, np.ones(len(readings), dtype=np.bool_), refuse_unit(readings.unit)
                )
                self._curves[key] = EnergyCurve.empty()
            elif measure.kind == "power":
                self._curves[key] = read_power(
                    directed,
                    limit_kw,
                    self._refusals,
                    reverse_kw=max(self._limits.values()),
                    direction=self._direction_of(sensor, column),
                )
            else:
                rise_kw = believable_rise_kw(directed, limit_kw)
                nights = self._nights_of(column, directed)
                self._curves[key] = rest_at_night(
                    read_counter(directed, rise_kw, self._refusals, nights), nights
                )
        return self._curves[key]

    def _direction_of(self, sensor: SiteSensor, column: Column) -> OneWay | None:
        """Return the one direction that a sensor tells of.

        None for a power with a sign that serves two columns.
        """
        serves = {
            (other.name, other.reversed)
            for other in self._columns
            if sensor.name in _names_of([other])
        }
        if len({turned for _, turned in serves}) > 1:
            return None
        is_roof = column.name == PV
        noise_kw = max(REST_KW, STANDBY_SHARE * self._limits[column.name]) if is_roof else REST_KW
        return OneWay(noise_kw, may_rest=column.name in TWINS)

    def _leave_out_twins(self) -> None:
        """Treat as unknown what a meter says of one direction while it says something impossible of
        the other.
        """
        by_name = {column.name: column for column in self._columns}
        wrong: dict[str, Mask] = {}
        for name, twin in TWINS.items():
            if name not in by_name or twin not in by_name:
                continue
            others = [
                each
                for each in _names_of([by_name[twin]])
                if each not in _names_of([by_name[name]])
            ]
            for sensor in _names_of([by_name[name]]):
                spans = self._find_impossible(self._readings[sensor], self._limits[name])
                for other in others if spans.starts.size else ():
                    readings = self._readings[other]
                    there = spans.cover(readings.instants) & np.isfinite(readings.values)
                    wrong[other] = wrong.get(other, np.zeros(len(readings), dtype=np.bool_)) | there
        for sensor, there in wrong.items():
            readings = self._readings[sensor]
            refused = self._refusals.refuse(readings, there, TWIN)
            self._readings[sensor] = replace(
                readings, values=np.where(refused, np.nan, readings.values)
            )

    def _find_impossible(self, readings: Readings, limit_kw: float) -> Spans:
        """Return the spans from a power's impossible readings to just before its next ones."""
        if not _is_power(readings):
            return Spans.none()
        no_value = find_no_powers(readings)
        valued = replace(readings, values=np.where(no_value, np.nan, readings.values))
        if find_thousandfold(valued, limit_kw):
            return Spans.none()
        impossible = no_value | (np.abs(readings.values) > max(self._limits.values()))
        runs = runs_of(impossible)
        starts = readings.instants[[first for first, _ in runs]]
        ends = readings.instants[[min(end, len(readings) - 1) for _, end in runs]]
        return Spans(starts, np.maximum(starts, ends - MOMENT)) if runs else Spans.none()

    def _nights_of(self, column: Column, readings: Readings) -> Spans:
        """Return the nights over a roof's readings, also before and after the window.

        None for other columns.
        """
        if column.name != PV or self._nights is None or not len(readings):
            return Spans.none()
        step = np.timedelta64(SLOT).astype("timedelta64[us]")
        slots = (
            -(-(self._edges[0] - readings.instants[0]) // step),
            -(-(readings.instants[-1] - self._edges[-1]) // step),
        )
        before, after = (max(int(count), 0) for count in slots)
        edges = self._edges[0] + np.arange(-before, self._edges.size + after) * step
        nights = Nights.over(self._site, edges)
        return nights.spans if nights else Spans.none()

    def _readings_of(self, sensor: SiteSensor) -> Readings:
        """Return a sensor's readings within its validity.

        A recent power or level from before still holds at its start, a counter's does not.
        """
        readings = self._readings[sensor.name]
        measure = read_measure(readings.unit)
        is_counter = measure is not None and measure.kind != "power"
        if sensor.start is not None:
            earliest = (
                sensor.start if is_counter else sensor.start - timedelta(hours=LONGEST_GAP_HOURS)
            )
            readings = readings.without(
                readings.instants < np.datetime64(earliest.replace(tzinfo=None))
            )
        if is_counter:
            return (
                readings
                if sensor.end is None
                else readings.without(
                    readings.instants > np.datetime64(sensor.end.replace(tzinfo=None))
                )
            )
        instants, values = sensor.limit(readings.instants, readings.values)
        return replace(readings, instants=instants, values=values)


def _names_of(columns: Sequence[Column]) -> list[str]:
    return [*dict.fromkeys(sensor.name for column in columns for sensor in column.sensors)]
