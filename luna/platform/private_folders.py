"""Folders of an owner's data: shut to everybody else on the machine.

As root the embedded servers run under an account of their own, which has to reach their folder: those above it can then be passed, not listed.
"""

import os
import stat
from contextlib import suppress
from pathlib import Path

# What lies below ``data_folder``. "servers" and "demo" hold servers, which shut their own data.
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
_OWNER_ALONE, _PASSED_BY_OTHERS = 0o700, 0o711


def make_private(folder: Path, *, holds_servers: bool = False) -> None:
    """Make a folder that its owner alone may enter, and those above it that are missing; one that is there stays as it is.

    Below a user's folder root leaves it to that user.

    Args:
        folder: to make.
        holds_servers: their account passes through it, where that is another one.

    Raises:
        OSError: it cannot be made.
    """
    if folder.is_dir():
        # Nearly always: it is asked for with every object that is stored.
        return
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    for each in reversed(missing):
        each.mkdir(mode=_OWNER_ALONE, exist_ok=True)
        if os.geteuid() == 0:
            _leave_to_owner(each)
            each.chmod(_OWNER_ALONE if each == folder and not holds_servers else _PASSED_BY_OTHERS)
    folder.mkdir(exist_ok=True)


def shut_folders(data_folder: Path) -> None:
    """Shut the folders of an owner's data that an earlier release, or an account's habits, left open to others."""
    names = NAMES if os.geteuid() == 0 else (*NAMES, *OF_SERVERS)
    for folder in (data_folder / name for name in names):
        # What belongs to somebody else is theirs to shut.
        with suppress(FileNotFoundError, NotADirectoryError, PermissionError):
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                # One that is shut already may lie where nothing can be written.
                if (mode := stat.S_IMODE(os.fstat(descriptor).st_mode)) & ~_OWNER_ALONE:
                    os.fchmod(descriptor, mode & _OWNER_ALONE)
            finally:
                os.close(descriptor)


def _leave_to_owner(folder: Path) -> None:
    owner = folder.parent.stat()
    if owner.st_uid != 0:
        with suppress(PermissionError):
            os.chown(folder, owner.st_uid, owner.st_gid)
