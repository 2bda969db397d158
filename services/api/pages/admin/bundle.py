"""What somebody who helps needs to know of an installation, as one file, without anything that opens a door or says where a house stands."""

import io
import json
import platform
import zipfile
from collections.abc import Iterable, Mapping
from importlib.metadata import distributions
from typing import Any
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr
from pydantic_core import to_jsonable_python

from luna.database import jobs, migrate, sites, training_runs, volume
from luna.database.engine import unit_of_work
from luna.errors import LunaError
from luna.settings import Settings
from luna.settings.stored import describe_settings
from luna.site import Site
from luna.telemetry import HIDDEN, RECENT_LINES
from luna.timeline import SystemClock
from services.api.gateway import Gateway
from services.api.pages.admin.panels import TRAINED
from services.api.service_status import service_status

MOST_JOBS = 200
# Shorter ones stand in ordinary words, and would blacken them.
SHORTEST_SECRET = 4


def make_bundle(gateway: Gateway) -> bytes:
    """Return the bundle as a zip file; what cannot be read is in it as its error.

    Invariants: no value of a secret setting is in it, and no place is closer than a degree.
    """
    parts = {
        "settings.json": lambda: [state._asdict() for state in describe_settings(gateway.settings)],
        "versions.json": _versions,
        "services.json": lambda: service_status(gateway, now=SystemClock().now()),
        "jobs.json": lambda: _jobs(gateway),
        "tables.json": lambda: _tables(gateway),
        "sites.json": lambda: _sites(gateway),
        "logs.jsonl": lambda: "\n".join(RECENT_LINES),
    }
    secrets = list_secrets(gateway.settings)
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, read in parts.items():
            archive.writestr(name, hide(_write(read), secrets))
    return content.getvalue()


def list_secrets(settings: Settings) -> list[str]:
    """Return every text that must not leave: values of secret settings, passwords and users in addresses, the longest first."""
    found: set[str] = set()
    for name in Settings.model_fields:
        value = getattr(settings, name)
        text = value.get_secret_value() if isinstance(value, SecretStr) else value if isinstance(value, str) else ""
        found |= {text} if isinstance(value, SecretStr) else set()
        found |= _of_address(text)
    return sorted((each for each in found if len(each) >= SHORTEST_SECRET), key=len, reverse=True)


def _of_address(text: str) -> set[str]:
    try:
        password = urlsplit(text).password if "://" in text else None
    except ValueError:
        return {text}
    return {password, unquote(password)} if password else set()


def hide(text: str, secrets: Iterable[str]) -> str:
    """Return a text without the secrets, also where JSON writes them with escapes."""
    for secret in secrets:
        for form in (secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]):
            text = text.replace(form, HIDDEN)
    return text


def _write(read: Any) -> str:
    try:
        found = read()
    except LunaError as error:
        found = {"error": error.problem()}
    return found if isinstance(found, str) else json.dumps(to_jsonable_python(found), indent=1, ensure_ascii=False)


def _versions() -> Mapping[str, Any]:
    packages = {package.metadata["Name"]: package.version for package in distributions()}
    return {"python": platform.python_version(), "platform": platform.platform(), "schema": migrate.head(), "packages": dict(sorted(packages.items()))}


def _jobs(gateway: Gateway) -> list[Any]:
    with unit_of_work(gateway.database) as connection:
        return list(jobs.list_newest(connection, limit=MOST_JOBS))


def _tables(gateway: Gateway) -> list[Any]:
    with unit_of_work(gateway.database) as connection:
        return [table._asdict() for table in volume.list_tables(connection)]


def _sites(gateway: Gateway) -> list[Any]:
    with unit_of_work(gateway.database) as connection:
        stored = sites.load_all(connection)
        trained = {site.name: training_runs.list_latest(connection, site.name, version=TRAINED, limit=5) for site in stored}
    return [{"site": _without_place(site), "training_runs": [run.verdict for run in trained[site.name]]} for site in stored]


def _without_place(site: Site) -> Mapping[str, Any]:
    """Return a site's configuration; a degree is some hundred kilometres, enough for sun and weather."""
    document: dict[str, Any] = json.loads(site.model_dump_json(by_alias=True))
    if site.location is not None:
        document["location"] = {"latitude": round(site.location.latitude), "longitude": round(site.location.longitude)}
    return document
