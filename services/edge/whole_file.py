"""Atomic writing of files."""

import os
from pathlib import Path


def write_whole_file(path: Path, content: bytes) -> None:
    """Replace a file's content atomically: a crash leaves the old or the new.

    Raises:
        OSError: the disk is full or fails; the old content stays.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(f".{path.name}.half")
    with half.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    half.replace(path)
