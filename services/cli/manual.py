"""``luna manual``: what the owner pins and forbids in the plans of a site."""

import getpass
from typing import TYPE_CHECKING, Annotated

import typer

from luna.contracts.owner import Action
from luna.words import say_instant
from services.cli.console import JsonOption, emit, out, table
from services.cli.storage import unit_of_work
from services.cli.window import SiteOption, find_zone

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from luna.contracts.owner import StoredBlock

app = typer.Typer(help="Pin or forbid what a site's plans do, for a time; the rest is planned around it.", no_args_is_help=True)

HEADINGS = ("block", "device", "does", "kW", "from", "to", "by")


@app.command()
def add(  # noqa: PLR0913 - one per option
    site: SiteOption,
    device: Annotated[str, typer.Option(help="A device by its name, or grid.")],
    action: Annotated[Action, typer.Option(help="What it does, or leaves.")],
    *,
    until: Annotated[str, typer.Option(help="When the block expires, such as 2026-11-20T18:00; without offset, by the site's clock.")],
    first: Annotated[str | None, typer.Option("--from", help="When it begins (default: now).")] = None,
    power_kw: Annotated[float | None, typer.Option(help="At this power; charge and discharge only (default: all the device can).")] = None,
    as_json: JsonOption = False,
) -> None:
    """Add a block to every plan of the site from the next one on, until it expires."""
    from luna.contracts.owner import ManualBlock
    from luna.energy.timeline import parse_instant
    from luna.platform.clock import SystemClock
    from luna.platform.database import manual_blocks
    from services.cli.storage import compose_request

    now = SystemClock().now()
    with unit_of_work() as connection:
        zone = find_zone(connection, site)
        begin = now if first is None else parse_instant(first, field="--from", zone=zone)
        end = parse_instant(until, field="--until", zone=zone)
        wanted = compose_request(ManualBlock, device=device, action=action, from_=begin, to=end, power_kw=power_kw)
        stored = manual_blocks.add(connection, site, wanted, by=getpass.getuser(), now=now)
    emit(stored.model_dump(mode="json", by_alias=True), as_json=as_json, show=lambda: _show([stored], zone))


@app.command("list")
def list_blocks(
    site: SiteOption,
    *,
    history: Annotated[bool, typer.Option("--history", help="Also what has expired or was taken back.")] = False,
    as_json: JsonOption = False,
) -> None:
    """List what is pinned and forbidden."""
    from luna.platform.clock import SystemClock
    from luna.platform.database import manual_blocks

    with unit_of_work() as connection:
        zone = find_zone(connection, site)
        standing = manual_blocks.read_standing(connection, site, first=SystemClock().now())
        blocks = manual_blocks.read_history(connection, site) if history else standing
    document = {"blocks": [block.model_dump(mode="json", by_alias=True) for block in blocks]}
    emit(document, as_json=as_json, show=lambda: _show(blocks, zone))


@app.command()
def remove(
    site: SiteOption,
    block: Annotated[int, typer.Option(help="The block's number, as luna manual list shows it.")],
    *,
    as_json: JsonOption = False,
) -> None:
    """Take a block back: it is in no plan from the next one on."""
    from luna.platform.database import manual_blocks

    with unit_of_work() as connection:
        removed = manual_blocks.remove(connection, site, block, by=getpass.getuser())
    emit(removed.model_dump(mode="json", by_alias=True), as_json=as_json, show=lambda: out.print(f"Block {block} is in no plan of {site} any more."))


def _show(blocks: "list[StoredBlock]", zone: "ZoneInfo") -> None:
    if not blocks:
        out.print("Nothing is pinned or forbidden.")
        return
    table(HEADINGS, [_row(block, zone) for block in blocks], words=HEADINGS)


def _row(block: "StoredBlock", zone: "ZoneInfo") -> list[str]:
    first, last = (say_instant(instant, zone) for instant in (block.from_, block.to))
    by = block.added_by if block.removed_by is None else f"{block.added_by}, taken back by {block.removed_by}"
    return [str(block.block_id), block.device, block.action, "" if block.power_kw is None else f"{block.power_kw:g}", first, last, by]
