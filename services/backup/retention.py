"""Which backups stay: the last of each day, week and month, as many as the settings say; and what only the others needed."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import structlog

from luna.platform.settings import Settings
from services.backup.folder import BackupFolder, Reason
from services.backup.mirror import prune_copies
from services.backup.wal import prune_log

log = structlog.get_logger("luna.backup")


def choose_retained(finished: Sequence[datetime], *, daily: int, weekly: int, monthly: int) -> set[datetime]:
    """Return the instants of the backups to keep: of each of the last days, weeks and months that have any, the last one.

    Invariants: the newest is always kept; keeping twice keeps the same.
    """
    kinds: tuple[tuple[int, Callable[[datetime], object]], ...] = (
        (daily, datetime.date),
        (weekly, lambda at: at.isocalendar()[:2]),
        (monthly, lambda at: (at.year, at.month)),
    )
    retained = set(sorted(finished)[-1:])
    for count, period in kinds:
        latest = {period(at): at for at in sorted(finished)}
        retained |= set(sorted(latest.values(), reverse=True)[:count])
    return retained


def is_protected(reason: Reason, finished: datetime, *, newest: datetime, window: datetime) -> bool:
    """Whether a backup stays beside the last one of its day: one that was asked for, as before an update, for the days of ``window``; any for a day."""
    return finished >= newest - timedelta(days=1) or (reason == "asked" and finished >= window)


def prune(folder: BackupFolder, settings: Settings) -> list[str]:
    """Delete the backups that the settings do not keep, with the log and the objects that nothing else needs; return their ids.

    The log is kept whole from the oldest daily backup on: within these days any instant can be restored. Beyond, each backup keeps its own stretch.

    Raises:
        ConflictError: a backup or restore is under way.
        LunaError: a manifest cannot be read; then nothing is deleted.
    """
    with folder.alone():
        manifests = {backup_id: folder.read(backup_id) for backup_id in folder.list_ids()}
        if not manifests:
            return []
        newest = max(manifest.finished_at for manifest in manifests.values())
        window = newest - timedelta(days=settings.backup_keep_daily)
        retained = choose_retained(
            [manifest.finished_at for manifest in manifests.values()],
            daily=settings.backup_keep_daily,
            weekly=settings.backup_keep_weekly,
            monthly=settings.backup_keep_monthly,
        )
        retained |= {each.finished_at for each in manifests.values() if is_protected(each.reason, each.finished_at, newest=newest, window=window)}
        expired = [backup_id for backup_id, manifest in manifests.items() if manifest.finished_at not in retained]
        for backup_id in expired:
            folder.remove(backup_id)
        remaining = [manifest for backup_id, manifest in manifests.items() if backup_id not in expired]
        recent = [manifest for manifest in remaining if manifest.finished_at >= window]
        # From here on the log is whole; what is missing before was deleted here.
        folder.note(log_since=window.isoformat())
        for cluster in {manifest.system_identifier for manifest in manifests.values()}:
            # The stretches of a cluster's log that are needed; open ones go on from the oldest recent backup.
            own = [manifest for manifest in remaining if manifest.system_identifier == cluster]
            prune_log(folder, cluster, [(manifest.first_segment, None if manifest in recent else manifest.last_segment) for manifest in own])
        prune_copies(folder, remaining, since=min(manifest.started_at for manifest in recent))
    if expired:
        log.info("backups deleted", backups=expired)
    return expired
