"""The words of the code are the field's: old private ones do not come back, and one name means one
thing. See docs/glossary.md.
"""

import ast
import io
import re
import tokenize
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
# As parts of names; what they mean stands in docs/glossary.md under the term that replaced them.
FORBIDDEN_PARTS = frozenset(
    {"wish", "wishes", "mishap", "lineup", "diary", "afflicted", "knock", "errand", "census"}
)
FORBIDDEN_NAMES = frozenset(
    {
        "pose",
        "live_day",
        "call_roll",
        "roll_call",
        "tell_otherwise",
        "weigh_worse",
        "make_sayable",
        "carries_on",
        "promise_output",
        "find_tempting",
    }
    | {
        "Stay",
        "Taker",
        "Prospect",
        "Contender",
        "Lived",
        "Standing",
        "Told",
        "Heart",
        "Lane",
        "Foresight",
        "PriceBook",
        "WeatherBook",
        "ForecastBook",
        "Patience",
    }
)
# Outward: OpenAPI documents and messages carry these.
SHARED = frozenset({"Decision", "Problem"})


def list_sources() -> Iterator[tuple[Path, str]]:
    for folder in ("luna", "services"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path, path.read_text(encoding="utf-8")


def split_name(name: str) -> set[str]:
    return {part.lower() for part in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)}


def test_no_name_is_an_old_private_word() -> None:
    found = defaultdict(set)
    for path, source in list_sources():
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type == tokenize.NAME and (
                token.string in FORBIDDEN_NAMES or split_name(token.string) & FORBIDDEN_PARTS
            ):
                found[token.string].add(path.relative_to(ROOT).as_posix())
    assert not found


def test_modules_are_named_by_the_field_too() -> None:
    assert not [path for path, _ in list_sources() if split_name(path.stem) & FORBIDDEN_PARTS]


def test_one_class_name_means_one_thing() -> None:
    homes = defaultdict(list)
    for path, source in list_sources():
        for node in ast.parse(source).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes[node.name].append(path.relative_to(ROOT).as_posix())
    assert not {
        name: paths for name, paths in homes.items() if len(paths) > 1 and name not in SHARED
    }
