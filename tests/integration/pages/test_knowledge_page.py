"""The pages of Knowledge over HTTP: whose answers and documents are shown, what is said while
something is away, and what forms do without a script.
"""

import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine

from luna.contracts.answers import StoredAnswer
from luna.contracts.documents import Document
from luna.platform.database import answers, document_passages, sites
from luna.platform.database.engine import unit_of_work
from luna.platform.embedded.supervisor import Addresses
from tests.support.answers.sample_answers import AT, tell_answer
from tests.support.documents.library import Library
from tests.support.gateway.server import serve
from tests.support.pages.flat_html import flatten_html
from tests.support.pages.site_with_history import describe_furnished, forget_furnished
from tests.support.words.wording import wording

BASE = "/ui/sites/home/knowledge"
CONTRACT = (
    b"# Liefervertrag\n\n## Laufzeit\n\nDie Frist betraegt sechs Wochen.\n\n## Preise\n\nDie "
    b"kWh kostet 31 Cent.\n"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def api(
    redis_url: str, database_url: str, database: Engine, folder: Path
) -> Iterator[httpx.Client]:
    with unit_of_work(database) as connection:
        for name in ("home", "other"):
            sites.save(connection, describe_furnished(name))
    addresses = Addresses(database_url=database_url, redis_url=redis_url)
    with serve(addresses, plan_timeout=timedelta(seconds=1), data_folder=folder) as client:
        yield client
    with unit_of_work(database) as connection:
        forget_furnished(connection, "home", "other")


@pytest.fixture
def library(database: Engine, folder: Path) -> Iterator[Library]:
    there = Library(database, folder)
    there.empty()
    yield there
    there.empty()


@pytest.fixture
def contract(library: Library) -> Document:
    return library.add(
        "vertrag.md", CONTRACT, site_id="home", kind="contract", title="Liefervertrag"
    )


def keep(
    database: Engine, *stored: StoredAnswer, site_id: str = "home", asked_by: str = "local"
) -> None:
    with unit_of_work(database) as connection:
        answers.begin_conversation(
            connection, stored[0].answer.conversation_id, asked_by=asked_by, site_id=site_id, at=AT
        )
        for each in stored:
            answers.save(
                connection, each.model_copy(update={"site_id": site_id, "asked_by": asked_by})
            )


@pytest.fixture
def talk(database: Engine, contract: Document) -> Iterator[int]:
    """A conversation with a citation of the contract; yields the passage that is cited."""
    with unit_of_work(database) as connection:
        chunk_id = document_passages.list_of(connection, contract.document_id)[0].chunk_id
    cited = tell_answer("cited", document_id=contract.document_id, chunk_id=chunk_id)
    keep(database, cited, tell_answer("prices"), tell_answer("refused"))
    yield chunk_id
    forget(database)


def forget(database: Engine) -> None:
    with unit_of_work(database) as connection:
        answers.delete_conversation(connection, "talk", asked_by=None)


def read(api: httpx.Client, address: str, language: str = "en") -> str:
    answer = api.get(address, headers={"Accept-Language": language})
    assert answer.status_code == 200, answer.text
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", answer.text))).replace(
        "\u00a0", " "
    )


def test_nothing_there_yet_is_said_with_a_way_on(api: httpx.Client, library: Library) -> None:
    assert wording("knowledge", "no_documents") in read(api, BASE)
    text = read(api, f"{BASE}/documents", "de")
    assert wording("documents", "documents_none", "de") in text
    assert "Beispiele hinzufügen" in text


def test_while_nobody_answers_the_page_says_so_and_keeps_the_question(
    api: httpx.Client, library: Library
) -> None:
    assert 'id="away"' in api.get(BASE).text
    asked = api.post(
        BASE,
        data={"question": "Wie lang ist die Frist?", "conversation": ""},
        headers={"Accept-Language": "de"},
    )
    assert asked.status_code == 200
    assert wording("knowledge", "ask_away", "de") in unescape(asked.text)
    assert ">Wie lang ist die Frist?</textarea>" in asked.text
    assert wording("knowledge", "tips_away") in read(api, f"{BASE}/recommendations")


def test_a_conversation_is_shown_with_its_citations_figures_and_refusals(
    api: httpx.Client, contract: Document, talk: int
) -> None:
    page = api.get(f"{BASE}?conversation=talk").text
    assert (
        f'href="{BASE}/documents/{contract.document_id}?page=3&amp;chunk={talk}&amp;'
        'answer=cited&amp;source=1&amp;sentence=0#cited"'
    ) in page
    assert page.count('<svg class="chart answer-chart') == 2
    assert wording("knowledge", "refused") in unescape(page)
    assert 'name="conversation" value="talk"' in page


def test_an_answer_is_its_reader_s_and_its_site_s_alone(
    api: httpx.Client, database: Engine, contract: Document, talk: int
) -> None:
    assert api.get("/ui/sites/other/knowledge?conversation=talk").status_code == 404
    assert api.get("/ui/sites/other/knowledge/answers/cited").status_code == 404
    forget(database)
    keep(database, tell_answer("cited"), asked_by="somebody")
    assert api.get(f"{BASE}?conversation=talk").status_code == 404
    assert api.get(f"{BASE}/answers/cited").status_code == 404
    assert (
        api.post(f"{BASE}/answers/cited/feedback", data={"feedback": "helpful"}).status_code == 404
    )
    # What somebody else was told is marked for nobody.
    assert (
        "<mark>"
        not in api.get(
            f"{BASE}/documents/{contract.document_id}?chunk={talk}&answer=cited&source=1"
        ).text
    )


def test_feedback_is_kept_with_and_without_a_script(
    api: httpx.Client, database: Engine, talk: int
) -> None:
    noted = api.post(f"{BASE}/answers/cited/feedback", data={"feedback": "helpful"})
    assert noted.headers["Location"] == f"{BASE}?conversation=talk#answer-cited"
    part = api.post(
        f"{BASE}/answers/cited/feedback",
        data={"feedback": "unhelpful"},
        headers={"HX-Request": "true"},
    ).text
    assert wording("knowledge", "feedback_unhelpful") in unescape(part)
    assert "<html" not in part
    with unit_of_work(database) as connection:
        assert answers.load(connection, "cited", asked_by="local").feedback == "unhelpful"


def test_a_cited_passage_is_shown_in_its_document_with_its_words_marked(
    api: httpx.Client, database: Engine, contract: Document, talk: int
) -> None:
    page = api.get(
        f"{BASE}/documents/{contract.document_id}?chunk={talk}&answer=cited&source=1"
    ).text
    assert 'id="cited"' in page
    assert wording("documents", "back_to_question") in unescape(page)
    assert page.index("Laufzeit") < page.index('id="cited"') < page.index("Preise")


def test_a_passage_that_is_gone_is_said_to_be_gone(api: httpx.Client, contract: Document) -> None:
    text = read(api, f"{BASE}/documents/{contract.document_id}?chunk=999999999", "de")
    assert wording("documents", "passage_gone", "de") in text
    assert "Die kWh kostet 31 Cent." in text


def test_a_document_of_another_site_is_not_there(api: httpx.Client, library: Library) -> None:
    foreign = library.add("fremd.md", b"# Fremd\n\nDas geht hier niemanden an.\n", site_id="other")
    shared = library.add("alle.md", b"# Alle\n\nDas ist fuer alle da.\n")
    text = read(api, f"{BASE}/documents")
    assert "alle.md" in text
    assert "fremd.md" not in text
    assert api.get(f"{BASE}/documents/{foreign.document_id}").status_code == 404
    assert api.post(f"{BASE}/documents/{foreign.document_id}/remove").status_code == 404
    assert api.get(f"{BASE}/documents/{shared.document_id}").status_code == 200


def test_of_several_versions_the_newest_is_listed_and_leads_to_the_others(
    api: httpx.Client, library: Library
) -> None:
    old = library.add("tarif.md", b"# Tarif\n\nAlt.\n", site_id="home")
    new = library.add("tarif.md", b"# Tarif\n\nNeu und laenger.\n", site_id="home")
    page = api.get(f"{BASE}/documents").text
    assert f"/documents/{new.document_id}" in page
    assert f"/documents/{old.document_id}" not in page
    assert f"/documents/{old.document_id}" in api.get(f"{BASE}/documents/{new.document_id}").text
    assert "Older version" in read(api, f"{BASE}/documents/{old.document_id}")


def test_a_long_document_is_read_page_by_page(api: httpx.Client, library: Library) -> None:
    text = "\n\n".join(
        f"## Kapitel {number}\n\nIm Kapitel {number} steht wenig." for number in range(90)
    )
    document = library.add("lang.md", text.encode(), site_id="home")
    address = f"{BASE}/documents/{document.document_id}"
    assert "Im Kapitel 39 steht wenig." in read(api, address)
    assert "Im Kapitel 40 steht wenig." not in read(api, address)
    following = re.search(r'href="([^"]*\?begin=\d+)"', api.get(address).text)
    assert following is not None
    assert "Im Kapitel 40 steht wenig." in read(api, following[1])


def test_a_file_of_a_form_is_taken_in_and_its_way_is_shown(
    api: httpx.Client, library: Library
) -> None:
    sent = api.post(
        f"{BASE}/documents",
        data={"kind": "manual", "site_id": "home"},
        files=[("file", ("box.md", b"# Box\n\nText.\n"))],
    )
    assert sent.status_code == 303, sent.text
    page = api.get(sent.headers["Location"]).text
    assert wording("documents", "state_stored") in unescape(page)
    assert 'value="1" max="5"' in flatten_html(page)
    part = api.get(f"{BASE}/documents/list").text
    assert 'hx-trigger="every 2s"' in part
    assert "<html" not in part


@pytest.mark.parametrize(
    "address", ["file:///etc/passwd", "javascript:alert(1)", "example.org", ""]
)
def test_an_address_that_is_none_is_refused_in_the_reader_s_words(
    api: httpx.Client, library: Library, address: str
) -> None:
    refused = api.post(
        f"{BASE}/documents/fetch",
        data={"url": address, "site_id": "home"},
        headers={"Accept-Language": "de"},
    )
    assert refused.status_code == 422
    assert wording("documents", "fetch_malformed", "de") in unescape(refused.text)


def test_an_address_that_leads_inside_is_refused_in_the_reader_s_words(
    api: httpx.Client, library: Library
) -> None:
    refused = api.post(
        f"{BASE}/documents/fetch",
        data={"url": "http://127.0.0.1/tarif", "site_id": "home"},
        headers={"Accept-Language": "de"},
    )
    assert refused.status_code == 422
    for part in ("sentence", "remedy"):
        assert wording("refusals", f"{part}_address-inward", "de") in unescape(refused.text)


def test_a_page_to_fetch_becomes_a_job_that_the_list_waits_for(
    api: httpx.Client, library: Library
) -> None:
    asked = api.post(
        f"{BASE}/documents/fetch",
        data={"url": "https://example.org/tarif", "kind": "tariff", "site_id": "home"},
    )
    assert asked.status_code == 303
    assert wording("documents", "added_done") in read(api, asked.headers["Location"])


def test_how_long_a_document_holds_is_shown_and_corrected(
    api: httpx.Client, library: Library, contract: Document
) -> None:
    address = f"{BASE}/documents/{contract.document_id}"
    saved = api.post(
        f"{address}/validity", data={"valid_from": "2025-01-01", "valid_until": "2025-12-31"}
    )
    assert (saved.status_code, saved.headers["Location"]) == (303, address)
    assert "from 1 Jan 2025 to 31 Dec 2025" in read(api, f"{BASE}/documents")
    assert "vom 1. Jan. 2025 bis 31. Dez. 2025" in read(api, address, "de")
    refused = api.post(
        f"{address}/validity", data={"valid_from": "2026-01-01", "valid_until": "2025-12-31"}
    )
    assert refused.status_code == 422
    assert wording("documents", "validity_malformed") in unescape(refused.text)


def test_a_document_is_removed_with_all_that_is_of_it(
    api: httpx.Client, library: Library, contract: Document
) -> None:
    address = f"{BASE}/documents/{contract.document_id}"
    # Where there are several sites, too, the forms are the document's own.
    assert re.findall(r'action="([^"]*/(?:validity|remove))"', api.get(address).text) == [
        f"{address}/validity",
        f"{address}/remove",
    ]
    gone = api.post(f"{address}/remove")
    assert gone.headers["Location"] == f"{BASE}/documents?removed=true"
    assert wording("documents", "removed") in read(api, gone.headers["Location"])
    assert library.rows("documents") == []


def test_admins_see_what_everybody_asked_and_what_each_answer_was_made_from(
    api: httpx.Client, database: Engine
) -> None:
    told = tell_answer("cited")
    keep(
        database,
        told.model_copy(update={"prompt": "system: <b>be honest</b>", "chunk_ids": [7, 9]}),
        asked_by="somebody",
    )
    page = api.get("/ui/admin/answers", headers={"Accept-Language": "de"}).text
    forget(database)
    assert "Welche Kündigungsfrist gilt?" in page
    assert "system: &lt;b&gt;be honest&lt;/b&gt;" in page
    assert "7, 9" in page
