"""How the code reads: short summaries, plain choices, and one name for one thing.

See docs/glossary.md for the names.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.support.documentation.sources import read_sources

ROOT = Path(__file__).parents[2]
# Ceilings, to be lowered: of 12,000 summaries in seven well-known projects 22 begin with a question
# word, and two chain three relative ones.
MOST_QUESTIONS = 30
MOST_CHAINS = 10
QUESTION = re.compile(r"(What|Which|Who|Whose|Where|When|Why|How)\b")
RELATIVE = re.compile(r"\b(what|which|who|whose|whom|where|that)\b", re.IGNORECASE)
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
LOOKED_AT = (*DOCUMENTED, ast.IfExp)
# Words for names of modules, classes and public functions to avoid, each with a ceiling, to be
# lowered: schedule, send, report, request, keep, describe, format and agent are clearer.
VAGUE_NAMES = {
    "placed": 0,
    "placing": 0,
    "placement": 0,
    "told": 0,
    "untold": 0,
    "said": 1,
    "says": 0,
    "say": 119,
    "asked": 1,
    "held": 2,
    "heard": 0,
    "unheard": 0,
    "learned": 7,
    # Forecast versions on trial have documents and codes of that name, no function.
    "challenger": 0,
}
NAME_PART = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")
# Outward: OpenAPI documents and messages carry these.
SHARED = frozenset({"Decision", "Problem"})


@cache
def list_nodes() -> tuple[tuple[Path, list[ast.AST]], ...]:
    """Return the nodes that are looked at, by file: to look through every tree takes seconds."""
    return tuple(
        (ROOT / path, [node for node in ast.walk(ast.parse(text)) if isinstance(node, LOOKED_AT)])
        for path, text in read_sources("luna", "services").items()
    )


def list_summaries() -> Iterator[str]:
    """Yield the first paragraphs of docstrings, each with its place."""
    for path, nodes in list_nodes():
        for node in nodes:
            if isinstance(node, DOCUMENTED) and (text := ast.get_docstring(node)):
                yield f"{path.relative_to(ROOT)}: {text.partition(chr(10) * 2)[0]}"


def test_few_summaries_begin_with_a_question_word() -> None:
    questions = [each for each in list_summaries() if QUESTION.match(each.partition(": ")[2])]
    assert len(questions) <= MOST_QUESTIONS, "\n".join(questions)


def test_few_summaries_chain_relative_clauses() -> None:
    chains = [
        each for each in list_summaries() if len(RELATIVE.findall(each.partition(": ")[2])) > 2
    ]
    assert len(chains) <= MOST_CHAINS, "\n".join(chains)


def test_no_choice_is_nested_in_another() -> None:
    nested = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path, nodes in list_nodes()
        for node in nodes
        if isinstance(node, ast.IfExp)
        and (isinstance(node.body, ast.IfExp) or isinstance(node.orelse, ast.IfExp))
    ]
    assert not nested


def list_public_names() -> Iterator[str]:
    """Yield the names of modules, classes and public functions, each behind its path."""
    for path, nodes in list_nodes():
        place = path.relative_to(ROOT)
        yield f"{place}: {path.stem}"
        for node in nodes:
            if isinstance(node, DOCUMENTED[1:]) and not node.name.startswith("_"):
                yield f"{place}: {node.name}"


def test_vague_words_become_no_names() -> None:
    found = defaultdict(list)
    for each in list_public_names():
        parts = NAME_PART.findall(each.partition(": ")[2])
        for part in {part.lower() for part in parts}:
            found[part].append(each)
    more = {word: found[word] for word, most in VAGUE_NAMES.items() if len(found[word]) > most}
    assert not more


def test_one_class_name_means_one_thing() -> None:
    homes = defaultdict(list)
    for path, [module, *_] in list_nodes():
        assert isinstance(module, ast.Module)
        for node in module.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes[node.name].append(path.relative_to(ROOT).as_posix())
    assert not {
        name: paths for name, paths in homes.items() if len(paths) > 1 and name not in SHARED
    }
