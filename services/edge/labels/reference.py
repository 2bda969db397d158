"""Solve labels by OR-Tools to check the dynamic programme; some thousand times slower.

OR-Tools and the planner's solver highspy each bring their own HiGHS under the same name; loading
both into one process fails. So a separate program loads OR-Tools, once per batch.
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
    """Return the arrays in bytes of ``pack``."""
    with np.load(io.BytesIO(packed)) as arrays:
        return kind(**arrays)
