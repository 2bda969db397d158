"""Batches for tests: a lab of stand-ins, and a batch in a process of its own, which can be
killed.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from services.edge.batch.stage import run_batch
from services.edge.config import EdgeConfig, parse_config
from services.edge.lab import DataFolders, Lab, open_lab
from services.edge.row_files import read_rows

UNTRAINED = ["naive_weak", "naive_strong", "rule", "oracle"]


def configure(**sections: Any) -> EdgeConfig:
    """Return a configuration of short runs, two variations, two locations, two seasons and the
    controllers that need no training; sections are merged in.
    """
    said: dict[str, Any] = {
        "global": {"random_seed": 7, "workers": 2},
        "simulation": {"controllers": UNTRAINED, "task_interval_seconds": 20},
        "batch_simulation": {
            "duration_days": 1,
            "variations": {"num_variations": 2},
            "execution": {"checkpoint_interval": 3},
        },
        "data_sources": {"locations": ["CA", "NY"], "seasons": ["winter", "summer"]},
    }
    for name, section in sections.items():
        said[name.rstrip("_")] |= section
    return parse_config(json.dumps(said))


def make_lab(out: Path, config: EdgeConfig | None = None) -> Lab:
    """Return a lab of stand-ins that writes below a folder."""
    return open_lab(config or configure(), DataFolders(out), out=out)


def read_runs(out: Path) -> dict[str, dict[str, Any]]:
    """Return the rows of a batch by run; each is there once."""
    rows = list(read_rows(out / "batch", "runs"))
    runs = {row["run_id"]: row for row in rows}
    assert len(runs) == len(rows)
    return runs


def start_batch(out: Path, config: EdgeConfig) -> subprocess.Popen[str]:
    """Start a batch in a process of its own; it says on its output how many runs are done."""
    return subprocess.Popen(start_command(out, config), stdout=subprocess.PIPE, text=True)


def start_command(out: Path, config: EdgeConfig) -> list[str]:
    """Return the command that runs a batch."""
    return [
        sys.executable,
        "-m",
        "tests.support.cameras.batches",
        str(out),
        config.model_dump_json(by_alias=True),
    ]


def main() -> None:
    """Run the batch that the arguments describe."""
    out = Path(sys.argv[1])
    config = parse_config(sys.argv[2])
    lab = open_lab(config, DataFolders(out), out=out, progress=lambda *said: _say(said))
    _say(run_batch(lab))


def _say(said: object) -> None:
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
