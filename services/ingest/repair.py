"""Repair of stored history: finds gaps, fills short ones and missing prices.

Every change is recorded.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from luna.contracts.history_care import (
    FindGapsRequest,
    GapsReply,
    RepairedSeries,
    RepairReply,
    SeriesGap,
)
from luna.energy.observations import SERIES
from luna.energy.refusals import refuse
from luna.energy.resolution import kind_of
from luna.energy.timeline import SLOT, SLOT_HOURS, FloatArray, InstantArray, Timeline, floor_to
from luna.platform.database import (
    history_changes,
    observations,
    prices,
    quality,
    recorded_span,
    sites,
)
from luna.platform.database.history_changes import Rule
from luna.platform.paging import read_number, write_cursor
from services.ingest.day_reader import StoredDays, read_days
from services.ingest.metering.column_sensors import ROLES
from services.ingest.metering.power import read_power
from services.ingest.metering.rejection import Readings, Refusals
from services.ingest.metering.slot_energy import energy_per_slot
from services.ingest.metering.spans import Spans
from services.ingest.plausible_powers import limit_powers
from services.ingest.price_repair import BACKWARD, FORWARD, repair_prices
from services.ingest.quality_service import judge_days

GAP_FILLED = "short gap filled"


@dataclass(frozen=True, slots=True)
class SlotSeries:
    """Energies of consecutive slots, with the highest plausible power.

    ``kwh`` is NaN where unknown.
    """

    name: str
    starts: InstantArray
    kwh: FloatArray
    limit_kw: float


def fill_short_gaps(series: SlotSeries) -> NDArray[np.float64]:
    """Return energies for unknown slots in short gaps between known ones, NaN everywhere else.

    Each known slot's mean power counts as a reading at its start that holds until the next one, up
    to the longest gap of a power's readings.

    Invariants: known slots are unchanged; a second run fills nothing.
    """
    finite = np.isfinite(series.kwh)
    if finite.sum() < 2:
        return np.full(series.kwh.size, np.nan)
    end = series.starts[-1:] + np.timedelta64(SLOT)
    edges = np.append(series.starts, end).astype("datetime64[us]")
    power = Readings(
        sensor=series.name,
        unit="kW",
        factor=1.0,
        instants=edges[:-1][finite],
        values=series.kwh[finite] / SLOT_HOURS,
    )
    # Stored values were validated on load: skip the plausibility checks.
    released = {series.name: Spans(edges[:1], edges[-1:])}
    curve = read_power(power, series.limit_kw, Refusals(released), reverse_kw=series.limit_kw)
    bridged = energy_per_slot(curve, edges, np.zeros(series.kwh.size, dtype=np.bool_))
    return np.where(finite, np.nan, bridged.values)


# The longest filled gap, so that gaps across the window's ends are seen.
MARGIN_SLOTS = 8
ENERGIES = tuple(name for name in SERIES if kind_of(name) == "energy")
Days = tuple[date, date]


@dataclass(frozen=True, slots=True)
class Gap:
    """A run of unknown slots of a series: first and last start, and their number."""

    series: str
    first: datetime
    last: datetime
    slots: int


@dataclass(frozen=True, slots=True)
class Repair:
    """Repaired values of a series on a local day by one rule."""

    series: str
    day: date
    rule: str
    starts: InstantArray
    values: FloatArray


def repair_days(
    connection: Connection, site_id: str, days: Days, *, now: datetime, dry_run: bool = False
) -> list[Repair]:
    """Fill missing prices recorded as zero, and short gaps of energies loaded as slots.

    Record each change and judge its day again.

    Args:
        dry_run: return the repairs and change nothing.

    Raises:
        NotFoundError: no such site.
        InvalidInputError: the window is reversed.

    Invariants: idempotent.
    """
    site = sites.load(connection, site_id)
    repairs: list[Repair] = []
    for stored in read_days(connection, site, *days):
        for repair in _find_repairs(connection, stored):
            if repair.starts.size:
                repairs.append(repair)
    if dry_run or not repairs:
        return repairs
    for repair in repairs:
        values = {repair.series: repair.values}
        history_changes.write_observations(
            connection, site_id, repair.starts, values, rule=Rule(repair.rule)
        )
        if repair.rule == GAP_FILLED:
            quality.mark_repaired(connection, site_id, repair.series, repair.starts)
    repaired_days = [repair.day for repair in repairs]
    judge_days(connection, site_id, min(repaired_days), max(repaired_days), now=now)
    return repairs


def find_gaps(connection: Connection, site_id: str, first: datetime, end: datetime) -> list[Gap]:
    """Return the gaps from ``first`` on, before ``end``, by series, then time.

    Series are those with a sensor, a market or any stored value.

    Raises:
        NotFoundError: no such site.
        InvalidInputError: the window is empty.
    """
    if end <= first:
        raise refuse("ends-before-start", field="to", value=end.isoformat())
    start = floor_to(first, SLOT)
    timeline = Timeline(start, SLOT, -((start - end) // SLOT))
    site = sites.load(connection, site_id)
    spans = recorded_span.of_series(connection, site_id)
    named = {series for series, role in ROLES.items() if getattr(site.input_sensors, role)}
    candidates = dict.fromkeys((*SERIES, *ROLES, *observations.PRICES))
    names = tuple(name for name in candidates if name in spans or name in named)
    series = observations.read_series(connection, site_id, timeline, names) if names else {}
    for market in site.tariff.markets:
        series[history_changes.name_market(market)] = prices.read(
            connection, market, timeline, currency=site.currency
        )
    gaps = []
    for name, values in series.items():
        is_missing = np.isnan(values).astype(np.int8)
        edges = np.flatnonzero(np.diff(is_missing, prepend=0, append=0))
        for begin, until in edges.reshape(-1, 2).tolist():
            last = start + (until - 1) * SLOT
            gaps.append(Gap(name, start + begin * SLOT, last, until - begin))
    return gaps


def tell_gaps(request: FindGapsRequest, gaps: Sequence[Gap]) -> GapsReply:
    """Return the requested page of gaps."""
    begin = max(read_number(request.cursor) or 0, 0)
    end = len(gaps) if request.limit is None else begin + request.limit
    page = [
        SeriesGap(series=gap.series, first=gap.first, last=gap.last, slots=gap.slots)
        for gap in gaps[begin:end]
    ]
    cursor = write_cursor((end,)) if end < len(gaps) else None
    return GapsReply(site_id=request.site_id, gaps=page, cursor=cursor)


def tell_repairs(site_id: str, repairs: Sequence[Repair], *, dry_run: bool) -> RepairReply:
    """Return the reply to a repair request."""
    repaired = []
    for repair in repairs:
        slots = int(repair.starts.size)
        repaired.append(
            RepairedSeries(series=repair.series, day=repair.day, rule=repair.rule, slots=slots)
        )
    total = sum(series.slots for series in repaired)
    return RepairReply(site_id=site_id, dry_run=dry_run, slots=total, repairs=repaired)


def _find_repairs(connection: Connection, stored: StoredDays) -> Iterator[Repair]:
    # Only series without a sensor: gaps between readings are filled when slots are built.
    names = tuple(name for name in ENERGIES if not getattr(stored.site.input_sensors, ROLES[name]))
    wide = Timeline(
        stored.timeline.start - MARGIN_SLOTS * SLOT, SLOT, stored.timeline.count + 2 * MARGIN_SLOTS
    )
    series = observations.read_series(connection, stored.site.name, wide, names) if names else {}
    limits = limit_powers(stored.site)
    filled = {}
    for name, kwh in series.items():
        values = fill_short_gaps(SlotSeries(name, wide.starts, kwh, limits[name]))
        filled[name] = values[MARGIN_SLOTS:-MARGIN_SLOTS]
    for day, slots, place in stored:
        for name, record in stored.prices.items():
            repaired = repair_prices(record.on(place))
            for chosen, rule in ((repaired.forward, FORWARD), (repaired.backward, BACKWARD)):
                yield Repair(
                    series=name,
                    day=day,
                    rule=rule,
                    starts=slots.starts[chosen],
                    values=repaired.price[chosen],
                )
        for name, values in filled.items():
            chosen = np.isfinite(values[place])
            yield Repair(
                series=name,
                day=day,
                rule=GAP_FILLED,
                starts=slots.starts[chosen],
                values=values[place][chosen],
            )
