"""A spool's folder at the start: one generation of the file is in use, a damaged one is set aside and kept.

``current``     the file in use.
``salvaged``    what could be read of a damaged one, while that is being carried over.
``damaged-N``   damaged files, for whoever knows how to read more of them.

Each step is the renaming of a folder, so that a start which ends in the middle is taken up by the next.
"""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from itertools import count
from pathlib import Path

import structlog

from luna.embedded.account import folder_error, make_folder
from luna.spool.file import APPEND, NAME, DamagedSpoolError, SpoolFile, translated

# From either end: a damaged page ends a walk through the rows.
WALKS = ("SELECT kind, site, sequence, kept_at, body FROM entries", "SELECT kind, site, sequence, kept_at, body FROM entries ORDER BY 1 DESC, 2 DESC, 3 DESC")
KEEP = APPEND.replace("INSERT", "INSERT OR IGNORE")

log = structlog.get_logger("luna.spool")


def open_file(folder: Path) -> SpoolFile:
    """Return the file of the spool in ``folder``; a damaged one is replaced by what can be read of it.

    Raises:
        MachineError: nothing can be written there.
    """
    current, salvaged = folder / "current", folder / "salvaged"
    if salvaged.exists() and not current.exists():
        salvaged.rename(current)
    make_folder(current)
    _sync(folder)
    try:
        return SpoolFile(current)
    except DamagedSpoolError as damage:
        shutil.rmtree(salvaged, ignore_errors=True)
        make_folder(salvaged)
        rows = _carry_over(current / NAME, salvaged)
        aside = next(place for number in count(1) if not (place := folder / f"damaged-{number}").exists())
        _rename(current, aside)
        _rename(salvaged, current)
        _sync(folder)
        log.warning("the spool was damaged; what could be read of it is carried over", reason=damage.message, rows=rows, damaged=str(aside))
        return SpoolFile(current)


def _carry_over(damaged: Path, folder: Path) -> int:
    SpoolFile(folder).close()
    with translated(folder), closing(sqlite3.connect(folder / NAME)) as target:
        for walk in WALKS:
            target.executemany(KEEP, _read(damaged, walk))
        target.commit()
        (rows,) = target.execute("SELECT count(*) FROM entries").fetchone()
    return int(rows)


def _read(damaged: Path, walk: str) -> Iterator[tuple[object, ...]]:
    with closing(sqlite3.connect(damaged)) as source, suppress(sqlite3.DatabaseError):
        yield from source.execute(walk)


def _rename(place: Path, name: Path) -> None:
    try:
        place.rename(name)
    except OSError as exc:
        raise folder_error(name, exc) from exc


def _sync(folder: Path) -> None:
    """Bring names to the disk: those in the folder, its own, and that of the folder it lies in."""
    for place in (folder, *folder.parents[:2]):
        try:
            descriptor = os.open(place, os.O_RDONLY)
            os.fsync(descriptor)
            os.close(descriptor)
        except OSError as exc:
            raise folder_error(place, exc) from exc
