"""Stored models that no training names: left by a crash between model and row, or by a site that was removed."""

from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta

import structlog

from luna.energy.errors import LunaError
from luna.platform.objects import ObjectStore

# Where models lie, each under the digest of its content, with what is told of it beside. Source: their artefact modules in forecaster and agent.
FOLDERS = ("aurora", "agent")
# A model is stored before the row that names it; the longest training ends within hours.
UNNAMED_RETENTION = timedelta(days=7)

log = structlog.get_logger("luna.ingest")


def forget_unnamed_models(objects: ObjectStore, named: AbstractSet[str], *, now: datetime) -> None:
    """Remove models, and what lies beside them, that no training names since a week; a store that is away is asked again with the next run.

    Args:
        objects: the store.
        named: keys that trainings name.
        now: the instant of the run.
    """
    digests = {_digest(key) for key in named}
    try:
        removed = sum(objects.remove_older(folder, now - UNNAMED_RETENTION, keep=lambda key: _digest(key) in digests) for folder in FOLDERS)
    except LunaError as error:
        log.warning("models without a training stay for now", reason=str(error))
    else:
        log.info("models without a training removed", removed=removed)


def _digest(key: str) -> str:
    """Return folder and digest: what a model's key shares with those of what lies beside it."""
    folder, _, name = key.rpartition("/")
    return f"{folder}/{name.partition('.')[0]}"
