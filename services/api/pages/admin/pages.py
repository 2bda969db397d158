"""The installation's pages: how every part of it is, its jobs, its settings, its last words, and a
support bundle of all this.

The bundle is one file with what somebody who helps needs to know, without anything that opens a
door or says where a house stands.
"""

import base64
import io
import json
import platform
import re
import zipfile
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from functools import partial
from importlib.metadata import distributions
from typing import Annotated, Any, Literal
from urllib.parse import quote, quote_plus, unquote, urlsplit
from zoneinfo import ZoneInfo

from fastapi import Path, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import SecretStr
from pydantic_core import to_jsonable_python

from luna.contracts.job import JobFilter
from luna.energy.errors import LunaError
from luna.platform.clock import SystemClock
from luna.platform.database import jobs, revision, sites, training_runs, volume
from luna.platform.database.engine import unit_of_work
from luna.platform.database.forecast_status import TRAINED_VERSION
from luna.platform.database.prices import USUAL_CURRENCY
from luna.platform.queue.jobs import cancel_job, retry_job
from luna.platform.settings import Settings
from luna.platform.settings.stored import Plain, describe_settings, is_changeable, store_settings
from luna.platform.telemetry import HIDDEN, RECENT_LINES, without_secrets
from luna.words import Numbers
from services.api.gateway import CurrentGateway, Gateway
from services.api.pages.admin.page_clock import read_clock
from services.api.pages.admin.panels import SECTIONS, PanelQuery, read_panel
from services.api.pages.layout import Page, PageRoute, Reader, show, show_part
from services.api.pages.setup.pages import Typed
from services.api.routing import ResourceRouter
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
    parts: dict[str, Callable[[], Any]] = {
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
        for name, compose in parts.items():
            try:
                part = compose()
            except LunaError as error:
                part = {"error": error.problem()}
            text = (
                part
                if isinstance(part, str)
                else json.dumps(to_jsonable_python(part), indent=1, ensure_ascii=False)
            )
            archive.writestr(name, hide(text, secrets))
    return content.getvalue()


def list_secrets(settings: Settings) -> list[str]:
    """Return every text that must not leave: values of secret settings, their lines, and what opens
    a door in addresses; the longest first.
    """
    secrets: set[str] = set()
    for name in Settings.model_fields:
        value = getattr(settings, name)
        secret = isinstance(value, SecretStr)
        text = value.get_secret_value() if isinstance(value, SecretStr) else str(value)
        secrets |= {text, *text.split()} if secret else set()
        for address in _ADDRESS.findall(text):
            try:
                parts = urlsplit(address)
                password = parts.password
            except ValueError:
                secrets.add(address)
                continue
            # What stands alone where a user does, and, of an address that is secret as a whole, its
            # parts; each also without its quotes.
            user = parts.netloc.rpartition("@")[0].partition(":")[0]
            tokens = [user, *(re.split(r"[/?&=:@]", address.partition("://")[2]) if secret else ())]
            of_address = {
                password or "",
                *(token for token in tokens if len(token) >= SHORTEST_TOKEN),
            }
            secrets |= of_address | {unquote(each) for each in of_address}
    return sorted((each for each in secrets if len(each) >= SHORTEST_SECRET), key=len, reverse=True)


def hide(text: str, secrets: Iterable[str]) -> str:
    """Return a text without the secrets, also where they stand with escapes of JSON, quoted for an
    address, or encoded.
    """
    for secret in secrets:
        plain = [
            secret,
            quote(secret),
            quote(secret, safe=""),
            quote_plus(secret),
            base64.b64encode(secret.encode()).decode().rstrip("="),
        ]
        for form in {
            json.dumps(each, ensure_ascii=ascii_only)[1:-1]
            for each in plain
            for ascii_only in (True, False)
        } | set(plain):
            text = text.replace(form, HIDDEN)
    return text


def _versions() -> Mapping[str, Any]:
    packages = {package.metadata["Name"]: package.version for package in distributions()}
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "schema": revision.head(),
        "packages": dict(sorted(packages.items())),
    }


def _jobs(gateway: Gateway) -> list[Any]:
    with unit_of_work(gateway.database) as connection:
        return [
            without_secrets(to_jsonable_python(job))
            for job in jobs.list_newest(connection, limit=MOST_JOBS)
        ]


def _tables(gateway: Gateway) -> list[Any]:
    with unit_of_work(gateway.database) as connection:
        return [table._asdict() for table in volume.list_tables(connection)]


def _sites(gateway: Gateway) -> list[Any]:
    with unit_of_work(gateway.database) as connection:
        stored = sites.load_all(connection)
        trained = {
            site.name: training_runs.list_latest(
                connection, site.name, version=TRAINED_VERSION, limit=5
            )
            for site in stored.sites
        }
    readable = []
    for site in stored.sites:
        document: dict[str, Any] = json.loads(site.model_dump_json(by_alias=True))
        if site.location is not None:
            # A degree is some hundred kilometres, enough for sun and weather.
            document["location"] = {
                "latitude": round(site.location.latitude),
                "longitude": round(site.location.longitude),
            }
        readable.append(
            {"site": document, "training_runs": [run.verdict for run in trained[site.name]]}
        )
    return [
        *readable,
        *({"unreadable": each.name, "error": each.error.problem()} for each in stored.unreadable),
    ]


PAGE = Page("admin", "/ui/admin", "administer")
TABS = ("status", "jobs", "people", "messages", "settings", "extras", "audit", "answers", "logs")
Section = Literal["status", "jobs", "audit", "answers", "logs"]
PartName = Literal["services", "queues", "volume", "models", "jobs", "audit", "answers", "logs"]
JobId = Annotated[str, Path(max_length=64, pattern=r"^[\w-]+$")]

router = ResourceRouter(route_class=PageRoute)


@router.page("GET", "/ui/admin", "administer")
def open_admin() -> Response:
    """Lead to how everything is."""
    return RedirectResponse("/ui/admin/status", 303)


@router.page("GET", "/ui/admin/settings", "administer")
def show_settings(request: Request, gateway: CurrentGateway) -> Response:
    """Show every setting, where it comes from, and a field for those that may be changed here."""
    return _show_settings(request, gateway)


@router.page("POST", "/ui/admin/settings", "administer")
def save_setting(request: Request, gateway: CurrentGateway, typed: Typed) -> Response:
    """Store one setting, or put it back to its default.

    What is refused is said beside it, with what was typed.
    """
    name = typed.get("name", "")
    value = typed.get("value", "").strip()
    new_value: Plain = None if typed.get("go") == "default" or not value else value
    try:
        gateway.settings = store_settings(gateway.settings, {name: new_value})
    except LunaError as error:
        return _show_settings(request, gateway, fault=(name, value, error), status=error.status)
    return RedirectResponse(
        f"/ui/admin/settings#{name}" if is_changeable(name) else "/ui/admin/settings", 303
    )


@router.page("GET", "/ui/admin/bundle", "administer")
def download_bundle(gateway: CurrentGateway) -> Response:
    """Return a file for who helps; no secret is in it."""
    name = f"luna-{SystemClock().now():%Y%m%d-%H%M%S}.zip"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(make_bundle(gateway), media_type="application/zip", headers=headers)


@router.page("GET", "/ui/admin/parts/{part}", "administer")
def show_admin_part(
    part: PartName,
    request: Request,
    gateway: CurrentGateway,
    status: Annotated[JobFilter | None, Query()] = None,
) -> Response:
    """Show one panel as it is now."""
    panel = read_panel(gateway, part, PanelQuery(status))
    return show_part(
        request, PAGE, "admin_panel.html.j2", panel=panel, **_frame(request, gateway, part, status)
    )


@router.page("GET", "/ui/admin/{section}", "administer")
def show_admin(
    section: Section,
    request: Request,
    gateway: CurrentGateway,
    status: Annotated[JobFilter | None, Query()] = None,
) -> Response:
    """Show the panels of a page."""
    panels = [read_panel(gateway, name, PanelQuery(status)) for name in SECTIONS[section]]
    return show(
        request,
        PAGE,
        template="admin_panels.html.j2",
        panels=panels,
        **_frame(request, gateway, section, status),
    )


@router.page("POST", "/ui/admin/jobs/{job_id}/cancel", "administer")
def cancel_admin_job(job_id: JobId, gateway: CurrentGateway) -> Response:
    """End a job."""
    cancel_job(gateway.database, gateway.queue, job_id)
    return RedirectResponse("/ui/admin/jobs", 303)


@router.page("POST", "/ui/admin/jobs/{job_id}/retry", "administer")
def retry_admin_job(job_id: JobId, gateway: CurrentGateway) -> Response:
    """Try a job again that ended badly."""
    retry_job(gateway.database, gateway.queue, job_id)
    return RedirectResponse("/ui/admin/jobs", 303)


def _frame(
    request: Request, gateway: Gateway, section: str, status: JobFilter | None = None
) -> dict[str, Any]:
    # Nothing here is of one site: only how the reader writes numbers counts.
    numbers = Numbers(Reader.of(request).language, ZoneInfo("UTC"), USUAL_CURRENCY)
    clock = read_clock(gateway)
    formatters = {
        "figure": numbers.number,
        "instant": clock.say,
        "zone": clock.zone,
        "bytes_of": partial(say_bytes, numbers=numbers),
        "age": say_age,
    }
    return {"tabs": TABS, "section": section, "status_filter": status, **formatters}


def _show_settings(
    request: Request,
    gateway: CurrentGateway,
    *,
    fault: tuple[str, str, LunaError] | None = None,
    status: int = 200,
) -> Response:
    states = describe_settings(gateway.settings)
    # Other containers read a file of their own, if any.
    shared = gateway.settings.database_url is None
    frame = _frame(request, gateway, "settings")
    return show(
        request,
        PAGE,
        template="admin_settings.html.j2",
        states=states,
        fault=fault,
        shared=shared,
        status=status,
        **frame,
    )


def say_bytes(count: int, *, numbers: Numbers) -> str:
    """Return a size as people read it."""
    size = float(count)
    units = iter(("B", "kB", "MB", "GB", "TB"))
    unit = next(units)
    while size >= 1000 and unit != "TB":
        size = size / 1000
        unit = next(units)
    return f"{numbers.number(size, 0 if unit == 'B' or size >= 10 else 1)}\u00a0{unit}"


def say_age(seconds: float) -> str:
    """Return how long something has taken."""
    return str(timedelta(seconds=round(seconds)))
