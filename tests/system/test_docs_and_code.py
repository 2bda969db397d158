"""Names on the pages, held against all of the code: looking through it takes seconds.

What else pages say is held by ``tests/unit/test_docs.py``.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
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
from tests.support.documentation.sources import read_sources
from tests.support.suite.tables import each_row

_SHORT = re.compile(r"([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+)(?:\(.*\))?")
_FILE = re.compile(r".*\.(py|toml|json|lock|ya?ml|css|html|svg|md|sqlite)")
_TEXT = re.compile(r"""["']([\w.]+)["']""")
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
        for line in _lines(tree.body):
            if isinstance(line, ast.ClassDef):
                own = set(_names(line.body)) | set(_stored_attributes(line))
                found[line.name] |= own
                found[module] |= own
    return found


def _lines(body: Sequence[ast.stmt]) -> Iterator[ast.AST]:
    """Yield all statements below some: expressions hold no class."""
    waiting: list[ast.AST] = [*body]
    while waiting:
        line = waiting.pop()
        yield line
        for part in ("body", "orelse", "finalbody", "handlers", "cases"):
            waiting += getattr(line, part, ())


def _stored_attributes(code: ast.ClassDef) -> Iterator[str]:
    for line in _lines(code.body):
        targets = getattr(line, "targets", [getattr(line, "target", None)])
        items = getattr(line, "items", ())
        targets += [item.optional_vars for item in items]
        for target in targets:
            for part in ast.walk(target) if target else ():
                if isinstance(part, ast.Attribute) and isinstance(part.ctx, ast.Store):
                    yield part.attr


@cache
def _fields() -> frozenset[str]:
    """Return every annotated name of a class: the fields of sites, messages and records."""
    classes = [
        code for _, tree in _trees() for code in _lines(tree.body) if isinstance(code, ast.ClassDef)
    ]
    return frozenset(
        line.target.id
        for code in classes
        for line in code.body
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
    sources = read_sources("luna", "services", "bench")
    return tuple((ROOT / path, ast.parse(text)) for path, text in sources.items())


@cache
def _texts() -> frozenset[str]:
    """Return every text of the code: tasks are named by one."""
    sources = read_sources("luna", "services", "bench").values()
    return frozenset(found[1] for text in sources for found in _TEXT.finditer(text))


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
