"""Files of this machine into the store of objects, each as a document."""

import hashlib
import json
from collections.abc import Iterator
from functools import partial
from importlib.resources import files
from pathlib import Path

from luna.contracts.documents import DocumentFields, DocumentSource
from luna.documents import IncomingFile
from luna.errors import InvalidInputError
from luna.objects import ObjectStore

PIECE_BYTES = 1_000_000


def read_file(path: Path, objects: ObjectStore, *, name: str, source: DocumentSource, added_by: str) -> IncomingFile:
    """Return a file as it is to be stored, without what its owner says of it.

    Raises:
        InvalidInputError: it cannot be read.
    """
    digest, size = hashlib.sha256(), 0
    try:
        for piece in _pieces(path):
            digest.update(piece)
            size += len(piece)
    except OSError as exc:
        raise InvalidInputError(f"cannot be read: {exc.strerror}", field=str(path), remedy="Name a readable file.") from exc
    return IncomingFile(
        name=name,
        sha256=digest.hexdigest(),
        size_bytes=size,
        place=lambda key: objects.put_stream(key, _pieces(path)),
        fields=DocumentFields(),
        source=source,
        added_by=added_by,
    )


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from iter(partial(file.read, PIECE_BYTES), b"")


def list_examples() -> list[tuple[Path, DocumentFields]]:
    """Return the documents that ship with Luna, and what is said of each."""
    folder = Path(str(files("services.rag"))) / "examples"
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return [(folder / "documents" / each.pop("name"), DocumentFields.model_validate(each)) for each in manifest]
