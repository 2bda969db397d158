"""The guide's pictures, drawn as they are for the pages of the guide."""

import re
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser

from docs.screenshots import DESKTOP, IMAGES, Picture, draw, list_pictures
from tests.support.pages.demo_home import DemoHome

GUIDE = IMAGES.parent / "guide"
MEASURED_ELSEWHERE = {"report", "forecast"}


def shown(language: str) -> set[str]:
    return {
        name
        for page in (GUIDE / language).glob("*.md")
        for name in re.findall(r"images/([\w-]+)\.png", page.read_text(encoding="utf-8"))
    }


@pytest.mark.parametrize("language", ["en", "de"])
def test_every_picture_of_the_guide_is_drawn_in_the_language_of_its_readers(language: str) -> None:
    drawn = {
        picture.name
        for picture in list_pictures("home")
        if str(picture.looks["locale"]).startswith(language)
    }
    assert shown(language) - MEASURED_ELSEWHERE <= drawn
    assert all((IMAGES / f"{name}.png").is_file() for name in shown(language))


@pytest.mark.parametrize("locale", ["en-GB", "de-DE"])
def test_a_page_is_drawn_whole(
    demo_home: DemoHome, demo_gateway: httpx.Client, browser: Browser, tmp_path: Path, locale: str
) -> None:
    picture = Picture(
        "page", f"/ui/sites/{demo_home.site.name}/planning", DESKTOP | {"locale": locale}
    )
    content = draw(browser, demo_gateway, picture, tmp_path).read_bytes()

    assert content.startswith(b"\x89PNG")
    width, height = (int.from_bytes(content[place : place + 4], "big") for place in (16, 20))
    assert (width, height >= 1000) == (1440, True)
