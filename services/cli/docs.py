"""``luna docs``: documents that answers are taken from."""

import getpass
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from luna.contracts.documents import (
    Document,
    DocumentFields,
    DocumentKind,
    DocumentLanguage,
    FetchDocumentRequest,
    IngestRequest,
)
from luna.energy.errors import InvalidInputError
from luna.house.capabilities.documents import (
    list_passages,
    read_document,
    show_documents,
    show_passages,
)
from luna.house.desk.desk import read_pages
from luna.house.desk.servers import open_database, open_object_store, open_queue
from luna.house.desk.work import carry_out
from luna.platform.settings import load_settings
from services.cli.console import JsonOption, emit, follow_progress
from services.cli.declared import UTC_ZONE, build_group, open_desk, show_parts, show_reply
from services.cli.options import compose_request

app = build_group("docs", "Add, list, show and remove documents.")

WEB = ("http://", "https://")

IdArgument = Annotated[str, typer.Argument(help="The document's id.", metavar="ID")]


@app.command()
def add(  # noqa: PLR0913 - one per option
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            help=(
                "Files and addresses: PDF, DOCX, PPTX, XLSX, CSV, HTML, Markdown, text, "
                "e-mail, ZIP."
            )
        ),
    ] = None,
    *,
    kind: Annotated[DocumentKind, typer.Option(help="The documents' subject.")] = "other",
    title: Annotated[
        str | None,
        typer.Option(help="Title of a single document (default: its own title or name)."),
    ] = None,
    site: Annotated[
        str | None,
        typer.Option(
            help=("Show the documents to this site's users only (default: to everybody).")
        ),
    ] = None,
    language: Annotated[
        DocumentLanguage | None, typer.Option(help="The documents' language (default: detected).")
    ] = None,
    dated: Annotated[
        str | None, typer.Option(metavar="DAY", help="The day the documents were written.")
    ] = None,
    valid_from: Annotated[
        str | None,
        typer.Option(
            metavar="DAY",
            help="The first day the documents are valid (default: read from the text).",
        ),
    ] = None,
    valid_until: Annotated[
        str | None,
        typer.Option(
            metavar="DAY",
            help="The last day the documents are valid (default: read from the text).",
        ),
    ] = None,
    examples: Annotated[
        bool, typer.Option("--examples", help="Add the documents that come with Luna, too.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Add documents and make them searchable.

    Exit code 1 if one cannot be read. You can repeat it with the same file.
    """
    if not sources and not examples:
        raise InvalidInputError(
            "names no document",
            field="SOURCES",
            remedy="Name files or addresses, or add --examples.",
        )
    if title is not None and len(sources or []) != 1:
        raise InvalidInputError(
            "one title is for one document",
            field="--title",
            value=title,
            remedy="Add them one by one.",
        )
    values = {
        "kind": kind,
        "title": title,
        "site_id": site,
        "language": language,
        "dated": dated,
        "valid_from": valid_from,
        "valid_until": valid_until,
    }
    fields = compose_request(DocumentFields, **values)
    from services.rag.documents.storing import store_examples, store_file

    settings = load_settings()
    objects = open_object_store()
    user = getpass.getuser()
    files = [Path(source) for source in sources or [] if not source.startswith(WEB)]
    urls = [source for source in sources or [] if source.startswith(WEB)]
    with open_database() as pool, open_queue() as client:
        stored = []
        for file in files:
            document = store_file(pool, objects, file, fields, settings=settings, added_by=user)
            stored.append(document)
        if examples:
            stored += store_examples(pool, objects, added_by=user)
        requests: list[IngestRequest | FetchDocumentRequest] = []
        if stored:
            ids = tuple(document.document_id for document in stored)
            sites = {document.site_id for document in stored}
            common_site = sites.pop() if len(sites) == 1 else None
            requests.append(IngestRequest(document_ids=ids, site_id=common_site))
        requests += [FetchDocumentRequest(url=url, fields=fields, added_by=user) for url in urls]
        documents: list[Document] = []
        follow = partial(follow_progress, quiet=as_json)
        for request in requests:
            documents += carry_out(pool, client, request, follow).documents

    def show() -> None:
        show_parts(show_documents(documents))

    content = {"documents": [document.model_dump(mode="json") for document in documents]}
    emit(content, as_json=as_json, show=show)
    if any(document.state == "failed" for document in documents):
        raise typer.Exit(1)


@app.command()
def show(
    document_id: IdArgument,
    *,
    with_passages: Annotated[
        bool, typer.Option("--passages", help="Show the text, too, passage by passage.")
    ] = False,
    target: Annotated[
        Path | None, typer.Option("--out", help="Write the original file to this path.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show a document and its progress, and why it failed if it did."""
    arguments = {"document_id": document_id}
    with open_desk() as desk:
        document = desk.ask(read_document, arguments)
        passages = []
        if with_passages:
            for page in read_pages(desk, list_passages, arguments):
                passages += page.passages
        if target is not None:
            desk.save_file(document, target)
    content = document.model_dump(mode="json")
    if with_passages:
        content["passages"] = [passage.model_dump(mode="json") for passage in passages]

    def show_both() -> None:
        show_reply(read_document, document, {}, UTC_ZONE)
        show_parts(show_passages(passages))

    emit(content, as_json=as_json, show=show_both)
