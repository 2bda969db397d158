"""``luna plan --pareto``: what two aims cost each other, as a table and as a picture."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from markupsafe import Markup

from luna.contracts.plan import PlanRequest
from luna.contracts.plan_questions import Figure, ParetoPoint, ParetoReply, ParetoRequest
from luna.errors import InvalidInputError
from luna.timeline import SystemClock
from luna.wording import Language, Numbers
from services.cli.console import emit, make_writable, out, table, write_whole
from services.cli.report.svg import join, number, path, polyline, text
from services.cli.storage import compose_request

WIDTH, HEIGHT = 720.0, 460.0
LEFT, RIGHT, TOP, BOTTOM = 92.0, 32.0, 64.0, 58.0
MARKS = 4
STYLE = (
    ":root{color-scheme:light dark;--s:#fff;--l:#d5dae2;--t:#14181f;--m:#566070;--p:#1d4fd7}"
    "@media (prefers-color-scheme:dark){:root{--s:#161a21;--l:#323a46;--t:#e8ebf0;--m:#9aa4b2;--p:#8ab4ff}}"
    "text{font:12px Inter,system-ui,sans-serif;fill:var(--m)}.head{font-size:17px;font-weight:600;fill:var(--t)}"
    ".s{fill:var(--s)}.grid{stroke:var(--l);fill:none}.curve{stroke:var(--p);fill:none;stroke-width:1.6}.point{fill:var(--p)}.knee{fill:none;stroke:var(--p);stroke-width:1.6}"
)


@dataclass(frozen=True, slots=True)
class Scale:
    """A figure along one side of the picture: its words, values, and where its lowest and highest value lie."""

    words: str
    values: Sequence[float]
    places: tuple[float, float]

    def place(self, value: float) -> float:
        """Return where a value lies."""
        low, high = min(self.values), max(self.values)
        share = (value - low) / (high - low) if high > low else 0.5
        return self.places[0] + share * (self.places[1] - self.places[0])

    @property
    def marks(self) -> list[float]:
        """Values from the lowest to the highest, evenly; one where they are the same."""
        low, high = min(self.values), max(self.values)
        return [low] if high == low else [low + (high - low) * step / MARKS for step in range(MARKS + 1)]


def draw_tradeoff(title: str, across: tuple[str, Sequence[float]], up: tuple[str, Sequence[float]], *, knee: int | None, numbers: Numbers) -> str:
    """Return the picture: one point per plan, joined in order, the knee ringed."""
    x, y = Scale(*across, (LEFT, WIDTH - RIGHT)), Scale(*up, (HEIGHT - BOTTOM, TOP))
    points = [(x.place(first), y.place(second)) for first, second in zip(x.values, y.values, strict=True)]
    dots = join(Markup('<circle cx="{}" cy="{}" r="4" class="point"/>').format(number(left), number(top)) for left, top in points)
    ring = Markup("") if knee is None else Markup('<circle cx="{}" cy="{}" r="9" class="knee"/>').format(*map(number, points[knee]))
    body = join([text((LEFT, 30), title, "head"), _rule(x, y, numbers), path(polyline(points), "curve"), dots, ring])
    opening = Markup('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {0} {1}" width="{0}" height="{1}" role="img" aria-label="{2}">')
    sheet = Markup('<style>{}</style><rect width="100%" height="100%" class="s"/>').format(Markup(STYLE))  # noqa: S704  # a constant of this module
    return str(opening.format(number(WIDTH), number(HEIGHT), title) + sheet + body + Markup("</svg>\n"))


def _say(mark: float, scale: Scale, numbers: Numbers) -> str:
    """Return a mark in as many decimals as tell it from its neighbours."""
    step = (max(scale.values) - min(scale.values)) / MARKS
    return numbers.number(mark, max(0, 1 - math.floor(math.log10(step))) if step > 0 else 2)


def _rule(x: Scale, y: Scale, numbers: Numbers) -> Markup:
    across = [path(f"M{number(LEFT)} {number(y.place(mark))}H{number(WIDTH - RIGHT)}", "grid") for mark in y.marks]
    beside = [text((LEFT - 10, y.place(mark) + 4), _say(mark, y, numbers), "mark", anchor="end") for mark in y.marks]
    below = [text((x.place(mark), HEIGHT - BOTTOM + 20), _say(mark, x, numbers), "mark", anchor="middle") for mark in x.marks]
    names = [text((LEFT, TOP - 12), y.words, "name"), text((WIDTH - RIGHT, HEIGHT - 12), x.words, "name", anchor="end")]
    return join([*across, *beside, *below, *names])


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
