"""Builds a site's quarter-hour slots from the samples of its meters: energy balance, plausibility,
gaps.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from luna.energy.errors import InvalidInputError
from luna.energy.observations import ESTIMABLE, SERIES, EnergyInterval
from luna.energy.row_fault import RowFault
from luna.energy.site import SUBMETERED, Site, measured_series
from luna.energy.timeline import SLOT, FloatArray, InstantArray, Timeline
from services.ingest.metering.columns import (
    Column,
    SensorPresence,
    measured_columns,
    outside_columns,
)
from services.ingest.metering.counter import COARSEST_STEP_KWH
from services.ingest.metering.gap_filling import DIGITS
from services.ingest.metering.meter import Meters
from services.ingest.metering.rejection import Mask, Refusals, Rejected
from services.ingest.metering.slot_energy import SlotValues
from services.ingest.metering.spans import REST_KW, Spans, runs_of
from services.ingest.reading import Samples

SOURCES = measured_series("source")
SINKS = measured_series("sink")
GRID = ("import_kwh", "export_kwh")
# Energy of devices that the house's meter does not count; a term of the balance, not a stored
# column.
OUTSIDE = "outside_kwh"
BELOW_ZERO = RowFault("below_zero")
STUCK = RowFault("stuck")


@dataclass(frozen=True, slots=True)
class SeriesCounts:
    """Slots of a column that are known, those of them interpolated or filled to a meter's total,
    and refused readings by reason.
    """

    known: int
    interpolated: int
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
        filled: by column those of them whose shape alone is an estimate: between two readings they
            sum to the meter's total.
        withdrawn: by column the values that were refused as those of a faulty meter; NaN elsewhere.
        rejected: readings that were refused, as far as they reach into the slots.
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
        return mark(
            {name: mask & ~self.filled[name] for name, mask in self.estimated.items()},
            SERIES,
            self.starts.size,
        )

    @property
    def marks(self) -> NDArray[np.int16]:
        """Bit i: value i of ``ESTIMABLE`` is filled to a meter's total; shape ``(slots,)``."""
        return mark(self.filled, ESTIMABLE, self.starts.size)

    @property
    def counts(self) -> dict[str, SeriesCounts]:
        """The counts of each column."""
        counts = {}
        for name, values in self.columns.items():
            filled = self.filled[name]
            reasons = Counter[str]()
            for refused in self.rejected:
                if refused.sensor in self.sensors.get(name, frozenset()):
                    reasons[str(refused.fault)] += refused.readings
            counts[name] = SeriesCounts(
                int((~np.isnan(values)).sum()),
                int((self.estimated[name] & ~filled).sum()),
                int(filled.sum()),
                reasons,
            )
        return counts

    def last(self, slots: int) -> "SlotBuild":
        """Return the last ``slots`` slots, and the readings refused in them."""
        columns, withdrawn = (
            {name: values[-slots:] for name, values in series.items()}
            for series in (self.columns, self.withdrawn)
        )
        estimated, filled = (
            {name: mask[-slots:] for name, mask in masks.items()}
            for masks in (self.estimated, self.filled)
        )
        rejected = [refused for refused in self.rejected if refused.last >= self.starts[-slots]]
        return SlotBuild(
            self.starts[-slots:], columns, estimated, filled, withdrawn, rejected, self.sensors
        )


def mark(masks: Mapping[str, Mask], names: Sequence[str], slots: int) -> NDArray[np.int16]:
    """Return for each slot the bits of those ``names`` whose mask holds, the first name's
    lowest.
    """
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
        now: readings from after it are refused.
        released: by sensor the spans whose values a person confirmed; no check refuses them.
        presence: which sensors of the site speak; None: all that have samples, and others are
            unknown.

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
    meters = Meters(
        site,
        Timeline(
            window.start - LONGEST_STILL_SLOTS * SLOT, SLOT, window.count + 2 * LONGEST_STILL_SLOTS
        ),
        refusals,
    )
    meters.read(samples, columns, now=now)
    measured = {column.name: meters.measure(column) for column in columns}
    outside = [
        np.where(meters.find_named(column), meters.measure(column).values, 0.0)
        for column in outside_columns(site)
    ]
    reported = {name: np.maximum(series.values, 0.0) for name, series in measured.items()} | (
        {OUTSIDE: np.sum(outside, axis=0)} if outside else {}
    )
    grid = _without_frozen_grid(site, columns, reported, meters)
    measured |= grid
    plausible = reported | {name: np.maximum(series.values, 0.0) for name, series in grid.items()}
    for column in columns:
        if column.subtracted is not None and not column.is_level:
            signed = measured[column.name].values
            below = meters.refuse_slots(
                column,
                find_below_zero(signed, meters.measure_subtracted(column), meters.starts),
                BELOW_ZERO,
            )
            plausible[column.name] = np.where(below, np.nan, np.maximum(signed, 0.0))
    in_gaps = {name: series.filled for name, series in measured.items()}
    # The shape within a filled gap is an estimate, and no evidence that something moved.
    stuck = find_stuck(
        site,
        {name: np.where(in_gaps.get(name, False), np.nan, kwh) for name, kwh in plausible.items()},
    )
    for column in [column for column in columns if column.name in stuck]:
        plausible[column.name] = np.where(
            meters.refuse_slots(column, stuck[column.name], STUCK), np.nan, plausible[column.name]
        )
    named = {column.name: meters.find_named(column) for column in columns}
    reported_balance, balance = (
        {
            name: kwh.round(DIGITS)
            for name, kwh in (series | _balance_by_meters(site, series, named)).items()
            if name != OUTSIDE
        }
        for series in (reported, plausible)
    )
    estimated = _derive_marks(
        {name: series.estimated for name, series in measured.items()}, balance
    )
    filled = _derive_marks(in_gaps, balance)
    if "load_kwh" in balance and "load_kwh" not in measured:
        balance |= _rescale_filled(balance["load_kwh"], balance["residual_kwh"], filled["load_kwh"])
    inner = slice(LONGEST_STILL_SLOTS, LONGEST_STILL_SLOTS + window.count)
    first, end = (
        np.datetime64(instant.replace(tzinfo=None), "us") for instant in (window.start, window.end)
    )
    return SlotBuild(
        starts=window.starts,
        columns={name: kwh[inner] for name, kwh in balance.items()},
        estimated={name: mask[inner] for name, mask in estimated.items()},
        filled={name: mask[inner] for name, mask in filled.items()},
        withdrawn={
            name: np.where(np.isnan(kwh), reported_balance[name], np.nan)[inner]
            for name, kwh in balance.items()
        },
        rejected=[
            refused
            for refused in refusals.rejected.values()
            if refused.first < end and refused.last >= first
        ],
        sensors={
            column.name: frozenset(sensor.name for sensor in column.sensors) for column in columns
        },
        intervals=[
            energy
            for column in columns
            for energy in meters.find_intervals(column)
            if energy.first < window.end and energy.end > window.start
        ],
    )


def _without_frozen_grid(
    site: Site, columns: list[Column], reported: dict[str, FloatArray], meters: Meters
) -> dict[str, SlotValues]:
    """Return the grid's columns without the readings its meter repeated while frozen.

    Nothing where it never was.

    A standstill is a freeze where the other meters show a flow that only the grid can explain. The
    reading with which a counter continues contains the energy of the freeze.
    """
    grid = [column for column in columns if column.name in GRID]
    if len(grid) < len(GRID):
        return {}
    spans = meters.find_long_standstills(grid)
    is_frozen = False
    for span in zip(spans.starts, spans.ends, strict=True):
        ends = meters.starts + np.timedelta64(SLOT)
        contained = (meters.starts >= span[0]) & (ends <= span[1])
        overlapping = (meters.starts < span[1]) & (ends > span[0])
        judged = contained if contained.any() else overlapping
        stretch = {name: kwh[judged] for name, kwh in reported.items()}
        rest_kwh = REST_KW * SLOT_HOURS * judged.sum()
        flows = [
            np.nansum(stretch[name])
            for name in (*SOURCES, *SINKS)
            if name in stretch and name not in GRID
        ]
        residual = compute_balance(site, stretch).get("residual_kwh")
        unexplained = 0.0 if residual is None else float(np.nansum(np.abs(residual)))
        # Without a house meter the base load absorbs any flow, so there is no residual to look at.
        if sum(flows) > rest_kwh and (
            "load_kwh" not in stretch or unexplained > max(rest_kwh, MOST_ERRED * max(flows))
        ):
            meters.leave_out(grid, span, STUCK)
            is_frozen = True
    return {column.name: meters.measure(column) for column in grid} if is_frozen else {}


# Four hours: long enough for a coarse counter to catch up with a fine one. Clamps and devices' own
# counters are right within 5 %, two of them within a tenth.
BLOCK_HOURS = 4
MOST_ERRED = 0.1


def find_below_zero(signed: FloatArray, subtracted: FloatArray, starts: InstantArray) -> Mask:
    """Return the negative slots of each four-hour block in which the subtracted energy exceeds the
    rest by more than the meters' errors.

    Args:
        signed: energy per slot after subtraction, shape ``(slots,)``, kWh, NaN where unknown.
        subtracted: energy of the sensors with a minus, same shape, never negative.
    """
    block = starts.astype("datetime64[h]").astype(np.int64) // BLOCK_HOURS
    block -= block[0]
    missing, subtracted_kwh = (
        np.bincount(block, weights=np.nan_to_num(values)) for values in (-signed, subtracted)
    )
    return np.asarray(
        (missing > np.maximum(COARSEST_STEP_KWH, MOST_ERRED * subtracted_kwh))[block] & (signed < 0)
    )


def _balance_by_meters(
    site: Site, measured: Mapping[str, FloatArray], named: Mapping[str, Mask]
) -> dict[str, FloatArray]:
    """Return ``compute_balance`` of each slot from the meters in service then: one that was
    installed later is missing before.
    """
    balance: dict[str, FloatArray] = {}
    patterns, group = np.unique(np.array([*named.values()]), axis=1, return_inverse=True)
    for number, pattern in enumerate(patterns.T):
        in_service = {name for name, is_named in zip(named, pattern, strict=True) if is_named} | {
            OUTSIDE
        }
        slots = group.ravel() == number
        for name, values in compute_balance(
            site, {column: kwh for column, kwh in measured.items() if column in in_service}
        ).items():
            balance.setdefault(name, np.full(values.size, np.nan))[slots] = values[slots]
    return balance


def _derive_marks(measured: dict[str, Mask], derived: dict[str, FloatArray]) -> dict[str, Mask]:
    """Return the marks of the balance's known values.

    A derived value is marked where any meter that it is computed from is.
    """
    parts = ("load_kwh", *SUBMETERED) if "load_kwh" in measured else (*SOURCES, *SINKS, *SUBMETERED)
    components = {
        "load_kwh": parts,
        "beyond_house_kwh": parts,
        "residual_kwh": (*SOURCES, *SINKS, "load_kwh", *SUBMETERED),
    }
    return {
        name: np.logical_or.reduce(
            [measured[part] for part in components.get(name, (name,)) if part in measured]
        )
        & ~np.isnan(values)
        for name, values in derived.items()
    }


def _rescale_filled(load: FloatArray, residual: FloatArray, filled: Mask) -> dict[str, FloatArray]:
    """Return a derived base load and its residual, each filled run scaled to the energy that the
    meters' totals leave for it.

    The meters' shapes are estimated one by one, so some slots of a run come out negative; what is
    cut off at zero there is taken from the others.
    """
    load = load.copy()
    residual = residual.copy()
    for first, end in runs_of(filled):
        kwh = load[first:end]
        cut_off = float(-residual[first:end].sum())
        if 0 < cut_off < kwh.sum():
            counted = np.round(np.cumsum(kwh) * (1 - cut_off / kwh.sum()), DIGITS)
            residual[first:end] += kwh
            load[first:end] = np.round(np.diff(counted, prepend=0.0), DIGITS)
            residual[first:end] = np.round(residual[first:end] - load[first:end], DIGITS)
    return {"load_kwh": load, "residual_kwh": residual}


def compute_balance(site: Site, measured: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
    """Return the base load and the residual per slot, as far as the meters allow.

    Args:
        measured: energies by column, shape ``(slots,)``, kWh, NaN where unknown; ``load_kwh`` is
            the house meter's, all consumption but ``OUTSIDE``.

    Returns:
        ``load_kwh`` without the loads that have meters of their own, never below zero;
        ``beyond_house_kwh``, by how much it would be; ``residual_kwh``: import + PV + discharge −
        export − charge − all consumption. NaN where any needed part is unknown, and absent where a
        meter is missing.

    Invariants: sources = sinks + base load + submetered loads + residual.
    """
    supply: FloatArray | None = None
    if needed_for_supply(site) <= measured.keys():
        sources, sinks = (
            sum(measured[name] for name in names if name in measured) for names in (SOURCES, SINKS)
        )
        supply = np.asarray(sources - sinks, dtype=np.float64)
    total = measured.get("load_kwh", supply)
    if total is None:
        return {}
    submetered = np.zeros(total.size) + sum(
        measured[name] for name in SUBMETERED if name in measured
    )
    in_house = (
        submetered - measured[OUTSIDE]
        if OUTSIDE in measured and "load_kwh" in measured
        else submetered
    )
    load = np.maximum(total - in_house, 0.0)
    balance = {"load_kwh": load}
    if any(name in measured for name in SUBMETERED):
        balance["beyond_house_kwh"] = np.maximum(in_house - np.maximum(total, 0.0), 0.0)
    return balance if supply is None else balance | {"residual_kwh": supply - load - submetered}


def needed_for_supply(site: Site) -> set[str]:
    """Return the columns that must be measured for the house's supply to be known: grid import, and
    each other source or sink that the site has.
    """
    needed = {"import_kwh"}
    if site.pv:
        needed |= {"pv_kwh"}
    if site.batteries:
        needed |= {"charge_kwh", "discharge_kwh"}
    if (site.pv or site.batteries) and site.grid.export_limit_kw > 0:
        needed |= {"export_kwh"}
    return needed


SLOT_HOURS = 0.25
# PV under snow, a full battery and an absent car rest for days: a standstill is a fault only where
# it leaves a residual in the balance.
LONGEST_STILL_SLOTS = 192
DAY_SLOTS = 96
# The base load of an empty home, about 40 W, and the errors of good meters (class B: 1 %) with much
# room.
LEAST_MISSING_KWH_PER_DAY = 1.0
LEAST_MISSING_SHARE = 0.1
# Within six hours a battery's losses and its meters' errors stay below a fifth of its capacity.
LEVEL_WINDOW_SLOTS = 24
LEAST_MOVED_SHARE = 0.2
SAME_LEVEL = 1e-3


def find_stuck(site: Site, measured: Mapping[str, FloatArray]) -> dict[str, Mask]:
    """Return by column the slots in which its meter was stuck: constant while the other meters show
    that it should have moved.

    Args:
        measured: energies and state of charge by column, as for ``compute_balance``.
    """
    measured = _with_battery_right(site, measured)
    stuck = (
        {"load_kwh": _find_stuck_slots(site, measured, "load_kwh")}
        if "load_kwh" in measured
        else {}
    )
    # A house always uses something: of a standstill that includes its own meter, that one is the
    # cause, so the others are judged without it.
    judged = dict(measured) | {
        name: np.where(mask, np.nan, measured[name]) for name, mask in stuck.items()
    }
    stuck |= {
        name: _find_stuck_slots(site, judged, name) for name in (*SOURCES, *SINKS) if name in judged
    }
    capacity_kwh = sum(battery.capacity_kwh for battery in site.batteries)
    if capacity_kwh and {"soc", "charge_kwh", "discharge_kwh"} <= measured.keys():
        # Runs of a constant state of charge during which more energy flowed than losses explain.
        stuck["soc"] = np.zeros(measured["soc"].size, dtype=np.bool_)
        net = np.cumsum(
            np.concatenate(
                [[0.0], np.nan_to_num(measured["charge_kwh"] - measured["discharge_kwh"])]
            )
        )
        for first, last in runs_of(np.abs(np.diff(measured["soc"])) <= SAME_LEVEL):
            # The run's first slot ends at the constant level, so only flows after it count.
            moved = (
                net[np.minimum(np.arange(first + 1, last + 1) + LEVEL_WINDOW_SLOTS, last + 1)]
                - net[first + 1 : last + 1]
            )
            stuck["soc"][first + 1 : last + 1] = bool(
                (np.abs(moved) > LEAST_MOVED_SHARE * capacity_kwh).any()
            )
    return {name: mask for name, mask in stuck.items() if mask.any()}


def _with_battery_right(site: Site, measured: Mapping[str, FloatArray]) -> Mapping[str, FloatArray]:
    """Return the columns with charge and discharge exchanged where only so the meters agree: a
    battery the other way round is no other meter's standstill.
    """
    if not {"charge_kwh", "discharge_kwh"} <= measured.keys():
        return measured
    exchanged = dict(measured) | {
        "charge_kwh": measured["discharge_kwh"],
        "discharge_kwh": measured["charge_kwh"],
    }
    unexplained = []
    for series in (measured, exchanged):
        balance = compute_balance(site, series)
        if "residual_kwh" not in balance:
            return measured
        unexplained.append(float(np.nansum(np.abs(balance["residual_kwh"]))))
    is_reversed = (
        unexplained[0] > LEAST_MISSING_KWH_PER_DAY
        and unexplained[1] < LEAST_MISSING_SHARE * unexplained[0]
    )
    return exchanged if is_reversed else measured


def _find_stuck_slots(site: Site, measured: Mapping[str, FloatArray], name: str) -> Mask:
    """Return of each long standstill of a meter the slots from the first to the last in which
    energy that it should have counted is missing.
    """
    stuck = np.zeros(measured[name].size, dtype=np.bool_)
    for first, end in runs_of(measured[name] <= REST_KW * SLOT_HOURS):
        if end - first < LONGEST_STILL_SLOTS:
            continue
        stretch = {other: kwh[first:end] for other, kwh in measured.items()}
        days = (end - first) * SLOT_HOURS / 24
        residual = compute_balance(site, stretch).get("residual_kwh")
        if residual is None:
            others = [float(np.nansum(stretch[other])) for other in SOURCES if other in stretch]
            stuck[first:end] = (
                name == "load_kwh" and max(others, default=0.0) > LEAST_MISSING_KWH_PER_DAY * days
            )
            continue
        missing = np.nan_to_num(residual) * (-1 if name in SOURCES else 1)
        moved = [
            np.nan_to_num(stretch[other]) for other in (*SOURCES, "load_kwh") if other in stretch
        ]
        begins = np.arange(0, end - first, DAY_SLOTS)
        sizes = np.diff(np.append(begins, end - first)) * SLOT_HOURS / 24
        flowed = np.max([np.add.reduceat(kwh, begins) for kwh in moved], axis=0)
        too_much = np.add.reduceat(missing, begins) > np.maximum(
            LEAST_MISSING_KWH_PER_DAY * sizes, LEAST_MISSING_SHARE * flowed
        )
        if float(missing.sum()) > max(
            LEAST_MISSING_KWH_PER_DAY * days,
            LEAST_MISSING_SHARE * max(float(kwh.sum()) for kwh in moved),
        ):
            slots = (
                np.flatnonzero(
                    (missing > REST_KW * SLOT_HOURS) & np.repeat(too_much, DAY_SLOTS)[: end - first]
                )
                + first
            )
            stuck[slots[0] if slots.size else first : slots[-1] + 1 if slots.size else end] = True
    return stuck
