"""Faults put into a copy: which tests are heard, and what is left of a run that is interrupted."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.support.documentation.pages import ROOT
from tests.support.worker.workers import wait_for

# In a process of its own: what was started below it is killed at the end of a run, and below the
# process of a test run the servers of all tests.
TRY = """
import json
import sys
from pathlib import Path

from bench.mutations import Mutation, try_mutation

fault = Mutation("limits", "heat.py", "20", "19", "a warm room")
result = try_mutation(Path(sys.argv[1]), fault, [sys.argv[2]])
print(json.dumps([result.test, result.unsound]))
"""
ALWAYS_FAILS = "def test_cold():\n    assert False\n\n"
FINDS_IT = "def test_warm():\n    assert warm() == 20\n"
FILE = "tests/test_heat.py"
# Plugins that do without what the locks leave out are switched off, as in pyproject.toml.
OPTIONS = "[pytest]\naddopts = -p no:valkey -p no:schemathesis\n"


@pytest.mark.parametrize(
    ("tests", "found"),
    [
        pytest.param(ALWAYS_FAILS + FINDS_IT, f"{FILE}::test_warm", id="found by another"),
        pytest.param(ALWAYS_FAILS, None, id="found by none", marks=pytest.mark.long),
    ],
)
def test_what_fails_without_the_fault_too_is_named_and_finds_nothing(
    tests: str, found: str | None, tmp_path: Path
) -> None:
    (tmp_path / ".venv").symlink_to(ROOT / ".venv")
    (tmp_path / "pytest.ini").write_text(OPTIONS)
    source = tmp_path / "heat.py"
    source.write_text("def warm():\n    return 20\n")
    # Python compiles a file of the same size anew only where it was changed in another second.
    os.utime(source, (0, 0))
    (tmp_path / "tests").mkdir()
    (tmp_path / FILE).write_text(f"from heat import warm\n\n{tests}")
    tried = subprocess.run(
        [sys.executable, "-c", TRY, str(tmp_path), FILE],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(tried.stdout.splitlines()[-1]) == [found, [f"{FILE}::test_cold"]]


# It copies the repository and begins a test run in it; nobody but who runs the bench meets it.
@pytest.mark.long
def test_an_interrupted_run_leaves_neither_processes_nor_folders(tmp_path: Path) -> None:
    run = subprocess.Popen(
        [sys.executable, "-m", "bench.mutations", "--only", "12", "--suite", "test"],
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(tmp_path)},
    )
    try:
        # Its tests have begun once one of their processes has others.
        wait_for(lambda: len(psutil.Process(run.pid).children(recursive=True)) > 2)
        started = psutil.Process(run.pid).children(recursive=True)
        run.send_signal(signal.SIGTERM)
        assert run.wait(timeout=60) == 128 + signal.SIGTERM
        assert [process for process in started if process.is_running()] == []
        assert [*tmp_path.glob("luna-mutations-*")] == []
    finally:
        run.kill()
