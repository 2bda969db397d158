"""Hooks of MkDocs: one language at a time, and links that leave the pages.

A page shows the navigation of its own language and leads to its counterpart in the other one. Links
to files of the repository that are no pages become the names of these files.
"""

import copy
import re
from typing import Any

_LEAVING = re.compile(r"\[([^\]]+)\]\(((?:\.\./)+)([^)#]+)[^)]*\)")
NAMES = {"en": "English", "de": "Deutsch"}
STARTS = {"en": "index.md", "de": "index.de.md"}


def on_page_markdown(markdown: str, *, page: Any, **_: Any) -> str:
    """Return the page's text with every link that leaves ``docs`` turned into code."""
    depth = page.file.src_uri.count("/")
    return _LEAVING.sub(
        lambda link: (
            link[0] if link[2].count("../") <= depth else f"{link[1].strip('`')} (`{link[3]}`)"
        ),
        markdown,
    )


def on_page_context(context: dict[str, Any], *, page: Any, config: Any, nav: Any) -> dict[str, Any]:
    """Show the navigation of the page's language alone, and the page's address in each language."""
    language = find_language(page.file.src_uri)
    own = copy.copy(nav)
    own.items = [item for item in nav.items if _is_in(item, language)]
    context["nav"] = own
    # The theme's own words, and the language of the page's HTML.
    config["theme"]["language"] = language
    pages = {each.file.src_uri for each in nav.pages}
    translated = {code: translate(page.file.src_uri, code, pages) for code in NAMES}
    config["extra"]["alternate"] = [
        {"name": NAMES[code], "lang": code, "link": uri.removesuffix(".md") + ".html"}
        for code, uri in translated.items()
    ]
    return context


def find_language(uri: str) -> str:
    """Return the language of a page; what is not translated is in English."""
    return "de" if uri.startswith("guide/de/") or uri == STARTS["de"] else "en"


def translate(uri: str, language: str, pages: set[str]) -> str:
    """Return the counterpart of a page in a language.

    Where there is none it is the language's start page.
    """
    if find_language(uri) == language:
        return uri
    counterpart = uri.replace(f"guide/{find_language(uri)}/", f"guide/{language}/", 1)
    return counterpart if counterpart != uri and counterpart in pages else STARTS[language]


def _is_in(item: Any, language: str) -> bool:
    """Return whether an item of the navigation is of a language.

    It is a page, or a section by its pages.
    """
    children = getattr(item, "children", None) or []
    if children:
        return any(_is_in(child, language) for child in children)
    file = getattr(item, "file", None)
    return file is not None and find_language(file.src_uri) == language
