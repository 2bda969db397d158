"""SVG elements of charts, as escaped markup."""

from collections.abc import Iterable, Sequence

from markupsafe import Markup, escape

# Mean width of a letter at 11 px, px.
LETTER = 6.7


def number(value: float) -> str:
    """Return a coordinate with at most one decimal."""
    return f"{value:.1f}".removesuffix(".0")


def join(parts: Iterable[Markup]) -> Markup:
    """Concatenate markup."""
    return Markup("").join(parts)


def rectangle(box: tuple[float, float, float, float], css: str, **attributes: str) -> Markup:
    """Return a rectangle; ``box`` is x, y, width, height."""
    sides = (number(side) for side in box)
    others = Markup("")
    for name, value in attributes.items():
        others += Markup(' {}="{}"').format(name.replace("_", "-"), escape(value))
    return Markup('<rect x="{}" y="{}" width="{}" height="{}" class="{}"{}/>').format(
        *sides, css, others
    )


def circle(place: tuple[float, float], radius: float, css: str) -> Markup:
    """Return a circle around x, y."""
    return Markup('<circle cx="{}" cy="{}" r="{}" class="{}"/>').format(
        *map(number, (*place, radius)), css
    )


def path(points: str, css: str) -> Markup:
    """Return a path, nothing where it has no points."""
    return Markup('<path d="{}" class="{}"/>').format(points, css) if points else Markup("")


def rule(first: tuple[float, float], last: tuple[float, float], css: str) -> Markup:
    """Return a horizontal or vertical line."""
    x, y = first
    end_x, end_y = last
    end = f"H{number(end_x)}" if y == end_y else f"V{number(end_y)}"
    return path(f"M{number(x)} {number(y)}{end}", css)


def text(place: tuple[float, float], words: str, css: str, *, anchor: str = "start") -> Markup:
    """Return a line of text at x, y."""
    return Markup('<text x="{}" y="{}" class="{}" text-anchor="{}">{}</text>').format(
        number(place[0]), number(place[1]), css, anchor, words
    )


def polyline(points: Sequence[tuple[float, float]]) -> str:
    """Return path data through the points."""
    return "M" + "L".join(f"{number(x)} {number(y)}" for x, y in points) if points else ""
