"""Documents against the real database: what is stored once, what replaces what, what is left when
one goes.
"""

import hashlib
import io
import threading
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from luna.contracts.documents import DocumentFilter, FetchDocumentRequest, ReindexRequest
from luna.energy.errors import InvalidInputError, MachineError, NotFoundError
from luna.house.documents import MAX_NAME
from luna.platform.database import document_passages, documents, site_removal
from luna.platform.database.engine import unit_of_work
from services.rag.documents.ingest import fetch_document, reindex_documents
from services.rag.extraction.fetching import Network
from tests.support.database.site import stored_site
from tests.support.documents.library import TARIFF, LetterEmbedder, Library
from tests.support.suite.depth import draws

OTHER = b"# Price list\n\nThe price per kilowatt hour is thirty cents.\n"
BROKEN = b"%PDF-1.7 and nothing more"
DIGEST = hashlib.sha256(TARIFF).hexdigest()
NOBODY_LISTENS = lambda _done, _total, _label: None  # noqa: E731 - handed over as one


class TariffPage(BaseHTTPRequestHandler):
    """Answers whatever is asked with the tariff."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(TARIFF)))
        self.end_headers()
        self.wfile.write(TARIFF)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        del format, args


@pytest.fixture
def page_server() -> Iterator[str]:
    """The address of a server of this machine."""
    with HTTPServer(("127.0.0.1", 0), TariffPage) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def versions(library: Library, name: str) -> list[tuple[int, bool, str]]:
    with unit_of_work(library.database) as connection:
        return [
            (each.version, each.current, each.state)
            for each in documents.list_versions(connection, name, None)
        ]


def test_a_stored_file_becomes_searchable_with_its_passages_and_vectors(library: Library) -> None:
    library.embedder = LetterEmbedder()
    library.confined = True
    document = library.add("tarif.md")
    assert (
        document.state,
        document.current,
        document.version,
        document.chunks,
        document.media_type,
    ) == ("searchable", True, 1, 2, "text/markdown")
    with unit_of_work(library.database) as connection:
        assert [
            each.headings for each in document_passages.list_of(connection, document.document_id)
        ] == [["Tarif"], ["Laufzeit"]]
    assert library.rows("chunk_vectors", "model") == [("letters",)] * 2
    assert library.files() == {DIGEST}


def test_how_long_a_document_holds_is_read_from_its_text_unless_its_owner_says_it(
    library: Library,
) -> None:
    text = (
        b"---\ntitle: Preise\nvalid_until: 2025-12-31\n---\n# Preise\n\nG\xc3\xbcltig ab 1. "
        b"April 2025. Der Arbeitspreis ist 30 Cent je Kilowattstunde.\n"
    )
    read = library.add("preise.md", text)
    assert (read.valid_from, read.valid_until) == (date(2025, 4, 1), date(2025, 12, 31))
    said = library.add("preise-2.md", text, valid_from="2026-01-01")
    assert (said.valid_from, said.valid_until) == (date(2026, 1, 1), None)


def test_the_same_file_again_is_the_same_document(library: Library) -> None:
    first = library.add("tarif.md")
    assert library.store("tarif.md") == (first, "known")


def test_a_new_version_is_found_once_it_is_searchable_and_the_old_one_until_then(
    library: Library,
) -> None:
    first = library.add("tarif.md")
    second, outcome = library.store("tarif.md", OTHER)
    assert (outcome, second.version, versions(library, "tarif.md")) == (
        "new",
        2,
        [(2, False, "stored"), (1, True, "searchable")],
    )
    library.ingest(second.document_id)
    assert versions(library, "tarif.md") == [(2, True, "searchable"), (1, False, "searchable")]
    # One passage of the new version; the two of the old one are forgotten by every index.
    assert (len(library.rows("chunk_vectors")), len(library.rows("vector_removals"))) == (1, 2)
    assert first.document_id != second.document_id


def test_an_older_version_that_is_done_late_takes_no_place(library: Library) -> None:
    older, _ = library.store("tarif.md")
    newer = library.add("tarif.md", OTHER)
    library.ingest(older.document_id)
    assert versions(library, "tarif.md") == [(2, True, "searchable"), (1, False, "searchable")]
    assert len(library.rows("chunk_vectors")) == newer.chunks


def test_a_document_that_cannot_be_read_says_why_and_the_others_go_on(library: Library) -> None:
    bad, _ = library.store("broken.pdf", BROKEN)
    good, _ = library.store("tarif.md")
    ended = library.ingest(bad.document_id, good.document_id)
    assert [each.state for each in ended] == ["failed", "searchable"]
    assert ended[0].fault is not None
    assert (ended[0].fault.code, ended[0].current) == ("damaged", False)
    assert ended[0].fault.remedy is not None


def test_a_failed_version_leaves_the_one_before_it_found(library: Library) -> None:
    library.add("tarif.md")
    library.add("tarif.md", BROKEN)
    assert versions(library, "tarif.md") == [(2, False, "failed"), (1, True, "searchable")]


def test_a_failed_file_that_comes_again_is_tried_again(library: Library) -> None:
    failed = library.add("broken.pdf", BROKEN)
    again, outcome = library.store("broken.pdf", BROKEN)
    assert (again.document_id, again.state, again.fault, outcome) == (
        failed.document_id,
        "stored",
        None,
        "retried",
    )


def test_bytes_that_vanished_are_a_fault_of_their_document(library: Library) -> None:
    document, _ = library.store("tarif.md")
    library.objects.remove(documents.object_key(document.sha256))
    (ended,) = library.ingest(document.document_id)
    assert (ended.state, ended.fault and ended.fault.code) == ("failed", "not-found")


def test_what_is_deleted_leaves_neither_text_nor_vectors_nor_bytes(library: Library) -> None:
    library.add("tarif.md")
    current = library.add("tarif.md", OTHER)
    assert [each.version for each in library.remove(current.document_id)] == [2, 1]
    assert (
        library.rows("documents"),
        library.rows("chunks"),
        library.rows("chunk_vectors"),
        library.files(),
    ) == ([], [], [], set())
    with pytest.raises(NotFoundError):
        library.remove(current.document_id)


def test_an_older_version_is_deleted_alone(library: Library) -> None:
    older = library.add("tarif.md")
    library.add("tarif.md", OTHER)
    library.remove(older.document_id)
    assert versions(library, "tarif.md") == [(2, True, "searchable")]


def test_bytes_stay_as_long_as_another_document_has_them(library: Library) -> None:
    first = library.add("tarif.md")
    second = library.add("copy.md")
    library.remove(first.document_id)
    assert library.files() == {DIGEST}
    library.remove(second.document_id)
    assert library.files() == set()


def test_a_store_that_cannot_be_written_changes_nothing(library: Library) -> None:
    (library.folder / "objects").write_text("in the way")
    with pytest.raises(MachineError):
        library.store("tarif.md")
    assert library.rows("documents") == []


def test_the_same_file_many_times_at_once_is_one_document(library: Library) -> None:
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: library.store("tarif.md"), range(16)))
    assert len({document.document_id for document, _ in found}) == 1
    assert sorted(outcome for _, outcome in found) == ["known"] * 15 + ["new"]


def test_many_workers_on_one_document_make_its_passages_once(library: Library) -> None:
    document, _ = library.store("tarif.md")
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: library.ingest(document.document_id), range(4)))
    assert (len(library.rows("chunks")), len(library.rows("chunk_vectors"))) == (2, 2)


@pytest.mark.parametrize(
    ("given_name", "stored"),
    [
        ("../../etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("Łódź.pdf", "Łódź.pdf"),
        ("", "document"),
        ("..", "document"),
        ("a\x00b.pdf", "ab.pdf"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("x" * 300 + ".pdf", "x" * (MAX_NAME - 4) + ".pdf"),
    ],
    ids=["up", "up on Windows", "Polish", "empty", "parent", "NUL", "turned around", "long"],
)
def test_a_hostile_name_is_a_plain_one(library: Library, given_name: str, stored: str) -> None:
    document, _ = library.store(given_name)
    assert (document.name, document.title) == (stored, stored)


def test_other_peoples_documents_are_not_there(library: Library) -> None:
    with stored_site(library.database, name="neighbour"):
        theirs = library.add("a.md", site_id="neighbour")
        everybodys = library.add("b.md", OTHER)
        with unit_of_work(library.database) as connection:
            assert [
                each.name
                for each in documents.list_page(connection, DocumentFilter(), among=["home"])
            ] == ["b.md"]
            assert documents.find(connection, theirs.document_id, among=["home"]) is None
            assert documents.find(connection, everybodys.document_id, among=["home"]) is not None
            assert documents.find(connection, theirs.document_id, among=["neighbour"]) is not None


def test_the_same_name_at_two_sites_is_two_documents(library: Library) -> None:
    with stored_site(library.database, name="neighbour"):
        first = library.add("a.md")
        second = library.add("a.md", OTHER, site_id="neighbour")
    assert (first.version, second.version) == (1, 1)


def test_a_site_goes_with_its_documents(library: Library) -> None:
    with stored_site(library.database, name="gone"):
        library.add("own.md", OTHER, site_id="gone")
        library.add("shared.md", site_id="gone")
        library.add("shared.md")
        with unit_of_work(library.database) as connection:
            keys = site_removal.remove(connection, "gone")
    other = hashlib.sha256(OTHER).hexdigest()
    assert keys == [f"documents/{other}", f"documents/{other}.json"]
    assert library.rows("documents", "name") == [("shared.md",)]


def test_vectors_of_another_model_stay_until_the_new_ones_are_complete(library: Library) -> None:
    library.embedder = LetterEmbedder("first")
    library.add("a.md")
    library.add("b.md", OTHER)
    library.embedder = LetterEmbedder("second")
    seen: list[set[tuple[object, ...]]] = []
    reply = reindex_documents(
        ReindexRequest(),
        library.pipeline,
        lambda _done, _total, _label: seen.append(set(library.rows("chunk_vectors", "model"))),
    )
    assert (reply.documents, reply.chunks, reply.model) == (2, 3, "second")
    assert seen[-1] == {("first",), ("second",)}
    assert library.rows("chunk_vectors", "model") == [("second",)] * 3


def test_cutting_anew_keeps_the_passages_that_answers_cite(library: Library) -> None:
    library.add("a.md")
    before = library.rows("chunks")
    reindex_documents(ReindexRequest(rechunk=True), library.pipeline, NOBODY_LISTENS)
    assert library.rows("chunks") == before


def test_a_reindex_brings_up_what_a_crash_left_behind(library: Library) -> None:
    library.store("a.md")
    assert reindex_documents(ReindexRequest(), library.pipeline, NOBODY_LISTENS).documents == 1


@settings(max_examples=draws(25), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["add", "ingest", "delete", "reindex", "rechunk"]),
            st.sampled_from("ab"),
            st.sampled_from([TARIFF, OTHER, b"\x00"]),
        )
    )
)
def test_whatever_is_done_in_whatever_order_leaves_no_gap_and_no_rest(
    library: Library, steps: list[tuple[str, str, bytes]]
) -> None:
    library.empty()
    for what, name, content in steps:
        do(library, what, name, content)
        # Each document has its bytes and no bytes are left over; what is found has all its vectors,
        # and nothing else has any.
        digests = {str(row[0]) for row in library.rows("documents", "sha256")}
        assert library.files() - {f"{each}.json" for each in digests} == digests
        assert library.rows("chunk_vectors", "chunk_id") == library.rows(
            "chunks JOIN documents USING (document_id) WHERE current", "chunk_id"
        )


def do(library: Library, what: str, name: str, content: bytes) -> None:
    known = [str(row[0]) for row in library.rows("documents", "document_id")]
    acts: dict[str, Callable[[], object]] = {
        "add": lambda: library.store(name, content),
        "ingest": lambda: library.ingest(*known),
        "delete": lambda: [library.remove(each) for each in known[:1]],
        "reindex": lambda: reindex_documents(ReindexRequest(), library.pipeline, NOBODY_LISTENS),
        "rechunk": lambda: reindex_documents(
            ReindexRequest(rechunk=True), library.pipeline, NOBODY_LISTENS
        ),
    }
    acts[what]()


def zipped(**members: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/") + ".md", content)
    return packed.getvalue()


def test_members_of_an_archive_are_documents_of_their_own(library: Library) -> None:
    archive, *members = library.ingest(
        library.store("papers.zip", zipped(tarif=TARIFF, manuals__battery=OTHER), kind="manual")[
            0
        ].document_id
    )
    assert (archive.media_type, archive.state, archive.chunks) == (
        "application/zip",
        "searchable",
        0,
    )
    assert [(each.name, each.source, each.kind, each.state) for each in members] == [
        ("papers.zip/manuals/battery.md", "archive", "manual", "searchable"),
        ("papers.zip/tarif.md", "archive", "manual", "searchable"),
    ]


def test_a_new_version_of_an_archive_changes_the_members_that_changed(library: Library) -> None:
    library.ingest(library.store("papers.zip", zipped(a=TARIFF, b=OTHER))[0].document_id)
    library.ingest(library.store("papers.zip", zipped(a=TARIFF, b=OTHER + b"More."))[0].document_id)
    found = library.rows("documents", "name, version, current")
    assert found == [
        ("papers.zip", 1, False),
        ("papers.zip", 2, True),
        ("papers.zip/a.md", 1, True),
        ("papers.zip/b.md", 1, False),
        ("papers.zip/b.md", 2, True),
    ]


def test_members_left_behind_by_a_crash_are_brought_to_their_end_with_their_archive(
    library: Library,
) -> None:
    archive, _ = library.store("papers.zip", zipped(a=TARIFF))
    library.pipeline.finish(archive.document_id, lambda _: None)
    assert library.rows("documents", "name, state") == [
        ("papers.zip", "searchable"),
        ("papers.zip/a.md", "stored"),
    ]
    library.ingest(archive.document_id)
    assert library.rows("documents", "name, state") == [
        ("papers.zip", "searchable"),
        ("papers.zip/a.md", "searchable"),
    ]


def test_an_archive_inside_another_is_not_unpacked(library: Library) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("inner.zip", zipped(a=TARIFF))
    (ended,) = library.ingest(library.store("outer.zip", packed.getvalue())[0].document_id)
    assert (ended.state, ended.fault and ended.fault.code) == ("failed", "nested_archive")
    assert library.rows("documents", "name") == [("outer.zip",)]


def test_what_is_fetched_is_a_document_under_its_address(
    library: Library, page_server: str
) -> None:
    request = FetchDocumentRequest(url=f"{page_server}/tarif.md", added_by="anna")
    network = Network(allows=lambda _address, _port: True)
    (document,) = fetch_document(
        request, library.pipeline, NOBODY_LISTENS, network=network
    ).documents
    assert (document.name, document.title, document.source, document.url, document.state) == (
        request.url,
        "Tarif",
        "url",
        request.url,
        "searchable",
    )
    (again,) = fetch_document(request, library.pipeline, NOBODY_LISTENS, network=network).documents
    assert again == document


def test_a_private_address_is_refused_and_leaves_nothing(
    library: Library, page_server: str
) -> None:
    with pytest.raises(InvalidInputError):
        fetch_document(
            FetchDocumentRequest(url=f"{page_server}/tarif.md", added_by="anna"),
            library.pipeline,
            NOBODY_LISTENS,
        )
    assert library.rows("documents") == []
