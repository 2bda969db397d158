"""The user guide's pages: how long their paragraphs are, what both languages share, and the sites
and routes that they show.
"""

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from luna.contracts import PlanRequest
from luna.contracts.variant import WhatIfRequest
from luna.energy.site import Site
from services.api.app import OPERATIONS
from tests.support.documentation.pages import ROOT, Page, read_page

GUIDE = ROOT / "docs" / "guide"
NAMES = tuple(sorted(path.name for path in (GUIDE / "en").glob("*.md")))
LONGEST_PARAGRAPH = 5
LONGEST_LINE = 160

_ROUTE = re.compile(
    r"\b(GET|POST|PUT|PATCH|DELETE) (/[^\s`?]*)|http://127\.0\.0\.1:8080(/[^\s\"'?`]*)"
)
_PLAIN_PROSE = re.compile(r"(?![|#!<]|\d+\. |- |\s*$)")


def guide_page(language: str, name: str) -> Page:
    """Return a page of the guide."""
    return read_page(f"docs/guide/{language}/{name}")


def long_paragraphs(page: Page) -> list[str]:
    """Name the first line of every paragraph that is longer than a reader likes."""
    return [
        f"{page.name}:{number}"
        for number, lines in _paragraphs(page)
        if len(lines) > LONGEST_PARAGRAPH or max(map(len, lines)) > LONGEST_LINE
    ]


def _paragraphs(page: Page) -> Iterator[tuple[int, list[str]]]:
    start = 0
    lines: list[str] = []
    last = 0
    for number, line in [*page.prose, (0, "")]:
        if _PLAIN_PROSE.match(line) and (not lines or number == last + 1):
            start = start or number
            lines.append(line)
        elif lines:
            yield start, lines
            start = 0
            lines = []
        last = number


def outline(page: Page) -> list[int]:
    """Return the level of each heading."""
    return [len(line) - len(line.lstrip("#")) for _, line in page.prose if line.startswith("#")]


def code_of(page: Page) -> list[str]:
    """Return the page's code blocks without the words about them."""
    return [
        re.sub(r"\s+# .*|\s*# .*$", "", block, flags=re.MULTILINE)
        for block in (span.text for span in page.spans if span.block)
    ]


def named_codes(page: Page) -> set[str]:
    """Return what stands between backticks and is a name of the program's, not a word of a
    language.
    """
    return {
        span.text
        for span in page.spans
        if not span.block and re.fullmatch(r"[a-z]\w*_\w+|LUNA_\w+", span.text)
    }


def wrong_examples(page: Page) -> list[str]:
    """Name every YAML block that is no part of a site (joined to the documented one), and no
    question.
    """
    blocks = [
        (span.place, yaml.safe_load(span.text))
        for span in page.spans
        if span.block and _language(page, span.line) == "yaml"
    ]
    return [f"{place}: {fault}" for place, block in blocks for fault in _faults(block)]


def _faults(block: Any) -> Iterator[str]:
    try:
        if "site_id" in block:
            WhatIfRequest.model_validate(block)
        else:
            Site.model_validate(block if "timezone" in block else _example_site() | block)
    except ValueError as wrong:
        yield str(wrong)


def wrong_requests(page: Page) -> list[str]:
    """Name every JSON block that is no part of a request for a plan, joined to the example."""
    blocks = [
        (span.place, json.loads(span.text))
        for span in page.spans
        if span.block and _language(page, span.line) == "json"
    ]
    return [f"{place}: {fault}" for place, block in blocks for fault in _request_faults(block)]


def _request_faults(block: Any) -> Iterator[str]:
    example = json.loads((ROOT / "examples" / "plan_request.json").read_text(encoding="utf-8"))
    joined = {
        name: value | block[name] if isinstance(value, dict) and name in block else value
        for name, value in example.items()
    }
    try:
        PlanRequest.model_validate(block | joined | {"site": _example_site()})
    except ValueError as wrong:
        yield str(wrong)


def _language(page: Page, line: int) -> str:
    return Path(ROOT / page.name).read_text(encoding="utf-8").splitlines()[line - 2].strip("`~ ")


@cache
def _example_site() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(
        (ROOT / "config" / "site.yaml").read_text(encoding="utf-8")
    )
    return document


def unknown_routes(page: Page) -> list[str]:
    """Name every route on the page that the gateway does not have."""
    found = [(span.place, match) for span in page.spans for match in _ROUTE.finditer(span.text)]
    return [
        f"{place} {match[0]}"
        for place, match in found
        if not _has_route(match[1], match[2] or match[3])
    ]


def _has_route(method: str | None, path: str) -> bool:
    return any(
        method in (None, "GET" if each is None else each) and re.fullmatch(pattern, path)
        for each, pattern in _routes()
    )


@cache
def _routes() -> tuple[tuple[str | None, str], ...]:
    known = [
        (operation.method, re.sub(r"\{[^}]*\}", r"[^/]+", path))
        for operation in OPERATIONS
        for path in operation.addresses
    ]
    return (*known, (None, "/docs"), (None, "/openapi.json"), (None, "/"), (None, ""))
