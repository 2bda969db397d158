"""Open the lab: the configuration, models, clean shares, seed and folders of all stages."""

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
# Receives parts done, parts in all, and a label.
Progress = Callable[[int, int, str], None]


def keep_quiet(count: int, total: int, label: str) -> None:
    """Report no progress."""


@dataclass(frozen=True, slots=True)
class Lab:
    """A run of the lab.

    Args:
        config: of the run.
        models: the cameras' inference models.
        clean_shares: share of clean energy in the grid, by location.
        out: output folder; each stage writes into a folder of its own in it, and nowhere else.
        seed: the same seed, configuration and data give the same results.
        workers: largest number of processes.
        progress: receives a stage's progress.
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
        """Locations with generated instead of measured clean shares."""
        return [location for location, year in self.clean_shares.items() if not year.measured]

    @property
    def training(self) -> Path:
        """Folder of scenarios and labels: rows ``scenarios`` and ``training``."""
        return self.out / "training"

    @property
    def controller(self) -> Path:
        """Folder of trained controllers."""
        return self.out / "controller"

    @property
    def batch(self) -> Path:
        """Folder of simulated runs: rows ``runs``."""
        return self.out / "batch"

    @property
    def report(self) -> Path:
        """Folder of the report."""
        return self.out / "report"


@dataclass(frozen=True, slots=True)
class DataFolders:
    """Input folders, read-only; ``None``: the configuration's, relative to ``base``."""

    base: Path
    energy_data: Path | None = None
    model_data: Path | None = None


def open_lab(
    config: EdgeConfig,
    folders: DataFolders,
    *,
    out: Path | None = None,
    progress: Progress = keep_quiet,
) -> Lab:
    """Read and check the data, and return the lab.

    Args:
        config: of the run.
        folders: of the input data.
        out: output folder; default: the configuration's.
        progress: receives a stage's progress.

    Raises:
        InvalidInputError: existing data are unusable; names file, row and column.
    """
    base = folders.base
    energy = folders.energy_data or base / config.data_sources.energy_data_dir
    configured = Path(config.data_sources.power_profiles_file)
    path = folders.model_data / configured.name if folders.model_data else base / configured
    # Default: the profiles measured for the original.
    named = folders.model_data or configured != Path(SourceSection().power_profiles_file)
    models = read_models(path if named or path.exists() else MEASURED_PROFILES)
    measured = config.training_data.scenario_generation.use_real_energy_data
    shares = load_clean_shares(energy if measured else None, config.data_sources.locations)
    seed = config.run.random_seed if config.run.random_seed is not None else secrets.randbits(32)
    return Lab(
        config=config,
        models=models,
        clean_shares=shares,
        out=out or base / config.run.output_dir,
        seed=seed,
        workers=count_workers(config.run.workers),
        progress=progress,
    )


def open_lab_of(
    file: Path | None, folders: DataFolders, *, out: Path | None = None, seed: int | None = None
) -> Lab:
    """Return the lab of a configuration file, or of the defaults.

    The seed is kept in the output folder.

    Args:
        file: JSON with comments; None: the defaults.
        folders: of the input data.
        out: output folder; default: the configuration's.
        seed: default: the configured one, else that of the output folder, else a new one.

    Raises:
        InvalidInputError: configuration or data are unusable.
        ConflictError: the output folder has another seed.
        MachineError: the output folder is not writable.
    """
    config = read_config(file) if file else EdgeConfig()
    target = make_writable(out or folders.base / config.run.output_dir)
    chosen = keep_seed(target, seed if seed is not None else config.run.random_seed)
    return open_lab(config.with_seed(chosen), folders, out=target)


def keep_seed(out: Path, requested: int | None) -> int:
    """Return and store the seed of an output folder, so that a continued run uses the same.

    It is the requested seed, else the stored one, else a new one.

    Raises:
        ConflictError: the folder has another seed.
    """
    path = out / SEED_FILE
    begun = int(path.read_text(encoding="utf-8")) if path.exists() else None
    if None not in (requested, begun) and requested != begun:
        raise ConflictError(
            "the folder was begun with another seed",
            field="--seed",
            value=requested,
            remedy=f"Ask for {begun}, or name another folder.",
        )
    seed = requested if requested is not None else begun
    if seed is None:
        seed = secrets.randbits(32)
    out.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{seed}\n", encoding="utf-8")
    return seed


def count_workers(requested: int) -> int:
    """Return the number of worker processes: the requested, at most the available cores."""
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    return max(1, min(requested, cores))
