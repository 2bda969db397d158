"""Whether a local day may train and score. Pure.

``exclude`` where load, PV, the grid or the price of the day cannot be trusted; ``mask_battery`` where only what the battery says cannot; else ``clean``.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from luna.contracts.data import DayQuality, QualityVerdict
from luna.observations import SERIES
from luna.site import APPLIANCES, Battery, Site
from luna.timeline import SLOT, FloatArray, Timeline
from services.ingest.metering.columns import ROLES
from services.ingest.price_repair import PriceRecord

SLOT_HOURS = SLOT.total_seconds() / 3600
# Power goes a little beyond the name plate; a state of charge in whole percent is off by one at either end.
POWER_TOLERANCE, ROUNDING_SOC = 1.25, 0.02
# While a tenth of the capacity went in or out, no sensor stands still: what a full battery takes to balance its cells is less.
STUCK_SHARE = 0.1
# Capacity and efficiency are name-plate values: a tenth of the capacity, and of what flowed, may be off without a fault.
DRIFT_SHARE = 0.1


def find_battery_faults(series: Mapping[str, FloatArray], batteries: Sequence[Battery]) -> Iterator[str]:
    """Yield what is wrong with a day's ``soc``, ``charge_kwh`` and ``discharge_kwh``; slots in which one is unknown say nothing.

    Args:
        series: shape ``(slots,)`` each; SoC at the end of the slot.
        batteries: of the site, seen as one whose capacities and powers add up.
    """
    if not batteries:
        return
    capacity = sum(battery.capacity_kwh for battery in batteries)
    soc, stored = series["soc"], _stored_kwh(series, batteries, capacity)
    steps = np.diff(soc)
    yield from _find_jumps(steps, batteries, capacity)
    yield from _find_stuck(steps, stored[1:], capacity)
    yield from _find_drift(steps, stored[1:], series, capacity)


def _stored_kwh(series: Mapping[str, FloatArray], batteries: Sequence[Battery], capacity: float) -> FloatArray:
    """Return by how much each slot's energy at the terminals changes what is stored."""
    charge = sum(battery.charge_efficiency * battery.capacity_kwh for battery in batteries) / capacity
    discharge = sum(battery.discharge_efficiency * battery.capacity_kwh for battery in batteries) / capacity
    return np.asarray(series["charge_kwh"] * charge - series["discharge_kwh"] / discharge)


def _find_jumps(steps: FloatArray, batteries: Sequence[Battery], capacity: float) -> Iterator[str]:
    up = sum(battery.charge_limit_kw for battery in batteries) * SLOT_HOURS * POWER_TOLERANCE / capacity + ROUNDING_SOC
    # What leaves the terminals is less than what leaves the cells.
    down = sum(battery.discharge_limit_kw / battery.discharge_efficiency for battery in batteries) * SLOT_HOURS * POWER_TOLERANCE / capacity + ROUNDING_SOC
    jumps = np.flatnonzero((steps > up) | (steps < -down))
    if jumps.size:
        yield f"soc_jump: the state of charge moves faster than the battery can in {jumps.size} slots, by {np.abs(steps[jumps]).max():.0%} at most"


def _find_stuck(steps: FloatArray, stored: FloatArray, capacity: float) -> Iterator[str]:
    still = (steps == 0) & np.isfinite(stored)
    run = np.cumsum(~still)
    # Within a run of equal values, what went in or out since it began.
    moved = np.cumsum(np.where(still, stored, 0.0))
    begun = np.concatenate([[0.0], moved[~still]])
    furthest = float(np.abs(np.where(still, moved - begun[run], 0.0)).max(initial=0.0))
    if furthest > STUCK_SHARE * capacity:
        yield f"soc_stuck: the state of charge stands still while {furthest:.1f} kWh went in or out"


def _find_drift(steps: FloatArray, stored: FloatArray, series: Mapping[str, FloatArray], capacity: float) -> Iterator[str]:
    known = np.isfinite(steps) & np.isfinite(stored)
    told, metered = float(steps[known].sum()) * capacity, float(stored[known].sum())
    flow = float((series["charge_kwh"] + series["discharge_kwh"])[1:][known].sum())
    if abs(told - metered) > DRIFT_SHARE * (capacity + flow):
        yield f"soc_drift: the state of charge moved by {told:+.1f} kWh, the energy says {metered:+.1f} kWh"


ENERGIES = ("load_kwh", "pv_kwh", "import_kwh", "export_kwh")
BATTERY = ("charge_kwh", "discharge_kwh", "soc")
VERDICTS: tuple[QualityVerdict, ...] = get_args(QualityVerdict)

# Policies differ by a tenth of a day's cost and less: with more than a tenth of the day unknown, its cost says nothing about them.
LEAST_COVERAGE = 0.9
# Interpolation keeps a gap's energy and smooths its shape: a day of which a fifth was smoothed looks calmer than it was.
MOST_REPAIRED = 0.2
# Meters of class B are right within 1 %, clamps and inverters' own counters within 5 %: what three of them leave open is less than a tenth.
MOST_UNEXPLAINED = 0.1
# Counters that move in steps of 0.1 kWh leave that much open in a few blocks of a day on which next to nothing flows.
UNEXPLAINED_KWH = 1.0
# Four hours: long enough for coarse counters to catch up, short enough for an hour's clock error to show.
BALANCE_SLOTS = 16
# A slot's price is missing for a product, an hour at most, or for all of it: one missing hour of a day costs a twenty-fourth.
MOST_UNPRICED = 0.05


Span = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class DayRecord:
    """What is stored of one local day; arrays of shape ``(slots,)``, as many as the day has: 92, 96 or 100.

    Args:
        series: column of ``slot_observations`` → values, NaN where unknown: energies, battery, ``residual_kwh``, ``beyond_house_kwh``, ``APPLIANCES``.
        repaired: bit i says that value i of ``luna.observations.SERIES`` was repaired.
        prices: ``import_price`` and ``export_price``.
        expected: the series and prices that the site had around that day.
        rebuilt: series that were built again and became something else, with the energies before and after; the stored ones stayed.
    """

    day: date
    series: Mapping[str, FloatArray]
    repaired: NDArray[np.int64]
    prices: Mapping[str, PriceRecord]
    expected: frozenset[str]
    rebuilt: Sequence[tuple[str, float, float]] = ()


def expect_series(spans: Mapping[str, Span], site: Site, day: Timeline) -> frozenset[str]:
    """Return what a day should hold: the load, what was known both before and after, and what a sensor of the site has told since it was first known.

    Args:
        spans: series or price → start of the first and end of the last slot in which it was ever known.
    """
    named = {series for series, role in ROLES.items() if getattr(site.input_sensors, role)}
    return frozenset({"load_kwh"} | {name for name, (first, end) in spans.items() if first < day.end and (name in named or end > day.start)})


def judge_day(record: DayRecord, site: Site) -> DayQuality:
    """Return the verdict on a day with all that speaks against it, what excludes it first.

    Invariants: a day without reasons is clean, and no other is.
    """
    against = [
        *_find_gaps(record, ENERGIES),
        *_find_repairs(record, ENERGIES),
        *_find_imbalance(record, site),
        *_find_beyond_house(record, site),
        *_find_rebuilt(record),
        *_find_price_faults(record),
    ]
    battery = [*_find_gaps(record, BATTERY), *_find_repairs(record, BATTERY), *find_battery_faults(record.series, site.batteries)]
    masked = battery if site.batteries else []
    return DayQuality(day=record.day, verdict=VERDICTS[2 if against else 1 if masked else 0], reasons=[*against, *masked])


def _find_gaps(record: DayRecord, names: tuple[str, ...]) -> Iterator[str]:
    for name in names:
        values = record.series[name]
        known = int(np.isfinite(values).sum())
        if name in record.expected and known < LEAST_COVERAGE * values.size:
            yield f"coverage: {name} is known in {known} of {values.size} slots"


def _find_repairs(record: DayRecord, names: tuple[str, ...]) -> Iterator[str]:
    for name in names:
        repaired = int((record.repaired >> SERIES.index(name) & 1).sum())
        if repaired > MOST_REPAIRED * record.repaired.size:
            yield f"repaired: {name} was repaired in {repaired} of {record.repaired.size} slots"


def _find_imbalance(record: DayRecord, site: Site) -> Iterator[str]:
    series = record.series
    residual = np.where(np.isfinite(series["residual_kwh"]), series["residual_kwh"], _balance(record, site))
    known = np.isfinite(residual)
    blocks = np.add.reduceat(np.nan_to_num(residual), np.arange(0, residual.size, BALANCE_SLOTS))
    unexplained = float(np.abs(blocks).sum())
    flow = float(np.nansum([series[name][known] for name in ("import_kwh", "pv_kwh", "discharge_kwh")]))
    if unexplained > UNEXPLAINED_KWH and unexplained > MOST_UNEXPLAINED * flow:
        yield f"balance: the meters leave {unexplained:.1f} kWh unexplained of {flow:.1f} kWh that flowed"


def _find_rebuilt(record: DayRecord) -> Iterator[str]:
    for name, before, after in record.rebuilt:
        yield f"rebuild: {name} is {before:.4g} kWh, and {after:.4g} kWh where it is built again"


def _find_beyond_house(record: DayRecord, site: Site) -> Iterator[str]:
    """Yield that appliances use more than the house they are taken off, by more than meters err and coarse counters lag."""
    series = record.series
    beyond = np.nan_to_num(series["beyond_house_kwh"])
    devices = {name: np.nan_to_num(series[name]) for name in APPLIANCES}
    blocks = np.arange(0, beyond.size, BALANCE_SLOTS)
    missing, used = (np.add.reduceat(kwh, blocks) for kwh in (beyond - np.nan_to_num(series["load_kwh"]), np.sum([*devices.values()], axis=0)))
    if missing[missing > 0].sum() <= max(UNEXPLAINED_KWH, MOST_UNEXPLAINED * float(used[missing > 0].sum())):
        return
    wrong = (missing > 0)[np.arange(beyond.size) // BALANCE_SLOTS] & (beyond > 0)
    device = max(devices, key=lambda name: float(devices[name][wrong].sum()))
    has_meter = site.input_sensors.total_load_consumption or not site.input_sensors.total_grid_import
    code, meter = ("devices_beyond_house", "the house's meter") if has_meter else ("devices_beyond_grid", "the grid's meter leaves for the house")
    yield f"{code}: {device} is {beyond[wrong].sum():.1f} kWh more than {meter} in {wrong.sum()} of {beyond.size} slots"


def _balance(record: DayRecord, site: Site) -> FloatArray:
    """Return import + PV + discharge − export − charge − consumption per slot, unknown where a meter is silent; all unknown where the site lacks one."""
    series, expected = record.series, record.expected

    def part(name: str) -> FloatArray:
        return series[name] if name in expected else np.zeros_like(series[name])

    metered = {"import_kwh"} | ({"export_kwh"} if "pv_kwh" in expected else set()) | ({"charge_kwh", "discharge_kwh"} if site.batteries else set())
    if not metered <= expected:
        return np.full_like(series["load_kwh"], np.nan)
    apart = np.nansum([series[name] for name in APPLIANCES], axis=0)
    return np.asarray(part("import_kwh") + part("pv_kwh") + part("discharge_kwh") - part("export_kwh") - part("charge_kwh") - part("load_kwh") - apart)


def _find_price_faults(record: DayRecord) -> Iterator[str]:
    for name, prices in record.prices.items():
        slots, unknown, zeros = prices.paid.size, int((~prices.known).sum()), int(prices.missing_zeros.sum())
        if name in record.expected and unknown > MOST_UNPRICED * slots:
            yield f"price_gap: {name} is unknown in {unknown} of {slots} slots"
        if zeros:
            yield f"price_zero: {name} is zero in {zeros} of {slots} slots in which market and tariff were not"
