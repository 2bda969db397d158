"""Stores owners' manual blocks, which force or forbid a device; append-only with removals."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, Select, func, select
from sqlalchemy.dialects.postgresql import insert

from luna.contracts.owner import ManualBlock, StoredBlock
from luna.contracts.owner_constraints import check_beside, check_block
from luna.energy.refusals import refuse
from luna.platform.database import plan_causes, sites
from luna.platform.database.schema.plans import manual_blocks, manual_removals

MOST_BLOCKS = 500
_RUNS = ("on", "charge")


def add(
    connection: Connection, site_id: str, block: ManualBlock, *, by: str, now: datetime
) -> StoredBlock:
    """Store a block; an identical one is returned instead.

    Raises:
        NotFoundError: no such site.
        InvalidInputError: the site cannot follow it, or it contradicts another block.
    """
    site = sites.load(connection, site_id)
    check_block(block, site, now=now)
    standing = read_standing(connection, site_id, first=block.from_, end=block.to)
    compared = ("device", "action", "from_", "to", "power_kw")
    for stored in standing:
        if all(getattr(stored, name) == getattr(block, name) for name in compared):
            return stored
    check_beside(block, standing, ZoneInfo(site.timezone))
    row: dict[str, Any] = {
        "site_key": sites.key_of(connection, site_id),
        "device": block.device,
        "action": block.action,
        "starts_at": block.from_,
        "ends_at": block.to,
        "power_kw": block.power_kw,
        "added_by": by,
    }
    added = connection.scalar(insert(manual_blocks).values(row).returning(manual_blocks.c.block_id))
    plan_causes.note(connection, [row["site_key"]], "block")
    return _load(connection, site_id, manual_blocks.c.block_id == added)[0]


def remove(connection: Connection, site_id: str, block_id: int, *, by: str) -> StoredBlock:
    """Remove a block; one that was removed before is returned unchanged.

    Raises:
        NotFoundError: the site has no such block.
    """
    is_block = manual_blocks.c.block_id == block_id
    if not _load(connection, site_id, is_block):
        raise refuse(
            "not-found",
            field="block_id",
            value=block_id,
            thing="block",
            source=f"the list: luna manual list --site {site_id}",
        )
    connection.execute(
        insert(manual_removals).values(block_id=block_id, removed_by=by).on_conflict_do_nothing()
    )
    plan_causes.note(connection, [sites.key_of(connection, site_id)], "block")
    return _load(connection, site_id, is_block)[0]


def read_standing(
    connection: Connection, site_id: str, *, first: datetime, end: datetime | None = None
) -> list[StoredBlock]:
    """Return the blocks that end after ``first`` and begin before ``end``, by start."""
    ahead = manual_blocks.c.ends_at > first
    within = ahead if end is None else ahead & (manual_blocks.c.starts_at < end)
    return _load(connection, site_id, within & manual_removals.c.removed_at.is_(None))


def read_plain_each(
    connection: Connection, keys: Collection[int], *, first: datetime, end: datetime
) -> dict[int, list[ManualBlock]]:
    """Return the blocks that overlap ``first`` to ``end``, by site key, without empty sites.

    They have the form of a plan's request.
    """
    standing = (
        (manual_blocks.c.ends_at > first)
        & (manual_blocks.c.starts_at < end)
        & manual_removals.c.removed_at.is_(None)
    )
    rows = connection.execute(
        _select()
        .where(manual_blocks.c.site_key.in_(keys), standing)
        .order_by(manual_blocks.c.starts_at, manual_blocks.c.block_id)
    )
    blocks_by_key: dict[int, list[ManualBlock]] = {}
    for row in rows.mappings():
        blocks_by_key.setdefault(row["site_key"], []).append(
            ManualBlock.model_validate(
                _block(row).model_dump(include=set(ManualBlock.model_fields))
            )
        )
    return {key: blocks[-MOST_BLOCKS:] for key, blocks in blocks_by_key.items()}


def read_runs_each(
    connection: Connection, keys: Collection[int], *, first: datetime, end: datetime
) -> dict[int, list[StoredBlock]]:
    """Return the blocks that ran devices in ``first`` ≤ t < ``end``, by sites' keys.

    A removed block ends at its removal; one that was removed before its start ran nothing.
    """
    rows = connection.execute(
        _select().where(
            manual_blocks.c.site_key.in_(keys),
            manual_blocks.c.action.in_(_RUNS),
            manual_blocks.c.starts_at < end,
            func.least(manual_blocks.c.ends_at, manual_removals.c.removed_at)
            > func.greatest(manual_blocks.c.starts_at, first),
        )
    )
    blocks_by_key: dict[int, list[StoredBlock]] = {}
    for row in rows.mappings():
        block = _block(row)
        ran_until = min(block.to, block.removed_at or block.to)
        blocks = blocks_by_key.setdefault(row["site_key"], [])
        blocks.append(block.model_copy(update={"to": ran_until}))
    return blocks_by_key


def read_history(connection: Connection, site_id: str) -> list[StoredBlock]:
    """Return all blocks of a site by start, the latest ``MOST_BLOCKS``."""
    return _load(connection, site_id, manual_blocks.c.block_id > 0)


def _load(connection: Connection, site_id: str, where: ColumnElement[bool]) -> list[StoredBlock]:
    of_site = manual_blocks.c.site_key == sites.key_of(connection, site_id)
    latest = (
        _select()
        .where(of_site & where)
        .order_by(manual_blocks.c.starts_at.desc(), manual_blocks.c.block_id.desc())
        .limit(MOST_BLOCKS)
    )
    return [_block(row) for row in reversed(connection.execute(latest).mappings().all())]


def _select() -> Select[Any]:
    removal = (manual_removals.c.removed_at, manual_removals.c.removed_by)
    return select(manual_blocks, *removal).outerjoin(
        manual_removals, manual_removals.c.block_id == manual_blocks.c.block_id
    )


def _block(row: Mapping[Any, Any]) -> StoredBlock:
    names = (
        "block_id",
        "device",
        "action",
        "power_kw",
        "added_at",
        "added_by",
        "removed_at",
        "removed_by",
    )
    return StoredBlock.model_validate(
        {name: row[name] for name in names} | {"from": row["starts_at"], "to": row["ends_at"]}
    )
