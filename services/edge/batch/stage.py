"""The stage that runs a batch, and how it is worked off: groups handed out, their rows kept, what fails tried again, then run by run, and in the end named."""

import fcntl
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from luna.energy.errors import ConflictError
from services.edge.batch.plan import BatchPlan
from services.edge.batch.transport import GroupTransport, LocalProcesses
from services.edge.lab import Lab, count_workers
from services.edge.row_files import RowForm, RowWriter, keep_origin, read_rows, remove_rows

RUNS, FAILED = "runs", "failed"


@dataclass(frozen=True, slots=True)
class GroupAttempt:
    """Runs that are tried together for the nth time."""

    numbers: tuple[int, ...]
    tries: int = 1


@dataclass(slots=True)
class BatchCollection:
    """A batch while it is worked off. The rows are the ledger: a run is done when its row is there.

    Args:
        plan: of the batch.
        folder: where rows go.
        form: how they are written.
        done: a one for each run that is done.
        failed: names of runs that failed for good.
    """

    plan: BatchPlan
    folder: Path
    form: RowForm
    completed: bytearray
    failed: list[str] = field(default_factory=list)

    @classmethod
    def open(cls, plan: BatchPlan, folder: Path, form: RowForm) -> "BatchCollection":
        """Return the collection with the runs that are done already."""
        completed = bytearray(plan.runs)
        # Opened once, so that what a crash left half written is cut off before it is read.
        with RowWriter(folder, RUNS, form):
            for row in read_rows(folder, RUNS):
                completed[plan.number_of(row)] = 1
        return cls(plan, folder, form, completed)

    def work_off(self, transport: GroupTransport) -> None:
        """Have all runs simulated that are not done, and keep their rows.

        Raises:
            MachineError: the disk takes no more; run it again, it goes on.
        """
        waiting = (GroupAttempt(numbers) for numbers in self.plan.group_numbers(bytearray(self.completed)))
        again, under_way, key = deque[GroupAttempt](), dict[int, GroupAttempt](), 0
        with RowWriter(self.folder, RUNS, self.form) as runs, RowWriter(self.folder, FAILED, self.form) as failed:
            while True:
                while len(under_way) < transport.capacity and (attempt := again.popleft() if again else next(waiting, None)):
                    key += 1
                    under_way[key] = attempt
                    transport.submit(key, self.plan.build_group(attempt.numbers).to_json())
                if not under_way:
                    return
                reply = transport.wait()
                attempt = under_way.pop(reply.key)
                if reply.error is None:
                    # The same group may come back twice from a queue.
                    runs.append([row for number, row in zip(attempt.numbers, reply.rows, strict=True) if not self.completed[number]])
                    runs.sync()
                    for number in attempt.numbers:
                        self.completed[number] = 1
                    self._tell()
                elif attempt.tries <= self.plan.lab.config.batch_simulation.execution.max_retries:
                    again.append(GroupAttempt(attempt.numbers, attempt.tries + 1))
                elif len(attempt.numbers) > 1:
                    again.extend(GroupAttempt((number,)) for number in attempt.numbers)
                else:
                    (named,) = self.plan.build_group(attempt.numbers).name_runs()
                    failed.append([named | {"error": reply.error}])
                    failed.sync()
                    self.failed.append(named["run_id"])
                    self._tell()

    def _tell(self) -> None:
        self.plan.lab.progress(self.completed.count(1) + len(self.failed), self.plan.runs, "runs simulated")


@contextmanager
def hold_folder(folder: Path) -> Iterator[None]:
    """Keep others from working off a batch in the same folder.

    Raises:
        ConflictError: somebody does already.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "batch.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ConflictError(
                "another batch is being worked off in this folder", field="--out", value=str(folder), remedy="Wait for it, or name another folder."
            ) from error
        yield


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
