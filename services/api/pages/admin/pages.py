"""Pages of the installation: status, jobs, settings, recent logs, and a support bundle.

The bundle is one file for support. It contains no secrets, and no place closer than a degree.
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
from luna.words import Language, Numbers
from luna.words.actions import name_action
from luna.words.checks import format_fault, name_check, name_service
from luna.words.numbers import join_unit
from luna.words.pages import PageWords
from luna.words.tasks import name_task
from services.api.gateway import CurrentGateway, Gateway
from services.api.pages.admin.page_clock import read_clock
from services.api.pages.admin.panels import SECTIONS, PanelQuery, read_panel
from services.api.pages.layout import Page, PageRoute, Reader, show, show_part, words_of
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
    """Return the support bundle as a zip file; an unreadable part becomes its error.

    Invariants: no value of a secret setting is in it, and no place is closer than a degree.
    """
    parts: dict[str, Callable[[Gateway], Any]] = {
        "settings.json": _settings,
        "versions.json": _versions,
        "services.json": _services,
        "jobs.json": _jobs,
        "tables.json": _tables,
        "sites.json": _sites,
        "logs.jsonl": _logs,
    }
    secrets = list_secrets(gateway.settings)
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, compose in parts.items():
            try:
                part = compose(gateway)
            except LunaError as error:
                part = {"error": error.problem()}
            if not isinstance(part, str):
                part = json.dumps(to_jsonable_python(part), indent=1, ensure_ascii=False)
            archive.writestr(name, hide(part, secrets))
    return content.getvalue()


def list_secrets(settings: Settings) -> list[str]:
    """Return the texts that must not leave the installation, the longest first.

    These are values of secret settings, their lines, and passwords and tokens in addresses.
    """
    secrets: set[str] = set()
    for name in Settings.model_fields:
        value = getattr(settings, name)
        if isinstance(value, SecretStr):
            text = value.get_secret_value()
            secrets |= {text, *text.split()}
        else:
            text = str(value)
        for address in _ADDRESS.findall(text):
            secrets |= _list_address_secrets(address, is_secret=isinstance(value, SecretStr))
    long_enough = [secret for secret in secrets if len(secret) >= SHORTEST_SECRET]
    return sorted(long_enough, key=len, reverse=True)


def _list_address_secrets(address: str, *, is_secret: bool) -> set[str]:
    """Return the password and tokens of an address, as they are and without percent encoding.

    A user may be a token; of an address that is secret as a whole, any long part may.
    """
    try:
        parts = urlsplit(address)
        password = parts.password
    except ValueError:
        return {address}
    tokens = [parts.netloc.rpartition("@")[0].partition(":")[0]]
    if is_secret:
        tokens += re.split(r"[/?&=:@]", address.partition("://")[2])
    secrets = {token for token in tokens if len(token) >= SHORTEST_TOKEN}
    secrets.add(password or "")
    return secrets | {unquote(secret) for secret in secrets}


def hide(text: str, secrets: Iterable[str]) -> str:
    """Return a text without the secrets.

    They are also found with escapes of JSON, quoted for an address, or encoded as Base64.
    """
    for secret in secrets:
        plain_forms = {
            secret,
            quote(secret),
            quote(secret, safe=""),
            quote_plus(secret),
            base64.b64encode(secret.encode()).decode().rstrip("="),
        }
        forms = set(plain_forms)
        for form in plain_forms:
            forms.add(json.dumps(form, ensure_ascii=True)[1:-1])
            forms.add(json.dumps(form, ensure_ascii=False)[1:-1])
        for form in forms:
            text = text.replace(form, HIDDEN)
    return text


def _settings(gateway: Gateway) -> list[Any]:
    return [state._asdict() for state in describe_settings(gateway.settings)]


def _services(gateway: Gateway) -> Any:
    return service_status(gateway, now=SystemClock().now())


def _logs(_: Gateway) -> str:
    return "\n".join(str(without_secrets(line)) for line in RECENT_LINES)


def _versions(_: Gateway) -> Mapping[str, Any]:
    packages = {package.metadata["Name"]: package.version for package in distributions()}
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "schema": revision.head(),
        "packages": dict(sorted(packages.items())),
    }


def _jobs(gateway: Gateway) -> list[Any]:
    with unit_of_work(gateway.database) as connection:
        newest = jobs.list_newest(connection, limit=MOST_JOBS)
        return [without_secrets(to_jsonable_python(job)) for job in newest]


def _tables(gateway: Gateway) -> list[Any]:
    with unit_of_work(gateway.database) as connection:
        return [table._asdict() for table in volume.list_tables(connection)]


def _sites(gateway: Gateway) -> list[Any]:
    described: list[Any] = []
    with unit_of_work(gateway.database) as connection:
        stored = sites.load_all(connection)
        for site in stored.sites:
            runs = training_runs.list_latest(
                connection, site.name, version=TRAINED_VERSION, limit=5
            )
            document: dict[str, Any] = json.loads(site.model_dump_json(by_alias=True))
            if site.location is not None:
                # A degree is some hundred kilometres, enough for sun and weather.
                document["location"] = {
                    "latitude": round(site.location.latitude),
                    "longitude": round(site.location.longitude),
                }
            described.append({"site": document, "training_runs": [run.verdict for run in runs]})
    unreadable = [
        {"unreadable": site.name, "error": site.error.problem()} for site in stored.unreadable
    ]
    return described + unreadable


PAGE = Page("admin", "/ui/admin", "administer")
TABS = ("status", "jobs", "people", "messages", "settings", "extras", "audit", "answers", "logs")
Section = Literal["status", "jobs", "audit", "answers", "logs"]
PartName = Literal["services", "queues", "volume", "models", "jobs", "audit", "answers", "logs"]
JobId = Annotated[str, Path(max_length=64, pattern=r"^[\w-]+$")]

router = ResourceRouter(route_class=PageRoute)


@router.page("GET", "/ui/admin", "administer")
def open_admin() -> Response:
    """Lead to the status."""
    return RedirectResponse("/ui/admin/status", 303)


@router.page("GET", "/ui/admin/settings", "administer")
def show_settings(request: Request, gateway: CurrentGateway) -> Response:
    """Show every setting with its source, and fields for those that can be changed."""
    return _show_settings(request, gateway)


@router.page("POST", "/ui/admin/settings", "administer")
def save_setting(request: Request, gateway: CurrentGateway, typed: Typed) -> Response:
    """Store one setting, or reset it to its default.

    A refusal is shown beside it, with what was typed.
    """
    name = typed.get("name", "")
    value = typed.get("value", "").strip()
    new_value: Plain = None if typed.get("go") == "default" or not value else value
    try:
        gateway.settings = store_settings(gateway.settings, {name: new_value})
    except LunaError as error:
        return _show_settings(request, gateway, fault=(name, value, error), status=error.status)
    anchor = f"#{name}" if is_changeable(name) else ""
    return RedirectResponse(f"/ui/admin/settings{anchor}", 303)


@router.page("GET", "/ui/admin/bundle", "administer")
def download_bundle(gateway: CurrentGateway) -> Response:
    """Return the support bundle."""
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
    """Retry a failed job."""
    retry_job(gateway.database, gateway.queue, job_id)
    return RedirectResponse("/ui/admin/jobs", 303)


def _frame(
    request: Request, gateway: Gateway, section: str, status: JobFilter | None = None
) -> dict[str, Any]:
    # Nothing here belongs to one site: only the reader's way to write numbers counts.
    language = Reader.of(request).language
    numbers = Numbers(language, ZoneInfo("UTC"), USUAL_CURRENCY)
    clock = read_clock(gateway, request)
    formatters = {
        "figure": numbers.number,
        "measure": partial(say_measure, numbers=numbers),
        "instant": clock.say,
        "zone": clock.zone,
        "bytes_of": partial(say_bytes, numbers=numbers),
        "age": partial(say_age, words=words_of(request, PAGE)),
        "name_checks": partial(join_checks, language=language),
        "name_service": partial(name_service, language=language),
        "name_action": partial(name_action, language=language),
        "name_task": partial(name_task, language=language),
        "format_fault": partial(format_fault, language=language),
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


def join_checks(names: Iterable[str], *, language: Language) -> str:
    """Return the names of checks as a list."""
    return ", ".join(name_check(name, language) for name in names)


def say_measure(value: float | None, unit: str, decimals: int, *, numbers: Numbers) -> str:
    """Return a figure with its unit: "1.5 s"; "–" where it is unknown."""
    figure = numbers.number(value, decimals)
    return figure if value is None else join_unit(figure, unit, numbers.language)


def say_bytes(count: int, *, numbers: Numbers) -> str:
    """Return a size in words."""
    size = float(count)
    units = iter(("B", "kB", "MB", "GB", "TB"))
    unit = next(units)
    while size >= 1000 and unit != "TB":
        size = size / 1000
        unit = next(units)
    return f"{numbers.number(size, 0 if unit == 'B' or size >= 10 else 1)}\u00a0{unit}"


def say_age(seconds: float, *, words: PageWords) -> str:
    """Return a duration: "2:03:04", "1 day, 2:03:04"."""
    days, rest = divmod(round(seconds), 86400)
    clock = str(timedelta(seconds=rest))
    return words("age_days", days=days, clock=clock) if days else clock
