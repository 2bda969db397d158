"""Declare the lab's stages in order, each with its function and required stage."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

import structlog

from luna.energy.errors import ConflictError
from luna.platform.telemetry import log_to_file
from services.edge.analytics.report import write_report
from services.edge.batch.stage import run_batch
from services.edge.batch.transport import GroupTransport
from services.edge.controller.stage import train_controllers
from services.edge.lab import Lab
from services.edge.labels.training_data import write_training_data
from services.edge.row_files import full_disk, list_parts
from services.edge.scenarios import write_scenarios
from services.edge.simulation.single import simulate
from services.edge.whole_file import write_whole_file

log = structlog.get_logger(__name__)
Figures = dict[str, Any]
# Number of damaged values that are named.
_NAMED = 20


@dataclass(frozen=True, slots=True)
class LabStage:
    """A stage of the lab.

    Args:
        name: its name in commands.
        run: does the stage and returns its figures.
        needs: returns the earlier stage that is missing; None: none is.
        in_pipeline: False: another stage does it along the way.
        share: does the stage with the help of others; None: it is done here alone.
    """

    name: str
    run: Callable[[Lab], Figures]
    needs: Callable[[Lab], str | None] = lambda _: None
    in_pipeline: bool = True
    share: Callable[[Lab, GroupTransport], Figures] | None = None


def _find_missing_labels(lab: Lab) -> str | None:
    return None if list_parts(lab.training, "training") else "label"


def _find_missing_batch(lab: Lab) -> str | None:
    return None if list_parts(lab.batch, "runs") else "batch"


_IN_ORDER = (
    # Labelling draws the same scenarios.
    LabStage("scenarios", write_scenarios, in_pipeline=False),
    LabStage("label", write_training_data),
    LabStage("train", train_controllers, needs=_find_missing_labels),
    LabStage("simulate", simulate),
    LabStage("batch", run_batch, share=run_batch),
    LabStage("report", write_report, needs=_find_missing_batch),
)
STAGES: Mapping[str, LabStage] = {stage.name: stage for stage in _IN_ORDER}


def run_stage(lab: Lab, name: str, *, helpers: GroupTransport | None = None) -> Figures:
    """Do one stage and return its figures.

    They are written to ``OUT/<stage>.json``, and its log to ``OUT/logs/edge.jsonl`` if the
    configuration says so.

    Args:
        lab: the configuration, and the data.
        name: of the stage.
        helpers: who simulates a batch; None: processes of this machine.

    Raises:
        ConflictError: an earlier stage has not been done.
        InvalidInputError: data cannot be used.
        MachineError: the disk takes no more; what is there stays, and the same call goes on.
    """
    stage = STAGES[name]
    run = lab.config.run
    log_file = lab.out / "logs" / "edge.jsonl" if run.log_to_file else None
    with log_to_file(
        log_file, logger="services.edge", level=run.log_level, console=run.log_to_console
    ):
        missing = stage.needs(lab)
        if missing:
            raise ConflictError(
                f"{name} needs what {missing} makes",
                field="--out",
                value=str(lab.out),
                remedy=f"First: luna edge {missing}.",
            )
        damage: list[str] = []
        for year in lab.clean_shares.values():
            damage += map(str, year.damage)
        log.info(
            "stage begins", stage=name, seed=lab.seed, workers=lab.workers, stand_ins=lab.stand_ins
        )
        for value in damage[:_NAMED]:
            log.warning("a damaged value is left out", value=value)
        begun = perf_counter()

        def tell(count: int, total: int, label: str) -> None:
            lab.progress(count, total, f"{name} {label}".strip())

        stage_lab = replace(lab, progress=tell)
        if helpers is not None and stage.share:
            stage_figures = stage.share(stage_lab, helpers)
        else:
            stage_figures = stage.run(stage_lab)
        figures: Figures = {
            **stage_figures,
            "seconds": round(perf_counter() - begun, 2),
            "stand_ins": lab.stand_ins,
        }
        if damage:
            figures |= {"damaged_values": len(damage), "damage": damage[:_NAMED]}
        logged = {
            key: value for key, value in figures.items() if isinstance(value, int | float | str)
        }
        log.info("stage is done", stage=name, **logged)
        document = {"stage": name, "seed": lab.seed} | figures
        text = json.dumps(document, indent=1, default=str)
        try:
            write_whole_file(lab.out / f"{name}.json", text.encode())
        except OSError as error:
            raise full_disk(lab.out, error) from error
        return figures


def run_pipeline(lab: Lab, *, helpers: GroupTransport | None = None) -> dict[str, Figures]:
    """Do every stage, one after the other, and return the figures of each."""
    figures = {}
    for name, stage in STAGES.items():
        if stage.in_pipeline:
            figures[name] = run_stage(lab, name, helpers=helpers)
    return figures
