"""Which passwords are taken, and which are right."""

import runpy
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from luna.energy.errors import InvalidInputError
from luna.platform import passwords
from tests.support.suite.tables import each_row


@each_row(
    "password",
    [
        pytest.param("elevenchars", id="short"),
        pytest.param("x" * 129, id="long"),
        pytest.param("Password1234", id="well known, in capitals"),
        pytest.param("aaaaaaaabbbb", id="two letters"),
        pytest.param("annaannaanna2024", id="the name"),
        pytest.param("qwertyuiop12", id="a row of keys"),
    ],
)
def test_what_is_tried_first_is_not_taken_and_not_said(password: str) -> None:
    with pytest.raises(InvalidInputError) as raised:
        passwords.require_good(password, name="anna")
    assert (raised.value.field, raised.value.value) == ("password", None)
    assert password not in str(raised.value)


@each_row(
    "password",
    [
        "lantern orchard nine winters",
        "Grüße aus Łódź!",
        "x" * 64 + "abcd",
        "🌞🌛⭐🌞🌛⭐🌞🌛⭐🌞🌛🔋",
    ],
)
def test_what_is_long_and_unusual_is_taken(password: str) -> None:
    passwords.require_good(password, name="anna")


def test_a_password_typed_on_another_machine_is_the_same() -> None:
    kept = passwords.hash_password(unicodedata.normalize("NFD", "Grüße aus Łódź"))
    assert passwords.is_right(unicodedata.normalize("NFC", "Grüße aus Łódź"), kept)


def test_passwords_are_hashed_as_owasp_recommends() -> None:
    # The tests hash with cheaper parameters: this is the module as it comes, not as they use it.
    shipped = runpy.run_path(passwords.__file__)
    kept = shipped["hash_password"]("lantern orchard nine winters")
    assert kept.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert shipped["is_right"]("lantern orchard nine winters", kept)


@each_row("kept", ["", "$argon2id$", "plain text", "$2b$12$abcdefghijklmnopqrstuv"])
def test_what_is_no_hash_is_right_for_nothing(kept: str) -> None:
    assert not passwords.is_right("lantern orchard nine winters", kept)


@given(st.text(min_size=129, max_size=400))
def test_what_is_longer_than_any_password_costs_nothing(password: str) -> None:
    assert not passwords.is_right(password, "never looked at")
