"""``luna plan``: a plan from a request file, or for a stored site."""

import json
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer
from pydantic import ValidationError

from luna.contracts.forecast import IssueRequest
from luna.contracts.message import site_clock
from luna.contracts.plan import CompromiseReply, PlanReply, PlanRequest
from luna.errors import InvalidInputError
from luna.site import invalid_input
from luna.timeline import SLOT, SystemClock, Timeline, floor_to
from luna.wording import Language, Numbers
from services.cli.console import JsonOption, emit, out
from services.cli.notes import show_note
from services.cli.pareto import show_pareto
from services.cli.placed_table import show_placed
from services.cli.plan_table import show_slots
from services.cli.plan_texts import TEXTS
from services.cli.window import find_zone

if TYPE_CHECKING:
    from sqlalchemy import Connection


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="plan")(show_plan)


def show_plan(  # noqa: PLR0913 - one per option
    *,
    request: Annotated[Path | None, typer.Option("--request", help="A plan request as JSON, - for standard input; needs no database.")] = None,
    site: Annotated[str | None, typer.Option(help="A stored site, planned from its forecasts and prices.")] = None,
    start: Annotated[str | None, typer.Option(help="When the plan begins: with its offset, a local day, or a time of the site's clock (default: now).")] = None,
    language: Annotated[Language | None, typer.Option(help="Language of the reasons.")] = None,
    pareto: Annotated[str | None, typer.Option(help="Two of cost, carbon, self_sufficiency, wear: plan along what they cost each other.")] = None,
    points: Annotated[int, typer.Option(help="At most so many plans; with --pareto.")] = 9,
    to: Annotated[Path | None, typer.Option("--out", help="Where the picture goes: FILE.svg; with --pareto.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Plan the coming days: what the battery does in each slot, and why."""
    if (request is None) == (site is None):
        raise InvalidInputError("give either --request or --site", field="--request", remedy="See luna plan --help.")
    document: dict[str, Any] = read_document(request) if request else {"site_id": site} | ({"start": start} if start else {})
    if language:
        document["options"] = {**(document.get("options") or {}), "language": language}
    asked = read_request(document, field=str(request) if request else "plan")
    if pareto:
        show_pareto(asked, pareto, points, to=to, as_json=as_json)
        return
    reply = _plan_alone(asked) if asked.site_id is None else _plan_stored(asked)
    emit(reply.model_dump(mode="json", by_alias=True), as_json=as_json, show=lambda: _show(reply, asked.options.language))


def read_document(path: Path) -> dict[str, Any]:
    """Return the JSON object of a file, or of standard input for ``-``.

    Raises:
        InvalidInputError: unreadable, no JSON, no object, or a number that JSON does not know.
    """
    try:
        text = sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8")
        document = json.loads(text)
    except OSError as exc:
        raise InvalidInputError(f"cannot be read: {exc.strerror}", field=str(path), remedy="Name a readable file.") from exc
    except (json.JSONDecodeError, UnicodeDecodeError) as exc:
        raise InvalidInputError(f"is no JSON: {exc}", field=str(path), remedy="Correct it.") from exc
    if not isinstance(document, dict):
        raise InvalidInputError("is no JSON object", field=str(path), remedy="Write a plan request: { … }.")
    return document


def read_request(document: dict[str, Any], *, field: str) -> PlanRequest:
    """Return the request a document holds; of a stored site, local days and clock times are read by its clock.

    Raises:
        InvalidInputError: names the wrong field, its value and the remedy.
        NotFoundError: no such site.
    """
    try:
        return parse_request(document, field=field)
    except InvalidInputError:
        site = document.get("site_id")
        if not isinstance(site, str):
            raise
    # Where the clock stands only the database knows, and most requests hold instants with their offset.
    from services.cli.storage import unit_of_work

    with unit_of_work() as connection:
        zone = find_zone(connection, site)
    with site_clock(zone):
        return parse_request(document, field=field)


def parse_request(document: dict[str, Any], *, field: str) -> PlanRequest:
    """Return the request a document holds.

    Raises:
        InvalidInputError: names the wrong field, its value and the remedy.
    """
    try:
        return PlanRequest.model_validate(document)
    except ValidationError as exc:
        error = invalid_input(exc, field="")
        error.field = error.field or field
        raise error from exc


def _plan_alone(request: PlanRequest) -> PlanReply:
    from services.planner.dp.value import load_kernels
    from services.planner.milp.solver import Solver
    from services.planner.reply.reply import plan_request

    load_kernels()  # the times in the answer are those of planning
    return plan_request(request, now=SystemClock().now(), solver=Solver())


def _plan_stored(request: PlanRequest) -> PlanReply:
    from services.cli.storage import unit_of_work
    from services.planner.milp.solver import Solver
    from services.planner.service.plans import plan_and_store

    now = SystemClock().now()
    with unit_of_work() as connection:
        ensure_forecast(connection, request, now=now)
        return plan_and_store(request, lambda: connection, now=now, solver=Solver())


def ensure_forecast(connection: "Connection", request: PlanRequest, *, now: datetime) -> None:
    """Issue what is to drive the plan where it has no fresh forecast of the start; where beat runs there always is one."""
    from luna.database import forecast_activations, forecasts, sites
    from luna.objects import open_objects
    from luna.settings import load_settings
    from services.forecaster.jobs import issue_forecasts

    site, start = sites.load(connection, str(request.site_id)), floor_to(request.start or now, SLOT)
    driving = forecasts.read_driving(connection, site, Timeline(start, SLOT, 1), known_at=start)
    if driving is None or driving.fallback_reason is not None:
        version = forecast_activations.find_active(connection, site).forecast_version
        asked = IssueRequest(site_id=site.name, at=start, forecast_version=version)
        issue_forecasts(connection, asked, objects=open_objects(load_settings()), now=now)


def _show(reply: PlanReply, language: Language) -> None:
    words, numbers = TEXTS[language], Numbers(language, ZoneInfo(reply.timezone), reply.currency)
    for note in reply.notes:
        show_note(note, language)
    show_slots(reply, numbers)
    show_placed(reply, numbers)
    status = words[reply.status] + (words["assumed"] if any(note.assumed for note in reply.notes) else "")
    out.print(words["cost"].format(cost=numbers.money(reply.cost.total), status=status, plan=reply.plan_id))
    if reply.forecast:
        why = f": {reply.forecast.fallback_reason}" if reply.forecast.fallback_reason else ""
        out.print(words["forecast"].format(version=reply.forecast.version, issued=f"{reply.forecast.issued_at:%Y-%m-%d %H:%M}", why=why))
    _show_owner(reply, numbers)
    _show_objective(reply, numbers)
    show_compromises(reply.compromises, language)


def show_compromises(compromises: Sequence[CompromiseReply], language: Language) -> None:
    """Print what a plan could not hold."""
    for compromise in compromises:
        out.print(f"[yellow]{TEXTS[language]['not_met']}[/] {compromise.constraint}: {compromise.shortfall}")


def _show_owner(reply: PlanReply, numbers: Numbers) -> None:
    """Say which rules set what, and what the owner's blocks cost and could not have."""
    words = TEXTS[numbers.language]
    for rule in reply.strategy:
        out.print(words["rule"].format(parameter=rule.parameter, value=rule.value, rule=rule.rule, why=rule.why))
    if reply.manual is None:
        return
    out.print(words["manual"].format(cost=numbers.money(reply.manual.cost)))
    for block in (block for block in reply.manual.blocks if not block.applied):
        out.print(f"[yellow]{words['not_had']}[/] {block.device} {block.action}: {block.why}")


def _show_objective(reply: PlanReply, numbers: Numbers) -> None:
    """Say what counted beside money, and what that made of the plan."""
    words, beside = TEXTS[numbers.language], reply.objective.beside_cheapest if reply.objective else None
    if beside is None:
        return
    carbon = "" if beside.carbon_g is None else words["carbon"].format(kg=numbers.number(beside.carbon_g / 1e3, 2))
    out.print(words["beside"].format(cost=numbers.money(beside.cost), carbon=carbon, kwh=numbers.energy(beside.import_kwh)))
