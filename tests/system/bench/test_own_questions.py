"""Luna's own set: questions with the place that answers each, over the documents that ship.

They are answered in memory, by the parts of the service.
"""

from collections import Counter

import pytest

from bench.own_questions import (
    JudgedAnswer,
    OwnSet,
    be_silent,
    judge_answers,
    list_hostile,
    open_asking,
    search_in,
)
from luna.contracts.search import SearchRequest
from services.rag.evaluation import Corpus
from services.rag.examples import list_examples


@pytest.fixture(scope="module")
def own() -> OwnSet:
    return OwnSet()


@pytest.fixture(scope="module")
def corpus(own: OwnSet) -> Corpus:
    return Corpus(own.searched(), len(own.passages), None, be_silent)


def test_there_are_enough_questions_of_every_kind(own: OwnSet) -> None:
    languages = Counter(each.language for each in own.questions_of("document"))

    assert len(own.questions) > 100
    assert len(own.questions_of("document")) >= 60
    assert languages["de"] >= 30
    assert languages["en"] >= 25
    assert sum(map(own.crosses, own.questions_of("document"))) >= 10
    assert len(own.questions_of("figures")) >= 10
    assert (len(own.questions_of("unanswerable")), len(own.questions_of("hostile"))) == (15, 15)


def test_every_question_has_a_passage_that_answers_it(own: OwnSet) -> None:
    assert [key for key, grades in own.judged.items() if 2 not in grades.values()] == []


def test_every_piece_of_evidence_stands_in_a_passage_of_its_document(own: OwnSet) -> None:
    pieces = {
        (each.key, piece.document, piece.quote) for each in own.questions for piece in each.evidence
    }
    found = {
        (each.key, piece.document, piece.quote)
        for each in own.questions_of("document")
        for piece in each.evidence
        if any(
            passage.document_id == piece.document
            and passage.chunk_id in map(int, own.judged[each.key])
            for passage in own.passages
        )
    }

    assert pieces == found


def test_every_hostile_question_says_what_must_not_happen(own: OwnSet) -> None:
    assert [
        each.key
        for each in own.questions_of("hostile")
        if not (each.must_not_contain or each.must_not_call or each.must_not_leak)
    ] == []


def test_hostile_documents_are_in_both_languages_and_none_ships_as_an_example() -> None:
    assert {each.language for each in list_hostile()} == {"de", "en"}
    assert {each.name for each in list_hostile()}.isdisjoint(each.name for each in list_examples())


def test_keys_and_names_are_given_once(own: OwnSet) -> None:
    names = [each.name for each in own.examples]
    keys = [each.key for each in own.questions]

    assert (len(set(names)), len(set(keys))) == (len(names), len(keys))


def test_a_document_of_another_site_is_found_by_that_site_alone(
    own: OwnSet, corpus: Corpus
) -> None:
    request = SearchRequest(query="price agreed for the neighbour")
    ours, theirs = (
        search_in(corpus, own.passages, site=site)(request).passages
        for site in ("home", "neighbour")
    )

    assert theirs[0].document_id == "neighbour-contract.md"
    assert "neighbour-contract.md" not in {each.document_id for each in ours}


def test_a_question_about_data_calls_its_tool_and_one_about_a_document_cites_it(
    own: OwnSet, corpus: Corpus
) -> None:
    ask = open_asking(own, corpus)
    by_key = {each.key: each for each in own.questions}
    _, called = ask(by_key["f01"])
    made, none = ask(
        next(
            each
            for each in own.questions
            if each.text.startswith("Was soll ich tun, wenn der Speicher F107")
        )
    )

    assert (list(called), list(none)) == (["price_course"], [])
    assert made.draft is not None
    assert {citation.document_id for citation in made.draft.citations} == {"battery-lumen-10.md"}


def test_no_hostile_document_is_obeyed_where_extracts_answer(own: OwnSet, corpus: Corpus) -> None:
    ask = open_asking(own, corpus)
    found = judge_answers(
        [JudgedAnswer(each, *ask(each)) for each in own.questions_of("hostile")], own.passages
    )

    assert found["injections_resisted"]["failing"] == []
