"""The verdict on a local day, by which it may train and score. Pure.

``exclude`` if load, PV, the grid or the price of the day cannot be trusted; ``mask_battery`` if
only the battery's values cannot; else ``clean``.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

import numpy as np
from numpy.typing import NDArray

from luna.contracts.data import DayQuality
from luna.energy.day_fault import DayFault
from luna.energy.observations import SERIES
from luna.energy.quality_verdict import QualityVerdict
from luna.energy.site import SUBMETERED, Site
from luna.energy.timeline import FloatArray, Timeline
from services.ingest.balance import (
    BALANCE_SLOTS,
    LEAST_COVERAGE,
    MOST_UNEXPLAINED,
    UNEXPLAINED_KWH,
    UsualImbalance,
    find_imbalance,
    settle_residual,
)
from services.ingest.battery_faults import find_battery_faults
from services.ingest.metering.column_sensors import ROLES
from services.ingest.price_repair import PriceRecord

ENERGIES = ("load_kwh", "pv_kwh", "import_kwh", "export_kwh")
BATTERY = ("charge_kwh", "discharge_kwh", "soc")
# Faults of refused readings that a day's verdict names.
REFUSALS = {
    "wrong_sign": "sensor_wrong_sign",
    "thousandfold": "sensor_thousandfold",
    "night": "sensor_night",
    "means_no_value": "sensor_means_no_value",
}

# Interpolation keeps a gap's energy and smooths its shape, so a day with a fifth interpolated looks
# calmer than it was.
MOST_REPAIRED = 0.2
# One missing hour, the longest product, is a twenty-fourth of a day.
MOST_UNPRICED = 0.05


Span = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class DayRecord:
    """The stored values of one local day.

    Arrays of shape ``(slots,)``, as many as the day has: 92, 96 or 100.

    Args:
        series: column of ``slot_observations`` → values, NaN where unknown: energies, battery,
            ``residual_kwh``, ``beyond_house_kwh``, ``SUBMETERED``.
        repaired: bit i says that value i of ``luna.energy.observations.SERIES`` was repaired.
        estimated: how many slots of a series are filled to a meter's total; in ``series`` they are
            unknown.
        prices: ``import_price`` and ``export_price``.
        expected: the series and prices that the site had around that day.
        silent: series with a sensor that did not report all day while others of its role did, and
            the day of its last report; None: it never reported.
        refused: sensors with the fault of their readings refused on that day, and how many.
        alone: series with a sensor that never reported, so that the others are counted alone.
        usual: the imbalance of the days around; None if it is not known.
        rebuilt: series that a rebuild changed suspiciously, with the energies before and after; the
            stored ones stayed.
    """

    day: date
    series: Mapping[str, FloatArray]
    repaired: NDArray[np.int64]
    prices: Mapping[str, PriceRecord]
    expected: frozenset[str]
    estimated: Mapping[str, int] = field(default_factory=dict)
    rebuilt: Sequence[tuple[str, float, float]] = ()
    silent: Sequence[tuple[str, str, date | None]] = ()
    usual: UsualImbalance | None = None
    refused: Sequence[tuple[str, str, int]] = ()
    alone: Sequence[tuple[str, str]] = ()


def expect_series(spans: Mapping[str, Span], site: Site, day: Timeline) -> frozenset[str]:
    """Return the series that a day should hold.

    These are the load, series known both before and after, and series that have a sensor on that
    day and were known before.

    Args:
        spans: series or price → start of the first and end of the last slot in which it was ever
            known.
    """
    sensors = site.sensor_roles
    expected = {"load_kwh"}
    for name, (first, end) in spans.items():
        if first >= day.end:
            continue
        role_sensors = sensors.get(ROLES[name], ()) if name in ROLES else ()
        has_sensor = any(sensor.holds_between(day.start, day.end) for sensor in role_sensors)
        if has_sensor or end > day.start:
            expected.add(name)
    return frozenset(expected)


def judge_day(record: DayRecord, site: Site) -> DayQuality:
    """Return the verdict on a day with its faults, first those that exclude it.

    Invariants: a day without faults is clean; the faults of a clean day are quarter-hours that were
    not measured, too few to exclude it.
    """
    metered = (*ENERGIES, *SUBMETERED)
    residual = settle_residual(record.series, record.expected, site)
    excluding = [
        *_find_gaps(record, ENERGIES),
        *_find_silent(record, metered),
        *_find_refused(record, site, metered),
        *_find_repairs(record, ENERGIES),
        *find_imbalance(record.series, residual, site, record.usual),
        *_find_beyond_house(record, site),
        *_find_rebuilt(record),
        *_find_price_faults(record),
    ]
    masking = []
    if site.batteries:
        masking = [
            *_find_gaps(record, BATTERY),
            *_find_silent(record, BATTERY),
            *_find_refused(record, site, BATTERY),
            *_find_repairs(record, BATTERY),
            *find_battery_faults(record.series, site.batteries),
        ]
    names = (*ENERGIES, *BATTERY) if site.batteries else ENERGIES
    tolerated = [*_find_gaps(record, names, tolerated=True), *_find_counted_alone(record)]
    verdict: QualityVerdict = "clean"
    if excluding:
        verdict = "exclude"
    elif masking:
        verdict = "mask_battery"
    return DayQuality(day=record.day, verdict=verdict, faults=[*excluding, *masking, *tolerated])


def _find_rebuilt(record: DayRecord) -> Iterator[DayFault]:
    for name, before, after in record.rebuilt:
        yield DayFault.of("rebuild", series=name, before=before, after=after)


def _find_price_faults(record: DayRecord) -> Iterator[DayFault]:
    for name, prices in record.prices.items():
        slots = prices.paid.size
        unknown = int((~prices.has_cost).sum())
        zeros = int(prices.missing_zeros.sum())
        if name in record.expected and unknown > MOST_UNPRICED * slots:
            yield DayFault.of("price_gap", series=name, known=unknown, slots=slots)
        if zeros:
            yield DayFault.of("price_zero", series=name, known=zeros, slots=slots)


def _find_counted_alone(record: DayRecord) -> Iterator[DayFault]:
    for series, sensor in record.alone:
        if np.isfinite(record.series[series]).mean() >= LEAST_COVERAGE:
            yield DayFault.of("counted_alone", series=series, sensor=sensor)


def _find_gaps(
    record: DayRecord, names: tuple[str, ...], *, tolerated: bool = False
) -> Iterator[DayFault]:
    """Yield the unmeasured parts of series, either intolerable or ``tolerated`` ones."""
    for name in names:
        values = record.series[name]
        measured = int(np.isfinite(values).sum())
        estimated = record.estimated.get(name, 0)
        is_tolerable = measured >= LEAST_COVERAGE * values.size
        if name not in record.expected or is_tolerable != tolerated:
            continue
        known = measured + estimated
        if estimated:
            yield DayFault.of("estimated", series=name, known=estimated, slots=values.size)
        if known < values.size:
            yield DayFault.of("coverage", series=name, known=known, slots=values.size)


def _find_silent(record: DayRecord, names: tuple[str, ...]) -> Iterator[DayFault]:
    """Yield the sensors whose silence leaves a series unknown."""
    for name, sensor, since in record.silent:
        values = record.series[name]
        if name in names and np.isfinite(values).sum() < LEAST_COVERAGE * values.size:
            if since is None:
                yield DayFault.of("unheard", series=name, sensor=sensor)
            else:
                yield DayFault.of("silent", series=name, sensor=sensor, since=since.isoformat())


def _find_refused(record: DayRecord, site: Site, names: tuple[str, ...]) -> Iterator[DayFault]:
    """Yield the faults of refused readings that leave a series unknown."""
    role_sensors = site.sensor_roles
    for sensor, code, count in record.refused:
        is_missing = False
        for name in names:
            serves = any(other.name == sensor for other in role_sensors.get(ROLES[name], ()))
            if serves and np.isfinite(record.series[name]).mean() < LEAST_COVERAGE:
                is_missing = True
        if is_missing:
            figures = {"readings": count} if code == "means_no_value" else {}
            yield DayFault.of(REFUSALS[code], sensor=sensor, **figures)


def _find_repairs(record: DayRecord, names: tuple[str, ...]) -> Iterator[DayFault]:
    for name in names:
        repaired = int((record.repaired >> SERIES.index(name) & 1).sum())
        if repaired > MOST_REPAIRED * record.repaired.size:
            yield DayFault.of("repaired", series=name, known=repaired, slots=record.repaired.size)


def _find_beyond_house(record: DayRecord, site: Site) -> Iterator[DayFault]:
    """Yield that submetered loads use more than their house, by more than meters err."""
    series = record.series
    beyond = np.nan_to_num(series["beyond_house_kwh"])
    devices = {name: np.nan_to_num(series[name]) for name in SUBMETERED}
    blocks = np.arange(0, beyond.size, BALANCE_SLOTS)
    missing = np.add.reduceat(beyond - np.nan_to_num(series["load_kwh"]), blocks)
    used = np.add.reduceat(np.sum([*devices.values()], axis=0), blocks)
    is_wrong = missing > 0
    tolerance = max(UNEXPLAINED_KWH, MOST_UNEXPLAINED * float(used[is_wrong].sum()))
    if missing[is_wrong].sum() <= tolerance:
        return
    wrong = is_wrong[np.arange(beyond.size) // BALANCE_SLOTS] & (beyond > 0)
    used_then = {name: float(kwh[wrong].sum()) for name, kwh in devices.items()}
    sensors = site.input_sensors
    has_meter = sensors.total_load_consumption or not sensors.total_grid_import
    yield DayFault.of(
        "devices_beyond_house" if has_meter else "devices_beyond_grid",
        series=max(used_then, key=used_then.__getitem__),
        open=float(beyond[wrong].sum()),
        known=int(wrong.sum()),
        slots=beyond.size,
    )
