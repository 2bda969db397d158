"""``luna plan --pareto``: what two aims cost each other, as a table and as a picture."""

from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from luna.contracts.plan import PlanRequest
from luna.contracts.plan_questions import ParetoPoint, ParetoReply, ParetoRequest
from luna.energy.errors import InvalidInputError
from luna.platform.clock import SystemClock
from luna.platform.written_files import make_writable, write_whole
from luna.words import Numbers
from luna.words.charts import draw_tradeoff
from services.cli.console import emit, out, table
from services.cli.options import compose_request


def show_pareto(plan: PlanRequest, figures: str, points: int, *, to: Path | None, as_json: bool) -> None:
    """Plan along the trade-off of two figures, and draw it where a file is named.

    Raises:
        InvalidInputError: no two figures, no number of points, or no kind of picture.
    """
    if to is not None and to.suffix != ".svg":
        raise InvalidInputError("no kind of picture", field="--out", value=str(to), remedy="Name a file that ends in .svg.")
    request = compose_request(ParetoRequest, plan=plan, figures=[name.strip() for name in figures.split(",")], points=points)
    reply = _trace(request)
    if to is not None:
        make_writable(to.parent)
        write_whole(to, draw_tradeoff(reply, language=plan.options.language))
    emit(reply.model_dump(mode="json"), as_json=as_json, show=lambda: _show(reply, plan, to))


def _trace(request: ParetoRequest) -> ParetoReply:
    """Return the trade-off; that of a plan which names no stored site takes no database."""
    if request.plan.site_id is not None:
        from luna.platform.desk.work import answer_request

        reply: ParetoReply = answer_request(request)
        return reply
    from services.planner.milp.solver import Solver
    from services.planner.service.pareto import trace_pareto

    def no_database() -> Any:
        raise InvalidInputError("names no stored site", field="site_id", remedy="Give --site.")

    return trace_pareto(request, no_database, now=SystemClock().now(), solver=Solver())


def _show(reply: ParetoReply, plan: PlanRequest, to: Path | None) -> None:
    numbers = Numbers(plan.options.language, ZoneInfo("UTC"), reply.currency)
    rows = [_row(point, numbers, knee=place == reply.knee) for place, point in enumerate(reply.points)]
    title = f"{reply.site}: {reply.figures[0]} against {reply.figures[1]}"
    table(["", "cost", "carbon (kg)", "import", "self-sufficiency", "wear", "per kg", "per kWh", "wear factor"], rows, title=title)
    out.print("No weights lead to another plan." if reply.complete else "More points lie between these.")
    if to is not None:
        out.print(f"Drawn: {to}")


def _row(point: ParetoPoint, numbers: Numbers, *, knee: bool) -> list[str]:
    weights, carbon = point.weights, None if point.carbon_g is None else point.carbon_g / 1e3
    return [
        "knee" if knee else "",
        numbers.money(point.cost),
        numbers.number(carbon, 2),
        numbers.energy(point.import_kwh),
        numbers.share(point.self_sufficiency),
        numbers.money(point.wear),
        numbers.number(weights.carbon_price_per_kg, 3),
        numbers.number(weights.self_sufficiency_price, 3),
        numbers.number(weights.wear_factor, 2),
    ]
