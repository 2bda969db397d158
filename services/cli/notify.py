"""``luna notify``: messages to owners, and whether they arrive."""

import typer

from luna.energy.errors import InvalidInputError
from luna.platform.settings import load_settings
from services.cli.console import JsonOption, emit
from services.cli.declared import build_group, show_parts

app = build_group("notify", "Send a test message to phone and mail, see what was sent.")


@app.command("test")
def send_test(*, as_json: JsonOption = False) -> None:
    """Send a test message to every target of LUNA_NOTIFY_URLS now, whatever the hour."""
    from services.notifier import notification
    from services.notifier.targets import open_targets

    settings = load_settings()
    targets = open_targets(settings)
    if not targets:
        raise InvalidInputError("no target is named", field="LUNA_NOTIFY_URLS", remedy="Set it to an Apprise URL or to notify.NAME of Home Assistant.")
    reply = notification.send_test(targets, settings)
    sentences = [f"{target.target}: {'sent' if target.sent else target.error}" for target in reply.targets]
    emit(reply.model_dump(mode="json"), as_json=as_json, show=lambda: show_parts(sentences))
    if not all(target.sent for target in reply.targets):
        raise typer.Exit(1)
