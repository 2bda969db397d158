"""Putting another cluster in the place of the present one, so that a crash at any moment leaves one of the two, whole."""

import os
import shutil
from pathlib import Path

from luna.energy.errors import ConflictError

CLUSTER = "postgres"
# While it exists, the cluster that it names is on its way to its place.
MARK = "postgres.replacement"
BEFORE = "postgres.before-"


def replace_cluster(home: Path, successor: Path, *, keep_as: str) -> Path:
    """Put ``successor`` in the place of the cluster in ``home`` and return where the present one is kept.

    ``finish_replacement`` completes what was interrupted.
    """
    # Two within one second: the second one gets a number.
    names = (f"{BEFORE}{keep_as}{suffix}" for suffix in ("", *(f"-{number}" for number in range(1, 100))))
    previous = next(home / name for name in names if not (home / name).exists())
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
    """Complete a replacement that was interrupted: without it, the next start would begin with an empty cluster."""
    mark = home / MARK
    if not mark.exists():
        return
    successor = home / mark.read_text(encoding="utf-8").strip()
    if not (home / CLUSTER).exists() and successor.exists():
        successor.rename(home / CLUSTER)
    _sync(home)
    mark.unlink()


def list_previous(home: Path) -> list[Path]:
    """Return the clusters that stood here before, the latest last."""
    return sorted(home.glob(f"{BEFORE}*"))


def put_back(home: Path, *, keep_as: str) -> Path:
    """Put the cluster that stood here before the last replacement back, and return where the present one is kept.

    Raises:
        ConflictError: none is kept.
    """
    previous = list_previous(home)
    if not previous:
        remedy = "Restore a backup instead: luna backup list."
        raise ConflictError("no cluster is kept from before a restore", field="servers", value=str(home), remedy=remedy)
    return replace_cluster(home, previous[-1], keep_as=keep_as)


def drop_previous(home: Path, *, but: int = 0) -> None:
    """Delete clusters that stood here before, all but the latest ``but``."""
    previous = list_previous(home)
    for path in previous[: len(previous) - but]:
        shutil.rmtree(path)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
