"""Run the lab's stages as tasks.

A task loads the run's files from the object store and stores the new ones there, so that any worker
can take the next stage.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from hashlib import sha256
from pathlib import Path

from luna.contracts.edge import (
    STAGE_REQUESTS,
    EdgeRunReply,
    EdgeRunRequest,
    EdgeStageReply,
    EdgeStageRequest,
    SimulateGroupReply,
    SimulateGroupRequest,
)
from luna.energy.errors import InvalidInputError, NotFoundError
from luna.platform.child_processes import allow_children
from luna.platform.objects import ObjectStore
from luna.platform.private_folders import make_private
from luna.platform.queue import TaskContext, task
from services.edge.config import EdgeConfig, validate_config
from services.edge.lab import DataFolders, Lab, open_lab

NEEDS = ("database", "redis", "objects")
FOLDER = "edge"
# List of a run's files: their keys in the store, and their stored versions.
MANIFEST = "files.json"


def _declare(name: str, request: type[EdgeStageRequest]) -> None:
    def stage(stage_request: EdgeStageRequest, work: TaskContext) -> EdgeStageReply:
        from services.edge.stages import run_stage

        with _lab(stage_request, work) as lab:
            figures = run_stage(lab, name)
        return EdgeStageReply(
            run_id=stage_request.run_id,
            stage=name,
            seed=stage_request.seed,
            figures=figures,
            files=len(_read_manifest(work.objects, stage_request.run_id)),
        )

    task(request, soft_limit=timedelta(hours=2))(stage)


for _name, _request in STAGE_REQUESTS.items():
    _declare(_name, _request)


@task(EdgeRunRequest, soft_limit=timedelta(hours=2))
def run(request: EdgeRunRequest, work: TaskContext) -> EdgeRunReply:
    """Run all stages."""
    from services.edge.stages import run_pipeline

    with _lab(request, work) as lab:
        figures = run_pipeline(lab)
        summary = figures["report"].pop("summary")
    return EdgeRunReply(
        run_id=request.run_id,
        seed=request.seed,
        figures=figures,
        summary=summary,
        files=len(_read_manifest(work.objects, request.run_id)),
    )


@task(SimulateGroupRequest, soft_limit=timedelta(hours=1))
def simulate_cameras(request: SimulateGroupRequest, _work: TaskContext) -> SimulateGroupReply:
    """Simulate a group of a batch that somebody collects."""
    from services.edge.simulation.group import simulate_group

    return SimulateGroupReply(rows=simulate_group(json.loads(request.group)))


@contextmanager
def _lab(request: EdgeStageRequest, work: TaskContext) -> Iterator[Lab]:
    """Yield a lab in a folder of the run.

    What is new in it afterwards is stored, also where a stage failed: it goes on from there.
    """
    folder = work.settings.data_folder / FOLDER
    make_private(folder)
    out = folder / "runs" / request.run_id
    for name, digest in _read_manifest(work.objects, request.run_id).items():
        path = out / name
        if not path.exists() or _digest(path) != digest:
            path.parent.mkdir(parents=True, exist_ok=True)
            work.objects.fetch(f"{FOLDER}/{request.run_id}/{name}", path)
    config = _read_config(request).with_seed(request.seed)
    try:
        with allow_children():
            yield open_lab(config, DataFolders(folder), out=out, progress=work.progress)
    finally:
        _store(work.objects, request.run_id, out)


def _read_config(request: EdgeStageRequest) -> EdgeConfig:
    config = validate_config(request.config, name="config")
    for name in ("energy_data_dir", "power_profiles_file"):
        path = Path(getattr(config.data_sources, name))
        if path.is_absolute() or ".." in path.parts:
            remedy = "Name a folder below the worker's own, without '..'."
            raise InvalidInputError(
                "a worker reads its own folder alone",
                field=f"config.data_sources.{name}",
                value=str(path),
                remedy=remedy,
            )
    return config


def _store(objects: ObjectStore, run_id: str, out: Path) -> None:
    stored = _read_manifest(objects, run_id)
    files = {}
    for path in sorted(out.rglob("*")):
        if path.is_file() and not path.name.startswith("."):
            files[str(path.relative_to(out))] = _digest(path)
    for name, digest in files.items():
        if stored.get(name) != digest:
            with (out / name).open("rb") as content:
                pieces = iter(partial(content.read, 1_000_000), b"")
                objects.put_stream(f"{FOLDER}/{run_id}/{name}", pieces)
    objects.put(f"{FOLDER}/{run_id}/{MANIFEST}", json.dumps(files, indent=1).encode())


def _read_manifest(objects: ObjectStore, run_id: str) -> dict[str, str]:
    try:
        manifest: dict[str, str] = json.loads(objects.get(f"{FOLDER}/{run_id}/{MANIFEST}"))
    except NotFoundError:
        return {}
    return manifest


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        digest = sha256()
        while piece := file.read(1_000_000):
            digest.update(piece)
    return digest.hexdigest()
