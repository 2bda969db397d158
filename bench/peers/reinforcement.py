"""Stable-baselines3 beside Luna: a process of its own, with Luna's libraries and, of the peers'
environment, what Luna lacks.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from bench.peers.install import PYTHON, ROOT, is_installed

PATIENCE_S = 3600


def learn_by_stable_baselines(fast_steps: int, default_steps: int) -> dict[str, Any] | None:
    """Return steps per second and what was learned, ``fast`` and by ``default``.

    None where it is not installed.
    """
    found = list((PYTHON.parents[1] / "lib").glob("python*/site-packages/stable_baselines3"))
    if not is_installed() or not found:
        return None
    command = [
        sys.executable,
        "-m",
        "bench.peers.stable_baselines3_cases",
        str(found[0].parent),
        str(fast_steps),
        str(default_steps),
    ]
    one_thread = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    done = subprocess.run(
        command,
        check=True,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        cwd=Path(ROOT),
        env=os.environ | one_thread,
    )
    return dict(json.loads(done.stdout.splitlines()[-1]))
