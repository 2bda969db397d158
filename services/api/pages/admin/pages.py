"""The installation's pages: how every part of it is, its jobs, its settings, its last words, and a file of all this for who helps."""

from datetime import timedelta
from functools import partial
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import RedirectResponse

from luna.contracts.job import JobFilter
from luna.energy.errors import LunaError
from luna.platform.clock import SystemClock
from luna.platform.database.prices import USUAL_CURRENCY
from luna.platform.queue.jobs import cancel_job, retry_job
from luna.platform.settings.stored import Plain, describe_settings, is_changeable, store_settings
from luna.words import Numbers
from services.api.gateway import CurrentGateway
from services.api.pages.admin.bundle import make_bundle
from services.api.pages.admin.panels import SECTIONS, PanelQuery, read_panel, say_moment
from services.api.pages.layout import Page, PageRoute, Reader, show, show_part
from services.api.pages.setup.pages import Typed

PAGE = Page("admin", "/ui/admin", "administer")
TABS = ("status", "jobs", "people", "settings", "audit", "answers", "logs")
Section = Literal["status", "jobs", "audit", "answers", "logs"]
PartName = Literal["services", "queues", "volume", "models", "jobs", "audit", "answers", "logs"]
JobId = Annotated[str, Path(max_length=64, pattern=r"^[\w-]+$")]

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/ui/admin")
def open_admin() -> Response:
    """Lead to how everything is."""
    return RedirectResponse("/ui/admin/status", 303)


@router.get("/ui/admin/settings")
def show_settings(request: Request, gateway: CurrentGateway) -> Response:
    """Show every setting, where it comes from, and a field for those that may be changed here."""
    return _show_settings(request, gateway)


@router.post("/ui/admin/settings")
def save_setting(request: Request, gateway: CurrentGateway, typed: Typed) -> Response:
    """Store one setting, or put it back to its default; what is refused is said beside it, with what was typed."""
    name, value = typed.get("name", ""), typed.get("value", "").strip()
    wanted: Plain = None if typed.get("go") == "default" or not value else value
    try:
        gateway.settings = store_settings(gateway.settings, {name: wanted})
    except LunaError as error:
        return _show_settings(request, gateway, fault=(name, value, error), status=error.status)
    return RedirectResponse(f"/ui/admin/settings#{name}" if is_changeable(name) else "/ui/admin/settings", 303)


@router.get("/ui/admin/bundle")
def download_bundle(gateway: CurrentGateway) -> Response:
    """Return a file for who helps; no secret is in it."""
    name = f"luna-{SystemClock().now():%Y%m%d-%H%M%S}.zip"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(make_bundle(gateway), media_type="application/zip", headers=headers)


@router.get("/ui/admin/parts/{part}")
def show_admin_part(part: PartName, request: Request, gateway: CurrentGateway, status: Annotated[JobFilter | None, Query()] = None) -> Response:
    """Show one panel as it is now."""
    panel = read_panel(gateway, part, PanelQuery(status))
    return show_part(request, PAGE, "admin_panel.html.j2", panel=panel, **_frame(request, part, status))


@router.get("/ui/admin/{section}")
def show_admin(section: Section, request: Request, gateway: CurrentGateway, status: Annotated[JobFilter | None, Query()] = None) -> Response:
    """Show the panels of a page."""
    panels = [read_panel(gateway, name, PanelQuery(status)) for name in SECTIONS[section]]
    return show(request, PAGE, template="admin_panels.html.j2", panels=panels, **_frame(request, section, status))


@router.post("/ui/admin/jobs/{job_id}/cancel")
def cancel_admin_job(job_id: JobId, gateway: CurrentGateway) -> Response:
    """End a job."""
    cancel_job(gateway.database, gateway.queue, job_id)
    return RedirectResponse("/ui/admin/jobs", 303)


@router.post("/ui/admin/jobs/{job_id}/retry")
def retry_admin_job(job_id: JobId, gateway: CurrentGateway) -> Response:
    """Try a job again that ended badly."""
    retry_job(gateway.database, gateway.queue, job_id)
    return RedirectResponse("/ui/admin/jobs", 303)


def _frame(request: Request, section: str, status: JobFilter | None = None) -> dict[str, Any]:
    # Nothing here is of one site: only how the reader writes numbers counts.
    numbers = Numbers(Reader.of(request).language, ZoneInfo("UTC"), USUAL_CURRENCY)
    said = {"figure": numbers.number, "instant": say_moment, "bytes_of": partial(say_bytes, numbers=numbers), "age": say_age}
    return {"tabs": TABS, "section": section, "status_filter": status, **said}


def _show_settings(request: Request, gateway: CurrentGateway, *, fault: tuple[str, str, LunaError] | None = None, status: int = 200) -> Response:
    states = describe_settings(gateway.settings)
    # Other containers read a file of their own, if any.
    shared = gateway.settings.database_url is None
    return show(request, PAGE, template="admin_settings.html.j2", states=states, fault=fault, shared=shared, status=status, **_frame(request, "settings"))


def say_bytes(count: int, *, numbers: Numbers) -> str:
    """Return a size as people read it."""
    size, units = float(count), iter(("B", "kB", "MB", "GB", "TB"))
    unit = next(units)
    while size >= 1000 and unit != "TB":
        size, unit = size / 1000, next(units)
    return f"{numbers.number(size, 0 if unit == 'B' or size >= 10 else 1)}\u00a0{unit}"


def say_age(seconds: float) -> str:
    """Return how long something has taken."""
    return str(timedelta(seconds=round(seconds)))
