"""Pack an archive for remote help, without secrets.

No known secret of this installation is in it, nor anything that looks like a key.
"""

import json
import platform
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import asdict
from datetime import datetime
from importlib.metadata import distributions
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

from luna.drivers.device_secrets import SECRETS_FOLDER
from luna.energy.errors import LunaError, MachineError
from luna.house.doctor.finding import DoctorFinding
from luna.platform.database import engine, jobs, revision, volume
from luna.platform.database.engine import unit_of_work
from luna.platform.embedded.supervisor import running
from luna.platform.own_secrets import FOLDER, OWNER_TOKEN, TOKEN_KEY
from luna.platform.queue import Client
from luna.platform.settings import Settings, load_settings
from luna.platform.settings.model import read_stored
from luna.platform.settings.stored import describe_settings
from luna.platform.telemetry import HIDDEN, without_secrets

# A shorter value would be found within ordinary words.
SHORTEST = 6
# Keys by how they look, whoever gave them out: signed tokens, Luna's own keys, those of language
# models and forges, blocks of PEM, long hexadecimal numbers.
KEY_PATTERNS = re.compile(
    r"eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"
    r"|\bluna_[A-Za-z0-9]{4,}_?[A-Za-z0-9_-]{16,}"
    r"|\b(?:sk|pk|ghp|gho|glpat|xox[abp])[-_][A-Za-z0-9_-]{16,}"
    r"|\bAKIA[0-9A-Z]{16}\b"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END [A-Z ]*PRIVATE KEY-----"
    r"|\b[0-9a-f]{48,}\b",
    re.DOTALL,
)
# Of each log; a day of a quiet home, and what a message may carry.
TAIL_BYTES = 1_000_000
JOBS = 200


def write_bundle(
    path: Path, findings: Sequence[DoctorFinding], *, logs: Mapping[str, bytes], now: datetime
) -> list[str]:
    """Write the archive and return the names of what is in it.

    What cannot be had is left out and said so in ``bundle.json``.

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
        settings = Settings.model_construct()
        broken = str(error)
    else:
        broken = ""
    redaction = Redaction(settings)
    libraries = {library.metadata["Name"]: library.version for library in distributions()}
    documents: dict[str, Any] = {
        "bundle.json": {"made_at": now.isoformat(), "settings": broken or "read"},
        "doctor.json": [finding.document() for finding in findings],
        "versions.json": {
            "python": platform.python_version(),
            "machine": platform.platform(),
            "libraries": {name: libraries[name] for name in sorted(libraries, key=str.lower)},
        },
    }
    if not broken:
        documents |= {
            "settings.json": [state._asdict() for state in describe_settings(settings)],
            **_ask_servers(settings),
        }
    texts = {
        name: json.dumps(document, indent=1, ensure_ascii=False, default=str)
        for name, document in documents.items()
    }
    for name, tail in (*_own_logs(settings), *logs.items()):
        texts[f"logs/{name}"] = tail.decode("utf-8", "replace")
    try:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, text in texts.items():
                archive.writestr(name, redaction.apply(text))
    except OSError as exc:
        raise MachineError(
            f"the archive cannot be written: {exc.strerror}",
            field="--out",
            value=str(path),
            remedy="Name a file that you may write.",
        ) from exc
    return list(texts)


def _ask_servers(settings: Settings) -> dict[str, Any]:
    """Return the parts of database and queue, without those of a server that is away."""
    parts: dict[str, Any] = {}
    with suppress(LunaError), running(settings) as addresses:
        with suppress(LunaError):
            parts |= _ask_queue(addresses.redis_url)
        with suppress(LunaError):
            parts |= _ask_database(addresses.database_url)
    return parts


def _ask_queue(url: str) -> dict[str, Any]:
    with closing(Client(url)) as client:
        heartbeats = client.heartbeats
        signs = {
            "beat": heartbeats.beat(),
            "recorder": heartbeats.recorder(),
            "executor": heartbeats.executor(),
            "home_assistant": heartbeats.home_assistant(),
        }
        live = {}
        for name, sign in (*heartbeats.nodes().items(), *signs.items()):
            if sign is not None:
                live[name] = sign.model_dump(mode="json")
        # Requests are a home's own business: a dead one is named by its kind.
        dead = [
            {"task": task.task, "starts": task.starts, "died_at": task.died_at}
            for task in client.tasks.dead()
        ]
        return {"health.json": live, "dead.json": dead}


def _ask_database(url: str) -> dict[str, Any]:
    pool = engine.create(url, application_name="luna-support", pool_size=1)
    try:
        with unit_of_work(pool) as connection:
            tables = [table._asdict() for table in volume.list_tables(connection)]
            parts: dict[str, Any] = {
                "database.json": {"revision": revision.current(connection), "tables": tables}
            }
            if revision.current(connection) == revision.head():
                listed = jobs.list_newest(connection, limit=JOBS)
                newest = [job.model_dump(mode="json") for job in listed]
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


class Redaction:
    """Takes what is secret out of texts.

    Args:
        settings: whose secrets are known; so are those that Luna made for itself below the data
            folder.
    """

    def __init__(self, settings: Settings) -> None:
        self.secrets = frozenset(word for word in list_secrets(settings) if len(word) >= SHORTEST)
        # The longest first: one may begin with another.
        words = sorted(self.secrets, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, words))) if words else None

    def apply(self, text: str) -> str:
        """Return ``text`` without secrets; applied again nothing changes."""
        bare = self._pattern.sub(HIDDEN, text) if self._pattern else text
        return str(without_secrets(KEY_PATTERNS.sub(HIDDEN, bare)))


def list_secrets(settings: Settings) -> Iterator[str]:
    """Yield every secret of this installation.

    They are in the settings and their addresses, stored by pages, or made by Luna for itself.
    """
    for name in Settings.model_fields:
        value = getattr(settings, name)
        yield from _words(
            value.get_secret_value() if isinstance(value, SecretStr) else value,
            secret=isinstance(value, SecretStr),
        )
    with suppress(LunaError):
        for name, value in read_stored(settings.data_folder).items():
            yield from _words(
                value, secret="SecretStr" in str(Settings.model_fields[name].annotation)
            )
    with suppress(OSError, ValueError, KeyError):
        yield str(
            json.loads(
                (settings.data_folder / "servers" / "servers.json").read_text(encoding="utf-8")
            )["password"]
        )
    for name in (TOKEN_KEY, OWNER_TOKEN):
        with suppress(OSError, ValueError):
            yield (settings.data_folder / FOLDER / name).read_text(encoding="utf-8").strip()
    with suppress(OSError, UnicodeDecodeError):
        for path in (settings.data_folder / SECRETS_FOLDER).iterdir():
            text = path.read_text(encoding="utf-8").strip()
            # Of user:password the password; of a token all of it.
            yield text.partition(":")[2] or text


def _words(value: object, *, secret: bool) -> Iterator[str]:
    """Yield a secret setting's value line by line, and the password within an address."""
    if not isinstance(value, str):
        return
    for line in value.splitlines():
        before_scheme, scheme_mark, _ = line.partition("://")
        has_name = scheme_mark and "=" in before_scheme
        address = line[line.find("=") + 1 :] if has_name else line
        if "://" not in address:
            if secret:
                yield line
            continue
        if secret:
            yield address
        with suppress(ValueError):
            password = urlsplit(address).password
            if password:
                yield from (password, unquote(password))
