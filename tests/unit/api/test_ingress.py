"""Behind Home Assistant's ingress: who is let in, and links that keep the path before them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from services.api.ingress import SUPERVISOR, BehindIngress
from tests.tables import each_row

PREFIX = "/api/hassio_ingress/a1-B2_c3"
PAGE = """<a href="/ui/home?a=1">x</a><a href='/docs'>y</a><form action="/ui/preferences"></form><script src="/static/page.js"></script>
<div hx-get="/ui/jobs/1" data-address="/v1/plans"></div><a href="//other.example/">z</a><a href="https://other.example/">z</a><a href="#here">z</a>
<a href="?until=1">z</a><p>href="/untouched" stands in a text</p>"""


def client(peer: str = SUPERVISOR) -> TestClient:
    async def page(_: Request) -> Response:
        return HTMLResponse(PAGE)

    async def move(request: Request) -> Response:
        return RedirectResponse(request.query_params["to"], 303)

    async def data(_: Request) -> Response:
        return JSONResponse({"text": '<a href="/ui/home">'})

    app = Starlette(routes=[Route("/", page), Route("/move", move), Route("/data", data)])
    return TestClient(BehindIngress(app), client=(peer, 5), follow_redirects=False)


@pytest.mark.parametrize("peer", [SUPERVISOR, "127.0.0.1", "::1"])
def test_ingress_and_this_machine_are_let_in(peer: str) -> None:
    assert client(peer).get("/").status_code == 200


@each_row("peer", ["172.30.32.3", "192.168.1.5", "testclient", ""])
def test_nobody_else_is_whatever_they_say(peer: str) -> None:
    assert client(peer).get("/", headers={"X-Ingress-Path": PREFIX, "X-Forwarded-For": SUPERVISOR}).status_code == 403


def test_links_of_a_page_stand_behind_the_path_and_those_of_others_do_not() -> None:
    answer = client().get("/", headers={"X-Ingress-Path": f"{PREFIX}/"})
    for link in ('href="/ui/home?a=1"', "href='/docs'", 'action="/ui/preferences"', 'src="/static/page.js"', 'hx-get="/ui/jobs/1"', 'data-address="/v1/plans"'):
        name, _, address = link.partition("=")
        assert f"{name}={address[0]}{PREFIX}{address[1:]}" in answer.text
    for link in ('href="//other.example/"', 'href="https://other.example/"', 'href="#here"', 'href="?until=1"'):
        assert link in answer.text
    assert int(answer.headers["content-length"]) == len(answer.content)


def test_without_a_path_before_it_and_where_it_is_no_page_nothing_is_changed() -> None:
    assert client().get("/").text == PAGE
    assert client().get("/data", headers={"X-Ingress-Path": PREFIX}).json() == {"text": '<a href="/ui/home">'}


@each_row(
    ("to", "expected"),
    [("/ui/home", f"{PREFIX}/ui/home"), (f"{PREFIX}/ui/home", f"{PREFIX}/ui/home"), ("//other/", "//other/"), ("https://other/", "https://other/")],
)
def test_a_redirection_stands_behind_the_path_once(to: str, expected: str) -> None:
    assert client().get("/move", params={"to": to}, headers={"X-Ingress-Path": PREFIX}).headers["location"] == expected


@given(st.text(alphabet="/<>\"' abc\\.;:-", max_size=40).filter(lambda text: text.isascii()))
def test_no_header_brings_anything_into_a_page(said: str) -> None:
    text = client().get("/", headers={"X-Ingress-Path": said.strip()}).text
    assert text.count("<") == PAGE.count("<")
    assert text.count('"') == PAGE.count('"')
