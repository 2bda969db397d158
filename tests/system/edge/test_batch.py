"""Batches that are killed, whose workers are killed, whose runs fail, whose disk is full: no run is
lost, none is there twice.
"""

import json
import os
import resource
import signal
import subprocess
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from luna.energy.errors import ConflictError, InvalidInputError
from services.edge.batch.stage import BatchCollection, BatchPlan, hold_folder, run_batch
from services.edge.batch.transport import GroupReply
from services.edge.row_files import RowForm, read_rows
from services.edge.simulation.group import simulate_group
from tests.support.cameras.batches import configure, make_lab, read_runs, start_batch, start_command
from tests.support.cameras.cameras import make_network
from tests.support.suite.depth import LONG
from tests.support.worker.workers import wait_for


class SameProcess:
    """Simulates in this process, in the order asked."""

    capacity = 2

    def __init__(self) -> None:
        self.waiting: list[tuple[int, dict]] = []

    def submit(self, key: int, document: dict) -> None:
        self.waiting.append((key, document))

    def wait(self) -> GroupReply:
        key, document = self.waiting.pop()
        try:
            return GroupReply(key, simulate_group(json.loads(json.dumps(document))))
        except (KeyError, ValueError, IndexError, InvalidInputError) as error:
            return GroupReply(key, [], str(error))


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict]:
    out = tmp_path_factory.mktemp("undisturbed")
    said = run_batch(make_lab(out), SameProcess())
    assert (said["runs"], said["made_now"], said["failed"]) == (32, 32, 0)
    return read_runs(out)


def list_children(process: int) -> list[int]:
    """Return the processes below one, at any depth."""
    found = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(process)], capture_output=True, text=True, check=False
    ).stdout.split()
    return [pid for child in found for pid in (int(child), *list_children(int(child)))]


def is_there(process: int) -> bool:
    return Path(f"/proc/{process}").exists()


def test_killed_at_any_moment_a_batch_leaves_no_worker_and_goes_on_without_a_lost_or_doubled_run(
    tmp_path: Path, undisturbed: dict[str, dict]
) -> None:
    config = configure()
    for lines in (1, 3) if LONG else (1,):
        process = start_batch(tmp_path, config)
        # After so many groups that are kept, in the middle of what follows.
        for _ in range(lines):
            process.stdout.readline()
        # It stands still while its processes are listed, or it could be over by then.
        process.send_signal(signal.SIGSTOP)
        children = list_children(process.pid)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        assert children
        wait_for(lambda pids=children: not any(map(is_there, pids)))
    assert 0 < len(read_runs(tmp_path)) < 32
    # Half a row, as a crash of the machine leaves it.
    with next((tmp_path / "batch").glob("runs-*.jsonl")).open("a") as rows:
        rows.write('{"run_id":"CA-winter')
    said = run_batch(make_lab(tmp_path, config), SameProcess())
    assert said["failed"] == 0
    assert read_runs(tmp_path) == undisturbed


def test_workers_that_are_killed_lose_no_run(tmp_path: Path, undisturbed: dict[str, dict]) -> None:
    process = start_batch(
        tmp_path,
        configure(batch_simulation={"execution": {"checkpoint_interval": 2, "max_retries": 5}}),
    )
    lines = [process.stdout.readline()]
    for child in list_children(process.pid):
        # Some of them end by themselves meanwhile.
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
    lines += process.communicate(timeout=300)[0].splitlines()
    assert json.loads(lines[-1])["failed"] == 0
    assert read_runs(tmp_path) == undisturbed


def test_runs_that_fail_are_named_and_the_others_are_made(
    tmp_path: Path, undisturbed: dict[str, dict]
) -> None:
    lab = make_lab(tmp_path, configure(batch_simulation={"execution": {"max_retries": 1}}))
    plan = BatchPlan.of(lab)
    # A network of five inputs where four are seen: what it stands for cannot be run.
    damaged = replace(
        plan,
        controllers=(*plan.controllers[:2], "custom"),
        trained={"custom": replace(make_network(), sizes=make_network(steps=1).sizes[:0])},
    )
    collection = BatchCollection.open(damaged, lab.batch, RowForm())
    collection.work_off(SameProcess())
    failed = list(read_rows(lab.batch, "failed"))
    assert len(failed) == len(collection.failed) == 8
    assert {row["controller"] for row in failed} == {"custom"}
    assert all(row["error"] for row in failed)
    assert read_runs(tmp_path) == {
        name: row for name, row in undisturbed.items() if row["controller"].startswith("naive")
    }


def test_another_configuration_is_refused_in_the_same_folder_and_anew_means_anew(
    tmp_path: Path,
) -> None:
    one = {"variations": {"num_variations": 1}}
    run_batch(make_lab(tmp_path, configure(batch_simulation=one)), SameProcess())
    begun = read_runs(tmp_path)
    with pytest.raises(ConflictError, match="made differently"):
        run_batch(
            make_lab(
                tmp_path, configure(batch_simulation=one, simulation={"task_interval_seconds": 30})
            ),
            SameProcess(),
        )
    assert read_runs(tmp_path) == begun
    again = configure(
        batch_simulation=one | {"execution": {"resume_on_failure": False}},
        simulation={"task_interval_seconds": 30},
    )
    assert run_batch(make_lab(tmp_path, again), SameProcess())["made_now"] == 16
    assert {row["tasks"] for row in read_runs(tmp_path).values()} == {2880}


def test_two_batches_never_share_a_folder(tmp_path: Path) -> None:
    with hold_folder(tmp_path / "batch"), pytest.raises(ConflictError):
        run_batch(make_lab(tmp_path), SameProcess())


def test_a_full_disk_is_said_and_the_batch_goes_on_later(
    tmp_path: Path, undisturbed: dict[str, dict]
) -> None:
    config = configure()
    process = subprocess.run(
        [*start_command(tmp_path, config)],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)),
    )
    assert process.returncode != 0
    assert "Make room, and run it again: it goes on." in process.stderr.splitlines()[-1]
    assert 0 < len(list(read_rows(tmp_path / "batch", "runs"))) < 32
    run_batch(make_lab(tmp_path, config), SameProcess())
    assert read_runs(tmp_path) == undisturbed
