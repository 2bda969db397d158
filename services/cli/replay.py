"""``luna replay``: what every policy would have cost on recorded days."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, get_args
from zoneinfo import ZoneInfo

import typer
import yaml
from pydantic import TypeAdapter, ValidationError

from luna.contracts.agent import AGENT_POLICIES, choose_replay
from luna.contracts.replay import POLICIES, Fault, FaultKind, ReplayReply, ReplayRequest
from luna.energy.errors import InvalidInputError, LunaError
from luna.energy.site import invalid_input
from luna.house.capabilities.replays import start_replay
from luna.house.desk.servers import open_database, open_queue
from luna.house.desk.work import ShowProgress, Workplace
from luna.platform.database import sites
from luna.platform.database.engine import unit_of_work
from luna.platform.settings import load_settings
from luna.words import read_policy, say_policy, split_policies
from services.cli.console import JsonOption, follow_progress, write_json, write_text
from services.cli.declared import show_reply
from services.cli.options import FirstDayOption, LastDayOption, clock_of, compose_request, find_zone

ALL = "all"
KINDS: tuple[str, ...] = get_args(FaultKind)
POLICIES_HELP = (
    "Policies, separated by commas: names of the table, mpc_scenarios, mpc_perfect_pv and "
    f"learned ones ({', '.join(AGENT_POLICIES)})."
)
REMEDY = f"Name a file with faults, or one fault like sensor_frozen=6; kinds: {', '.join(KINDS)}."
_FAULTS = TypeAdapter(list[Fault])


def replay_days(  # noqa: PLR0913 - one per option
    *,
    site: Annotated[list[str], typer.Option(help="A site, or all. May be repeated.")],
    first: FirstDayOption,
    last: LastDayOption,
    policies: Annotated[str, typer.Option(help=POLICIES_HELP)] = ",".join(POLICIES),
    every: Annotated[int, typer.Option(min=5, max=1440, help="Minutes between two plans.")] = 60,
    system_id: Annotated[
        str, typer.Option(help="Store the daily costs under this name.")
    ] = "simulation",
    forecast_version: Annotated[
        str | None,
        typer.Option(
            help=(
                "The forecast version that mpc uses (default: the version in use: luna "
                "forecast status)."
            )
        ),
    ] = None,
    faults: Annotated[
        list[str] | None,
        typer.Option(help="A fault: a file, or kind=hours. May be repeated."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Random seed of the faults' times.")] = 0,
    episodes: Annotated[
        str, typer.Option(help="Store this policy's days for training; none: no days.")
    ] = "mpc",
    as_json: JsonOption = False,
) -> None:
    """Compare policies on recorded days, with the forecasts and prices of the time.

    It continues an interrupted replay.
    """
    names = split_policies(policies)
    # Of one site, local days and clock times are read by its clock.
    with clock_of(site[0] if len(site) == 1 and site != [ALL] else None):
        wrong = {"faults": read_faults(faults or []), "seed": seed}
    options = {"every_minutes": every, "system_id": system_id, "forecast_version": forecast_version}
    request = compose_request(
        ReplayRequest,
        site_id=site[0],
        from_day=first,
        to_day=last,
        policies=names,
        **options,
        **wrong,
    )
    episode_policy = None if episodes == "none" else read_policy(episodes)
    request = choose_replay(request.model_copy(update={"episodes": episode_policy}))
    replies, zones = _replay(request, site, quiet=as_json)
    if as_json:
        documents = {
            name: reply.model_dump(mode="json", by_alias=True) for name, reply in replies.items()
        }
        is_single = len(site) == 1 and site != [ALL]
        write_json(documents[request.site_id] if is_single else {"sites": documents})
        return
    for name, reply in replies.items():
        plans_from = f"{say_policy('mpc', language='en')} plans from {reply.forecast_version}"
        write_text(f"{name}, {request.from_day} to {request.to_day}; {plans_from}")
        show_reply(start_replay, reply, {}, zones[name])


def read_faults(texts: Sequence[str]) -> list[Fault]:
    """Return the faults of texts in order: ``kind``, ``kind=hours`` or a file.

    A file is YAML or JSON, a list with the fields of ``Fault``.

    Raises:
        InvalidInputError: names the invalid fault.
    """
    faults: list[Fault] = []
    for text in texts:
        kind, _, hours = text.partition("=")
        fields: Any = [{"kind": kind} | ({"hours": hours} if hours else {})]
        if kind not in KINDS:
            try:
                fields = yaml.safe_load(Path(text).read_text(encoding="utf-8"))
            except OSError as exc:
                raise InvalidInputError(
                    f"is neither a kind of fault nor a file: {exc.strerror}",
                    field="faults",
                    value=text,
                    remedy=REMEDY,
                ) from exc
            except (yaml.YAMLError, UnicodeDecodeError) as exc:
                raise InvalidInputError(
                    f"cannot be read as YAML: {exc}", field="faults", value=text, remedy=REMEDY
                ) from exc
        try:
            faults += _FAULTS.validate_python(fields)
        except ValidationError as exc:
            raise invalid_input(exc, field="faults") from exc
    return faults


def _replay(
    request: ReplayRequest, named: Sequence[str], *, quiet: bool
) -> tuple[dict[str, ReplayReply], dict[str, ZoneInfo]]:
    """Replay each site; return the replies and time zones.

    Several sites run on live workers, else in this process; missing forecasts are issued first.
    """
    from services.planner.service.replay import find_missing

    with (
        open_database() as pool,
        open_queue() as client,
        follow_progress("replay", quiet=quiet) as progress,
    ):
        place = Workplace(load_settings(), pool, client)
        with unit_of_work(pool) as connection:
            names = list(dict.fromkeys(named))
            if ALL in named:
                names = [site.name for site in sites.load_all(connection).sites]
            zones = {name: find_zone(connection, name) for name in names}
        requests = {name: request.model_copy(update={"site_id": name}) for name in names}
        several = len(requests) > 1
        for name, site_request in requests.items():
            with name_errors(name, several=several):
                with unit_of_work(pool) as connection:
                    missing = find_missing(connection, site_request)
                if missing is not None:
                    place.work_out(missing, progress)
        if several and client.is_served(type(request)):
            return replay_on_workers(place, requests, progress), zones
        replies = {}
        for name, site_request in requests.items():
            with name_errors(name, several=several):
                replies[name] = place.work_out(site_request, _add_name(progress, name))
        return replies, zones


def replay_on_workers(
    place: Workplace, requests: Mapping[str, ReplayRequest], progress: ShowProgress
) -> dict[str, ReplayReply]:
    """Replay several sites in parallel, a job each; the jobs go on when the command is interrupted.

    Raises:
        LunaError: a job failed; names the job and the reason.
    """
    from luna.platform.queue.jobs import submit_job

    job_ids = {}
    for name, request in requests.items():
        job_ids[name] = submit_job(place.pool, place.client, request).job_id
    replies = {}
    for name, job_id in job_ids.items():
        follow = _add_name(progress, name)
        work = f"the replay of {name}"
        replies[name] = place.await_reply(requests[name], job_id, follow, work=work)
    return replies


def _add_name(progress: ShowProgress, name: str) -> ShowProgress:
    return lambda done, total, label: progress(done, total, f"{name} {label}")


@contextmanager
def name_errors(site_id: str, *, several: bool) -> Iterator[None]:
    """Add the site's name to an error, where there are several sites."""
    try:
        yield
    except LunaError as error:
        if several:
            error.message = f"site {site_id}: {error.message}"
            error.remedy = (
                f"{error.remedy or ''} Or name the sites to replay without it, with --site.".strip()
            )
        raise
