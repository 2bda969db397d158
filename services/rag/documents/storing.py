"""Files of this machine into the store of objects, each as a document."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from sqlalchemy import Engine

from luna.contracts.documents import Document, DocumentFields, DocumentSource
from luna.energy.refusals import refuse
from luna.house.documents import IncomingFile, clean_name, require_fitting, store_document
from luna.platform.database.engine import unit_of_work
from luna.platform.objects import ObjectStore
from luna.platform.settings import Settings
from services.rag.examples import list_examples

PIECE_BYTES = 1_000_000


def read_file(
    path: Path, objects: ObjectStore, *, name: str, source: DocumentSource, added_by: str
) -> IncomingFile:
    """Return a file as it is to be stored, without what its owner says of it.

    Raises:
        InvalidInputError: it cannot be read.
    """
    digest = hashlib.sha256()
    size = 0
    try:
        for piece in _pieces(path):
            digest.update(piece)
            size += len(piece)
    except OSError as exc:
        raise refuse("file-unreadable", field=str(path), why=exc.strerror) from exc
    return IncomingFile(
        name=name,
        sha256=digest.hexdigest(),
        size_bytes=size,
        place=lambda key: objects.put_stream(key, _pieces(path)),
        fields=DocumentFields(),
        source=source,
        added_by=added_by,
    )


def store_file(
    pool: Engine,
    objects: ObjectStore,
    path: Path,
    fields: DocumentFields,
    *,
    settings: Settings,
    added_by: str,
) -> Document:
    """Store a file as a document of what its owner says of it.

    Raises:
        InvalidInputError: it cannot be read, or is longer than a document may be.
    """
    incoming = read_file(
        path, objects, name=clean_name(path.name), source="upload", added_by=added_by
    )
    require_fitting(incoming.size_bytes, str(path), settings)
    with unit_of_work(pool) as connection:
        return store_document(connection, replace(incoming, fields=fields))[0]


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from iter(partial(file.read, PIECE_BYTES), b"")


def store_examples(engine: Engine, objects: ObjectStore, *, added_by: str) -> list[Document]:
    """Store the documents that ship with Luna, everybody's.

    Those that are there already stay as they are.
    """
    documents = []
    for example in list_examples():
        incoming = read_file(
            example.path, objects, name=example.name, source="example", added_by=added_by
        )
        fields = DocumentFields(
            title=example.title,
            kind=example.kind,
            language=example.language,
            dated=example.dated,
            site_id=example.site_id,
        )
        with unit_of_work(engine) as connection:
            documents.append(store_document(connection, replace(incoming, fields=fields))[0])
    return documents
