"""The segments of the log that follow a base backup, over switches of timelines: which are missing, and until when the log is whole."""

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
        timeline: that it ends on.
        until: until when it is whole; None where not even the backup's own point can be reached.
        missing: the segments that are not there, though later ones are.
        resumes: when the first segment after the missing ones was written; None where none is.
    """

    timeline: int
    until: datetime | None
    missing: tuple[str, ...] = ()
    resumes: datetime | None = None


@dataclass(frozen=True)
class WrittenLog:
    """What there is of one cluster's log: when each segment in the folder was written, by its name, and what the folder's status says of the rest."""

    segments: Mapping[str, datetime]
    status: dict[str, Any]


@dataclass(frozen=True)
class RestorableBackup:
    """How a backup stands: its chain, and the segments of it that are missing though they should be there."""

    manifest: Manifest
    chain: Chain
    missing: tuple[str, ...]


class MissingSegmentError(MachineError):
    """A segment of the log is missing between a backup and what is to be restored."""

    code = "missing-segment"


def follow(segments: Mapping[str, datetime], manifest: Manifest, path: Switches, *, end: int = 0) -> Chain:
    """Return the chain of segments from a base backup on.

    Args:
        segments: when each one in the folder was written, by its file's name without suffix; an unfinished one ends in ``.partial``.
        manifest: of the base backup.
        path: the timelines from the backup's on, each with the number of its first segment.
        end: number of a segment that is known to have been written.
    """
    begin, own = (segment_number(name, manifest.segment_bytes) for name in (manifest.first_segment, manifest.last_segment))
    timeline = path[-1][0]
    there = [segment_number(name, manifest.segment_bytes) for name in segments if int(name[:8], 16) == timeline]
    last = max([end, own, *there])
    until: datetime | None = None
    resumes: datetime | None = None
    missing: list[str] = []
    for number in range(begin, last + 1):
        current = next(each for each, first in reversed(path) if first <= number)
        name = segment_name(current, number * manifest.segment_bytes, manifest.segment_bytes)
        written = segments.get(name) or (segments.get(f"{name}{PARTIAL}") if number == last else None)
        if written is None:
            # Of one that was never finished, what is there counts.
            until = segments.get(f"{name}{PARTIAL}", until) if not missing else until
            missing.append(name)
            until = None if number <= own else until
        elif not missing:
            until = written
        elif resumes is None:
            resumes = written
    return Chain(timeline, until, tuple(missing), resumes)


def trace(folder: BackupFolder, manifest: Manifest, *, newest_timeline: bool = False) -> Chain:
    """Return the chain of a backup as it lies in the folder.

    Args:
        folder: of backups.
        manifest: of the base backup.
        newest_timeline: go on to the newest timeline that came of the backup's own; else stay on that.
    """
    return _trace(folder, manifest, read_log(folder, manifest.system_identifier), newest_timeline=newest_timeline)


def _trace(folder: BackupFolder, manifest: Manifest, log: WrittenLog, *, newest_timeline: bool = False) -> Chain:
    status, segments = log.status, log.segments
    path = _newest_path(folder, manifest, segments) if newest_timeline else ((manifest.timeline, 0),)
    current = (status.get("wal_cluster"), status.get("wal_timeline")) == (manifest.system_identifier, path[-1][0])
    # What the server had written there ends in the segment before, where it ends with one.
    end = (int(status["wal_lsn"]) - 1) // manifest.segment_bytes if current and "wal_at" in status else 0
    chain = follow(segments, manifest, path, end=end)
    reached = status_instant(status, "wal_at")
    if current and reached is not None and chain.until is not None and not chain.missing:
        chain = replace(chain, until=max(chain.until, reached))
    gaps = [gap for text in status.get("gaps", []) if (gap := datetime.fromisoformat(text)) > manifest.finished_at]
    if gaps and not newest_timeline and chain.until is not None:
        # Instants from there on are refused: another database may have written what follows.
        chain = replace(chain, until=min(chain.until, gaps[0] - timedelta(microseconds=1)))
    return chain


def require_whole(folder: BackupFolder, manifest: Manifest, instant: datetime | None) -> Chain:
    """Return the chain of a backup where it reaches the instant (None: the backup's own point).

    Raises:
        MissingSegmentError: names the segment that is missing, and until when can be restored.
    """
    chain = trace(folder, manifest, newest_timeline=instant == END)
    if chain.missing and (chain.until is None or (instant is not None and instant > chain.until)):
        raise missing_segment(folder, manifest, chain)
    return chain


def missing_segment(folder: BackupFolder, manifest: Manifest, chain: Chain) -> MissingSegmentError:
    """Return the error that names the first missing segment, and what can be restored all the same."""
    more = f" and {len(chain.missing) - 1} more" if len(chain.missing) > 1 else ""
    if chain.until is None:
        message = f"segment {chain.missing[0]}{more} of the write-ahead log is missing, without which backup {manifest.backup_id} cannot be restored"
        remedy = "Take another backup: luna backup list. If a copy of the folder still has the segment, put it back there. Nothing was changed."
    else:
        message = (
            f"segment {chain.missing[0]}{more} of the write-ahead log is missing: backup {manifest.backup_id} can be restored"
            f" until {chain.until:%Y-%m-%d %H:%M:%S} UTC"
        )
        instant = chain.until.replace(tzinfo=None).isoformat(timespec="milliseconds")
        remedy = (
            f"Restore to an instant until then: --at {instant}Z, or take a later backup: luna backup list."
            " If a copy of the folder still has the segment, put it back there. Nothing was changed."
        )
    return MissingSegmentError(message, field="backup_folder", value=str(folder.wal(manifest.system_identifier)), remedy=remedy)


def find_missing(folder: BackupFolder, manifest: Manifest) -> Chain | None:
    """Return the chain of a backup where segments of it are missing that should be there; None where there are none.

    What the retention has deleted is not missing, nor what an interruption that was noticed never brought.
    """
    backup = _judge(folder, manifest, read_log(folder, manifest.system_identifier))
    return backup.chain if backup.missing else None


def list_restorable(folder: BackupFolder) -> Iterator[RestorableBackup]:
    """Yield how every backup stands, the oldest first; the log is read once."""
    logs: dict[str, WrittenLog] = {}
    for manifest in map(folder.read, folder.list_ids()):
        cluster = manifest.system_identifier
        log = logs[cluster] if cluster in logs else logs.setdefault(cluster, read_log(folder, cluster))
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
    """Return until when a backup can be restored, as a list of backups says it."""
    return "cannot be restored" if chain.until is None else f"until {chain.until:%Y-%m-%d %H:%M:%S} UTC"


def list_missing(folder: BackupFolder) -> list[str]:
    """Return the segments that any backup lacks, by name."""
    return name_missing(list_restorable(folder))


def name_missing(backups: Iterable[RestorableBackup]) -> list[str]:
    """Return the segments that any of these backups lacks, by name."""
    return sorted({name for backup in backups for name in backup.missing})


def read_log(folder: BackupFolder, system_identifier: str) -> WrittenLog:
    """Return what there is of a cluster's log."""
    while True:
        paths = {path.name.removesuffix(SUFFIX): path for path in folder.wal(system_identifier).glob(f"*{SUFFIX}")}
        segments = {name: path for name, path in paths.items() if _SEGMENT.fullmatch(name.removesuffix(PARTIAL))}
        # An unfinished one goes away in the moment in which the finished one stands there.
        with suppress(FileNotFoundError):
            written = {name: datetime.fromtimestamp(path.stat().st_mtime, UTC) for name, path in segments.items()}
            return WrittenLog(written, folder.read_status())


def read_history(text: str) -> Switches:
    """Return the timelines that a history file names, each with the position that the next one begins at.

    Source: PostgreSQL, ``readTimeLineHistory``.
    """
    return tuple((int(timeline), (int(high, 16) << 32) + int(low, 16)) for timeline, high, low in _SWITCH.findall(text))


def _newest_path(folder: BackupFolder, manifest: Manifest, segments: Mapping[str, datetime]) -> Switches:
    """Return the way to the newest timeline that came of the backup's own after it, and whose log begins where the switch is."""
    place = folder.wal(manifest.system_identifier)
    for history in sorted(place.glob(f"????????.history{SUFFIX}"), reverse=True):
        timeline = int(history.name[:8], 16)
        ended = read_history(folder.key.read(history, compressed=True).decode())
        switches = [switch for switch in ended if switch[0] >= manifest.timeline]
        if not switches or switches[0][0] != manifest.timeline or switches[0][1] < manifest.restore_lsn:
            continue
        after = [*(each for each, _ in switches[1:]), timeline]
        begins = [(each, lsn) for each, (_, lsn) in zip(after, switches, strict=True)]
        names = [segment_name(each, lsn, manifest.segment_bytes) for each, lsn in begins]
        if all(name in segments or f"{name}{PARTIAL}" in segments for name in names):
            return ((manifest.timeline, 0), *((each, lsn // manifest.segment_bytes) for each, lsn in begins))
    return ((manifest.timeline, 0),)


def segment_number(name: str, segment_bytes: int) -> int:
    """Return where in the log a segment of this name lies, counted in segments: ``segment_name`` read back."""
    return int(name[8:16], 16) * (0x1_0000_0000 // segment_bytes) + int(name[16:24], 16)
