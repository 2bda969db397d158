"""Owners read what somebody did, not an operation's id."""

from luna.words.actions import ACTIONS, NAMES, name_action
from luna.words.catalogue import CATALOGUE
from services.api.app import OPERATIONS
from services.api.identity.audit import SAFE


def test_every_recorded_operation_is_one_action() -> None:
    named = [operation for operations in ACTIONS.values() for operation in operations]
    recorded = {operation.name for operation in OPERATIONS if operation.method not in SAFE}
    assert sorted(named) == sorted(recorded)


def test_every_action_has_a_name_in_every_language() -> None:
    for language in CATALOGUE.languages:
        assert set(CATALOGUE.read("actions", language)) == set(ACTIONS)
    assert set(NAMES) == set(ACTIONS)


def test_an_operation_without_words_keeps_its_id() -> None:
    assert name_action("override", "de") == "Gerät von Hand gesteuert"
    assert name_action("override_the_sun", "de") == "override_the_sun"
