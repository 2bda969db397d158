"""A refused row let in by hand.

It is read and judged as any other, but for the rule that refused it.

Pure.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import inf

import polars as pl
from sqlalchemy import Connection

from luna.contracts.data import BuildSlotsRequest, QuarantinedRow, ResolveReply, ResolveRequest
from luna.energy.refusals import refuse
from luna.energy.row_fault import TOO_HIGH, RowFault
from luna.energy.site import Site
from luna.energy.timeline import SLOT, parse_instant, parse_zone
from luna.platform.database import history_changes, quarantine, sites
from luna.platform.database.history_changes import Rule
from services.ingest.file_schema import FileSchema, kind_named
from services.ingest.file_slots import (
    MINUTE,
    set_aside_impossible,
    set_aside_off_grid,
    to_quarter_hours,
)
from services.ingest.instants import InstantReader
from services.ingest.limits import limit_powers
from services.ingest.metering.columns import sensor_names
from services.ingest.metering.spans import LONGEST_GAP_HOURS
from services.ingest.quality_service import judge_slots
from services.ingest.rebuild import REBUILT
from services.ingest.row_store import columns_of, store, store_spot_prices
from services.ingest.slot_service import build_site_slots
from services.ingest.units import set_aside_unknown_units
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
            "value-unknown-column",
            field=f"values.{strangers[0]}",
            kind=row.kind,
            columns=tuple(kind.columns),
        )
    cells = row.raw | corrected
    # The instant as it was read; a time written by hand counts for itself.
    cells[kind.time] = corrected.get(kind.time) or row.raw.get("instant") or cells.get(kind.time)
    texts = {
        name: None if cells[name] is None else str(cells[name])
        for name in kind.columns
        if name in cells
    }
    rows = pl.DataFrame(
        {"line": [row.line], **{name: [text] for name, text in texts.items()}},
        schema_overrides=dict.fromkeys(texts, pl.String),
    )
    # The kind without what refused the row, its bounds or that it is estimated; an energy below
    # zero and a fraction above one are no values at all.
    series = dict(kind.series)
    if (
        refused_by is not None
        and refused_by.series in series
        and refused_by.code in {"below", *TOO_HIGH}
    ):
        bounds = series[refused_by.series]
        series[refused_by.series] = replace(
            bounds,
            lowest=0.0 if bounds.lowest == 0 else -inf,
            highest=1.0 if bounds.highest == 1 else inf,
        )
    lifted = replace(kind, series=series, shares=() if refused_by == ESTIMATED else kind.shares)
    verdict = judge(rows, lifted, InstantReader(parse_zone(site.timezone)))
    _require(verdict.rejected, row)
    rows, refused = take_refused(verdict.accepted)
    _require(refused, row)
    if kind.sampled:
        rows, unknown = set_aside_unknown_units(rows, site)
        _require(unknown, row)
        return rows
    too_high = refused_by.series if refused_by is not None and refused_by.code in TOO_HIGH else None
    limits = {name: limit for name, limit in limit_powers(site).items() if name != too_high}
    minutes = int(row.raw.get("step_minutes") or SLOT // MINUTE)
    keys, values = (
        [name for name in names if name in rows.columns] for names in (kind.keys, kind.series)
    )
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


def read_let_in(rows: Sequence[QuarantinedRow], site: Site) -> pl.DataFrame | None:
    """Return the contents of one source's rows that a person let in, if any.

    Of several for one slot the last counts.
    """
    if not rows:
        return None
    kind = kind_named(rows[0].kind)
    admitted = pl.concat([read_admitted(row, site) for row in rows], how="diagonal")
    keys = ["instant", *(name for name in kind.keys if name in admitted.columns)]
    return admitted.select(
        *keys, *(name for name in kind.series if name in admitted.columns)
    ).unique(keys, keep="last", maintain_order=True)


def overrule(rows: pl.DataFrame, let_in: pl.DataFrame | None, kind: FileSchema) -> pl.DataFrame:
    """Return a file's rows with the values that a person let in for the same times.

    A person's decision about a contradiction holds against the file.
    """
    if let_in is None:
        return rows
    keys = [
        name for name in ("instant", *kind.keys) if name in rows.columns and name in let_in.columns
    ]
    return rows.update(
        let_in.select(
            *keys,
            *(name for name in kind.series if name in rows.columns and name in let_in.columns),
        ),
        on=keys,
        how="left",
    )


def _require(refused: pl.DataFrame, row: QuarantinedRow) -> None:
    if refused.height:
        why = RowFault.parse(refused["fault"][0])
        raise refuse(
            "row-not-let-in",
            field="quarantine_id",
            value=row.quarantine_id,
            why=why,
            quarantine_id=row.quarantine_id,
        )


LONGEST_GAP = timedelta(hours=LONGEST_GAP_HOURS)


def resolve_row(connection: Connection, request: ResolveRequest, *, now: datetime) -> ResolveReply:
    """Let a refused row in as it is or as corrected, or leave it out for good.

    What was decided is kept with it.

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
        changed = _let_in(
            connection,
            sites.load(connection, site_id),
            row.model_copy(update={"corrected": request.values or None}),
            rule=rule,
            now=now,
        )
    resolved = quarantine.resolve(
        connection,
        row.quarantine_id,
        request.resolution,
        corrected=request.values or None,
        at=now,
        by=request.by,
    )
    if row.source == REBUILT and request.resolution == "released":
        first, end = (datetime.fromisoformat(row.raw[name]) for name in ("instant", "until"))
        changed = build_site_slots(
            connection,
            BuildSlotsRequest(site_id=site_id, first=first, end=end, accept=True),
            now=now,
        ).slots_written
    elif row.kind == "readings" and request.resolution != "dismissed":
        site = sites.load(connection, site_id)
        cells = resolved.raw | (resolved.corrected or {})
        zone = parse_zone(site.timezone)
        if cells.get("sensor") in sensor_names(site):
            # A reading holds, or is spread, over a gap at most: the slots that rest on it are built
            # again.
            first, last = (
                parse_instant(str(cells.get(name) or cells["instant"]), field=name, zone=zone)
                for name in ("instant", "until")
            )
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
    first, last = (
        extreme.astype("datetime64[us]").astype(datetime).replace(tzinfo=UTC)
        for extreme in (starts.min(), starts.max())
    )
    judge_slots(connection, site, first, last + SLOT, now=now)
    return changed
