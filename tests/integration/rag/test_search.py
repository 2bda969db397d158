"""Passages are found in the database's own state, by those who may see them."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Engine, delete

from luna.contracts.search import SearchReply, SearchRequest
from luna.energy.errors import NotFoundError
from luna.platform.database import vectors
from luna.platform.database.engine import unit_of_work
from luna.platform.database.schema.documents import chunks, documents
from luna.platform.settings import Settings
from services.rag.retrieval.search import Searcher
from tests.support.database.site import stored_site
from tests.support.documents.passages import remove_documents, store_passages

PRICES = "The energy price is fixed for twelve months and the standing charge is due every month."
WINTER = (
    "Below five degrees the battery limits its charging power, and in winter mode it keeps a "
    "reserve."
)
NOTICE = (
    "Der Vertrag kann mit einer Kündigungsfrist von vier Wochen zum Monatsende gekündigt werden."
)


@pytest.fixture
def library(database: Engine) -> Iterator[Engine]:
    """A database whose documents are the test's own."""
    yield database
    remove_documents(database)


@pytest.fixture
def searcher(tmp_path: Path) -> Iterator[Searcher]:
    with closing(Searcher(Settings(data_folder=tmp_path))) as own:
        yield own


def ask(database: Engine, searcher: Searcher, query: str, **wanted: object) -> SearchReply:
    with unit_of_work(database) as connection:
        return searcher.search(connection, SearchRequest.model_validate({"query": query} | wanted))


def texts(reply: SearchReply) -> list[str]:
    return [passage.text for passage in reply.passages]


def test_a_passage_is_found_by_its_words_without_any_model(
    library: Engine, searcher: Searcher
) -> None:
    store_passages(library, "Tariff", [PRICES, WINTER])
    reply = ask(library, searcher, "what happens in winter?")
    assert (texts(reply)[0], reply.retriever, reply.model) == (WINTER, "sparse", None)


def test_a_question_in_the_other_language_finds_it(library: Engine, searcher: Searcher) -> None:
    store_passages(library, "Vertrag", [NOTICE], language="de")
    store_passages(library, "Tariff", [PRICES, WINTER])
    assert texts(ask(library, searcher, "How long is the notice period?"))[0] == NOTICE


def test_what_is_added_and_removed_later_is_followed(library: Engine, searcher: Searcher) -> None:
    first = store_passages(library, "Tariff", [PRICES])
    assert texts(ask(library, searcher, "winter")) == []
    store_passages(library, "Manual", [WINTER])
    assert texts(ask(library, searcher, "winter")) == [WINTER]
    with unit_of_work(library) as connection:
        ids = connection.scalars(
            chunks.select()
            .with_only_columns(chunks.c.chunk_id)
            .where(chunks.c.document_id == first)
        ).all()
        vectors.remove(connection, ids)
        connection.execute(delete(documents).where(documents.c.document_id == first))
    assert texts(ask(library, searcher, "energy price")) == []


def test_a_document_that_went_without_a_word_to_the_index_is_not_shown(
    library: Engine, searcher: Searcher
) -> None:
    gone = store_passages(library, "Manual", [WINTER])
    assert texts(ask(library, searcher, "winter")) == [WINTER]
    with unit_of_work(library) as connection:
        connection.execute(delete(documents).where(documents.c.document_id == gone))
    assert texts(ask(library, searcher, "winter")) == []


def test_a_second_process_has_an_index_of_its_own(library: Engine, tmp_path: Path) -> None:
    store_passages(library, "Manual", [WINTER])
    with (
        closing(Searcher(Settings(data_folder=tmp_path))) as first,
        closing(Searcher(Settings(data_folder=tmp_path))) as second,
    ):
        assert [texts(ask(library, each, "winter")) for each in (first, second)] == [
            [WINTER],
            [WINTER],
        ]


def test_an_index_that_is_damaged_is_made_anew(library: Engine, tmp_path: Path) -> None:
    store_passages(library, "Manual", [WINTER])
    with closing(Searcher(Settings(data_folder=tmp_path))) as first:
        ask(library, first, "winter")
    for noted in (tmp_path / "vectors").rglob("*.json"):
        noted.write_text("{", encoding="utf-8")
    with closing(Searcher(Settings(data_folder=tmp_path))) as second:
        assert texts(ask(library, second, "winter")) == [WINTER]


def test_only_who_has_the_site_finds_its_documents(library: Engine, searcher: Searcher) -> None:
    with stored_site(library):
        store_passages(library, "Manual", [WINTER], site="home")
        store_passages(library, "Everybody's", [PRICES])
        assert texts(ask(library, searcher, "winter price", sites=[])) == [PRICES]
        assert set(texts(ask(library, searcher, "winter price", sites=["home"]))) == {
            WINTER,
            PRICES,
        }
        assert set(texts(ask(library, searcher, "winter price"))) == {WINTER, PRICES}
        with pytest.raises(NotFoundError):
            ask(library, searcher, "winter", sites=["elsewhere"], filter={"site_id": "home"})


@pytest.mark.parametrize(
    "wanted",
    [{"kind": "manual"}, {"language": "en"}, {"from_day": "2024-01-01", "to_day": "2024-12-31"}],
    ids=["kind", "language", "days"],
)
def test_filters_leave_out_the_others(
    library: Engine, searcher: Searcher, wanted: dict[str, str]
) -> None:
    store_passages(library, "Manual", [WINTER], kind="manual", dated=date(2024, 5, 1))
    store_passages(
        library,
        "Handbuch",
        ["Im Winter lädt der Speicher langsamer."],
        language="de",
        dated=date(2023, 5, 1),
    )
    assert texts(ask(library, searcher, "winter", filter=wanted)) == [WINTER]


class Numbers:
    """A model that knows three subjects."""

    model = "subjects"
    dimensions = 3
    speaks_one_language = False

    def embed(self, texts: Sequence[str], *, role: str = "passage") -> np.ndarray:
        words = ("price", "winter", "kündigung")
        rows = np.array(
            [[0.01 + (word in text.lower()) for word in words] for text in texts], np.float32
        )
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))


def test_vectors_of_a_model_that_is_not_there_are_no_use_and_words_still_find(
    library: Engine, searcher: Searcher
) -> None:
    store_passages(library, "Manual", [WINTER, PRICES], embedder=Numbers())
    reply = ask(library, searcher, "winter", retriever="dense")
    assert (texts(reply)[0], reply.retriever) == (WINTER, "sparse")
