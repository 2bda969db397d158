"""What a person decides about a refused row, carried out: fetch, judge, store with the changes told."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
from sqlalchemy import Connection

from luna.contracts.quarantine import QuarantinedRow, ResolveReply, ResolveRequest
from luna.contracts.slots import BuildSlotsRequest
from luna.database import history_changes, prices, quarantine, sites
from luna.database.history_changes import Revision, Rule
from luna.errors import InvalidInputError
from luna.site import Site
from luna.timeline import SLOT, Timeline, parse_instant, parse_zone
from services.ingest.admission import read_admitted
from services.ingest.kinds import kind_named
from services.ingest.metering.columns import sensor_names
from services.ingest.metering.spans import LONGEST_GAP_HOURS
from services.ingest.quality_jobs import judge_slots
from services.ingest.sinks import columns_of, find_market, store
from services.ingest.slot_jobs import build_site_slots

LONGEST_GAP = timedelta(hours=LONGEST_GAP_HOURS)


def resolve_row(connection: Connection, request: ResolveRequest, *, now: datetime) -> ResolveReply:
    """Let a refused row in as it is or as corrected, or leave it out for good; what was decided is kept with it.

    Raises:
        NotFoundError: no such row.
        ConflictError: somebody decided already.
        InvalidInputError: it cannot be let in: it breaks a rule other than the one that refused it.
    """
    site_id, row = quarantine.hold(connection, request.quarantine_id)
    changed = 0
    if request.resolution != "dismissed":
        rule = Rule(f"{request.resolution} by hand from quarantine {row.quarantine_id}")
        changed = _let_in(connection, sites.load(connection, site_id), row.model_copy(update={"corrected": request.values or None}), rule=rule, now=now)
    resolved = quarantine.resolve(connection, row.quarantine_id, request.resolution, corrected=request.values or None, at=now)
    if row.kind == "readings" and request.resolution != "dismissed":
        changed = _build_around(connection, sites.load(connection, site_id), resolved, now=now)
    return ResolveReply(row=resolved, slots_changed=changed)


def _build_around(connection: Connection, site: Site, row: QuarantinedRow, *, now: datetime) -> int:
    """Build the slots again that rest on a reading; returns how many changed."""
    said, zone = row.raw | (row.corrected or {}), parse_zone(site.timezone)
    if said.get("sensor") not in sensor_names(site):
        return 0
    first, last = (parse_instant(str(said.get(name) or said["instant"]), field=name, zone=zone) for name in ("instant", "until"))
    # What a reading says holds, or is spread, over a gap at most.
    request = BuildSlotsRequest(site_id=site.name, first=first - LONGEST_GAP, end=max(first, last) + LONGEST_GAP)
    return build_site_slots(connection, request, now=now).slots_written


def _let_in(connection: Connection, site: Site, row: QuarantinedRow, *, rule: Rule, now: datetime) -> int:
    _require_one(row)
    kind, rows = kind_named(row.kind), read_admitted(row, site)
    starts, values = columns_of(kind, rows)
    if kind.name not in {"observations", "prices"}:
        store(connection, site, kind, rows)
        return 0
    if "spot_price" in values:
        changed = _write_spot_prices(connection, site, rows, rule=rule)
    else:
        changed = history_changes.write_observations(connection, site.name, starts, values, rule=rule)
    first, last = (extreme.astype("datetime64[us]").astype(datetime).replace(tzinfo=UTC) for extreme in (starts.min(), starts.max()))
    judge_slots(connection, site.name, first, last + SLOT, now=now)
    return changed


def _require_one(row: QuarantinedRow) -> None:
    """Refuse to put one value in the place of many: an entry may stand for neighbouring readings."""
    readings = row.raw.get("readings", 1)
    if row.corrected and readings > 1:
        remedy = "Release or dismiss them, or load the right readings: luna data load FILE --kind readings."
        raise InvalidInputError(f"the entry stands for {readings} readings, which no single value corrects", field="values", remedy=remedy)


def _write_spot_prices(connection: Connection, site: Site, rows: pl.DataFrame, *, rule: Rule) -> int:
    market, kind = find_market(site), kind_named("prices")
    starts, _ = columns_of(kind, rows)
    first = starts.min().astype("datetime64[us]").astype(datetime).replace(tzinfo=UTC)
    slots = Timeline(first, SLOT, int((starts.max() - starts.min()) / np.timedelta64(SLOT)) + 1)
    before = prices.read(connection, market, slots)
    store(connection, site, kind, rows)
    revision = Revision(f"market_prices:{market}", slots.starts, before, prices.read(connection, market, slots))
    return history_changes.record(connection, site.name, revision, rule=rule)
