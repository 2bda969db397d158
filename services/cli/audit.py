"""``luna audit``: what was done at the gateway, by whom, and how it ended."""

from typing import Annotated

import typer

from services.cli.console import JsonOption, emit, table
from services.cli.storage import unit_of_work

app = typer.Typer(help="Read the audit log.", no_args_is_help=True)

HEADINGS = ("at (UTC)", "user", "by", "operation", "site", "status", "address", "request")


@app.command("list")
def list_entries(
    *,
    user: Annotated[str | None, typer.Option(help="What this user did alone.")] = None,
    operation: Annotated[str | None, typer.Option(help="This operation alone, by its id.")] = None,
    site: Annotated[str | None, typer.Option(help="What was done on this site alone.")] = None,
    before: Annotated[int | None, typer.Option(help="Entries before this one: the cursor of the list before.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """List what was done and what was refused, the latest first."""
    from luna.platform.database import audit

    which = audit.AuditFilter(user=user, operation=operation, site=site)
    with unit_of_work() as connection:
        entries, following = audit.list_before(connection, which, before=before, limit=limit)
    document = {"entries": [entry.model_dump(mode="json") for entry in entries], "cursor": None if following is None else str(following)}
    rows = [
        [f"{each.at:%Y-%m-%d %H:%M:%S}", each.user, each.means, each.operation, each.site or "", str(each.status), each.address or "", each.request_id]
        for each in entries
    ]
    emit(document, as_json=as_json, show=lambda: table(HEADINGS, rows, words=[each for each in HEADINGS if each != "status"], none="Nothing was done yet."))
