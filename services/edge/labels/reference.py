"""Labels by OR-Tools, which the dynamic programme is checked by; some thousand times slower.

OR-Tools and highspy, which the planner solves with, each bring a HiGHS of their own under one name,
and whoever is loaded second finds the other's and fails. So OR-Tools is loaded by a program of its
own, once per batch.
"""

import io
import subprocess
import sys
from dataclasses import fields
from typing import TypeVar

import numpy as np

from luna.energy.errors import MachineError
from services.edge.labels.problem import LabelProblem, Labels

Arrays = TypeVar("Arrays", LabelProblem, Labels)


def solve_problems(problem: LabelProblem) -> Labels:
    """Return the labels of problems.

    Raises:
        MachineError: the solver cannot be loaded, or gave up.
    """
    process = subprocess.run(
        [sys.executable, "-m", "services.edge.labels.mixed_integer"],
        input=pack(problem),
        capture_output=True,
        check=False,
    )
    if process.returncode:
        detail = process.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise MachineError(
            "OR-Tools found no labels",
            field="optimization.solver",
            value=detail,
            remedy='Take the exact dynamic programme: "dp".',
        )
    return unpack(process.stdout, Labels)


def pack(arrays: Arrays) -> bytes:
    """Return arrays as bytes."""
    packed = io.BytesIO()
    np.savez(packed, **{field.name: getattr(arrays, field.name) for field in fields(arrays)})
    return packed.getvalue()


def unpack(packed: bytes, kind: type[Arrays]) -> Arrays:
    """Return what ``pack`` made bytes of."""
    with np.load(io.BytesIO(packed)) as arrays:
        return kind(**arrays)
