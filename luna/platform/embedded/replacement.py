"""Replace the PostgreSQL cluster atomically.

A crash at any moment leaves one of the two complete.
"""

import os
import shutil
from pathlib import Path

from luna.energy.errors import ConflictError

CLUSTER = "postgres"
# Exists while the cluster that it names is being moved into place.
MARK = "postgres.replacement"
BEFORE = "postgres.before-"


def replace_cluster(home: Path, successor: Path, *, keep_as: str) -> Path:
    """Replace the cluster in ``home`` by ``successor``; return the folder of the current one.

    ``finish_replacement`` completes an interrupted call.
    """
    # A second one within a second gets a number.
    suffixes = ["", *(f"-{number}" for number in range(1, 100))]
    places = [home / f"{BEFORE}{keep_as}{suffix}" for suffix in suffixes]
    previous = next(place for place in places if not place.exists())
    mark = home / MARK
    unfinished = mark.with_suffix(".new")
    unfinished.write_text(f"{successor.name}\n", encoding="utf-8")
    _sync(unfinished)
    unfinished.rename(mark)
    _sync(home)
    (home / CLUSTER).rename(previous)
    finish_replacement(home)
    return previous


def finish_replacement(home: Path) -> None:
    """Complete a replacement that was interrupted.

    Without it, the next start would begin with an empty cluster.
    """
    mark = home / MARK
    if not mark.exists():
        return
    successor = home / mark.read_text(encoding="utf-8").strip()
    if not (home / CLUSTER).exists() and successor.exists():
        successor.rename(home / CLUSTER)
    _sync(home)
    mark.unlink()


def list_previous(home: Path) -> list[Path]:
    """Return the replaced clusters that are kept, the latest last."""
    return sorted(home.glob(f"{BEFORE}*"))


def put_back(home: Path, *, keep_as: str) -> Path:
    """Restore the cluster from before the last replacement; return the folder of the current.

    Raises:
        ConflictError: none is kept.
    """
    previous = list_previous(home)
    if not previous:
        remedy = "Restore a backup instead: luna backup list."
        raise ConflictError(
            "no cluster is kept from before a restore",
            field="servers",
            value=str(home),
            remedy=remedy,
        )
    return replace_cluster(home, previous[-1], keep_as=keep_as)


def drop_previous(home: Path, *, but: int = 0) -> None:
    """Delete the replaced clusters that are kept, except the latest ``but``."""
    previous = list_previous(home)
    for path in previous[: len(previous) - but]:
        shutil.rmtree(path)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
