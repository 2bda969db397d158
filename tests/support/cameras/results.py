"""Rows of simulated cameras with known effects, as a batch writes them: weeks share their weather,
and controllers differ by what is planted.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

DAY_TASKS = 17_280
LOCATIONS: Mapping[str, float] = {"CA": 0.42, "FL": 0.24, "NW": 0.68, "NY": 0.51}
SEASONS = ("winter", "spring", "summer", "fall")


@dataclass(frozen=True)
class Planted:
    """What a controller does: how much cleaner than its week it charges, its misses as shares of
    the tasks, mWh a task, how its clean share moves a day.
    """

    cleaner: float = 0.0
    small: float = 0.0
    large: float = 0.0
    mwh: float = 0.35
    drift: float = 0.0


LAB: Mapping[str, Planted] = {
    "naive_weak": Planted(small=0.31, mwh=0.24),
    "naive_strong": Planted(small=0.35, large=0.002, mwh=1.1),
    "rule": Planted(cleaner=0.03, small=0.004),
    "custom": Planted(cleaner=0.11, small=0.004),
    "ensemble": Planted(cleaner=0.115, small=0.004),
    "oracle": Planted(cleaner=0.13, small=0.004),
}


@dataclass(frozen=True)
class Batch:
    """Which runs there are.

    ``weather``: how much weeks differ, ``noise``: how much runs of the same week do.
    """

    controllers: Mapping[str, Planted] = field(default_factory=lambda: LAB)
    locations: Sequence[str] = tuple(LOCATIONS)
    seasons: Sequence[str] = SEASONS
    weeks: int = 2
    variations: int = 3
    days: int = 7
    weather: float = 0.08
    noise: float = 0.015
    stand_in: bool = True


def draw_runs(batch: Batch, *, seed: int = 1) -> Iterator[dict[str, Any]]:
    """Yield the rows of a batch, camera by camera."""
    draw = np.random.default_rng(seed)
    for location in batch.locations:
        for number, season in enumerate(batch.seasons):
            for week in range(batch.weeks):
                base = LOCATIONS[location] + draw.normal(0, batch.weather)
                # What a week does to a controller is the same for all of its cameras.
                luck = {name: draw.normal(0, batch.noise) for name in batch.controllers}
                begin = f"2024-{number * 3 + 1:02}-{week * 7 + 1:02}T00:00Z"
                for variation in range(batch.variations):
                    for name, planted in batch.controllers.items():
                        clean = base + luck[name] + draw.normal(0, batch.noise)
                        yield _run(
                            name,
                            planted,
                            clean,
                            {
                                "location": location,
                                "season": season,
                                "begin": begin,
                                "variation": variation,
                            },
                            batch,
                        )


def _run(
    name: str, planted: Planted, clean: float, camera: dict[str, Any], batch: Batch
) -> dict[str, Any]:
    days = [
        _day(planted, float(np.clip(clean + planted.cleaner + planted.drift * day, 0.02, 0.98)))
        for day in range(batch.days)
    ]
    total = {key: sum(day[key] for day in days) for key in days[0]}
    tasks = DAY_TASKS * batch.days
    dirty = total["charged_wh"] - total["clean_wh"]
    return {
        "run_id": (
            f"{camera['location']}-{camera['season']}-{camera['begin'][:10]}"
            f"-v{camera['variation']:03}-{name}"
        ),
        **camera,
        "days": batch.days,
        "controller": name,
        "seed": 1,
        "stand_in": batch.stand_in,
        "capacity_wh": 6.0,
        "charge_rate_w": 100.0,
        "accuracy": 0.5,
        "latency_ms": 9.0,
        "tasks": tasks,
        "small_misses": total["small_misses"],
        "large_misses": total["large_misses"],
        "used_wh": total["used_wh"],
        "taken_wh": total["charged_wh"],
        "charged_wh": total["charged_wh"],
        "clean_wh": total["clean_wh"],
        "dirty_wh": dirty,
        "stored_begin_wh": 3.0,
        "stored_end_wh": 3.0,
        "clean_share": total["clean_wh"] / total["charged_wh"],
        "dirty_settled_wh": dirty,
        "objective_wh": dirty + 0.1 * total["small_misses"] + total["large_misses"],
        "mean_latency_ms": 4.0 + 3 * planted.mwh,
        "models": {
            "YOLOv10_S": tasks // 3,
            "YOLOv10_N": tasks - tasks // 3 - total["large_misses"],
        },
        "guard_interventions": 0,
        "per_day": days,
    }


def _day(planted: Planted, clean: float) -> dict[str, Any]:
    large = round(planted.large * DAY_TASKS)
    charged = planted.mwh * 1e-3 * (DAY_TASKS - large) / 0.95
    used = charged * 0.95
    return {
        "charged_wh": charged,
        "clean_wh": charged * clean,
        "used_wh": used,
        "small_misses": round(planted.small * DAY_TASKS),
        "large_misses": large,
    }


def write_runs(
    folder: Path, rows: Iterator[dict[str, Any]], *, name: str = "runs-0001.jsonl"
) -> Path:
    """Write rows as the batch does and return the file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path
