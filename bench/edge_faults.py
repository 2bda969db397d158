"""Faults of the camera lab: ``python -m bench.edge_faults``.

One run without a fault is what others are held against, row by row.

Killed: the whole process group of ``luna edge run`` at random moments, again and again until it has
ended by itself. A worker dies: one of its children is killed. Damaged rows: some lines of the CSVs
are. A full disk: files may grow no further for a while, then they may. Each time the same command
is given again, and what is there at last has to be what the run without a fault made: no row lost,
doubled or different.
"""

import argparse
import json
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from luna.energy.errors import MachineError
from services.edge.clean_share import (
    FILES,
    SHARE_COLUMN,
    TIME_COLUMN,
    YEAR_SLOTS,
    draw_clean_share,
    instants_of,
)
from services.edge.row_files import read_rows

KILLS = 20
FULL_DISK_BYTES = 400_000
MOST_STARTS = 60
# What a row says of the machine, not of the camera.
_NOT_COMPARED = {"seconds"}
CONFIG: dict[str, Any] = {
    "training_data": {"num_scenarios": 6000, "batch_size": 500, "output": {"max_file_size_mb": 1}},
    "controller_training": {
        "model": {"ensemble_size": 2},
        "training": {"epochs": 30, "checkpoint_interval": 5},
    },
    "simulation": {"duration_days": 2},
    "batch_simulation": {
        "variations": {"num_variations": 2},
        "execution": {"checkpoint_interval": 8},
    },
    "data_sources": {"locations": ["CA", "NW"], "seasons": ["winter", "summer"]},
    "results": {"visualization": {"enabled": False}},
}


@dataclass(frozen=True, slots=True)
class Scene:
    """A folder with a configuration and clean shares, and the seed of runs in it."""

    folder: Path
    seed: int

    def command(self, out: Path) -> list[str]:
        """Return the command of a run into a folder."""
        config = str(self.folder / "config.jsonc")
        luna = str(Path(sys.executable).with_name("luna"))
        return [
            luna,
            "edge",
            "run",
            "--config",
            config,
            "--energy-data",
            str(self.folder / "energy-data"),
            "--out",
            str(out),
            "--seed",
            str(self.seed),
            "--json",
        ]

    def run(self, out: Path, *, limit: int | None = None) -> subprocess.CompletedProcess[str]:
        """Run to the end; files may grow to ``limit`` bytes, None: as far as they like."""

        def bound() -> None:
            if limit is not None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

        return subprocess.run(
            self.command(out),
            capture_output=True,
            text=True,
            check=False,
            preexec_fn=bound,
            env=_environment(),
        )


def _environment() -> dict[str, str]:
    return os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


def write_scene(
    folder: Path, seed: int, damaged: Mapping[str, Callable[[list[str]], None]] | None = None
) -> Scene:
    """Write configuration and the years of all locations; ``damaged`` changes the lines of some."""
    (folder / "energy-data").mkdir(parents=True, exist_ok=True)
    (folder / "config.jsonc").write_text(json.dumps(CONFIG), encoding="utf-8")
    at = [str(instant).replace("T", " ") + ":00" for instant in instants_of(np.arange(YEAR_SLOTS))]
    for location in CONFIG["data_sources"]["locations"]:
        share = draw_clean_share(location).share
        lines = [
            f"{TIME_COLUMN},{SHARE_COLUMN}",
            *(f"{when},{100 * value:.2f}" for when, value in zip(at, share, strict=True)),
        ]
        if damaged and location in damaged:
            damaged[location](lines)
        (folder / "energy-data" / FILES[location]).write_text(
            "\n".join(lines) + "\n", encoding="utf-8"
        )
    return Scene(folder, seed)


def read_result(out: Path) -> dict[str, list[str]]:
    """Return the rows of a run that can be compared, each as text, in the order of what they are
    about.
    """

    def texts(rows: Iterator[dict[str, Any]]) -> list[str]:
        return sorted(
            json.dumps(
                {name: value for name, value in row.items() if name not in _NOT_COMPARED},
                sort_keys=True,
            )
            for row in rows
        )

    return {
        "training": texts(read_rows(out / "training", "training")),
        "runs": texts(read_rows(out / "batch", "runs")),
    }


def compare(found: Mapping[str, list[str]], expected: Mapping[str, list[str]]) -> dict[str, int]:
    """Return how many rows are lost, doubled and different."""
    figures = {"lost": 0, "doubled": 0, "different": 0}
    for name, rows in expected.items():
        there = found[name]
        figures["doubled"] += len(there) - len(set(there))
        missing = len(set(rows) - set(there))
        strange = len(set(there) - set(rows))
        figures["different"] += min(missing, strange)
        figures["lost"] += missing - min(missing, strange)
        figures["doubled"] += strange - min(missing, strange)
    return figures


def kill_again_and_again(
    scene: Scene, out: Path, moments: random.Random, *, kills: int, seconds: float
) -> dict[str, Any]:
    """Kill a run at random moments of what it takes undisturbed, then let it end."""
    for _ in range(kills):
        with subprocess.Popen(
            scene.command(out),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env=_environment(),
        ) as process:
            try:
                process.wait(moments.uniform(0.3, 1.0) * seconds)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
    return _end(scene, out)


def kill_workers(scene: Scene, out: Path, moments: random.Random, *, kills: int) -> dict[str, Any]:
    """Kill child processes of a run while it goes on."""
    killed = starts = 0
    while starts < MOST_STARTS:
        starts += 1
        with subprocess.Popen(
            scene.command(out),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env=_environment(),
        ) as process:
            while process.poll() is None:
                time.sleep(moments.uniform(0.3, 1.5))
                workers = _children(process.pid)
                if workers and killed < kills:
                    os.kill(moments.choice(workers), signal.SIGKILL)
                    killed += 1
        if process.returncode == 0:
            return {"killed": killed, "starts": starts}
    raise MachineError(
        "the run does not come to an end where its workers die",
        value=str(out),
        remedy="See its log: logs/edge.jsonl.",
    )


def _children(pid: int) -> list[int]:
    """Return the processes below a process that compute: no tracker of resources."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
            words = (stat.parent / "cmdline").read_bytes()
        except OSError:
            continue
        if parent == pid and b"resource_tracker" not in words:
            found.append(int(stat.parent.name))
    return found


def fill_disk(scene: Scene, out: Path) -> dict[str, Any]:
    """Run where no file may grow beyond some bytes, then where it may."""
    full = scene.run(out, limit=FULL_DISK_BYTES)
    said = full.stderr.strip().splitlines()[-1] if full.stderr.strip() else ""
    return {"refused": full.returncode != 0, "said": said} | _end(scene, out)


def _end(scene: Scene, out: Path) -> dict[str, Any]:
    done = scene.run(out)
    if done.returncode:
        raise MachineError(
            "the run failed after a fault", value=done.stderr[-1500:], remedy=f"See {out}."
        )
    return {}


def damage_rows(lines: list[str]) -> None:
    """Damage some lines in every way that was seen: no number, no time, a number beyond its bounds,
    twice, half, missing.
    """
    for begin, text in ((100, "n/a"), (2000, ""), (30_000, "-5"), (60_000, "1e9")):
        lines[begin] = f"{lines[begin].partition(',')[0]},{text}"
    lines[500] = "yesterday,50"
    lines[700] = lines[699]
    lines[900] = lines[900][:7]
    del lines[1200:1210]


def measure(*, full: bool = False, seed: int = 7) -> dict[str, Any]:
    """Return what faults did to the lab's results; ``full``: twenty kills in place of six."""
    moments = random.Random(seed)  # noqa: S311 - moments, no secrets
    figures: dict[str, Any] = {"seed": seed}
    with tempfile.TemporaryDirectory(prefix="luna-edge-faults-") as place:
        folder = Path(place)
        scene = write_scene(folder / "scene", seed)
        begun = time.perf_counter()
        _end(scene, folder / "whole")
        seconds = time.perf_counter() - begun
        expected = read_result(folder / "whole")
        figures |= {
            "seconds_undisturbed": round(seconds, 1),
            "rows": {name: len(rows) for name, rows in expected.items()},
        }
        kills = KILLS if full else 6
        cases: dict[str, Callable[[Path], dict[str, Any]]] = {
            "killed": lambda out: (
                {"kills": kills}
                | kill_again_and_again(scene, out, moments, kills=kills, seconds=seconds)
            ),
            "workers_killed": lambda out: kill_workers(scene, out, moments, kills=kills),
            "full_disk": lambda out: fill_disk(scene, out),
        }
        for name, case in cases.items():
            figures[name] = case(folder / name) | compare(read_result(folder / name), expected)
        figures["damaged_rows"] = _run_damaged(folder, seed, expected)
    return figures


def _run_damaged(folder: Path, seed: int, expected: Mapping[str, list[str]]) -> dict[str, Any]:
    scene = write_scene(folder / "damaged-scene", seed, {"CA": damage_rows})
    done = scene.run(folder / "damaged")
    damage = json.loads(done.stdout)["stages"]["label"]["damage"] if done.returncode == 0 else []
    named = sum(each.startswith(f"{FILES['CA']}, row ") for each in damage)
    found = (
        read_result(folder / "damaged") if done.returncode == 0 else {"runs": [], "training": []}
    )
    return {
        "ended_well": done.returncode == 0,
        "damaged_values_named": named,
        "lost": sum(len(rows) - len(found[name]) for name, rows in expected.items()),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--full", action="store_true")
    asked = parser.parse_args()
    print(json.dumps(measure(full=asked.full, seed=asked.seed), indent=2))
