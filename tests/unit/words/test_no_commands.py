"""No page names a command of the terminal: neither what is worded for pages, nor what they say of
errors that programs and terminals are told with one.
"""

import ast
import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import Any

from luna import words
from luna.energy.errors import NotFoundError
from luna.words.catalogue import CATALOGUE
from luna.words.refusals import say_problem, say_refusal
from tests.support.documentation.sources import read_sources
from tests.support.suite.depth import LONG

ROOT = Path(__file__).parents[3]
COMMAND = re.compile(r"\bluna [a-z]")
# In the code, where a brace begins what is filled in, and without imports.
NAMED = re.compile(r"\bluna (?!import\b)[a-z{]")
# What makes no sentence for people.
NO_TEXT = re.compile(r"luna import|luna\.")


def texts_of(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from texts_of(each)
    elif isinstance(value, tuple | list | set | frozenset):
        for each in value:
            yield from texts_of(each)
    elif hasattr(value, "__dataclass_fields__") and not isinstance(value, type):
        for name in value.__dataclass_fields__:
            yield from texts_of(getattr(value, name))


def test_no_catalogue_names_a_command() -> None:
    modules = [import_module(found.name) for found in walk_packages(words.__path__, "luna.words.")]
    said = [
        text
        for module in modules
        for name, value in vars(module).items()
        if not name.startswith("__")
        for text in texts_of(value)
    ]
    # But what commands print themselves.
    topics = [
        path
        for path in (ROOT / "luna/words/catalogue").rglob("*.ftl")
        if not path.stem.endswith("_command")
    ]
    said += [line for path in topics for line in path.read_text(encoding="utf-8").splitlines()]
    assert len(said) > 1000
    assert [text for text in said if COMMAND.search(text)] == []


def test_no_template_names_a_command() -> None:
    templates = list((ROOT / "services/api/pages").glob("**/*.j2"))
    assert len(templates) > 50
    assert [
        path.name for path in templates if COMMAND.search(path.read_text(encoding="utf-8"))
    ] == []


@cache
def sources() -> tuple[ast.Module, ...]:
    """Return the modules in which a command is named, be it in a docstring."""
    texts = read_sources("luna", "services").values()
    return tuple(ast.parse(text) for text in texts if NAMED.search(text))


def remedies() -> Iterator[str]:
    """Every text of the code that names a command, as an error may carry it."""
    for tree in sources():
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr):
                yield "".join(
                    part.value if isinstance(part, ast.Constant) else "x"
                    for part in node.values
                    if isinstance(part, ast.Constant | ast.FormattedValue)
                )
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def test_what_a_page_says_of_an_error_names_no_command_whatever_its_remedy() -> None:
    named = {text for text in remedies() if COMMAND.search(text) and not NO_TEXT.search(text)}
    assert len(named) > 50
    for number, text in enumerate(sorted(named)):
        error = NotFoundError("no such thing", field="thing", remedy=text)
        # In a short run languages take turns.
        turn = CATALOGUE.languages[number % len(CATALOGUE.languages)]
        for language in CATALOGUE.languages if LONG else (turn,):
            for said in (say_refusal(error, language), say_problem(error.problem(), language)):
                assert not COMMAND.search(str(said)), said
                assert said.sentence
                assert said.remedy


def test_no_error_names_a_command_but_in_its_remedy() -> None:
    calls = [
        node
        for tree in sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args
    ]
    messages = [
        ast.unparse(call.args[0])
        for call in calls
        if isinstance(call.func, ast.Name) and call.func.id.endswith(("Error", "RefusalReason"))
    ]
    assert len(messages) > 100
    assert [text for text in messages if COMMAND.search(text)] == []
