"""What every stage of the lab works with: configuration, models, clean shares, a seed, and a folder for what it makes."""

import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from services.edge.camera import CameraModels, read_models
from services.edge.clean_share import CleanShare, load_clean_shares
from services.edge.config import EdgeConfig, Location

# Hears how much of how much is done, and of what.
Progress = Callable[[int, int, str], None]


def keep_quiet(done: int, total: int, label: str) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class Lab:
    """A run of the lab.

    Args:
        config: what is asked.
        models: what the cameras look with.
        clean_shares: how clean the grid is, by location.
        out: below it each stage writes into a folder of its own; nothing is written elsewhere.
        seed: the same seed, configuration and data give the same results.
        workers: processes at most.
        progress: hears how far a stage is.
    """

    config: EdgeConfig
    models: CameraModels
    clean_shares: Mapping[Location, CleanShare]
    out: Path
    seed: int
    workers: int
    progress: Progress = keep_quiet

    @property
    def training(self) -> Path:
        """Where scenarios and labels lie: rows ``scenarios`` and ``training``."""
        return self.out / "training"

    @property
    def controller(self) -> Path:
        """Where trained controllers lie."""
        return self.out / "controller"

    @property
    def batch(self) -> Path:
        """Where simulated runs lie: rows ``runs``."""
        return self.out / "batch"

    @property
    def report(self) -> Path:
        """Where results in figures, words and pictures lie."""
        return self.out / "report"


@dataclass(frozen=True, slots=True)
class DataFolders:
    """Where the data lie; ``None``: where the configuration says. Both are read and never written."""

    config: Path
    energy_data: Path | None = None
    model_data: Path | None = None


def open_lab(config: EdgeConfig, folders: DataFolders, *, out: Path | None = None, progress: Progress = keep_quiet) -> Lab:
    """Return a lab whose data are read and checked.

    Args:
        config: what is asked.
        folders: where configuration and data lie.
        out: where results go; default: where the configuration says.
        progress: hears how far a stage is.

    Raises:
        InvalidInputError: data are there and cannot be used; names file, row and column.
    """
    base = folders.config
    energy = folders.energy_data or base / config.data_sources.energy_data_dir
    profiles = Path(config.data_sources.power_profiles_file)
    models = read_models(folders.model_data / profiles.name if folders.model_data else base / profiles)
    measured = config.training_data.scenario_generation.use_real_energy_data
    shares = load_clean_shares(energy if measured else None, config.data_sources.locations)
    seed = config.run.random_seed if config.run.random_seed is not None else secrets.randbits(32)
    return Lab(config, models, shares, out or base / config.run.output_dir, seed, count_workers(config.run.workers), progress)


def count_workers(asked: int) -> int:
    """Return how many processes work side by side: no more than this process has cores."""
    return max(1, min(asked, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1))
