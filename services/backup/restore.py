"""Restores the embedded database to a backup or an instant.

It is recovered and compared beside the current one, which is kept afterwards for ``undo``.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import structlog

from luna.contracts.documents import ReindexRequest
from luna.energy.errors import ConflictError, LunaError
from luna.platform.clock import Clock, SystemClock
from luna.platform.database import backups, engine, jobs, migrate
from luna.platform.embedded import process
from luna.platform.embedded.account import (
    Account,
    account_for,
    is_locked,
    make_own_folder,
    make_reachable,
    one_at_a_time,
    open_lock,
    take,
)
from luna.platform.embedded.binaries import find_postgres
from luna.platform.embedded.replacement import CLUSTER, drop_previous, put_back, replace_cluster
from luna.platform.embedded.servers import USER, Postgres
from luna.platform.embedded.state import State, load_state
from luna.platform.embedded.supervisor import start
from luna.platform.objects import open_objects
from luna.platform.private_folders import make_private
from luna.platform.queue import serialization
from luna.platform.settings import Settings
from luna.platform.telemetry import current_trace_id
from services.backup import mirror
from services.backup.create import SERVERS_FILE, SPOOL, read_owner_files, read_password
from services.backup.folder import END, BackupFolder, open_folder, stamp
from services.backup.recovery import (
    DATA,
    RecoveringServer,
    RecoveryTarget,
    TargetNotReachedError,
    aim,
    check_files,
    check_usable,
    compare,
    discard,
    stage,
)
from services.backup.wal import WalShipper, list_segments

RESTORING = "restoring"

log = structlog.get_logger("luna.backup")
Report = Callable[[str], None]


@dataclass(frozen=True)
class Restored:
    """Result of a restore.

    ``rows`` are by table; ``kept`` is the folder of the former database.
    """

    backup_id: str
    at: datetime
    rows: dict[str, int]
    objects: int
    put_back: list[str]
    kept: str
    seconds: float


@dataclass(frozen=True)
class EmbeddedHome:
    """Data folder, state, account and programs of the embedded servers."""

    folder: Path
    state: State
    account: Account | None
    programs: Path

    @property
    def home(self) -> Path:
        return Path(self.state.home)

    @property
    def major(self) -> int:
        """The installed PostgreSQL's major version."""
        version = subprocess.run(
            [self.programs / "postgres", "--version"], check=True, capture_output=True, text=True
        ).stdout
        return int(re.findall(r"\d+", version)[0])


def open_home(settings: Settings) -> EmbeddedHome:
    """Return the home of the embedded servers, created where missing.

    Raises:
        ConflictError: the database is not the embedded one.
    """
    if settings.database_url is not None:
        remedy = "In containers: make restore AT=…; elsewhere see docs/operations.md."
        raise ConflictError(
            "this database is not the embedded one", field="LUNA_DATABASE_URL", remedy=remedy
        )
    folder = settings.data_folder / "servers"
    make_own_folder(folder, holds_servers=True)
    folder = folder.resolve()
    state = load_state(folder)
    account = account_for(Path(state.home) / Postgres.name)
    return EmbeddedHome(folder, state, account, make_reachable(find_postgres(), account))


@contextmanager
def exclusive_servers(home: EmbeddedHome) -> Iterator[None]:
    """Lock the embedded servers exclusively; end a PostgreSQL that a killed process left running.

    Raises:
        ConflictError: a process of Luna uses them.
    """
    with one_at_a_time(home.folder / "lock"):
        users = open_lock(home.folder / "users.lock")
        try:
            if not take(users):
                raise ConflictError(
                    "Luna is running",
                    field="data_folder",
                    value=str(home.folder),
                    remedy="End it first (luna up: Ctrl-C), then restore.",
                )
            lock = home.folder / f"{Postgres.name}.lock"
            if is_locked(lock):
                process.end(lock, Postgres.stop_signals)
            yield
        finally:
            os.close(users)


def restore(
    settings: Settings,
    at: str,
    *,
    as_it_was: bool = False,
    clock: Clock | None = None,
    report: Report = lambda _: None,
) -> Restored:
    """Restore database, objects and vectors to a backup or an instant.

    The database is recovered and compared beside the current one, which is unchanged until then and
    kept afterwards (``undo``).

    Args:
        settings: of this installation.
        at: ``newest``, ``latest``, the id of a backup, or an instant.
        as_it_was: leave the schema at the backup's revision, for the Luna that made it.
        clock: source of the current time.
        report: receives the name of each step.

    Raises:
        ConflictError: Luna is running, or a newer Luna made the backup.
        InvalidInputError: the key is missing or another one.
        NotFoundError: no backup is that old.
        MachineError: a file is damaged, the log ends too early, or the disk is full. Nothing was
            changed.
    """
    began = time.monotonic()
    now = (clock or SystemClock()).now()
    folder = open_folder(settings)
    home = open_home(settings)
    with exclusive_servers(home), folder.alone():
        manifest, instant = folder.choose(at)
        check_usable(manifest, home.major)
        spool = settings.data_folder / SPOOL
        if (
            list_segments(spool)
            and read_system_identifier(home.home / CLUSTER) == manifest.system_identifier
        ):
            # The log received last, so that its minutes can be restored as well; a new
            # installation's is no part of the lost one's.
            WalShipper(folder, spool, manifest.system_identifier).ship()
        target = aim(folder, at)
        place = home.home / RESTORING
        discard(place)
        try:
            rows = recover(folder, home, target, place, report=report, as_it_was=as_it_was)
            report("objects")
            count = mirror.put_back(
                folder,
                mirror.entries_at(folder, manifest, instant),
                open_objects(settings),
                settings.data_folder / "scratch",
            )
            previous = _take_over(home, place, now)
        finally:
            discard(place)
        begin_log_anew(settings, folder, now)
    report("checking")
    try:
        _check(settings, as_it_was=as_it_was)
    except LunaError:
        undo(settings, clock=clock)
        raise
    files = _put_back_files(settings, read_owner_files(folder, manifest.backup_id))
    seconds = round(time.monotonic() - began, 1)
    log.info(
        "restored",
        backup=manifest.backup_id,
        at=str(target.reached),
        put_back=files,
        seconds=seconds,
        kept=previous,
    )
    return Restored(
        backup_id=manifest.backup_id,
        at=target.reached,
        rows=rows,
        objects=count,
        put_back=files,
        kept=previous,
        seconds=seconds,
    )


def read_system_identifier(cluster: Path) -> str | None:
    """Return the system identifier of a cluster's files; None where there is no cluster.

    Source: PostgreSQL's ``ControlFileData``, whose first field it is, 64 bits in the machine's byte
    order.
    """
    try:
        return str(
            int.from_bytes((cluster / "global" / "pg_control").read_bytes()[:8], sys.byteorder)
        )
    except FileNotFoundError:
        return None


def _put_back_files(settings: Settings, files: Mapping[str, bytes]) -> list[str]:
    """Restore the owner's files that are missing here, and return their paths.

    Existing ones were set on this machine and stay.

    The database keeps its current password; the operator restores the secrets of containers.
    """
    own = []
    for name in files:
        path = Path(name)
        is_secret = name == SERVERS_FILE or path.parts[0] == "secrets"
        if not is_secret and ".." not in path.parts:
            own.append(path)
    missing = [path for path in own if not (settings.data_folder / path).exists()]
    for path in missing:
        place = settings.data_folder / path
        make_private(place.parent)
        descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(files[str(path)])
    return [str(path) for path in missing]


def recover(
    folder: BackupFolder,
    home: EmbeddedHome,
    target: RecoveryTarget,
    place: Path,
    *,
    report: Report,
    as_it_was: bool = False,
) -> dict[str, int]:
    """Recover a backup in ``place`` and return the rows by table.

    It is compared, its schema upgraded, the current password set, and the server shut down.

    Raises:
        LunaError: as ``restore``.
    """
    manifest = target.manifest
    password = read_password(read_owner_files(folder, manifest.backup_id)) or home.state.password
    report(f"unpacking {manifest.backup_id}")
    stage(folder, target, place)
    check_files(place / DATA)
    report("recovering")
    server = RecoveringServer(home.programs, place / DATA, home.account, password)
    try:
        return _recovered(server, home, target, as_it_was=as_it_was)
    except TargetNotReachedError:
        if not target.is_whole:
            raise
        # A complete log without a later transaction: its end is the state at the instant.
        discard(place)
        stage(folder, RecoveryTarget(manifest, END), place)
        return _recovered(server, home, target, as_it_was=as_it_was)


def _recovered(
    server: RecoveringServer, home: EmbeddedHome, target: RecoveryTarget, *, as_it_was: bool
) -> dict[str, int]:
    with server.running() as url:
        database = engine.create(url, application_name="luna-restore", pool_size=1)
        try:
            rows = compare(database, target)
            with engine.own_session(database) as connection:
                backups.change_password(connection, USER, home.state.password)
        finally:
            database.dispose()
        if not as_it_was:
            migrate.upgrade(url.replace(f":{server.password}@", f":{home.state.password}@"))
    return rows


def undo(settings: Settings, *, clock: Clock | None = None) -> str:
    """Put back the database from before the last restore.

    Return the folder where the current one is kept.

    Raises:
        ConflictError: Luna is running, or no database is kept.
    """
    home = open_home(settings)
    now = (clock or SystemClock()).now()
    with exclusive_servers(home):
        previous = put_back(home.home, keep_as=stamp(now))
        begin_log_anew(settings, open_folder(settings), now)
    return str(previous)


def _take_over(home: EmbeddedHome, place: Path, now: datetime) -> str:
    successor = home.home / "postgres.restored"
    shutil.rmtree(successor, ignore_errors=True)
    (place / DATA).rename(successor)
    if not (home.home / Postgres.name).exists():
        successor.rename(home.home / Postgres.name)
        return ""
    drop_previous(home.home)
    return str(replace_cluster(home.home, successor, keep_as=stamp(now)))


def _check(settings: Settings, *, as_it_was: bool) -> None:
    """Start the restored database in its final place, and request new vectors for it."""
    shutil.rmtree(settings.data_folder / "vectors", ignore_errors=True)
    with start(settings.data_folder / "servers", services=("postgres",)) as servers:
        if not as_it_was:
            migrate.upgrade(servers.database_url)
            request_reindex(servers.database_url)


def request_reindex(url: str) -> None:
    """Store the job that rebuilds the vectors; beat sends it to a worker.

    Raises:
        UnavailableError: the database is away.
    """
    database = engine.create(url, application_name="luna-restore", pool_size=1)
    request = ReindexRequest()
    text = serialization.encode_request(request)
    try:
        with engine.unit_of_work(database) as connection:
            jobs.accept(
                connection,
                task=request.task,
                key=serialization.digest(request.task, text),
                request=text,
                trace_id=current_trace_id(),
            )
    finally:
        database.dispose()


def begin_log_anew(settings: Settings, folder: BackupFolder, now: datetime) -> None:
    """Delete the spool and record a gap.

    The restored cluster writes another timeline, and needs a new backup.
    """
    shutil.rmtree(settings.data_folder / SPOOL, ignore_errors=True)
    folder.note_gap(now)
