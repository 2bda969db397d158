"""The chain of log segments after a base backup, across timeline switches.

It shows missing segments, and the last instant that can be restored.
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
    """One cluster's log in the folder: write times by segment name, and the folder's status."""

    segments: Mapping[str, datetime]
    status: dict[str, Any]


@dataclass(frozen=True)
class RestorableBackup:
    """A backup with its chain, and the segments lost unexpectedly."""

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
    size = manifest.segment_bytes
    begin = segment_number(manifest.first_segment, size)
    own = segment_number(manifest.last_segment, size)
    timeline, _ = path[-1]
    on_timeline = [name for name in segments if int(name[:8], 16) == timeline]
    last = max([end, own, *(segment_number(name, size) for name in on_timeline)])
    until: datetime | None = None
    resumes: datetime | None = None
    missing: list[str] = []
    for number in range(begin, last + 1):
        current = next(branch for branch, first in reversed(path) if first <= number)
        name = segment_name(current, number * size, size)
        partly_written = segments.get(f"{name}{PARTIAL}")
        written = segments.get(name)
        if written is None and number == last:
            written = partly_written
        if written is None:
            # An unfinished segment can be restored as far as it goes.
            if not missing and partly_written is not None:
                until = partly_written
            missing.append(name)
            if number <= own:
                until = None
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
    log = read_log(folder, manifest.system_identifier)
    return _trace(folder, manifest, log, newest_timeline=newest_timeline)


def _trace(
    folder: BackupFolder, manifest: Manifest, log: WrittenLog, *, newest_timeline: bool = False
) -> Chain:
    status = log.status
    segments = log.segments
    path: Switches = ((manifest.timeline, 0),)
    if newest_timeline:
        path = _newest_path(folder, manifest, segments)
    timeline, _ = path[-1]
    same_cluster = status.get("wal_cluster") == manifest.system_identifier
    current = same_cluster and status.get("wal_timeline") == timeline
    end = 0
    if current and "wal_at" in status:
        # A position on a segment's boundary belongs to the segment before it.
        end = (int(status["wal_lsn"]) - 1) // manifest.segment_bytes
    chain = follow(segments, manifest, path, end=end)
    reached = status_instant(status, "wal_at")
    is_safe = current and not chain.missing
    if is_safe and reached is not None and chain.until is not None:
        chain = replace(chain, until=max(chain.until, reached))
    all_gaps = map(datetime.fromisoformat, status.get("gaps", []))
    gaps = [gap for gap in all_gaps if gap > manifest.finished_at]
    if gaps and not newest_timeline and chain.until is not None:
        # Later instants are refused: another database may have written the log after the gap.
        chain = replace(chain, until=min(chain.until, gaps[0] - timedelta(microseconds=1)))
    return chain


def require_whole(folder: BackupFolder, manifest: Manifest, instant: datetime | None) -> Chain:
    """Return the chain of a backup if it reaches the instant.

    ``instant`` None: the backup's own restore point.

    Raises:
        MissingSegmentError: with the first missing segment, and the last instant that can be
            restored.
    """
    chain = trace(folder, manifest, newest_timeline=instant == END)
    is_short = instant is not None and chain.until is not None and instant > chain.until
    if chain.missing and (chain.until is None or is_short):
        raise missing_segment(folder, manifest, chain)
    return chain


def missing_segment(folder: BackupFolder, manifest: Manifest, chain: Chain) -> MissingSegmentError:
    """Return the error with the first missing segment and the last restorable instant."""
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
    """Yield every backup with its chain, the oldest first.

    Each cluster's log is listed once.
    """
    logs: dict[str, WrittenLog] = {}
    for manifest in map(folder.read, folder.list_ids()):
        cluster = manifest.system_identifier
        if cluster not in logs:
            logs[cluster] = read_log(folder, cluster)
        yield _judge(folder, manifest, logs[cluster])


def _judge(folder: BackupFolder, manifest: Manifest, log: WrittenLog) -> RestorableBackup:
    chain = _trace(folder, manifest, log)
    if not chain.missing or chain.until is None:
        return RestorableBackup(manifest, chain, chain.missing)
    since = log.status.get("log_since")
    pruned = not isinstance(since, str) or manifest.finished_at < datetime.fromisoformat(since)
    gaps = [datetime.fromisoformat(gap) for gap in log.status.get("gaps", [])]
    noticed = any(chain.until < gap <= (chain.resumes or END) for gap in gaps)
    return RestorableBackup(manifest, chain, () if pruned or noticed else chain.missing)


def format_until(chain: Chain) -> str:
    """Return the text for until when a backup can be restored."""
    if chain.until is None:
        return "cannot be restored"
    return f"until {chain.until:%Y-%m-%d %H:%M:%S} UTC"


def list_missing(folder: BackupFolder) -> list[str]:
    """Return the names of all lost segments."""
    return name_missing(list_restorable(folder))


def name_missing(backups: Iterable[RestorableBackup]) -> list[str]:
    """Return the names of the segments that these backups have lost."""
    names: set[str] = set()
    for backup in backups:
        names.update(backup.missing)
    return sorted(names)


def read_log(folder: BackupFolder, system_identifier: str) -> WrittenLog:
    """Return a cluster's log in the folder."""
    while True:
        paths = [*folder.wal(system_identifier).glob(f"*{SUFFIX}")]
        # A ``.partial`` file vanishes when its finished segment appears: list again.
        with suppress(FileNotFoundError):
            written = {}
            for path in paths:
                name = path.name.removesuffix(SUFFIX)
                if _SEGMENT.fullmatch(name.removesuffix(PARTIAL)):
                    written[name] = datetime.fromtimestamp(path.stat().st_mtime, UTC)
            return WrittenLog(written, folder.read_status())


def read_history(text: str) -> Switches:
    """Return the timelines of a history file, each with the log position of its switch.

    Source: PostgreSQL, ``readTimeLineHistory``.
    """
    switches = []
    for timeline, high, low in _SWITCH.findall(text):
        position = (int(high, 16) << 32) + int(low, 16)
        switches.append((int(timeline), position))
    return tuple(switches)


def _newest_path(
    folder: BackupFolder, manifest: Manifest, segments: Mapping[str, datetime]
) -> Switches:
    """Return the path to the newest timeline that branched off after the backup.

    Its log is there from the switch on.
    """
    place = folder.wal(manifest.system_identifier)
    for history in sorted(place.glob(f"????????.history{SUFFIX}"), reverse=True):
        timeline = int(history.name[:8], 16)
        ended = read_history(folder.key.read(history, compressed=True).decode())
        switches = [switch for switch in ended if switch[0] >= manifest.timeline]
        if not switches:
            continue
        first_timeline, first_switch = switches[0]
        if first_timeline != manifest.timeline or first_switch < manifest.restore_lsn:
            continue
        size = manifest.segment_bytes
        later_timelines = [*(later for later, _ in switches[1:]), timeline]
        path = [(manifest.timeline, 0)]
        is_there = True
        for later, (_, lsn) in zip(later_timelines, switches, strict=True):
            name = segment_name(later, lsn, size)
            is_there &= name in segments or f"{name}{PARTIAL}" in segments
            path.append((later, lsn // size))
        if is_there:
            return tuple(path)
    return ((manifest.timeline, 0),)


def segment_number(name: str, segment_bytes: int) -> int:
    """Return a segment's number in the log, the inverse of ``segment_name``."""
    return int(name[8:16], 16) * (0x1_0000_0000 // segment_bytes) + int(name[16:24], 16)
