"""``luna edge``: the camera lab, as a whole or stage by stage."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from luna.house.desk.servers import open_database, open_queue
from services.cli.console import JsonOption, err, follow_progress, out, table, write_json
from services.cli.declared import build_group

if TYPE_CHECKING:
    from services.edge.batch.transport import GroupTransport
    from services.edge.lab import Lab

app = build_group("edge", "Run the camera lab: cameras that charge when the grid is clean.")

ConfigOption = Annotated[
    Path | None,
    typer.Option(help="The run's configuration, like config/edge.jsonc (default: its defaults)."),
]
EnergyOption = Annotated[
    Path | None,
    typer.Option(
        "--energy-data",
        help="Folder with the clean shares as CSV (default: as configured).",
    ),
]
ModelOption = Annotated[
    Path | None,
    typer.Option(
        "--model-data",
        help="Folder with power_profiles.json (default: as configured).",
    ),
]
OutOption = Annotated[
    Path | None,
    typer.Option(
        "--out",
        help="Folder for results; an earlier run there continues (default: as configured).",
    ),
]
SeedOption = Annotated[
    int | None,
    typer.Option(
        min=0,
        help=("Random seed (default: that of the folder, else as configured)."),
    ),
]
WorkersOption = Annotated[
    bool,
    typer.Option(
        "--on-workers",
        help=("Simulate the batch on the workers of the queue edge."),
    ),
]
SHARED = ("run", "batch")
SUMMARIES = {
    "run": "Run all stages: scenarios, labels, training, simulation, report.",
    "scenarios": "Draw scenarios and write them.",
    "label": "Draw scenarios and find the optimal decision of each.",
    "train": "Train controllers on the labelled scenarios.",
    "simulate": "Simulate one camera under every controller.",
    "batch": "Simulate cameras of all locations, seasons and variations under every controller.",
    "report": "Write a report of a batch.",
}


def _build_stage(name: str) -> Callable[..., None]:
    def stage(  # noqa: PLR0913 - one per option
        *,
        config: ConfigOption = None,
        energy_data: EnergyOption = None,
        model_data: ModelOption = None,
        folder: OutOption = None,
        seed: SeedOption = None,
        on_workers: WorkersOption = False,
        as_json: JsonOption = False,
    ) -> None:
        from services.edge.lab import DataFolders, open_lab_of

        folders = DataFolders(
            config.resolve().parent if config else Path.cwd(), energy_data, model_data
        )
        lab = open_lab_of(config, folders, out=folder, seed=seed)
        with _open_workers() if on_workers else nullcontext() as helpers:
            _carry_out(name, lab, helpers=helpers, as_json=as_json)

    if name not in SHARED:
        options = signature(stage)
        own = [option for option in options.parameters.values() if option.name != "on_workers"]
        setattr(stage, "__signature__", options.replace(parameters=own))  # noqa: B010
    return stage


def _list_figures(figures: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the numbers and texts among a stage's figures."""
    rows = []
    for figure, value in figures.items():
        if isinstance(value, float):
            rows.append((figure, f"{value:,.4g}"))
        elif isinstance(value, int | str):
            rows.append((figure, str(value)))
    return rows


def _carry_out(
    name: str, lab: "Lab", *, helpers: "GroupTransport | None" = None, as_json: bool
) -> None:
    from services.edge.stages import run_pipeline, run_stage

    if not as_json:
        if lab.stand_ins:
            err.print(
                f"There are no measured clean shares of {', '.join(lab.stand_ins)}: Luna "
                "uses stand-ins and marks them."
            )
        for year in lab.clean_shares.values():
            for damage in year.damage[:3]:
                err.print(f"{damage}; Luna uses the newest value before.")
    with follow_progress(f"edge {name}", quiet=as_json) as progress:
        reporting_lab = replace(lab, progress=progress)
        if name == "run":
            stages = run_pipeline(reporting_lab, helpers=helpers)
        else:
            stages = {name: run_stage(reporting_lab, name, helpers=helpers)}
    if as_json:
        write_json({"out": str(lab.out), "seed": lab.seed, "stages": stages})
        return
    for stage, figures in stages.items():
        out.print(f"[bold]{stage}[/]")
        table(("figure", "value"), _list_figures(figures))
        for insight in figures.get("insights", ()):
            out.print(f"- {insight}")
    out.print(f"Seed {lab.seed}; the results are in {lab.out}.")


@contextmanager
def _open_workers() -> "Iterator[GroupTransport]":
    from services.edge.batch.job_transport import QueueWorkers

    with open_database() as engine, open_queue() as client:
        yield QueueWorkers(engine, client)


for _name, _summary in SUMMARIES.items():
    app.command(_name, help=_summary)(_build_stage(_name))
