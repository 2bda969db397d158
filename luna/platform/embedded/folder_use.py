"""Allow one Luna per data folder.

A lock ends with its process, however that dies, and names the process that has it.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ValidationError

from luna.energy.errors import LunaError
from luna.energy.refusals import refuse
from luna.platform.embedded.account import make_own_folder, open_lock, take

LOCK = "luna.lock"
# More than what is written into the lock.
_LONGEST = 4096


class FolderUser(BaseModel):
    """The process that runs Luna in a folder."""

    pid: int
    address: str
    since: datetime


@contextmanager
def hold_folder(folder: Path, *, address: str, now: datetime) -> Iterator[None]:
    """Hold a data folder for this process while the block runs.

    A fork of this process would share the lock: fork before.

    Args:
        folder: of the data.
        address: of this Luna's pages.
        now: since when it runs.

    Raises:
        ConflictError: another process runs Luna in this folder; names it.
        MachineError: the folder cannot be written.
    """
    make_own_folder(folder, holds_servers=True)
    lock = open_lock(folder / LOCK)
    try:
        if not take(lock):
            raise _name_user(lock, folder)
        user = FolderUser(pid=os.getpid(), address=address, since=now)
        os.truncate(lock, 0)
        os.pwrite(lock, json.dumps(user.model_dump(mode="json")).encode(), 0)
        yield
    finally:
        os.close(lock)


def _name_user(lock: int, folder: Path) -> LunaError:
    try:
        user = FolderUser.model_validate_json(os.pread(lock, _LONGEST, 0))
    except ValidationError:
        # It has the lock, and has not written yet who it is.
        return refuse("folder-being-taken", field="data_folder", value=str(folder))
    return refuse(
        "folder-in-use",
        field="data_folder",
        value=str(folder),
        pid=user.pid,
        address=user.address,
        since=user.since,
    )
