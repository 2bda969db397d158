"""``luna notify``: messages to owners, and whether they arrive."""

from typing import TYPE_CHECKING

import typer

from luna.energy.errors import InvalidInputError
from luna.platform.embedded.state import has_embedded_data
from luna.platform.settings import Settings, load_settings
from services.cli.console import JsonOption, emit
from services.cli.declared import build_group, show_parts

if TYPE_CHECKING:
    from services.notifier.targets import Target

app = build_group("notify", "Send a test message and list sent messages.")


@app.command("test")
def send_test(*, as_json: JsonOption = False) -> None:
    """Send a test message to every stored channel and LUNA_NOTIFY_URLS now."""
    from services.notifier import notification

    settings = load_settings()
    targets = _list_targets(settings)
    if not targets:
        remedy = (
            "Set it to an Apprise URL or to notify.NAME of Home Assistant, or add a channel: "
            "luna notify add NAME."
        )
        raise InvalidInputError("there is no target", field="LUNA_NOTIFY_URLS", remedy=remedy)
    reply = notification.send_test(targets, settings)
    sentences = []
    for target in reply.targets:
        outcome = "sent" if target.sent else target.error
        sentences.append(f"{target.target}: {outcome}")
    emit(reply.model_dump(mode="json"), as_json=as_json, show=lambda: show_parts(sentences))
    if not all(target.sent for target in reply.targets):
        raise typer.Exit(1)


def _list_targets(settings: Settings) -> "list[Target]":
    """Return the targets of the settings and the channels stored in a database, if any."""
    from luna.house.desk.servers import open_database
    from services.notifier.notification import list_targets
    from services.notifier.targets import open_targets

    if settings.database_url is None and not has_embedded_data(settings.data_folder / "servers"):
        return open_targets(settings)
    with open_database() as database:
        return list_targets(database, settings)
