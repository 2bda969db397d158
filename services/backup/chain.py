"""The chain of log segments after a base backup, across timeline switches: missing segments, and
until when it can be restored.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from luna.energy.errors import MachineError
from luna.platform.database.backups import segment_name
from services.backup.folder import END, BackupFolder, Manifest, status_instant
from services.backup.wal import PARTIAL, SUFFIX

_SEGMENT = re.compile(r"(?P<timeline>[0-9A-F]{8})(?P<high>[0-9A-F]{8})(?P<low>[0-9A-F]{8})")
_SWITCH = re.compile(r"^\s*(\d+)\s+([0-9A-Fa-f]+)/([0-9A-Fa-f]+)", re.MULTILINE)
Switches = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Chain:
    """The log from a base backup to its end.

    Args:
        timeline: of its end.
        until: end of the unbroken log; None where not even the backup's own restore point can be
            reached.
        missing: names of missing segments before the last known one.
        resumes: when the first segment after the missing ones was written; None without one.
    """

    timeline: int
    until: datetime | None
    missing: tuple[str, ...] = ()
    resumes: datetime | None = None


@dataclass(frozen=True)
class WrittenLog:
    """One cluster's log in the folder: time of writing by segment name, and the folder's status."""

    segments: Mapping[str, datetime]
    status: dict[str, Any]


@dataclass(frozen=True)
class RestorableBackup:
    """A backup with its chain, and the segments lost other than by retention or a recorded gap."""

    manifest: Manifest
    chain: Chain
    missing: tuple[str, ...]


class MissingSegmentError(MachineError):
    """A log segment is missing between a base backup and the recovery target."""

    code = "missing-segment"


def follow(
    segments: Mapping[str, datetime], manifest: Manifest, path: Switches, *, end: int = 0
) -> Chain:
    """Return the chain of segments from a base backup on.

    Args:
        segments: time of writing by file name without suffix; an unfinished segment ends in
            ``.partial``.
        manifest: of the base backup.
        path: the timelines from the backup's on, each with the number of its first segment.
        end: number of the last segment known to have been written.
    """
    begin, own = (
        segment_number(name, manifest.segment_bytes)
        for name in (manifest.first_segment, manifest.last_segment)
    )
    timeline = path[-1][0]
    there = [
        segment_number(name, manifest.segment_bytes)
        for name in segments
        if int(name[:8], 16) == timeline
    ]
    last = max([end, own, *there])
    until: datetime | None = None
    resumes: datetime | None = None
    missing: list[str] = []
    for number in range(begin, last + 1):
        current = next(each for each, first in reversed(path) if first <= number)
        name = segment_name(current, number * manifest.segment_bytes, manifest.segment_bytes)
        written = segments.get(name) or (
            segments.get(f"{name}{PARTIAL}") if number == last else None
        )
        if written is None:
            # An unfinished segment can be restored as far as it goes.
            until = segments.get(f"{name}{PARTIAL}", until) if not missing else until
            missing.append(name)
            until = None if number <= own else until
        elif not missing:
            until = written
        elif resumes is None:
            resumes = written
    return Chain(timeline, until, tuple(missing), resumes)


def trace(folder: BackupFolder, manifest: Manifest, *, newest_timeline: bool = False) -> Chain:
    """Return the chain of a backup in the folder.

    Args:
        folder: of backups.
        manifest: of the base backup.
        newest_timeline: follow the switches to the newest descendant timeline; else stay on the
            backup's own.
    """
    return _trace(
        folder,
        manifest,
        read_log(folder, manifest.system_identifier),
        newest_timeline=newest_timeline,
    )


def _trace(
    folder: BackupFolder, manifest: Manifest, log: WrittenLog, *, newest_timeline: bool = False
) -> Chain:
    status = log.status
    segments = log.segments
    path = (
        _newest_path(folder, manifest, segments) if newest_timeline else ((manifest.timeline, 0),)
    )
    current = (status.get("wal_cluster"), status.get("wal_timeline")) == (
        manifest.system_identifier,
        path[-1][0],
    )
    # A position on a segment's boundary belongs to the segment before it.
    end = (
        (int(status["wal_lsn"]) - 1) // manifest.segment_bytes
        if current and "wal_at" in status
        else 0
    )
    chain = follow(segments, manifest, path, end=end)
    reached = status_instant(status, "wal_at")
    if current and reached is not None and chain.until is not None and not chain.missing:
        chain = replace(chain, until=max(chain.until, reached))
    gaps = [
        gap
        for text in status.get("gaps", [])
        if (gap := datetime.fromisoformat(text)) > manifest.finished_at
    ]
    if gaps and not newest_timeline and chain.until is not None:
        # Later instants are refused: another database may have written the log after the gap.
        chain = replace(chain, until=min(chain.until, gaps[0] - timedelta(microseconds=1)))
    return chain


def require_whole(folder: BackupFolder, manifest: Manifest, instant: datetime | None) -> Chain:
    """Return the chain of a backup if it reaches the instant (None: the backup's own restore
    point).

    Raises:
        MissingSegmentError: with the first missing segment, and the last instant that can be
            restored.
    """
    chain = trace(folder, manifest, newest_timeline=instant == END)
    if chain.missing and (chain.until is None or (instant is not None and instant > chain.until)):
        raise missing_segment(folder, manifest, chain)
    return chain


def missing_segment(folder: BackupFolder, manifest: Manifest, chain: Chain) -> MissingSegmentError:
    """Return the error with the first missing segment, and the last instant that can still be
    restored.
    """
    more = f" and {len(chain.missing) - 1} more" if len(chain.missing) > 1 else ""
    if chain.until is None:
        message = (
            f"segment {chain.missing[0]}{more} of the write-ahead log is missing, without "
            f"which backup {manifest.backup_id} cannot be restored"
        )
        remedy = (
            "Take another backup: luna backup list. If a copy of the folder still has the "
            "segment, put it back there. Nothing was changed."
        )
    else:
        message = (
            f"segment {chain.missing[0]}{more} of the write-ahead log is missing: backup "
            f"{manifest.backup_id} can be restored"
            f" until {chain.until:%Y-%m-%d %H:%M:%S} UTC"
        )
        instant = chain.until.replace(tzinfo=None).isoformat(timespec="milliseconds")
        remedy = (
            f"Restore to an instant until then: --at {instant}Z, or take a later backup: "
            "luna backup list."
            " If a copy of the folder still has the segment, put it back there. Nothing "
            "was changed."
        )
    return MissingSegmentError(
        message,
        field="backup_folder",
        value=str(folder.wal(manifest.system_identifier)),
        remedy=remedy,
    )


def find_missing(folder: BackupFolder, manifest: Manifest) -> Chain | None:
    """Return the chain of a backup that has lost segments, else None.

    Those deleted by retention or never received in a recorded gap do not count.
    """
    backup = _judge(folder, manifest, read_log(folder, manifest.system_identifier))
    return backup.chain if backup.missing else None


def list_restorable(folder: BackupFolder) -> Iterator[RestorableBackup]:
    """Yield every backup with its chain, the oldest first; each cluster's log is listed once."""
    logs: dict[str, WrittenLog] = {}
    for manifest in map(folder.read, folder.list_ids()):
        cluster = manifest.system_identifier
        log = (
            logs[cluster]
            if cluster in logs
            else logs.setdefault(cluster, read_log(folder, cluster))
        )
        yield _judge(folder, manifest, log)


def _judge(folder: BackupFolder, manifest: Manifest, log: WrittenLog) -> RestorableBackup:
    chain = _trace(folder, manifest, log)
    if not chain.missing or chain.until is None:
        return RestorableBackup(manifest, chain, chain.missing)
    since = log.status.get("log_since")
    pruned = not isinstance(since, str) or manifest.finished_at < datetime.fromisoformat(since)
    gaps = [datetime.fromisoformat(gap) for gap in log.status.get("gaps", [])]
    noticed = any(chain.until < gap <= (chain.resumes or END) for gap in gaps)
    return RestorableBackup(manifest, chain, () if pruned or noticed else chain.missing)


def say_until(chain: Chain) -> str:
    """Return the text for until when a backup can be restored."""
    return (
        "cannot be restored"
        if chain.until is None
        else f"until {chain.until:%Y-%m-%d %H:%M:%S} UTC"
    )


def list_missing(folder: BackupFolder) -> list[str]:
    """Return the names of all lost segments."""
    return name_missing(list_restorable(folder))


def name_missing(backups: Iterable[RestorableBackup]) -> list[str]:
    """Return the names of the segments that these backups have lost."""
    return sorted({name for backup in backups for name in backup.missing})


def read_log(folder: BackupFolder, system_identifier: str) -> WrittenLog:
    """Return a cluster's log in the folder."""
    while True:
        paths = {
            path.name.removesuffix(SUFFIX): path
            for path in folder.wal(system_identifier).glob(f"*{SUFFIX}")
        }
        segments = {
            name: path
            for name, path in paths.items()
            if _SEGMENT.fullmatch(name.removesuffix(PARTIAL))
        }
        # A ``.partial`` file vanishes when its finished segment appears: list again.
        with suppress(FileNotFoundError):
            written = {
                name: datetime.fromtimestamp(path.stat().st_mtime, UTC)
                for name, path in segments.items()
            }
            return WrittenLog(written, folder.read_status())


def read_history(text: str) -> Switches:
    """Return the timelines of a history file, each with the log position of the switch to the next
    one.

    Source: PostgreSQL, ``readTimeLineHistory``.
    """
    return tuple(
        (int(timeline), (int(high, 16) << 32) + int(low, 16))
        for timeline, high, low in _SWITCH.findall(text)
    )


def _newest_path(
    folder: BackupFolder, manifest: Manifest, segments: Mapping[str, datetime]
) -> Switches:
    """Return the path to the newest timeline that branched off after the backup and whose log is
    there from the switch on.
    """
    place = folder.wal(manifest.system_identifier)
    for history in sorted(place.glob(f"????????.history{SUFFIX}"), reverse=True):
        timeline = int(history.name[:8], 16)
        ended = read_history(folder.key.read(history, compressed=True).decode())
        switches = [switch for switch in ended if switch[0] >= manifest.timeline]
        if (
            not switches
            or switches[0][0] != manifest.timeline
            or switches[0][1] < manifest.restore_lsn
        ):
            continue
        after = [*(each for each, _ in switches[1:]), timeline]
        begins = [(each, lsn) for each, (_, lsn) in zip(after, switches, strict=True)]
        names = [segment_name(each, lsn, manifest.segment_bytes) for each, lsn in begins]
        if all(name in segments or f"{name}{PARTIAL}" in segments for name in names):
            return (
                (manifest.timeline, 0),
                *((each, lsn // manifest.segment_bytes) for each, lsn in begins),
            )
    return ((manifest.timeline, 0),)


def segment_number(name: str, segment_bytes: int) -> int:
    """Return the number of a segment in the log by its name, the inverse of ``segment_name``."""
    return int(name[8:16], 16) * (0x1_0000_0000 // segment_bytes) + int(name[16:24], 16)
