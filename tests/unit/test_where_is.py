"""The page "Where is …" leads a newcomer to the right door: each of its files holds the name that
the page tells to look for.
"""

from collections import Counter

import pytest

from tests.support.documentation.pages import list_answers, parse_page, read_page, says_name

PAGE = read_page("docs/where-is.md")
ANSWERS = list_answers(PAGE)
LEAST_QUESTIONS = 40
MOST_OF_A_FILE = 3


def test_every_answer_is_a_file_that_holds_the_name() -> None:
    assert [
        f"{question} {path} {name}" for question, path, name in ANSWERS if not says_name(path, name)
    ] == []


def test_each_question_is_asked_once_and_there_are_forty() -> None:
    questions = [question for question, _, _ in ANSWERS]
    assert sorted(set(questions)) == sorted(questions)
    assert len(questions) >= LEAST_QUESTIONS


def test_every_row_of_the_page_is_a_question_with_its_answer() -> None:
    rows = [
        line
        for _, line in PAGE.prose
        if line.startswith("|") and not line.startswith(("| Where is", "|---"))
    ]
    assert len(rows) == len(ANSWERS)


def test_no_file_answers_more_than_three() -> None:
    assert {
        path: count
        for path, count in Counter(path for _, path, _ in ANSWERS).items()
        if count > MOST_OF_A_FILE
    } == {}


@pytest.mark.parametrize(
    ("path", "name"),
    [
        # A word of the file that it does not define
        ("luna/energy/economics/depth_wear.py", "wear"),
        ("luna/energy/economics/depth_wear.py", "Battery"),  # what it imports
        ("luna/energy/nowhere.py", "depth_wear"),
        ("infra/make-secrets", "database_passwor"),
    ],
)
def test_a_wrong_answer_is_found(path: str, name: str) -> None:
    assert list_answers(
        parse_page("docs/wrong.md", f"| what is wrong? | `{path}` | `{name}` |\n")
    ) == [("what is wrong?", path, name)]
    assert not says_name(path, name)
