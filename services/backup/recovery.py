"""Point-in-time recovery of a backup in a separate folder.

It unpacks, checks, recovers to a target, and compares.
"""

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

import psycopg
from sqlalchemy import Engine

from luna.energy.errors import ConflictError, LunaError, MachineError
from luna.platform.database import backups, engine, revision
from luna.platform.embedded.account import Account, options_for
from luna.platform.embedded.servers import DATABASE, USER
from luna.platform.embedded.state import HOST, choose_port
from luna.platform.private_folders import make_private
from services.backup.chain import require_whole
from services.backup.encryption import damaged
from services.backup.folder import BASE, END, BackupFolder, Manifest, newer, require_space
from services.backup.wal import size_from, unpack

DATA = "data"
LOG = "wal"
SIGNAL = "recovery.signal"
SETTINGS = "postgresql.auto.conf"
# Settings of the recovery, removed before the next start.
RECOVERY_SETTINGS = (
    "restore_command",
    "recovery_target_name",
    "recovery_target_time",
    "recovery_target_timeline",
    "recovery_target_action",
)
RECOVERY_SECONDS = 4 * 3600.0
STOP_SECONDS = 60.0
PAUSE_SECONDS = 0.1
_TAIL_BYTES = 4000
_HINT = re.compile(r"^.*HINT:.*(\n\t.*)*|^.*backup_label.*$", re.MULTILINE)
_NOT_REACHED = "recovery ended before configured recovery target was reached"


@dataclass(frozen=True)
class RecoveryTarget:
    """A recovery target.

    The backup's restore point, an instant, or the end of the log (``datetime.max``).

    Args:
        manifest: of the base backup.
        instant: None for the backup's restore point.
        timeline: to recover to; None: the backup's own.
        until: end of the unbroken log.
    """

    manifest: Manifest
    instant: datetime | None
    timeline: int | None = None
    until: datetime | None = None

    @property
    def is_exact(self) -> bool:
        """Whether the tables can be compared with the manifest."""
        return self.instant is None and self.manifest.exact

    @property
    def is_whole(self) -> bool:
        """Whether the log is unbroken until the instant.

        An earlier end then means that nothing was written in between.
        """
        return self.instant is not None and self.until is not None and self.instant <= self.until

    @property
    def reached(self) -> datetime:
        """Instant of the restored data.

        For the end of the log, when its last segment was written.
        """
        return (self.until if self.instant == END else self.instant) or self.manifest.finished_at


def aim(folder: BackupFolder, at: str) -> RecoveryTarget:
    """Return the recovery target for ``at``, with every log segment up to it present.

    Raises:
        LunaError: as ``BackupFolder.choose``.
        MissingSegmentError: a segment before the target is missing.
    """
    manifest, instant = folder.choose(at)
    chain = require_whole(folder, manifest, instant)
    timeline = None if chain.timeline == manifest.timeline else chain.timeline
    return RecoveryTarget(manifest, instant, timeline, chain.until)


def check_usable(manifest: Manifest, postgres_major: int | None) -> None:
    """Check that this Luna and this PostgreSQL (None: unchecked) can read a backup.

    Raises:
        ConflictError: a newer Luna or another major version of PostgreSQL made it.
    """
    schema = manifest.schema_revision
    if schema is not None and schema not in revision.list_revisions():
        raise newer(manifest.backup_id, manifest.luna_version)
    major = manifest.postgres_version // 10_000
    if postgres_major is not None and major != postgres_major:
        message = (
            f"PostgreSQL {major} wrote this backup, and the program here is PostgreSQL "
            f"{postgres_major}"
        )
        raise ConflictError(
            message,
            field="backup",
            value=manifest.backup_id,
            remedy=f"Install PostgreSQL {major}. Nothing was changed.",
        )


def stage(folder: BackupFolder, target: RecoveryTarget, into: Path) -> None:
    """Unpack a backup and its log into a new folder, ready for a server to recover.

    Args:
        folder: of backups.
        target: of the recovery.
        into: must be empty, or not exist.

    Raises:
        ConflictError: ``into`` is not empty.
        MachineError: the disk is too small, or a file is damaged.
    """
    manifest = target.manifest
    if into.exists() and any(into.iterdir()):
        raise ConflictError(
            "the folder is not empty",
            field="into",
            value=str(into),
            remedy="Name another one. Nothing was changed.",
        )
    log_bytes = size_from(
        folder, manifest.system_identifier, manifest.first_segment, manifest.segment_bytes
    )
    require_space(into, manifest.database_bytes + log_bytes, what="the restored database")
    data = into / DATA
    log = into / LOG
    for path in (into, data, log):
        make_private(path)
    path = folder.backups / manifest.backup_id / BASE
    with folder.key.reading(path) as source, tarfile.open(fileobj=source, mode="r|gz") as archive:
        archive.extractall(data, filter="tar")
    unpack(folder, manifest.system_identifier, manifest.first_segment, log)
    if not (data / "PG_VERSION").exists() or not (log / manifest.last_segment).exists():
        raise damaged(path, "files of it are missing")
    with (data / SETTINGS).open("a", encoding="utf-8") as file:
        file.write(recovery_settings(target, log))
    (data / SIGNAL).touch(mode=0o600)


def recovery_settings(target: RecoveryTarget, log: Path) -> str:
    """Return PostgreSQL's settings to recover to the target from a folder with the log."""
    place = str(log).replace("'", "''")
    timeline = target.timeline or "current"
    lines = [
        f'restore_command = \'cp "{place}/%f" "%p"\'',
        f"recovery_target_timeline = '{timeline}'",
        "recovery_target_action = 'promote'",
    ]
    if target.instant is None:
        lines.append(f"recovery_target_name = '{target.manifest.restore_point}'")
    elif target.instant < END:
        lines.append(f"recovery_target_time = '{target.instant.isoformat()}'")
    return "\n".join(["", *lines, ""])


def check_files(data: Path) -> None:
    """Compare an unpacked base backup with the checksums of PostgreSQL's manifest.

    ``pg_verifybackup`` does not run where PostgreSQL comes from the wheel.

    Raises:
        MachineError: a file differs or is missing.
    """
    manifest = json.loads((data / "backup_manifest").read_text(encoding="utf-8"))
    for entry in manifest["Files"]:
        # ``stage`` has appended the recovery settings to ``SETTINGS``: only its original bytes
        # count.
        if "Path" in entry:
            name = entry["Path"]
        else:
            name = os.fsdecode(bytes.fromhex(entry["Encoded-Path"]))
        path = data / name
        size = int(entry["Size"])
        try:
            with path.open("rb") as file:
                if path.name == SETTINGS:
                    digest = hashlib.sha256(file.read(size))
                else:
                    digest = hashlib.file_digest(file, "sha256")
                checksum = digest.hexdigest()
        except OSError as exc:
            raise damaged(path, exc.strerror or str(exc)) from exc
        if checksum != entry["Checksum"]:
            raise damaged(path, "its checksum is not the one that the server sent")


@dataclass(frozen=True)
class RecoveringServer:
    """A local PostgreSQL server on an unpacked cluster, on a port of its own.

    Args:
        programs: folder of PostgreSQL's programs, readable for the account.
        data: the cluster.
        account: that runs the server; None: this process's.
        password: of the cluster's user at the backup.
    """

    programs: Path
    data: Path
    account: Account | None
    password: str

    @contextmanager
    def running(self) -> Iterator[str]:
        """Recover, promote, and yield the address.

        Shut the server down (fast, then immediate) at the end of the block.

        Raises:
            MachineError: recovery fails; with the end of the server's log.
        """
        self.give_away()
        port = choose_port(None)
        output = self.data.parent / "recovery.log"
        options = {
            "listen_addresses": HOST,
            "unix_socket_directories": "",
            "hot_standby": "off",
            "archive_mode": "off",
            "jit": "off",
            "timezone": "UTC",
        }
        arguments: list[str] = []
        for name, value in options.items():
            arguments += ["-c", f"{name}={value}"]
        command = [
            str(self.programs / "postgres"),
            "-D",
            str(self.data),
            "-p",
            str(port),
            *arguments,
        ]
        with output.open("ab") as log:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **options_for(self.account),
            )
        try:
            self._await(process, port, output)
            yield self._url(port)
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGQUIT)
                process.wait()

    def give_away(self) -> None:
        """Make the server's account the owner of the cluster and its log."""
        if self.account is not None:
            for path in (self.data.parent, *self.data.parent.rglob("*")):
                os.chown(path, self.account.uid, self.account.gid, follow_symlinks=False)

    def _await(self, process: "subprocess.Popen[bytes]", port: int, output: Path) -> None:
        deadline = time.monotonic() + RECOVERY_SECONDS
        while time.monotonic() < deadline:
            if process.poll() is not None:
                with output.open("rb") as file:
                    file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL_BYTES))
                    raise explain_recovery(file.read().decode(errors="replace"), self.data)
            try:
                psycopg.connect(self._url(port), connect_timeout=2).close()
            except psycopg.OperationalError as exc:
                if "password authentication failed" in str(exc):
                    raise damaged(self.data, "the password kept beside it is not its own") from exc
                time.sleep(PAUSE_SECONDS)
            else:
                return
        raise MachineError(
            "the restored database does not come up",
            value=str(self.data),
            remedy=f"{output} says why. Nothing was changed.",
        )

    def _url(self, port: int) -> str:
        return (
            f"postgresql://{USER}:{quote(self.password, safe='')}@{HOST}:{port}/{DATABASE}?"
            "sslmode=disable"
        )


class TargetNotReachedError(MachineError):
    """The log ends before the requested instant."""

    code = "target-not-reached"


def explain_recovery(words: str, data: Path) -> LunaError:
    """Return the error for a failed recovery from the end of the server's log.

    The log's hints are left out: they advise removing files that recovery needs.
    """
    words = _HINT.sub("", words)
    if _NOT_REACHED in words:
        times = re.findall(r"last completed transaction was at log time (\S+ \S+)", words)
        ends = f" the last change in it is of {times[-1]}" if times else ""
        remedy = "Name an earlier instant, or latest for all that there is. Nothing was changed."
        return TargetNotReachedError(
            f"the write-ahead log ends before this instant;{ends}", field="at", remedy=remedy
        )
    if "No space left on device" in words:
        return MachineError(
            "the disk is full",
            field="disk",
            value=str(data),
            remedy="Free some space. Nothing was changed.",
        )
    return damaged(data, f"the server refuses it: {' '.join(words.split())[-600:]}")


def compare(database: Engine, target: RecoveryTarget) -> dict[str, int]:
    """Compare a recovered cluster's tables with the manifest, and return rows by table.

    They are compared only where the target is exact.

    Raises:
        MachineError: tables differ.
    """
    with engine.own_session(database) as connection:
        counts = backups.count_tables(connection)
        backups.forget_recovery(connection, RECOVERY_SETTINGS)
    if target.is_exact:
        tables = target.manifest.tables
        expected = {name: (entry.rows, entry.checksum) for name, entry in tables.items()}
        restored = {name: (count.rows, count.checksum) for name, count in counts.items()}
        names = sorted(expected.keys() | restored.keys())
        wrong = [name for name in names if expected.get(name) != restored.get(name)]
        if wrong:
            remedy = "Take another backup: luna backup list. Nothing was changed."
            raise MachineError(
                f"the restored tables differ from the manifest: {', '.join(wrong)}",
                field="backup",
                value=target.manifest.backup_id,
                remedy=remedy,
            )
    return {name: count.rows for name, count in counts.items()}


def discard(place: Path) -> None:
    """Delete a recovery folder, and end a server that a killed restore left in it."""
    pid_file = place / DATA / "postmaster.pid"
    if pid_file.exists():
        pid = pid_file.read_text(encoding="utf-8").split("\n", 1)[0]
        owner = subprocess.run(
            ["ps", "-o", "command=", "-p", pid], check=False, capture_output=True, text=True
        ).stdout
        # The process id may have been reused by another program.
        if str(place / DATA) in owner:
            os.kill(int(pid), signal.SIGQUIT)
            _await_end(int(pid))
    shutil.rmtree(place, ignore_errors=True)


def _await_end(pid: int) -> None:
    deadline = time.monotonic() + STOP_SECONDS
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(PAUSE_SECONDS)
