"""The website shows one language at a time, and starts with pictures."""

import re
from types import SimpleNamespace
from typing import Any

import pytest

from docs.site_links import STARTS, find_language, on_page_context, translate
from tests.support.documentation.pages import ROOT

EVERY = {*STARTS.values(), "guide/en/plan.md", "guide/de/plan.md", "api.md"}


def build_page(uri: str) -> Any:
    return SimpleNamespace(file=SimpleNamespace(src_uri=uri), children=None)


def build_nav() -> Any:
    pages = [build_page(uri) for uri in sorted(EVERY)]
    sections = [SimpleNamespace(title=uri, children=[build_page(uri)]) for uri in sorted(EVERY)]
    return SimpleNamespace(items=sections, pages=pages)


@pytest.mark.parametrize("uri", sorted(EVERY))
def test_a_page_shows_the_navigation_of_its_own_language(uri: str) -> None:
    config: dict[str, Any] = {"extra": {}, "theme": {}}
    shown = on_page_context({}, page=build_page(uri), config=config, nav=build_nav())["nav"]
    assert {find_language(section.title) for section in shown.items} == {find_language(uri)}
    assert config["theme"]["language"] == find_language(uri)
    assert [each["lang"] for each in config["extra"]["alternate"]] == ["en", "de"]


def test_a_page_leads_to_its_counterpart_or_to_the_start() -> None:
    assert translate("guide/de/plan.md", "en", EVERY) == "guide/en/plan.md"
    assert translate("api.md", "de", EVERY) == "index.de.md"
    assert translate("index.de.md", "en", EVERY) == "index.md"


@pytest.mark.parametrize("language", list(STARTS))
def test_a_start_page_has_pictures_and_leads_to_its_own_guide(language: str) -> None:
    text = (ROOT / "docs" / STARTS[language]).read_text(encoding="utf-8")
    pictures = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", text)
    assert len(pictures) >= 4
    assert [picture for picture in pictures if not (ROOT / "docs" / picture).is_file()] == []
    assert set(re.findall(r"guide/(en|de)/", text)) == {language}
