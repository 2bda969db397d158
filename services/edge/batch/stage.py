"""The stage that runs a batch."""

import time
from typing import Any

from services.edge.batch.collection import FAILED, RUNS, BatchCollection, hold_folder
from services.edge.batch.plan import BatchPlan
from services.edge.batch.transport import GroupTransport, LocalProcesses
from services.edge.lab import Lab, count_workers
from services.edge.row_files import RowForm, keep_origin, remove_rows

_ORIGIN = "batch"
# So many failed runs are named in the result; rows ``failed`` name all.
_NAMED = 100


def run_batch(lab: Lab, transport: GroupTransport | None = None) -> dict[str, Any]:
    """Simulate locations × seasons × variations × controllers and write rows ``runs`` into ``OUT/batch``; killed at any moment, it goes on where it was.

    Args:
        lab: the configuration, and the data.
        transport: who simulates the groups; default: processes of this machine.

    Returns:
        Figures: runs in all, made now, failed (named; rows ``failed`` say why), and how long it took.

    Raises:
        ConflictError: another batch is being worked off in the folder, or rows of another configuration are there.
        InvalidInputError: the configuration allows no camera, or a learned controller has not been trained.
        MachineError: the disk takes no more; run it again, it goes on.
    """
    plan, folder, execution = BatchPlan.of(lab), lab.batch, lab.config.batch_simulation.execution
    with hold_folder(folder):
        if not execution.resume_on_failure:
            for name in (RUNS, FAILED):
                remove_rows(folder, name)
            (folder / f"{_ORIGIN}.json").unlink(missing_ok=True)
        keep_origin(folder, _ORIGIN, plan.describe())
        # What failed before is tried again.
        remove_rows(folder, FAILED)
        begun, export = time.perf_counter(), lab.config.results.export
        collection = BatchCollection.open(plan, folder, RowForm(max_mb=export.max_file_size_mb if export.split_large_files else None))
        before = collection.completed.count(1)
        if transport is not None:
            collection.work_off(transport)
        elif before < plan.runs:
            with LocalProcesses(min(lab.workers, count_workers(execution.parallel_workers))) as processes:
                collection.work_off(processes)
        seconds = time.perf_counter() - begun
        new_runs = collection.completed.count(1) - before
        return {
            "folder": str(collection.folder),
            "runs": plan.runs,
            "made_now": new_runs,
            "failed": len(collection.failed),
            "failed_runs": collection.failed[:_NAMED],
            "days": plan.conditions.days,
            "controllers": list(plan.controllers),
            "seed": plan.lab.seed,
            "stand_ins": plan.lab.stand_ins,
            "seconds": round(seconds, 3),
            "camera_days_per_s": round(new_runs * plan.conditions.days / seconds, 1),
        }
