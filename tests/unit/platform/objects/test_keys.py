import pytest

from luna.energy.errors import InvalidInputError
from luna.platform.objects.store import check_key
from tests.support.suite.tables import each_row

NONE = [
    "",
    "/",
    "/etc/passwd",
    "..",
    "a/../b",
    "a/./b",
    "a//b",
    "a/",
    ".hidden",
    "a/.hidden",
    "a b",
    "a\\b",
    "a\nb",
    "a\0b",
    "ä",
    "a" * 201,
    "a/" * 600 + "a",
]


@each_row(
    "key",
    ["a", "aurora/0f3a.json.gz", "documents/2026/bill-01_de.pdf", "a/" * 500 + "a", "a" * 200],
)
def test_names_joined_by_slashes_are_a_key(key: str) -> None:
    assert check_key(key) == key


@each_row("key", NONE, ids=range(len(NONE)))
def test_everything_else_is_refused_with_what_a_key_is(key: str) -> None:
    with pytest.raises(InvalidInputError, match="Join names by") as caught:
        check_key(key)
    assert (caught.value.field, caught.value.value) == ("key", key)
