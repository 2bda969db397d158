"""How a batch is worked off: groups handed out, their rows kept, what fails tried again, then run by run, and in the end named."""

import fcntl
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from luna.energy.errors import ConflictError
from services.edge.batch.plan import BatchPlan
from services.edge.batch.transport import GroupTransport
from services.edge.row_files import RowForm, RowWriter, read_rows

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
