"""Draw a batch's figures.

Pictures show clean shares, misses, differences to the oracle, locations and seasons, days, and
misses against dirty energy.
"""

from collections.abc import Callable, Iterator
from re import sub
from zoneinfo import ZoneInfo

from luna.contracts.edge_summary import EdgeSummary, LabEstimate
from luna.words import Numbers
from luna.words.charts.edge import EstimateRow, draw_estimate_rows
from luna.words.charts.edge_pictures import (
    LabChart,
    LabPicture,
    MissPoint,
    MissRow,
    draw_days,
    draw_miss_points,
    draw_misses,
    draw_places,
)
from luna.words.charts.files import write_pdf, write_png
from luna.words.edge import say_controller, say_location, say_season

ORACLE = "oracle"
PICTURES = ("clean_share", "misses", "oracle_difference", "places", "days", "pareto")
NUMBERS = Numbers("en", ZoneInfo("UTC"), "EUR")


def list_pictures(summary: EdgeSummary) -> list[LabPicture]:
    """Return the pictures that a batch's figures are enough for."""
    unit = f"Bars are {summary.confidence_level:.0%} intervals over weeks of places."
    shares = (
        f"Clean share of all energy charged. {unit} Most of their width is how weeks differ, "
        "which all controllers share."
    )
    misses = "Small misses: looked at, not as asked. Large misses: no energy to look."
    drawn = [
        ("clean_share", "How clean the charged energy was", shares, _draw_clean_share(summary)),
        ("misses", "What was missed", misses, _draw_misses(summary)),
    ]
    if differences := list(_differences(summary)):
        caption = (
            f"On the same cameras, stored energy settled. {unit} An arrow stands for what lies "
            "beyond the scale."
        )
        drawn.append(
            (
                "oracle_difference",
                "Dirty energy beside the oracle's",
                caption,
                _draw_differences(differences),
            )
        )
    if summary.groups:
        drawn.append(
            (
                "places",
                "Places and seasons",
                "Clean share of the energy charged (%), by place and season.",
                _draw_places(summary),
            )
        )
    if any(day.day > 1 for day in summary.days):
        drawn.append(
            (
                "days",
                "Day by day",
                "Clean share of each day of a run, all cameras together.",
                _draw_days(summary),
            )
        )
    if len(summary.controllers) > 1:
        caption = (
            "Down and left is better. Small marks: each place and season; large ones: all. "
            "Both scales are by the square root."
        )
        drawn.append(("pareto", "Misses against dirty energy", caption, _draw_pareto(summary)))
    mark = ""
    stand_in = ""
    if summary.stands_in:
        mark = " (stand-in data)"
        stand_in = describe_stand_in(summary)
    pictures = []
    for name, title, caption, chart in drawn:
        picture = LabPicture(
            name=name, title=f"{title}{mark}", caption=caption, stand_in=stand_in, chart=chart
        )
        pictures.append(picture)
    return pictures


def render(picture: LabPicture, form: str) -> bytes:
    """Return a picture as ``png``, ``pdf`` or ``svg``; the same summary gives the same bytes."""
    writers: dict[str, Callable[[str], bytes]] = {
        "png": write_png,
        "pdf": write_pdf,
        "svg": str.encode,
    }
    return writers[form](picture.write_svg())


def describe_stand_in(summary: EdgeSummary) -> str:
    """Return where nothing was measured, as it stands below pictures and tables."""
    places = ", ".join(say_location(name, "en") for name in summary.stand_in_locations)
    return f"STAND-IN DATA: clean shares of {places} are drawn by a generator, not measured."


def _name_controllers(summary: EdgeSummary) -> dict[str, str]:
    names = [figures.controller for figures in summary.controllers]
    return {name: say_controller(name, "en") for name in names}


def _row(controller: str, estimate: LabEstimate, value_text: str) -> EstimateRow:
    return EstimateRow(
        name=say_controller(controller, "en"),
        controller=controller,
        value=estimate.value,
        low=estimate.low,
        high=estimate.high,
        value_text=value_text,
    )


def _draw_clean_share(summary: EdgeSummary) -> LabChart:
    rows = []
    for figures in summary.controllers:
        share = figures.clean_share
        rows.append(_row(figures.controller, share, _say(share, "{:.1f} %", scale=100)))

    def say_percent(mark: float) -> str:
        return f"{100 * mark:g}"

    chart = LabChart(*draw_estimate_rows(rows, say_percent))
    return chart.name_axis("clean share of the energy charged (%)")


def _draw_misses(summary: EdgeSummary) -> LabChart:
    rows = []
    for figures in summary.controllers:
        name = say_controller(figures.controller, "en")
        small = 100 * (figures.small_miss_share.value or 0.0)
        large = 100 * (figures.large_miss_share.value or 0.0)
        text = f"{small:.2f} % small, {large:.2f} % large"
        rows.append(
            MissRow(
                name=name, controller=figures.controller, small=small, large=large, value_text=text
            )
        )
    chart = draw_misses(rows)
    return chart.name_axis("share of the tasks (%): plain small misses, striped large ones")


def _draw_differences(differences: list[tuple[str, LabEstimate]]) -> LabChart:
    rows = []
    for controller, difference in differences:
        rows.append(_row(controller, difference, _say(difference, "{:+.2f} Wh")))

    def say_signed(mark: float) -> str:
        return f"{mark:+g}".replace("-", "−") if mark else "0"

    chart = LabChart(*draw_estimate_rows(rows, say_signed, around_zero=True))
    return chart.name_axis("dirty energy a camera and day, less the oracle's (Wh)")


def _differences(summary: EdgeSummary) -> Iterator[tuple[str, LabEstimate]]:
    """Yield each controller's dirty energy less the oracle's, in their order."""
    differences: dict[str, LabEstimate] = {}
    for comparison in summary.comparisons:
        if comparison.metric != "dirty_wh_per_day":
            continue
        if comparison.other == ORACLE:
            differences[comparison.controller] = comparison.difference
        elif comparison.controller == ORACLE:
            differences[comparison.other] = comparison.difference.negated()
    for figures in summary.controllers:
        if figures.controller in differences:
            yield figures.controller, differences[figures.controller]


def _draw_places(summary: EdgeSummary) -> LabChart:
    cells = {}
    for figures in summary.groups:
        key = (figures.controller, figures.location, figures.season)
        cells[key] = figures.clean_share.value
    names = _name_controllers(summary)
    panels = {}
    for location in summary.locations:
        lines: dict[str, list[tuple[float, float]]] = {name: [] for name in names}
        for name, points in lines.items():
            for place, season in enumerate(summary.seasons):
                share = cells.get((name, location, season))
                if share is not None:
                    points.append((float(place), 100 * share))
        panels[say_location(location, "en")] = lines
    seasons = [say_season(season, "en") for season in summary.seasons]
    return draw_places(panels, seasons, names, NUMBERS)


def _draw_days(summary: EdgeSummary) -> LabChart:
    names = _name_controllers(summary)
    series: dict[str, list[tuple[float, float]]] = {name: [] for name in names}
    for day in summary.days:
        if day.controller in series and day.charged_wh > 0:
            percent = 100 * day.clean_wh / day.charged_wh
            series[day.controller].append((float(day.day), percent))
    return draw_days(series, names, ("day of the run", "clean share (%)"), NUMBERS)


def _draw_pareto(summary: EdgeSummary) -> LabChart:
    points = []
    names = _name_controllers(summary)
    for figures in [*summary.groups, *summary.controllers]:
        is_whole = figures.location is None and figures.season is None
        is_cell = bool(figures.location and figures.season)
        dirty_wh = figures.dirty_wh_per_day.value
        if not (is_whole or is_cell) or dirty_wh is None or not figures.tasks:
            continue
        misses = figures.small_misses + figures.large_misses
        missed = 100 * misses / figures.tasks
        points.append(MissPoint(figures.controller, (missed, dirty_wh), is_whole))
        if is_whole:
            suffix = f" ({missed:.1f} %, {dirty_wh:.2f} Wh)"
            names[figures.controller] += suffix.replace("-", "−")
    axes = ("tasks missed (%)", "dirty energy a camera and day (Wh)")
    return draw_miss_points(points, names, axes)


def _say(estimate: LabEstimate, form: str, *, scale: float = 1.0) -> str:
    if estimate.value is None:
        return "–"
    text = form.format(estimate.value * scale)
    if estimate.low is not None and estimate.high is not None:
        without_unit = form.partition(" ")[0]
        low = without_unit.format(estimate.low * scale)
        high = without_unit.format(estimate.high * scale)
        text = f"{text} ({low} to {high})"
    # A zero has no sign, and a minus is no hyphen.
    return sub(r"[+-](?=0\.0+(?!\d))", "", text).replace("-", "−")
