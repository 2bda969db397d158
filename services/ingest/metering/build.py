"""A site's quarter-hour slots from the samples of its meters: balance, plausibility and gaps."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from luna.energy.errors import InvalidInputError
from luna.energy.observations import ESTIMABLE, SERIES, EnergyInterval
from luna.energy.row_fault import RowFault
from luna.energy.site import SUBMETERED, Site
from luna.energy.timeline import SLOT, SLOT_HOURS, FloatArray, InstantArray, Timeline
from luna.words.quarantine import say_row_fault
from services.ingest.metering.column_sensors import (
    Column,
    SensorPresence,
    measured_columns,
    outside_columns,
)
from services.ingest.metering.counter import COARSEST_STEP_KWH
from services.ingest.metering.energy_balance import (
    OUTSIDE,
    SINKS,
    SOURCES,
    balance_by_meters,
    compute_balance,
)
from services.ingest.metering.gap_filling import DIGITS
from services.ingest.metering.meter import Meters
from services.ingest.metering.rejection import Mask, Refusals, Rejected
from services.ingest.metering.slot_energy import SlotValues
from services.ingest.metering.spans import REST_KW, Spans, runs_of
from services.ingest.metering.stuck import LONGEST_STILL_SLOTS, find_stuck
from services.ingest.source_readings import Samples

GRID = ("import_kwh", "export_kwh")
BELOW_ZERO = RowFault("below_zero")
STUCK = RowFault("stuck")


@dataclass(frozen=True, slots=True)
class SeriesCounts:
    """A column's known, interpolated and filled slots, and its rejected readings by fault."""

    known: int
    interpolated: int
    # In a gap of a counter, with the meter's total.
    filled: int = 0
    rejected: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class SlotBuild:
    """Quarter-hours of a site.

    Args:
        starts: ``datetime64[s]``, UTC.
        columns: by name of ``slot_observations`` shape ``(slots,)``, NaN where unknown; only those
            for which the site has sensors.
        estimated: by column the known values that are interpolated or filled.
        filled: of these the ones whose shape alone is an estimate: between two readings they sum to
            the meter's total.
        withdrawn: by column the values that were rejected as those of a faulty meter; NaN
            elsewhere.
        rejected: readings that were rejected, as far as they reach into the slots.
        sensors: of each column.
        intervals: energy counted over long silences of a counter that reach into the slots.
    """

    starts: InstantArray
    columns: dict[str, FloatArray]
    estimated: dict[str, Mask]
    filled: dict[str, Mask]
    withdrawn: dict[str, FloatArray]
    rejected: list[Rejected]
    sensors: dict[str, frozenset[str]]
    intervals: list[EnergyInterval] = field(default_factory=list)

    @property
    def repaired(self) -> NDArray[np.int16]:
        """Bit i: value i of ``SERIES`` is interpolated; shape ``(slots,)``."""
        interpolated = {name: mask & ~self.filled[name] for name, mask in self.estimated.items()}
        return mark(interpolated, SERIES, self.starts.size)

    @property
    def marks(self) -> NDArray[np.int16]:
        """Bit i: value i of ``ESTIMABLE`` is filled to a meter's total; shape ``(slots,)``."""
        return mark(self.filled, ESTIMABLE, self.starts.size)

    @property
    def counts(self) -> dict[str, SeriesCounts]:
        counts = {}
        for name, values in self.columns.items():
            sensors = self.sensors.get(name, frozenset())
            filled = self.filled[name]
            reasons = Counter[str]()
            for rejected in self.rejected:
                if rejected.sensor in sensors:
                    reasons[say_row_fault(rejected.fault)] += rejected.readings
            counts[name] = SeriesCounts(
                known=int((~np.isnan(values)).sum()),
                interpolated=int((self.estimated[name] & ~filled).sum()),
                filled=int(filled.sum()),
                rejected=reasons,
            )
        return counts

    def last(self, slots: int) -> "SlotBuild":
        """Return the last ``slots`` slots, and the readings rejected in them."""
        return SlotBuild(
            starts=self.starts[-slots:],
            columns={name: values[-slots:] for name, values in self.columns.items()},
            estimated={name: mask[-slots:] for name, mask in self.estimated.items()},
            filled={name: mask[-slots:] for name, mask in self.filled.items()},
            withdrawn={name: values[-slots:] for name, values in self.withdrawn.items()},
            rejected=[run for run in self.rejected if run.last >= self.starts[-slots]],
            sensors=self.sensors,
        )


def mark(masks: Mapping[str, Mask], names: Sequence[str], slots: int) -> NDArray[np.int16]:
    """Return the masks of ``names`` as bits per slot, the first name's lowest."""
    marks = np.zeros(slots, dtype=np.int16)
    for bit, name in enumerate(names):
        if name in masks:
            marks |= (masks[name] * (1 << bit)).astype(np.int16)
    return marks


def build_slots(
    site: Site,
    samples: Mapping[str, Samples],
    window: Timeline,
    *,
    now: datetime | None = None,
    released: Mapping[str, Spans] | None = None,
    presence: SensorPresence | None = None,
) -> SlotBuild:
    """Return the quarter-hours of ``window`` from the site's ``input_sensors``.

    Args:
        samples: by sensor, as received; without some before and after the window its first and last
            slots stay unknown. A sensor without samples is unknown.
        now: readings from after it are rejected.
        released: by sensor the spans whose values a person confirmed; no check rejects them.
        presence: of the site's sensors; None: all that have samples report, others are unknown.

    Raises:
        InvalidInputError: the window's slots are no quarter-hours, or a state of charge has a
            minus.

    Invariants: no energy is negative; order and repetition of samples change nothing; building
        twice gives the same.
    """
    if window.step != SLOT:
        raise InvalidInputError(
            "slots are quarter-hours",
            field="window",
            value=window.step.total_seconds() / 60,
            remedy="Give a timeline of 15 minutes.",
        )
    columns = measured_columns(site, presence)
    refusals = Refusals(dict(released or {}))
    # Wider than the window: only over days does a meter that is stuck differ from one at rest.
    around = Timeline(
        window.start - LONGEST_STILL_SLOTS * SLOT, SLOT, window.count + 2 * LONGEST_STILL_SLOTS
    )
    meters = Meters(site, around, refusals)
    meters.read(samples, columns, now=now)
    measured = {column.name: meters.measure(column) for column in columns}
    reported = _without_negative(measured) | _measure_outside(site, meters)
    grid = _without_frozen_grid(site, columns, reported, meters)
    measured |= grid
    plausible = reported | _without_negative(grid)
    _withdraw_below_zero(columns, measured, plausible, meters)
    filled_gaps = {name: series.filled for name, series in measured.items()}
    _withdraw_stuck(site, columns, plausible, filled_gaps=filled_gaps, meters=meters)
    named = {column.name: meters.find_named(column) for column in columns}
    reported_balance = _rounded_balance(site, reported, named)
    balance = _rounded_balance(site, plausible, named)
    estimated_values = {name: series.estimated for name, series in measured.items()}
    estimated = _derive_marks(estimated_values, balance)
    filled = _derive_marks(filled_gaps, balance)
    if "load_kwh" in balance and "load_kwh" not in measured:
        balance |= _rescale_filled(balance["load_kwh"], balance["residual_kwh"], filled["load_kwh"])
    withdrawn = {}
    for name, kwh in balance.items():
        withdrawn[name] = np.where(np.isnan(kwh), reported_balance[name], np.nan)
    inner = slice(LONGEST_STILL_SLOTS, LONGEST_STILL_SLOTS + window.count)
    sensors = {}
    for column in columns:
        sensors[column.name] = frozenset(sensor.name for sensor in column.sensors)
    return SlotBuild(
        starts=window.starts,
        columns={name: kwh[inner] for name, kwh in balance.items()},
        estimated={name: mask[inner] for name, mask in estimated.items()},
        filled={name: mask[inner] for name, mask in filled.items()},
        withdrawn={name: kwh[inner] for name, kwh in withdrawn.items()},
        rejected=_rejected_within(refusals, window),
        sensors=sensors,
        intervals=_intervals_within(columns, meters, window),
    )


def _without_negative(measured: Mapping[str, SlotValues]) -> dict[str, FloatArray]:
    return {name: np.maximum(series.values, 0.0) for name, series in measured.items()}


def _measure_outside(site: Site, meters: Meters) -> dict[str, FloatArray]:
    """Return the energy of devices beyond the house's meter, if there are any."""
    outside = []
    for column in outside_columns(site):
        named = meters.find_named(column)
        outside.append(np.where(named, meters.measure(column).values, 0.0))
    return {OUTSIDE: np.sum(outside, axis=0)} if outside else {}


def _withdraw_below_zero(
    columns: list[Column],
    measured: Mapping[str, SlotValues],
    plausible: dict[str, FloatArray],
    meters: Meters,
) -> None:
    """Set columns to unknown where their subtracted sensors exceed the others."""
    for column in columns:
        if column.subtracted is not None and not column.is_level:
            signed = measured[column.name].values
            subtracted = meters.measure_subtracted(column)
            wrong = find_below_zero(signed, subtracted, meters.starts)
            refused = meters.refuse_slots(column, wrong, BELOW_ZERO)
            plausible[column.name] = np.where(refused, np.nan, np.maximum(signed, 0.0))


def _withdraw_stuck(
    site: Site,
    columns: list[Column],
    plausible: dict[str, FloatArray],
    *,
    filled_gaps: Mapping[str, Mask],
    meters: Meters,
) -> None:
    """Set columns to unknown where their meter was stuck."""
    # The shape within a filled gap is an estimate, and no evidence that something moved.
    evidence = {}
    for name, kwh in plausible.items():
        evidence[name] = np.where(filled_gaps.get(name, False), np.nan, kwh)
    stuck = find_stuck(site, evidence)
    for column in columns:
        if column.name in stuck:
            refused = meters.refuse_slots(column, stuck[column.name], STUCK)
            plausible[column.name] = np.where(refused, np.nan, plausible[column.name])


def _rounded_balance(
    site: Site, series: Mapping[str, FloatArray], named: Mapping[str, Mask]
) -> dict[str, FloatArray]:
    balance = {**series, **balance_by_meters(site, series, named)}
    return {name: kwh.round(DIGITS) for name, kwh in balance.items() if name != OUTSIDE}


def _rejected_within(refusals: Refusals, window: Timeline) -> list[Rejected]:
    start = np.datetime64(window.start.replace(tzinfo=None), "us")
    end = np.datetime64(window.end.replace(tzinfo=None), "us")
    return [run for run in refusals.rejected.values() if run.first < end and run.last >= start]


def _intervals_within(
    columns: list[Column], meters: Meters, window: Timeline
) -> list[EnergyInterval]:
    intervals: list[EnergyInterval] = []
    for column in columns:
        intervals += meters.find_intervals(column)
    return [
        energy for energy in intervals if energy.first < window.end and energy.end > window.start
    ]


def _without_frozen_grid(
    site: Site, columns: list[Column], reported: dict[str, FloatArray], meters: Meters
) -> dict[str, SlotValues]:
    """Return the grid's columns without a frozen meter's readings, or nothing if it never froze.

    A standstill is a freeze where the other meters show a flow that only the grid can explain. The
    reading with which a counter continues contains the energy of the freeze.
    """
    grid = [column for column in columns if column.name in GRID]
    if len(grid) < len(GRID):
        return {}
    standstills = meters.find_long_standstills(grid)
    is_frozen = False
    for start, end in zip(standstills.starts, standstills.ends, strict=True):
        slot_ends = meters.starts + np.timedelta64(SLOT)
        contained = (meters.starts >= start) & (slot_ends <= end)
        overlapping = (meters.starts < end) & (slot_ends > start)
        judged = contained if contained.any() else overlapping
        during = {name: kwh[judged] for name, kwh in reported.items()}
        rest_kwh = REST_KW * SLOT_HOURS * judged.sum()
        if _is_grid_missing(site, during, rest_kwh):
            meters.leave_out(grid, (start, end), STUCK)
            is_frozen = True
    if not is_frozen:
        return {}
    return {column.name: meters.measure(column) for column in grid}


def _is_grid_missing(site: Site, during: Mapping[str, FloatArray], rest_kwh: float) -> bool:
    """Return whether the meters show a flow that the grid's standing meter missed."""
    others = [name for name in (*SOURCES, *SINKS) if name in during and name not in GRID]
    flows = [np.nansum(during[name]) for name in others]
    if not sum(flows) > rest_kwh:
        return False
    # Without a house meter the base load absorbs any flow, so there is no residual to look at.
    if "load_kwh" not in during:
        return True
    residual = compute_balance(site, during).get("residual_kwh")
    unexplained = 0.0 if residual is None else float(np.nansum(np.abs(residual)))
    return unexplained > max(rest_kwh, MOST_ERRED * max(flows))


# Long enough for a coarse counter to catch up with a fine one.
BLOCK_HOURS = 4
# Clamps and devices' own counters are right within 5 %, two of them together within a tenth.
MOST_ERRED = 0.1


def find_below_zero(signed: FloatArray, subtracted: FloatArray, starts: InstantArray) -> Mask:
    """Return a mask of negative slots that the meters' errors do not explain.

    In their four-hour block the subtracted energy exceeds the rest by more than these errors.

    Args:
        signed: energy per slot after subtraction, shape ``(slots,)``, kWh, NaN where unknown.
        subtracted: energy of the sensors with a minus, same shape, never negative.
    """
    block = starts.astype("datetime64[h]").astype(np.int64) // BLOCK_HOURS
    block -= block[0]
    missing_kwh = np.bincount(block, weights=np.nan_to_num(-signed))
    subtracted_kwh = np.bincount(block, weights=np.nan_to_num(subtracted))
    is_wrong = missing_kwh > np.maximum(COARSEST_STEP_KWH, MOST_ERRED * subtracted_kwh)
    return np.asarray(is_wrong[block] & (signed < 0))


def _derive_marks(measured: dict[str, Mask], derived: dict[str, FloatArray]) -> dict[str, Mask]:
    """Return the marks of the balance's known values.

    A derived value is marked where any meter that it is computed from is.
    """
    parts = (*SOURCES, *SINKS, *SUBMETERED)
    if "load_kwh" in measured:
        parts = ("load_kwh", *SUBMETERED)
    components = {
        "load_kwh": parts,
        "beyond_house_kwh": parts,
        "residual_kwh": (*SOURCES, *SINKS, "load_kwh", *SUBMETERED),
    }
    marks = {}
    for name, values in derived.items():
        masks = [measured[part] for part in components.get(name, (name,)) if part in measured]
        marks[name] = np.logical_or.reduce(masks) & ~np.isnan(values)
    return marks


def _rescale_filled(load: FloatArray, residual: FloatArray, filled: Mask) -> dict[str, FloatArray]:
    """Return a derived base load and residual with each filled run scaled to its energy.

    The meters' shapes are estimated one by one, so some slots of a run come out negative; what is
    cut off at zero there is taken from the others.
    """
    load = load.copy()
    residual = residual.copy()
    for first, end in runs_of(filled):
        kwh = load[first:end]
        cut_off_kwh = float(-residual[first:end].sum())
        if 0 < cut_off_kwh < kwh.sum():
            factor = 1 - cut_off_kwh / kwh.sum()
            # Rounded as a counter, so that the run keeps its energy.
            counted = np.round(np.cumsum(kwh) * factor, DIGITS)
            residual[first:end] += kwh
            load[first:end] = np.round(np.diff(counted, prepend=0.0), DIGITS)
            residual[first:end] = np.round(residual[first:end] - load[first:end], DIGITS)
    return {"load_kwh": load, "residual_kwh": residual}
