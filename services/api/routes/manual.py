"""What owners pin and forbid in the plans of a site."""

from typing import Annotated

from fastapi import Path, Query
from pydantic import Field

from luna.contracts.message import Message
from luna.contracts.owner import ManualBlock, StoredBlock
from luna.energy.errors import ConflictError
from luna.platform.clock import SystemClock
from luna.platform.database import manual_blocks
from luna.platform.database.engine import unit_of_work
from services.api.gateway import CurrentGateway
from services.api.identity.caller import Signature
from services.api.problems import document_errors
from services.api.routing import ResourceRouter, SitePath

router = ResourceRouter("manual blocks")


class BlockList(Message):
    """Blocks in order of their beginning."""

    blocks: Annotated[list[StoredBlock], Field(description="at most 500, the latest")]
    cursor: Annotated[None, Field(description="always null: all of them stand on one page")] = None


@router.operation("List what is pinned and forbidden")
def list_manual_blocks(
    site_id: SitePath, gateway: CurrentGateway, *, history: Annotated[bool, Query(description="also what has expired or was taken back")] = False
) -> BlockList:
    """Return the blocks that hold now or will."""
    with unit_of_work(gateway.database) as connection:
        if history:
            return BlockList(blocks=manual_blocks.read_history(connection, site_id))
        return BlockList(blocks=manual_blocks.read_standing(connection, site_id, first=SystemClock().now()))


@router.operation("Pin or forbid something for a time", status_code=201)
def add_manual_block(site_id: SitePath, block: ManualBlock, gateway: CurrentGateway, by: Signature) -> StoredBlock:
    """Add a block to every plan of the site from the next one on, until it expires; 422 says why it cannot be had."""
    with unit_of_work(gateway.database) as connection:
        return manual_blocks.add(connection, site_id, block, by=by, now=SystemClock().now())


@router.operation("Take a block back", responses=document_errors(ConflictError))
def remove_manual_block(site_id: SitePath, block_id: Annotated[int, Path(ge=1, le=2**63 - 1)], gateway: CurrentGateway, by: Signature) -> StoredBlock:
    """Take the block out of every plan from the next one on; it stays in the history."""
    with unit_of_work(gateway.database) as connection:
        return manual_blocks.remove(connection, site_id, block_id, by=by)
