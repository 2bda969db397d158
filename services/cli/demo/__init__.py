"""``luna demo``: a real year, from prices to a report, on this machine alone."""

from typing import Annotated

import typer

from luna.wording import Language
from services.cli.console import JsonOption


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="demo")(show_demo)


def show_demo(
    *,
    days: Annotated[int, typer.Option(min=1, max=100, help="Unseen days to replay, from 1 September 2023 on.")] = 14,
    language: Annotated[Language, typer.Option(help="Language of the report.")] = "en",
    as_json: JsonOption = False,
) -> None:
    """Load a real year, train, plan 48 hours, replay unseen days under every policy, write var/demo/report.html."""
    from services.cli.demo.course import run_demo
    from services.cli.demo.outcome import publish

    publish(run_demo(days), language=language, as_json=as_json)
