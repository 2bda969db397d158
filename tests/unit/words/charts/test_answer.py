"""The chart of an answer: a panel a unit, gaps where nothing is known, words that fit."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st
from markupsafe import escape

from luna.contracts.site_tools import Chart, ChartSeries
from luna.words import Numbers
from luna.words.charts.answer import draw_answer_chart
from tests.tables import each_row

NUMBERS = Numbers("de", ZoneInfo("Europe/Berlin"), "EUR")
START = datetime(2026, 10, 23, 22, tzinfo=UTC)
VALUES = st.one_of(st.none(), st.floats(-1e6, 1e6))


def starts(count: int, step: timedelta) -> list[str]:
    return [(START + place * step).isoformat() for place in range(count)]


def test_each_unit_has_a_panel_of_its_own_with_what_it_counts_in() -> None:
    series = [ChartSeries(name="Preis", unit="price", kind="step", values=[0.3, 0.2]), ChartSeries(name="Bezug", unit="kwh", kind="bar", values=[1, 2])]
    drawn = draw_answer_chart(Chart(title="Tag", starts=starts(2, timedelta(hours=1)), series=series), NUMBERS, narrow=False)
    assert "Preis, ct/kWh" in drawn
    assert "Bezug, kWh" in drawn


def test_a_gap_is_a_gap() -> None:
    series = [ChartSeries(name="Preis", unit="price", kind="line", values=[0.3, 0.2, None, 0.2, 0.3])]
    drawn = draw_answer_chart(Chart(title="Tag", starts=starts(5, timedelta(hours=1)), series=series), NUMBERS, narrow=False)
    line = drawn.split('class="line line-0"')[0].rsplit('d="', 1)[1]
    # One line up to the gap, one from behind it.
    assert line.count("M") == 2


@each_row(("count", "step"), [(4, timedelta(minutes=15)), (100, timedelta(minutes=15)), (672, timedelta(hours=1)), (365, timedelta(days=1))])
@each_row("narrow", [True, False])
def test_words_under_the_plot_are_few_enough_to_be_read(count: int, step: timedelta, *, narrow: bool) -> None:
    chart = Chart(title="Zeit", starts=starts(count, step), series=[ChartSeries(name="x", unit="kw", values=[1.0] * count)])
    drawn = draw_answer_chart(chart, NUMBERS, narrow=narrow)
    below = drawn.rsplit('class="line line-0"', 1)[1]
    assert 0 < below.count("<text") + below.count("<path") <= (8 if narrow else 16)


@given(st.lists(st.text(max_size=30), max_size=40), st.lists(VALUES, max_size=50), st.sampled_from(["line", "step", "bar"]), st.booleans())
def test_whatever_a_tool_finds_is_drawn(labels: list[str], values: list[float | None], kind: str, narrow: bool) -> None:
    series = [ChartSeries.model_validate({"name": "<b>", "unit": "cost", "kind": kind, "values": values}) for _ in range(2)]
    drawn = draw_answer_chart(Chart(title="t", starts=labels, by="label", series=series), NUMBERS, narrow=narrow)
    assert "nan" not in drawn
    assert "<b>" not in drawn
    assert escape("<b>") in drawn
