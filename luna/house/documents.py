"""Add and remove documents: bytes into the store of objects, a row for each version.

Bytes and row change under locks of the database, so that no document is without its bytes however
many are added and removed at the same time.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

from sqlalchemy import Connection

from luna.contracts.documents import Document, DocumentFields, DocumentSource
from luna.energy.refusals import refuse
from luna.platform.database import documents
from luna.platform.database.documents import NewDocument, Sites
from luna.platform.objects import ObjectStore
from luna.platform.settings import Settings

NAMELESS = "document"
MAX_NAME = 200
MAX_PATH = 500
# As much of a name's end as may say what the file is.
_MAX_SUFFIX = 20
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")

# new: a version that was not there; retried: it failed before; known: it was there, nothing
# changed.
Outcome = Literal["new", "retried", "known"]


@dataclass(frozen=True, slots=True)
class IncomingFile:
    """A file that is to be stored.

    Attributes:
        name: as its owner calls it.
        sha256: of its bytes, in hexadecimal digits.
        place: puts the bytes under a key of the store; called where they are not there yet.
        url: where it was fetched from.
    """

    name: str
    sha256: str
    size_bytes: int
    place: Callable[[str], None]
    fields: DocumentFields
    source: DocumentSource
    added_by: str
    url: str | None = None


def store_document(connection: Connection, incoming: IncomingFile) -> tuple[Document, Outcome]:
    """Store a file as the next version of its name.

    Bytes that the newest usable version has already are that version.

    Raises:
        NotFoundError: no such site.
        UnavailableError: the store of objects is away, or full.
        MachineError: it cannot be written.
    """
    fields = incoming.fields
    name = incoming.name
    documents.lock_name(connection, name, fields.site_id)
    # The version that has these bytes already: the newest that did not fail, else the newest of
    # all.
    versions = documents.list_versions(connection, name, fields.site_id)
    usable = next((version for version in versions if version.state != "failed"), None)
    for version in (usable, *versions[:1]):
        if version is None or version.sha256 != incoming.sha256:
            continue
        if documents.reopen_failed(connection, version):
            return documents.load(connection, version.document_id), "retried"
        return version, "known"
    new = NewDocument(
        name=name,
        site_id=fields.site_id,
        title=(fields.title or "").strip() or PurePosixPath(name).name,
        kind=fields.kind,
        language=fields.language,
        dated=fields.dated,
        valid_from=fields.valid_from,
        valid_until=fields.valid_until,
        source=incoming.source,
        url=incoming.url,
        sha256=incoming.sha256,
        object_key=documents.object_key(incoming.sha256),
        size_bytes=incoming.size_bytes,
        added_by=incoming.added_by,
    )
    document = documents.add(connection, new)
    documents.lock_bytes(connection, incoming.sha256)
    # Also where another document has them: what is stored again is the same.
    incoming.place(new.object_key)
    return document, "new"


def remove_document(
    connection: Connection, objects: ObjectStore, document_id: str, *, among: Sites
) -> list[Document]:
    """Delete a document with its text, its vectors and its bytes, and return what went.

    A searchable version goes with the versions before it, so that none of them is found instead;
    any
    other version goes alone.

    Raises:
        NotFoundError: people of the sites ``among`` see no such document.
        UnavailableError: the store of objects is away; nothing was changed.
    """
    document = documents.load(connection, document_id, among=among)
    documents.lock_name(connection, document.name, document.site_id)
    versions = documents.list_versions(connection, document.name, document.site_id)
    is_current = any(version.current for version in versions if version.document_id == document_id)
    removed = []
    for version in versions:
        is_older = version.version < document.version
        if version.document_id == document_id or (is_current and is_older):
            removed.append(version)
    keys_by_hash = documents.remove(connection, [version.document_id for version in removed])
    # Before the commit: bytes that outlive their document would never be found again, and whoever
    # asks again removes what is left.
    for sha256, keys in sorted(keys_by_hash.items()):
        documents.lock_bytes(connection, sha256)
        if not documents.is_needed(connection, sha256):
            for key in keys:
                objects.remove(key)
    return removed


def clean_name(name: str) -> str:
    """Return the last part of a file's name without what no screen can show.

    The end stays, for it may say what the file is.

    Invariants:
        The result is not empty, has at most ``MAX_NAME`` characters, and names no folder.
    """
    last = re.split(r"[/\\]", _CONTROL.sub("", name.strip()))[-1].strip()
    if last in {"", ".", ".."}:
        return NAMELESS
    suffix = PurePosixPath(last).suffix[:_MAX_SUFFIX]
    return last if len(last) <= MAX_NAME else last[: MAX_NAME - len(suffix)] + suffix


def clean_path(path: str) -> str:
    """Return a clean name for a file inside another one, with its folders."""
    parts = [part for part in re.split(r"[/\\]", path) if part.strip() not in {"", ".", ".."}]
    return "/".join(map(clean_name, parts))[-MAX_PATH:].lstrip("/") or NAMELESS


def require_fitting(size_bytes: int, name: str, settings: Settings) -> None:
    """Return where a file is no larger than a document may be.

    Raises:
        InvalidInputError: it is larger.
    """
    if size_bytes > settings.document_max_bytes:
        raise refuse("document-too-large", field=name, most=settings.document_max_bytes)


def require_own_site(site_id: str | None, among: Sites) -> None:
    """Check that people of the sites ``among`` may change a site's documents.

    Raises:
        ForbiddenError: it is everybody's, and they do not have every site.
    """
    if site_id is None and among is not None:
        names = ", ".join(sorted(among)) or "you have none yet"
        raise refuse("document-of-everybody", field="site_id", known=names)
