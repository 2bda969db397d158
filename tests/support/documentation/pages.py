"""The pages of README, CONTRIBUTING and docs as a reader meets them: code spans, code blocks,
links, and the names in them.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cache
from importlib import import_module
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[3]
# What a checkout holds; what commands make (var, .venv) is no promise of a page.
FOLDERS = (
    ".ci",
    "bench",
    "config",
    "docs",
    "examples",
    "infra",
    "locks",
    "luna",
    "services",
    "tests",
)
PACKAGES = ("bench", "luna", "services", "tests")

_FENCE = re.compile(r"^\s*(```+|~~~+)(.*)$")
_SPAN = re.compile(r"(`+)(?!`)(.+?)(?<!`)\1(?!`)")
_LINK = re.compile(r"(?<!`)\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ +(.*?)(?: *\{#([\w-]+)\})?$")
_WORD = re.compile(r"[\w.<>*/{},-]+")
_DOTTED = re.compile(rf"(?<![\w./@:-])(?:{'|'.join(PACKAGES)})(?:\.[A-Za-z_]\w*)+(?![\w/])")
_TEST = re.compile(r"(tests/[\w/]+\.py)::(\w+)")
_ANSWER = re.compile(r"\| ([^|`]*(?:`[^|`]*`[^|`]*)?\?) \| `([^`]+)` \| `([^`]+)` \|$")
_PLACEHOLDER = re.compile(r"<\w+>|N{4}")
_WILDCARDS = frozenset("*?[")
_IDENTIFIER = re.compile(r"(?<![\w-])(?:[a-z]\w*_\w+|[A-Z][a-z]+[A-Z]\w+)\b")
# Words of other programs: Mosquitto's client, a field of Redis's answer, entities and a card of
# Home Assistant.
_CARD = (
    "luna_home_planned_mode",
    "luna_home_plan_soc",
    "luna_home_import_price",
    "graph_span",
    "data_generator",
    "yaxis_id",
    "mobile_app_phone",
)
_FOREIGN = ("mosquitto_sub", "used_memory_human", *_CARD)
_TREE_LINE = re.compile(r"^( *)(\S+(?: \S+)*)")


@dataclass(frozen=True)
class Span:
    """A piece of code on a page: a whole block, or one between backticks."""

    page: str
    line: int
    text: str
    block: bool

    @property
    def place(self) -> str:
        return f"{self.page}:{self.line}"


@dataclass(frozen=True)
class Page:
    """A page: its code, and its prose with the code taken out."""

    name: str
    spans: tuple[Span, ...]
    prose: tuple[tuple[int, str], ...]

    @property
    def anchors(self) -> frozenset[str]:
        headings = [match for _, line in self.prose if (match := _HEADING.match(line))]
        return frozenset(match[2] or _anchor(match[1]) for match in headings)


@cache
def read_pages() -> tuple[Page, ...]:
    """Return every page that a reader of the repository may open."""
    names = [
        "README.md",
        "CONTRIBUTING.md",
        *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md")),
    ]
    return tuple(read_page(name) for name in names)


def read_page(name: str) -> Page:
    """Return one page, named by its path in the repository."""
    return parse_page(name, (ROOT / name).read_text(encoding="utf-8"))


def parse_page(name: str, text: str) -> Page:
    """Return the page that ``text`` is."""
    spans: list[Span] = []
    prose: list[tuple[int, str]] = []
    fence = ""
    start = 0
    block: list[str] = []
    for number, line in enumerate(text.splitlines(), start=1):
        mark = _FENCE.match(line)
        if fence and mark and mark[1].startswith(fence) and not mark[2].strip():
            spans.append(Span(name, start + 1, "\n".join(block), block=True))
            fence = ""
            block = []
        elif fence:
            block.append(line)
        elif mark:
            fence = mark[1]
            start = number
        else:
            spans += [
                Span(name, number, match[2].replace(r"\|", "|").strip(), block=False)
                for match in _SPAN.finditer(line)
            ]
            prose.append((number, line))
    return Page(name, tuple(spans), tuple(prose))


def missing_paths(page: Page) -> list[str]:
    """Name every path in the page's code that is not in the repository: whole ones, and modules by
    the end of theirs.
    """
    return [
        f"{span.place} {word}"
        for span in page.spans
        for word in _words(span.text)
        if not _is_there(word)
    ]


def missing_names(page: Page) -> list[str]:
    """Name every dotted module, class or function in the page's code that cannot be imported."""
    return [
        f"{span.place} {name}"
        for span in page.spans
        for name in _DOTTED.findall(span.text)
        if not _ends_in_file(name) and not _can_import(name)
    ]


def missing_in_trees(page: Page) -> list[str]:
    """Name every entry of the page's maps of folders that is not where the map has it."""
    blocks = [span for span in page.spans if span.block and re.match(r"(\w+)/\s", span.text)]
    return [
        f"{span.place} {path}"
        for span in blocks
        for path in _tree(span.text)
        if not (ROOT / path).exists()
    ]


def unused_identifiers(page: Page) -> list[str]:
    """Name every identifier in the page's code (fields, columns, metrics, functions, classes) that
    the repository's own files never use.
    """
    return [
        f"{span.place} {name}"
        for span in page.spans
        for name in _IDENTIFIER.findall(span.text)
        if not _is_used(name)
    ]


def broken_links(page: Page) -> list[str]:
    """Name every link within the repository that leads to no file or no heading."""
    return [
        f"{page.name}:{number} {target}"
        for number, target in _links(page)
        if not _leads(page, target)
    ]


def named_tests(text: str) -> list[tuple[str, str]]:
    """Return path and name of every test that a text names as ``path::name``."""
    return _TEST.findall(text)


def missing_tests(page: Page) -> list[str]:
    """Name every test on the page that is not in its file."""
    named = [
        (span.place, path, name) for span in page.spans for path, name in named_tests(span.text)
    ]
    return [f"{place} {path}::{name}" for place, path, name in named if not _has_test(path, name)]


def _has_test(path: str, name: str) -> bool:
    file = ROOT / path
    return (
        file.exists()
        and re.search(rf"^(?:async )?def {name}\(", file.read_text(encoding="utf-8"), re.MULTILINE)
        is not None
    )


def list_answers(page: Page) -> list[tuple[str, str, str]]:
    """Return question, path and name of every row of the page's tables that answers a question by a
    file and a name in it.
    """
    rows = (_ANSWER.match(line) for _, line in page.prose)
    return [(row[1], row[2], row[3]) for row in rows if row]


def says_name(path: str, name: str) -> bool:
    """Return whether a file holds a name: a module of Python by defining it at its top, any other
    as a word.
    """
    file = ROOT / path
    pattern = (
        rf"^(?:(?:async )?def|class) {name}\b|^{name}\b[^=\n]* = "
        if file.suffix == ".py"
        else rf"(?<![\w-]){re.escape(name)}(?![\w-])"
    )
    return (
        file.is_file()
        and re.search(pattern, file.read_text(encoding="utf-8"), re.MULTILINE) is not None
    )


def _links(page: Page) -> Iterator[tuple[int, str]]:
    for number, line in page.prose:
        yield from (
            (number, target)
            for target in _LINK.findall(_SPAN.sub("``", line))
            if not re.match(r"[a-z]+:", target)
        )


def _leads(page: Page, target: str) -> bool:
    name, _, anchor = target.partition("#")
    path = ((ROOT / page.name).parent / name).resolve() if name else ROOT / page.name
    if not path.exists():
        return False
    return (
        not anchor
        or path.suffix != ".md"
        or anchor in read_page(str(path.relative_to(ROOT))).anchors
    )


def _anchor(heading: str) -> str:
    plain = (
        re.sub(r"[^\w\- ]", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)).strip().lower()
    )
    return plain.replace(" ", "-")


def _words(code: str) -> Iterator[str]:
    for word in _WORD.findall(code):
        plain = word.removeprefix("./").rstrip(".,")
        if ("/" in plain.rstrip("/") and plain.split("/")[0] in FOLDERS) or (
            re.fullmatch(r"[\w*<>/-]+\.(py|sql)", plain) and not plain.startswith("/")
        ):
            yield plain


def _is_there(word: str) -> bool:
    pattern = _PLACEHOLDER.sub("*", word).rstrip("/")
    return (
        any(fnmatch(path, pattern) or fnmatch(path, f"*/{pattern}") for path in _paths())
        if pattern.split("/")[0] not in FOLDERS
        else _expand(pattern)
    )


def _expand(pattern: str) -> bool:
    braces = re.search(r"\{([^}]*)\}", pattern)
    if not braces:
        # Matching costs two microseconds a path, of thousands: most names say one path in full.
        return pattern in _paths() or (
            not _WILDCARDS.isdisjoint(pattern) and any(fnmatch(path, pattern) for path in _paths())
        )
    return all(
        _expand(pattern[: braces.start()] + each.strip() + pattern[braces.end() :])
        for each in braces[1].split(",")
    )


@cache
def _paths() -> frozenset[str]:
    found = [
        path
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*")
        if "__pycache__" not in path.parts
    ]
    return frozenset(
        str(path.relative_to(ROOT))
        for path in [*(ROOT / folder for folder in FOLDERS), *found, *ROOT.iterdir()]
    )


def _is_used(name: str) -> bool:
    # Prometheus adds the ending of counters by itself; a trailing underscore stands for several
    # names.
    used = _identifiers()
    return (
        name in _FOREIGN
        or name in used
        or name.removesuffix("_total") in used
        or (name.endswith("_") and any(each.startswith(name) for each in used))
    )


@cache
def _identifiers() -> frozenset[str]:
    names = [
        ROOT / name for name in ("Makefile", "docker-compose.yml", "pyproject.toml", ".env.example")
    ]
    files = [
        ROOT / path
        for path in _paths()
        if path.split("/")[0] in FOLDERS
        and not path.startswith("docs/")
        and (ROOT / path).is_file()
    ]
    # What the tests of pages write themselves is not used anywhere by that.
    texts = [
        str(path)
        if path.name.startswith("test_docs")
        else f"{path} {path.read_text(encoding='utf-8', errors='replace')}"
        for path in [*names, *files]
    ]
    words = frozenset(word for text in texts for word in re.findall(r"\w+", text))
    # An entity that a kind of device declares stands in the catalogue by its name.
    return words | {word.removeprefix("entity_") for word in words} | _names_in_stack()


def _names_in_stack() -> frozenset[str]:
    """Services and networks as a swarm calls them: after its stack."""
    stack = yaml.safe_load((ROOT / "infra/swarm/stack.yml").read_text(encoding="utf-8"))
    return frozenset(f"luna_{name}" for kind in ("services", "networks") for name in stack[kind])


def _ends_in_file(name: str) -> bool:
    return name.rpartition(".")[2] in ("py", "md", "yaml", "json")


def _can_import(name: str) -> bool:
    parts = name.split(".")
    for size in range(len(parts), 0, -1):
        try:
            found: object = import_module(".".join(parts[:size]))
        except ModuleNotFoundError:
            continue
        for attribute in parts[size:]:
            found = getattr(found, attribute, None)
        return found is not None
    return False


def _tree(block: str) -> Iterator[str]:
    parents: list[tuple[int, str]] = []
    for indent, names in (
        match.groups() for line in block.splitlines() if (match := _TREE_LINE.match(line))
    ):
        parents = [each for each in parents if each[0] < len(indent)]
        folder = "".join(name for _, name in parents)
        words = names.split()
        yield from (folder + word for word in words)
        if words[-1].endswith("/"):
            parents.append((len(indent), words[-1]))
