"""Locks in the servers' folder. The system frees them when their last holder dies, however it dies.

``lock``         one start or stop at a time.
``users.lock``   shared by every process that uses the servers: the last one to leave stops them.
``<name>.lock``  held by a server itself, which inherits it at birth: free means that no process of it lives.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from luna.embedded.account import folder_error
from luna.errors import MachineError

WAIT_SECONDS = 60.0
PAUSE_SECONDS = 0.02


def open_private(path: Path, flags: int) -> int:
    """Open a file that only its owner may read; below a user's folder root leaves it to that user."""
    try:
        descriptor = os.open(path, flags | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        if os.geteuid() == 0:
            owner = path.parent.stat()
            os.fchown(descriptor, owner.st_uid, owner.st_gid)
    except OSError as exc:
        raise folder_error(path, exc) from exc
    return descriptor


def open_lock(path: Path) -> int:
    """Open a lock without taking it."""
    return open_private(path, os.O_RDWR)


def take(descriptor: int, kind: int = fcntl.LOCK_EX) -> bool:
    """Take an open lock if it is free; return whether it was."""
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def is_held(path: Path) -> bool:
    """Whether any process holds the lock."""
    descriptor = open_lock(path)
    try:
        return not take(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def one_at_a_time(path: Path) -> Iterator[None]:
    """Hold the lock; wait for others that start or stop the same servers.

    Raises:
        MachineError: another process holds it for longer than any start takes.
    """
    descriptor = open_lock(path)
    try:
        deadline = time.monotonic() + WAIT_SECONDS
        while not take(descriptor):
            if time.monotonic() > deadline:
                raise MachineError(f"another start has held this lock for {WAIT_SECONDS:.0f} s", value=str(path), remedy="End that process and start again.")
            time.sleep(PAUSE_SECONDS)
        yield
    finally:
        os.close(descriptor)
