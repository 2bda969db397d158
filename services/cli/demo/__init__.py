"""``luna demo``: a real year, from prices to a report, on this machine alone."""

from pathlib import Path
from typing import Annotated

import typer

from luna.words import Language
from services.cli.console import JsonOption, make_writable


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="demo")(show_demo)


def show_demo(  # noqa: PLR0913 - one per option
    *,
    days: Annotated[int, typer.Option(min=1, help="Unseen days to replay, from 1 September 2023 on: 100 at most.")] = 14,
    on_servers: Annotated[bool, typer.Option("--on-servers", help="Use the servers that the settings name, and the workers there.")] = False,
    out: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Where report.html goes; default: demo, in the data folder.")] = None,
    language: Annotated[Language, typer.Option(help="Language of the report.")] = "en",
    live: Annotated[bool, typer.Option("--live", help="Run Luna with a simulated home that lives now, until Ctrl-C; no report.")] = False,
    speed: Annotated[float, typer.Option(min=1, max=600, help="With --live: how much faster than the clock it lives; above 1 in a folder of its own.")] = 1.0,
    as_json: JsonOption = False,
) -> None:
    """Load a real year, train, plan 48 hours, replay unseen days under every policy, write a report; or live in a simulated home (--live).

    It starts servers and a worker of its own, which end with it; with --on-servers it asks the workers behind LUNA_REDIS_URL.
    """
    if live:
        from services.cli.demo.live import show_live

        show_live(speed=speed)
        return
    from luna.platform.settings import load_settings
    from services.cli.demo.pipeline import run_demo
    from services.cli.demo.summary import publish

    folder = make_writable(out or load_settings().data_folder / "demo")
    publish(run_demo(days, on_servers=on_servers), folder, language=language, as_json=as_json)
