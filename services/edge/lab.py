"""What every stage of the lab works with: configuration, models, clean shares, a seed, and a folder for what it makes."""

import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from luna.energy.errors import ConflictError
from luna.platform.written_files import make_writable
from services.edge.camera import CameraModels, read_models
from services.edge.clean_share import CleanShare, load_clean_shares
from services.edge.config import EdgeConfig, Location, SourceSection, read_config

# Source: github.com/therealsamyak/optimal-charge-security-camera, MIT licence.
MEASURED_PROFILES = Path(__file__).with_name("power_profiles.json")
SEED_FILE = "seed.txt"
# Hears how much of how much is done, and of what.
Progress = Callable[[int, int, str], None]


def keep_quiet(count: int, total: int, label: str) -> None:
    """Report no progress."""


@dataclass(frozen=True, slots=True)
class Lab:
    """A run of the lab.

    Args:
        config: of the run.
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
    def stand_ins(self) -> list[Location]:
        """Locations whose clean shares are drawn, not measured."""
        return [location for location, year in self.clean_shares.items() if not year.measured]

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
    """Where the data lie; ``None``: where the configuration says, below ``base``. Both are read and never written."""

    base: Path
    energy_data: Path | None = None
    model_data: Path | None = None


def open_lab(config: EdgeConfig, folders: DataFolders, *, out: Path | None = None, progress: Progress = keep_quiet) -> Lab:
    """Return a lab whose data are read and checked.

    Args:
        config: of the run.
        folders: where data lie.
        out: where results go; default: where the configuration says.
        progress: hears how far a stage is.

    Raises:
        InvalidInputError: data are there and cannot be used; names file, row and column.
    """
    base = folders.base
    energy = folders.energy_data or base / config.data_sources.energy_data_dir
    configured = Path(config.data_sources.power_profiles_file)
    path = folders.model_data / configured.name if folders.model_data else base / configured
    # Who names neither folder nor file gets what was measured for the original.
    named = folders.model_data or configured != Path(SourceSection().power_profiles_file)
    models = read_models(path if named or path.exists() else MEASURED_PROFILES)
    measured = config.training_data.scenario_generation.use_real_energy_data
    shares = load_clean_shares(energy if measured else None, config.data_sources.locations)
    seed = config.run.random_seed if config.run.random_seed is not None else secrets.randbits(32)
    return Lab(config, models, shares, out or base / config.run.output_dir, seed, count_workers(config.run.workers), progress)


def open_lab_of(file: Path | None, folders: DataFolders, *, out: Path | None = None, seed: int | None = None) -> Lab:
    """Return the lab of a file of configuration, or of the defaults; its seed is that of the folder for results.

    Args:
        file: JSON with comments; None: the defaults.
        folders: where data lie.
        out: where results go; default: where the configuration says.
        seed: draws the same again; default: as configured, or the one that the folder was begun with.

    Raises:
        InvalidInputError: configuration or data are there and cannot be used.
        ConflictError: the folder was begun with another seed.
        MachineError: nothing can be written there.
    """
    config = read_config(file) if file else EdgeConfig()
    target = make_writable(out or folders.base / config.run.output_dir)
    chosen = keep_seed(target, seed if seed is not None else config.run.random_seed)
    return open_lab(config.with_seed(chosen), folders, out=target)


def keep_seed(out: Path, requested: int | None) -> int:
    """Return the seed of a folder: the requested one, else the one it was begun with, else a new one; it is kept there, so that what goes on goes on with it.

    Raises:
        ConflictError: the folder was begun with another seed.
    """
    path = out / SEED_FILE
    begun = int(path.read_text(encoding="utf-8")) if path.exists() else None
    if None not in (requested, begun) and requested != begun:
        raise ConflictError("the folder was begun with another seed", field="--seed", value=requested, remedy=f"Ask for {begun}, or name another folder.")
    seed = next((each for each in (requested, begun) if each is not None), secrets.randbits(32))
    out.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{seed}\n", encoding="utf-8")
    return seed


def count_workers(requested: int) -> int:
    """Return how many processes work side by side: no more than this process has cores."""
    return max(1, min(requested, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1))
