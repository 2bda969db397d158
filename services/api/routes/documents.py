"""Routes that upload and download documents."""

import re
from functools import partial
from typing import Annotated, Any, get_args
from urllib.parse import quote

from fastapi import Path, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import Field, ValidationError

from luna.contracts.documents import (
    Document,
    DocumentFields,
    DocumentKind,
    DocumentLanguage,
    IngestRequest,
)
from luna.contracts.message import Message
from luna.energy.refusals import refuse
from luna.energy.site import invalid_input
from luna.house.capabilities.jobs import JobReply, read_job
from luna.house.capability import locate
from luna.house.documents import IncomingFile, clean_name, require_own_site, store_document
from luna.platform.database import documents, sites
from luna.platform.database.engine import unit_of_work
from luna.platform.own_sites import require_own
from luna.platform.queue.jobs import submit_job
from services.api.gateway import CurrentGateway, Gateway
from services.api.identity.caller import Caller, CurrentCaller
from services.api.identity.guard import CSRF_FIELD
from services.api.operation import Operation
from services.api.routing import ResourceRouter
from services.api.uploads import MAX_FORM_BYTES, ReceivedForm, forget_files

router = ResourceRouter("documents")

PDF = "application/pdf"
DocumentPath = Annotated[
    str,
    Path(
        min_length=1,
        max_length=64,
        pattern=r"^[\w-]+$",
        description="the document's id, one per version",
    ),
]
_NAMES = {"type": "string"}
FORM: dict[str, Any] = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "example": {"file": "tariff-2024.pdf", "kind": "tariff", "dated": "2024-01-01"},
            "schema": {
                "type": "object",
                "required": ["file"],
                "properties": {
                    "file": {
                        "type": "array",
                        "items": {"type": "string", "format": "binary"},
                        "description": (
                            "PDF, DOCX, PPTX, XLSX, CSV, HTML, Markdown, text, e-mail, or a "
                            "ZIP of them; may be repeated"
                        ),
                    },
                    "title": _NAMES
                    | {"description": "of a single file; usual: the file's own, or its name"},
                    "kind": _NAMES | {"enum": list(get_args(DocumentKind))},
                    "language": _NAMES
                    | {"enum": list(get_args(DocumentLanguage)), "description": "usual: found out"},
                    "dated": _NAMES | {"format": "date", "description": "the day it was written"},
                    "valid_from": _NAMES
                    | {
                        "format": "date",
                        "description": "the first day on which it holds; usual: found in its text",
                    },
                    "valid_until": _NAMES
                    | {
                        "format": "date",
                        "description": "the last day on which it holds; usual: found in its text",
                    },
                    "site_id": _NAMES
                    | {
                        "description": (
                            "the site it is about, whose people alone find it; usual: everybody's"
                        )
                    },
                },
            },
        }
    },
}


class DocumentsAccepted(Message):
    """Documents as they were stored, and the job that makes them searchable."""

    documents: list[Document]
    job: Annotated[
        JobReply | None, Field(description="null: all of them were searchable already")
    ] = None


@router.operation(
    "Add documents",
    Operation("POST", "/v1/documents", "data", "docs add", most_bytes=MAX_FORM_BYTES),
    status_code=202,
    response_model=DocumentsAccepted,
    openapi_extra={"requestBody": FORM},
)
async def add_documents(
    request: Request, gateway: CurrentGateway, response: Response, caller: CurrentCaller
) -> DocumentsAccepted:
    """Store files and make them searchable as a job.

    A file of a known name is its next version; the same file again changes nothing.
    """
    accepted = await take_documents(request, gateway, caller)
    if accepted.job is not None:
        response.headers["Location"] = locate(read_job.path, accepted.job)
    return accepted


async def take_documents(request: Request, gateway: Gateway, caller: Caller) -> DocumentsAccepted:
    """Store the files of a form and submit the job that makes them searchable."""
    form = await gateway.uploads.receive(request, most_bytes=gateway.settings.document_max_bytes)
    try:
        return await run_in_threadpool(_store, gateway, form, caller)
    finally:
        # Stored files have been moved to keys of their own by now; only the rest is removed.
        await run_in_threadpool(forget_files, gateway.objects, form.files)


def _store(gateway: Gateway, form: ReceivedForm, caller: Caller) -> DocumentsAccepted:
    fields = _read_fields(form)
    require_own_site(fields.site_id, caller.sites)
    if fields.site_id is not None:
        require_own(fields.site_id, caller.sites)
        with unit_of_work(gateway.database) as connection:
            sites.key_of(connection, fields.site_id)
    stored = []
    for file in form.files:
        incoming = IncomingFile(
            name=clean_name(file.name),
            sha256=file.sha256,
            size_bytes=file.size_bytes,
            place=partial(gateway.objects.move, file.key),
            fields=fields,
            source="upload",
            added_by=caller.signature,
        )
        with unit_of_work(gateway.database) as connection:
            stored.append(store_document(connection, incoming)[0])
    # The same file may be in the form twice.
    every_id = list(dict.fromkeys(document.document_id for document in stored))
    searchable = {document.document_id for document in stored if document.state == "searchable"}
    ids = tuple(document_id for document_id in every_id if document_id not in searchable)
    job = None
    if ids:
        request = IngestRequest(document_ids=ids, site_id=fields.site_id)
        job = submit_job(gateway.database, gateway.queue, request)
    with unit_of_work(gateway.database) as connection:
        if job is not None:
            documents.note_job(connection, ids, job.job_id)
        listed = documents.list_by_id(connection, every_id)
    return DocumentsAccepted(documents=listed, job=None if job is None else JobReply(**dict(job)))


def _read_fields(form: ReceivedForm) -> DocumentFields:
    """Return the fields of a form besides its files.

    Raises:
        InvalidInputError: a field is unknown or invalid, or several files have one title.
    """
    texts = {name: values[-1] for name, values in form.fields.items() if name != CSRF_FIELD}
    unknown = sorted(set(texts) - set(DocumentFields.model_fields))
    if unknown:
        names = ("file", *DocumentFields.model_fields)
        raise refuse("unknown-name", field=unknown[0], names=names, thing="form-field")
    if "title" in texts and len(form.files) > 1:
        raise refuse("title-of-several-files", field="title")
    filled = {name: text for name, text in texts.items() if text}
    try:
        return DocumentFields.model_validate(filled)
    except ValidationError as exc:
        raise invalid_input(exc, field="") from exc


_FILE = {
    "description": "the bytes as they were added",
    "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
}


@router.operation(
    "Download a document's file",
    Operation("GET", "/v1/documents/{document_id}/file", "read", "docs show --out"),
    response_class=Response,
    responses={200: _FILE},
)
def read_document_file(
    document_id: DocumentPath,
    gateway: CurrentGateway,
    caller: CurrentCaller,
    *,
    inline: Annotated[
        bool,
        Query(description="show a PDF in place of downloading it; anything else is downloaded"),
    ] = False,
) -> Response:
    """Return the file as it was added. Browsers never show or run it as a page of Luna's."""
    with unit_of_work(gateway.database) as connection:
        document = documents.load(connection, document_id, among=caller.sites)
    content = gateway.objects.get(documents.object_key(document.sha256))
    as_pdf = inline and document.media_type == PDF
    name = document.name.rsplit("/", 1)[-1] or document.document_id
    return Response(
        content,
        headers=_secure_download(name, as_pdf=as_pdf),
        media_type=PDF if as_pdf else "application/octet-stream",
    )


def _secure_download(name: str, *, as_pdf: bool) -> dict[str, str]:
    """Return headers that keep a browser from running a file as a page of Luna's origin.

    Source: RFC 6266; OWASP File Upload Cheat Sheet.
    """
    plain_name = re.sub(r"[^A-Za-z0-9._\- ]", "_", name)
    names = f"filename=\"{plain_name}\"; filename*=UTF-8''{quote(name, safe='')}"
    headers = {
        "Content-Disposition": f"attachment; {names}",
        "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
        "Cross-Origin-Resource-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
    }
    if as_pdf:
        headers["Content-Disposition"] = f"inline; {names}"
        # Browsers show no PDF under ``sandbox``; scripts and connections are refused all the same.
        policy = "default-src 'none'; object-src 'self'; frame-ancestors 'self'"
        headers["Content-Security-Policy"] = policy
        headers["X-Frame-Options"] = "SAMEORIGIN"
    return headers
