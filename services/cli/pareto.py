"""``luna plan --pareto``: what two aims cost each other, as a table and as a picture."""

from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from luna.contracts.pareto import Figure, ParetoPoint, ParetoReply, ParetoRequest
from luna.contracts.plan import PlanRequest
from luna.errors import InvalidInputError
from luna.timeline import SystemClock
from luna.wording import Language, Numbers
from services.cli.console import emit, out, table
from services.cli.files import make_writable, write_whole
from services.cli.requests import compose_request

# What stands at the sides of the picture; money is in the site's currency.
NAMES: dict[Figure, dict[Language, str]] = {
    "cost": {"en": "cost ({currency})", "de": "Kosten ({currency})"},
    "carbon": {"en": "carbon (g)", "de": "CO₂ (g)"},
    "self_sufficiency": {"en": "import (kWh)", "de": "Netzbezug (kWh)"},
    "wear": {"en": "wear ({currency})", "de": "Verschleiß ({currency})"},
}
AIMS: dict[Figure, dict[Language, str]] = {
    "cost": {"en": "cost", "de": "Kosten"},
    "carbon": {"en": "carbon", "de": "CO₂"},
    "self_sufficiency": {"en": "self-sufficiency", "de": "Eigenversorgung"},
    "wear": {"en": "wear", "de": "Verschleiß"},
}
TITLES: dict[Language, str] = {"en": "{site}: {first} against {second}", "de": "{site}: {first} gegen {second}"}


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
        write_whole(to, draw(reply, language=plan.options.language))
    emit(reply.model_dump(mode="json"), as_json=as_json, show=lambda: _show(reply, plan, to))


def read_figure(point: ParetoPoint, figure: Figure) -> float:
    """Return a point's figure, the smaller the better."""
    fields: dict[Figure, float] = {"cost": point.cost, "carbon": point.carbon_g or 0.0, "self_sufficiency": point.import_kwh, "wear": point.wear}
    return fields[figure]


def draw(reply: ParetoReply, *, language: Language = "en") -> str:
    """Return the trade-off as an SVG."""
    from services.cli.pareto_chart import draw_tradeoff

    across, up = ((NAMES[name][language].format(currency=reply.currency), [read_figure(point, name) for point in reply.points]) for name in reply.figures)
    title = TITLES[language].format(site=reply.site, first=AIMS[reply.figures[0]][language], second=AIMS[reply.figures[1]][language])
    return draw_tradeoff(title, across, up, knee=reply.knee, numbers=Numbers(language, ZoneInfo("UTC"), reply.currency))


def _trace(request: ParetoRequest) -> ParetoReply:
    from services.cli.storage import unit_of_work
    from services.planner.milp.solver import Solver
    from services.planner.service.pareto import trace_pareto

    def no_database() -> Any:
        raise InvalidInputError("names no stored site", field="site_id", remedy="Give --site.")

    now = SystemClock().now()
    if request.plan.site_id is None:
        return trace_pareto(request, no_database, now=now, solver=Solver())
    with unit_of_work() as connection:
        return trace_pareto(request, lambda: connection, now=now, solver=Solver())


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
