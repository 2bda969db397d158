from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.rag.extraction.chunking import MOST_WORDS, ChunkText, cut
from services.rag.extraction.model import DocumentBlock

WORDS = st.text(alphabet="abcäß1.,:;!?|", min_size=1, max_size=6).filter(
    lambda word: word.strip() == word
)
LINES = st.lists(WORDS, min_size=1, max_size=60).map(" ".join)
TEXTS = st.lists(LINES, min_size=1, max_size=8).map("\n".join)
HEADINGS = st.builds(
    DocumentBlock, st.just("heading"), LINES, st.none() | st.integers(1, 9), st.integers(1, 4)
)
BODIES = st.builds(
    DocumentBlock, st.sampled_from(["text", "list", "table"]), TEXTS, st.none() | st.integers(1, 9)
)
DOCUMENTS = st.lists(HEADINGS | BODIES, max_size=12)


def sentence(number: int, words: int) -> str:
    return " ".join([f"Satz{number}", *["wort"] * (words - 2), "ende."])


def told_words(chunks: list[ChunkText]) -> Iterator[str]:
    """Words in order, each heading once: where a path first names it."""
    path: list[str] = []
    for chunk in chunks:
        shared = next(
            (
                index
                for index, pair in enumerate(zip(path, chunk.headings, strict=False))
                if pair[0] != pair[1]
            ),
            min(len(path), len(chunk.headings)),
        )
        path = chunk.headings
        yield from " ".join(chunk.headings[shared:]).split()
        yield from chunk.text.split()[chunk.repeated_words :]


@example([DocumentBlock("text", "wort " * 31)], 30)
@given(
    DOCUMENTS.map(
        lambda blocks: [
            DocumentBlock(b.kind, f"B{i} {b.text}", b.page, b.level) for i, b in enumerate(blocks)
        ]
    ),
    st.integers(20, 120),
)
def test_no_word_is_lost_or_made_up(blocks: list[DocumentBlock], most_words: int) -> None:
    chunks = cut(blocks, most_words=most_words)
    assert list(told_words(chunks)) == [word for block in blocks for word in block.text.split()]


@given(DOCUMENTS, st.integers(20, 120))
def test_no_passage_is_longer_than_asked(blocks: list[DocumentBlock], most_words: int) -> None:
    # A heading that stands alone is whole however long it is: here at most 60 words.
    assert all(
        len(chunk.text.split()) <= max(most_words, 60)
        for chunk in cut(blocks, most_words=most_words)
    )


@given(DOCUMENTS)
def test_repeated_words_end_or_head_the_passage_before(blocks: list[DocumentBlock]) -> None:
    chunks = cut(blocks, most_words=40)
    for before, after in pairwise(chunks):
        repeated = after.text.split()[: after.repeated_words]
        words = before.text.split()
        assert repeated in (words[len(words) - len(repeated) :], words[: len(repeated)])


def test_passages_of_running_text_have_like_length_and_share_a_sentence() -> None:
    # 60 sentences of 10 words: 600 words, over 189 (220 less the overlap) gives 4 passages of 150.
    chunks = cut([DocumentBlock("text", " ".join(sentence(number, 10) for number in range(60)), 1)])
    assert [len(chunk.text.split()) - chunk.repeated_words for chunk in chunks] == [
        150,
        150,
        150,
        150,
    ]
    assert [chunk.repeated_words for chunk in chunks] == [0, 10, 10, 10]
    assert chunks[1].text.startswith(sentence(14, 10))


def test_a_passage_never_spans_two_sections() -> None:
    blocks = [
        DocumentBlock("heading", "A", 1, 1),
        DocumentBlock("text", "eins", 1),
        DocumentBlock("heading", "B", 1, 2),
        DocumentBlock("text", "zwei", 2),
        DocumentBlock("heading", "C", 2, 1),
    ]
    assert cut(blocks) == [
        ChunkText("eins", 1, 1, ["A"]),
        ChunkText("zwei", 2, 2, ["A", "B"]),
        ChunkText("C", 2, 2, []),
    ]


def test_pages_span_what_the_passage_holds() -> None:
    assert cut([DocumentBlock("text", "eins", 3), DocumentBlock("text", "zwei", 4)]) == [
        ChunkText("eins\n\nzwei", 3, 4, [])
    ]


def test_a_short_table_stays_with_the_sentence_before_it() -> None:
    chunks = cut(
        [
            DocumentBlock("text", "Die Preise:", 1),
            DocumentBlock("table", "Tarif | ct\nBasis | 31", 1),
        ]
    )
    assert [chunk.text for chunk in chunks] == ["Die Preise:\n\nTarif | ct\nBasis | 31"]


def test_a_long_table_is_divided_between_rows_under_its_header() -> None:
    # Rows of 3 words; 100 of them and the header are 303 words, over 220 two passages.
    rows = [f"{number} | {number * 2}" for number in range(100)]
    chunks = cut(
        [
            DocumentBlock("text", "Davor.", 1),
            DocumentBlock("table", "\n".join(["Tag | kWh", *rows]), 1),
            DocumentBlock("text", "Danach.", 1),
        ]
    )
    assert [chunk.text.split("\n")[0] for chunk in chunks] == [
        "Davor.",
        "Tag | kWh",
        "Tag | kWh",
        "Danach.",
    ]
    assert [row for chunk in chunks[1:3] for row in chunk.text.split("\n")[1:]] == rows
    assert [chunk.repeated_words for chunk in chunks] == [0, 0, 3, 0]


def test_abbreviations_end_no_sentence() -> None:
    texts = " ".join(["Der Wert gilt z.B. am 1. Mai nach Nr. 5 und Abs. 3 bzw. ca. 4 kWh."] * 40)
    assert all(
        chunk.text.startswith("Der Wert") and chunk.text.endswith("ca. 4 kWh.")
        for chunk in cut([DocumentBlock("text", texts)])
    )


@pytest.mark.parametrize("text", ["wort " * 1000, "wort\n" * 1000], ids=["one line", "many lines"])
def test_text_without_sentences_is_divided_between_words(text: str) -> None:
    assert all(
        len(chunk.text.split()) <= MOST_WORDS for chunk in cut([DocumentBlock("text", text)])
    )
