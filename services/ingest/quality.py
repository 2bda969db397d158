"""Whether a local day may train and score. Pure.

``exclude`` where load, PV, the grid or the price of the day cannot be trusted; ``mask_battery`` where only what the battery says cannot; else ``clean``.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
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
# Half of the energy runs against the state of charge only where charge is called discharge; a kilowatt-hour is what whole per cents show of any battery.
REVERSED_SHARE, REVERSED_KWH = 0.5, 1.0


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
    yield from _find_jumps(steps, stored[1:], batteries, capacity)
    yield from _find_stuck(steps, stored[1:], capacity)
    against, moved = measure_against(steps * capacity, stored[1:])
    if is_reversed(against, moved):
        yield f"soc_reversed: the state of charge moves by {against:.1f} kWh against the {moved:.1f} kWh that are charged and discharged"
    else:
        yield from _find_drift(steps, stored[1:], series, capacity)


def measure_against(steps_kwh: FloatArray, stored: FloatArray) -> tuple[float, float]:
    """Return by how much more the state of charge falls while it charges and rises while it discharges than the other way, and what moved in those slots.

    Args:
        steps_kwh: what each slot's state of charge gains, kWh.
        stored: what each slot's charge and discharge add to what is stored, kWh.
    """
    known = np.isfinite(steps_kwh) & np.isfinite(stored)
    return -float((steps_kwh * np.sign(stored))[known].sum()), float(np.abs(stored[known]).sum())


def is_reversed(against: float, moved: float) -> bool:
    """Return whether a battery's charge and discharge look exchanged: a right one's is below zero, and a state of charge that lags comes to about zero."""
    return moved > REVERSED_KWH and against > REVERSED_SHARE * moved


def _stored_kwh(series: Mapping[str, FloatArray], batteries: Sequence[Battery], capacity: float) -> FloatArray:
    """Return by how much each slot's energy at the terminals changes what is stored."""
    charge = sum(battery.charge_efficiency * battery.capacity_kwh for battery in batteries) / capacity
    discharge = sum(battery.discharge_efficiency * battery.capacity_kwh for battery in batteries) / capacity
    return np.asarray(series["charge_kwh"] * charge - series["discharge_kwh"] / discharge)


def _find_jumps(steps: FloatArray, stored: FloatArray, batteries: Sequence[Battery], capacity: float) -> Iterator[str]:
    up = sum(battery.charge_limit_kw for battery in batteries) * SLOT_HOURS * POWER_TOLERANCE / capacity + ROUNDING_SOC
    # What leaves the terminals is less than what leaves the cells.
    down = sum(battery.discharge_limit_kw / battery.discharge_efficiency for battery in batteries) * SLOT_HOURS * POWER_TOLERANCE / capacity + ROUNDING_SOC
    # A state of charge may be told a slot early or late: what moved within an hour around a step is what it can be of.
    moved = np.lib.stride_tricks.sliding_window_view(np.pad(np.abs(stored), (2, 1), constant_values=np.nan), 4).sum(axis=1)
    jumps = np.flatnonzero((steps > up) | (steps < -down) | (np.abs(steps) > moved / capacity + DRIFT_SHARE))
    if jumps.size:
        yield f"soc_jump: the state of charge moves faster than the battery can, or did, in {jumps.size} slots, by {np.abs(steps[jumps]).max():.0%} at most"


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
        estimated: how many slots of a series are filled to a meter's total; in ``series`` they are unknown.
        prices: ``import_price`` and ``export_price``.
        expected: the series and prices that the site had around that day.
        silent: series with the sensor that said nothing all day while others of its role spoke, and the day of its last word; None: it never had one.
        rebuilt: series that were built again and became something else, with the energies before and after; the stored ones stayed.
    """

    day: date
    series: Mapping[str, FloatArray]
    repaired: NDArray[np.int64]
    prices: Mapping[str, PriceRecord]
    expected: frozenset[str]
    estimated: Mapping[str, int] = field(default_factory=dict)
    rebuilt: Sequence[tuple[str, float, float]] = ()
    silent: Sequence[tuple[str, str, date | None]] = ()


def expect_series(spans: Mapping[str, Span], site: Site, day: Timeline) -> frozenset[str]:
    """Return what a day should hold: the load, what was known both before and after, and what a sensor of that day has told since it was first known.

    Args:
        spans: series or price → start of the first and end of the last slot in which it was ever known.
    """
    sensors = site.sensor_roles
    named = {series for series, role in ROLES.items() if any(sensor.holds_between(day.start, day.end) for sensor in sensors.get(role, ()))}
    return frozenset({"load_kwh"} | {name for name, (first, end) in spans.items() if first < day.end and (name in named or end > day.start)})


def judge_day(record: DayRecord, site: Site) -> DayQuality:
    """Return the verdict on a day with all that speaks against it, what excludes it first, and what was not measured of a clean one.

    Invariants: a day without reasons is clean; the reasons of a clean day are quarter-hours that were not measured, too few to exclude it.
    """
    against = [
        *_find_gaps(record, ENERGIES),
        *_find_silent(record, (*ENERGIES, *APPLIANCES)),
        *_find_repairs(record, ENERGIES),
        *_find_imbalance(record, site),
        *_find_beyond_house(record, site),
        *_find_rebuilt(record),
        *_find_price_faults(record),
    ]
    battery = [
        *_find_gaps(record, BATTERY),
        *_find_silent(record, BATTERY),
        *_find_repairs(record, BATTERY),
        *find_battery_faults(record.series, site.batteries),
    ]
    masked = battery if site.batteries else []
    few = list(_find_gaps(record, (*ENERGIES, *(BATTERY if site.batteries else ())), tolerated=True))
    return DayQuality(day=record.day, verdict=VERDICTS[2 if against else 1 if masked else 0], reasons=[*against, *masked, *few])


def _find_gaps(record: DayRecord, names: tuple[str, ...], *, tolerated: bool = False) -> Iterator[str]:
    """Yield how much of a series was not measured: more than a day may lack, or where ``tolerated`` no more."""
    for name in names:
        values = record.series[name]
        measured, estimated = int(np.isfinite(values).sum()), record.estimated.get(name, 0)
        if name not in record.expected or (measured >= LEAST_COVERAGE * values.size) != tolerated:
            continue
        if estimated:
            yield f"estimated: {name} is filled to the meter's total in {estimated} of {values.size} slots"
        if measured + estimated < values.size:
            yield f"coverage: {name} is known in {measured + estimated} of {values.size} slots"


def _find_silent(record: DayRecord, names: tuple[str, ...]) -> Iterator[str]:
    """Yield which sensor's silence it is that leaves a series unknown."""
    for name, sensor, since in record.silent:
        values = record.series[name]
        if name in names and np.isfinite(values).sum() < LEAST_COVERAGE * values.size:
            yield f"unheard: {name} lacks {sensor}, which never said anything" if since is None else f"silent: {name} lacks {sensor}, silent since {since}"


def _find_repairs(record: DayRecord, names: tuple[str, ...]) -> Iterator[str]:
    for name in names:
        repaired = int((record.repaired >> SERIES.index(name) & 1).sum())
        if repaired > MOST_REPAIRED * record.repaired.size:
            yield f"repaired: {name} was repaired in {repaired} of {record.repaired.size} slots"


def _find_imbalance(record: DayRecord, site: Site) -> Iterator[str]:
    series = record.series
    residual = np.where(np.isfinite(series["residual_kwh"]), series["residual_kwh"], _balance(record, site))
    unexplained, flow = _sum_unexplained(residual, series)
    if _is_open(unexplained, flow):
        yield f"balance: the meters leave {unexplained:.1f} kWh unexplained of {flow:.1f} kWh that flowed"
        yield from _find_turned(record, site, residual)


def _sum_unexplained(residual: FloatArray, series: Mapping[str, FloatArray]) -> tuple[float, float]:
    """Return what a residual leaves unexplained, in blocks in which coarse counters catch up, and what flowed meanwhile, kWh."""
    known = np.isfinite(residual)
    blocks = np.add.reduceat(np.nan_to_num(residual), np.arange(0, residual.size, BALANCE_SLOTS))
    return float(np.abs(blocks).sum()), float(np.nansum([series[name][known] for name in ("import_kwh", "pv_kwh", "discharge_kwh")]))


def _is_open(unexplained: float, flow: float) -> bool:
    return unexplained > UNEXPLAINED_KWH and unexplained > MOST_UNEXPLAINED * flow


# Two directions of one flow, the one that supplies the house first: where they are exchanged, the residual is off by twice their difference.
DIRECTIONS = (("discharge_kwh", "charge_kwh"), ("import_kwh", "export_kwh"))


def find_turns(series: Mapping[str, FloatArray], residual: FloatArray, *, derived: bool) -> list[tuple[tuple[str, str], ...]]:
    """Return which of ``DIRECTIONS`` to exchange so that nothing remains unexplained; both only where neither alone is enough.

    Args:
        series: of a day, NaN where unknown.
        residual: what its meters leave unexplained per slot.
        derived: whether the base load is what the other meters leave, so that only a residual below zero shows.

    Invariants: exchanging twice is what was there before.
    """
    closing: list[tuple[tuple[str, str], ...]] = []
    for turned in (*((pair,) for pair in DIRECTIONS), DIRECTIONS):
        if closing and len(turned) > 1:
            break
        exchanged = {**series, **{name: series[other] for pair in turned for name, other in (pair, pair[::-1])}}
        left = residual + 2 * np.sum([series[sink] - series[source] for source, sink in turned], axis=0)
        left = np.minimum(series["load_kwh"] + left, 0.0) if derived else left
        same_slots = np.isfinite(left).sum() >= LEAST_COVERAGE * np.isfinite(residual).sum()
        if same_slots and not _is_open(*_sum_unexplained(left, exchanged)):
            closing.append(turned)
    return closing


def _find_turned(record: DayRecord, site: Site, residual: FloatArray) -> Iterator[str]:
    """Yield what looks exchanged, where one way alone explains the day; of two ways the one that the state of charge shows."""
    series = record.series
    derived = bool(np.isfinite(series["residual_kwh"]).any()) and not site.input_sensors.total_load_consumption
    ways = find_turns(series, residual, derived=derived)
    if len(ways) > 1 and site.batteries:
        capacity = sum(battery.capacity_kwh for battery in site.batteries)
        battery = is_reversed(*measure_against(np.diff(series["soc"]) * capacity, _stored_kwh(series, site.batteries, capacity)[1:]))
        ways = [way for way in ways if battery == (DIRECTIONS[0] in way)]
    for source, sink in ways[0] if len(ways) == 1 else ():
        yield f"turned: {ROLES[source]} and {ROLES[sink]} look exchanged; the other way round the meters explain the day"


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
