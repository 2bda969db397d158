"""Pins and bans of owners in the plans of a site."""

from typing import Annotated

from pydantic import Field

from luna.contracts.message import Message
from luna.contracts.owner import ManualBlock, StoredBlock
from luna.energy.errors import ConflictError
from luna.house.capability import CapabilityCall, ReplyTable, SiteName, TerminalForm, capability
from luna.platform.database import manual_blocks
from luna.words import Numbers, say_instant

_NOUN = "manual blocks"
BlockNumber = Annotated[
    int, Field(ge=1, le=2**63 - 1, description="the setting's number, as in the list")
]
_PATH = "/v1/sites/{site_id}/manual-blocks"


class BlockList(Message):
    """Blocks in order of their beginning."""

    blocks: Annotated[list[StoredBlock], Field(description="at most 500, the latest")]
    cursor: Annotated[None, Field(description="always null: all of them stand on one page")] = None


def _show(block: StoredBlock, numbers: Numbers) -> list[str]:
    first, last = (say_instant(instant, numbers.zone) for instant in (block.from_, block.to))
    power = "" if block.power_kw is None else f"{block.power_kw:g}"
    return [str(block.block_id), block.device, block.action, power, first, last, block.whose]


_HEADINGS = ("block", "device", "does", "kW", "from", "to", "by")


@capability(
    "GET",
    _PATH,
    noun=_NOUN,
    scope="read",
    command="manual list",
    shown=ReplyTable(_HEADINGS, _show, "blocks", none="There are no settings."),
)
def list_manual_blocks(
    call: CapabilityCall,
    site_id: SiteName,
    *,
    history: Annotated[bool, Field(description="also expired and removed ones")] = False,
) -> BlockList:
    """List your settings for plans.

    Return the set and forbidden actions, current and future.
    """
    if history:
        return BlockList(blocks=manual_blocks.read_history(call.connection, site_id))
    return BlockList(blocks=manual_blocks.read_standing(call.connection, site_id, first=call.now))


@capability(
    "POST",
    _PATH,
    noun=_NOUN,
    scope="operate",
    signable=True,
    command="manual add",
    shown=ReplyTable(_HEADINGS, _show),
    terminal=TerminalForm(
        options={"to": "until"}, assigned=frozenset({"block_id"}), usually_now="from_"
    ),
    status=201,
)
def add_manual_block(call: CapabilityCall, site_id: SiteName, block: ManualBlock) -> StoredBlock:
    """Set or forbid an action for a while.

    Add the setting to every plan of the site from the next one on, until it expires.
    """
    return manual_blocks.add(call.connection, site_id, block, by=call.by, now=call.now)


@capability(
    "DELETE",
    f"{_PATH}/{{block_id}}",
    noun=_NOUN,
    scope="operate",
    signable=True,
    command="manual remove",
    shown="Block {block_id} is in no plan of {site_id} any more.",
    errors=(ConflictError,),
)
def remove_manual_block(
    call: CapabilityCall, site_id: SiteName, block_id: BlockNumber
) -> StoredBlock:
    """Delete a setting for plans.

    Remove the setting from the next plan on; it stays in the history.
    """
    return manual_blocks.remove(call.connection, site_id, block_id, by=call.by)


CAPABILITIES = (
    list_manual_blocks,
    add_manual_block,
    remove_manual_block,
)
