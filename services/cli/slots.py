"""``luna data slots``: quarter-hours out of what a site's sensors said."""

from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.console import JsonOption, emit, err, out, table
from services.cli.storage import unit_of_work
from services.cli.window import EndOption, FirstOption, SiteOption, parse_window

if TYPE_CHECKING:
    from luna.contracts.data import BuildSlotsReply


def register(app: typer.Typer) -> None:
    """Add the command to ``luna data``."""
    app.command("slots")(build)


ACCEPT = "Replace also days that were known and become something else: by a factor, turned around or half gone."


def build(
    *,
    site: SiteOption,
    first: FirstOption,
    end: EndOption,
    accept: Annotated[bool, typer.Option("--accept", help=ACCEPT)] = False,
    as_json: JsonOption = False,
) -> None:
    """Build quarter-hours from stored readings; building them again changes nothing. Readings that cannot be right go into quarantine with the reason."""
    from luna.contracts.data import BuildSlotsRequest
    from luna.platform.clock import SystemClock
    from services.ingest.slot_service import build_site_slots

    with err.status("Building quarter-hours …") as status, unit_of_work() as connection:
        start, until = parse_window(connection, site, first, end)
        request = BuildSlotsRequest(site_id=site, first=start, end=until, accept=accept)
        reply = build_site_slots(connection, request, now=SystemClock().now(), progress=lambda *told: status.update(f"Building quarter-hours from {told[2]} …"))
    emit(reply.model_dump(mode="json"), as_json=as_json, show=lambda: _show(reply))


def _show(reply: "BuildSlotsReply") -> None:
    rows = [
        [name, f"{series.known:,}", f"{series.interpolated:,}", f"{series.filled:,}", f"{sum(series.rejected.values()):,}"]
        for name, series in reply.series.items()
    ]
    table(["series", "known", "interpolated", "filled to the meter's total", "readings refused"], rows)
    out.print(f"{reply.slots_written:,} quarter-hours new or changed, {reply.slots_withdrawn:,} values withdrawn, {reply.quarantined:,} entries in quarantine.")
    for name, series in reply.series.items():
        for reason, count in series.rejected.items():
            out.print(f"  {name}: {count:,} × {reason}", markup=False)
    if reply.missing_sensors:
        out.print(f"Nothing was ever heard of {', '.join(reply.missing_sensors)}: check the names under input_sensors.", markup=False)
