"""A fault of Luna's own shows the number under which the log holds its reason: as a page, as a part
of one, and within one that stands all the same.
"""

from datetime import UTC, datetime
from html import unescape
from typing import Any

import pytest
from starlette.requests import Request
from starlette.routing import Route
from starlette.testclient import TestClient

from luna.contracts.job import Job
from luna.energy.errors import LunaError
from luna.energy.refusals import refuse
from luna.platform.embedded.supervisor import Addresses
from luna.platform.settings import Settings
from luna.platform.telemetry import log_context
from luna.words import Language
from services.api.app import create_app
from services.api.pages.layout import Page, show_part
from tests.support.suite.tables import each_row
from tests.support.words.wording import wording

NUMBER = "0123456789abcdef0123456789abcdef"
AT = datetime(2024, 2, 1, tzinfo=UTC)


async def fail(_: Request) -> None:
    raise RuntimeError("of the inside")


@pytest.fixture(scope="module")
def client() -> TestClient:
    """A client of a gateway of which one page and one route fail."""
    app = create_app(
        Settings(), Addresses(database_url="postgresql://nowhere", redis_url="redis://nowhere")
    )
    app.router.routes[:0] = [Route("/ui/broken", fail), Route("/v1/broken", fail)]
    return TestClient(app, raise_server_exceptions=False)


def say_number(language: Language = "en") -> str:
    return wording("every_page", "error_report", language, trace_id=NUMBER)


@each_row(("headers", "is_part"), [({}, False), ({"HX-Request": "true"}, True)])
def test_a_page_that_fails_shows_the_number_of_its_request(
    client: TestClient, headers: dict[str, str], is_part: bool
) -> None:
    answer = client.get(
        "/ui/broken", headers={"X-Trace-Id": NUMBER, "Accept-Language": "de"} | headers
    )
    assert answer.status_code == 500
    assert answer.headers["X-Trace-Id"] == NUMBER
    assert "Content-Security-Policy" in answer.headers
    assert say_number("de") in unescape(answer.text)
    assert ("<html" in answer.text) is not is_part
    assert "of the inside" not in answer.text


def test_a_route_that_fails_names_the_number_of_its_request(client: TestClient) -> None:
    answer = client.get("/v1/broken", headers={"X-Trace-Id": NUMBER})
    assert (answer.status_code, answer.json()["trace_id"], answer.headers["X-Request-Id"]) == (
        500,
        NUMBER,
        NUMBER,
    )


def draw(template: str, **context: Any) -> str:
    """Return a part of a page as an English reader sees it."""
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/ui",
        "query_string": b"",
        "headers": [(b"accept-language", b"en")],
        "state": {},
    }
    with log_context(trace_id=NUMBER):
        return unescape(
            bytes(
                show_part(Request(scope), Page("planning", ""), template, **context).body
            ).decode()
        )


def test_a_fault_within_a_page_shows_the_number_and_a_refusal_does_not() -> None:
    parts = {"trial": None, "cost_words": ""}
    assert say_number() in draw(
        "planning_cost.html.j2", refusal=LunaError("of the inside"), **parts
    )
    assert NUMBER not in draw(
        "planning_cost.html.j2",
        refusal=refuse("no-plan-to-compare", field="plan", value="home"),
        **parts,
    )


def test_a_job_that_failed_shows_the_number_of_the_job() -> None:
    error = refuse("task-failed", field="task", value="planner.plan").problem()
    job = Job(
        job_id="1",
        task="planner.plan",
        key="1",
        status="failed",
        attempts=1,
        submitted_at=AT,
        finished_at=AT,
        error=error,
        request={},
        trace_id="f" * 32,
    )
    assert wording("every_page", "error_report", trace_id="f" * 32) in draw(
        "job_part.html.j2", job=job, progress=None
    )
