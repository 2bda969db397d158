"""What ``luna up`` makes of what its companions log."""

import io
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from luna.platform.memory import affordable_processes
from luna.platform.settings import Settings
from luna.platform.supervision.companions import (
    COMPANIONS,
    ONE_WORKER,
    Companion,
    choose_companions,
    has_one_worker,
    pass_on_log,
)
from luna.platform.telemetry import RECENT_LINES

TALKER = "import sys; sys.stderr.writelines(f'line {number}\\n' for number in range(50_000))"


def test_a_log_on_a_full_disk_holds_up_no_companion(monkeypatch: pytest.MonkeyPatch) -> None:
    full = io.TextIOWrapper(io.BufferedWriter(io.FileIO("/dev/full", "w")))
    # In the test itself: pytest sets its own before each step.
    monkeypatch.setattr(sys, "stderr", full)
    with subprocess.Popen([sys.executable, "-c", TALKER], stderr=subprocess.PIPE) as companion:
        pass_on_log(companion)
        assert companion.wait(60) == 0
    assert RECENT_LINES[-1] == "line 49999"
    with suppress(OSError):
        full.close()


class Terminal(io.TextIOWrapper):
    def isatty(self) -> bool:
        return True


def test_a_companions_log_on_a_terminal_is_for_people(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stderr", Terminal(written))
    line = '{"event": "ready", "level": "info", "service": "worker"}'
    with subprocess.Popen(
        [sys.executable, "-c", f"import sys; sys.stderr.write('{line}')"], stderr=subprocess.PIPE
    ) as companion:
        pass_on_log(companion)
    assert written.getvalue().split() == [b"info", b"worker:", b"ready"]
    assert RECENT_LINES[-1] == line


def test_urgent_jobs_have_a_worker_of_their_own_where_more_than_one_job_is_allowed() -> None:
    assert has_one_worker(Settings()) == (affordable_processes() == 1)
    assert choose_companions(Settings(worker_processes=1)) == COMPANIONS


def test_one_worker_serves_all_that_two_serve_and_all_else_runs_beside_it() -> None:
    [only] = ONE_WORKER.values()
    prompt = {f"{service}.interactive" for service in COMPANIONS["interactive worker"][1:6]}
    assert set(COMPANIONS["worker"]) | prompt <= set(only)


class ShortOfMemory:
    """Starts processes, from the second on."""

    def __init__(self) -> None:
        self.refused, self.started = False, threading.Event()
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, _words: Sequence[str]) -> subprocess.Popen[bytes]:
        if not self.refused:
            self.refused = True
            raise BlockingIOError("cannot fork")
        sleeper = [sys.executable, "-c", "import time; time.sleep(600)"]
        self.process = subprocess.Popen(
            sleeper, stdin=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
        )
        self.started.set()
        return self.process


def test_a_companion_that_cannot_be_started_now_is_started_later(tmp_path: Path) -> None:
    starter = ShortOfMemory()
    stop = threading.Event()
    companion = Companion(
        "executor",
        ["executor"],
        Settings(data_folder=tmp_path),
        threading.Event(),
        starter=starter,
        polls_devices=lambda: False,
    )
    watch = threading.Thread(target=companion.keep_running, args=(stop,), daemon=True)
    watch.start()
    assert starter.started.wait(60)
    stop.set()
    watch.join(60)
    assert starter.process is not None
    assert starter.process.poll() is not None
