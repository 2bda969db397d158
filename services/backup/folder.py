"""The backup folder: layout, manifests, locks and status.

Each backup is complete or absent, log and objects are shared by all.

``backups/<id>/`` holds ``base.tar.gz.age``, ``settings.tar.gz.age`` and ``manifest.json.age``; the
manifest is written last. ``wal/<cluster>/`` holds the
write-ahead log, ``objects/`` each object once. All content is encrypted; plain are ``recipient``
(the public key) and ``status.json`` (facts for monitors: instants, sizes, names of segments and
codes of errors).
"""

import fcntl
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field, ValidationError

from luna.contracts.message import Message
from luna.energy.errors import ConflictError, InvalidInputError, MachineError, NotFoundError
from luna.energy.timeline import parse_instant
from luna.platform.private_folders import make_private
from luna.platform.settings import Settings
from services.backup.encryption import BackupKey, damaged, open_key, unwritable

FORMAT = 1
BASE = "base.tar.gz.age"
OWNER_FILES = "settings.tar.gz.age"
MANIFEST = "manifest.json.age"
NEWEST = "newest"
LATEST = "latest"
MOST_GAPS = 100
# Recovery target: the end of the log.
END = datetime.max.replace(tzinfo=UTC)
_ID = re.compile(r"\d{8}T\d{6}Z")
Reason = Literal["scheduled", "asked", "before restore"]


class FileEntry(Message):
    """A file of a backup as it lies encrypted on the disk."""

    bytes: int
    sha256: str


class TableEntry(Message):
    """Contents of a table at the point of the backup.

    Without a checksum it was too long to be read.
    """

    rows: int
    checksum: str | None = None


class ObjectEntry(Message):
    """A stored object: its key, and the name of its copy in the folder."""

    key: str
    copy_name: str
    bytes: int
    modified: AwareDatetime


class Manifest(Message):
    """The content of a backup, to compare a restored one with."""

    format: int = FORMAT
    backup_id: str
    reason: Reason
    started_at: AwareDatetime
    finished_at: AwareDatetime
    luna_version: str
    schema_revision: str | None
    postgres_version: Annotated[int, Field(description="as server_version_num says it")]
    extensions: Mapping[str, str]
    system_identifier: str
    timeline: int
    segment_bytes: int
    restore_point: str
    restore_lsn: int
    first_segment: str
    last_segment: str
    database_bytes: int
    tables: Mapping[str, TableEntry]
    exact: Annotated[
        bool,
        Field(
            description=(
                "whether nobody wrote while the point was named; else tables are not compared"
            )
        ),
    ]
    files: Mapping[str, FileEntry]
    objects: tuple[ObjectEntry, ...]
    rebuilt: Annotated[
        tuple[str, ...],
        Field(description="what is derived from the rest and made anew after a restore"),
    ] = ("vectors",)

    @property
    def rows(self) -> int:
        """Number of rows of all tables."""
        return sum(entry.rows for entry in self.tables.values())

    @property
    def bytes(self) -> int:
        """Size of all files, bytes."""
        return sum(entry.bytes for entry in self.files.values())


@dataclass(frozen=True)
class BackupFolder:
    """The backup folder and its key."""

    root: Path
    key: BackupKey

    @property
    def backups(self) -> Path:
        return self.root / "backups"

    @property
    def objects(self) -> Path:
        return self.root / "objects"

    def wal(self, system_identifier: str) -> Path:
        """Return the folder of a cluster's write-ahead log."""
        return self.root / "wal" / system_identifier

    def list_ids(self) -> list[str]:
        """Return the ids of the complete backups, the oldest first."""
        paths = self.backups.iterdir() if self.backups.is_dir() else ()
        named = [path for path in paths if _ID.fullmatch(path.name)]
        return sorted(path.name for path in named if (path / MANIFEST).exists())

    def read(self, backup_id: str) -> Manifest:
        """Return the manifest of a backup.

        Raises:
            NotFoundError: there is no such backup.
            ConflictError: a newer Luna made it.
            InvalidInputError: it was encrypted with another key.
            MachineError: it is damaged.
        """
        path = self.backups / backup_id / MANIFEST
        if not _ID.fullmatch(backup_id) or not path.exists():
            raise NotFoundError(
                "there is no such backup",
                field="backup",
                value=backup_id,
                remedy="See luna backup list.",
            )
        try:
            document = json.loads(self.key.read(path))
            if document.get("format", 0) > FORMAT:
                raise newer(backup_id, document.get("luna_version", "?"))
            return Manifest.model_validate(document)
        except (ValueError, ValidationError, AttributeError) as exc:
            raise damaged(path, "it is no manifest") from exc

    def choose(self, at: str) -> tuple[Manifest, datetime | None]:
        """Return the base backup and the instant to stop recovery at.

        None: the backup's own restore point.

        Args:
            at: ``newest``, ``latest``, the id of a backup, or an instant.

        Raises:
            NotFoundError: no backup is that old, or there is none.
            ConflictError: the log has a gap before the instant.
        """
        ids = self.list_ids()
        if not ids:
            raise NotFoundError(
                "there is no backup yet",
                field="backup_folder",
                value=str(self.root),
                remedy="Make one: luna backup create.",
            )
        if at == NEWEST or _ID.fullmatch(at):
            return self.read(ids[-1] if at == NEWEST else at), None
        instant = END if at == LATEST else parse_instant(at, field="at")
        newest_first = map(self.read, reversed(ids))
        old_enough = (backup for backup in newest_first if backup.finished_at <= instant)
        manifest = next(old_enough, None)
        if manifest is None:
            raise NotFoundError(
                "no backup is that old", field="at", value=at, remedy=f"The oldest is {ids[0]}."
            )
        all_gaps = map(datetime.fromisoformat, self.read_status().get("gaps", []))
        gaps = [gap for gap in all_gaps if manifest.finished_at < gap <= instant]
        # ``latest`` is the end of the existing log, on any timeline.
        if gaps and at != LATEST:
            remedy = (
                f"Name an instant before it, or {manifest.backup_id}; or make a backup now, "
                "from which on everything can be restored again."
            )
            raise ConflictError(
                f"the write-ahead log does not go on over {gaps[0]:%Y-%m-%d %H:%M:%S} UTC",
                field="at",
                value=str(instant),
                remedy=remedy,
            )
        return manifest, instant

    def note_gap(self, now: datetime) -> None:
        """Record a gap of the log at ``now``.

        Later instants can only be restored from a backup made after it.
        """
        gaps = [*self.read_status().get("gaps", []), now.isoformat()]
        self.note(
            gap=True,
            gaps=gaps[-MOST_GAPS:],
            wal_at=None,
            wal_lsn=None,
            wal_timeline=None,
        )

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Lock the folder: one process at a time adds or deletes backups.

        Raises:
            ConflictError: another process holds the lock.
            MachineError: the folder cannot be written.
        """
        with self._locked("lock") as mine:
            if not mine:
                remedy = "Wait for it to end: luna backup list."
                raise ConflictError(
                    "another backup or restore is under way",
                    field="backup_folder",
                    value=str(self.root),
                    remedy=remedy,
                )
            # Leftovers of a killed backup: under the lock no other process writes them.
            for path in (*self.backups.glob(".*"), *self.objects.glob(".*.part")):
                shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
            yield

    @contextmanager
    def unfinished(self, backup_id: str) -> Iterator[Path]:
        """Yield a folder to fill.

        It becomes the backup at the end, and is deleted after an error.
        """
        folder = self.backups / f".{backup_id}"
        try:
            make_private(self.backups)
            folder.mkdir(mode=0o700)
            yield folder
            _sync(folder)
            folder.rename(self.backups / backup_id)
            _sync(self.backups)
        except OSError as exc:
            raise unwritable(folder, exc) from exc
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def remove(self, backup_id: str) -> None:
        """Delete a backup, renamed first so that a half-deleted one is not listed."""
        discarded = self.backups / f".{backup_id}"
        (self.backups / backup_id).rename(discarded)
        shutil.rmtree(discarded)

    def read_status(self) -> dict[str, Any]:
        """Return the recorded facts about the last backup, drill and shipped log by name."""
        try:
            document = json.loads((self.root / "status.json").read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return {}
        return document if isinstance(document, dict) else {}

    def note(self, **facts: str | float | list[str] | None) -> None:
        """Record facts for monitors; None removes one."""
        with self._locked("status.lock", wait=True):
            noted = self.read_status() | facts
            status = {name: fact for name, fact in noted.items() if fact is not None}
            with tempfile.NamedTemporaryFile(
                "w", dir=self.root, delete=False, encoding="utf-8"
            ) as file:
                json.dump(status, file)
            Path(file.name).replace(self.root / "status.json")

    @contextmanager
    def _locked(self, name: str, *, wait: bool = False) -> Iterator[bool]:
        self.ensure()
        descriptor = os.open(self.root / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError:
                yield False
            else:
                yield True
        finally:
            os.close(descriptor)

    def ensure(self) -> None:
        """Create the folder where it is missing, and record the key's recipient in it.

        Raises:
            InvalidInputError: the folder belongs to another key.
            MachineError: it cannot be written.
        """
        mark = self.root / "recipient"
        try:
            for folder in (self.root, self.backups, self.objects):
                make_private(folder)
            if not mark.exists():
                mark.write_text(f"{self.key.recipient}\n", encoding="ascii")
        except OSError as exc:
            raise unwritable(self.root, exc) from exc
        self.check_key()

    def check_key(self) -> None:
        """Check that the folder belongs to this key.

        Raises:
            InvalidInputError: it belongs to another one.
        """
        with suppress(FileNotFoundError):
            owner = (self.root / "recipient").read_text(encoding="ascii").strip()
            if owner and owner != self.key.recipient:
                remedy = (
                    "Set LUNA_BACKUP_KEY to the key that they were made with, or "
                    "LUNA_BACKUP_FOLDER to an empty folder."
                )
                raise InvalidInputError(
                    "the backups there were made with another key",
                    field="LUNA_BACKUP_KEY",
                    value=str(self.root),
                    remedy=remedy,
                )


def open_folder(settings: Settings, *, make_key: bool = False) -> BackupFolder:
    """Return the backup folder of the settings, without creating it.

    Raises:
        InvalidInputError: there is no key, or the folder belongs to another one.
    """
    folder = BackupFolder(
        settings.backup_folder or settings.data_folder / "backups",
        open_key(settings, make=make_key),
    )
    folder.check_key()
    return folder


def require_space(place: Path, needed: int, *, what: str) -> None:
    """Check that ``needed`` bytes and a twentieth more are free.

    Raises:
        MachineError: the disk is too full.
    """
    existing = next(path for path in (place, *place.parents) if path.exists())
    free = shutil.disk_usage(existing).free
    required = needed + needed // 20
    if free < required:
        remedy = "Free some space there, or name a folder on another disk. Nothing was changed."
        raise MachineError(
            f"{what} needs {required / 1e6:.0f} MB and {free / 1e6:.0f} MB are free",
            field="disk",
            value=str(existing),
            remedy=remedy,
        )


def newer(backup_id: str, version: str) -> ConflictError:
    """Return the error for a backup of a newer Luna."""
    remedy = f"Install Luna {version} or newer, or take an older backup. Nothing was changed."
    return ConflictError(
        f"Luna {version} made this backup, which is newer than this one",
        field="backup",
        value=backup_id,
        remedy=remedy,
    )


def stamp(instant: datetime) -> str:
    """Return an instant as the id of a backup or of a kept database."""
    return instant.strftime("%Y%m%dT%H%M%SZ")


def status_instant(status: Mapping[str, object], name: str) -> datetime | None:
    """Return an instant of the folder's status.

    For example ``wal_at``, until which the log is known to be complete.
    """
    text = status.get(name)
    return datetime.fromisoformat(text) if isinstance(text, str) else None


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
