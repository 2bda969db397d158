"""Whether a local day may train and score. Pure.

``exclude`` where load, PV, the grid or the price of the day cannot be trusted; ``mask_battery``
where only what the battery says cannot; else ``clean``.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import get_args

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
from services.ingest.metering.columns import ROLES
from services.ingest.price_repair import PriceRecord

ENERGIES = ("load_kwh", "pv_kwh", "import_kwh", "export_kwh")
BATTERY = ("charge_kwh", "discharge_kwh", "soc")
# Why readings are refused that a day's verdict names.
REFUSALS = {
    name: f"sensor_{name}" for name in ("wrong_sign", "thousandfold", "night", "means_no_value")
}
VERDICTS: tuple[QualityVerdict, ...] = get_args(QualityVerdict)

# Interpolation keeps a gap's energy and smooths its shape: a day of which a fifth was smoothed
# looks calmer than it was.
MOST_REPAIRED = 0.2
# A slot's price is missing for a product, an hour at most, or for all of it: one missing hour of a
# day costs a twenty-fourth.
MOST_UNPRICED = 0.05


Span = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class DayRecord:
    """What is stored of one local day.

    Arrays of shape ``(slots,)``, as many as the day has: 92, 96 or 100.

    Args:
        series: column of ``slot_observations`` → values, NaN where unknown: energies, battery,
            ``residual_kwh``, ``beyond_house_kwh``, ``SUBMETERED``.
        repaired: bit i says that value i of ``luna.energy.observations.SERIES`` was repaired.
        estimated: how many slots of a series are filled to a meter's total; in ``series`` they are
            unknown.
        prices: ``import_price`` and ``export_price``.
        expected: the series and prices that the site had around that day.
        silent: series with the sensor that said nothing all day while others of its role spoke, and
            the day of its last word; None: it never had one.
        refused: sensors with the reason why their readings of that day were refused, and how many.
        alone: series with the sensor without which it is counted, for it said nothing.
        usual: what the meters leave unexplained on the days around; None where that is not known.
        rebuilt: series that were built again and became something else, with the energies before
            and after; the stored ones stayed.
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
    """Return what a day should hold: the load, what was known both before and after, and what a
    sensor of that day has told since it was first known.

    Args:
        spans: series or price → start of the first and end of the last slot in which it was ever
            known.
    """
    sensors = site.sensor_roles
    named = {
        series
        for series, role in ROLES.items()
        if any(sensor.holds_between(day.start, day.end) for sensor in sensors.get(role, ()))
    }
    return frozenset(
        {"load_kwh"}
        | {
            name
            for name, (first, end) in spans.items()
            if first < day.end and (name in named or end > day.start)
        }
    )


def judge_day(record: DayRecord, site: Site) -> DayQuality:
    """Return the verdict on a day with all that speaks against it, what excludes it first, and what
    was not measured of a clean one.

    Invariants: a day without faults is clean; the faults of a clean day are quarter-hours that were
    not measured, too few to exclude it.
    """
    price_faults = []
    for name, prices in record.prices.items():
        slots = prices.paid.size
        unknown = int((~prices.has_cost).sum())
        zeros = int(prices.missing_zeros.sum())
        if name in record.expected and unknown > MOST_UNPRICED * slots:
            price_faults.append(DayFault.of("price_gap", series=name, known=unknown, slots=slots))
        if zeros:
            price_faults.append(DayFault.of("price_zero", series=name, known=zeros, slots=slots))
    against = [
        *_find_gaps(record, ENERGIES),
        *_find_silent(record, (*ENERGIES, *SUBMETERED)),
        *_find_refused(record, site, (*ENERGIES, *SUBMETERED)),
        *_find_repairs(record, ENERGIES),
        *find_imbalance(
            record.series, settle_residual(record.series, record.expected, site), site, record.usual
        ),
        *_find_beyond_house(record, site),
        *(
            DayFault.of("rebuild", series=name, before=before, after=after)
            for name, before, after in record.rebuilt
        ),
        *price_faults,
    ]
    battery = [
        *_find_gaps(record, BATTERY),
        *_find_silent(record, BATTERY),
        *_find_refused(record, site, BATTERY),
        *_find_repairs(record, BATTERY),
        *find_battery_faults(record.series, site.batteries),
    ]
    masked = battery if site.batteries else []
    few = list(
        _find_gaps(record, (*ENERGIES, *(BATTERY if site.batteries else ())), tolerated=True)
    )
    few += [
        DayFault.of("counted_alone", series=series, sensor=sensor)
        for series, sensor in record.alone
        if np.isfinite(record.series[series]).mean() >= LEAST_COVERAGE
    ]
    return DayQuality(
        day=record.day,
        verdict=VERDICTS[2 if against else 1 if masked else 0],
        faults=[*against, *masked, *few],
    )


def _find_gaps(
    record: DayRecord, names: tuple[str, ...], *, tolerated: bool = False
) -> Iterator[DayFault]:
    """Yield how much of a series was not measured: more than a day may lack, or where ``tolerated``
    no more.
    """
    for name in names:
        values = record.series[name]
        measured = int(np.isfinite(values).sum())
        estimated = record.estimated.get(name, 0)
        if name not in record.expected or (measured >= LEAST_COVERAGE * values.size) != tolerated:
            continue
        if estimated:
            yield DayFault.of("estimated", series=name, known=estimated, slots=values.size)
        if measured + estimated < values.size:
            yield DayFault.of(
                "coverage", series=name, known=measured + estimated, slots=values.size
            )


def _find_silent(record: DayRecord, names: tuple[str, ...]) -> Iterator[DayFault]:
    """Yield which sensor's silence it is that leaves a series unknown."""
    for name, sensor, since in record.silent:
        values = record.series[name]
        if name in names and np.isfinite(values).sum() < LEAST_COVERAGE * values.size:
            if since is None:
                yield DayFault.of("unheard", series=name, sensor=sensor)
            else:
                yield DayFault.of("silent", series=name, sensor=sensor, since=since.isoformat())


def _find_refused(record: DayRecord, site: Site, names: tuple[str, ...]) -> Iterator[DayFault]:
    """Yield why readings of a sensor were refused that leave a series unknown."""
    sensors = site.sensor_roles
    for sensor, code, count in record.refused:
        serves = [
            name
            for name in names
            if any(each.name == sensor for each in sensors.get(ROLES[name], ()))
        ]
        if not any(np.isfinite(record.series[name]).mean() < LEAST_COVERAGE for name in serves):
            continue
        figures = {"readings": count} if code == "means_no_value" else {}
        yield DayFault.of(REFUSALS[code], sensor=sensor, **figures)


def _find_repairs(record: DayRecord, names: tuple[str, ...]) -> Iterator[DayFault]:
    for name in names:
        repaired = int((record.repaired >> SERIES.index(name) & 1).sum())
        if repaired > MOST_REPAIRED * record.repaired.size:
            yield DayFault.of("repaired", series=name, known=repaired, slots=record.repaired.size)


def _find_beyond_house(record: DayRecord, site: Site) -> Iterator[DayFault]:
    """Yield that submetered loads use more than the house they are taken off, by more than meters
    err and coarse counters lag.
    """
    series = record.series
    beyond = np.nan_to_num(series["beyond_house_kwh"])
    devices = {name: np.nan_to_num(series[name]) for name in SUBMETERED}
    blocks = np.arange(0, beyond.size, BALANCE_SLOTS)
    missing, used = (
        np.add.reduceat(kwh, blocks)
        for kwh in (beyond - np.nan_to_num(series["load_kwh"]), np.sum([*devices.values()], axis=0))
    )
    if missing[missing > 0].sum() <= max(
        UNEXPLAINED_KWH, MOST_UNEXPLAINED * float(used[missing > 0].sum())
    ):
        return
    wrong = (missing > 0)[np.arange(beyond.size) // BALANCE_SLOTS] & (beyond > 0)
    device = max(devices, key=lambda name: float(devices[name][wrong].sum()))
    has_meter = (
        site.input_sensors.total_load_consumption or not site.input_sensors.total_grid_import
    )
    code = "devices_beyond_house" if has_meter else "devices_beyond_grid"
    yield DayFault.of(
        code,
        series=device,
        open=float(beyond[wrong].sum()),
        known=int(wrong.sum()),
        slots=beyond.size,
    )
