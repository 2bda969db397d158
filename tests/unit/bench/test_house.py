"""What a reader pays in hops, counted."""

import ast

from bench.house import list_functions

MODULE = """
class Store:
    def __init__(self):
        self._open()

    def _open(self):
        return _read(_read(1))


def _read(place):
    return place


def show(store):
    return _once(store)


async def _once(store):
    return store


def _never():
    return "_never"
"""


def test_a_private_function_that_is_named_once_beside_its_definition_has_one_caller() -> None:
    # ``_open`` and ``_once``; ``_read`` is called twice, ``_never`` by nobody.
    assert [(each.lines, each.has_one_caller) for each in list_functions(ast.parse(MODULE))].count(
        (2, True)
    ) == 2
    assert sum(each.has_one_caller for each in list_functions(ast.parse(MODULE))) == 2
