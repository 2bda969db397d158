"""``luna plan``: a plan from a request file, or for a stored site."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import ValidationError

from luna.contracts.plan import PlanReply, PlanRequest
from luna.energy.errors import InvalidInputError
from luna.energy.site import invalid_input
from luna.platform.clock import SystemClock
from luna.platform.desk.servers import open_object_store, unit_of_work
from luna.words import Language
from services.cli.charging import HELP as SESSION_HELP
from services.cli.charging import add_sessions
from services.cli.console import JsonOption, emit
from services.cli.options import clock_of, read_document
from services.cli.pareto import show_pareto
from services.cli.plan_table import show_plan

if TYPE_CHECKING:
    from sqlalchemy import Connection


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="plan")(_show_plan)


def _show_plan(  # noqa: PLR0913 - one per option
    *,
    request: Annotated[Path | None, typer.Option("--request", help="A plan request as JSON, - for standard input; needs no database.")] = None,
    site: Annotated[str | None, typer.Option(help="A stored site, planned from its forecasts and prices.")] = None,
    start: Annotated[str | None, typer.Option(help="When the plan begins: with its offset, a local day, or a time of the site's clock (default: now).")] = None,
    session: Annotated[list[str] | None, typer.Option(help=SESSION_HELP)] = None,
    language: Annotated[Language | None, typer.Option(help="Language of the reasons.")] = None,
    pareto: Annotated[str | None, typer.Option(help="Two of cost, carbon, self_sufficiency, wear: plan along what they cost each other.")] = None,
    points: Annotated[int, typer.Option(help="At most so many plans; with --pareto.")] = 9,
    to: Annotated[Path | None, typer.Option("--out", help="Where the picture goes: FILE.svg; with --pareto.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Plan the coming days: what the battery does in each slot, and why."""
    if (request is None) == (site is None):
        raise InvalidInputError("give either --request or --site", field="--request", remedy="See luna plan --help.")
    document: dict[str, Any] = read_document(request, holds="a plan request: { … }") if request else {"site_id": site} | ({"start": start} if start else {})
    if language:
        document["options"] = {**(document.get("options") or {}), "language": language}
    asked = _read_request(document, field=str(request) if request else "plan")
    if session:
        asked = add_sessions(asked, session)
    if pareto:
        show_pareto(asked, pareto, points, to=to, as_json=as_json)
        return
    reply = _plan_alone(asked) if asked.site_id is None else _plan_stored(asked)
    emit(reply.model_dump(mode="json", by_alias=True), as_json=as_json, show=lambda: show_plan(reply, asked.options.language))


def _read_request(document: dict[str, Any], *, field: str) -> PlanRequest:
    """Return the request a document holds; of a stored site, local days and clock times are read by its clock.

    Raises:
        InvalidInputError: names the wrong field, its value and the remedy.
        NotFoundError: no such site.
    """
    site = document.get("site_id")
    try:
        with clock_of(site if isinstance(site, str) else None):
            return PlanRequest.model_validate(document)
    except ValidationError as exc:
        error = invalid_input(exc, field="")
        error.field = error.field or field
        raise error from exc


def _plan_alone(request: PlanRequest) -> PlanReply:
    from services.planner.milp.solver import Solver
    from services.planner.reply.reply import plan_request

    return plan_request(request, now=SystemClock().now(), solver=Solver())


def _plan_stored(request: PlanRequest) -> PlanReply:
    from services.planner.milp.solver import Solver
    from services.planner.service.plans import plan_and_store

    now = SystemClock().now()
    with unit_of_work() as connection:
        _ensure_forecast(connection, request, now=now)
        return plan_and_store(request, lambda: connection, now=now, solver=Solver())


def _ensure_forecast(connection: "Connection", request: PlanRequest, *, now: datetime) -> None:
    """Issue what is to drive the plan where it has no fresh forecast of the start; where beat runs there always is one."""
    from luna.platform.driving_forecast import find_missing_forecast
    from services.forecaster.service import issue_forecasts

    missing = find_missing_forecast(connection, request, now=now)
    if missing is not None:
        issue_forecasts(connection, missing, objects=open_object_store(), now=now)
