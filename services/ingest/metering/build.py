"""A site's samples onto quarter-hours: the one entry."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from luna.energy.errors import InvalidInputError
from luna.energy.observations import ESTIMABLE, SERIES, EnergyInterval
from luna.energy.row_fault import RowFault
from luna.energy.site import SUBMETERED, Site, measured_series
from luna.energy.timeline import SLOT, FloatArray, InstantArray, Timeline
from services.ingest.metering.columns import Column, measured_columns, outside_columns
from services.ingest.metering.counter import COARSEST_STEP_KWH
from services.ingest.metering.curve import SlotValues
from services.ingest.metering.gap_filling import DIGITS
from services.ingest.metering.meter import Meters
from services.ingest.metering.rejection import Mask, Refusals, Rejected
from services.ingest.metering.spans import REST_KW, Spans, runs_of
from services.ingest.reading import Samples

SOURCES, SINKS = measured_series("source"), measured_series("sink")
GRID = ("import_kwh", "export_kwh")
# What devices use that the house's meter does not count; no column that is stored.
OUTSIDE = "outside_kwh"


def needed_for_supply(site: Site) -> set[str]:
    """Return the meters without which it is not known what the house was supplied with: one at the grid, and one for each other way in or out it has."""
    needed = {"import_kwh"}
    if site.pv:
        needed |= {"pv_kwh"}
    if site.batteries:
        needed |= {"charge_kwh", "discharge_kwh"}
    if (site.pv or site.batteries) and site.grid.export_limit_kw > 0:
        needed |= {"export_kwh"}
    return needed


def settle_balance(site: Site, measured: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
    """Return the base load and the residual per slot, as far as the meters allow.

    Args:
        measured: energies by column, NaN where unknown; ``load_kwh`` is all that the house uses, where it has a meter for that, but for ``OUTSIDE``.

    Returns:
        ``load_kwh`` without the loads that have meters of their own, never below zero; ``beyond_house_kwh``, by how much it would be; ``residual_kwh``:
        import + PV + discharge − export − charge − all consumption. NaN where any needed part is unknown, and absent where a meter is missing.

    Invariants: sources = sinks + base load + submetered loads + residual.
    """
    supply: FloatArray | None = None
    if needed_for_supply(site) <= measured.keys():
        sources, sinks = (sum(measured[name] for name in names if name in measured) for names in (SOURCES, SINKS))
        supply = np.asarray(sources - sinks, dtype=np.float64)
    total = measured.get("load_kwh", supply)
    if total is None:
        return {}
    submetered = np.zeros(total.size) + sum(measured[name] for name in SUBMETERED if name in measured)
    behind = submetered - measured[OUTSIDE] if OUTSIDE in measured and "load_kwh" in measured else submetered
    load = np.maximum(total - behind, 0.0)
    settled = {"load_kwh": load}
    if any(name in measured for name in SUBMETERED):
        settled["beyond_house_kwh"] = np.maximum(behind - np.maximum(total, 0.0), 0.0)
    return settled if supply is None else settled | {"residual_kwh": supply - load - submetered}


# Four hours: long enough for a coarse counter to catch up with a fine one. Clamps and devices' own counters are right within 5 %, two of them within a tenth.
BLOCK_HOURS = 4
MOST_ERRED = 0.1
BELOW_ZERO = RowFault("below_zero")
STUCK = RowFault("stuck")


@dataclass(frozen=True, slots=True)
class SeriesCounts:
    """How many slots of a column are known, how many of those are interpolated or filled to a meter's total, and how many readings were refused, by reason."""

    known: int
    interpolated: int
    filled: int = 0
    rejected: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class SlotBuild:
    """Quarter-hours of a site.

    Args:
        starts: ``datetime64[s]``, UTC.
        columns: by name of ``slot_observations`` shape ``(slots,)``, NaN where unknown; only those for which the site has sensors.
        estimated: by column which known values rest on less than readings.
        filled: by column which of these are estimates of the shape alone: what they come to between two readings is the meter's total.
        withdrawn: by column the values that a stuck meter would have given, where it was found out; NaN elsewhere.
        rejected: readings that were refused, as far as they reach into the slots.
        sensors: of each column.
        intervals: what counters counted while they were silent for long, as far as these reach into the slots.
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
        return mark({name: mask & ~self.filled[name] for name, mask in self.estimated.items()}, SERIES, self.starts.size)

    @property
    def marks(self) -> NDArray[np.int16]:
        """Bit i: value i of ``ESTIMABLE`` is filled to a meter's total; shape ``(slots,)``."""
        return mark(self.filled, ESTIMABLE, self.starts.size)

    @property
    def counts(self) -> dict[str, SeriesCounts]:
        """The counts of each column."""
        counts = {}
        for name, values in self.columns.items():
            filled, reasons = self.filled[name], Counter[str]()
            for refused in self.rejected:
                if refused.sensor in self.sensors.get(name, frozenset()):
                    reasons[str(refused.fault)] += refused.readings
            counts[name] = SeriesCounts(int((~np.isnan(values)).sum()), int((self.estimated[name] & ~filled).sum()), int(filled.sum()), reasons)
        return counts

    def last(self, slots: int) -> "SlotBuild":
        """Return the last ``slots`` of it, and what was refused in them."""
        columns, withdrawn = ({name: values[-slots:] for name, values in series.items()} for series in (self.columns, self.withdrawn))
        estimated, filled = ({name: mask[-slots:] for name, mask in masks.items()} for masks in (self.estimated, self.filled))
        rejected = [refused for refused in self.rejected if refused.last >= self.starts[-slots]]
        return SlotBuild(self.starts[-slots:], columns, estimated, filled, withdrawn, rejected, self.sensors)


def mark(masks: Mapping[str, Mask], names: Sequence[str], slots: int) -> NDArray[np.int16]:
    """Return for each slot the bits of those ``names`` whose mask holds, the first name's lowest."""
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
    absent: Collection[str] = (),
) -> SlotBuild:
    """Return the quarter-hours of ``window`` from the site's ``input_sensors``.

    Args:
        samples: by sensor, as received; some from before and after the window let its first and last slots be known. A sensor without any is unknown.
        now: readings from after it are refused.
        released: stretches of a sensor whose values are right, whatever they look like.
        absent: named sensors that there are none of: they count as not named, beside others of their role.

    Raises:
        InvalidInputError: the window's slots are no quarter-hours, or a state of charge is to be taken off.

    Invariants: no energy is negative; order and repetition of samples change nothing; building twice gives the same.
    """
    if window.step != SLOT:
        raise InvalidInputError("slots are quarter-hours", field="window", value=window.step.total_seconds() / 60, remedy="Give a timeline of 15 minutes.")
    columns = measured_columns(site, absent=absent)
    refusals = Refusals(dict(released or {}))
    # With what comes before and after the window: whether a meter stands still shows over days.
    meters = Meters(site, Timeline(window.start - LONGEST_STILL_SLOTS * SLOT, SLOT, window.count + 2 * LONGEST_STILL_SLOTS), refusals)
    meters.read(samples, columns, now=now)
    measured = {column.name: meters.measure(column) for column in columns}
    outside = [np.where(meters.find_named(column), meters.measure(column).values, 0.0) for column in outside_columns(site)]
    reported = {name: np.maximum(each.values, 0.0) for name, each in measured.items()} | ({OUTSIDE: np.sum(outside, axis=0)} if outside else {})
    grid = _without_frozen_grid(site, columns, reported, meters)
    measured |= grid
    believed = reported | {name: np.maximum(each.values, 0.0) for name, each in grid.items()}
    for column in columns:
        # Where so much is taken off that a column falls below zero, it is unknown.
        if column.subtracted is not None and not column.is_level:
            signed = measured[column.name].values
            below = meters.refuse_slots(column, find_below_zero(signed, meters.measure_subtracted(column), meters.starts), BELOW_ZERO)
            believed[column.name] = np.where(below, np.nan, np.maximum(signed, 0.0))
    in_gaps = {name: each.filled for name, each in measured.items()}
    # An estimated shape says of no quarter-hour that something moved.
    stuck = find_stuck(site, {name: np.where(in_gaps.get(name, False), np.nan, kwh) for name, kwh in believed.items()})
    for column in (column for column in columns if column.name in stuck):
        believed[column.name] = np.where(meters.refuse_slots(column, stuck[column.name], STUCK), np.nan, believed[column.name])
    named = {column.name: meters.find_named(column) for column in columns}
    settled_reported, settled = (
        {name: kwh.round(DIGITS) for name, kwh in (series | _settle_as_named(site, series, named)).items() if name != OUTSIDE}
        for series in (reported, believed)
    )
    estimated = _pass_on({name: each.estimated for name, each in measured.items()}, settled)
    filled = _pass_on(in_gaps, settled)
    if "load_kwh" in settled and "load_kwh" not in measured:
        settled |= _keep_total(settled["load_kwh"], settled["residual_kwh"], filled["load_kwh"])
    inner = slice(LONGEST_STILL_SLOTS, LONGEST_STILL_SLOTS + window.count)
    first, end = (np.datetime64(instant.replace(tzinfo=None), "us") for instant in (window.start, window.end))
    return SlotBuild(
        starts=window.starts,
        columns={name: kwh[inner] for name, kwh in settled.items()},
        estimated={name: mask[inner] for name, mask in estimated.items()},
        filled={name: mask[inner] for name, mask in filled.items()},
        withdrawn={name: np.where(np.isnan(kwh), settled_reported[name], np.nan)[inner] for name, kwh in settled.items()},
        rejected=[refused for refused in refusals.rejected.values() if refused.first < end and refused.last >= first],
        sensors={column.name: frozenset(sensor.name for sensor in column.sensors) for column in columns},
        intervals=[each for column in columns for each in meters.find_intervals(column) if each.first < window.end and each.end > window.start],
    )


def _settle_as_named(site: Site, measured: Mapping[str, FloatArray], named: Mapping[str, Mask]) -> dict[str, FloatArray]:
    """Return ``settle_balance`` of each slot by the meters that the site names for its time: one that came later is missing before."""
    settled: dict[str, FloatArray] = {}
    patterns, place = np.unique(np.array([*named.values()]), axis=1, return_inverse=True)
    for number, pattern in enumerate(patterns.T):
        there = {name for name, is_there in zip(named, pattern, strict=True) if is_there} | {OUTSIDE}
        slots = place.ravel() == number
        for name, values in settle_balance(site, {each: kwh for each, kwh in measured.items() if each in there}).items():
            settled.setdefault(name, np.full(values.size, np.nan))[slots] = values[slots]
    return settled


def _keep_total(load: FloatArray, residual: FloatArray, filled: Mask) -> dict[str, FloatArray]:
    """Return a base load that other meters leave, and its residual, so that each filled run comes to what the meters' totals leave for it.

    Shapes that are estimated apart may leave less than nothing for some quarter-hours; what is cut off at zero there is missing in the others of the run.
    """
    load, residual = load.copy(), residual.copy()
    for first, end in runs_of(filled):
        kwh, cut_off = load[first:end], float(-residual[first:end].sum())
        if 0 < cut_off < kwh.sum():
            counted = np.round(np.cumsum(kwh) * (1 - cut_off / kwh.sum()), DIGITS)
            residual[first:end] += kwh
            load[first:end] = np.round(np.diff(counted, prepend=0.0), DIGITS)
            residual[first:end] = np.round(residual[first:end] - load[first:end], DIGITS)
    return {"load_kwh": load, "residual_kwh": residual}


def find_below_zero(signed: FloatArray, subtracted: FloatArray, starts: InstantArray) -> Mask:
    """Return the slots below zero within four hours in which more is taken off than there is, by more than meters err.

    Args:
        signed: energy per slot, NaN where unknown.
        subtracted: what its sensors with a minus count, no part of it negative.
    """
    block = starts.astype("datetime64[h]").astype(np.int64) // BLOCK_HOURS
    block -= block[0]
    missing, off = (np.bincount(block, weights=np.nan_to_num(values)) for values in (-signed, subtracted))
    return np.asarray((missing > np.maximum(COARSEST_STEP_KWH, MOST_ERRED * off))[block] & (signed < 0))


def _without_frozen_grid(site: Site, columns: list[Column], reported: dict[str, FloatArray], meters: Meters) -> dict[str, SlotValues]:
    """Return the grid's columns without what its meter repeated while it was frozen; nothing where it never was.

    It was where the other meters say that something flowed while it stood still: roof or battery, past the house's own if it has one. The reading with which a
    counter continues contains its energy meanwhile.
    """
    grid = [column for column in columns if column.name in GRID]
    if len(grid) < len(GRID):
        return {}
    spans, is_frozen = meters.find_long_standstills(grid), False
    for span in zip(spans.starts, spans.ends, strict=True):
        ends = meters.starts + np.timedelta64(SLOT)
        within, touched = (meters.starts >= span[0]) & (ends <= span[1]), (meters.starts < span[1]) & (ends > span[0])
        judged = within if within.any() else touched
        stretch, rest_kwh = {name: kwh[judged] for name, kwh in reported.items()}, REST_KW * SLOT_HOURS * judged.sum()
        flows = [np.nansum(stretch[name]) for name in (*SOURCES, *SINKS) if name in stretch and name not in GRID]
        residual = settle_balance(site, stretch).get("residual_kwh")
        unexplained = 0.0 if residual is None else float(np.nansum(np.abs(residual)))
        # A house without a meter of its own takes what roof and battery leave, whatever that is.
        if sum(flows) > rest_kwh and ("load_kwh" not in stretch or unexplained > max(rest_kwh, MOST_ERRED * max(flows))):
            meters.leave_out(grid, span, STUCK)
            is_frozen = True
    return {column.name: meters.measure(column) for column in grid} if is_frozen else {}


def _pass_on(measured: dict[str, Mask], derived: dict[str, FloatArray]) -> dict[str, Mask]:
    """Return by column which known values are marked; a base load is where any meter that it is made of is."""
    parts = ("load_kwh", *SUBMETERED) if "load_kwh" in measured else (*SOURCES, *SINKS, *SUBMETERED)
    components = {"load_kwh": parts, "beyond_house_kwh": parts, "residual_kwh": (*SOURCES, *SINKS, "load_kwh", *SUBMETERED)}
    return {
        name: np.logical_or.reduce([measured[part] for part in components.get(name, (name,)) if part in measured]) & ~np.isnan(values)
        for name, values in derived.items()
    }


SLOT_HOURS = 0.25
# A roof under snow, a full battery and an absent car rest for days: standing still is a fault only where the others' energy then goes nowhere.
LONGEST_STILL_SLOTS = 192
DAY_SLOTS = 96
# The base load of an empty home, about 40 W, and the errors of good meters (class B: 1 %) with much room.
LEAST_MISSING_KWH_PER_DAY = 1.0
LEAST_MISSING_SHARE = 0.1
# In six hours a battery's losses and its meters' errors do not come to a fifth of its capacity.
LEVEL_WINDOW_SLOTS = 24
LEAST_MOVED_SHARE = 0.2
SAME_LEVEL = 1e-3


def find_stuck(site: Site, measured: Mapping[str, FloatArray]) -> dict[str, Mask]:
    """Return by column the slots in which its meter stood still although the others say that it should have moved.

    Args:
        measured: energies and state of charge by column, as for ``settle_balance``.
    """
    stuck = {"load_kwh": _stands_still(site, measured, "load_kwh")} if "load_kwh" in measured else {}
    # A house always uses something: where its own meter stands, it is that one, and the rest is judged by what is left.
    judged = dict(measured) | {name: np.where(mask, np.nan, measured[name]) for name, mask in stuck.items()}
    stuck |= {name: _stands_still(site, judged, name) for name in (*SOURCES, *SINKS) if name in judged}
    capacity_kwh = sum(battery.capacity_kwh for battery in site.batteries)
    if capacity_kwh and {"soc", "charge_kwh", "discharge_kwh"} <= measured.keys():
        # Runs with one state of charge during which the battery took in or gave much more than it lost.
        stuck["soc"] = np.zeros(measured["soc"].size, dtype=np.bool_)
        net = np.cumsum(np.concatenate([[0.0], np.nan_to_num(measured["charge_kwh"] - measured["discharge_kwh"])]))
        for first, last in runs_of(np.abs(np.diff(measured["soc"])) <= SAME_LEVEL):
            # The run's first slot ends at the level: what moved, moved after it.
            moved = net[np.minimum(np.arange(first + 1, last + 1) + LEVEL_WINDOW_SLOTS, last + 1)] - net[first + 1 : last + 1]
            stuck["soc"][first + 1 : last + 1] = bool((np.abs(moved) > LEAST_MOVED_SHARE * capacity_kwh).any())
    return {name: mask for name, mask in stuck.items() if mask.any()}


def _stands_still(site: Site, measured: Mapping[str, FloatArray], name: str) -> Mask:
    """Return the slots of its long standstills in which the others leave unexplained what a meter should have shown; before, it may have rested rightly."""
    stuck = np.zeros(measured[name].size, dtype=np.bool_)
    for first, end in runs_of(measured[name] <= REST_KW * SLOT_HOURS):
        if end - first < LONGEST_STILL_SLOTS:
            continue
        stretch = {other: kwh[first:end] for other, kwh in measured.items()}
        days = (end - first) * SLOT_HOURS / 24
        residual = settle_balance(site, stretch).get("residual_kwh")
        if residual is None:
            others = [float(np.nansum(stretch[other])) for other in SOURCES if other in stretch]
            stuck[first:end] = name == "load_kwh" and max(others, default=0.0) > LEAST_MISSING_KWH_PER_DAY * days
            continue
        missing = np.nan_to_num(residual) * (-1 if name in SOURCES else 1)
        moved = [np.nan_to_num(stretch[other]) for other in (*SOURCES, "load_kwh") if other in stretch]
        begins = np.arange(0, end - first, DAY_SLOTS)
        sizes = np.diff(np.append(begins, end - first)) * SLOT_HOURS / 24
        flowed = np.max([np.add.reduceat(kwh, begins) for kwh in moved], axis=0)
        too_much = np.add.reduceat(missing, begins) > np.maximum(LEAST_MISSING_KWH_PER_DAY * sizes, LEAST_MISSING_SHARE * flowed)
        if float(missing.sum()) > max(LEAST_MISSING_KWH_PER_DAY * days, LEAST_MISSING_SHARE * max(float(kwh.sum()) for kwh in moved)):
            slots = np.flatnonzero((missing > REST_KW * SLOT_HOURS) & np.repeat(too_much, DAY_SLOTS)[: end - first]) + first
            stuck[slots[0] if slots.size else first : slots[-1] + 1 if slots.size else end] = True
    return stuck
