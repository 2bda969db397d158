"""How full a spool may make its disk.

A spool has no limit of its own: days without a database are what it is for. It stops while the disk still has room to deliver from: removing rows writes too,
and the embedded database may live on the same disk. It never makes room by dropping rows.
"""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from luna.errors import MachineError

MIB = 1 << 20
RESERVED_SHARE = 0.05
LEAST_RESERVE, LARGEST_RESERVE = 64 * MIB, 1024 * MIB


class Space(Protocol):
    """Bytes of a disk."""

    @property
    def total(self) -> int: ...

    @property
    def free(self) -> int: ...


Disk = Callable[[Path], Space]


def require_room(folder: Path, disk: Disk = shutil.disk_usage) -> None:
    """Check that more may be kept below ``folder``: a twentieth of the disk stays free, at least 64 MiB and at most 1 GiB.

    Raises:
        MachineError: the disk is too full.
    """
    space = disk(folder)
    reserve = min(max(int(space.total * RESERVED_SHARE), LEAST_RESERVE), LARGEST_RESERVE)
    if space.free < reserve:
        free = f"{space.free // MIB} MiB are free, {reserve // MIB} MiB are kept for delivering what waits"
        remedy = "Free some space on this disk, or bring the database back; nothing was acknowledged, what was kept stays."
        raise MachineError(f"the spool's disk is full: {free}", field="data_folder", value=str(folder), remedy=remedy)
