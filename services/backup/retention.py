"""Retention of backups: the last one of each day, week and month.

Expired ones are deleted with the log and objects that only they need.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import structlog

from luna.platform.settings import Settings
from services.backup.folder import BackupFolder, Manifest, Reason
from services.backup.mirror import prune_copies
from services.backup.wal import prune_log

log = structlog.get_logger("luna.backup")


def choose_retained(
    finished: Sequence[datetime], *, daily: int, weekly: int, monthly: int
) -> set[datetime]:
    """Return the instants of the backups to keep.

    These are the last of each of the latest days, weeks and months with a backup.

    Invariants: the newest is always kept; a second run keeps the same.
    """
    kinds: tuple[tuple[int, Callable[[datetime], object]], ...] = (
        (daily, datetime.date),
        (weekly, _week),
        (monthly, _month),
    )
    ascending = sorted(finished)
    retained = set(ascending[-1:])
    for count, period in kinds:
        latest = {period(at): at for at in ascending}
        retained |= set(sorted(latest.values(), reverse=True)[:count])
    return retained


def _week(at: datetime) -> tuple[int, int]:
    return at.isocalendar()[:2]


def _month(at: datetime) -> tuple[int, int]:
    return at.year, at.month


def is_protected(reason: Reason, finished: datetime, *, newest: datetime, window: datetime) -> bool:
    """Return whether a backup is kept beside the last of its day.

    Any is for a day, a requested one, as before an update, since ``window``.
    """
    if finished >= newest - timedelta(days=1):
        return True
    return reason == "asked" and finished >= window


def _span(manifest: Manifest, *, is_open: bool) -> tuple[str, str | None]:
    return manifest.first_segment, None if is_open else manifest.last_segment


def prune(folder: BackupFolder, settings: Settings) -> list[str]:
    """Delete the expired backups, with the log and the objects that no other needs.

    Return their ids.

    Any instant of the ``backup_keep_daily`` days before the newest backup can be restored, also
    after weeks without one: the last backup before these days stays, and the log without gaps from
    it on. An older backup keeps only its own segments.

    Raises:
        ConflictError: a backup or restore is under way.
        LunaError: a manifest cannot be read; then nothing is deleted.
    """
    with folder.alone():
        manifests = {backup_id: folder.read(backup_id) for backup_id in folder.list_ids()}
        if not manifests:
            return []
        finished = [manifest.finished_at for manifest in manifests.values()]
        newest = max(finished)
        window = newest - timedelta(days=settings.backup_keep_daily)
        retained = choose_retained(
            finished,
            daily=settings.backup_keep_daily,
            weekly=settings.backup_keep_weekly,
            monthly=settings.backup_keep_monthly,
        )
        for manifest in manifests.values():
            at = manifest.finished_at
            if is_protected(manifest.reason, at, newest=newest, window=window):
                retained.add(at)
        since = max((at for at in finished if at <= window), default=window)
        retained.add(since)
        expired = []
        remaining = []
        for backup_id, manifest in manifests.items():
            if manifest.finished_at in retained:
                remaining.append(manifest)
            else:
                expired.append(backup_id)
        for backup_id in expired:
            folder.remove(backup_id)
        recent = [manifest for manifest in remaining if manifest.finished_at >= since]
        # Segments missing before this instant were deleted here, and are not reported as lost.
        folder.note(log_since=since.isoformat())
        for cluster in {manifest.system_identifier for manifest in manifests.values()}:
            # Spans of the cluster's log to keep; those of recent backups are open-ended.
            own = [manifest for manifest in remaining if manifest.system_identifier == cluster]
            spans = [_span(manifest, is_open=manifest in recent) for manifest in own]
            prune_log(folder, cluster, spans)
        prune_copies(folder, remaining, since=min(manifest.started_at for manifest in recent))
    if expired:
        log.info("backups deleted", backups=expired)
    return expired
