"""How long each test file takes, as a committed table: ``seconds path``, sorted by path."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from xml.etree import ElementTree as ET

TABLE = Path("tests/durations.txt")
# What takes less is not listed.
LEAST_SECONDS = 0.5
UNKNOWN_SECONDS = 0.3
# Nothing in there is quick: one that nobody has timed yet is not taken for a trifle.
SLOW_FOLDER, SLOW_SECONDS = "tests/system/", 30.0

Durations = Mapping[str, float]


def duration_of(test: str, durations: Durations) -> float:
    """Return how many seconds a test file takes, or may be expected to."""
    return durations.get(test, SLOW_SECONDS if test.startswith(SLOW_FOLDER) else UNKNOWN_SECONDS)


def read_durations(table: Path) -> dict[str, float]:
    """Return the seconds of each listed test file; none where there is no table."""
    lines = table.read_text().splitlines() if table.exists() else []
    return {path: float(seconds) for seconds, path in (line.split(maxsplit=1) for line in lines if line.strip())}


def record_durations(root: Path, reports: Iterable[Path]) -> int:
    """Write the table from pytest's ``--junit-xml`` reports and return its length; files that no report names keep their line while they exist."""
    table = root / TABLE
    found = {path: seconds for path, seconds in read_durations(table).items() if (root / path).exists()}
    timed: dict[str, float] = {}
    for report in reports:
        for path, seconds in _sum_report(root, report).items():
            timed[path] = max(seconds, timed.get(path, 0.0))
    found |= timed
    listed = {path: seconds for path, seconds in found.items() if seconds >= LEAST_SECONDS or path.startswith(SLOW_FOLDER)}
    table.write_text("".join(f"{seconds:.1f} {path}\n" for path, seconds in sorted(listed.items())))
    return len(listed)


def _sum_report(root: Path, report: Path) -> dict[str, float]:
    seconds: defaultdict[str, float] = defaultdict(float)
    for case in ET.parse(report).iter("testcase"):  # noqa: S314 - written by pytest on this machine
        path = _find_file(root, case.get("classname", ""))
        if path is not None:
            seconds[path] += float(case.get("time", 0.0))
    return dict(seconds)


def _find_file(root: Path, dotted: str) -> str | None:
    """Return the test file of a case; what follows its name is a class."""
    parts = dotted.split(".")
    for size in range(len(parts), 0, -1):
        path = f"{'/'.join(parts[:size])}.py"
        if (root / path).is_file():
            return path
    return None
