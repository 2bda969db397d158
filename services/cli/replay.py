"""``luna replay``: what every policy would have cost on recorded days."""

from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from luna.contracts.forecast import IssueRequest
from luna.contracts.message import site_clock
from luna.contracts.replay import POLICIES, ReplayReply, ReplayRequest
from luna.errors import InvalidInputError, LunaError
from luna.timeline import local_midnight
from luna.wording import read_policy, split_policies
from services.cli.console import JsonOption, emit, follow_progress
from services.cli.replay_tables import show_replies
from services.cli.requests import compose_request
from services.cli.window import find_zone

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, Engine

    from luna.contracts.fault import Fault
    from luna.objects import ObjectStore
    from services.planner.replay import Progress


ALL = "all"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="replay")(show_replay)


def show_replay(  # noqa: PLR0913 - one per option
    *,
    site: Annotated[list[str], typer.Option(help="A stored site, or all; may be given several times.")],
    first: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First local day.")],
    last: Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="Last local day.")],
    policies: Annotated[str, typer.Option(help="Comma-separated, by their codes or as the table calls them.")] = ",".join(POLICIES),
    every: Annotated[int, typer.Option(min=5, max=1440, help="Minutes between two plans.")] = 60,
    system_id: Annotated[str, typer.Option(help="Under which the daily costs are stored.")] = "simulation",
    forecast_version: Annotated[
        str | None, typer.Option(help="What mpc and mpc_scenarios plan from (default: the version that drives the planner: luna forecast status).")
    ] = None,
    faults: Annotated[list[str] | None, typer.Option(help="What goes wrong: a file, or kind=hours; may be given several times.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Draws when faults strike that do not say.")] = 0,
    episodes: Annotated[str, typer.Option(help="The policy whose days become training episodes; none: no policy's.")] = "mpc",
    as_json: JsonOption = False,
) -> None:
    """Replay recorded days: forecasts as issued then, prices as published then, the oracle with hindsight. Goes on where it was interrupted."""
    from services.cli.storage import open_database

    names = split_policies(policies)
    days = {"from_day": first.date(), "to_day": last.date()}
    options = {"every_minutes": every, "system_id": system_id, "forecast_version": forecast_version}
    wrong = {"faults": _read_faults(faults or [], site), "seed": seed}
    request = compose_request(ReplayRequest, site_id=site[0], **days, policies=names, **options, **wrong)
    request = request.model_copy(update={"episodes": None if episodes == "none" else read_policy(episodes)})
    with open_database() as pool, follow_progress("replay", quiet=as_json) as progress:
        requests = prepare(pool, request, site, progress=progress)
        replies = _replay(pool, requests, progress=progress)
    if len(site) == 1 and site != [ALL]:
        reply = replies[request.site_id]
        emit(reply.model_dump(mode="json", by_alias=True), as_json=as_json, show=lambda: show_replies({request.site_id: reply}, requests))
    else:
        document = {"sites": {name: reply.model_dump(mode="json", by_alias=True) for name, reply in replies.items()}}
        emit(document, as_json=as_json, show=lambda: show_replies(replies, requests))


def _read_faults(asked: list[str], sites: list[str]) -> "list[Fault]":
    """Return the faults; of one site, local days and clock times are read by its clock."""
    from services.cli.replay_faults import read_faults
    from services.cli.storage import unit_of_work

    try:
        return read_faults(asked)
    except InvalidInputError:
        if len(sites) > 1 or sites == [ALL]:
            raise
    with unit_of_work() as connection:
        zone = find_zone(connection, sites[0])
    with site_clock(zone):
        return read_faults(asked)


def prepare(pool: "Engine", request: ReplayRequest, asked: list[str], *, progress: "Progress") -> dict[str, ReplayRequest]:
    """Return the request of each site asked for, its forecasts issued."""
    from luna.database import sites
    from luna.database.engine import unit_of_work
    from luna.objects import open_objects
    from luna.settings import load_settings

    with unit_of_work(pool) as connection:
        known = sites.names(connection) if ALL in asked else list(dict.fromkeys(asked))
        requests = {name: name_version(connection, request.model_copy(update={"site_id": name})) for name in known}
        for each in requests.values():
            if {"mpc", "mpc_scenarios"} & set(each.policies):
                with name_errors(each.site_id, several=len(requests) > 1):
                    ensure_forecasts(connection, each, objects=open_objects(load_settings()), progress=progress)
    return requests


@contextmanager
def name_errors(site_id: str, *, several: bool) -> "Iterator[None]":
    """Say of which of several sites an error is."""
    try:
        yield
    except LunaError as error:
        if several:
            error.message = f"site {site_id}: {error.message}"
            error.remedy = f"{error.remedy or ''} Or name the sites to replay without it, with --site.".strip()
        raise


def _replay(pool: "Engine", requests: dict[str, ReplayRequest], *, progress: "Progress") -> dict[str, ReplayReply]:
    """Return the replays: of several sites by the workers that are there, else in this process, one after the other."""
    from services.cli.replay_sites import replay_here, replay_on_workers
    from services.cli.storage import open_queue

    if len(requests) > 1:
        with open_queue() as client:
            if any(ReplayRequest.queue() in queues for queues in client.workers().values()):
                return replay_on_workers(pool, client, requests, progress=progress)
    replies = {}
    for name, each in requests.items():
        with name_errors(name, several=len(requests) > 1):
            replies[name] = replay_here(pool, each, progress=_named(progress, name))
    return replies


def _named(progress: "Progress", name: str) -> "Progress":
    return lambda done, total, label: progress(done, total, f"{name} {label}")


def name_version(connection: "Connection", request: ReplayRequest) -> ReplayRequest:
    """Return the request with the forecast version that it means: the one that was asked for, else the one that drives the site's planner."""
    from luna.database import sites
    from luna.database.forecast_activations import find_active

    active = find_active(connection, sites.load(connection, request.site_id))
    return request.model_copy(update={"forecast_version": request.forecast_version or active.forecast_version})


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
