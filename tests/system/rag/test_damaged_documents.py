"""Damaged files of every format: read or refused, never a hang, never a code that nobody knows."""

import subprocess
import sys
from collections import Counter
from typing import get_args

from services.rag.extraction.model import FaultCode
from tests.support.documents import sample_files
from tests.support.suite.tables import each_row

COPIES = 200


def read_copies(name: str, seed: int) -> list[str]:
    command = [sys.executable, "-m", "tests.support.documents.damaged_files", name, str(seed), str(COPIES - seed)]
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False, timeout=300).stdout.split()


def outcomes(name: str) -> Counter[str]:
    """How each copy ended; one that takes the reader down counts as crashed, and the next ones are read anew."""
    found: list[str] = []
    while len(found) < COPIES:
        found += read_copies(name, len(found))
        found += ["crashed"] * (len(found) < COPIES)
    return Counter(found)


@each_row("name", sample_files.SAMPLES)
def test_a_damaged_file_is_read_or_refused(name: str) -> None:
    found = outcomes(name)
    assert found.total() == COPIES
    assert set(found) <= {"ok", *get_args(FaultCode)}
    # Readers that die over every tenth damaged file would not be kept.
    assert found["crashed"] < COPIES / 10
