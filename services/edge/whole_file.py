"""A file that is there whole or not at all."""

import os
from pathlib import Path


def write_whole_file(path: Path, content: bytes) -> None:
    """Put content into a file in one step: whoever is killed leaves the old one or the new one.

    Raises:
        OSError: the disk takes no more; the old one stays.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(f".{path.name}.half")
    with half.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    half.replace(path)
