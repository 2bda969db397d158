"""``luna replay``: what every policy would have cost on recorded days."""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args
from zoneinfo import ZoneInfo

import yaml
from pydantic import TypeAdapter, ValidationError

from luna.contracts.agent import AGENT_POLICIES, AgentReplayRequest, choose_replay
from luna.contracts.job import Job
from luna.contracts.replay import Fault, FaultKind, PolicyReply, ReplayReply, ReplayRequest
from luna.energy.errors import InvalidInputError, LunaError
from luna.energy.site import invalid_input
from luna.words import Numbers, say_policy
from services.cli.console import out, table
from services.cli.shared_sentences import show_driving, show_note

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from luna.platform.queue import Client, TaskMonitor
    from services.planner.replay import Progress
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from luna.contracts.replay import POLICIES
from luna.energy.instant import site_clock
from luna.words import read_policy, split_policies
from services.cli.console import JsonOption, emit, follow_progress
from services.cli.storage import compose_request, open_object_store
from services.cli.window import FirstDayOption, LastDayOption, find_zone

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, Engine

    from luna.platform.objects import ObjectStore


KINDS: tuple[str, ...] = get_args(FaultKind)
_FAULTS = TypeAdapter(list[Fault])
REMEDY = f"Name a file with a list of faults, or one as kind=hours, such as sensor_frozen=6; kinds: {', '.join(KINDS)}."


def read_faults(asked: Sequence[str]) -> list[Fault]:
    """Return the faults of ``kind``, ``kind=hours`` and files (YAML or JSON: a list with the fields of ``Fault``), in order.

    Raises:
        InvalidInputError: names what is no fault.
    """
    return [fault for text in asked for fault in _read(text)]


def _read(text: str) -> list[Fault]:
    kind, _, hours = text.partition("=")
    found = [{"kind": kind} | ({"hours": hours} if hours else {})] if kind in KINDS else _load(text)
    try:
        return _FAULTS.validate_python(found)
    except ValidationError as exc:
        raise invalid_input(exc, field="faults") from exc


def _load(name: str) -> Any:
    try:
        return yaml.safe_load(Path(name).read_text(encoding="utf-8"))
    except OSError as exc:
        raise InvalidInputError(f"is no kind of fault and no file: {exc.strerror}", field="faults", value=name, remedy=REMEDY) from exc
    except (yaml.YAMLError, UnicodeDecodeError) as exc:
        raise InvalidInputError(f"cannot be read as YAML: {exc}", field="faults", value=name, remedy=REMEDY) from exc


HEADINGS = ["policy", "cost", "score", "cycles", "mode changes/day", "violations", "losing weeks", "worst week"]


def _show_replies(replies: Mapping[str, ReplayReply], requests: Mapping[str, ReplayRequest], zones: Mapping[str, ZoneInfo]) -> None:
    """Print each site's policies, what not knowing cost, and what went wrong."""
    for site, reply in replies.items():
        request, numbers = requests[site], Numbers("en", zones[site], reply.currency)
        title = f"{site}, {request.from_day} to {request.to_day}; {say_policy('mpc', language='en')} plans from {request.forecast_version}"
        table(HEADINGS, [_row(name, policy, numbers) for name, policy in reply.policies.items()], title=title)
        if reply.driving is not None:
            show_driving(reply.driving, zones[site], planned=reply.forecast_version)
        for note in reply.notes:
            show_note(note)
        if reply.loss:
            out.print("Lost to: " + ", ".join(f"{cause} {points:.1f} points" for cause, points in reply.loss.items()))
        if reply.faults:
            table(["fault", "policy", "cost of it", "unserved kWh"], _faults(reply, numbers), title=f"What went wrong, seed {reply.seed}", words=("policy",))
        if reply.as_recorded:
            out.print(f"As recorded, nothing placed anew: {', '.join(reply.as_recorded)}")


def _row(name: str, policy: PolicyReply, numbers: Numbers) -> list[str]:
    weeks = policy.weeks
    return [
        say_policy(name, language=numbers.language),
        numbers.money(policy.cost),
        "–" if policy.score is None else numbers.share(policy.score, decimals=1),
        f"{policy.cycles:.1f}",
        f"{policy.mode_changes_per_day:.1f}",
        str(policy.violations),
        "–" if weeks is None else f"{weeks.losing} of {weeks.count}",
        "–" if weeks is None else numbers.money(weeks.worst_gain),
    ]


def _faults(reply: ReplayReply, numbers: Numbers) -> list[list[str]]:
    return [
        [each.fault.kind if each.fault else "all together", say_policy(name, language=numbers.language), numbers.money(cost), f"{each.unserved_kwh[name]:.1f}"]
        for each in reply.faults
        for name, cost in each.cost.items()
    ]


SiteProgress = Callable[[int, int, str], None]
PAUSE_SECONDS = 0.5


def _replay_here(engine: "Engine", request: ReplayRequest, *, progress: SiteProgress) -> ReplayReply:
    """Return the replay of one site, made in this process; interrupted and called again, it goes on where it was."""
    from luna.platform.database.engine import unit_of_work
    from services.planner.service.replay import Store, replay_on

    with unit_of_work(engine) as connection:
        store = Store.beside(engine, lambda: connection)
        if not isinstance(request, AgentReplayRequest):
            return replay_on(store, request, progress=progress)
        from services.agent.evaluation.replay import replay_learned

        return replay_learned(store, request, objects=open_object_store(), progress=progress)


def replay_on_workers(engine: "Engine", client: "Client", requests: Mapping[str, ReplayRequest], *, progress: SiteProgress) -> dict[str, ReplayReply]:
    """Return the replays of several sites, a job each; jobs go on where nobody waits for them any more.

    Raises:
        LunaError: a job failed; it says which and why.
    """
    from luna.platform.database.jobs import ENDED_BADLY
    from luna.platform.queue.jobs import explain_end, submit_job

    asked = {name: submit_job(engine, client, request).job_id for name, request in requests.items()}
    while True:
        jobs = _look(engine, asked)
        for name, job in jobs.items():
            if job.status in ENDED_BADLY:
                raise explain_end(job, work=f"the replay of {name}")
        progress(*_sum_up(client.tasks, jobs))
        if all(job.status == "done" for job in jobs.values()):
            return {name: ReplayReply.model_validate(job.reply) for name, job in jobs.items()}
        time.sleep(PAUSE_SECONDS)


def _look(engine: "Engine", asked: Mapping[str, str]) -> dict[str, Job]:
    from luna.platform.database import jobs
    from luna.platform.database.engine import unit_of_work

    with unit_of_work(engine) as connection:
        return {name: jobs.load(connection, job_id) for name, job_id in asked.items()}


def _sum_up(tasks: "TaskMonitor", jobs: Mapping[str, Job]) -> tuple[int, int, str]:
    """Return sites done, sites in all, and which day each running one has reached."""
    running = {name: tasks.progress(job.job_id) for name, job in jobs.items() if job.status == "running"}
    label = ", ".join(f"{name} {report.label}" for name, report in running.items() if report)
    return sum(job.status == "done" for job in jobs.values()), len(jobs), label


ALL = "all"
POLICIES_HELP = (
    f"Comma-separated, by their codes or as the table calls them; mpc_scenarios, mpc_perfect_pv and those that learn ({', '.join(AGENT_POLICIES)}) too."
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="replay")(_show_replay)


def _show_replay(  # noqa: PLR0913 - one per option
    *,
    site: Annotated[list[str], typer.Option(help="A stored site, or all; may be given several times.")],
    first: FirstDayOption,
    last: LastDayOption,
    policies: Annotated[str, typer.Option(help=POLICIES_HELP)] = ",".join(POLICIES),
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
    from luna.platform.database.engine import unit_of_work
    from services.cli.storage import open_database

    names = split_policies(policies)
    days = {"from_day": first, "to_day": last}
    options = {"every_minutes": every, "system_id": system_id, "forecast_version": forecast_version}
    wrong = {"faults": _read_faults(faults or [], site), "seed": seed}
    request = compose_request(ReplayRequest, site_id=site[0], **days, policies=names, **options, **wrong)
    request = choose_replay(request.model_copy(update={"episodes": None if episodes == "none" else read_policy(episodes)}))
    with open_database() as pool, follow_progress("replay", quiet=as_json) as progress:
        requests = prepare(pool, request, site, progress=progress)
        replies = _replay(pool, requests, progress=progress)
        with unit_of_work(pool) as connection:
            zones = {name: find_zone(connection, name) for name in requests}
    if len(site) == 1 and site != [ALL]:
        reply = replies[request.site_id]
        emit(reply.model_dump(mode="json", by_alias=True), as_json=as_json, show=lambda: _show_replies({request.site_id: reply}, requests, zones))
    else:
        document = {"sites": {name: reply.model_dump(mode="json", by_alias=True) for name, reply in replies.items()}}
        emit(document, as_json=as_json, show=lambda: _show_replies(replies, requests, zones))


def _read_faults(asked: list[str], sites: list[str]) -> "list[Fault]":
    """Return the faults; of one site, local days and clock times are read by its clock."""
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
    from luna.platform.database import sites
    from luna.platform.database.engine import unit_of_work

    with unit_of_work(pool) as connection:
        known = [site.name for site in sites.load_all(connection).sites] if ALL in asked else list(dict.fromkeys(asked))
        requests = {name: name_version(connection, request.model_copy(update={"site_id": name})) for name in known}
        for each in requests.values():
            with name_errors(each.site_id, several=len(requests) > 1):
                ensure_forecasts(connection, each, objects=open_object_store(), progress=progress)
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
    from services.cli.storage import open_queue

    if len(requests) > 1:
        with open_queue() as client:
            if all(client.is_served(type(each)) for each in requests.values()):
                return replay_on_workers(pool, client, requests, progress=progress)
    replies = {}
    for name, each in requests.items():
        with name_errors(name, several=len(requests) > 1):
            replies[name] = _replay_here(pool, each, progress=_named(progress, name))
    return replies


def _named(progress: "Progress", name: str) -> "Progress":
    return lambda done, total, label: progress(done, total, f"{name} {label}")


def name_version(connection: "Connection", request: ReplayRequest) -> ReplayRequest:
    """Return the request with the forecast version that it means: the one that was asked for, else the one that drives the site's planner."""
    from luna.platform.database import sites
    from luna.platform.database.forecast_activations import find_active

    active = find_active(connection, sites.load(connection, request.site_id))
    return request.model_copy(update={"forecast_version": request.forecast_version or active.forecast_version})


def ensure_forecasts(connection: "Connection", request: ReplayRequest, *, objects: "ObjectStore", progress: "Progress") -> None:
    """Train and issue what a replay lacks: a model that knows nothing of the window, a forecast per re-planning."""
    from services.forecaster.versions import hindsight
    from services.planner.service.replay import find_missing

    missing = find_missing(connection, request)
    if missing is not None:
        hindsight.ensure_forecasts(connection, missing, objects=objects, progress=progress)
