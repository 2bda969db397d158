"""``luna forecast card``: what a trained model learned from, how good it was, what it is for."""

from typing import Annotated

import typer

from luna.platform.clock import SystemClock
from services.cli.console import JsonOption, emit, out


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
    from luna.platform.objects import open_objects
    from luna.platform.settings import load_settings
    from services.cli.storage import unit_of_work
    from services.forecaster.retraining.card import read_card
    from services.forecaster.retraining.training import find_training

    with unit_of_work() as connection:
        training = find_training(connection, site, run, now=SystemClock().now())
    text, facts = read_card(training, open_objects(load_settings()))
    emit(facts, as_json=as_json, show=lambda: out.print(text, markup=False, highlight=False, soft_wrap=True))
