"""Luna's own set: questions with the place that answers each, over the documents that ship."""

from collections import Counter

import pytest

from services.rag.evaluation.evaluate import OwnSet, list_hostile
from services.rag.examples import list_examples


def be_silent(done: int, total: int, label: str) -> None:
    pass


@pytest.fixture(scope="module")
def own() -> OwnSet:
    return OwnSet(hostile=True, progress=be_silent)


def test_there_are_enough_questions_of_every_kind(own: OwnSet) -> None:
    languages = Counter(each.language for each in own.questions_of("document"))

    assert len(own.questions_of("document")) >= 60
    assert languages["de"] >= 30
    assert languages["en"] >= 25
    assert sum(map(own.crosses, own.questions_of("document"))) >= 10
    assert len(own.questions_of("figures")) >= 10
    assert (len(own.questions_of("unanswerable")), len(own.questions_of("hostile"))) == (15, 15)


def test_every_question_has_a_passage_that_answers_it(own: OwnSet) -> None:
    assert [key for key, grades in own.judged.items() if 2 not in grades.values()] == []


def test_every_piece_of_evidence_stands_in_a_passage_of_its_document(own: OwnSet) -> None:
    pieces = {(each.key, piece.document, piece.quote) for each in own.questions for piece in each.evidence}
    found = {
        (each.key, piece.document, piece.quote)
        for each in own.questions_of("document")
        for piece in each.evidence
        if any(passage.document_id == piece.document and passage.chunk_id in map(int, own.judged[each.key]) for passage in own.passages)
    }

    assert pieces == found


def test_every_hostile_question_says_what_must_not_happen(own: OwnSet) -> None:
    assert [each.key for each in own.questions_of("hostile") if not (each.must_not_contain or each.must_not_call or each.must_not_leak)] == []


def test_hostile_documents_are_in_both_languages_and_none_ships_as_an_example() -> None:
    assert {each.language for each in list_hostile()} == {"de", "en"}
    assert {each.name for each in list_hostile()}.isdisjoint(each.name for each in list_examples())


def test_keys_and_names_are_given_once(own: OwnSet) -> None:
    names = [each.name for each in own.examples]
    keys = [each.key for each in own.questions]

    assert (len(set(names)), len(set(keys))) == (len(names), len(keys))
