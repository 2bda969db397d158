"""How long each test file takes, as a committed table: the seconds of all its tests, those of the
longest one, and its path.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

OPTION = "--record-durations"
TABLE = Path("tests/durations.txt")
# What takes less is not listed.
LEAST_SECONDS = 0.5
UNKNOWN_SECONDS = 0.3
# Nothing in there is quick: one that nobody has timed yet is not taken for a trifle.
SLOW_FOLDER = "tests/system/"
SLOW_SECONDS = 30.0

Durations = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class FileDuration:
    """Seconds of a file's tests together, and of its longest test."""

    seconds: float
    longest: float


NOTHING = FileDuration(0.0, 0.0)


def duration_of(test: str, durations: Durations) -> float:
    """Return how many seconds a test file takes, or may be expected to."""
    return durations.get(test, SLOW_SECONDS if test.startswith(SLOW_FOLDER) else UNKNOWN_SECONDS)


def read_durations(table: Path) -> dict[str, float]:
    """Return the seconds of each listed test file; none where there is no table."""
    return {path: duration.seconds for path, duration in read_table(table).items()}


def read_table(table: Path) -> dict[str, FileDuration]:
    """Return the duration of each listed test file; none where there is no table."""
    if not table.exists():
        return {}
    rows = [line.split(maxsplit=2) for line in table.read_text().splitlines() if line.strip()]
    return {path: FileDuration(float(seconds), float(longest)) for seconds, longest, path in rows}


def write_table(table: Path, timed: Mapping[str, FileDuration], *, root: Path) -> None:
    """Write the durations of a run; files that were not in it keep their line while they exist."""
    found = {
        path: duration for path, duration in read_table(table).items() if (root / path).exists()
    } | dict(timed)
    listed = {
        path: duration
        for path, duration in found.items()
        if duration.seconds >= LEAST_SECONDS or path.startswith(SLOW_FOLDER)
    }
    lines = [
        f"{duration.seconds:.1f} {duration.longest:.1f} {path}\n"
        for path, duration in sorted(listed.items())
    ]
    table.write_text("".join(lines))


class DurationRecorder:
    """The plug-in of ``--record-durations``; it lives in the process that distributes the tests."""

    def __init__(self, config: pytest.Config) -> None:
        self._root = config.rootpath
        self._timed: dict[str, FileDuration] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        path = report.nodeid.partition("::")[0]
        # What a test waits for in its set-up is often shared: it counts to the file.
        longest = report.duration if report.when == "call" else 0.0
        before = self._timed.get(path, NOTHING)
        self._timed[path] = FileDuration(
            before.seconds + report.duration, max(before.longest, longest)
        )

    def pytest_sessionfinish(self) -> None:
        write_table(self._root / TABLE, self._timed, root=self._root)


def add_option(parser: pytest.Parser) -> None:
    parser.addoption(
        OPTION, action="store_true", help=f"write how long each file takes into {TABLE}"
    )


def register(config: pytest.Config) -> None:
    """Record durations where the option asks for it.

    Once, in the process that distributes the tests.
    """
    if config.getoption(OPTION) and not hasattr(config, "workerinput"):
        config.pluginmanager.register(DurationRecorder(config))
