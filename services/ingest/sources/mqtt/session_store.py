"""State on disk that survives a restart: the client's name, descriptions and begun messages."""

import hashlib
import json
import os
import re
import uuid
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any

import structlog

from luna.energy.errors import MachineError
from luna.energy.refusals import refuse
from luna.platform.private_folders import make_private

# Messages that a broker may send before an acknowledgement: only these can come a second time.
UNDER_WAY = 1000
_REMEMBERED = 4 * UNDER_WAY
_LONGEST = 50 * UNDER_WAY
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LINE = re.compile(r"(?P<number>\d{1,9}) (?P<digest>\w+) (?P<micros>-?\d{1,17}) ;", re.ASCII)

log = structlog.get_logger("luna.ingest.mqtt")


@contextmanager
def _written(path: Path) -> Iterator[None]:
    """Convert faults of the disk; a source that raises MachineError is tried again later."""
    try:
        yield
    except OSError as exc:
        why = exc.strerror or str(exc)
        raise refuse(
            "listening-notes-unwritable", field="data_folder", value=str(path), why=why
        ) from exc


class Session:
    """The client's name, the devices' descriptions and the subscribed topics, kept across restarts.

    A message that the broker stored for Luna can be read only if its description is known before it
    comes.

    Raises:
        MachineError: the folder cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / "session.json"
        try:
            make_private(folder)
            document = None
            with suppress(FileNotFoundError, ValueError):
                document = json.loads(self._path.read_text(encoding="utf-8"))
            stored: dict[str, Any] = document if isinstance(document, dict) else {}
            self.identifier = str(stored.get("identifier") or f"luna-{uuid.uuid4().hex[:12]}")
            self.descriptions: dict[str, str] = stored.get("descriptions", {})
            self.topics = frozenset(stored.get("topics", ()))
            self.save(self.descriptions, self.topics)
        except OSError as exc:
            remedy = "Make the folder writable for Luna, or name another with LUNA_DATA_FOLDER."
            raise MachineError(
                f"what MQTT needs to remember cannot be written: {exc.strerror}",
                value=str(folder),
                remedy=remedy,
            ) from exc

    def save(self, descriptions: dict[str, str], topics: frozenset[str]) -> None:
        """Save descriptions and topics; they are on disk when this returns.

        Raises:
            MachineError: the disk is full or failing.
        """
        self.descriptions = descriptions
        self.topics = topics
        document = {
            "identifier": self.identifier,
            "descriptions": descriptions,
            "topics": sorted(topics),
        }
        fresh = self._path.with_suffix(".new")
        with _written(self._path), fresh.open("w", encoding="utf-8") as file:
            json.dump(document, file)
            _flush(file)
        with _written(self._path):
            fresh.replace(self._path)


class Journal:
    """The instants of messages that are being recorded, by their number at the broker.

    A message whose acknowledgement was lost comes again and gets its first instant: it is the same
    reading, not a second one.
    """

    def __init__(self, folder: Path) -> None:
        make_private(folder)
        self._path = folder / "journal.txt"
        self._begun: OrderedDict[int, tuple[str, datetime]] = OrderedDict()
        lines: list[str] = []
        with suppress(FileNotFoundError, UnicodeDecodeError):
            lines = self._path.read_text(encoding="ascii").splitlines()
        for line in lines[-_REMEMBERED:]:
            match = _LINE.fullmatch(line)
            # A full disk or a power cut may have truncated a line.
            if match is not None:
                instant = _EPOCH + int(match["micros"]) * _MICROSECOND
                self._remember(int(match["number"]), match["digest"], instant)
        self._written = _LONGEST
        self._file: IO[str] | None = None

    def instant_of(self, number: int, digest: str) -> datetime | None:
        """Return the first instant of a repeated message, or None if it is unknown."""
        entry = self._begun.get(number)
        if entry is None:
            return None
        begun_digest, instant = entry
        return instant if begun_digest == digest else None

    def write(self, entries: list[tuple[int, str, datetime]]) -> None:
        """Write messages down before they are recorded; they are on disk when this returns.

        Raises:
            MachineError: the disk is full or failing.
        """
        for entry in entries:
            self._remember(*entry)
        if self._written >= _LONGEST:
            self._renew()
            return
        try:
            with _written(self._path):
                self._file = self._file or self._path.open("a", encoding="ascii")
                self._file.writelines(_line(*entry) for entry in entries)
                _flush(self._file)
        except MachineError:
            # The last line may be incomplete: the next ones go into a new file.
            self._written = _LONGEST
            raise
        self._written += len(entries)

    def forget(self) -> None:
        """Drop everything, since the broker numbers its messages from the start."""
        self._begun.clear()
        self._renew()

    def close(self) -> None:
        """Close the file; unwritten lines are lost."""
        if self._file is not None:
            with suppress(OSError):
                self._file.close()
            self._file = None

    def _renew(self) -> None:
        self.close()
        fresh = self._path.with_suffix(".new")
        with _written(self._path):
            with fresh.open("w", encoding="ascii") as file:
                file.writelines(_line(number, *rest) for number, rest in self._begun.items())
                _flush(file)
            fresh.replace(self._path)
        self._written = len(self._begun)

    def _remember(self, number: int, digest: str, instant: datetime) -> None:
        self._begun.pop(number, None)
        self._begun[number] = digest, instant
        while len(self._begun) > _REMEMBERED:
            self._begun.popitem(last=False)


def digest_of(topic: str, payload: bytes) -> str:
    """Return a digest that distinguishes messages."""
    return hashlib.blake2b(topic.encode() + b"\0" + payload, digest_size=12).hexdigest()


def _line(number: int, digest: str, instant: datetime) -> str:
    return f"{number} {digest} {(instant - _EPOCH) // _MICROSECOND} ;\n"


def _flush(file: IO[str]) -> None:
    file.flush()
    os.fsync(file.fileno())
