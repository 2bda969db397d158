"""Folders for servers of tests: in memory where there is room, because what is tested of them is
not the disk.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# A commit waits for the disk, and a cluster has a thousand files: on a disk this is most of what
# many tests take.
MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of a random name is made in it
# Several processes have clusters at once: each takes 100 MB, and as much again for every one that a
# restore keeps.
ROOM_BYTES = 4_000_000_000


def make_server_folder() -> Path:
    """Make a folder that an account of servers can walk through; pytest's own are shut to it."""
    has_room = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM_BYTES
    folder = Path(tempfile.mkdtemp(prefix="luna-tests-", dir=MEMORY if has_room else None))
    folder.chmod(0o711)
    return folder


@contextmanager
def server_folder() -> Iterator[Path]:
    """Yield such a folder, which is deleted afterwards."""
    folder = make_server_folder()
    try:
        yield folder
    finally:
        shutil.rmtree(folder)
