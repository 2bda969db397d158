"""A batch's figures as pictures: clean shares, misses, differences to the oracle, places and seasons, days, and misses against dirty energy."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from re import sub
from textwrap import fill
from typing import TYPE_CHECKING, Any

from luna.contracts.edge_summary import ControllerFigures, EdgeSummary, LabEstimate
from luna.words.edge import say_controller, say_location, say_season

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DOTS_PER_INCH = 110
WIDTH_INCHES = 8.0
# As many letters of a caption fit into a line.
LETTERS = 115
# Distinguishable without red and green, each with a mark of its own. Source: Okabe and Ito 2008.
COLOURS = {"naive_weak": "#56B4E9", "naive_strong": "#0072B2", "rule": "#009E73", "custom": "#D55E00", "ensemble": "#CC79A7", "oracle": "#7A7A7A"}
MARKS = {"naive_weak": "v", "naive_strong": "^", "rule": "s", "custom": "o", "ensemble": "D", "oracle": "*"}
ORACLE = "oracle"
PICTURES = ("clean_share", "misses", "oracle_difference", "places", "days", "pareto")
# Figures of more controllers than these are drawn in one colour and mark.
OTHER_COLOUR, OTHER_MARK = "#B58900", "P"


@dataclass(frozen=True, slots=True)
class Theme:
    """Ground and ink of a picture."""

    surface: str
    text: str
    muted: str
    line: str


LIGHT = Theme("#ffffff", "#14181f", "#566070", "#e2e5ea")
DARK = Theme("#161a21", "#e8ebf0", "#9aa4b2", "#272d37")


@dataclass(frozen=True, slots=True)
class LabPicture:
    """A picture: its file's name, what it shows in a sentence, and how it is drawn."""

    name: str
    title: str
    caption: str
    draw: Callable[["Figure", EdgeSummary], None]
    height_inches: float


def list_pictures(summary: EdgeSummary) -> list[LabPicture]:
    """Return the pictures that a batch's figures are enough for."""
    controllers, rows = len(summary.controllers), len(summary.locations)
    level = f"{summary.confidence_level:.0%}"
    bars = 1.5 + 0.42 * controllers
    unit = f"Lines are {level} intervals over weeks of places."
    shares = f"Clean share of all energy charged. {unit} Most of their width is how weeks differ, which all controllers share."
    drawable = {
        "clean_share": LabPicture(
            "clean_share",
            "How clean the charged energy was",
            shares,
            _draw_clean_share,
            bars,
        ),
        "misses": LabPicture("misses", "What was missed", "Small misses: looked at, not as asked. Large misses: no energy to look.", _draw_misses, bars),
    }
    if any(ORACLE in {each.controller, each.other} for each in summary.comparisons):
        drawable["oracle_difference"] = LabPicture(
            "oracle_difference", "Dirty energy beside the oracle's", f"On the same cameras, stored energy settled. {unit}", _draw_differences, bars
        )
    if summary.groups:
        drawable["places"] = LabPicture(
            "places", "Places and seasons", "Clean share of the energy charged, by place and season.", _draw_places, 1.4 + 2.3 * ((rows + 1) // 2)
        )
    if any(day.day > 1 for day in summary.days):
        drawable["days"] = LabPicture("days", "Day by day", "Clean share of each day of a run, all cameras together.", _draw_days, 3.8)
    if controllers > 1:
        drawable["pareto"] = LabPicture(
            "pareto", "Misses against dirty energy", "Down and left is better. Small marks: each place and season; large ones: all.", _draw_pareto, 4.8
        )
    return list(drawable.values())


def render(picture: LabPicture, summary: EdgeSummary, form: str, *, theme: Theme = LIGHT) -> bytes:
    """Return a picture as ``png``, ``pdf`` or ``svg``; the same summary gives the same bytes."""
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    ink = {"text.color": theme.text, "axes.labelcolor": theme.muted, "xtick.color": theme.muted, "ytick.color": theme.text, "axes.edgecolor": theme.line}
    ground = {"figure.facecolor": theme.surface, "axes.facecolor": theme.surface, "savefig.facecolor": theme.surface, "grid.color": theme.line}
    shape = {"axes.spines.top": False, "axes.spines.right": False, "font.size": 9, "svg.hashsalt": "luna", "axes.axisbelow": True}
    settings: dict[Any, Any] = {**ink, **ground, **shape}
    with mpl.rc_context(settings):
        figure = Figure(figsize=(WIDTH_INCHES, picture.height_inches), dpi=DOTS_PER_INCH, layout="constrained")
        FigureCanvasAgg(figure)
        figure.suptitle(f"{picture.title} (stand-in data)" if summary.stands_in else picture.title, fontsize=12, x=0.01, ha="left", fontweight="bold")
        picture.draw(figure, summary)
        caption = fill(picture.caption, LETTERS)
        foot = caption if not summary.stands_in else f"{caption}\n{say_stand_in(summary)}"
        figure.supxlabel(foot, fontsize=8, x=0.01, ha="left", color=theme.muted)
        written = BytesIO()
        plain: Mapping[str, str | None] = {"png": {"Software": None}, "pdf": {"CreationDate": None, "Producer": None}, "svg": {"Date": None}}[form]
        figure.savefig(written, format=form, metadata=plain)
    return written.getvalue()


def say_stand_in(summary: EdgeSummary) -> str:
    """Return where nothing was measured, as it stands below pictures and tables."""
    places = ", ".join(say_location(name, "en") for name in summary.stand_in_locations)
    return f"STAND-IN DATA: clean shares of {places} are drawn by a generator, not measured."


def _names(figures: Sequence[ControllerFigures]) -> list[str]:
    return [say_controller(each.controller, "en") for each in figures]


def _rows(chart: "Axes", names: Sequence[str]) -> Sequence[int]:
    """Name the rows of a chart, the first on top, and return where they lie."""
    places = range(len(names))
    chart.set_yticks(list(places), labels=list(names))
    chart.set_ylim(len(names) - 0.5, -0.5)
    chart.tick_params(axis="y", length=0)
    chart.grid(axis="x", linewidth=0.6)
    chart.spines["left"].set_visible(False)
    return places


def _draw_estimate(chart: "Axes", place: float, estimate: LabEstimate, controller: str, *, scale: float = 1.0) -> None:
    if estimate.value is None:
        return
    colour = COLOURS.get(controller, OTHER_COLOUR)
    if estimate.low is not None and estimate.high is not None:
        chart.plot([estimate.low * scale, estimate.high * scale], [place, place], color=colour, linewidth=5, alpha=0.35, solid_capstyle="round")
    chart.plot(estimate.value * scale, place, MARKS.get(controller, OTHER_MARK), color=colour, markersize=8 if controller != ORACLE else 11)


def _label_end(chart: "Axes", place: float, words: str) -> None:
    chart.annotate(words, (1.0, place), xycoords=chart.get_yaxis_transform(), xytext=(6, 0), textcoords="offset points", va="center", fontsize=8.5)


def _draw_clean_share(figure: "Figure", summary: EdgeSummary) -> None:
    chart = figure.subplots()
    for place, each in zip(_rows(chart, _names(summary.controllers)), summary.controllers, strict=True):
        _draw_estimate(chart, place, each.clean_share, each.controller, scale=100)
        _label_end(chart, place, _say(each.clean_share, "{:.1f} %", scale=100))
    chart.set_xlabel("clean share of the energy charged (%)")


def _draw_misses(figure: "Figure", summary: EdgeSummary) -> None:
    chart = figure.subplots()
    for place, each in zip(_rows(chart, _names(summary.controllers)), summary.controllers, strict=True):
        small, large = (100 * (estimate.value or 0.0) for estimate in (each.small_miss_share, each.large_miss_share))
        colour = COLOURS.get(each.controller, OTHER_COLOUR)
        chart.barh(place, small, height=0.55, color=colour, alpha=0.55)
        chart.barh(place, large, left=small, height=0.55, color=colour, hatch="////", edgecolor=chart.get_facecolor(), linewidth=0)
        _label_end(chart, place, f"{small:.2f} % small, {large:.2f} % large")
    chart.set_xlim(left=0)
    chart.set_xlabel("share of the tasks (%): plain small misses, hatched large ones")


def _draw_differences(figure: "Figure", summary: EdgeSummary) -> None:
    chart = figure.subplots()
    differences = list(_differences(summary))
    for place, (controller, difference) in zip(_rows(chart, [say_controller(name, "en") for name, _ in differences]), differences, strict=True):
        _draw_estimate(chart, place, difference, controller)
        _label_end(chart, place, _say(difference, "{:+.2f} Wh"))
    chart.axvline(0, color=chart.xaxis.label.get_color(), linewidth=1)
    stretched = _stretch(chart, [value for _, each in differences if (value := each.value) is not None])
    chart.set_xlabel(f"dirty energy a camera and day, less the oracle's (Wh{stretched})")


def _differences(summary: EdgeSummary) -> Iterator[tuple[str, LabEstimate]]:
    """Yield each controller's dirty energy less the oracle's, in their order."""
    differences: dict[str, LabEstimate] = {}
    for each in summary.comparisons:
        if each.metric != "dirty_wh_per_day" or ORACLE not in {each.controller, each.other}:
            continue
        if each.other == ORACLE:
            differences[each.controller] = each.difference
        else:
            differences[each.other] = each.difference.negated()
    yield from ((each.controller, differences[each.controller]) for each in summary.controllers if each.controller in differences)


def _stretch(chart: "Axes", values: Sequence[float]) -> str:
    """Where one value dwarfs the others, give the axis a scale on which both are seen, and return what its label says of that."""
    sizes = sorted(abs(value) for value in values if value)
    if len(sizes) < 2 or sizes[-1] < 8 * sizes[len(sizes) // 2]:
        return ""
    linear = max(float(f"{sizes[len(sizes) // 2]:.0e}"), 1e-3)
    chart.set_xscale("symlog", linthresh=linear, linscale=1.5)
    chart.xaxis.set_major_formatter("{x:g}")
    return f"; logarithmic beyond {linear:g}"


def _draw_places(figure: "Figure", summary: EdgeSummary) -> None:
    columns = min(2, len(summary.locations))
    charts = figure.subplots((len(summary.locations) + columns - 1) // columns, columns, sharex=True, sharey=True, squeeze=False).flat
    cells = {(each.controller, each.location, each.season): each for each in summary.groups}
    names = [each.controller for each in summary.controllers]
    for chart, location in zip(charts, summary.locations, strict=False):
        chart.set_title(say_location(location, "en"), fontsize=9.5, loc="left")
        for number, name in enumerate(names):
            aside = (number - (len(names) - 1) / 2) * 0.11
            shares = [
                (place + aside, cells[name, location, season].clean_share) for place, season in enumerate(summary.seasons) if (name, location, season) in cells
            ]
            points = [(x, 100 * share.value) for x, share in shares if share.value is not None]
            chart.plot(*zip(*points, strict=True), **_mark(name), linestyle="") if points else None
        chart.set_xticks(range(len(summary.seasons)), labels=[say_season(season, "en") for season in summary.seasons])
        chart.grid(axis="y", linewidth=0.6)
    for spare in list(charts):
        spare.set_visible(False)
    figure.supylabel("clean share (%)", fontsize=9)
    _explain(figure, names)


def _draw_days(figure: "Figure", summary: EdgeSummary) -> None:
    chart = figure.subplots()
    names = [each.controller for each in summary.controllers]
    for name in names:
        points = [(day.day, 100 * day.clean_wh / day.charged_wh) for day in summary.days if day.controller == name and day.charged_wh > 0]
        chart.plot(*zip(*points, strict=True), **_mark(name), linewidth=1.4) if points else None
    chart.set_xticks(sorted({day.day for day in summary.days})[:: max(1, len({day.day for day in summary.days}) // 14)])
    chart.grid(axis="y", linewidth=0.6)
    chart.set_ylabel("clean share (%)")
    chart.set_xlabel("day of the run")
    _explain(figure, names)


def _draw_pareto(figure: "Figure", summary: EdgeSummary) -> None:
    chart = figure.subplots()
    for each in [*summary.groups, *summary.controllers]:
        whole = each.location is None and each.season is None
        if not (whole or (each.location and each.season)) or each.dirty_wh_per_day.value is None or not each.tasks:
            continue
        size = {"markersize": 13 if each.controller == ORACLE else 10} if whole else {"markersize": 4, "alpha": 0.35}
        look = {"markeredgecolor": chart.get_facecolor(), "markeredgewidth": 0.8, "linestyle": "", "zorder": 3 if whole else 2}
        chart.plot(_missed(each), each.dirty_wh_per_day.value, **(_mark(each.controller) | size | look))
    chart.grid(linewidth=0.6)
    missed = [_missed(each) for each in summary.controllers if each.tasks]
    chart.set_xlim(left=-0.03 * max(*missed, 1e-3))
    chart.set_xlabel(f"tasks missed (%{_stretch(chart, missed)})")
    if all((each.dirty_wh_per_day.value or 0.0) > 0 for each in [*summary.groups, *summary.controllers]):
        chart.set_yscale("log")
        chart.yaxis.set_major_formatter("{x:g}")
        chart.yaxis.set_minor_formatter("{x:g}")
        chart.tick_params(axis="y", which="minor", labelsize=7)
    chart.set_ylabel("dirty energy a camera and day (Wh)")
    _explain(figure, [each.controller for each in summary.controllers])


def _missed(figures: ControllerFigures) -> float:
    return 100 * (figures.small_misses + figures.large_misses) / figures.tasks


def _mark(controller: str) -> dict[str, Any]:
    return {"marker": MARKS.get(controller, OTHER_MARK), "color": COLOURS.get(controller, OTHER_COLOUR), "markersize": 8 if controller == ORACLE else 5.5}


def _explain(figure: "Figure", controllers: Sequence[str]) -> None:
    from matplotlib.lines import Line2D

    marks = [Line2D([], [], linestyle="", **_mark(name)) for name in controllers]
    figure.legend(marks, [say_controller(name, "en") for name in controllers], loc="outside right upper", fontsize=8.5, frameon=False)


def _say(estimate: LabEstimate, form: str, *, scale: float = 1.0) -> str:
    if estimate.value is None:
        return "–"
    number = form.format(estimate.value * scale)
    ends = [form.partition(" ")[0].format(end * scale) for end in (estimate.low, estimate.high) if end is not None]
    whole = f"{number} ({ends[0]} to {ends[1]})" if len(ends) == 2 else number
    return sub(r"[+-](?=0\.0+(?!\d))", "", whole).replace("-", "−")
