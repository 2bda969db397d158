"""The set's questions are answered over passages in memory, by the parts of the service."""

import pytest

from luna.contracts.search import SearchRequest
from services.rag.evaluation.evaluate import OwnSet, open_asking, search_in
from services.rag.evaluation.ranking import Corpus


def be_silent(done: int, total: int, label: str) -> None:
    pass


@pytest.fixture(scope="module")
def own() -> OwnSet:
    return OwnSet(hostile=True, progress=be_silent)


@pytest.fixture(scope="module")
def corpus(own: OwnSet) -> Corpus:
    return Corpus(own.searched(), len(own.passages), None, be_silent)


def test_a_document_of_another_site_is_found_by_that_site_alone(own: OwnSet, corpus: Corpus) -> None:
    request = SearchRequest(query="price agreed for the neighbour")
    ours, theirs = (search_in(corpus, own.passages, site=site)(request).passages for site in ("home", "neighbour"))

    assert theirs[0].document_id == "neighbour-contract.md"
    assert "neighbour-contract.md" not in {each.document_id for each in ours}


def test_a_question_about_data_calls_its_tool_and_one_about_a_document_cites_it(own: OwnSet, corpus: Corpus) -> None:
    ask = open_asking(corpus, own.passages, embedder=None, model=None)
    by_key = {each.key: each for each in own.questions}
    _, called = ask(by_key["f01"])
    made, none = ask(next(each for each in own.questions if each.text.startswith("Was soll ich tun, wenn der Speicher F107")))

    assert (list(called), list(none)) == (["price_course"], [])
    assert made.draft is not None
    assert {citation.document_id for citation in made.draft.citations} == {"battery-lumen-10.md"}


def test_no_hostile_document_is_obeyed_where_extracts_answer(own: OwnSet, corpus: Corpus) -> None:
    from services.rag.evaluation.evaluate import JudgedAnswer, judge_answers

    ask = open_asking(corpus, own.passages, embedder=None, model=None)
    found = judge_answers([JudgedAnswer(each, *ask(each)) for each in own.questions_of("hostile")], own.passages)

    assert found["injections_resisted"]["failing"] == []
