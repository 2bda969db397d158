from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from services.rag.extraction.formats.pdf import PdfLine, Segment, blocks_of
from services.rag.extraction.model import DocumentBlock

WORDS = st.lists(st.text(alphabet="abcB19", min_size=1, max_size=4), min_size=1, max_size=12).map(
    " ".join
)
PLACES = st.builds(
    lambda step, nudge: 100.0 * step + nudge, st.integers(0, 4), st.sampled_from([0.0, 1.0, 30.0])
)
HEIGHTS = st.builds(
    lambda step, nudge: 12.0 * step + nudge,
    st.integers(0, 12),
    st.sampled_from([0.0, 2.0, 4.5, 6.0]),
)


def segment(text: str, left: float, baseline: float, size: float = 10.0) -> Segment:
    return Segment(text, left, left + 0.5 * size * len(text), baseline, size)


def line(baseline: float, *cells: tuple[float, str], size: float = 10.0) -> PdfLine:
    return PdfLine(tuple(segment(text, left, baseline, size) for left, text in cells))


LINES = st.builds(
    lambda baseline, cells, nudge: PdfLine(
        tuple(
            segment(text, left, baseline + nudge * index)
            for index, (left, text) in enumerate(cells)
        )
    ),
    HEIGHTS,
    st.lists(st.tuples(PLACES, WORDS), min_size=1, max_size=4),
    st.sampled_from([0.0, 3.0, -4.9]),
)


@given(st.lists(st.lists(LINES, max_size=15), max_size=3))
def test_every_word_of_a_page_stands_in_its_blocks_once(pages: list[list[PdfLine]]) -> None:
    blocks = blocks_of(pages)
    found = Counter(
        (block.page, word) for block in blocks for word in block.text.split() if word != "|"
    )
    assert found == Counter(
        (number, word)
        for number, lines in enumerate(pages, 1)
        for one in lines
        for word in one.text.split()
    )


def test_cells_below_each_other_are_a_table() -> None:
    lines = [
        line(700, (50, "Davor steht ein Satz, der länger ist als Zellen sind.")),
        line(680, (50, "Tarif"), (200, "ct/kWh")),
        line(665, (50, "Basis"), (200, "31,20")),
        line(650, (50, "Nacht"), (200, "24,00")),
        line(600, (50, "Danach.")),
    ]
    assert blocks_of([lines]) == [
        DocumentBlock("text", "Davor steht ein Satz, der länger ist als Zellen sind.", 1),
        DocumentBlock("table", "Tarif | ct/kWh\nBasis | 31,20\nNacht | 24,00", 1),
        DocumentBlock("text", "Danach.", 1),
    ]


def test_a_cell_of_several_lines_is_one_cell() -> None:
    # The first cell stands in the middle beside three lines, 12 points apart; in the next row at
    # the top.
    lines = [
        line(700, (50, "Wert"), (150, "Bemerkung")),
        line(680, (150, "eins")),
        line(668, (50, "A"), (150, "zwei")),
        line(656, (150, "drei")),
        line(630, (50, "B"), (150, "vier")),
        line(618, (150, "fünf")),
    ]
    assert blocks_of([lines])[-1].text.endswith("\nB | vier fünf")


def test_columns_of_running_text_are_no_table() -> None:
    left = [
        line(700 - 12 * row, (50, "eine Zeile mit vielen Wörtern in der linken Spalte"))
        for row in range(5)
    ]
    right = [
        line(700 - 12 * row, (320, "und noch eine Zeile mit Wörtern in der rechten"))
        for row in range(5)
    ]
    assert [block.kind for block in blocks_of([left + right])] == ["text", "text"]


def test_a_word_broken_at_the_end_of_a_line_is_one_word() -> None:
    assert (
        blocks_of(
            [
                [
                    line(700, (50, "der Strom-")),
                    line(688, (50, "preis der Strom-")),
                    line(676, (50, "Anbieter")),
                ]
            ]
        )[0].text
        == "der Strompreis der Strom- Anbieter"
    )


def test_larger_letters_are_headings_by_their_size() -> None:
    lines = [
        line(700, (50, "Titel"), size=20.0),
        line(660, (50, "Abschnitt"), size=14.0),
        *[line(640 - 12 * row, (50, "Text, wie er meistens ist.")) for row in range(5)],
    ]
    assert [(block.kind, block.level) for block in blocks_of([lines])] == [
        ("heading", 1),
        ("heading", 2),
        ("text", None),
    ]
