"""``luna replay``: what every policy would have cost on recorded days."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from luna.contracts.forecast import IssueRequest
from luna.contracts.replay import POLICIES, ReplayReply, ReplayRequest
from luna.timeline import local_midnight
from luna.wording import Numbers
from services.cli.console import JsonOption, emit, follow_progress, out, table
from services.cli.requests import compose_request

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from luna.objects import ObjectStore
    from services.planner.replay import Progress


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="replay")(show_replay)


def show_replay(  # noqa: PLR0913 - one per option
    *,
    site: Annotated[str, typer.Option(help="A stored site.")],
    first: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First local day.")],
    last: Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="Last local day.")],
    policies: Annotated[str, typer.Option(help="Comma-separated.")] = ",".join(POLICIES),
    every: Annotated[int, typer.Option(min=5, max=1440, help="Minutes between two plans.")] = 60,
    system_id: Annotated[str, typer.Option(help="Under which the daily costs are stored.")] = "simulation",
    forecast_version: Annotated[
        str | None, typer.Option(help="What mpc and mpc_scenarios plan from (default: the version that was pinned or promoted, else aurora_v1.0).")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Replay recorded days: forecasts as issued then, prices as published then, the oracle with hindsight."""
    from luna.objects import open_objects
    from luna.settings import load_settings
    from services.cli.storage import unit_of_work
    from services.planner.replay_jobs import replay_site

    names = [name.strip() for name in policies.split(",") if name.strip()]
    days = {"from_day": first.date(), "to_day": last.date()}
    options = {"every_minutes": every, "system_id": system_id, "forecast_version": forecast_version}
    request = compose_request(ReplayRequest, site_id=site, **days, policies=names, **options)
    with unit_of_work() as connection, follow_progress("replay", quiet=as_json) as progress:
        request = name_version(connection, request)
        if {"mpc", "mpc_scenarios"} & set(names):
            ensure_forecasts(connection, request, objects=open_objects(load_settings()), progress=progress)
        reply = replay_site(connection, request, progress=progress)
    emit(reply.model_dump(mode="json", by_alias=True), as_json=as_json, show=lambda: _show(reply, request))


def name_version(connection: "Connection", request: ReplayRequest) -> ReplayRequest:
    """Return the request with the forecast version that it means: what was pinned or promoted, and Aurora where nothing was decided yet."""
    from luna.database import sites
    from luna.database.forecast_activations import find_active
    from services.forecaster.model.aurora import VERSION

    active = find_active(connection, sites.load(connection, request.site_id))
    decided = active.pinned or active.last is not None
    return request.model_copy(update={"forecast_version": request.forecast_version or (active.forecast_version if decided else VERSION)})


def ensure_forecasts(connection: "Connection", request: ReplayRequest, *, objects: "ObjectStore", progress: "Progress") -> None:
    """Train and issue what the window lacks: a model that knows nothing of the window, a forecast per re-planning."""
    from luna.database import forecasts, sites
    from services.forecaster.jobs import issue_forecasts
    from services.forecaster.model.aurora import VERSION
    from services.forecaster.versions.comparison import ensure_trained

    site = sites.load(connection, request.site_id)
    zone = ZoneInfo(site.timezone)
    start, end = local_midnight(request.from_day, zone), local_midnight(request.to_day + timedelta(days=1), zone)
    step = timedelta(minutes=request.every_minutes)
    version = str(request.forecast_version)
    issued = forecasts.read_instants(connection, request.site_id, version=version, first=start, last=end)
    if len(issued) >= (end - start) // step:
        return
    if version == VERSION:
        progress(0, 1, "train")
        ensure_trained(connection, site, before=start, objects=objects)
    asked = IssueRequest(site_id=request.site_id, at=start, to=end - step, every_minutes=request.every_minutes, forecast_version=version)
    issue_forecasts(connection, asked, objects=objects, progress=progress)


def _show(reply: ReplayReply, request: ReplayRequest) -> None:
    numbers = Numbers("en", ZoneInfo("UTC"), reply.currency)
    rows = [
        (
            name,
            numbers.money(policy.cost),
            "–" if policy.score is None else numbers.share(policy.score, decimals=1),
            f"{policy.cycles:.1f}",
            f"{policy.mode_changes_per_day:.1f}",
            str(policy.violations),
        )
        for name, policy in reply.policies.items()
    ]
    title = f"{request.site_id}, {request.from_day} to {request.to_day}; mpc plans from {request.forecast_version}"
    table(["policy", "cost", "score", "cycles", "mode changes/day", "violations"], rows, title=title)
    if reply.loss:
        out.print("Lost to: " + ", ".join(f"{cause} {points:.1f} points" for cause, points in reply.loss.items()))
