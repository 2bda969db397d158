"""What Luna asks of a store of objects, and what it calls them."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from luna.energy.errors import FULL_DISK, FullError, InvalidInputError, LunaError, MachineError, NotFoundError

# A name that every file system and every S3 server takes as it is, with room for what stands beside it while it is written.
_NAME = r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,199}"
_KEY = re.compile(rf"{_NAME}(/{_NAME})*")
_LONGEST_KEY = 1024  # Source: Amazon S3 User Guide, "Naming Amazon S3 objects"


@dataclass(frozen=True)
class StoredObject:
    """An object as the store lists it: its key, its size, and when it was stored."""

    key: str
    bytes: int
    modified: datetime


def keep_none(_key: str) -> bool:
    """Return that a key is not to be kept."""
    return False


class ObjectStore(Protocol):
    """Keeps bytes by name. A key is names joined by ``/``: letters, digits, ``_``, ``-`` and ``.``, which begins none.

    Invariants:
        An object is there whole or not at all.
        What a key held stays until all of its successor is stored.
    """

    def put(self, key: str, content: bytes) -> None:
        """Store ``content`` under ``key``, in place of what was there; afterwards no crash of this machine loses it.

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
        """Store the joined ``pieces`` as ``put`` does, in little memory however long they are. What ``pieces`` raises leaves nothing behind.

        Raises:
            InvalidInputError: no key.
            UnavailableError: the store is away, or full; pieces that are gone cannot be sent again.
            MachineError: the store cannot be written, or refuses Luna.
        """

    def fetch(self, key: str, path: Path) -> None:
        """Write what is stored under ``key`` to the file ``path``, in little memory however long it is.

        Raises:
            InvalidInputError: no key.
            NotFoundError: nothing is.
            UnavailableError: the store is away; the same call may work later.
            MachineError: the store cannot be read, or refuses Luna; or the file cannot be written.
        """

    def move(self, key: str, target: str) -> None:
        """Store what is under ``key`` under ``target`` instead, in place of what was there; no byte of it passes through this process.

        Raises:
            InvalidInputError: no key.
            NotFoundError: nothing is under ``key``.
            UnavailableError: the store is away, or full; the same call may work later.
            MachineError: the store cannot be written, or refuses Luna.
        """

    def remove(self, key: str) -> None:
        """Forget what is stored under ``key``, where anything is.

        Raises:
            InvalidInputError: no key.
            UnavailableError: the store is away; the same call may work later.
            MachineError: the store cannot be written, or refuses Luna.
        """

    def remove_older(self, folder: str, before: datetime, *, keep: Callable[[str], bool] = keep_none) -> int:
        """Forget what was stored below the key ``folder`` before an instant, but for the keys to ``keep``, and return how many objects that were.

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
        """Return what stands ready, in words. Changes nothing stored and may be called in a process that forks later.

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
    return FullError("the store of objects is full", field="objects", value=place, remedy="Free some space there; nothing was changed.")


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
    return MachineError(f"the object cannot be written to a file: {cause.strerror}", field="path", value=str(path), remedy=remedy)
