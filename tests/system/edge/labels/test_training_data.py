"""Rows of labelled scenarios: the same from one process and from several, and whole after kills and
full disks.
"""

import multiprocessing
import os
import resource
import signal
import time
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from luna.energy.errors import MachineError
from services.edge.lab import Lab
from services.edge.labels.training_data import write_training_data
from services.edge.row_files import list_parts, read_rows
from services.edge.workers import map_in_order
from tests.unit.edge.conftest import MakeLab

DATA = {"num_scenarios": 450, "batch_size": 50}


def read(lab: Lab) -> bytes:
    return b"".join(part.read_bytes() for part in list_parts(lab.training, "training"))


def test_rows_say_scenario_and_label(make_lab: MakeLab) -> None:
    lab = make_lab(training_data=DATA)
    heard = []
    figures = write_training_data(lab)
    rows = list(read_rows(lab.training, "training"))
    assert [row["number"] for row in rows] == list(range(450))
    assert all(len(row["expected"]) == 24 for row in rows)
    assert figures["labels"] == figures["made_now"] == sum(figures["models"].values()) == 450
    assert figures["charge_share"] == pytest.approx(
        sum(row["charge"] for row in rows) / 450, abs=1e-4
    )
    assert all((row["charge_benefit_wh"] > 0) == (row["charge"] == 1) for row in rows)
    # Where nothing is missed, stored energy saves what is bought later, never more than all of it.
    assert all(
        0 <= row[name] <= 1
        for row in rows
        if row["battery_percent"] > 60
        for name in ("stored_value", "stored_value_expected")
    )
    assert figures["stand_ins"] == ["CA", "FL", "NW", "NY"]
    assert not heard


def test_several_workers_write_what_one_writes(make_lab: MakeLab, tmp_path: Path) -> None:
    alone = make_lab(training_data=DATA)
    together = make_lab(workers=3, training_data=DATA)
    write_training_data(alone)
    first = read(alone)
    for part in list_parts(alone.training, "training"):
        part.unlink()
    assert write_training_data(together)["made_now"] == 450
    assert read(together) == first


def square_after_a_death(lab: Lab, item: int) -> int:
    """The worker that gets item 7 for the first time dies, as if for want of memory."""
    fallen = lab.out / "fallen"
    if item == 7 and not fallen.exists():
        fallen.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return item * item


def die(lab: Lab, item: int) -> int:
    os._exit(1)


def test_what_a_dead_worker_had_is_done_again_in_order(make_lab: MakeLab) -> None:
    lab = make_lab(workers=2)
    lab.out.mkdir()
    assert list(map_in_order(square_after_a_death, range(30), lab)) == [
        item * item for item in range(30)
    ]
    assert (lab.out / "fallen").exists()


def test_workers_that_only_die_are_given_up(make_lab: MakeLab) -> None:
    with pytest.raises(MachineError, match="workers died"):
        list(map_in_order(die, range(5), make_lab(workers=2)))


def list_children(process: int) -> list[int]:
    return [
        int(child)
        for task in Path(f"/proc/{process}/task").iterdir()
        for child in (task / "children").read_text().split()
    ]


def wait_for_bytes(run: BaseProcess, part: Path, least: float) -> None:
    while run.is_alive() and not (part.exists() and part.stat().st_size > least):
        time.sleep(0.005)


def runs(process: int) -> bool:
    """One that has ended and that nobody has asked about yet does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except OSError:
        return False


def wait_until_gone(processes: list[int]) -> None:
    while any(runs(process) for process in processes):
        time.sleep(0.005)


def test_a_run_that_was_killed_goes_on_and_leaves_no_worker(make_lab: MakeLab) -> None:
    lab = make_lab(workers=2, training_data=DATA)
    write_training_data(lab)
    whole = read(lab)
    (part,) = list_parts(lab.training, "training")
    part.unlink()
    for share in (0.2, 0.6):
        run = multiprocessing.get_context("fork").Process(target=write_training_data, args=(lab,))
        run.start()
        wait_for_bytes(run, part, share * len(whole))
        workers = list_children(run.pid or 0)
        os.kill(run.pid or 0, signal.SIGKILL)
        run.join()
        wait_until_gone(workers)
    assert write_training_data(lab)["labels"] == 450
    assert read(lab) == whole


def test_a_full_disk_is_said_and_a_rerun_goes_on(make_lab: MakeLab) -> None:
    lab = make_lab(workers=2, training_data=DATA)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (70_000, before[1]))
    try:
        with pytest.raises(MachineError, match="Make room"):
            write_training_data(lab)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    there = len(list(read_rows(lab.training, "training")))
    assert 0 < there < 450
    assert write_training_data(lab)["made_now"] == 450 - there
    assert [row["number"] for row in read_rows(lab.training, "training")] == list(range(450))
