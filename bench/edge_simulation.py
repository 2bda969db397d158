"""Camera-days per second under each controller, a batch of runs with its memory, and what
controllers reach in weeks that no scenario touched.

Run as ``python -m bench.edge_simulation``. Speed is per second of processor time, so that it does
not hang on who else works on the machine. Labels, training and batch are the lab's own stages, on
stand-in years; intervals are of paired bootstraps over runs of the same camera, place and week.
"""

import json
import tempfile
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from bench.processes import measure_peak
from luna.energy.timeline import FloatArray
from services.edge.batch.stage import BatchPlan, run_batch
from services.edge.config import EdgeConfig
from services.edge.controller.stage import train_controllers
from services.edge.lab import DataFolders, Lab, open_lab
from services.edge.labels.training_data import write_training_data
from services.edge.row_files import read_rows
from services.edge.simulation.group import CameraGroup

SEED = 1
RESAMPLES = 10_000
# ``batches``: variations of each batch; two make the original's 192 runs of 7 days.
Sizes = Mapping[str, Any]
SHORT: Sizes = {
    "scenarios": 1_000,
    "epochs": 3,
    "inputs": 4,
    "days": 1,
    "cameras": 20,
    "batches": (1, 2),
    "compared": 2,
}
FULL: Sizes = {
    "scenarios": 100_000,
    "epochs": 300,
    "inputs": 28,
    "days": 7,
    "cameras": 200,
    "batches": (2, 100),
    "compared": 40,
}


def measure(*, full: bool = False) -> dict[str, Any]:
    """Return camera-days per second, seconds and memory of batches, and how controllers compare."""
    sizes = FULL if full else SHORT
    with tempfile.TemporaryDirectory() as folder:
        lab = open_runs(Path(folder), sizes, variations=sizes["cameras"])
        write_training_data(lab)
        train_controllers(lab)
        return {
            "seed": SEED,
            "scenarios": sizes["scenarios"],
            "days": sizes["days"],
            "one_core": time_controllers(lab),
            "batches": {
                str(variations): run_apart(
                    lab, open_runs(Path(folder), sizes, variations=variations)
                )
                for variations in sizes["batches"]
            },
            # Controllers that learned from little are not judged.
            "judged" if full else "tried": compare(
                lab, open_runs(Path(folder), sizes, variations=sizes["compared"])
            ),
        }


def open_runs(out: Path, sizes: Sizes, *, variations: int) -> Lab:
    """Return a lab of stand-in years with so many variations."""
    config = {
        "global": {"random_seed": SEED},
        "training_data": {"num_scenarios": sizes["scenarios"]},
        "controller_training": {
            "model": {"input_features": sizes["inputs"]},
            "training": {"epochs": sizes["epochs"]},
        },
        "batch_simulation": {
            "duration_days": sizes["days"],
            "variations": {"num_variations": variations},
        },
        "simulation": {"logging": {"log_battery_levels": False}},
    }
    return open_lab(EdgeConfig.model_validate(config), DataFolders(out), out=out)


def time_controllers(lab: Lab) -> dict[str, dict[str, float]]:
    """Return camera-days per second of processor time, by controller: of one camera alone, and of
    many of one place side by side.
    """
    plan = BatchPlan.of(lab)
    speeds = {}
    for place, controller in enumerate(plan.controllers):
        first = place * plan.runs // len(plan.controllers)
        groups = {
            "alone": plan.build_group([first]),
            "side_by_side": plan.build_group(range(first, first + plan.variations)),
        }
        groups["alone"].run()
        speeds[controller] = {name: _time_group(group) for name, group in groups.items()}
    return speeds


def _time_group(group: CameraGroup) -> float:
    begun = time.process_time()
    group.run()
    return len(group.cameras) * group.conditions.days / (time.process_time() - begun)


def run_apart(trained: Lab, lab: Lab) -> dict[str, float]:
    """Return the figures of a batch in a process of its own, and its peak memory with all that it
    started.
    """
    lab = _batch_folder(
        trained, lab, f"batch-{lab.config.batch_simulation.variations.num_variations}"
    )
    peak_mb = measure_peak(_run_batch, lab)
    figures = json.loads((lab.out / "figures.json").read_bytes())
    return {
        "runs": figures["runs"],
        "s": figures["seconds"],
        "camera_days_per_s": figures["camera_days_per_s"],
        "peak_mb": peak_mb,
    }


def _run_batch(lab: Lab) -> None:
    (lab.out / "figures.json").write_text(json.dumps(run_batch(lab)), encoding="utf-8")


def _batch_folder(trained: Lab, lab: Lab, name: str) -> Lab:
    """Return a lab that writes into a folder of its own, and has the controllers of another."""
    out = lab.out / name
    out.mkdir(exist_ok=True)
    if not (out / "controller").exists():
        (out / "controller").symlink_to(trained.controller)
    return replace(lab, out=out)


def compare(trained: Lab, lab: Lab) -> dict[str, Any]:
    """Return what each controller reaches, and its differences from the rule and the oracle with
    intervals of 95 %.
    """
    lab = _batch_folder(trained, lab, "compared")
    run_batch(lab)
    reached: dict[str, dict[tuple[Any, ...], tuple[float, float, float, float]]] = {}
    for row in read_rows(lab.batch, "runs"):
        place = row["location"], row["season"], row["variation"]
        misses = (row["small_misses"] + row["large_misses"]) / row["days"]
        reached.setdefault(row["controller"], {})[place] = (
            row["clean_share"] or 0.0,
            row["dirty_settled_wh"] / row["days"],
            misses,
            row["objective_wh"] / row["days"],
        )
    values = {
        name: np.array([runs[place] for place in sorted(runs)]) for name, runs in reached.items()
    }
    return {name: _describe(own, values) for name, own in values.items()} | {
        "runs_each": len(values["oracle"])
    }


def _describe(own: FloatArray, values: Mapping[str, FloatArray]) -> dict[str, Any]:
    clean, dirty, misses, objective = own.mean(axis=0)
    said: dict[str, Any] = {
        "clean_share": clean,
        "dirty_wh_per_day": dirty,
        "misses_per_day": misses,
        "objective_wh_per_day": objective,
    }
    said["share_of_oracle_clean"] = bootstrap(own[:, 0], values["oracle"][:, 0], ratio=True)
    said["dirty_over_oracle"] = bootstrap(own[:, 1], values["oracle"][:, 1], ratio=True)
    for other in ("naive_weak", "naive_strong", "rule"):
        said[f"dirty_wh_less_than_{other}"] = bootstrap(values[other][:, 1], own[:, 1])
        said[f"objective_wh_less_than_{other}"] = bootstrap(values[other][:, 3], own[:, 3])
    return said


def bootstrap(one: FloatArray, other: FloatArray, *, ratio: bool = False) -> dict[str, float]:
    """Return how far one's mean lies above another's, or what share of it it is, over the same
    runs, with an interval of 95 %.
    """
    picked = np.random.default_rng(SEED).integers(len(one), size=(RESAMPLES, len(one)))
    ones = one[picked].mean(axis=1)
    others = other[picked].mean(axis=1)
    low, high = np.quantile(ones / others if ratio else ones - others, [0.025, 0.975])
    value = one.mean() / other.mean() if ratio else one.mean() - other.mean()
    return {"value": float(value), "low": float(low), "high": float(high)}


if __name__ == "__main__":
    print(json.dumps(measure(full=True), indent=2))
