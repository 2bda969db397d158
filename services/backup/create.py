"""Creates a backup.

Base backup, named restore point, objects after the rows that refer to them, the owner's files, and
the manifest last.
"""

import io
import json
import os
import subprocess
import tarfile
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

import structlog
from sqlalchemy import Engine

from luna.drivers.device_secrets import SECRETS_FOLDER
from luna.drivers.profiles import OWN_FOLDER
from luna.platform.clock import Clock, SystemClock
from luna.platform.database import backups, engine
from luna.platform.database.backups import ServerIdentity
from luna.platform.objects import ObjectStore, open_objects
from luna.platform.settings import Settings
from luna.platform.settings.model import STORED_FILE
from services.backup.folder import (
    BASE,
    MANIFEST,
    OWNER_FILES,
    BackupFolder,
    FileEntry,
    Manifest,
    Reason,
    TableEntry,
    open_folder,
    require_space,
    stamp,
)
from services.backup.mirror import ObjectMirror
from services.backup.postgres_programs import BackedUpServer, explain
from services.backup.wal import REPORT_SECONDS, WalReceiver, WalShipper, await_received, note_reach

SERVERS_FILE = "servers/servers.json"
# The owner's files and folders in the data folder; without the key of the backups.
OWNER_PATHS = (STORED_FILE, "identity/token_key", SERVERS_FILE, SECRETS_FOLDER, OWN_FOLDER)
# Content of the data folder that no backup contains.
NOT_KEPT = (
    "other files that you put into the data folder",
    "readings that wait for the database (spool)",
    "files being read in (documents, loads)",
    "data of the edge laboratory (edge)",
    "downloaded models (cache)",
    "the demo and bench folders",
    "the key of the backups",
)
RECEIVE_SECONDS = 60.0
SPOOL = "wal"

log = structlog.get_logger("luna.backup")


@dataclass(frozen=True)
class BackupWork:
    """The parts that backups need: server, folder, shipping of the log, objects.

    Args:
        report_seconds: interval of the receiver's feedback to the server.
    """

    settings: Settings
    server: BackedUpServer
    database: Engine
    folder: BackupFolder
    identity: ServerIdentity
    shipper: WalShipper
    objects: ObjectStore
    mirror: ObjectMirror
    clock: Clock
    report_seconds: int = REPORT_SECONDS


@contextmanager
def open_work(
    settings: Settings,
    url: str,
    *,
    clock: Clock | None = None,
    report_seconds: int = REPORT_SECONDS,
) -> Iterator[BackupWork]:
    """Yield the parts for backups of the server at ``url``.

    Raises:
        LunaError: the key is missing or another one, the folder cannot be written, or the database
            is away.
    """
    folder = open_folder(settings, make_key=True)
    folder.ensure()
    database = engine.create(url, application_name="luna-backup")
    spool = settings.data_folder / SPOOL
    with ExitStack() as stack:
        stack.callback(database.dispose)
        with engine.own_session(database) as connection:
            identity = backups.identify(connection)
        objects = open_objects(settings)
        yield BackupWork(
            settings=settings,
            server=BackedUpServer.of(url),
            database=database,
            folder=folder,
            identity=identity,
            shipper=WalShipper(folder, spool, identity.system_identifier),
            objects=objects,
            mirror=ObjectMirror(folder, objects, settings.data_folder / "scratch"),
            clock=clock or SystemClock(),
            report_seconds=report_seconds,
        )


def receiving(work: BackupWork) -> AbstractContextManager[None]:
    """Receive the write-ahead log while the block runs, unless another process does already."""
    receiver = WalReceiver(
        work.server,
        work.database,
        work.shipper,
        clock=work.clock,
        report_seconds=work.report_seconds,
    )
    return receiver.running()


def create_backup(work: BackupWork, reason: Reason) -> Manifest:
    """Create a backup and return its manifest.

    Raises:
        ConflictError: another backup or restore is running.
        LunaError: database, folder or objects fail; the unfinished backup is deleted, earlier ones
            are unchanged.
    """
    with work.folder.alone(), receiving(work):
        started = work.clock.now()
        # Estimate: the size of the last backup, else half of the cluster's, which compresses to
        # less.
        expected_bytes = work.folder.read_status().get("newest_bytes")
        if not isinstance(expected_bytes, int):
            expected_bytes = work.identity.database_bytes // 2
        require_space(work.folder.root, expected_bytes, what="a backup")
        backup_id = stamp(started)
        with work.folder.unfinished(backup_id) as place:
            manifest = _fill(work, place, reason, started)
            work.folder.key.seal_bytes(manifest.model_dump_json().encode(), place / MANIFEST)
        status = work.folder.read_status()
        # A gap that was noted since this backup began needs another one.
        gaps = map(datetime.fromisoformat, status.get("gaps", []))
        has_new_gap = any(gap > started for gap in gaps)
        work.folder.note(
            since=status.get("since", started.isoformat()),
            newest_at=manifest.finished_at.isoformat(),
            newest=backup_id,
            newest_bytes=manifest.bytes,
            gap=has_new_gap or None,
        )
    log.info(
        "backup made",
        backup=backup_id,
        reason=reason,
        seconds=round((manifest.finished_at - started).total_seconds(), 1),
    )
    return manifest


def _fill(work: BackupWork, place: Path, reason: Reason, started: datetime) -> Manifest:
    backup_id = stamp(started)
    # Wait until the log is received: the base backup needs all of it from here on.
    with engine.own_session(work.database) as connection:
        begin = backups.written_position(connection)
    await_received(work.database, begin, seconds=RECEIVE_SECONDS)
    base = _copy_cluster(work, place / BASE)
    point = f"luna-{backup_id}"
    with backups.freeze(work.database, point) as frozen:
        lsn = frozen.lsn
        counts = backups.count_tables(frozen.snapshot)
        exact = frozen.exact
    await_received(work.database, lsn, seconds=RECEIVE_SECONDS)
    note_reach(work.folder, work.database, work.shipper, work.clock)
    objects = work.mirror.copy_new(work.clock.now())
    owner_files = _pack_owner_files(work.settings.data_folder)
    owner = work.folder.key.seal_bytes(owner_files, place / OWNER_FILES)
    tables = {}
    for name, count in counts.items():
        tables[name] = TableEntry(rows=count.rows, checksum=count.checksum)
    with engine.own_session(work.database) as connection:
        identity = backups.identify(connection)
    return Manifest(
        backup_id=backup_id,
        reason=reason,
        started_at=started,
        finished_at=work.clock.now(),
        luna_version=version("luna-energy"),
        schema_revision=identity.schema_revision,
        postgres_version=identity.version,
        extensions=identity.extensions,
        system_identifier=identity.system_identifier,
        timeline=identity.timeline,
        segment_bytes=identity.segment_bytes,
        restore_point=point,
        restore_lsn=lsn,
        first_segment=backups.segment_name(identity.timeline, begin, identity.segment_bytes),
        last_segment=backups.segment_name(identity.timeline, lsn, identity.segment_bytes),
        database_bytes=identity.database_bytes,
        tables=tables,
        exact=exact,
        files={BASE: base, OWNER_FILES: FileEntry(bytes=owner.bytes, sha256=owner.sha256)},
        objects=objects,
    )


def _copy_cluster(work: BackupWork, path: Path) -> FileEntry:
    """Encrypt the stream of ``pg_basebackup``; no plain byte reaches the disk.

    The stream is a compressed tar with PostgreSQL's manifest of checksums.
    """
    arguments = (
        "-D",
        "-",
        "--format=tar",
        "--gzip",
        "--wal-method=none",
        "--checkpoint=fast",
        "--manifest-checksums=SHA256",
        "--no-password",
    )
    with work.server.spawn("pg_basebackup", *arguments, output=subprocess.PIPE) as process:
        words = io.BytesIO()

        def read_errors() -> None:
            if process.stderr:
                words.write(process.stderr.read())

        reader = threading.Thread(target=read_errors, daemon=True)
        reader.start()
        try:
            # A pipe, asked for above.
            sealed = work.folder.key.seal(process.stdout, path)  # type: ignore[arg-type]
        except BaseException:
            process.kill()
            raise
        reader.join()
    error_text = words.getvalue().decode(errors="replace")
    if process.returncode:
        raise explain("pg_basebackup", error_text)
    return FileEntry(bytes=sealed.bytes, sha256=sealed.sha256)


def _pack_owner_files(data_folder: Path) -> bytes:
    """Return a tar of the owner's files.

    In containers also the secrets in the folder of the backups' key, without the key itself.
    """
    files: list[Path] = []
    for name in OWNER_PATHS:
        files += (data_folder / name, *sorted((data_folder / name).glob("*")))
    paths = {str(file.relative_to(data_folder)): file for file in files}
    key_file = os.environ.get("LUNA_BACKUP_KEY_FILE")
    if key_file:
        key = Path(key_file)
        secrets = [path for path in key.parent.iterdir() if path.name != key.name]
        paths |= {f"secrets/{path.name}": path for path in secrets}
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        for name, path in paths.items():
            if path.is_file():
                archive.add(path, arcname=name)
    return content.getvalue()


def read_owner_files(folder: BackupFolder, backup_id: str) -> dict[str, bytes]:
    """Return the owner's files of a backup by path in the data folder."""
    with (
        folder.key.reading(folder.backups / backup_id / OWNER_FILES) as source,
        tarfile.open(fileobj=source, mode="r|gz") as archive,
    ):
        contents = {}
        for member in archive:
            file = archive.extractfile(member)
            if file is not None:
                contents[member.name] = file.read()
        return contents


def read_password(owner_files: dict[str, bytes]) -> str | None:
    """Return the embedded database's password at the backup.

    None where the backup is of no embedded one.
    """
    content = owner_files.get(SERVERS_FILE)
    return None if content is None else str(json.loads(content)["password"])
