"""The camera lab's pictures: what they say is in them, whoever lies apart is told, and nothing is
drawn outside.
"""

import re
from collections.abc import Callable
from zoneinfo import ZoneInfo

import pytest
from defusedxml import ElementTree

from luna.words import Numbers
from luna.words.charts.edge import EstimateRow, draw_estimate_rows, draw_mark
from luna.words.charts.edge_pictures import (
    LARGE,
    LEFT,
    WIDTH,
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
from tests.support.recordings.drawings import hold_drawing

NUMBERS = Numbers("en", ZoneInfo("UTC"), "EUR")
NAMES = {
    name: f"{name} <&>"
    for name in ("naive_weak", "naive_strong", "rule", "custom", "ensemble", "oracle", "mine")
}


def estimates() -> LabChart:
    rows = [
        EstimateRow(words, name, place - 1.0, place - 1.5, place - 0.5, f"{place} Wh")
        for place, (name, words) in enumerate(NAMES.items())
    ]
    far = EstimateRow("far", "rule", 90.0, 80.0, 100.0, "90 Wh")
    none = EstimateRow("none", "rule", None, None, None, "–")
    return LabChart(
        *draw_estimate_rows([*rows, far, none], lambda mark: f"{mark:g}", around_zero=True)
    ).name_axis("Wh")


def misses() -> LabChart:
    return draw_misses(
        [
            MissRow(words, name, 2.0 * place, 1.5 * place, f"{place} %")
            for place, (name, words) in enumerate(NAMES.items())
        ]
    )


def places() -> LabChart:
    points = {name: [(0.0, 10.0 * place), (1.0, 55.5)] for place, name in enumerate(NAMES)}
    return draw_places(
        {"here": points, "there": points, "yonder": {}}, ["winter", "spring"], NAMES, NUMBERS
    )


def days() -> LabChart:
    return draw_days(
        {
            name: [(float(day), 40.0 + place) for day in range(1, 31)]
            for place, name in enumerate(NAMES)
        },
        NAMES,
        ("day", "share"),
        NUMBERS,
    )


def miss_points() -> LabChart:
    points = [
        MissPoint(name, (7.0 * place, place - 1.0), whole)
        for place, name in enumerate(NAMES)
        for whole in (False, True)
    ]
    return draw_miss_points(points, NAMES, ("missed", "dirty"))


DRAWN: list[Callable[[], LabChart]] = [estimates, misses, places, days, miss_points]


def compose(draw: Callable[[], LabChart]) -> LabPicture:
    return LabPicture(
        draw.__name__, "A title", "What it shows. " * 12, "STAND-IN DATA: of here.", draw()
    )


@pytest.mark.parametrize("draw", DRAWN)
def test_a_picture_says_everything_and_stays_within_its_frame(draw: Callable[[], LabChart]) -> None:
    picture = compose(draw)
    drawn = ElementTree.fromstring(picture.embed())
    words = " ".join(drawn.itertext())
    assert all(name in words for name in ("A title", "STAND-IN DATA: of here.", *NAMES.values()))
    assert words.count("What it shows.") == 12
    _, _, width, height = map(float, drawn.attrib["viewBox"].split())
    assert width == WIDTH
    assert all(-4 <= float(y) <= height for y in re.findall(r' y="([-\d.]+)"', picture.embed()))


def test_the_pictures_are_as_recorded() -> None:
    hold_drawing("edge", "\n".join(compose(draw).write_svg() for draw in DRAWN))


@pytest.mark.parametrize("draw", [estimates, miss_points])
def test_files_are_the_drawing_in_light_colours_and_the_same_each_time(
    draw: Callable[[], LabChart],
) -> None:
    from pypdfium2 import PdfDocument

    svg = compose(draw).write_svg()
    pdf = write_pdf(svg)
    with PdfDocument(pdf) as document:
        page = document[0]
        words = page.get_textpage().get_text_range()
        corner = page.render().to_numpy()[0, 0].tolist()
    assert all(name in words for name in NAMES.values())
    assert corner == [255, 255, 255]
    assert (write_pdf(svg), write_png(svg)) == (pdf, write_png(svg))


def test_every_controller_has_a_mark_of_its_own() -> None:
    assert len({draw_mark(name, (0.0, 0.0)) for name in NAMES}) == len(NAMES)


def test_what_lies_far_out_is_an_arrow_and_what_is_not_known_is_no_mark() -> None:
    drawn = str(estimates().body)
    assert drawn.count('class="span"') == len(NAMES)
    assert drawn.count('class="value"') == len(NAMES) + 1


def test_marks_of_misses_lie_by_the_square_root() -> None:
    # The learned controller's is the one circle among the large marks; it misses half of what the
    # last one misses.
    across = float(
        re.findall(rf'<circle cx="([\d.]+)" cy="[\d.]+" r="{LARGE}"', str(miss_points().body))[0]
    )
    assert across == pytest.approx(LEFT + (WIDTH - LARGE - LEFT) * 0.5**0.5, abs=0.1)
