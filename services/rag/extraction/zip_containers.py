"""Check archives and Office files from outside before any library opens them."""

import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from zipfile import BadZipFile, ZipFile, ZipInfo

from services.rag.extraction.model import ExtractionError, Limits

_PIECE_BYTES = 1 << 20
_DAMAGES = (
    BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    ValueError,
    OSError,
    OverflowError,
)
_PARTS_OF_OFFICE = 10_000


@contextmanager
def opened(path: Path, limits: Limits, *, most_entries: int) -> Iterator[ZipFile]:
    """Open a container whose declared sizes, number of entries and names are within bounds.

    Raises:
        ExtractionError: ``damaged``, ``encrypted`` or ``too_large``.
    """
    try:
        container = ZipFile(path)
    except _DAMAGES as exc:
        raise ExtractionError(
            "damaged", "The file begins as an Office file or ZIP archive does and is not whole"
        ) from exc
    with container:
        entries = container.infolist()
        if len(entries) > most_entries:
            raise ExtractionError(
                "too_large", f"It holds {len(entries):,} files; at most {most_entries:,} are read"
            )
        if any(entry.flag_bits & 0x1 for entry in entries):
            raise ExtractionError("encrypted", "The file is protected with a password")
        if sum(entry.file_size for entry in entries) > limits.unpacked_bytes:
            raise _too_large(limits)
        for entry in entries:
            name = PurePosixPath(entry.filename.replace("\\", "/"))
            leads_out = name.is_absolute() or ".." in name.parts or entry.filename[1:2] == ":"
            # The upper half of these attributes is the mode of Unix.
            if leads_out or stat.S_ISLNK(entry.external_attr >> 16):
                remedy = "Pack the files anew, without links and paths."
                raise ExtractionError(
                    "damaged", f"“{entry.filename[:100]}” in it points out of the archive", remedy
                )
        yield container


def pieces(container: ZipFile, entry: ZipInfo) -> Iterator[bytes]:
    """Yield the unpacked content of an entry bit by bit.

    Raises:
        ExtractionError: ``damaged``: it cannot be unpacked, or is not as long as declared.
    """
    try:
        with container.open(entry) as file:
            while piece := file.read(_PIECE_BYTES):
                yield piece
    except (*_DAMAGES, RuntimeError) as exc:
        raise ExtractionError("damaged", f"“{entry.filename[:100]}” in it is damaged") from exc


class Allowance:
    """The bytes that may still be unpacked, counted as they come out."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._remaining = limits.unpacked_bytes

    def take(self, count: int) -> None:
        """Count bytes.

        Raises:
            ExtractionError: ``too_large``.
        """
        self._remaining -= count
        if self._remaining < 0:
            raise _too_large(self._limits)


def check_office(path: Path, limits: Limits) -> list[str]:
    """Unpack all parts of an Office file without storing them, and return their names.

    What libraries read afterwards is whole, within bounds, and declares no entities: Office files
    have no document type declarations.
    Source: ECMA-376, part 2, 8.1.4 (XML usage).

    Raises:
        ExtractionError: ``damaged``, ``encrypted`` or ``too_large``.
    """
    allowance = Allowance(limits)
    with opened(path, limits, most_entries=_PARTS_OF_OFFICE) as container:
        for entry in container.infolist():
            is_xml = entry.filename.lower().endswith((".xml", ".rels", ".vml"))
            before = b""
            for piece in pieces(container, entry):
                allowance.take(len(piece))
                # In UTF-16 there is a zero beside each of these letters.
                window = (before + piece).replace(b"\x00", b"") if is_xml else b""
                if b"<!DOCTYPE" in window or b"<!ENTITY" in window:
                    raise ExtractionError(
                        "damaged",
                        (
                            f"“{entry.filename[:100]}” in it declares entities, which Office "
                            "files do not have"
                        ),
                    )
                before = window[-16:]
        return container.namelist()


def _too_large(limits: Limits) -> ExtractionError:
    return ExtractionError("too_large", f"It unpacks to more than {limits.unpacked_bytes:,} bytes")
