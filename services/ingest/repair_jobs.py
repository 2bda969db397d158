"""Gaps found and prices repaired: fetch, call, store with the changes told."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
from sqlalchemy import Connection

from luna.database import history_changes, observations, quality, sites
from luna.database.history_changes import Rule
from luna.errors import InvalidInputError
from luna.observations import SERIES
from luna.timeline import SLOT, FloatArray, InstantArray, Timeline, floor_to
from services.ingest.price_repair import BACKWARD, FORWARD, RepairedPrices, repair_prices
from services.ingest.stored_days import StoredDays, read_days


@dataclass(frozen=True, slots=True)
class Gap:
    """Slots in a row in which a series is unknown: the first, the last, and how many."""

    series: str
    first: datetime
    last: datetime
    slots: int


@dataclass(frozen=True, slots=True)
class PriceRepair:
    """A price column on a local day, its slots, and what the repair makes of them."""

    series: str
    day: date
    starts: InstantArray
    repaired: RepairedPrices


def repair_site_prices(connection: Connection, site_id: str, first: date, last: date, *, dry_run: bool = False) -> list[PriceRepair]:
    """Fill zero prices that stand for missing ones on the local days from ``first`` to ``last``, and tell each change.

    Args:
        dry_run: say what would be done and change nothing.

    Raises:
        NotFoundError: no such site.
        InvalidInputError: the window ends before it begins.

    Invariants: repairing twice is repairing once.
    """
    repairs = [repair for stored in read_days(connection, sites.load(connection, site_id), first, last) for repair in _find_repairs(stored)]
    for repair in [] if dry_run else repairs:
        _store(connection, site_id, repair)
    return repairs


def find_gaps(connection: Connection, site_id: str, first: datetime, end: datetime) -> list[Gap]:
    """Return the gaps from ``first`` on, before ``end``, of every series and price that the site ever knew; by series, then time.

    Raises:
        NotFoundError: no such site.
        InvalidInputError: the window is empty.
    """
    if end <= first:
        raise InvalidInputError("the window is empty", field="to", value=end.isoformat(), remedy="Let it end after it begins.")
    start = floor_to(first, SLOT)
    timeline = Timeline(start, SLOT, -((start - end) // SLOT))
    spans = quality.read_spans(connection, site_id)
    names = tuple(name for name in (*SERIES, *observations.PRICES) if name in spans)
    series = observations.read_series(connection, site_id, timeline, names) if names else {}
    return [gap for name, values in series.items() for gap in _gaps(name, values, timeline)]


def _find_repairs(stored: StoredDays) -> Iterator[PriceRepair]:
    for day, slots, place in stored:
        found = {name: repair_prices(record.on(place)) for name, record in stored.prices.items()}
        yield from (PriceRepair(name, day, slots.starts, repaired) for name, repaired in found.items() if repaired.slots)


def _store(connection: Connection, site_id: str, repair: PriceRepair) -> None:
    repaired = repair.repaired
    for filled, rule in ((repaired.forward, FORWARD), (repaired.backward, BACKWARD)):
        history_changes.write_observations(connection, site_id, repair.starts[filled], {repair.series: repaired.price[filled]}, rule=Rule(rule))


def _gaps(name: str, values: FloatArray, timeline: Timeline) -> Iterator[Gap]:
    edges = np.flatnonzero(np.diff(np.isnan(values).astype(np.int8), prepend=0, append=0))
    for begin, end in edges.reshape(-1, 2).tolist():
        yield Gap(name, timeline.start + begin * SLOT, timeline.start + (end - 1) * SLOT, end - begin)
