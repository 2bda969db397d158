"""``luna plan``: a plan from a request file, or for a stored site."""

from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from pydantic import ValidationError

from luna.contracts.plan import PlanReply, PlanRequest
from luna.contracts.plan_questions import ParetoPoint, ParetoReply, ParetoRequest
from luna.energy.errors import InvalidInputError
from luna.energy.site import invalid_input
from luna.house.desk.servers import open_object_store, unit_of_work
from luna.platform.clock import SystemClock
from luna.platform.written_files import make_writable, write_whole
from luna.words import Language, Numbers
from luna.words.charts.tradeoff import draw_tradeoff
from services.cli.charging import HELP as SESSION_HELP
from services.cli.charging import add_sessions
from services.cli.console import JsonOption, out, table, write_json
from services.cli.options import clock_of, compose_request, read_document
from services.cli.plan_table import show_plan

PARETO_HEADINGS = (
    "",
    "cost",
    "carbon (kg)",
    "import",
    "self-sufficiency",
    "wear",
    "per kg",
    "per kWh",
    "wear factor",
)


def show_new_plan(  # noqa: PLR0913 - one per option
    *,
    request: Annotated[
        Path | None,
        typer.Option(
            "--request", help="Plan from this JSON file, - for standard input; needs no database."
        ),
    ] = None,
    site: Annotated[
        str | None, typer.Option(help="The site to plan, with its forecasts and prices.")
    ] = None,
    start: Annotated[
        str | None,
        typer.Option(
            help=(
                "Start of the plan: a local day, or a time in the site's time zone (default: now)."
            )
        ),
    ] = None,
    session: Annotated[list[str] | None, typer.Option(help=SESSION_HELP)] = None,
    language: Annotated[Language | None, typer.Option(help="Language of the reasons.")] = None,
    pareto: Annotated[
        str | None,
        typer.Option(
            help=("Compare plans between two aims: cost, carbon, self_sufficiency, wear.")
        ),
    ] = None,
    points: Annotated[int, typer.Option(help="With --pareto: most plans to make.")] = 9,
    to: Annotated[
        Path | None, typer.Option("--out", help="With --pareto: write the picture to FILE.svg.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Plan the next two days: what the battery does in each quarter-hour, and why."""
    if (request is None) == (site is None):
        raise InvalidInputError(
            "give either --request or --site", field="--request", remedy="See luna plan --help."
        )
    document: dict[str, Any]
    if request:
        document = read_document(request, holds="a plan request: { … }")
    else:
        document = {"site_id": site}
        if start:
            document["start"] = start
    if language:
        document["options"] = {**(document.get("options") or {}), "language": language}
    stored = document.get("site_id")
    try:
        with clock_of(stored if isinstance(stored, str) else None):
            plan_request = PlanRequest.model_validate(document)
    except ValidationError as exc:
        error = invalid_input(exc, field="")
        error.field = error.field or (str(request) if request else "plan")
        raise error from exc
    if session:
        plan_request = add_sessions(plan_request, session)
    if pareto:
        show_pareto(plan_request, pareto, points, to=to, as_json=as_json)
        return
    if plan_request.site_id is not None:
        reply = _plan_stored(plan_request)
    else:
        from services.planner.milp.solver import Solver
        from services.planner.reply.reply import plan_request as plan_alone

        reply = plan_alone(plan_request, now=SystemClock().now(), solver=Solver())
    if as_json:
        write_json(reply.model_dump(mode="json", by_alias=True))
    else:
        show_plan(reply, plan_request.options.language)


def _plan_stored(request: PlanRequest) -> PlanReply:
    from luna.house.missing_forecasts import find_missing_forecast
    from services.forecaster.forecast_issue import issue_forecasts
    from services.planner.milp.solver import Solver
    from services.planner.service.plans import plan_and_store

    now = SystemClock().now()
    with unit_of_work() as connection:
        # Where beat runs there always is a fresh forecast of the start.
        missing = find_missing_forecast(connection, request, now=now)
        if missing is not None:
            issue_forecasts(connection, missing, objects=open_object_store(), now=now)
        return plan_and_store(request, lambda: connection, now=now, solver=Solver())


def show_pareto(
    plan: PlanRequest, figures: str, points: int, *, to: Path | None, as_json: bool
) -> None:
    """Plan along the trade-off of two figures, and draw it into the file ``to``, if given.

    Raises:
        InvalidInputError: no two figures, no number of points, or no kind of picture.
    """
    if to is not None and to.suffix != ".svg":
        raise InvalidInputError(
            "the file's ending names no kind of picture",
            field="--out",
            value=str(to),
            remedy="Name a file that ends in .svg.",
        )
    names = [name.strip() for name in figures.split(",")]
    request = compose_request(ParetoRequest, plan=plan, figures=names, points=points)
    reply = _trace(request)
    if to is not None:
        make_writable(to.parent)
        write_whole(to, draw_tradeoff(reply, language=plan.options.language))
    if as_json:
        write_json(reply.model_dump(mode="json"))
        return
    numbers = Numbers(plan.options.language, ZoneInfo("UTC"), reply.currency)
    rows = []
    for place, point in enumerate(reply.points):
        row = _describe_point(point, numbers)
        rows.append(["knee" if place == reply.knee else "", *row])
    title = f"{reply.site}: {reply.figures[0]} against {reply.figures[1]}"
    table(PARETO_HEADINGS, rows, title=title)
    if reply.complete:
        out.print("There is no other plan between them.")
    else:
        out.print("There are more points between these.")
    if to is not None:
        out.print(f"Drawn: {to}")


def _describe_point(point: ParetoPoint, numbers: Numbers) -> list[str]:
    carbon_kg = None if point.carbon_g is None else point.carbon_g / 1e3
    weights = point.weights
    return [
        numbers.money(point.cost),
        numbers.number(carbon_kg, 2),
        numbers.energy(point.import_kwh),
        numbers.share(point.self_sufficiency),
        numbers.money(point.wear),
        numbers.number(weights.carbon_price_per_kg, 3),
        numbers.number(weights.self_sufficiency_price, 3),
        numbers.number(weights.wear_factor, 2),
    ]


def _trace(request: ParetoRequest) -> ParetoReply:
    """Return the trade-off; a plan without a stored site takes no database."""
    if request.plan.site_id is not None:
        from luna.house.desk.work import answer_request

        reply: ParetoReply = answer_request(request)
        return reply
    from services.planner.milp.solver import Solver
    from services.planner.service.pareto import trace_pareto

    def no_database() -> Any:
        raise InvalidInputError("there is no stored site", field="site_id", remedy="Give --site.")

    return trace_pareto(request, no_database, now=SystemClock().now(), solver=Solver())
