"""A forecast as one picture: an SVG that stands by itself, or an HTML page around it. Neither asks anybody for anything."""

import textwrap
from datetime import timedelta
from functools import cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from luna.timeline import FloatArray
from services.cli.forecast_chart.chart import draw_forecast
from services.cli.forecast_chart.texts import STAGES, TEXTS
from services.cli.forecast_chart.view import ForecastView, SeriesView
from services.cli.report.frame import join, number, text

PACKAGE = "services.cli.forecast_chart"
MARGIN = 24.0
HEAD = 56.0  # of the headline and the line below
NOTE = 18.0
NOTE_LETTERS = 150  # in a line of notes


def render_svg(view: ForecastView) -> str:
    """Return the picture as one SVG document with its headline and notes."""
    chart, height = draw_forecast(view, narrow=False)
    words = TEXTS[view.numbers.language]
    notes = [line for note in say_notes(view) for line in textwrap.wrap(note, NOTE_LETTERS, break_long_words=False, break_on_hyphens=False)]
    whole = HEAD + height + 14 + NOTE * len(notes)
    head = text((0, 16), say_headline(view), "headline") + text((0, 38), say_usual(view), "lead")
    foot = join(text((0, HEAD + height + 14 + NOTE * row), note, "note") for row, note in enumerate(notes))
    body = Markup('<g transform="translate({0} {0})">{1}<g transform="translate(0 {2})">{3}</g>{4}</g>').format(number(MARGIN), head, number(HEAD), chart, foot)
    size = (number(976 + 2 * MARGIN), number(whole + 2 * MARGIN))
    opening = Markup('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {0} {1}" width="{0}" height="{1}" role="img" aria-label="{2}">').format(
        *size, words["label"]
    )
    return str(
        opening
        + Markup("<style>{}</style>").format(_asset("picture.css"))
        + Markup('<rect width="100%" height="100%" class="surface"/>')
        + body
        + Markup("</svg>\n")
    )


def render_html(view: ForecastView) -> str:
    """Return the picture as one HTML page for wide and narrow screens."""
    words = TEXTS[view.numbers.language]
    environment = Environment(loader=PackageLoader("services.cli", "forecast_chart"), autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    return environment.get_template("picture.html.j2").render(
        language=view.numbers.language,
        title=words["title"].format(site=view.site),
        headline=say_headline(view),
        lead=say_usual(view),
        label=words["label"],
        css=_asset("picture.css") + _asset("page.css"),
        charts=[_inline(view, narrow=narrow) for narrow in (False, True)],
        notes=say_notes(view),
    )


def say_headline(view: ForecastView) -> str:
    """Return what the forecast comes to."""
    numbers, first = view.numbers, view.instant(0)
    figures = {name: numbers.energy(_sum(view, series.forecast.expected)) for name, series in view.panels.items()}
    key = "headline" if view.pv is not None else "headline_load"
    time = f"{numbers.weekday(first)} {numbers.clock(first)}"
    return TEXTS[numbers.language][key].format(hours=numbers.number(view.count * _hours(view)), time=time, **figures)


def say_usual(view: ForecastView) -> str:
    """Return what would be usual for the same hours."""
    figures = {name: view.numbers.energy(_sum(view, series.usual)) for name, series in view.panels.items()}
    return TEXTS[view.numbers.language]["usual" if view.pv is not None else "usual_load"].format(**figures)


def say_notes(view: ForecastView) -> list[str]:
    """Return what the forecast rests on, why it is as wide as it is, and how it did where that is known."""
    numbers, words = view.numbers, TEXTS[view.numbers.language]
    made = words["made"].format(version=view.version, day=numbers.day(view.issued_at), time=numbers.clock(view.issued_at))
    stage = STAGES[view.stage][numbers.language] if view.stage else ""
    kept = [_say_kept(name, series, view) for name, series in view.panels.items() if series.within[1]]
    return [f"{made} {stage}".strip(), *view.conditions, *kept]


def _say_kept(name: str, series: SeriesView, view: ForecastView) -> str:
    inside, count = series.within
    numbers = view.numbers
    return TEXTS[numbers.language][f"within_{name}"].format(count=numbers.number(count), share=numbers.share(inside / count))


def _hours(view: ForecastView) -> float:
    return view.step / timedelta(hours=1)


def _sum(view: ForecastView, power_kw: FloatArray) -> float:
    return float(power_kw.sum()) * _hours(view)


def _inline(view: ForecastView, *, narrow: bool) -> Markup:
    chart, height = draw_forecast(view, narrow=narrow)
    size = ("narrow" if narrow else "wide", 358 if narrow else 976, number(height))
    return Markup('<svg class="{}" viewBox="0 0 {} {}" aria-hidden="true">{}</svg>').format(*size, chart)


@cache
def _asset(name: str) -> Markup:
    # Ours, and nothing in it comes from outside.
    return Markup(files(PACKAGE).joinpath(name).read_text(encoding="utf-8"))  # noqa: S704
