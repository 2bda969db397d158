"""Define the store of objects and its keys, and store objects in a folder."""

import errno
import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Protocol
from uuid import uuid4

from luna.energy.errors import (
    FULL_DISK,
    FullError,
    InvalidInputError,
    LunaError,
    MachineError,
    NotFoundError,
)
from luna.platform.private_folders import make_private

# A name that every file system and S3 server accepts, with room for the suffix of an unfinished
# file.
_NAME = r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,199}"
_KEY = re.compile(rf"{_NAME}(/{_NAME})*")
_LONGEST_KEY = 1024  # Source: Amazon S3 User Guide, "Naming Amazon S3 objects"


@dataclass(frozen=True)
class StoredObject:
    """A listed object: its key, its size, and when it was stored."""

    key: str
    bytes: int
    modified: datetime


def keep_none(_key: str) -> bool:
    """Return False: no key is kept."""
    return False


class ObjectStore(Protocol):
    """Keeps bytes by name.

    A key is names joined by ``/``: letters, digits, ``_``, ``-`` and ``.``, which begins none.

    Invariants:
        An object is there whole or not at all.
        What a key held stays until all of its successor is stored.
    """

    def put(self, key: str, content: bytes) -> None:
        """Store ``content`` under ``key``, in place of what was there.

        Afterwards no crash of this machine loses it.

        Raises:
            InvalidInputError: no key.
            UnavailableError: the store is away, or full; the same call may work later.
            MachineError: the store cannot be written, or refuses Luna.
        """

    def get(self, key: str) -> bytes:
        """Return what is stored under ``key``.

        Raises:
            InvalidInputError: no key.
            NotFoundError: nothing is.
            UnavailableError: the store is away; the same call may work later.
            MachineError: the store cannot be read, or refuses Luna.
        """

    def put_stream(self, key: str, pieces: Iterable[bytes]) -> None:
        """Store the joined ``pieces`` as ``put`` does, in little memory however long they are.

        What ``pieces`` raises leaves nothing behind.

        Raises:
            InvalidInputError: no key.
            UnavailableError: the store is away, or full; pieces that are gone cannot be sent again.
            MachineError: the store cannot be written, or refuses Luna.
        """

    def fetch(self, key: str, path: Path) -> None:
        """Write the object ``key`` to the file ``path``, in little memory however long it is.

        Raises:
            InvalidInputError: no key.
            NotFoundError: nothing is.
            UnavailableError: the store is away; the same call may work later.
            MachineError: the store cannot be read, or refuses Luna; or the file cannot be written.
        """

    def move(self, key: str, target: str) -> None:
        """Move an object from ``key`` to ``target``, replacing any that is there.

        No byte of it passes through this process.

        Raises:
            InvalidInputError: no key.
            NotFoundError: nothing is under ``key``.
            UnavailableError: the store is away, or full; the same call may work later.
            MachineError: the store cannot be written, or refuses Luna.
        """

    def remove(self, key: str) -> None:
        """Delete the object ``key``, if there is one.

        Raises:
            InvalidInputError: no key.
            UnavailableError: the store is away; the same call may work later.
            MachineError: the store cannot be written, or refuses Luna.
        """

    def remove_older(
        self, folder: str, before: datetime, *, keep: Callable[[str], bool] = keep_none
    ) -> int:
        """Delete the objects stored below ``folder`` before an instant, and return their number.

        The keys to ``keep`` stay.

        Raises:
            InvalidInputError: no key.
            UnavailableError: the store is away; the same call may work later.
            MachineError: the store cannot be written, or refuses Luna.
        """

    def list_all(self) -> list[StoredObject]:
        """Return every object, by key.

        Raises:
            UnavailableError: the store is away; the same call may work later.
            MachineError: the store cannot be read, or refuses Luna.
        """

    def probe(self) -> str:
        """Return the place where objects are stored.

        Changes nothing stored and may be called in a process that forks later.

        Raises:
            UnavailableError: the store is away.
            MachineError: the store cannot be written, or refuses Luna.
        """


def check_key(key: str) -> str:
    """Return ``key``.

    Raises:
        InvalidInputError: it is none; above all, it never leads out of a folder.
    """
    if len(key) > _LONGEST_KEY or not _KEY.fullmatch(key):
        remedy = "Join names by `/`: letters, digits, `_`, `-` and `.`, which may not begin a name."
        raise InvalidInputError("this is no object's key", field="key", value=key, remedy=remedy)
    return key


def missing(key: str) -> NotFoundError:
    """Return the error about a key that holds nothing."""
    return NotFoundError("no such object", field="key", value=key)


def full(place: str) -> FullError:
    """Return the error about a store that has no room left."""
    return FullError(
        "the store of objects is full",
        field="objects",
        value=place,
        remedy="Free some space there; nothing was changed.",
    )


def copy_to(path: Path, pieces: Iterable[bytes]) -> None:
    """Write ``pieces`` to a file.

    Raises:
        FullError: its disk is full.
        MachineError: it cannot be written.
    """
    try:
        file = path.open("wb")
    except OSError as exc:
        raise _unwritable(path, exc) from exc
    with file:
        for piece in pieces:
            try:
                file.write(piece)
            except OSError as exc:
                raise _unwritable(path, exc) from exc


def _unwritable(path: Path, cause: OSError) -> LunaError:
    if cause.errno in FULL_DISK:
        return full(str(path.parent))
    remedy = "Check who may write there."
    return MachineError(
        f"the object cannot be written to a file: {cause.strerror}",
        field="path",
        value=str(path),
        remedy=remedy,
    )


PIECE_BYTES = 1_000_000


@dataclass(frozen=True)
class FileObjects:
    """An ``ObjectStore`` of files below ``folder``, which is made when it is needed.

    No key is the folder of another.
    """

    folder: Path

    def put(self, key: str, content: bytes) -> None:
        """Store ``content``: written beside its place, then moved there."""
        self.put_stream(key, (content,))

    def put_stream(self, key: str, pieces: Iterable[bytes]) -> None:
        """Store the joined ``pieces`` as ``put`` does."""
        path = self.folder / check_key(key)
        unfinished = path.with_name(f".{uuid4().hex}.part")
        try:
            self._make_parents(path)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            with os.fdopen(os.open(unfinished, flags, 0o600), "wb") as file:
                for piece in pieces:
                    file.write(piece)
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(path)
            self._sync_folders(path)
        except OSError as exc:
            raise _translate(exc, path) from exc
        finally:
            with suppress(OSError):
                unfinished.unlink(missing_ok=True)

    def get(self, key: str) -> bytes:
        """Return what is stored under ``key``."""
        path = self.folder / check_key(key)
        try:
            return path.read_bytes()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as exc:
            raise missing(key) from exc
        except OSError as exc:
            raise _translate(exc, path) from exc

    def fetch(self, key: str, path: Path) -> None:
        """Copy what is stored under ``key`` to ``path``."""
        stored = self.folder / check_key(key)
        try:
            with stored.open("rb") as file:
                copy_to(path, iter(partial(file.read, PIECE_BYTES), b""))
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as exc:
            raise missing(key) from exc
        except OSError as exc:
            raise _translate(exc, stored) from exc

    def move(self, key: str, target: str) -> None:
        """Rename the file, which is there under one of both names at any time."""
        path = self.folder / check_key(key)
        place = self.folder / check_key(target)
        try:
            self._make_parents(place)
            path.replace(place)
            self._sync_folders(place)
        except FileNotFoundError as exc:
            raise missing(key) from exc
        except OSError as exc:
            raise _translate(exc, place) from exc

    def remove(self, key: str) -> None:
        """Unlink the file."""
        path = self.folder / check_key(key)
        try:
            path.unlink(missing_ok=True)
        except (NotADirectoryError, IsADirectoryError):
            return
        except OSError as exc:
            raise _translate(exc, path) from exc

    def remove_older(
        self, folder: str, before: datetime, *, keep: Callable[[str], bool] = keep_none
    ) -> int:
        """Unlink the older files, also those that a crash left unfinished."""
        place = self.folder / check_key(folder)
        try:
            old_files = []
            for path in place.rglob("*"):
                if not path.is_file() or path.stat().st_mtime >= before.timestamp():
                    continue
                if not keep(path.relative_to(self.folder).as_posix()):
                    old_files.append(path)
            for path in old_files:
                path.unlink(missing_ok=True)
        except OSError as exc:
            raise _translate(exc, place) from exc
        return len(old_files)

    def list_all(self) -> list[StoredObject]:
        """Return the files, but for those that are still written."""
        return sorted(self._entries(), key=lambda entry: entry.key)

    def _entries(self) -> Iterator[StoredObject]:
        for path in self.folder.rglob("*"):
            try:
                facts = path.stat()
            except FileNotFoundError:
                continue
            if stat.S_ISREG(facts.st_mode) and not path.name.startswith("."):
                yield StoredObject(
                    path.relative_to(self.folder).as_posix(),
                    facts.st_size,
                    datetime.fromtimestamp(facts.st_mtime, UTC),
                )

    def probe(self) -> str:
        """Create the folder if needed, and return it."""
        try:
            make_private(self.folder)
        except OSError as exc:
            raise _translate(exc, self.folder) from exc
        if not os.access(self.folder, os.W_OK | os.X_OK):
            raise _translate(PermissionError(errno.EACCES, os.strerror(errno.EACCES)), self.folder)
        return str(self.folder)

    def _make_parents(self, path: Path) -> None:
        make_private(self.folder)
        make_private(path.parent)

    def _sync_folders(self, path: Path) -> None:
        # A power failure loses a new file or folder until its parent folder is synced too.
        for folder in path.parents:
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            if folder == self.folder.parent:
                return


def _translate(cause: OSError, path: Path) -> LunaError:
    if cause.errno in FULL_DISK:
        return full(str(path.parent))
    return MachineError(
        f"objects cannot be kept here: {cause.strerror}",
        field="data_folder",
        value=str(path),
        remedy="Check who may read and write there.",
    )
