"""``python -m services.backup.containers``: backups where database and objects are containers.

What ``infra/backup`` asks of the folder of backups.

The database's own image unpacks and recovers, for it alone has the extensions: base backup and log
are handed to it on standard output.
"""

import argparse
import io
import json
import shutil
import sys
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import structlog

from luna.energy.errors import LunaError
from luna.platform.clock import SystemClock
from luna.platform.database import engine
from luna.platform.objects import open_objects
from luna.platform.settings import Settings, load_settings
from luna.platform.telemetry import configure_logging
from services.backup import mirror
from services.backup.chain import format_until, list_restorable, name_missing
from services.backup.checksums import verify_backup
from services.backup.create import NOT_KEPT, create_backup, open_work, read_owner_files
from services.backup.drill import behind_seconds
from services.backup.folder import BASE, END, BackupFolder, open_folder, status_instant
from services.backup.recovery import RecoveryTarget, aim, check_usable, compare, recovery_settings
from services.backup.restore import begin_log_anew, request_reindex
from services.backup.retention import prune
from services.backup.wal import read_log, size_from

# Path of the log inside the database's container, on its own volume.
LOG_IN_CONTAINER = Path("/home/postgres/pgdata/restoring/wal")

log = structlog.get_logger("luna.backup")


def create(settings: Settings, _: argparse.Namespace) -> None:
    """Create a backup now."""
    with open_work(settings, _url(settings)) as work:
        manifest = create_backup(work, "asked")
    prune(open_folder(settings), settings)
    print(  # noqa: T201
        f"{manifest.backup_id}: {manifest.rows} rows in {len(manifest.tables)} tables, "
        f"{len(manifest.objects)} objects."
    )


def show(settings: Settings, _: argparse.Namespace) -> None:
    """List the backups, the newest first, and until when each can be restored."""
    folder = open_folder(settings)
    backups = [*list_restorable(folder)][::-1]
    for backup in backups:
        manifest = backup.manifest
        facts = (
            f"{manifest.reason}  Luna {manifest.luna_version}  {manifest.rows} rows  "
            f"{len(manifest.objects)} objects"
        )
        # Its answer.
        print(f"{manifest.backup_id}  {facts}  {format_until(backup.chain)}")  # noqa: T201
    reached = status_instant(folder.read_status(), "wal_at")
    missing = name_missing(backups)
    if reached:
        print(f"The log is safe until {reached:%Y-%m-%d %H:%M:%S} UTC.")  # noqa: T201 - its answer
    else:
        print("No log is shipped.")  # noqa: T201 - its answer
    if missing:
        print(f"Segments of the log are missing: {', '.join(missing)}.")  # noqa: T201 - its answer
    else:
        print("No segment of the log is missing.")  # noqa: T201 - its answer
    print(f"Not kept: {', '.join(NOT_KEPT)}.")  # noqa: T201 - its answer


def choose(settings: Settings, options: argparse.Namespace) -> None:
    """Print the base backup's id, its PostgreSQL major version and the bytes to unpack."""
    folder, target = _target(settings, options)
    manifest = target.manifest
    check_usable(manifest, None)
    log_bytes = size_from(
        folder, manifest.system_identifier, manifest.first_segment, manifest.segment_bytes
    )
    print(  # noqa: T201
        manifest.backup_id, manifest.postgres_version // 10_000, manifest.database_bytes + log_bytes
    )


def base(settings: Settings, options: argparse.Namespace) -> None:
    """Write the base backup, a compressed tar, to standard output."""
    folder, target = _target(settings, options)
    with folder.key.reading(folder.backups / target.manifest.backup_id / BASE) as source:
        shutil.copyfileobj(source, sys.stdout.buffer)


def write_log(settings: Settings, options: argparse.Namespace) -> None:
    """Write a tar of the log and the recovery settings to standard output."""
    folder, target = _target(settings, options)
    manifest = target.manifest
    with tarfile.open(fileobj=sys.stdout.buffer, mode="w|") as archive:
        for name, content in read_log(folder, manifest.system_identifier, manifest.first_segment):
            _add(archive, f"wal/{name}", content)
        _add(archive, "recovery.conf", recovery_settings(target, LOG_IN_CONTAINER).encode())


def reaches(settings: Settings, options: argparse.Namespace) -> None:
    """Exit with 1 where the log is not known to be unbroken until the instant.

    Its end is then not the state at the instant.
    """
    _, target = _target(settings, options)
    if not target.is_whole:
        raise SystemExit(1)


def check(settings: Settings, options: argparse.Namespace) -> None:
    """Compare database and object copies with the manifest, and print their numbers."""
    folder, target = _target(settings, options)
    password = settings.database_password.get_secret_value() if settings.database_password else ""
    database = engine.create(
        options.url.replace("@", f":{password}@", 1), application_name="luna-restore", pool_size=1
    )
    try:
        rows = compare(database, target)
    finally:
        database.dispose()
    entries = mirror.entries_at(folder, target.manifest, target.instant)
    mirror.check_copies(folder, entries)
    compared = " as the manifest says" if target.is_exact else ""
    print(  # noqa: T201
        f"{target.manifest.backup_id}: {sum(rows.values())} rows in {len(rows)} tables and "
        f"{len(entries)} objects{compared}."
    )


def objects(settings: Settings, options: argparse.Namespace) -> None:
    """Store missing and different objects again."""
    folder, target = _target(settings, options)
    count = mirror.put_back(
        folder,
        mirror.entries_at(folder, target.manifest, target.instant),
        open_objects(settings),
        settings.data_folder / "scratch",
    )
    print(f"{count} objects were stored again.")  # noqa: T201 - its answer


def replaced(settings: Settings, _: argparse.Namespace) -> None:
    """Delete the received log after another database has replaced the one that wrote it.

    Call it while no receiver runs.
    """
    begin_log_anew(settings, open_folder(settings), SystemClock().now())


def reindex(settings: Settings, _: argparse.Namespace) -> None:
    """Store the job that rebuilds the vectors, once the restored database runs."""
    request_reindex(_url(settings))


def drilled(settings: Settings, options: argparse.Namespace) -> None:
    """Record the outcome of a drill."""
    folder = open_folder(settings)
    now = SystemClock().now()
    if options.failure:
        folder.note(drill_failed_at=now.isoformat(), drill_failure=options.failure)
        return
    behind = behind_seconds(folder, now)
    folder.note(
        drill_passed_at=now.isoformat(),
        drill_seconds=options.seconds,
        drill_failed_at=None,
        drill_failure=None,
    )
    lost = "no log is being shipped" if behind is None else f"{behind:.0f} s"
    restored = f"Restored in {options.seconds:.0f} s (RTO)."
    print(f"{restored} What would be lost now (RPO): {lost}.")  # noqa: T201 - its answer


def verify(settings: Settings, options: argparse.Namespace) -> None:
    """Verify a backup without restoring it."""
    print(json.dumps(verify_backup(open_folder(settings), options.at)))  # noqa: T201 - its answer


def owner_files(settings: Settings, options: argparse.Namespace) -> None:
    """Write a tar of the owner's files (secrets and settings) to standard output."""
    folder, target = _target(settings, options)
    with tarfile.open(fileobj=sys.stdout.buffer, mode="w|") as archive:
        for name, content in read_owner_files(folder, target.manifest.backup_id).items():
            _add(archive, name, content)


COMMANDS: dict[str, Callable[[Settings, argparse.Namespace], None]] = {
    "create": create,
    "list": show,
    "choose": choose,
    "base": base,
    "log": write_log,
    "reaches": reaches,
    "check": check,
    "objects": objects,
    "replaced": replaced,
    "reindex": reindex,
    "drilled": drilled,
    "verify": verify,
    "secrets": owner_files,
}


def main() -> int:
    """Run one command."""
    parser = argparse.ArgumentParser(prog="services.backup.containers", description=__doc__)
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("at", nargs="?", default="newest")
    parser.add_argument("--end", action="store_true", help="stop at the end of the log instead")
    parser.add_argument(
        "--url", default="postgresql://postgres@recovered:5432/luna", help="the recovered database"
    )
    parser.add_argument("--seconds", type=float, default=0.0)
    parser.add_argument("--failure", default="")
    options = parser.parse_args()
    settings = load_settings()
    configure_logging("backup", level="WARNING")
    COMMANDS[options.command](settings, options)
    return 0


def _target(settings: Settings, options: argparse.Namespace) -> tuple[BackupFolder, RecoveryTarget]:
    folder = open_folder(settings)
    target = aim(folder, options.at)
    # ``--end``: the log ends before the instant, and its end is the state at the instant; the
    # timeline stays.
    return folder, replace(target, instant=END) if options.end else target


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    entry.mode = 0o600
    archive.addfile(entry, io.BytesIO(content))


def _url(settings: Settings) -> str:
    return settings.database_url.get_secret_value() if settings.database_url else ""


if __name__ == "__main__":
    try:
        sys.exit(main())
    except LunaError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(error.exit_code)
