"""What a newcomer's first minutes cost: ``make demo`` in a fresh clone with an environment of its
own, once more when everything is there, and the megabytes.

Run as ``python -m bench.first_run``. It needs what pip and uv install from: their caches, or a
registry. Downloads of the demo's year are taken from this
checkout's cache; nothing else is. CPU seconds are those of every process that the command started.
A second here is no second elsewhere, nor the next minute: beside them stand loops, each the CPU
seconds in which plain Python adds 30 million times, by shorter ones again and again while the
command runs.
"""

import ctypes
import json
import os
import resource
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, wait
from multiprocessing import get_context
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

from luna.energy.errors import MachineError
from luna.platform.settings import load_settings

CHECKOUT = Path(__file__).parents[1]
LOOP = "total = 0\nfor _ in range(2_000_000):\n    total += 1\n"
# So many short ones are one of 30 million; with a pause between two of them they take about a
# twentieth of a core.
SHORT_ONES = 15
PAUSE_S = 3.0
INSTALL = "Let pip and uv reach a registry, or fill their caches: make setup."
# Of this environment and this machine's owner: a newcomer has none of it.
OTHERS = ("LUNA_", "NUMBA_", "PYTHON", "VIRTUAL_ENV", "MAKE", "MFLAGS")
# Source: Linux, prctl(2).
PR_SET_CHILD_SUBREAPER = 36


def measure() -> dict[str, Any]:
    """Return CPU seconds and loops of a cold and a warm ``make demo``, what of the cold one
    installed, and the environment's megabytes.

    Raises:
        MachineError: there is no checkout to clone, or nothing to install from.
    """
    environment = newcomers_environment()
    with tempfile.TemporaryDirectory(prefix="luna-first-run-") as folder:
        clone = clone_checkout(Path(folder))
        installed = _run(["make", ".venv/.core"], clone, environment, INSTALL)
        first = _run(["make", "demo"], clone, environment, "See the demo's own words.")
        warm = _run(["make", "demo"], clone, environment, "See the demo's own words.")
        size = subprocess.run(
            ["du", "--summarize", "--block-size=1000000", ".venv"],
            cwd=clone,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    return {
        "cold_cpu_s": installed.cpu_s + first.cpu_s,
        "installed_cpu_s": installed.cpu_s,
        "warm_cpu_s": warm.cpu_s,
        "cold_loop_s": first.loop_s,
        "warm_loop_s": warm.loop_s,
        "cold_loops": installed.loops + first.loops,
        "warm_loops": warm.loops,
        "environment_mb": float(size.split()[0]),
    }


def newcomers_environment() -> dict[str, str]:
    """Return this process's environment without what a newcomer has not: another Python's settings,
    and Luna's but for the folder of downloads.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OTHERS)}
    return kept | {"LUNA_CACHE_FOLDER": str(load_settings().cache.resolve())}


def clone_checkout(folder: Path) -> Path:
    """Clone what this checkout has committed into ``folder`` and return where it lies.

    Raises:
        MachineError: git knows no checkout here.
    """
    clone = folder / "luna"
    cloned = subprocess.run(
        ["git", "clone", "--quiet", str(CHECKOUT), str(clone)],
        capture_output=True,
        text=True,
        check=False,
    )
    if cloned.returncode:
        raise MachineError(
            f"git clone failed: {cloned.stderr.strip()}",
            value=str(CHECKOUT),
            remedy="Run it in a checkout that git knows.",
        )
    return clone


class Spent(NamedTuple):
    """CPU seconds of a command and all that it started, also of what it did not wait for, and of a
    loop meanwhile.
    """

    cpu_s: float
    loop_s: float

    @property
    def loops(self) -> float:
        """How many loops would have taken as long."""
        return self.cpu_s / self.loop_s


def _time_loop() -> float:
    begun = time.thread_time()
    exec(LOOP, {})  # noqa: S102 - as a script's own loop, whose names are global
    return (time.thread_time() - begun) * SHORT_ONES


def _run(
    command: Sequence[str], folder: Path, environment: Mapping[str, str], remedy: str
) -> Spent:
    loops: list[float] = []
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as alone:
        running = alone.submit(_spend, command, folder, dict(environment))
        while not loops or not running.done():
            loops.append(_time_loop())
            wait([running], PAUSE_S)
        code, words, seconds = running.result()
    if code:
        raise MachineError(
            f"{' '.join(command[:2])} failed: {words[-1] if words else 'it said nothing'}",
            value=code,
            remedy=remedy,
        )
    return Spent(seconds, fmean(loops))


def _spend(
    command: Sequence[str], folder: Path, environment: Mapping[str, str]
) -> tuple[int, list[str], float]:
    """Run a command.

    Return how it ended, its words and its seconds. In a process of its own: what it has not waited
    for becomes that one's child.
    """
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    try:
        while True:
            os.wait()
    except ChildProcessError:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return done.returncode, done.stdout.strip().splitlines(), used.ru_utime + used.ru_stime


def main() -> None:
    print(json.dumps(measure(), indent=2))


if __name__ == "__main__":
    main()
