"""``luna notify``: messages to owners, and whether they arrive."""

import typer

from luna.contracts.notification import NotifyTestReply
from luna.energy.errors import InvalidInputError
from luna.platform.settings import load_settings
from services.cli.console import JsonOption, emit, out
from services.cli.declared import build_group

app = build_group("notify", "Send a test message to phone and mail, see what was sent.")


@app.command("test")
def send_test(*, as_json: JsonOption = False) -> None:
    """Send a test message to every target of LUNA_NOTIFY_URLS now, whatever the hour."""
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


def _show_test(reply: NotifyTestReply) -> None:
    for target in reply.targets:
        out.print(f"{target.target}: {'sent' if target.sent else target.error}")
