"""``luna forecast card``: what a trained model learned from, how good it was, what it is for."""

from typing import Annotated

import typer

from luna.platform.capabilities.forecasts import read_model_card
from services.cli.console import JsonOption, emit, out
from services.cli.declared import open_desk


def register(app: typer.Typer) -> None:
    """Add the command to ``luna forecast``."""
    app.command("card")(card)


def card(
    *,
    site: Annotated[str, typer.Option("--site", help="The site's name.")],
    run: Annotated[str | None, typer.Option(help="A training, as `luna forecast status` lists them (default: the one whose model speaks now).")] = None,
    as_json: JsonOption = False,
) -> None:
    """Show the card of a trained model, in Markdown."""
    with open_desk(quiet=as_json) as desk:
        found = desk.ask(read_model_card, {"site_id": site} | ({} if run is None else {"run_id": run}))
    emit(found.facts, as_json=as_json, show=lambda: out.print(found.text, markup=False, highlight=False, soft_wrap=True))
