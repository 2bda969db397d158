"""Objects as files of one folder."""

import errno
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from uuid import uuid4

from luna.energy.errors import FULL_DISK, LunaError, MachineError
from luna.platform.objects.store import StoredObject, check_key, copy_to, full, keep_none, missing
from luna.platform.private_folders import make_private

PIECE_BYTES = 1_000_000


@dataclass(frozen=True)
class FileObjects:
    """An ``ObjectStore`` of files below ``folder``, which is made when it is needed. No key is the folder of another."""

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
            with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as file:
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
        path, place = self.folder / check_key(key), self.folder / check_key(target)
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

    def remove_older(self, folder: str, before: datetime, *, keep: Callable[[str], bool] = keep_none) -> int:
        """Unlink the older files, also those that a crash left unfinished."""
        place = self.folder / check_key(folder)
        try:
            old = [path for path in place.rglob("*") if path.is_file() and path.stat().st_mtime < before.timestamp()]
            old = [path for path in old if not keep(path.relative_to(self.folder).as_posix())]
            for path in old:
                path.unlink(missing_ok=True)
        except OSError as exc:
            raise _translate(exc, place) from exc
        return len(old)

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
                yield StoredObject(path.relative_to(self.folder).as_posix(), facts.st_size, datetime.fromtimestamp(facts.st_mtime, UTC))

    def probe(self) -> str:
        """Return where the files lie, made ready to be written."""
        try:
            make_private(self.folder)
        except OSError as exc:
            raise _translate(exc, self.folder) from exc
        if not os.access(self.folder, os.W_OK | os.X_OK):
            raise _translate(PermissionError(errno.EACCES, os.strerror(errno.EACCES)), self.folder)
        return f"files in {self.folder}"

    def _make_parents(self, path: Path) -> None:
        make_private(self.folder)
        make_private(path.parent)

    def _sync_folders(self, path: Path) -> None:
        # A new file, or folder, is lost with the power until the folder that names it is written too.
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
    return MachineError(f"objects cannot be kept here: {cause.strerror}", field="data_folder", value=str(path), remedy="Check who may read and write there.")
