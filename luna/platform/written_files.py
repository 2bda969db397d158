"""Writes output files atomically, and checks their folder beforehand."""

import os
from contextlib import suppress
from pathlib import Path

from luna.energy.errors import MachineError


def make_writable(folder: Path) -> Path:
    """Return ``folder``, created if missing; for a check before a long computation.

    Raises:
        MachineError: it cannot be created, or is not writable.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise MachineError(
            f"the folder cannot be made: {exc.strerror}",
            field=str(folder),
            remedy="Name a folder that you may write.",
        ) from exc
    if not os.access(folder, os.W_OK | os.X_OK):
        raise MachineError(
            "nothing can be written there",
            field=str(folder),
            remedy="Name a folder that you may write.",
        )
    return folder


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file atomically: a reader sees the old or the new content.

    Raises:
        MachineError: it cannot be written.
    """
    unfinished = path.with_name(f".{path.name}.part")
    try:
        unfinished.write_bytes(content.encode() if isinstance(content, str) else content)
        unfinished.replace(path)
    except OSError as exc:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise MachineError(
            f"cannot be written: {exc.strerror}",
            field=str(path),
            remedy="Free some space, or check who may write there.",
        ) from exc
