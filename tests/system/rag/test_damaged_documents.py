"""Damaged files of every format: read or refused, never a hang, never a code that nobody knows."""

import subprocess
import sys
from collections import Counter
from typing import get_args

import pytest

from services.rag.extraction.model import FaultCode
from tests.support.documents import sample_files
from tests.support.suite.depth import LONG
from tests.support.suite.tables import each_row

COPIES = 200 if LONG else 20


def read_copies(begun: dict[str, int]) -> list[list[str]]:
    """Read what is left of each sample's copies in one process.

    Return name and outcome of those that it came to.
    """
    places = [f"{name}:{number}" for name, number in begun.items()]
    command = [sys.executable, "-m", "tests.support.documents.damaged_files", str(COPIES), *places]
    said = subprocess.run(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=False,
        timeout=300,
    )
    return [line.split() for line in said.stdout.splitlines()]


def outcomes() -> dict[str, list[str]]:
    """Return how each copy ended.

    One that takes the reader down counts as crashed, and the next ones are read anew.
    """
    found: dict[str, list[str]] = {name: [] for name in sample_files.SAMPLES}
    while left := {name: len(ends) for name, ends in found.items() if len(ends) < COPIES}:
        for name, end in read_copies(left):
            found[name].append(end)
        unread = [ends for ends in found.values() if len(ends) < COPIES]
        for ends in unread[:1]:
            ends.append("crashed")
    return found


@pytest.fixture(scope="module")
def found() -> dict[str, list[str]]:
    return outcomes()


@each_row("name", sample_files.SAMPLES)
def test_a_damaged_file_is_read_or_refused(found: dict[str, list[str]], name: str) -> None:
    ends = Counter(found[name])
    assert ends.total() == COPIES
    assert set(ends) <= {"ok", *get_args(FaultCode)}
    # Readers that die over every tenth damaged file would not be kept.
    assert ends["crashed"] < COPIES / 10
