"""Knowledge in a real browser: a file is handed over, becomes searchable, answers a question, and
the answer's number opens the passage.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis
from playwright.sync_api import Page, expect
from sqlalchemy import Engine, text

from luna.contracts.recommendations import RefreshRecommendationsRequest
from luna.platform.database import answers
from luna.platform.database.engine import unit_of_work
from luna.platform.embedded.supervisor import Addresses
from luna.platform.settings import load_settings
from services.rag.recommending.stock import refresh
from tests.support.answers.sample_answers import tell_answer
from tests.support.browser.page import (
    PHONE,
    Open,
    find_barriers,
    find_barriers_in_all_forms,
    open_disclosures,
)
from tests.support.gateway.server import serve
from tests.support.pages.site_with_history import describe_furnished, forget_furnished, furnish
from tests.support.words.wording import wording
from tests.support.worker.workers import wait_for, worker_process

BASE = "/ui/sites/home/knowledge"
CONTRACT = """# Liefervertrag Sonnwend

## Laufzeit und Kündigung

Der Vertrag läuft zwölf Monate. Die Kündigungsfrist beträgt sechs Wochen zum Ende der Laufzeit.

## Preise

Der Arbeitspreis beträgt 31,4 Cent je Kilowattstunde.
"""
HOSTILE = """# Hinweise <img src=x onerror="document.title='taken'">

<script>document.title = 'taken'</script> Die Wallbox wird jährlich geprüft. ![Bild](https://evil.example/pixel.png)
"""


@pytest.fixture(scope="module")
def data_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LUNA_DATA_FOLDER", str(folder))
        patch.setenv("LUNA_EMBEDDING_DOWNLOAD", "false")
        load_settings.cache_clear()
        yield folder
    load_settings.cache_clear()


@pytest.fixture(scope="module")
def knowing(database: Engine, addresses: Addresses, data_folder: Path) -> Iterator[httpx.Client]:
    with unit_of_work(database) as connection:
        furnish(connection, describe_furnished(), last=date(2026, 10, 23))
    worker = worker_process(addresses.redis_url, addresses.database_url, "services.rag.tasks")
    with worker, serve(addresses, data_folder=data_folder) as client:
        wait_for(lambda: 'id="away"' not in client.get(BASE).text)
        yield client
    with unit_of_work(database) as connection:
        connection.execute(text("DELETE FROM documents; DELETE FROM vector_removals"))
        forget_furnished(connection, "home")
    with redis.Redis.from_url(addresses.redis_url) as queue:
        queue.flushdb()


@pytest.fixture(scope="module")
def contract(knowing: httpx.Client) -> str:
    """The id of a searchable contract."""
    return hand_over(knowing, "vertrag.md", CONTRACT)


@pytest.fixture(scope="module")
def charted(knowing: httpx.Client, contract: str, database: Engine) -> str:
    """The address of a conversation that was answered with a chart and with a refusal."""
    with unit_of_work(database) as connection:
        answers.begin_conversation(
            connection,
            "talk",
            asked_by="local",
            site_id="home",
            at=datetime(2026, 10, 24, 16, tzinfo=UTC),
        )
        for name in ("prices", "refused"):
            answers.save(connection, tell_answer(name, document_id=contract))
    return f"{BASE}?conversation=talk"


def hand_over(api: httpx.Client, name: str, content: str) -> str:
    reply = api.post(
        "/v1/documents",
        data={"kind": "contract", "site_id": "home"},
        files=[("file", (name, content.encode()))],
    )
    document_id: str = reply.json()["documents"][0]["document_id"]
    wait_for(
        lambda: api.get(f"/v1/documents/{document_id}").json()["state"] in {"searchable", "failed"}
    )
    assert api.get(f"/v1/documents/{document_id}").json()["state"] == "searchable"
    return document_id


def ask(page: Page, question: str) -> None:
    page.fill("#question", question)
    page.press("#question", "Enter")


def test_axe_finds_nothing_and_nothing_scrolls_sideways(
    open_page: Open, knowing: httpx.Client, contract: str, charted: str
) -> None:
    paths = (BASE, charted, f"{BASE}/documents", f"{BASE}/documents/{contract}")
    assert (
        find_barriers_in_all_forms(open_page, *paths, gateway=knowing, ready=open_disclosures) == []
    )


def test_an_answer_is_told_and_its_number_opens_the_passage_with_its_words_marked(
    open_page: Open, knowing: httpx.Client, contract: str
) -> None:
    page = open_page(BASE, gateway=knowing)
    ask(page, "Welche Kündigungsfrist hat der Vertrag?")
    told = page.locator("article[id^=answer-] .told")
    expect(told).to_contain_text("sechs Wochen")
    told.locator("a.mark").last.click()
    expect(page.locator("#cited mark")).to_contain_text("sechs Wochen")
    expect(page.locator("#cited")).to_be_focused()
    page.click(f"text={wording('documents', 'back_to_question')}")
    expect(page.locator("article[id^=answer-]")).to_contain_text("Welche Kündigungsfrist")


def test_asking_on_keeps_the_conversation_and_a_new_question_begins_anew(
    open_page: Open, knowing: httpx.Client, contract: str
) -> None:
    page = open_page(BASE, gateway=knowing, **PHONE, locale="de-DE")
    ask(page, "Welche Kündigungsfrist hat der Vertrag?")
    expect(page.locator("article[id^=answer-]")).to_have_count(1)
    ask(page, "Und welchen Arbeitspreis hat der Vertrag?")
    expect(page.locator("article[id^=answer-]")).to_have_count(2)
    page.reload()
    expect(page.locator("article[id^=answer-]")).to_have_count(2)
    page.click("text=Neue Frage")
    expect(page.locator("article[id^=answer-]")).to_have_count(0)


def test_what_is_not_in_the_documents_is_said_with_the_nearest_passages(
    open_page: Open, knowing: httpx.Client, charted: str
) -> None:
    page = open_page(charted, gateway=knowing)
    refused = page.locator("#answer-refused")
    expect(refused).to_contain_text(wording("knowledge", "refused"))
    expect(refused.locator(".sources")).to_contain_text(wording("knowledge", "nearest"))


def test_feedback_is_noted_in_its_place(
    open_page: Open, knowing: httpx.Client, charted: str
) -> None:
    page = open_page(charted, gateway=knowing)
    page.locator("#answer-prices .feedback button").first.click()
    expect(page.locator("#answer-prices .feedback")).to_contain_text(
        wording("knowledge", "feedback_helpful")
    )
    page.reload()
    expect(page.locator("#answer-prices .feedback button[aria-pressed=true]")).to_have_text("Yes")


def test_figures_come_with_their_chart_and_where_they_come_from(
    open_page: Open, knowing: httpx.Client, charted: str
) -> None:
    page = open_page(charted, gateway=knowing, **PHONE, locale="de-DE")
    answer = page.locator("#answer-prices")
    expect(answer.locator("svg.answer-chart.narrow")).to_be_visible()
    expect(answer.locator("svg.answer-chart.wide")).to_be_hidden()
    answer.locator("summary", has_text=wording("knowledge", "origin", "de")).click()
    expect(answer.locator("dl.origin")).to_contain_text("series import_price of site home")


def test_a_file_becomes_searchable_before_its_reader_s_eyes(
    open_page: Open, knowing: httpx.Client
) -> None:
    page = open_page(f"{BASE}/documents", gateway=knowing)
    files: Any = [
        {
            "name": name,
            "mimeType": "text/markdown",
            "buffer": b"# Wallbox\n\nDie Wallbox laedt mit 11 kW.\n",
        }
        for name in ("box.md", "kiste.md")
    ]
    page.set_input_files("#upload input[type=file]", files)
    page.click("#upload button")
    expect(page.locator(".document.searchable", has_text="box.md")).to_be_visible(timeout=60_000)
    expect(page.locator(".document.searchable", has_text="kiste.md")).to_be_visible(timeout=60_000)


def test_a_file_that_nobody_can_read_says_why_in_the_reader_s_language(
    open_page: Open, knowing: httpx.Client
) -> None:
    page = open_page(f"{BASE}/documents", gateway=knowing, locale="de-DE")
    page.set_input_files(
        "#upload input[type=file]",
        {
            "name": "bild.pdf",
            "mimeType": "application/pdf",
            "buffer": b"%PDF-1.7\nnothing of the kind",
        },
    )
    page.click("#upload button")
    damaged = wording("documents", "fault_damaged", "de")
    expect(page.locator(".document.failed", has_text="bild.pdf")).to_contain_text(
        damaged, timeout=60_000
    )


def test_a_document_is_removed_after_a_second_yes(open_page: Open, knowing: httpx.Client) -> None:
    document_id = hand_over(knowing, "weg.md", "# Weg\n\nDieses Blatt wird bald entfernt.\n")
    page = open_page(f"{BASE}/documents/{document_id}", gateway=knowing)
    expect(page.locator("button.danger")).to_be_hidden()
    page.click("#remove summary")
    page.click("button.danger")
    expect(page.locator("main")).to_contain_text(wording("documents", "removed"))
    assert knowing.get(f"/v1/documents/{document_id}").status_code == 404


def test_what_a_hostile_document_says_is_shown_as_text(
    open_page: Open, knowing: httpx.Client
) -> None:
    document_id = hand_over(knowing, "hinweise.txt", HOSTILE)
    page = open_page(f"{BASE}/documents/{document_id}", gateway=knowing)
    expect(page.locator(".text")).to_contain_text("<script>document.title = 'taken'</script>")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{str(knowing.base_url).rstrip('/')}{BASE}")
    ask(page, "Wie oft wird die Wallbox geprüft?")
    expect(page.locator("article[id^=answer-]")).to_be_visible()
    assert "taken" not in page.title()
    assert page.locator("main img").count() == 0
    assert not [url for url in asked if "evil" in url]


def test_an_answer_that_is_no_longer_wanted_is_stopped(
    open_page: Open, knowing: httpx.Client, contract: str
) -> None:
    page = open_page(BASE, gateway=knowing)
    # The answer never comes: what was asked is held back until it is given up.
    page.route("**/v1/answers", lambda _route: None)
    ask(page, "Welche Kündigungsfrist hat der Vertrag?")
    page.click("text=Stop")
    expect(page.locator(".turn")).to_contain_text(wording("knowledge", "stopped"))
    expect(page.locator("#question")).to_have_value("Welche Kündigungsfrist hat der Vertrag?")


def test_without_a_script_a_question_is_answered_all_the_same(
    open_page: Open, knowing: httpx.Client, contract: str
) -> None:
    page = open_page(BASE, gateway=knowing, java_script_enabled=False)
    page.fill("#question", "Welche Kündigungsfrist hat der Vertrag?")
    page.click("#ask button.primary")
    expect(page.locator("article[id^=answer-] .told")).to_contain_text("sechs Wochen")


def test_what_is_recommended_is_shown_opened_and_decided(
    open_page: Open, knowing: httpx.Client, contract: str, database: Engine
) -> None:
    def told() -> set[str]:
        with unit_of_work(database) as connection:
            return set(connection.scalars(text("SELECT action FROM events")))

    refresh(
        database,
        RefreshRecommendationsRequest(),
        embedder=None,
        now=datetime(2026, 10, 24, 16, tzinfo=UTC),
    )
    page = open_page(BASE, gateway=knowing, **PHONE)
    tip = page.locator(".tip").first
    tip.scroll_into_view_if_needed()
    wait_for(lambda: "shown" in told())
    assert find_barriers(page) == []
    title = tip.locator(".tip-title").text_content() or ""
    tip.locator("[data-open]").first.click()
    wait_for(lambda: "opened" in told())
    # The tip stays for the day.
    page = open_page(BASE, gateway=knowing, **PHONE)
    page.get_by_role("button", name=f"Useful: {title}").click()
    expect(page.locator("#tips")).to_contain_text(
        wording("knowledge", "tip_noted_useful", title=title)
    )
    wait_for(lambda: "useful" in told())
    page = open_page(BASE, gateway=knowing, **PHONE)
    expect(page.locator("#tips")).to_contain_text(wording("knowledge", "tips_none"))
