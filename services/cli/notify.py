"""``luna notify``: messages to owners, and whether they arrive."""

from typing import TYPE_CHECKING, Annotated

import typer

from luna.energy.errors import InvalidInputError
from luna.energy.timeline import parse_zone
from luna.words import say_instant
from services.cli.console import JsonOption, emit, out, table

if TYPE_CHECKING:
    from luna.contracts.notification import Notification, NotifyTestReply

app = typer.Typer(help="Send a test message to phone and mail, see what was sent.", no_args_is_help=True)

HEADINGS = ("when", "site", "event", "message", "sent to")


@app.command("test")
def send_test(*, as_json: JsonOption = False) -> None:
    """Send a test message to every target of LUNA_NOTIFY_URLS now, whatever the hour."""
    from luna.platform.settings import load_settings
    from services.notifier import delivery
    from services.notifier.targets import open_targets

    settings = load_settings()
    targets = open_targets(settings)
    if not targets:
        raise InvalidInputError("no target is named", field="LUNA_NOTIFY_URLS", remedy="Set it to an Apprise URL or to notify.NAME of Home Assistant.")
    reply = delivery.send_test(targets, settings)
    emit(reply.model_dump(mode="json"), as_json=as_json, show=lambda: _show_test(reply))
    if not all(target.sent for target in reply.targets):
        raise typer.Exit(1)


@app.command("list")
def list_notifications(
    *,
    site: Annotated[str | None, typer.Option(help="Of one site alone.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many at most.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """Show what owners were told, the latest first."""
    from luna.platform.database import notifications, sites
    from services.cli.storage import unit_of_work

    with unit_of_work() as connection:
        found = notifications.list_newest(connection, site_id=site, limit=limit)
        zones = {each.name: each.timezone for each in sites.load_all(connection).sites}
    document = {"notifications": [each.model_dump(mode="json") for each in found]}
    emit(document, as_json=as_json, show=lambda: table(HEADINGS, [_row(each, zones.get(each.site, "UTC")) for each in found], words=HEADINGS))


def _row(told: "Notification", zone: str) -> list[str]:
    deliveries = ", ".join(f"{each.target} {each.status}" for each in told.deliveries)
    return [say_instant(told.recorded_at, parse_zone(zone)), told.site, told.event, told.text, deliveries]


def _show_test(reply: "NotifyTestReply") -> None:
    for target in reply.targets:
        out.print(f"{target.target}: {'sent' if target.sent else target.error}")
