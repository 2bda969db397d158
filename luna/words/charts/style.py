"""Style of charts: shared palette, style sheets, and the stand-alone SVG document."""

from functools import cache
from importlib.resources import files

from markupsafe import Markup

from luna.words.charts.svg import number

MARGIN = 24.0
# Colours of variants and policies, distinguishable with colour blindness. Source: Okabe and Ito
# (2008).
SERIES = (
    "#5f6b7a",
    "#0072b2",
    "#e69f00",
    "#009e73",
    "#cc79a7",
    "#56b4e9",
    "#d55e00",
    "#f0e442",
    "#000000",
)


@cache
def read_asset(name: str) -> Markup:
    """Return a file of this package."""
    # Trusted: a file of this package without foreign input.
    content = files("luna.words.charts").joinpath(name).read_text(encoding="utf-8")
    return Markup(content)  # noqa: S704


def style(*names: str) -> Markup:
    """Return the style sheet of the named charts: palette, shared marks, and their own."""
    return Markup("").join(read_asset(f"{name}.css") for name in ("palette", "marks", *names))


def draw_document(
    body: Markup, size: tuple[float, float], css: Markup, *, label: str, margin: float = MARGIN
) -> str:
    """Return a drawing as an SVG document with background; ``size`` excludes the margin."""
    width = number(size[0] + 2 * margin)
    height = number(size[1] + 2 * margin)
    opening = Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {0} {1}" width="{0}" '
        'height="{1}" role="img" aria-label="{2}">'
    )
    surface = Markup('<style>{}</style><rect width="100%" height="100%" class="surface"/>').format(
        css
    )
    inside = body
    if margin:
        inside = Markup('<g transform="translate({0} {0})">{1}</g>').format(number(margin), body)
    return str(opening.format(width, height, label) + surface + inside + Markup("</svg>\n"))
