"""Create data folders that only their owner can enter.

As root the embedded servers run under their own account, which has to reach its folder: the folders
above it are then passable, but not listable.
"""

import os
import stat
from contextlib import suppress
from pathlib import Path

# Folders below ``data_folder``. "servers" and "demo" hold servers, which protect their own data.
NAMES = (
    "agent",
    "aurora",
    "backups",
    "bench",
    "cache",
    "devices",
    "documents",
    "edge",
    "identity",
    "live",
    "loads",
    "objects",
    "scratch",
    "simulated_home",
    "spool",
    "vectors",
    "wal",
)
OF_SERVERS = ("demo", "servers")
_OWNER_ALONE = 0o700
_PASSED_BY_OTHERS = 0o711


def make_private(folder: Path, *, holds_servers: bool = False) -> None:
    """Create a folder that only its owner can enter, with missing parents.

    An existing one is unchanged.

    Below a user's folder, root gives the new one to that user.

    Args:
        folder: to create.
        holds_servers: the servers' account may pass through it.

    Raises:
        OSError: it cannot be created.
    """
    if folder.is_dir():
        # The usual case: this is called for every stored object.
        return
    missing_folders = [place for place in (folder, *folder.parents) if not place.exists()]
    for place in reversed(missing_folders):
        place.mkdir(mode=_OWNER_ALONE, exist_ok=True)
        if os.geteuid() == 0:
            _leave_to_owner(place)
            is_shut = place == folder and not holds_servers
            place.chmod(_OWNER_ALONE if is_shut else _PASSED_BY_OTHERS)
    folder.mkdir(exist_ok=True)


def shut_folders(data_folder: Path) -> None:
    """Remove other users' access that an earlier release or a lax umask left to data folders."""
    names = NAMES if os.geteuid() == 0 else (*NAMES, *OF_SERVERS)
    for folder in (data_folder / name for name in names):
        # Another user's folder is left to that user.
        with suppress(FileNotFoundError, NotADirectoryError, PermissionError):
            descriptor = os.open(
                folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
            )
            try:
                # A closed folder may be on a read-only file system.
                if (mode := stat.S_IMODE(os.fstat(descriptor).st_mode)) & ~_OWNER_ALONE:
                    os.fchmod(descriptor, mode & _OWNER_ALONE)
            finally:
                os.close(descriptor)


def _leave_to_owner(folder: Path) -> None:
    owner = folder.parent.stat()
    if owner.st_uid != 0:
        with suppress(PermissionError):
            os.chown(folder, owner.st_uid, owner.st_gid)
