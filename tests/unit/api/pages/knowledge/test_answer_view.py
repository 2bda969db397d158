"""An answer as it is shown: numbers lead to passages, everything else is plain text."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st
from markupsafe import escape

from luna.contracts.site_tools import Chart, ChartSeries, ToolSource
from luna.words import Numbers
from luna.words.pages import page_words
from services.api.pages.knowledge.answer_view import (
    CitedAnswerView,
    ToolView,
    cut_excerpt,
    draw_answer_chart,
)
from services.api.pages.layout import templates
from tests.support.answers.sample_answers import PRICES, tell, tell_answer
from tests.support.suite.tables import each_row
from tests.support.words.wording import plain

NUMBERS = Numbers("de", ZoneInfo("Europe/Berlin"), "EUR")
START = datetime(2026, 10, 23, 22, tzinfo=UTC)
VALUES = st.one_of(st.none(), st.floats(-1e6, 1e6))
BASE = "/ui/sites/home/knowledge"


def view(stored: Any) -> CitedAnswerView:
    return CitedAnswerView(stored.answer, BASE, NUMBERS, page_words("knowledge", "de"))


def told(shown: CitedAnswerView) -> list[list[tuple[str, int | None]]]:
    return [
        [(piece.text, piece.citation.number if piece.citation else None) for piece in line]
        for line in shown.lines
    ]


def test_a_number_of_a_citation_leads_to_its_passage_with_the_words_that_carry_it() -> None:
    shown = view(tell_answer("cited", document_id="paper", chunk_id=7))
    assert told(shown) == [[("Die Frist beträgt sechs Wochen ", None), ("1", 1), (".", None)]]
    assert (
        shown.address(shown.answer.citations[0])
        == f"{BASE}/documents/paper?page=3&chunk=7&answer=cited&source=1#cited"
    )
    assert shown.place(shown.answer.citations[0]) == "S. 3 · Laufzeit › Kündigung"


def test_a_number_marks_the_sentence_that_it_stands_behind() -> None:
    citation = tell_answer("cited").answer.citations
    sentences = [
        {"text": f"{words}. [1]", "citations": [1], "support": 1}
        for words in ("Zwölf Monate", "Sechs Wochen")
    ]
    shown = view(
        tell(
            "a",
            answer="Zwölf Monate. [1] Sechs Wochen. [1]",
            citations=citation,
            sentences=sentences,
        )
    )
    assert [piece.sentence for piece in shown.lines[0] if piece.citation] == [0, 1]
    assert shown.address(shown.answer.citations[0], 1).endswith("&sentence=1#cited")


def test_a_number_that_no_citation_has_stays_text() -> None:
    cited = tell_answer("cited").answer.citations
    shown = view(tell("a", answer="Seite [12] sagt [1] und [x].", citations=cited))
    assert told(shown) == [[("Seite [12] sagt ", None), ("1", 1), (" und [x].", None)]]


def test_where_the_text_has_no_numbers_those_of_its_sentences_stand_behind_each() -> None:
    citation = tell_answer("cited").answer.citations
    sentences = [
        {"text": "Sechs Wochen.", "citations": [1], "support": 1},
        {"text": "Mehr nicht.", "support": 1},
    ]
    shown = view(
        tell("a", answer="Sechs Wochen. Mehr nicht.", citations=citation, sentences=sentences)
    )
    assert told(shown) == [[("Sechs Wochen. ", None), ("1", 1), (" Mehr nicht.", None)]]


@given(st.text(max_size=200))
def test_no_word_of_an_answer_is_lost_or_becomes_a_link_of_its_own(text: str) -> None:
    shown = view(tell("a", answer=text))
    lines = [line for line in text.splitlines() if line.strip()]
    assert ["".join(piece.text for piece in line) for line in shown.lines] == lines
    assert not [piece for line in shown.lines for piece in line if piece.citation]


@each_row(
    "hostile",
    [
        "<script>alert(1)</script>",
        "<img src=//evil.example/a.png>",
        "[here](https://evil.example)",
        '" onclick="x',
    ],
)
def test_hostile_words_are_shown_as_they_are_wherever_they_stand(hostile: str) -> None:
    place = {"chunk_id": 1, "document_id": "paper", "title": hostile, "headings": [hostile]}
    nearest = place | {
        "name": hostile,
        "kind": "other",
        "position": 0,
        "text": hostile,
        "score": 0.1,
    }
    call = PRICES | {
        "arguments": {"price": hostile},
        "sources": [{"what": hostile, "period": hostile, "path": f"//evil.example/{hostile}"}],
    }
    parts = {
        "citations": [place | {"number": 1, "quote": hostile}],
        "nearest": [nearest],
        "tool_calls": [call],
    }
    stored = tell("a", question=hostile, answer=f"{hostile} [1]", refused=True, **parts)
    words = page_words("knowledge", "de")
    drawn = (
        templates()
        .get_template("knowledge_answer.html.j2")
        .render(view=view(stored), t=words, csrf_token="", excerpt=cut_excerpt)
    )
    # Escaped, the words hold no tag and end no attribute, and nothing leads away from here.
    assert "<script" not in drawn
    assert "<img" not in drawn
    assert 'onclick="x' not in drawn
    assert 'href="http' not in drawn
    assert 'href="//' not in drawn


@each_row(
    "path",
    [
        "https://evil.example",
        "//evil.example",
        "javascript:alert(1)",
        "/ui/sites",
        "/v1/a b",
        "/v1/\\evil",
        None,
    ],
)
def test_a_source_leads_to_the_gateway_s_own_data_or_nowhere(path: str | None) -> None:
    tool = ToolView(tell_answer("prices").answer.tool_calls[0], NUMBERS)
    assert tool.own_address(ToolSource(what="series", path=path)) is None
    assert (
        tool.own_address(ToolSource(what="series", path="/v1/sites/home/prices?from=2026-10-24"))
        is not None
    )


def test_a_chart_is_told_as_a_table_too_with_units_and_gaps() -> None:
    rows = ToolView(tell_answer("prices").answer.tool_calls[0], NUMBERS).rows
    assert len(rows) == 24
    # Two hours before the clock's: 00:00 in UTC is 02:00 in Berlin, where a kWh costs 20 ct and
    # half a one was bought.
    assert [text.replace("\u00a0", " ") for text in (rows[0][0], *rows[0][1])] == [
        "Sa., 24. Okt., 02:00",
        "20,0 ct/kWh",
        "0,5 kWh",
    ]
    assert rows[7][1][0] == "–"


def test_an_empty_chart_is_left_out() -> None:
    call = tell(
        "a",
        tool_calls=[PRICES | {"chart": Chart(title="Nothing", starts=[], series=[]).model_dump()}],
    ).answer.tool_calls[0]
    assert ToolView(call, NUMBERS).draw() == []
    assert ToolView(call, NUMBERS).rows == []


def test_an_excerpt_ends_with_a_whole_word() -> None:
    assert cut_excerpt("one two  three", most=9) == "one two …"
    assert cut_excerpt("one two") == "one two"


def starts(count: int, step: timedelta) -> list[str]:
    return [(START + place * step).isoformat() for place in range(count)]


def test_each_unit_has_a_panel_of_its_own_with_what_it_counts_in() -> None:
    series = [
        ChartSeries(name="Preis", unit="price", kind="step", values=[0.3, 0.2]),
        ChartSeries(name="Bezug", unit="kwh", kind="bar", values=[1, 2]),
    ]
    drawn = draw_answer_chart(
        Chart(title="Tag", starts=starts(2, timedelta(hours=1)), series=series),
        NUMBERS,
        narrow=False,
    )
    assert "Preis, ct/kWh" in drawn
    assert "Bezug, kWh" in drawn


def test_a_gap_is_a_gap() -> None:
    series = [
        ChartSeries(name="Preis", unit="price", kind="line", values=[0.3, 0.2, None, 0.2, 0.3])
    ]
    drawn = draw_answer_chart(
        Chart(title="Tag", starts=starts(5, timedelta(hours=1)), series=series),
        NUMBERS,
        narrow=False,
    )
    line = drawn.split('class="line line-0 dash-0"')[0].rsplit('d="', 1)[1]
    # One line up to the gap, one from behind it.
    assert line.count("M") == 2


@each_row(
    ("count", "step"),
    [
        (4, timedelta(minutes=15)),
        (100, timedelta(minutes=15)),
        (672, timedelta(hours=1)),
        (365, timedelta(days=1)),
    ],
)
@each_row("narrow", [True, False])
def test_words_under_the_plot_are_few_enough_to_be_read(
    count: int, step: timedelta, *, narrow: bool
) -> None:
    chart = Chart(
        title="Zeit",
        starts=starts(count, step),
        series=[ChartSeries(name="x", unit="kw", values=[1.0] * count)],
    )
    drawn = draw_answer_chart(chart, NUMBERS, narrow=narrow)
    below = drawn.rsplit('class="line line-0 dash-0"', 1)[1]
    assert 0 < below.count("<text") + below.count("<path") <= (8 if narrow else 16)


@given(
    st.lists(st.text(max_size=30), max_size=40),
    st.lists(VALUES, max_size=50),
    st.sampled_from(["line", "step", "bar"]),
    st.booleans(),
)
def test_whatever_a_tool_finds_is_drawn(
    labels: list[str], values: list[float | None], kind: str, narrow: bool
) -> None:
    series = [
        ChartSeries.model_validate({"name": "<b>", "unit": "cost", "kind": kind, "values": values})
        for _ in range(2)
    ]
    drawn = draw_answer_chart(
        Chart(title="t", starts=labels, by="label", series=series), NUMBERS, narrow=narrow
    )
    assert "nan" not in drawn
    assert "<b>" not in drawn
    assert escape("<b>") in drawn


@each_row(
    ("period", "shown"),
    [
        ("2026-10-01/2026-10-24", "1. Okt. 2026 – 24. Okt. 2026"),
        (
            "2026-10-23T22:00:00Z/2026-10-24T22:00:00Z",
            "24. Okt. 2026, 00:00 – 25. Okt. 2026, 00:00",
        ),
        ("the ice age", "the ice age"),
    ],
)
def test_a_source_s_period_is_shown_in_local_days_and_times(period: str, shown: str) -> None:
    tool = ToolView(tell_answer("prices").answer.tool_calls[0], NUMBERS)
    assert plain(tool.say_period(ToolSource(what="series", period=period))) == shown
