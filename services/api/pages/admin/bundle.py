"""What somebody who helps needs to know of an installation, as one file, without anything that opens a door or says where a house stands."""

import base64
import io
import json
import platform
import re
import zipfile
from collections.abc import Iterable, Mapping
from importlib.metadata import distributions
from typing import Any
from urllib.parse import quote, quote_plus, unquote, urlsplit

from pydantic import SecretStr
from pydantic_core import to_jsonable_python

from luna.energy.errors import LunaError
from luna.energy.site import Site
from luna.platform.clock import SystemClock
from luna.platform.database import jobs, migrate, sites, training_runs, volume
from luna.platform.database.engine import unit_of_work
from luna.platform.settings import Settings
from luna.platform.settings.stored import describe_settings
from luna.platform.telemetry import HIDDEN, RECENT_LINES, without_secrets
from services.api.gateway import Gateway
from services.api.pages.admin.panels import TRAINED
from services.api.service_status import service_status

MOST_JOBS = 200
# Shorter ones stand in ordinary words, and would blacken them.
SHORTEST_SECRET = 4
# Services have their tokens anywhere in an address; a part as long as this may be one.
SHORTEST_TOKEN = 12
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://\S+")


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
        "logs.jsonl": lambda: "\n".join(str(without_secrets(line)) for line in RECENT_LINES),
    }
    secrets = list_secrets(gateway.settings)
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, read in parts.items():
            archive.writestr(name, hide(_write(read), secrets))
    return content.getvalue()


def list_secrets(settings: Settings) -> list[str]:
    """Return every text that must not leave: values of secret settings, their lines, and what opens a door in addresses; the longest first."""
    found: set[str] = set()
    for name in Settings.model_fields:
        value = getattr(settings, name)
        secret, text = isinstance(value, SecretStr), value.get_secret_value() if isinstance(value, SecretStr) else str(value)
        found |= {text, *text.split()} if secret else set()
        for address in _ADDRESS.findall(text):
            found |= _of_address(address, secret=secret)
    return sorted((each for each in found if len(each) >= SHORTEST_SECRET), key=len, reverse=True)


def _of_address(address: str, *, secret: bool) -> set[str]:
    """Return password, what stands alone where a user does, and, of an address that is secret as a whole, its parts; each also without its quotes."""
    try:
        parts = urlsplit(address)
        password = parts.password
    except ValueError:
        return {address}
    user = parts.netloc.rpartition("@")[0].partition(":")[0]
    tokens = [user, *(re.split(r"[/?&=:@]", address.partition("://")[2]) if secret else ())]
    found = {password or "", *(token for token in tokens if len(token) >= SHORTEST_TOKEN)}
    return found | {unquote(each) for each in found}


def hide(text: str, secrets: Iterable[str]) -> str:
    """Return a text without the secrets, also where they stand with escapes of JSON, quoted for an address, or encoded."""
    for secret in secrets:
        plain = [secret, quote(secret), quote(secret, safe=""), quote_plus(secret), base64.b64encode(secret.encode()).decode().rstrip("=")]
        for form in {json.dumps(each, ensure_ascii=ascii_only)[1:-1] for each in plain for ascii_only in (True, False)} | set(plain):
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
        return [without_secrets(to_jsonable_python(job)) for job in jobs.list_newest(connection, limit=MOST_JOBS)]


def _tables(gateway: Gateway) -> list[Any]:
    with unit_of_work(gateway.database) as connection:
        return [table._asdict() for table in volume.list_tables(connection)]


def _sites(gateway: Gateway) -> list[Any]:
    with unit_of_work(gateway.database) as connection:
        stored = sites.load_all(connection)
        trained = {site.name: training_runs.list_latest(connection, site.name, version=TRAINED, limit=5) for site in stored.sites}
    readable = [{"site": _without_place(site), "training_runs": [run.verdict for run in trained[site.name]]} for site in stored.sites]
    return [*readable, *({"unreadable": each.name, "error": each.error.problem()} for each in stored.unreadable)]


def _without_place(site: Site) -> Mapping[str, Any]:
    """Return a site's configuration; a degree is some hundred kilometres, enough for sun and weather."""
    document: dict[str, Any] = json.loads(site.model_dump_json(by_alias=True))
    if site.location is not None:
        document["location"] = {"latitude": round(site.location.latitude), "longitude": round(site.location.longitude)}
    return document
