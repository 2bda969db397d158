"""A batch's figures as pictures: clean shares, misses, differences to the oracle, places and
seasons, days, and misses against dirty energy.
"""

from collections.abc import Callable, Iterator
from re import sub
from zoneinfo import ZoneInfo

from luna.contracts.edge_summary import ControllerFigures, EdgeSummary, LabEstimate
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
    mark, stand_in = (" (stand-in data)", say_stand_in(summary)) if summary.stands_in else ("", "")
    return [
        LabPicture(name, f"{title}{mark}", caption, stand_in, chart)
        for name, title, caption, chart in drawn
    ]


def render(picture: LabPicture, form: str) -> bytes:
    """Return a picture as ``png``, ``pdf`` or ``svg``; the same summary gives the same bytes."""
    writers: dict[str, Callable[[str], bytes]] = {
        "png": write_png,
        "pdf": write_pdf,
        "svg": str.encode,
    }
    return writers[form](picture.write_svg())


def say_stand_in(summary: EdgeSummary) -> str:
    """Return where nothing was measured, as it stands below pictures and tables."""
    places = ", ".join(say_location(name, "en") for name in summary.stand_in_locations)
    return f"STAND-IN DATA: clean shares of {places} are drawn by a generator, not measured."


def _name_controllers(summary: EdgeSummary) -> dict[str, str]:
    return {each.controller: say_controller(each.controller, "en") for each in summary.controllers}


def _row(controller: str, estimate: LabEstimate, value_text: str) -> EstimateRow:
    return EstimateRow(
        say_controller(controller, "en"),
        controller,
        estimate.value,
        estimate.low,
        estimate.high,
        value_text,
    )


def _draw_clean_share(summary: EdgeSummary) -> LabChart:
    rows = [
        _row(each.controller, each.clean_share, _say(each.clean_share, "{:.1f} %", scale=100))
        for each in summary.controllers
    ]
    return LabChart(*draw_estimate_rows(rows, lambda mark: f"{100 * mark:g}")).name_axis(
        "clean share of the energy charged (%)"
    )


def _draw_misses(summary: EdgeSummary) -> LabChart:
    rows = []
    for each in summary.controllers:
        small, large = (
            100 * (estimate.value or 0.0)
            for estimate in (each.small_miss_share, each.large_miss_share)
        )
        rows.append(
            MissRow(
                say_controller(each.controller, "en"),
                each.controller,
                small,
                large,
                f"{small:.2f} % small, {large:.2f} % large",
            )
        )
    return draw_misses(rows).name_axis(
        "share of the tasks (%): plain small misses, striped large ones"
    )


def _draw_differences(differences: list[tuple[str, LabEstimate]]) -> LabChart:
    rows = [
        _row(controller, difference, _say(difference, "{:+.2f} Wh"))
        for controller, difference in differences
    ]
    chart = LabChart(
        *draw_estimate_rows(
            rows, lambda mark: f"{mark:+g}".replace("-", "−") if mark else "0", around_zero=True
        )
    )
    return chart.name_axis("dirty energy a camera and day, less the oracle's (Wh)")


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
    yield from (
        (each.controller, differences[each.controller])
        for each in summary.controllers
        if each.controller in differences
    )


def _draw_places(summary: EdgeSummary) -> LabChart:
    cells = {
        (each.controller, each.location, each.season): each.clean_share.value
        for each in summary.groups
    }
    names = _name_controllers(summary)
    panels = {
        say_location(location, "en"): {
            name: [
                (float(place), 100 * share)
                for place, season in enumerate(summary.seasons)
                if (share := cells.get((name, location, season))) is not None
            ]
            for name in names
        }
        for location in summary.locations
    }
    return draw_places(
        panels, [say_season(season, "en") for season in summary.seasons], names, NUMBERS
    )


def _draw_days(summary: EdgeSummary) -> LabChart:
    names = _name_controllers(summary)
    series = {
        name: [
            (float(day.day), 100 * day.clean_wh / day.charged_wh)
            for day in summary.days
            if day.controller == name and day.charged_wh > 0
        ]
        for name in names
    }
    return draw_days(series, names, ("day of the run", "clean share (%)"), NUMBERS)


def _draw_pareto(summary: EdgeSummary) -> LabChart:
    points = []
    names = _name_controllers(summary)
    for each in [*summary.groups, *summary.controllers]:
        whole = each.location is None and each.season is None
        if (
            not (whole or (each.location and each.season))
            or each.dirty_wh_per_day.value is None
            or not each.tasks
        ):
            continue
        points.append(
            MissPoint(each.controller, (_missed(each), each.dirty_wh_per_day.value), whole)
        )
        if whole:
            names[each.controller] += (
                f" ({_missed(each):.1f} %, {each.dirty_wh_per_day.value:.2f} Wh)".replace("-", "−")
            )
    return draw_miss_points(
        points, names, ("tasks missed (%)", "dirty energy a camera and day (Wh)")
    )


def _missed(figures: ControllerFigures) -> float:
    return 100 * (figures.small_misses + figures.large_misses) / figures.tasks


def _say(estimate: LabEstimate, form: str, *, scale: float = 1.0) -> str:
    if estimate.value is None:
        return "–"
    number = form.format(estimate.value * scale)
    ends = [
        form.partition(" ")[0].format(end * scale)
        for end in (estimate.low, estimate.high)
        if end is not None
    ]
    whole = f"{number} ({ends[0]} to {ends[1]})" if len(ends) == 2 else number
    return sub(r"[+-](?=0\.0+(?!\d))", "", whole).replace("-", "−")
