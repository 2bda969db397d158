"""Runs the tests that a change can break, nearest first, within a minute:
``python -m tests.selection [ref]``; ``make test-changed``.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

from tests.selection.durations import TABLE, read_durations
from tests.selection.graph import Repository
from tests.selection.ranking import BUDGET, Selection, select_tests

# As the whole suite has: what waits leaves room for one process more than there are cores.
MOST_PROCESSES = 5


def main(root: Path, words: list[str]) -> int:
    """Carry out one command line and return its exit code."""
    given = _read_options(words)
    try:
        changed = given.files or find_changed(root, given.ref)
    except subprocess.CalledProcessError as error:
        sys.stderr.write(
            f"git does not know what changed since {given.ref}: {error.stderr.strip()}\n"
        )
        return 2
    if not changed:
        _print_lines(f"Nothing changed since {given.ref}.")
        return 0
    repository = Repository(root)
    selection = select_tests(
        changed,
        repository.users_of,
        tests=repository.tests,
        durations=read_durations(root / TABLE),
        budget=given.budget,
    )
    if given.list:
        _print_lines(*(each.test for each in selection.taken))
        return 0
    _describe(selection, changed)
    return _run(root, selection) if selection.taken else 0


def find_changed(root: Path, ref: str) -> list[str]:
    """Return the files that differ from where this branch left ``ref``: committed or not, new ones
    included.
    """
    base = _git(root, "merge-base", ref, "HEAD")[0]
    return sorted(
        {
            *_git(root, "diff", "--name-only", "--no-renames", base),
            *_git(root, "ls-files", "--others", "--exclude-standard"),
        }
    )


def _git(root: Path, *words: str) -> list[str]:
    return subprocess.run(
        ["git", *words], cwd=root, check=True, capture_output=True, text=True
    ).stdout.splitlines()


def _print_lines(*lines: str) -> None:
    # At once: the output of pytest comes after it.
    sys.stdout.writelines(f"{line}\n" for line in lines)
    sys.stdout.flush()


def _describe(selection: Selection, changed: list[str]) -> None:
    for each in selection.taken:
        _print_lines(f"{each.seconds:6.1f} s  {each.tier.name.lower():8}{each.test}")
    count = len(selection.taken)
    left = len(selection.left_out)
    _print_lines(
        f"{len(changed)} changed: {count} test files, {selection.seconds:.0f} s of tests; "
        f"{left} others that the change can reach are left out for time."
    )


def _run(root: Path, selection: Selection) -> int:
    processes = min((os.cpu_count() or 2) + 1, MOST_PROCESSES, len(selection.taken))
    command = [sys.executable, "-m", "pytest", "-n", str(processes), "--run-failed-again"]
    return subprocess.run(
        [*command, *(each.test for each in selection.taken)], cwd=root, check=False
    ).returncode


def _read_options(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.selection",
        description="Run the tests that a change can break, nearest first.",
    )
    parser.add_argument(
        "ref", nargs="?", default="main", help="what the change is compared with (default: main)"
    )
    parser.add_argument(
        "--files", nargs="+", metavar="PATH", help="these files changed; git is not asked"
    )
    parser.add_argument(
        "--budget",
        type=float,
        default=BUDGET,
        help=f"seconds of tests, one after the other (default: {BUDGET:.0f})",
    )
    parser.add_argument(
        "--list", action="store_true", help="print the selected files, and run none"
    )
    return parser.parse_args(words)


if __name__ == "__main__":
    sys.exit(main(Path.cwd(), sys.argv[1:]))
