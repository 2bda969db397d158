"""The trade-off of two figures as one picture: an SVG that stands by itself."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from luna.wording import Numbers
from services.cli.report.frame import join, number, path, polyline, text

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
