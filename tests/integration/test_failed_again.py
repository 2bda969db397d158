"""Runs of a small suite of their own, in which some tests fail among others."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.suite.failed_again import MOST_UNSTEADY, REPORT

ROOT = Path(__file__).parents[2]
CONFTEST = """
from tests.support.suite.failed_again import add_option as pytest_addoption
from tests.support.suite.failed_again import register as pytest_configure

__all__ = ["pytest_addoption", "pytest_configure"]
"""
STEADY = "def test_steady():\n    pass\n"
BROKEN = "def test_broken():\n    assert 1 == 2\n"
# Fails where it finds that nobody ran it before, as a test fails that is unlucky once.
UNLUCKY = """
from pathlib import Path
import pytest
@pytest.mark.parametrize("number", range({count}))
def test_unlucky(number):
    mark = Path(f"ran-{{number}}")
    if not mark.exists():
        mark.touch()
        assert "bad luck" == "good luck"
"""
# Each test goes on from where the one before ends; at the named place there is bad luck, once.
STORY = """
from pathlib import Path
steps = []
def live(step):
    with Path("runs").open("a") as runs:
        runs.write(f"{{step}} ")
    assert len(steps) == step
    mark = Path("ran-story")
    if step == {unlucky} and not mark.exists():
        mark.touch()
        assert "bad luck" == "good luck"
    steps.append(step)
def test_begins():
    live(0)
def test_goes_on():
    live(1)
def test_ends():
    live(2)
"""


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_steady.py").write_text(STEADY)
    return tmp_path


def run(suite: Path, *options: str) -> tuple[int, str]:
    plain = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    # Of the plug-ins that are installed one is needed; loading the others takes most of a second in
    # each process.
    environment = plain | {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "xdist",
        "--run-failed-again",
        *options,
    ]
    done = subprocess.run(
        command, cwd=suite, env=environment, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout


def test_what_passes_alone_is_named_with_both_outputs_and_the_run_is_green(suite: Path) -> None:
    (suite / "test_unlucky.py").write_text(UNLUCKY.format(count=1))
    code, output = run(suite, "-n", "2")
    report = (suite / REPORT).read_text()
    assert code == 0
    assert output.splitlines()[-1] == "unsteady: test_unlucky.py::test_unlucky[0]"
    assert "1 passed, 1 unsteady in " in output
    assert "FAILED" not in output
    assert (
        report.index("assert 'bad luck' == 'good luck'")
        < report.index("---- passed alone")
        < report.index("1 passed in ")
    )


def test_what_fails_twice_is_red_also_beside_what_passes_alone(suite: Path) -> None:
    (suite / "test_broken.py").write_text(BROKEN)
    (suite / "test_unlucky.py").write_text(UNLUCKY.format(count=1))
    code, output = run(suite)
    assert code == 1
    assert "FAILED test_broken.py::test_broken" in output
    assert "FAILED test_unlucky.py" not in output
    assert "1 failed, 1 passed, 1 unsteady in " in output


@pytest.mark.long
def test_more_unsteady_files_than_bad_luck_explains_are_red(suite: Path) -> None:
    for number in range(MOST_UNSTEADY + 1):
        (suite / f"test_unlucky_{number}.py").write_text(
            UNLUCKY.format(count=1).replace("ran-", f"ran-{number}-")
        )
    code, output = run(suite)
    assert code == 1
    assert (
        output.splitlines()[-1]
        == f"red: tests of {MOST_UNSTEADY + 1} files are unsteady, more than {MOST_UNSTEADY}"
    )


@pytest.mark.long
def test_what_goes_on_from_a_test_before_it_is_run_again_with_it(suite: Path) -> None:
    (suite / "test_story.py").write_text(STORY.format(unlucky=2))
    code, output = run(suite)
    assert code == 0, output
    assert output.splitlines()[-1] == "unsteady: test_story.py::test_ends"


@pytest.mark.long
def test_a_story_that_broke_is_run_again_once(suite: Path) -> None:
    (suite / "test_story.py").write_text(STORY.format(unlucky=0))
    code, output = run(suite)
    assert code == 0, output
    assert output.splitlines()[-1] == (
        "unsteady: test_story.py::test_begins, test_story.py::test_goes_on, "
        "test_story.py::test_ends"
    )
    assert (suite / "runs").read_text().split() == ["0", "1", "2"] * 2
