"""Documents of tests: files as they come in, the steps that make them searchable, and an embedding
model that says how often it was asked.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from shutil import rmtree
from typing import Literal

import numpy as np
from sqlalchemy import Engine, text

from luna.contracts.documents import Document, DocumentFields
from luna.house.documents import (
    IncomingFile,
    Outcome,
    clean_name,
    remove_document,
    store_document,
)
from luna.platform.database.engine import unit_of_work
from luna.platform.database.vectors import FloatArray
from luna.platform.objects import FileObjects
from luna.platform.settings import Settings
from services.rag.documents.ingest import ingest_documents
from services.rag.documents.pipeline import Pipeline
from services.rag.extraction import child
from services.rag.extraction.extract import extract, parse_reply
from services.rag.extraction.model import Extraction, FileSource, Limits

TARIFF = (
    b"# Tarif\n\nDer Arbeitspreis ist 30 Cent je Kilowattstunde.\n\n# Laufzeit\n\nDer Vertrag "
    b"gilt ein Jahr und wird dann verlaengert."
)


@dataclass
class LetterEmbedder:
    """Turns a text into how often each letter of the alphabet is in it."""

    model: str = "letters"
    dimensions: int = 26
    speaks_one_language: bool = False
    asked: list[int] = field(default_factory=list)

    def embed(self, texts: Sequence[str], *, role: Literal["query", "passage"]) -> FloatArray:
        self.asked.append(len(texts))
        counts = np.array(
            [
                [1 + each.lower().count(chr(97 + letter)) for letter in range(self.dimensions)]
                for each in texts
            ],
            np.float32,
        )
        return np.asarray(counts / np.linalg.norm(counts, axis=1, keepdims=True), np.float32)


def read_here(path: Path, *, name: str, limits: Limits, folder: Path | None) -> Extraction:
    """Return what the confined process would read, without the tenth of a second it takes."""
    return parse_reply(child.answer(FileSource(path, name, limits, folder)))


@dataclass
class Library:
    """A store of documents of a test's own, read in this process unless it is ``confined``."""

    database: Engine
    folder: Path
    embedder: LetterEmbedder | None = None
    confined: bool = False

    @property
    def objects(self) -> FileObjects:
        return FileObjects(self.folder / "objects")

    @cached_property
    def settings(self) -> Settings:
        return Settings(data_folder=self.folder)

    @property
    def pipeline(self) -> Pipeline:
        read = extract if self.confined else read_here
        return Pipeline(self.settings, self.database, self.objects, lambda _: self.embedder, read)

    def store(self, name: str, content: bytes = TARIFF, **fields: str) -> tuple[Document, Outcome]:
        place = lambda key: self.objects.put(key, content)  # noqa: E731 - handed over as one
        digest = hashlib.sha256(content).hexdigest()
        incoming = IncomingFile(
            clean_name(name),
            digest,
            len(content),
            place,
            DocumentFields.model_validate(fields),
            "upload",
            "anna",
        )
        with unit_of_work(self.database) as connection:
            return store_document(connection, incoming)

    def ingest(self, *document_ids: str) -> list[Document]:
        return ingest_documents(
            document_ids, self.pipeline, lambda _done, _total, _label: None
        ).documents

    def add(self, name: str, content: bytes = TARIFF, **fields: str) -> Document:
        return self.ingest(self.store(name, content, **fields)[0].document_id)[0]

    def remove(self, document_id: str) -> list[Document]:
        with unit_of_work(self.database) as connection:
            return remove_document(connection, self.objects, document_id, among=None)

    def files(self) -> set[str]:
        return {path.name for path in (self.folder / "objects").rglob("*") if path.is_file()}

    def rows(self, table: str, what: str = "*") -> list[tuple[object, ...]]:
        with unit_of_work(self.database) as connection:
            # The tests' own words.
            found = [tuple(row) for row in connection.execute(text(f"SELECT {what} FROM {table}"))]  # noqa: S608
        return sorted(found, key=str)

    def empty(self) -> None:
        rmtree(self.folder / "objects", ignore_errors=True)
        with unit_of_work(self.database) as connection:
            connection.execute(
                text("DELETE FROM documents; DELETE FROM vector_removals; DELETE FROM jobs")
            )
