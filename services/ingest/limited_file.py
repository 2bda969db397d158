"""Streaming reads of uploaded files, gzip included, within limits.

The limits are bytes, rows and line length, so that a decompression bomb is refused early.
"""

import codecs
import gzip
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

import numpy as np
import polars as pl

from luna.energy.refusals import refuse
from luna.platform.settings import Settings

BLOCK_BYTES = 4_000_000
BATCH_ROWS = 65_536
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class FileLimits:
    """Limits of a file's unpacked content. Parquet has no lines."""

    max_bytes: int = Settings.model_fields["load_max_bytes"].default
    max_rows: int = Settings.model_fields["load_max_rows"].default
    max_line_bytes: int = Settings.model_fields["load_max_line_bytes"].default

    @classmethod
    def of(cls, settings: Settings) -> "FileLimits":
        """Return the limits of the settings."""
        return cls(settings.load_max_bytes, settings.load_max_rows, settings.load_max_line_bytes)


class LimitedFile:
    """A file read within limits, beyond which reads raise InvalidInputError.

    Transcoded to UTF-8 where ``encoding`` names its encoding, else raw.
    """

    def __init__(
        self, file: IO[bytes], path: Path, limits: FileLimits, *, encoding: str | None = None
    ) -> None:
        self._file = file
        self.path = path
        self.limits = limits
        self._decoder = (
            None if encoding is None else codecs.getincrementaldecoder(encoding)("replace")
        )
        self._bytes = 0

    @property
    def is_packed(self) -> bool:
        """Whether it is compressed."""
        return isinstance(self._file, gzip.GzipFile)

    def read(self, size: int) -> bytes:
        """Return the next ``size`` bytes, fewer at the end; transcoded they may be more."""
        piece = self._count(self._file.read(size))
        if self._decoder is None:
            return piece
        # A piece that ends within a character may decode to nothing: empty means the end only
        # without input.
        while not (text := self._decoder.decode(piece, final=not piece)) and piece:
            piece = self._count(self._file.read(size))
        return text.encode()

    def readline(self, size: int) -> bytes:
        """Return the next line, its first ``size`` bytes at most."""
        return self._count(self._file.readline(size))

    def seek(self, place: int) -> None:
        """Set the position in a file that is not compressed."""
        self._file.seek(place)

    def require_short(self, lines: bytes) -> None:
        """Raise if one of the lines is too long."""
        ends = np.flatnonzero(np.frombuffer(lines, dtype=np.uint8) == ord("\n"))
        longest = int(np.diff(ends, prepend=-1, append=len(lines)).max()) - 1
        if longest > self.limits.max_line_bytes:
            raise refuse("line-too-long", field=str(self.path), most=self.limits.max_line_bytes)

    def blocks(self, *, first_line: int, head: bytes = b"") -> Iterator[tuple[int, bytes]]:
        """Yield blocks of whole lines from ``head`` on, with the number of their first line."""
        line = first_line
        rest = head
        while block := self.read(BLOCK_BYTES):
            self.require_short(rest + block)
            whole, newline, tail = (rest + block).rpartition(b"\n")
            rest = tail
            if newline:
                yield line, whole + newline
                line += whole.count(b"\n") + 1
        if rest.strip():
            yield line, rest

    def _count(self, piece: bytes) -> bytes:
        self._bytes += len(piece)
        if self._bytes > self.limits.max_bytes:
            raise refuse("file-too-large", field=str(self.path), most=self.limits.max_bytes)
        return piece


@contextmanager
def open_limited(
    path: Path, limits: FileLimits, *, encoding: str | None = None
) -> Iterator[LimitedFile]:
    """Open a file; gzip is recognised by content, not by name."""
    with path.open("rb") as file:
        packed = file.read(len(_GZIP)) == _GZIP
    with cast("IO[bytes]", gzip.open(path)) if packed else path.open("rb") as opened:
        yield LimitedFile(opened, path, limits, encoding=encoding)


@contextmanager
def refuse_unreadable(path: Path) -> Iterator[None]:
    """Translate errors of reading a file.

    Raises:
        InvalidInputError: the file is damaged, missing or not readable.
    """
    try:
        yield
    except (EOFError, zlib.error, gzip.BadGzipFile) as exc:
        raise refuse("file-damaged", field=str(path), why=exc) from exc
    except OSError as exc:
        raise refuse("file-unreadable", field=str(path), why=exc.strerror or exc) from exc


def within_rows(
    frames: Iterable[pl.DataFrame], path: Path, limits: FileLimits
) -> Iterator[pl.DataFrame]:
    """Yield the frames of a file within the limit of rows.

    Raises:
        InvalidInputError: the file has more rows.
    """
    rows = 0
    for frame in frames:
        rows += frame.height
        if rows > limits.max_rows:
            raise refuse("too-many-rows", field=str(path), most=limits.max_rows)
        yield frame
