"""Lets a refused row in by hand: it is judged as any other, but for the rule that refused it."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from math import inf

import polars as pl
from sqlalchemy import Connection

from luna.contracts.data import BuildSlotsRequest, QuarantinedRow, ResolveReply, ResolveRequest
from luna.energy.refusals import refuse
from luna.energy.row_fault import TOO_HIGH, RowFault
from luna.energy.site import Site
from luna.energy.timeline import SLOT, parse_instant, parse_zone, to_utc
from luna.platform.database import history_changes, quarantine, sites
from luna.platform.database.history_changes import Rule
from luna.words.quarantine import say_row_fault
from services.ingest.file_row_writer import columns_of, store, store_spot_prices
from services.ingest.file_schema import FileSchema, kind_named
from services.ingest.file_slots import (
    MINUTE,
    set_aside_impossible,
    set_aside_off_grid,
    to_quarter_hours,
)
from services.ingest.file_units import set_aside_unknown_units
from services.ingest.instants import InstantReader
from services.ingest.metering.column_sensors import sensor_names
from services.ingest.metering.spans import LONGEST_GAP_HOURS
from services.ingest.plausible_powers import limit_powers
from services.ingest.quality_service import judge_slots
from services.ingest.rebuild import REBUILT
from services.ingest.slot_builder import build_site_slots
from services.ingest.validation import ESTIMATED, judge, take_refused


def read_admitted(row: QuarantinedRow, site: Site) -> pl.DataFrame:
    """Return the quarter-hours or the reading of a released or corrected row.

    Args:
        row: with ``corrected`` values those count, and every rule holds; without, the rule that
            refused the row does not.

    Raises:
        InvalidInputError: it breaks another rule, or one that nothing can be stored without: a
            readable time on the grid, a number, no energy below zero, a unit that there is.
    """
    kind = kind_named(row.kind).in_currency(site.currency)
    refused_by = None if row.corrected else row.fault
    # The row as one that was just read: Luna's columns, as text.
    corrected = row.corrected or {}
    strangers = sorted(set(corrected) - set(kind.columns))
    if strangers:
        raise refuse(
            "unknown-name",
            field=f"values.{strangers[0]}",
            names=tuple(kind.columns),
            thing="column",
        )
    cells = row.raw | corrected
    # The instant as it was read; a time written by hand counts for itself.
    cells[kind.time] = corrected.get(kind.time) or row.raw.get("instant") or cells.get(kind.time)
    columns = [pl.Series("line", [row.line])]
    for name in kind.columns:
        if name in cells:
            text = None if cells[name] is None else str(cells[name])
            columns.append(pl.Series(name, [text], dtype=pl.String))
    rows = pl.DataFrame(columns)
    lifted = _lift_rule(kind, refused_by)
    verdict = judge(rows, lifted, InstantReader(parse_zone(site.timezone)))
    _require(verdict.rejected, row)
    rows, refused = take_refused(verdict.accepted)
    _require(refused, row)
    if kind.sampled:
        rows, unknown = set_aside_unknown_units(rows, site)
        _require(unknown, row)
        return rows
    limits = limit_powers(site)
    if refused_by is not None and refused_by.series and refused_by.code in TOO_HIGH:
        limits.pop(refused_by.series, None)
    minutes = int(row.raw.get("step_minutes") or SLOT // MINUTE)
    keys = _present(kind.keys, rows)
    values = _present(kind.series, rows)
    rows, off_grid = set_aside_off_grid(rows, minutes * MINUTE)
    _require(off_grid, row)
    rows, impossible = set_aside_impossible(rows, limits, minutes * MINUTE)
    _require(impossible, row)
    rows, refused = take_refused(rows)
    _require(refused, row)
    slots = to_quarter_hours(rows, minutes * MINUTE, keys=keys, values=values)
    if not slots.height:
        raise refuse(
            "row-too-short", field="quarantine_id", value=row.quarantine_id, minutes=minutes
        )
    return slots


def _lift_rule(kind: FileSchema, refused_by: RowFault | None) -> FileSchema:
    """Return the kind without the rule that refused a row.

    An energy below zero and a fraction above one are no values at all, so those bounds stay.
    """
    if refused_by == ESTIMATED:
        return replace(kind, shares=())
    if refused_by is None or refused_by.code not in {"below", *TOO_HIGH}:
        return kind
    name = refused_by.series
    if name is None or name not in kind.series:
        return kind
    bounds = kind.series[name]
    lowest = 0.0 if bounds.lowest == 0 else -inf
    highest = 1.0 if bounds.highest == 1 else inf
    lifted = replace(bounds, lowest=lowest, highest=highest)
    return replace(kind, series={**kind.series, name: lifted})


def _present(names: Iterable[str], rows: pl.DataFrame) -> list[str]:
    return [name for name in names if name in rows.columns]


def read_let_in(rows: Sequence[QuarantinedRow], site: Site) -> pl.DataFrame | None:
    """Return the contents of one source's rows that a person let in, if any.

    Of several for one slot the last counts.
    """
    if not rows:
        return None
    kind = kind_named(rows[0].kind)
    admitted = pl.concat([read_admitted(row, site) for row in rows], how="diagonal")
    keys = ["instant", *_present(kind.keys, admitted)]
    values = _present(kind.series, admitted)
    return admitted.select(*keys, *values).unique(keys, keep="last", maintain_order=True)


def overrule(rows: pl.DataFrame, let_in: pl.DataFrame | None, kind: FileSchema) -> pl.DataFrame:
    """Return a file's rows with the values that a person let in for the same times.

    A person's decision about a contradiction holds against the file.
    """
    if let_in is None:
        return rows
    shared = _present(rows.columns, let_in)
    keys = [name for name in ("instant", *kind.keys) if name in shared]
    values = [name for name in kind.series if name in shared]
    return rows.update(let_in.select(*keys, *values), on=keys, how="left")


def _require(refused: pl.DataFrame, row: QuarantinedRow) -> None:
    if refused.height:
        fault = RowFault.parse(refused["fault"][0])
        raise refuse(
            "row-not-let-in",
            field="quarantine_id",
            value=row.quarantine_id,
            why=fault,
            reason=say_row_fault(fault),
            quarantine_id=row.quarantine_id,
        )


LONGEST_GAP = timedelta(hours=LONGEST_GAP_HOURS)


def resolve_row(connection: Connection, request: ResolveRequest, *, now: datetime) -> ResolveReply:
    """Let a refused row in as it is or as corrected, or leave it out for good.

    The decision is stored with the row.

    Raises:
        NotFoundError: no such row.
        ConflictError: somebody decided already.
        InvalidInputError: it cannot be let in: it breaks a rule other than the one that refused it.
    """
    site_id, row = quarantine.hold(connection, request.quarantine_id)
    changed = 0
    if row.source == REBUILT:
        # A day that stayed as it was stored is made of readings.
        if request.resolution == "corrected":
            raise refuse("built-day-not-corrected", field="values")
    elif request.resolution != "dismissed":
        rule = Rule(f"{request.resolution} by hand from quarantine {row.quarantine_id}")
        corrected = row.model_copy(update={"corrected": request.values or None})
        site = sites.load(connection, site_id)
        changed = _let_in(connection, site, corrected, rule=rule, now=now)
    resolved = quarantine.resolve(
        connection,
        row.quarantine_id,
        request.resolution,
        corrected=request.values or None,
        at=now,
        by=request.by,
    )
    if row.source == REBUILT and request.resolution == "released":
        first = datetime.fromisoformat(row.raw["instant"])
        end = datetime.fromisoformat(row.raw["until"])
        build = BuildSlotsRequest(site_id=site_id, first=first, end=end, accept=True)
        changed = build_site_slots(connection, build, now=now).slots_written
    elif row.kind == "readings" and request.resolution != "dismissed":
        site = sites.load(connection, site_id)
        cells = resolved.raw | (resolved.corrected or {})
        zone = parse_zone(site.timezone)
        if cells.get("sensor") in sensor_names(site):
            # A reading holds, or is spread, over a gap at most: the slots that rest on it are built
            # again.
            begun = str(cells["instant"])
            ended = str(cells.get("until") or begun)
            first = parse_instant(begun, field="instant", zone=zone)
            last = parse_instant(ended, field="until", zone=zone)
            build = BuildSlotsRequest(
                site_id=site.name,
                first=first - LONGEST_GAP,
                end=max(first, last) + LONGEST_GAP,
                accept=True,
            )
            changed = build_site_slots(connection, build, now=now).slots_written
    return ResolveReply(row=resolved, slots_changed=changed)


def _let_in(
    connection: Connection, site: Site, row: QuarantinedRow, *, rule: Rule, now: datetime
) -> int:
    # An entry may stand for neighbouring readings: one value does not replace many.
    readings = row.raw.get("readings", 1)
    if row.corrected and readings > 1:
        raise refuse("entry-of-readings", field="values", count=readings)
    kind = kind_named(row.kind)
    rows = read_admitted(row, site)
    starts, values = columns_of(kind, rows)
    if kind.name not in {"observations", "prices"}:
        store(connection, site, kind, rows)
        return 0
    if "spot_price" in values:
        changed = store_spot_prices(connection, site, rows, rule=rule).changed
    else:
        changed = history_changes.write_observations(
            connection, site.name, starts, values, rule=rule
        )
    judge_slots(connection, site, to_utc(starts.min()), to_utc(starts.max()) + SLOT, now=now)
    return changed
