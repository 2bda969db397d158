"""MABWiser beside Luna: hands it the sets as files, reads back its rewards and times."""

import json
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.peers.install import PYTHON, is_installed
from luna.energy.timeline import FloatArray

PATIENCE_S = 1800


def play_mabwiser(sets: Sequence[tuple[FloatArray, FloatArray]]) -> dict[str, Any] | None:
    """Return what MABWiser's policies were rewarded with on sets of contexts and rewards per arm.

    None where it is not installed.
    """
    if not is_installed() or not any(
        (PYTHON.parents[1] / "lib").glob("python*/site-packages/mabwiser")
    ):
        return None
    with tempfile.TemporaryDirectory(prefix="luna-bench-") as folder:
        for number, (contexts, rewards) in enumerate(sets):
            np.savez(Path(folder) / f"set_{number:03d}.npz", contexts=contexts, rewards=rewards)
        command = [str(PYTHON), str(Path(__file__).with_name("mabwiser_cases.py")), folder]
        done = subprocess.run(
            command, check=True, capture_output=True, text=True, timeout=PATIENCE_S
        )
    return dict(json.loads(done.stdout.splitlines()[-1]))
