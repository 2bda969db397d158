"""Owners read what a task does, not its id."""

from luna.contracts.tasks import REQUESTS
from luna.words.catalogue import CATALOGUE
from luna.words.tasks import NAMES, name_task


def test_every_task_has_a_name_in_every_language_and_no_name_is_left_over() -> None:
    codes = {request.task.replace(".", "-") for request in REQUESTS}
    assert {
        language: set(CATALOGUE.read("tasks", language)) for language in CATALOGUE.languages
    } == (dict.fromkeys(CATALOGUE.languages, codes))
    assert set(NAMES) == codes


def test_a_task_without_words_keeps_its_id() -> None:
    assert name_task("planner.replay.run", "de") == "Vergangene Tage berechnen"
    assert name_task("planner.of.tomorrow", "de") == "planner.of.tomorrow"
