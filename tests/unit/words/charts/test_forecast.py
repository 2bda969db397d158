"""The picture of a forecast: what is drawn, what is said, and that it asks nobody for anything."""

from dataclasses import replace
from datetime import UTC, datetime
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from luna.energy.outlook import Quantiles
from luna.energy.timeline import SLOT, FloatArray
from luna.words import Language, Numbers
from luna.words.charts.forecast import (
    ForecastView,
    SeriesView,
    draw_forecast_page,
    draw_forecast_picture,
)
from tests.support.recordings.drawings import hold_drawing
from tests.support.words.wording import plain, plain_wording

SLOTS = 192
SVG = "{http://www.w3.org/2000/svg}"
UNKNOWN = np.full(SLOTS, np.nan)


def view_series(level_kw: float, happened: FloatArray = UNKNOWN) -> SeriesView:
    spread = [
        np.full(SLOTS, level_kw * factor) for factor in (1.0, 0.5, 0.6, 0.8, 1.0, 1.2, 1.4, 1.5)
    ]
    return SeriesView(
        Quantiles(*spread), np.full(SLOTS, level_kw), happened, ["<As usual> & so on."] * SLOTS
    )


def view_forecast(language: Language = "en", **changes: object) -> ForecastView:
    """A house that uses 0.5 kW under a sun that brings 1 kW, from 14:00 by the clock of Berlin."""
    night = np.zeros(SLOTS, dtype=bool)
    night[28:60] = True
    view = ForecastView(
        site="home",
        version="aurora_v1.0",
        issued_at=datetime(2026, 11, 20, 13, 5, tzinfo=UTC),
        start=datetime(2026, 11, 20, 13, tzinfo=UTC),
        step=SLOT,
        load=view_series(0.5),
        pv=view_series(1.0),
        night=night,
        numbers=Numbers(language, ZoneInfo("Europe/Berlin"), "EUR"),
        stage="full",
        conditions=["The weather forecast is old."],
    )
    return replace(view, **changes)  # type: ignore[arg-type]


def cut(view: ForecastView, count: int) -> ForecastView:
    """Return the first slots of a forecast."""
    parts = {
        name: SeriesView(
            series.forecast.map(lambda part: part[:count]),
            series.usual[:count],
            series.happened[:count],
            series.reasons[:count],
        )
        for name, series in view.panels.items()
    }
    return replace(view, **parts, night=view.night[:count])  # type: ignore[arg-type]


def draw(view: ForecastView) -> ET.Element:
    return ET.fromstring(draw_forecast_picture(view))  # noqa: S314 - ours, made a line ago


def draw_texts(view: ForecastView) -> list[str]:
    """Return every line of text in the drawing."""
    return [plain("".join(element.itertext())) for element in draw(view).iter(f"{SVG}text")]


def fill(name: str, language: Language = "en", /, **figures: object) -> str:
    return plain_wording("forecast_chart", name, language, **figures)


def test_the_headline_is_what_the_forecast_comes_to() -> None:
    # 48 h · 0.5 kW and 48 h · 1 kW.
    english = {"time": "Fri 14:00", "load": "24.0 kWh", "pv": "48.0 kWh"}
    german = {"time": "Fr. 14:00", "load": "24,0 kWh", "pv": "48,0 kWh"}
    assert draw_texts(view_forecast())[0] == fill("headline", hours="48", **english)
    assert draw_texts(view_forecast("de"))[0] == fill("headline", "de", hours="48", **german)


def test_a_house_without_arrays_has_one_panel() -> None:
    texts = draw_texts(view_forecast(pv=None))
    headings = {fill(name) + "kW" for name in ("load", "pv")}
    assert texts[0] == fill("headline_load", hours="48", time="Fri 14:00", load="24.0 kWh")
    assert headings & set(texts) == {fill("load") + "kW"}
    assert headings <= set(draw_texts(view_forecast()))


def test_what_it_rests_on_and_why_it_is_wide_stands_below() -> None:
    notes = draw_texts(view_forecast())[-2:]
    issued = fill("made", version="aurora_v1.0", day="Fri 20 Nov", time="14:05")
    assert notes == [f"{issued} {fill('stage_full')}", "The weather forecast is old."]


def test_how_it_did_is_counted_over_what_is_known() -> None:
    # Of eight known slots six lie between p10 = 0.3 and p90 = 0.7.
    happened = UNKNOWN.copy()
    happened[:8] = [0.3, 0.4, 0.5, 0.6, 0.7, 0.5, 0.29, 0.71]
    note = draw_texts(view_forecast(load=view_series(0.5, happened)))[-1]
    assert note == fill("within_load", count="8", share="75%")


def test_gaps_in_what_happened_stay_gaps_and_a_slot_between_two_is_a_dot() -> None:
    happened = UNKNOWN.copy()
    happened[[0, 1, 5]] = 0.5
    lines = [
        path.attrib["d"]
        for path in draw(view_forecast(load=view_series(0.5, happened))).iter()
        if path.get("class") == "line happened load"
    ]
    # The panel's, then the legend's own.
    assert [line.count("M") for line in lines] == [2, 1]
    assert lines[0].endswith("h0")


@pytest.mark.parametrize(
    ("happened", "said"), [(UNKNOWN, 0), (np.full(SLOTS, 0.5), 1)], ids=["unknown", "known"]
)
def test_the_legend_names_only_what_is_drawn(happened: FloatArray, said: int) -> None:
    texts = draw_texts(view_forecast(load=view_series(0.5, happened)))
    assert texts.count(fill("happened")) == said


def test_each_night_is_shaded_in_both_panels() -> None:
    nights = [rect for rect in draw(view_forecast()).iter() if rect.get("class") == "night"]
    # One night in two panels, and the legend.
    assert len(nights) == 3


def test_pointing_at_a_slot_says_why_and_how_sure() -> None:
    titles = [title.text or "" for title in draw(view_forecast()).iter(f"{SVG}title")]
    assert len(titles) == 2 * SLOTS
    between = fill("between", low="0.30 kW", high="0.70 kW")
    assert plain(titles[0]) == f"Fri 14:00 · <As usual> & so on. {between}"


def test_picture_and_page_are_as_recorded() -> None:
    happened = UNKNOWN.copy()
    happened[:40] = 0.5 + 0.3 * np.sin(np.arange(40) / 6)
    happened[[7, 9]] = np.nan
    view = cut(view_forecast(load=view_series(0.5, happened)), 60)
    hold_drawing("forecast", draw_forecast_picture(view))
    page = draw_forecast_page(view)
    hold_drawing("forecast_narrow", page[page.index('<svg class="narrow"') :])


@pytest.mark.parametrize("language", ["en", "de"])
def test_the_page_holds_both_charts_and_asks_nobody(language: Language) -> None:
    page = draw_forecast_page(view_forecast(language))
    assert page.count("<svg class=") == 2
    assert "<script" not in page
    assert "http" not in page.replace('http-equiv="Content-Security-Policy"', "")
    assert "<As usual>" not in page


def test_the_drawing_alone_asks_nobody() -> None:
    assert draw_forecast_picture(view_forecast()).count("http") == 1, "the name of SVG itself"
