"""``luna demo``: a real year, from prices to a report, on this machine alone.

Or a simulated home that lives now.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from luna.energy.errors import MachineError
from luna.platform.embedded.supervisor import running
from luna.platform.settings import load_settings
from luna.platform.written_files import make_writable, write_whole
from luna.words import Language, Numbers
from luna.words.phrases import read_texts
from services.cli.console import JsonOption, err, out, table, write_json
from services.cli.up import run_everything

if TYPE_CHECKING:
    from services.demo.environment import ShowStep


def show_demo(  # noqa: PLR0913 - one per option
    *,
    days: Annotated[
        int,
        typer.Option(min=1, help="Days to replay, from 1 September 2023 on; at most 100."),
    ] = 14,
    on_servers: Annotated[
        bool,
        typer.Option("--on-servers", help="Use the servers and workers of the settings."),
    ] = False,
    folder: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="FOLDER",
            help="Folder of report.html (default: demo, in the data folder).",
        ),
    ] = None,
    language: Annotated[Language, typer.Option(help="Language of the report.")] = "en",
    live: Annotated[
        bool,
        typer.Option("--live", help="Run Luna with a demo home until Ctrl-C; no report."),
    ] = False,
    speed: Annotated[
        float,
        typer.Option(
            min=1,
            max=600,
            help=("With --live: run faster than the clock, in a folder of its own."),
        ),
    ] = 1.0,
    as_json: JsonOption = False,
) -> None:
    """Plan a real home and write a report of the savings; or run a demo home (--live).

    It starts its own servers and a worker, which end with it. With --on-servers it uses the workers
    behind LUNA_REDIS_URL.
    """
    if live:
        _live(speed)
        return
    from services.demo.pipeline import compose_report, run_demo
    from services.demo.report.report import render
    from services.demo.report.scores import tabulate_policies

    path = make_writable(folder or load_settings().data_folder / "demo") / "report.html"
    with show_steps() as show_step:
        run = run_demo(days, show_step, on_servers=on_servers)
    write_whole(path, render(compose_report(run, language)))
    if as_json:
        plan = None if run.plan is None else run.plan.model_dump(mode="json", by_alias=True)
        replays = {name: replay.model_dump(mode="json") for name, replay in run.replays.items()}
        seconds = round(run.seconds, 1)
        write_json({"report": str(path), "seconds": seconds, "sites": replays, "plan": plan})
        return
    words = read_texts("report", language)
    headings = [words[name] for name in ("policy", "policy_cost", "saved", "score", "cycles_a_day")]
    shown_days = f"{run.window.first_day} – {run.window.last_day}"
    for demo_site in run.demo.sites:
        site = demo_site.site
        numbers = Numbers(language, run.window.zone, site.currency)
        scores = tabulate_policies(run.replays[site.name], numbers)
        rows = [[row.name, row.cost, row.saved, row.score, row.cycles] for row in scores]
        out.print()
        table(headings, rows, title=f"{site.name}: {shown_days}")
    out.print(f"\n{path} ({run.seconds:.0f} s)")


@contextmanager
def show_steps() -> Iterator["ShowStep"]:
    """Yield a function that shows steps on standard error, also concurrent ones.

    It draws progress bars on a terminal, else a line per finished step.
    """
    columns = (
        TextColumn("{task.description:<26}"),
        BarColumn(bar_width=32),
        TimeElapsedColumn(),
        TextColumn("{task.fields[label]}", style="dim"),
    )
    with Progress(*columns, console=err, disable=not err.is_terminal) as progress:

        @contextmanager
        def show_step(name: str) -> Iterator[Callable[[int, int, str], None]]:
            began = monotonic()
            task = progress.add_task(name, total=None, label="")

            def show_progress(done: int, total: int, label: str) -> None:
                progress.update(task, completed=done, total=total, label=label)

            yield show_progress
            last_total = next(shown.total for shown in progress.tasks if shown.id == task)
            total = last_total or 1
            progress.update(task, completed=total, total=total, label="")
            if progress.disable:
                err.print(f"{name}: {monotonic() - began:.1f} s", soft_wrap=True)

        yield show_step


def _live(speed: float) -> None:
    """Run everything with a simulated home, or add the home to a running Luna.

    Raises:
        ConflictError: Luna speaks to a broker already, or another site has the home's name.
        MachineError: what this machine lacks.
    """
    from services.api.server import listen
    from services.demo.environment import prepare_home, speed_up_clock

    settings = load_settings()
    begin = partial(prepare_home, say=partial(err.print, soft_wrap=True))
    try:
        listen(settings).close()
    except MachineError as error:
        # The port is in use by a running Luna: add the home to it; its clock cannot be changed.
        if error.field != "api_port" or speed != 1.0:
            raise
        with running(settings) as addresses:
            begin(addresses)
        err.print(f"Open http://{settings.api_host}:{settings.api_port}.")
    else:
        if speed != 1.0:
            settings = speed_up_clock(settings, speed)
        run_everything(settings, begin=begin)
