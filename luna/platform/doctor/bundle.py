"""One archive with what somebody who helps from afar needs to know, and nothing that is secret."""

import json
import platform
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import asdict
from datetime import datetime
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from luna.energy.errors import LunaError, MachineError
from luna.platform.database import engine, jobs, revision, volume
from luna.platform.database.engine import unit_of_work
from luna.platform.doctor.finding import DoctorFinding
from luna.platform.doctor.secrets import Redaction
from luna.platform.embedded import running
from luna.platform.queue import Client
from luna.platform.settings import Settings, load_settings
from luna.platform.settings.stored import describe_settings

# Of each log; a day of a quiet home, and what a message may carry.
TAIL_BYTES = 1_000_000
JOBS = 200


def write_bundle(path: Path, findings: Sequence[DoctorFinding], *, logs: Mapping[str, bytes], now: datetime) -> list[str]:
    """Write the archive and return the names of what is in it; what cannot be had is left out and said so in ``bundle.json``.

    Args:
        path: of the archive; one that is there is replaced.
        findings: of the examination.
        logs: further logs by name, as the containers write them.
        now: when this is made.

    Raises:
        MachineError: the archive cannot be written.
    """
    try:
        settings = load_settings()
    except LunaError as error:
        settings, broken = Settings.model_construct(), str(error)
    else:
        broken = ""
    redaction = Redaction(settings)
    documents: dict[str, Any] = {
        "bundle.json": {"made_at": now.isoformat(), "settings": broken or "read"},
        "doctor.json": [asdict(finding) for finding in findings],
        "versions.json": _describe_versions(),
    }
    if not broken:
        documents |= {"settings.json": [state._asdict() for state in describe_settings(settings)], **_ask_servers(settings)}
    texts = {name: json.dumps(document, indent=1, ensure_ascii=False, default=str) for name, document in documents.items()}
    texts |= {f"logs/{name}": tail.decode("utf-8", "replace") for name, tail in (*_own_logs(settings), *logs.items())}
    try:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, text in texts.items():
                archive.writestr(name, redaction.apply(text))
    except OSError as exc:
        raise MachineError(f"the archive cannot be written: {exc.strerror}", field="--out", value=str(path), remedy="Name a file that you may write.") from exc
    return list(texts)


def _describe_versions() -> dict[str, Any]:
    installed = {each.metadata["Name"]: each.version for each in distributions()}
    return {"python": platform.python_version(), "machine": platform.platform(), "libraries": dict(sorted(installed.items(), key=lambda pair: pair[0].lower()))}


def _ask_servers(settings: Settings) -> dict[str, Any]:
    """Return what database and queue say; a server that is away leaves its part out."""
    parts: dict[str, Any] = {}
    with suppress(LunaError), running(settings) as there:
        with suppress(LunaError):
            parts |= _ask_queue(there.redis_url)
        with suppress(LunaError):
            parts |= _ask_database(there.database_url)
    return parts


def _ask_queue(url: str) -> dict[str, Any]:
    with closing(Client(url)) as client:
        heartbeats = client.heartbeats
        signs = {"beat": heartbeats.beat(), "recorder": heartbeats.recorder(), "executor": heartbeats.executor(), "home_assistant": heartbeats.home_assistant()}
        live = {name: sign.model_dump(mode="json") for name, sign in (*heartbeats.nodes().items(), *signs.items()) if sign is not None}
        # Requests are a home's own business: what died is told by its kind.
        dead = [{"task": each.task, "starts": each.starts, "died_at": each.died_at} for each in client.tasks.dead()]
        return {"health.json": live, "dead.json": dead}


def _ask_database(url: str) -> dict[str, Any]:
    pool = engine.create(url, application_name="luna-support", pool_size=1)
    try:
        with unit_of_work(pool) as connection:
            tables = [each._asdict() for each in volume.list_tables(connection)]
            parts: dict[str, Any] = {"database.json": {"revision": revision.current(connection), "tables": tables}}
            if revision.current(connection) == revision.head():
                newest = [job.model_dump(mode="json") for job in jobs.list_newest(connection, limit=JOBS)]
                parts["jobs.json"] = {"counts": asdict(jobs.count(connection)), "newest": newest}
        return parts
    finally:
        pool.dispose()


def _own_logs(settings: Settings) -> Iterator[tuple[str, bytes]]:
    """Yield the ends of the logs that the embedded servers write."""
    for path in sorted((settings.data_folder / "servers").glob("*.log")):
        with suppress(OSError), path.open("rb") as log:
            log.seek(max(0, log.seek(0, 2) - TAIL_BYTES))
            yield path.name, log.read()
