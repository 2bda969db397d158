"""Locks in the folder of devices, by which one process alone does something.

The operating system releases them however a process ends.
"""

import fcntl
import os
import threading
from pathlib import Path

import structlog

from luna.drivers.sharing import open_devices_folder

log = structlog.get_logger("luna.devices")


class FolderLock:
    """A lock file in the folder of devices, held by one process at a time. Thread-safe."""

    def __init__(self, data_folder: Path, name: str) -> None:
        self._data_folder = data_folder
        self._name = name
        self._mutex = threading.Lock()
        self._descriptor: int | None = None

    @property
    def is_taken(self) -> bool:
        """Whether this object has the lock."""
        return self._descriptor is not None

    def take(self) -> bool:
        """Take the lock unless another process has it; return whether this object has it."""
        with self._mutex:
            if self._descriptor is None:
                self._descriptor = self._try()
            return self._descriptor is not None

    def release(self) -> None:
        """Release the lock."""
        with self._mutex:
            if self._descriptor is not None:
                os.close(self._descriptor)
            self._descriptor = None

    def is_free(self) -> bool:
        """Return whether nobody has the lock."""
        with self._mutex:
            if self._descriptor is not None:
                return False
            descriptor = self._try()
            if descriptor is not None:
                os.close(descriptor)
            return descriptor is not None

    def _try(self) -> int | None:
        with open_devices_folder(self._data_folder) as folder:
            if folder is None:
                return None
            try:
                flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
                descriptor = os.open(folder / self._name, flags, 0o600)
            except OSError as error:
                log.warning("a lock cannot be opened", name=self._name, error=str(error))
                return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            return None
        return descriptor
