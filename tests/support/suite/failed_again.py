"""What fails is run once more, alone: in a fresh process, after all others, with the machine to
itself; if it goes on from tests before it, with these.

What passes there is *unsteady*: named, kept with both outputs, and no reason for a red run, as long
as it is in few files. What fails twice is red.
"""

import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

OPTION = "--run-failed-again"
REPORT = Path("var/tests/unsteady.txt")
# In more files it is no bad luck: something about the suite or the machine is broken. Of a file
# that tells one story all fails that comes after.
MOST_UNSTEADY = 3
# Running these again takes minutes, and the run is red whatever comes of it.
MOST_RUN_AGAIN = 25


def add_option(parser: pytest.Parser) -> None:
    parser.addoption(
        OPTION,
        action="store_true",
        help="run what fails once more, alone; what passes there is named as unsteady",
    )


def register(config: pytest.Config) -> None:
    """Have failed tests run again where the option asks for it.

    Once, in the process that distributes them.
    """
    if config.getoption(OPTION) and not hasattr(config, "workerinput"):
        config.pluginmanager.register(FailedAgain(config))


@dataclass(frozen=True)
class Unsteady:
    """A test that failed among others and passed alone."""

    test: str
    failed: str
    passed: str


class FailedAgain:
    """The plug-in; it lives in the process that distributes the tests."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._unsteady: list[Unsteady] = []
        self._verdict = ""

    # Last: the processes that ran the tests, and their servers, are gone by then.
    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        if exitstatus != pytest.ExitCode.TESTS_FAILED:
            return
        terminal: pytest.TerminalReporter = self._config.pluginmanager.getplugin("terminalreporter")
        failed = [report for key in ("failed", "error") for report in terminal.stats.get(key, [])]
        tests = list(dict.fromkeys(report.nodeid for report in failed))
        if len(tests) > MOST_RUN_AGAIN:
            self._verdict = f"{len(tests)} failed: too many to run each again alone"
            return
        files = list(dict.fromkeys(map(file_of, tests)))
        for number, file in enumerate(files, 1):
            again = [test for test in tests if file_of(test) == file]
            terminal.write_line(
                f"\nrun again alone (file {number} of {len(files)}): {', '.join(again)}"
            )
            for test, output in run_alone(again, self._config.rootpath).items():
                self._unsteady.append(
                    Unsteady(
                        test,
                        "\n\n".join(
                            report.longreprtext for report in failed if report.nodeid == test
                        ),
                        output,
                    )
                )
        self._judge(session, terminal, tests)

    def _judge(
        self, session: pytest.Session, terminal: pytest.TerminalReporter, tests: Sequence[str]
    ) -> None:
        if not self._unsteady:
            return
        write_report(self._config.rootpath / REPORT, self._unsteady)
        _count_as_unsteady(terminal, {one.test for one in self._unsteady})
        if (files := len({file_of(one.test) for one in self._unsteady})) > MOST_UNSTEADY:
            self._verdict = f"red: tests of {files} files are unsteady, more than {MOST_UNSTEADY}"
        elif len(self._unsteady) == len(tests):
            session.exitstatus = pytest.ExitCode.OK

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._unsteady:
            terminalreporter.section("unsteady: failed among others, passed alone")
            for one in self._unsteady:
                terminalreporter.write_line(one.test)
            terminalreporter.write_line(f"both outputs: {REPORT}")

    def pytest_unconfigure(self, config: pytest.Config) -> None:
        terminal: pytest.TerminalReporter = config.pluginmanager.getplugin("terminalreporter")
        if self._unsteady:
            terminal.write_line("unsteady: " + ", ".join(one.test for one in self._unsteady))
        if self._verdict:
            terminal.write_line(self._verdict)


def file_of(test: str) -> str:
    return test.partition("::")[0]


def run_alone(tests: Sequence[str], root: Path) -> dict[str, str]:
    """Run tests of one file in a process of their own; return what was printed where they passed.

    One that failed alone among its file may be unlucky, and is run by itself first. It, and
    several, may go on from tests before them: then the file is run.
    """
    passed: dict[str, str] = {}
    for part in [*tests, file_of(tests[0])] if len(tests) == 1 else [file_of(tests[0])]:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rA", part],
            cwd=root,
            capture_output=True,
            text=True,
            check=False,
        )
        passed |= {
            test: done.stdout for test in tests if f"PASSED {test}" in done.stdout.splitlines()
        }
        if len(passed) == len(tests):
            break
    return passed


def write_report(path: Path, unsteady: Iterable[Unsteady]) -> None:
    """Add the tests with both outputs to the file of unsteady tests."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as report:
        for one in unsteady:
            report.write(
                f"{datetime.now(UTC):%Y-%m-%d %H:%M} {one.test}\n\n---- failed among "
                f"others\n{one.failed}\n\n---- passed alone\n{one.passed}\n\n"
            )


def _count_as_unsteady(terminal: pytest.TerminalReporter, tests: set[str]) -> None:
    for key in ("failed", "error"):
        reports = terminal.stats.pop(key, [])
        if rest := [report for report in reports if report.nodeid not in tests]:
            terminal.stats[key] = rest
    terminal.stats["unsteady"] = [
        pytest.CollectReport(test, "passed", None, []) for test in sorted(tests)
    ]
    # The colour was chosen when the tests failed.
    terminal._set_main_color()
