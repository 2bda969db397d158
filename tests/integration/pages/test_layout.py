"""The frame of every page: language, appearance, files, errors in words."""

import re
from collections.abc import Iterator
from html import unescape

import httpx
import pytest
from sqlalchemy import Engine

from luna.platform.embedded.supervisor import Addresses
from tests.support.database.site import stored_site
from tests.support.gateway.server import serve
from tests.support.words.wording import wording

HOME = "/ui/sites/paged/home"


@pytest.fixture(scope="module")
def api(redis_url: str, database_url: str, database: Engine) -> Iterator[httpx.Client]:
    with (
        stored_site(database, name="paged"),
        serve(Addresses(database_url=database_url, redis_url=redis_url)) as client,
    ):
        yield client


def test_a_page_speaks_the_browser_s_language_until_its_reader_chooses_another(
    api: httpx.Client,
) -> None:
    assert (
        '<html lang="de">'
        in api.get(HOME, headers={"Accept-Language": "de-AT,de;q=0.9,en;q=0.8"}).text
    )
    assert '<html lang="en">' in api.get(HOME, headers={"Accept-Language": "fr,en;q=0.5"}).text
    chosen = api.post(
        "/ui/preferences", data={"language": "de"}, headers={"Referer": f"{api.base_url}{HOME}"}
    )
    assert (chosen.status_code, chosen.headers["Location"]) == (303, HOME)
    assert '<html lang="de">' in api.get(HOME, headers={"Accept-Language": "en"}).text
    api.cookies.clear()


def test_the_way_back_leads_to_no_other_house(api: httpx.Client) -> None:
    for elsewhere in (
        "https://elsewhere.example/",
        f"{api.base_url}.elsewhere.example/",
        "//elsewhere.example",
    ):
        answer = api.post("/ui/preferences", data={"theme": "dark"}, headers={"Referer": elsewhere})
        assert answer.headers["Location"] == "/", elsewhere
    api.cookies.clear()


def test_appearance_follows_the_system_until_its_reader_chooses(api: httpx.Client) -> None:
    assert "data-theme" not in api.get(HOME).text
    api.post("/ui/preferences", data={"theme": "dark"})
    assert 'data-theme="dark"' in api.get(HOME).text
    api.cookies.clear()


def test_every_file_that_a_page_names_is_there_for_ever_and_compressed(api: httpx.Client) -> None:
    # Pictures in PNG are compressed as they are.
    named = re.findall(r'(?:src|href)="(/static/[^"]+\.(?:js|css|svg))"', api.get(HOME).text)
    assert named
    for address in named:
        answer = api.get(address, headers={"Accept-Encoding": "gzip"})
        assert (answer.status_code, answer.headers["Content-Encoding"]) == (200, "gzip"), address
        assert "immutable" in answer.headers["Cache-Control"]


def test_a_site_that_is_not_there_is_said_so_in_the_page_s_frame_and_in_a_part_alone(
    api: httpx.Client,
) -> None:
    page = api.get("/ui/sites/nowhere/home")
    part = api.get("/ui/sites/nowhere/home", headers={"HX-Request": "true"})
    assert (page.status_code, part.status_code) == (404, 404)
    assert "<html" in page.text
    assert "<html" not in part.text
    assert all(
        wording("refusals", "sentence_no-such-site") in unescape(answer.text)
        for answer in (page, part)
    )


def test_a_page_that_is_not_there_is_said_so_on_a_page_in_the_reader_s_language(
    api: httpx.Client,
) -> None:
    # The second takes a form alone.
    for path in ("/ui/nothing", f"{HOME}/override", "/ui/sites/paged/nothing"):
        page = api.get(path, headers={"Accept-Language": "de"})
        assert (page.status_code, page.headers["Content-Type"]) == (
            404,
            "text/html; charset=utf-8",
        ), path
        assert '<html lang="de">' in page.text
        assert wording("refusals", "sentence_no-such-page", "de") in unescape(page.text)
        assert f'<a href="/">{wording("every_page", "error_home", "de")}</a>' in page.text
    part = api.get("/ui/nothing", headers={"HX-Request": "true", "Accept-Language": "en"})
    assert wording("refusals", "sentence_no-such-page") in unescape(part.text)
    assert "<html" not in part.text
    # Programs are told as ever.
    assert api.get("/v1/nothing").headers["Content-Type"] == "application/problem+json"


def read_switcher(text: str) -> dict[str, str]:
    """What the head offers, by its words, with where it leads."""
    head = text[text.index('<header class="top">') : text.index("</header>")]
    part = re.search(r'<(details|div) class="sites">.*?</\1>', head, re.DOTALL)
    assert part is not None
    found = re.findall(r'<a\s([^>]*)href="([^"]+)"([^>]*)>([^<]*)</a>', part[0])
    labels = [re.search(r'aria-label="([^"]+)"', before + after) for before, _, after, _ in found]
    return {
        (label[1] if label else words): address
        for label, (_, address, _, words) in zip(labels, found, strict=True)
    }


def test_the_head_of_every_page_leads_to_the_same_page_of_another_site_and_to_a_new_one(
    api: httpx.Client, database: Engine
) -> None:
    german = {"Accept-Language": "de"}
    with stored_site(database, name="a second"):
        for page in (
            "home",
            "planning",
            "energy",
            "savings",
            "agent",
            "forecasts",
            "what-ifs",
            "knowledge",
            "data",
        ):
            offered = read_switcher(api.get(f"/ui/sites/paged/{page}", headers=german).text)
            assert offered["a second"] == f"/ui/sites/a%20second/{page}"
            assert (offered["paged"], offered["Standort hinzufügen"]) == (
                f"/ui/sites/paged/{page}",
                "/ui/setup",
            )
        # Of pages that are of no site it leads home, also where something went wrong.
        for path in (
            "/ui/admin/status",
            "/ui/keys",
            "/ui/edge",
            "/ui/setup",
            "/ui/sites/nowhere/home",
        ):
            assert (
                read_switcher(api.get(path, headers=german).text)["a second"]
                == "/ui/sites/a%20second/home"
            )
    assert "a second" not in api.get(HOME).text


def test_no_page_holds_a_script_or_a_style_of_its_own(api: httpx.Client) -> None:
    text = api.get(HOME).text
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", text)


def test_an_app_is_described_with_relative_addresses_and_icons_that_are_there(
    api: httpx.Client,
) -> None:
    answer = api.get("/manifest.webmanifest")
    described = answer.json()
    assert answer.headers["Content-Type"] == "application/manifest+json"
    # Below ingress the gateway is not at the root.
    assert not any(described[name].startswith("/") for name in ("start_url", "scope", "id"))
    for icon in described["icons"]:
        image = api.get(f"/{icon['src']}")
        size = int.from_bytes(image.content[16:20])
        assert (image.headers["Content-Type"], f"{size}x{size}") == (icon["type"], icon["sizes"])
    assert {icon["purpose"] for icon in described["icons"]} == {"any", "maskable"}


def test_the_worker_is_asked_for_anew_and_pages_of_a_site_tell_whose_they_are(
    api: httpx.Client,
) -> None:
    worker = api.get("/service-worker.js")
    assert worker.headers["Content-Type"].startswith("text/javascript")
    assert worker.headers["Cache-Control"] == "no-cache"
    assert api.get(HOME).headers["X-Luna-Account"]
    assert "X-Luna-Account" not in api.get("/ui/login").headers


def test_browsers_find_an_icon_and_every_page_names_it(api: httpx.Client) -> None:
    icon = api.get("/favicon.ico")
    assert (icon.status_code, icon.headers["Content-Type"], icon.content[:8]) == (
        200,
        "image/png",
        b"\x89PNG\r\n\x1a\n",
    )
    assert 'href="/favicon.ico"' in api.get(HOME).text
