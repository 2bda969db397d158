"""Names on the pages, held against all of the code: looking through it takes seconds.

What else pages say is held by ``tests/unit/test_docs.py``.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from luna.platform.database.schema import metadata
from tests.support.documentation.pages import (
    PACKAGES,
    ROOT,
    Page,
    parse_page,
    read_pages,
    unused_identifiers,
)
from tests.support.suite.tables import each_row

_SHORT = re.compile(r"([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+)(?:\(.*\))?")
_FILE = re.compile(r".*\.(py|toml|json|lock|ya?ml|css|html|svg|md|sqlite)")
# Of Home Assistant
_ENTITY = re.compile(r"(binary_sensor|input_boolean|number|select|sensor|switch)\..*")
# Of Python's library, of NumPy, and a setting of TimescaleDB's.
FOREIGN = frozenset(
    {"datetime.now", "np.random.Generator", "socket.create_connection", "timescaledb.license"}
)


def unknown_names(page: Page) -> list[str]:
    """Name every short dotted name between backticks that is no member of a module or class, no
    task, no column and no field.
    """
    names = [
        (span.place, match[1])
        for span in page.spans
        if not span.block and (match := _SHORT.fullmatch(span.text))
    ]
    return [f"{place} {name}" for place, name in names if not _is_known(name)]


def _is_known(name: str) -> bool:
    first, *rest = name.split(".")
    if (
        first in PACKAGES
        or name in FOREIGN
        or _FILE.fullmatch(name)
        or _ENTITY.fullmatch(name)
        or name in _texts()
    ):
        return True
    if first in metadata.tables and rest[0] in metadata.tables[first].columns:
        return True
    # A name in capitals stands for any, as in state.batteries.NAME.mode.
    fields = [part for part in (first, *rest) if not part.isupper()]
    return rest[-1] in _members()[[first, *rest][-2]] or all(part in _fields() for part in fields)


@cache
def _members() -> dict[str, set[str]]:
    """Return by the name of a module, or of a class, what may be written behind a dot: of a module
    also what its classes have.
    """
    found: dict[str, set[str]] = defaultdict(set)
    for path, tree in _trees():
        module = path.parent.name if path.stem == "__init__" else path.stem
        found[module] |= set(_names(tree.body))
        for each in ast.walk(tree):
            if isinstance(each, ast.ClassDef):
                own = set(_names(each.body)) | {
                    one.attr
                    for one in ast.walk(each)
                    if isinstance(one, ast.Attribute) and isinstance(one.ctx, ast.Store)
                }
                found[each.name] |= own
                found[module] |= own
    return found


@cache
def _fields() -> frozenset[str]:
    """Return every annotated name of a class: the fields of sites, messages and records."""
    classes = [each for each in _nodes() if isinstance(each, ast.ClassDef)]
    return frozenset(
        line.target.id
        for each in classes
        for line in each.body
        if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name)
    )


def _names(body: list[ast.stmt]) -> Iterator[str]:
    for line in body:
        if isinstance(line, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield line.name
        elif isinstance(line, ast.Assign | ast.AnnAssign):
            targets = line.targets if isinstance(line, ast.Assign) else [line.target]
            yield from (target.id for target in targets if isinstance(target, ast.Name))
        elif isinstance(line, ast.Import | ast.ImportFrom):
            yield from (alias.asname or alias.name for alias in line.names)


@cache
def _trees() -> tuple[tuple[Path, ast.Module], ...]:
    paths = sorted(
        path for folder in ("luna", "services", "bench") for path in (ROOT / folder).rglob("*.py")
    )
    return tuple((path, ast.parse(path.read_text(encoding="utf-8"))) for path in paths)


@cache
def _texts() -> frozenset[str]:
    """Return every text of the code: tasks are named by one."""
    return frozenset(
        each.value
        for each in _nodes()
        if isinstance(each, ast.Constant) and isinstance(each.value, str)
    )


@cache
def _nodes() -> tuple[ast.ClassDef | ast.Constant, ...]:
    """Return all classes and constants of the code: looking through every tree takes seconds."""
    return tuple(
        each
        for _, tree in _trees()
        for each in ast.walk(tree)
        if isinstance(each, ast.ClassDef | ast.Constant)
    )


EACH_PAGE = each_row("page", read_pages(), ids=lambda page: page.name)


@EACH_PAGE
def test_every_short_dotted_name_on_a_page_is_defined_in_the_code(page: Page) -> None:
    assert unknown_names(page) == []


@EACH_PAGE
def test_every_identifier_on_a_page_is_used_in_the_code(page: Page) -> None:
    assert unused_identifiers(page) == []


def test_what_is_not_there_is_found() -> None:
    # The checks would pass on any page if they found nothing on this one.
    page = parse_page(
        "docs/wrong.md", "`site.Site` `site.Syte` `load_kwh` `never_written_anywhere`\n"
    )
    assert unknown_names(page) == ["docs/wrong.md:1 site.Syte"]
    assert unused_identifiers(page) == ["docs/wrong.md:1 never_written_anywhere"]
