"""Documents over HTTP: handed over, made searchable by a worker that gets killed, read, deleted,
and never somebody else's.
"""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis
from sqlalchemy import Engine

from luna.contracts.documents import FetchDocumentRequest
from luna.contracts.identity import Role
from luna.platform.database import jobs
from luna.platform.database.engine import unit_of_work
from luna.platform.embedded.supervisor import Addresses, Servers
from luna.platform.queue import Client
from luna.platform.queue.jobs import submit_job
from luna.platform.settings import load_settings
from services.api.uploads import MAX_FILES
from tests.support.command_line.call import Luna
from tests.support.documents.library import TARIFF, Library
from tests.support.gateway.people import FOREIGN, OWN, Gate, gate_with_people
from tests.support.gateway.server import serve
from tests.support.worker.workers import kill, wait_for, worker_process

# A worker that is killed is missed after five of them.
BEAT_SECONDS = 0.5
OTHER = b"# Price list\n\nThe price per kilowatt hour is thirty cents.\n"


@pytest.fixture(scope="module")
def data_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LUNA_DATA_FOLDER", str(folder))
        patch.setenv("LUNA_DOCUMENT_MAX_BYTES", "1000000")
        patch.setenv("LUNA_EMBEDDING_DOWNLOAD", "false")
        load_settings.cache_clear()
        yield folder
    load_settings.cache_clear()


@pytest.fixture
def library(database: Engine, data_folder: Path) -> Iterator[Library]:
    there = Library(database, data_folder)
    there.empty()
    yield there
    there.empty()


@pytest.fixture(scope="module")
def api(redis_url: str, database_url: str, data_folder: Path) -> Iterator[httpx.Client]:
    with serve(Addresses(database_url=database_url, redis_url=redis_url)) as client:
        yield client
    with redis.Redis.from_url(redis_url) as queue:
        queue.flushdb()


@pytest.fixture(scope="class")
def worker(redis_url: str, database_url: str, data_folder: Path) -> Iterator[None]:
    with worker_process(redis_url, database_url, "services.rag.tasks"):
        yield


def hand_over(api: httpx.Client, *files: tuple[str, bytes], **fields: str) -> httpx.Response:
    return api.post("/v1/documents", data=fields, files=[("file", each) for each in files])


def added(api: httpx.Client, *files: tuple[str, bytes], **fields: str) -> list[dict[str, Any]]:
    accepted = hand_over(api, *files, **fields)
    assert accepted.status_code == 202, accepted.text
    wait_for(
        lambda: api.get(accepted.headers["Location"]).json()["status"] not in {"queued", "running"}
    )
    return [
        api.get(f"/v1/documents/{each['document_id']}").json()
        for each in accepted.json()["documents"]
    ]


class TestServed:
    """What becomes of documents while a worker serves them."""

    def test_a_file_is_accepted_and_becomes_searchable(
        self, api: httpx.Client, library: Library, worker: None
    ) -> None:
        (document,) = added(api, ("tarif.md", TARIFF), kind="tariff", dated="2024-01-01")
        facts = {
            name: document[name]
            for name in (
                "state",
                "current",
                "chunks",
                "kind",
                "dated",
                "added_by",
                "source",
                "version",
            )
        }
        assert facts == {
            "state": "searchable",
            "current": True,
            "chunks": 2,
            "kind": "tariff",
            "dated": "2024-01-01",
            "added_by": "owner",
            "source": "upload",
            "version": 1,
        }
        assert api.get(f"/v1/jobs/{document['job_id']}").json()["reply"]["documents"] == [document]

    def test_several_files_come_in_one_form_and_one_that_is_broken_keeps_none_waiting(
        self, api: httpx.Client, library: Library, worker: None
    ) -> None:
        found = added(api, ("a.md", TARIFF), ("b.bin", b"\x00\x01\x02"), ("c.md", OTHER))
        assert [(each["name"], each["state"]) for each in found] == [
            ("a.md", "searchable"),
            ("b.bin", "failed"),
            ("c.md", "searchable"),
        ]
        assert found[1]["fault"]["remedy"]

    def test_the_same_file_again_is_answered_with_its_document_and_no_job(
        self, api: httpx.Client, library: Library, worker: None
    ) -> None:
        (document,) = added(api, ("tarif.md", TARIFF))
        again = hand_over(api, ("tarif.md", TARIFF))
        assert (again.status_code, again.json()) == (202, {"documents": [document], "job": None})
        assert library.files() == {document["sha256"]}

    def test_an_address_that_leads_inside_is_refused_as_what_it_is(
        self,
        api: httpx.Client,
        library: Library,
        worker: None,
        redis_url: str,
        luna_on_servers: Luna,
    ) -> None:
        inward = "http://127.0.0.1/preise.md"
        with closing(Client(redis_url)) as client:
            wait_for(lambda: client.heartbeats.serve("rag"))
            job_id = submit_job(
                library.database, client, FetchDocumentRequest(url=inward, added_by="anna")
            ).job_id
        refused = luna_on_servers("docs", "add", inward)
        assert (refused.code, refused.problem["status"], refused.problem["field"]) == (
            2,
            422,
            "url",
        )
        assert refused.problem["reason"] == "address-inward"
        assert refused.problem["remedy"]
        wait_for(lambda: api.get(f"/v1/jobs/{job_id}").json()["status"] == "failed")
        assert api.get(f"/v1/jobs/{job_id}").json()["error"] == refused.problem
        assert library.rows("documents") == []

    def test_all_derived_data_is_made_anew_by_a_job(
        self, api: httpx.Client, library: Library, worker: None
    ) -> None:
        library.add("tarif.md")
        accepted = api.post("/v1/documents/reindex", json={"rechunk": True})
        wait_for(lambda: api.get(accepted.headers["Location"]).json()["status"] == "done")
        assert api.get(accepted.headers["Location"]).json()["reply"] == {
            "documents": 1,
            "chunks": 2,
            "model": None,
        }


def test_an_address_that_says_that_it_leads_inside_is_refused_at_once(
    api: httpx.Client, library: Library
) -> None:
    refused = api.post("/v1/documents/fetch", json={"url": "http://192.168.178.1/preise.md"})
    assert refused.status_code == 422
    expected = {
        "type": "urn:luna:problem:invalid-input",
        "field": "url",
        "value": "192.168.178.1",
        "reason": "address-inward",
    }
    assert {name: refused.json()[name] for name in expected} == expected


def test_a_killed_worker_is_followed_by_one_that_ends_what_it_began(
    api: httpx.Client, library: Library, redis_url: str, database_url: str
) -> None:
    with worker_process(
        redis_url, database_url, "tests.integration.rag.halting_tasks", beat_seconds=BEAT_SECONDS
    ) as first:
        accepted = hand_over(
            api,
            *(
                (f"{step}.md", TARIFF + step.encode())
                for step in ("stored", "extracted", "chunked")
            ),
        )
        job_id = accepted.json()["job"]["job_id"]
        wait_for((library.folder / "halted-chunked").exists)
        kill(first)
    with unit_of_work(library.database) as connection:
        assert jobs.load(connection, job_id).status == "running"
    with worker_process(redis_url, database_url, "services.rag.tasks", beat_seconds=BEAT_SECONDS):
        wait_for(lambda: api.get(f"/v1/jobs/{job_id}").json()["status"] == "done")
    assert library.rows("documents", "state") == [("searchable",)] * 3
    assert (len(library.rows("chunks")), len(library.rows("chunk_vectors"))) == (6, 6)


@pytest.mark.parametrize(
    ("files", "fields", "field"),
    [
        ([], {"kind": "tariff"}, "file"),
        ([("a.md", b"x")], {"kind": "novel"}, "kind"),
        ([("a.md", b"x")], {"colour": "red"}, "colour"),
        ([("a.md", b"x"), ("b.md", b"y")], {"title": "both"}, "title"),
        ([("a.md", b"x")], {"dated": "yesterday"}, "dated"),
        ([("a.md", b"x")], {"site_id": "nowhere"}, "site"),
        ([("a.md", b"x" * 1_000_001)], {}, "file"),
        ([(f"{number}.md", b"x") for number in range(MAX_FILES + 1)], {}, "file"),
    ],
    ids=[
        "no file",
        "kind",
        "stranger",
        "one title for two",
        "day",
        "site",
        "too large",
        "too many",
    ],
)
def test_what_cannot_be_taken_is_refused_and_leaves_nothing(
    api: httpx.Client,
    library: Library,
    files: list[tuple[str, bytes]],
    fields: dict[str, str],
    field: str,
) -> None:
    parts = [("file", each) for each in files] or [("other", (None, b""))]
    refused = api.post("/v1/documents", data=fields, files=parts)
    assert (refused.status_code, refused.json()["field"]) in {(422, field), (404, field)}
    assert (library.files(), library.rows("documents")) == (set(), [])


def test_a_body_that_is_no_form_is_refused(api: httpx.Client, library: Library) -> None:
    assert (
        api.post(
            "/v1/documents", content=b"%PDF-", headers={"Content-Type": "application/pdf"}
        ).status_code
        == 422
    )


def test_a_form_that_breaks_off_leaves_nothing(api: httpx.Client, library: Library) -> None:
    cut = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.md"\r\n\r\nhalf'
    assert (
        api.post(
            "/v1/documents",
            content=cut,
            headers={"Content-Type": "multipart/form-data; boundary=x"},
        ).status_code
        == 422
    )
    assert library.files() == set()


def test_the_file_comes_back_as_a_download_that_no_browser_runs(
    api: httpx.Client, library: Library
) -> None:
    page = b"<script>alert(1)</script>"
    document, _ = library.store('Łódź "1".html', page)
    answer = api.get(f"/v1/documents/{document.document_id}/file", params={"inline": "true"})
    assert (
        answer.content,
        answer.headers["Content-Type"],
        answer.headers["X-Content-Type-Options"],
    ) == (page, "application/octet-stream", "nosniff")
    assert answer.headers["Content-Disposition"] == (
        'attachment; filename="__d_ _1_.html"; '
        "filename*=UTF-8''%C5%81%C3%B3d%C5%BA%20%221%22.html"
    )
    assert "sandbox" in answer.headers["Content-Security-Policy"]


def test_passages_come_page_by_page_and_around_one(api: httpx.Client, library: Library) -> None:
    text = "\n\n".join(f"# {number}\n\nText {number}." for number in range(10)).encode()
    document = library.add("long.md", text)
    path = f"/v1/documents/{document.document_id}/passages"
    first = api.get(path, params={"limit": 6}).json()
    rest = api.get(path, params={"limit": 6, "cursor": first["cursor"]}).json()
    assert [each["position"] for each in first["passages"] + rest["passages"]] == [*range(10)]
    middle = first["passages"][4]["chunk_id"]
    assert [
        each["position"]
        for each in api.get(path, params={"around": middle, "span": 1}).json()["passages"]
    ] == [3, 4, 5]
    assert api.get(path, params={"around": 2**62}).status_code == 404


def test_lists_are_filtered_and_cut_into_pages(api: httpx.Client, library: Library) -> None:
    stored = [
        library.add(
            f"{number}.md", f"Text {number}".encode(), kind="tariff" if number % 2 else "manual"
        )
        for number in range(5)
    ]
    first = api.get("/v1/documents", params={"limit": 3}).json()
    rest = api.get("/v1/documents", params={"limit": 3, "cursor": first["cursor"]}).json()
    assert [each["document_id"] for each in first["documents"] + rest["documents"]] == [
        each.document_id for each in reversed(stored)
    ]
    assert [
        each["name"]
        for each in api.get("/v1/documents", params={"kind": "tariff"}).json()["documents"]
    ] == ["3.md", "1.md"]
    assert api.get("/v1/documents", params={"state": "failed"}).json()["documents"] == []
    assert api.get("/v1/documents", params={"state": "lost"}).status_code == 422


def test_a_deleted_document_is_gone_with_its_file(api: httpx.Client, library: Library) -> None:
    document = library.add("tarif.md")
    path = f"/v1/documents/{document.document_id}"
    assert api.delete(path).status_code == 204
    assert [
        api.get(path).status_code,
        api.get(f"{path}/file").status_code,
        api.delete(path).status_code,
    ] == [404, 404, 404]
    assert (library.files(), library.rows("chunks")) == (set(), [])


def test_a_cancelled_job_leaves_a_document_that_can_be_added_again(
    api: httpx.Client, library: Library, redis_url: str, database_url: str
) -> None:
    with worker_process(redis_url, database_url, "tests.integration.rag.halting_tasks"):
        accepted = hand_over(api, ("extracted.md", TARIFF)).json()
        wait_for((library.folder / "halted-extracted").exists)
        assert api.delete(f"/v1/jobs/{accepted['job']['job_id']}").json()["status"] == "cancelled"
    assert library.rows("documents", "state, current") == [("extracted", False)]
    with worker_process(redis_url, database_url, "services.rag.tasks"):
        (again,) = added(api, ("extracted.md", TARIFF))
    assert (again["document_id"], again["state"]) == (
        accepted["documents"][0]["document_id"],
        "searchable",
    )


@pytest.fixture(scope="module")
def shared_gate(servers: Servers, redis_url: str, data_folder: Path) -> Iterator[Gate]:
    with gate_with_people(servers.database_url, redis_url) as there:
        yield there


@pytest.fixture
def gate(shared_gate: Gate, data_folder: Path) -> Gate:
    """A gateway with people and without documents."""
    Library(shared_gate.database, data_folder).empty()
    return shared_gate


def test_people_meet_the_documents_of_their_sites_and_everybodys(
    gate: Gate, data_folder: Path
) -> None:
    library = Library(gate.database, data_folder)
    own, foreign, shared = (
        library.add(f"{name}.md", name.encode(), **site)
        for name, site in (("o", {"site_id": OWN}), ("f", {"site_id": FOREIGN}), ("s", {}))
    )
    analyst = gate.session("analyst")
    listed = gate.client.get("/v1/documents", headers=analyst).json()["documents"]
    assert [each["name"] for each in listed] == ["s.md", "o.md"]
    for path in ("", "/file", "/passages", "/versions"):
        answers = [
            gate.client.get(f"/v1/documents/{each.document_id}{path}", headers=analyst).status_code
            for each in (own, foreign, shared)
        ]
        assert answers == [200, 404, 200]
    assert [
        gate.client.delete(f"/v1/documents/{each.document_id}", headers=analyst).status_code
        for each in (own, foreign, shared)
    ] == [204, 404, 403]
    absent = gate.client.get("/v1/documents/nowhere", headers=analyst).json()
    assert (
        gate.client.get(f"/v1/documents/{foreign.document_id}", headers=analyst).json()["remedy"]
        == absent["remedy"]
    )


@pytest.mark.parametrize(
    ("role", "fields", "status"),
    [
        ("user", {"site_id": OWN}, 403),
        ("analyst", {"site_id": OWN}, 202),
        ("analyst", {"site_id": FOREIGN}, 404),
        ("analyst", {}, 403),
        ("admin", {}, 202),
    ],
    ids=["a user adds none", "own", "foreign", "everybody's", "an admin"],
)
def test_documents_are_added_where_people_may(
    gate: Gate, role: Role, fields: dict[str, str], status: int
) -> None:
    headers = gate.session(role)
    answer = gate.client.post(
        "/v1/documents", data=fields, files=[("file", ("a.md", TARIFF))], headers=headers
    )
    assert answer.status_code == status, answer.text
    assert (
        gate.client.post(
            "/v1/documents/fetch",
            json={"url": "https://example.org/a.md", **fields},
            headers=headers,
        ).status_code
        == status
    )


def test_people_see_the_job_of_their_own_documents(gate: Gate) -> None:
    accepted = gate.client.post(
        "/v1/documents",
        data={"site_id": OWN},
        files=[("file", ("a.md", TARIFF))],
        headers=gate.session("analyst"),
    ).json()
    path = f"/v1/jobs/{accepted['job']['job_id']}"
    assert gate.client.get(path, headers=gate.session("analyst")).status_code == 200
    assert path.rpartition("/")[2] in [
        each["job_id"]
        for each in gate.client.get("/v1/jobs", headers=gate.session("user")).json()["jobs"]
    ]
