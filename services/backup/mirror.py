"""Copies of stored objects in the backup folder, deduplicated by content.

They can be put back into the object store.
"""

import hashlib
import json
import tempfile
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from luna.energy.errors import MachineError, NotFoundError
from luna.platform.objects import ObjectStore
from luna.platform.private_folders import make_private
from services.backup.encryption import PIECE_BYTES, damaged
from services.backup.folder import BackupFolder, Manifest, ObjectEntry

SUFFIX = ".age"
PASSES = "passes"
_INSTANT = "%Y%m%dT%H%M%S%fZ"


class ObjectMirror:
    """Copies new objects; those with unchanged size and modification time are not read again."""

    def __init__(self, folder: BackupFolder, objects: ObjectStore, scratch: Path) -> None:
        self._folder = folder
        self._objects = objects
        self._scratch = scratch
        self._entries: dict[str, ObjectEntry] | None = None

    def copy_new(self, now: datetime) -> tuple[ObjectEntry, ...]:
        """Copy new objects, record them as a pass, and return the store's objects.

        Raises:
            LunaError: the store is away, or the folder cannot be written.
        """
        copied = self._entries
        if copied is None:
            copied = _read_copied(self._folder)
        entries = {}
        new = []
        for stored in self._objects.list_all():
            entry = copied.get(stored.key)
            if entry is None or (entry.bytes, entry.modified) != (stored.bytes, stored.modified):
                try:
                    entry = ObjectEntry(
                        key=stored.key,
                        copy_name=self._copy(stored.key),
                        bytes=stored.bytes,
                        modified=stored.modified,
                    )
                except NotFoundError:
                    # Deleted since it was listed.
                    continue
                new.append(entry)
            entries[stored.key] = entry
        if new:
            place = self._folder.objects / PASSES
            make_private(place)
            content = json.dumps([entry.model_dump(mode="json") for entry in new])
            path = place / f"{now.strftime(_INSTANT)}.json.age"
            self._folder.key.seal_bytes(content.encode(), path)
        self._entries = entries
        return tuple(entries.values())

    def _copy(self, key: str) -> str:
        make_private(self._scratch)
        with tempfile.TemporaryDirectory(dir=self._scratch) as scratch:
            path = Path(scratch) / "object"
            self._objects.fetch(key, path)
            name = self._folder.key.name_of(_digest(path))
            place = copy_of(self._folder, name)
            if not place.exists():
                make_private(place.parent)
                with path.open("rb") as source:
                    self._folder.key.seal(source, place)
        return name


def copy_of(folder: BackupFolder, name: str) -> Path:
    """Return the path of an object's copy."""
    return folder.objects / name[:2] / f"{name}{SUFFIX}"


def entries_at(
    folder: BackupFolder, manifest: Manifest, instant: datetime | None
) -> tuple[ObjectEntry, ...]:
    """Return the objects of a backup.

    With ``instant`` also those added since, up to the instant.
    """
    entries = {entry.key: entry for entry in manifest.objects}
    if instant is None:
        return tuple(entries.values())
    for path in sorted((folder.objects / PASSES).glob("*.json.age")):
        if manifest.started_at <= _instant_of(path) <= instant:
            entries |= {entry.key: entry for entry in _read_pass(folder, path)}
    return tuple(entries.values())


def put_back(
    folder: BackupFolder, entries: Iterable[ObjectEntry], objects: ObjectStore, scratch: Path
) -> int:
    """Store missing and different objects again, and return their number.

    Additional objects stay, for no row refers to them.

    Raises:
        LunaError: a copy is damaged, or the store is away or full.
    """
    stored_bytes = {stored.key: stored.bytes for stored in objects.list_all()}
    make_private(scratch)
    count = 0
    for entry in entries:
        if stored_bytes.get(entry.key) == entry.bytes and _is_same(folder, entry, objects, scratch):
            continue
        with folder.key.reading(copy_of(folder, entry.copy_name)) as source:
            objects.put_stream(entry.key, iter(partial(source.read, PIECE_BYTES), b""))
        count += 1
    return count


def check_copies(folder: BackupFolder, entries: Iterable[ObjectEntry]) -> int:
    """Decrypt every copy and compare its digest with its name; return their bytes.

    Raises:
        MachineError: a copy is missing or damaged.
    """
    total = 0
    for entry in entries:
        path = copy_of(folder, entry.copy_name)
        digest = hashlib.sha256()
        with folder.key.reading(path) as source:
            for piece in iter(partial(source.read, PIECE_BYTES), b""):
                digest.update(piece)
                total += len(piece)
        if folder.key.name_of(digest.hexdigest()) != entry.copy_name:
            raise damaged(path, "it holds another object")
    return total


def prune_copies(folder: BackupFolder, manifests: Iterable[Manifest], since: datetime) -> int:
    """Delete passes before ``since``, and copies without a reference.

    Return the number of copies.
    """
    named: set[str] = set()
    for manifest in manifests:
        named.update(entry.copy_name for entry in manifest.objects)
    for path in (folder.objects / PASSES).glob("*.json.age"):
        if _instant_of(path) < since:
            path.unlink(missing_ok=True)
        else:
            named |= {entry.copy_name for entry in _read_pass(folder, path)}
    copies = folder.objects.glob(f"??/*{SUFFIX}")
    unnamed = [path for path in copies if path.name.removesuffix(SUFFIX) not in named]
    for path in unnamed:
        path.unlink(missing_ok=True)
    return len(unnamed)


def _is_same(folder: BackupFolder, entry: ObjectEntry, objects: ObjectStore, scratch: Path) -> bool:
    with tempfile.TemporaryDirectory(dir=scratch) as place:
        path = Path(place) / "object"
        objects.fetch(entry.key, path)
        return folder.key.name_of(_digest(path)) == entry.copy_name


def _read_copied(folder: BackupFolder) -> dict[str, ObjectEntry]:
    entries: list[ObjectEntry] = []
    ids = folder.list_ids()
    if ids:
        entries += folder.read(ids[-1]).objects
    for path in sorted((folder.objects / PASSES).glob("*.json.age")):
        entries += _read_pass(folder, path)
    # A key's last entry counts.
    latest = {entry.key: entry for entry in entries}
    copied = [entry for entry in latest.values() if copy_of(folder, entry.copy_name).exists()]
    return {entry.key: entry for entry in copied}


def _read_pass(folder: BackupFolder, path: Path) -> list[ObjectEntry]:
    return [ObjectEntry.model_validate(document) for document in json.loads(folder.key.read(path))]


def _instant_of(path: Path) -> datetime:
    return datetime.strptime(path.name.removesuffix(".json.age"), _INSTANT).replace(tzinfo=UTC)


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as exc:
        raise MachineError(
            f"an object cannot be read: {exc.strerror}", value=str(path), remedy="Check the disk."
        ) from exc
