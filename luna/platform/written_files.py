"""Files that are written for whoever asked: where they may be, whole or not at all."""

import os
from contextlib import suppress
from pathlib import Path

from luna.energy.errors import MachineError


def make_writable(folder: Path) -> Path:
    """Return ``folder``, made where it is missing: what takes long asks before it begins.

    Raises:
        MachineError: it cannot be made, or nothing can be written there.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise MachineError(f"the folder cannot be made: {exc.strerror}", field=str(folder), remedy="Name a folder that you may write.") from exc
    if not os.access(folder, os.W_OK | os.X_OK):
        raise MachineError("nothing can be written there", field=str(folder), remedy="Name a folder that you may write.")
    return folder


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file whole or not at all: who reads it sees the old one or the new one.

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
        raise MachineError(f"cannot be written: {exc.strerror}", field=str(path), remedy="Free some space, or check who may write there.") from exc
