"""The last target of each steered unit, on the disk that executor and steering share."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import structlog
from pydantic import ValidationError

from luna.contracts.steering import SteeringTarget
from luna.drivers import DEVICES_FOLDER
from luna.energy.errors import MachineError
from luna.platform.private_folders import make_private
from luna.platform.written_files import write_whole

FOLDER = "steering"

log = structlog.get_logger("luna.steering")


class TargetFolder:
    """Files with one unit's target each."""

    def __init__(self, data_folder: Path) -> None:
        self._folder = data_folder / DEVICES_FOLDER / FOLDER

    @property
    def folder(self) -> Path:
        """The folder of the files."""
        return self._folder

    def store(self, target: SteeringTarget) -> bool:
        """Write a target and return whether it is kept.

        A full disk is logged, and the file before it stays.
        """
        try:
            make_private(self._folder)
            write_whole(self._place(target.site_id, target.unit), target.model_dump_json())
        except (OSError, MachineError) as error:
            log.warning("a target cannot be kept", site_id=target.site_id, error=str(error))
            return False
        return True

    def remove(self, site_id: str, unit: str) -> None:
        """Remove a unit's target if there is one.

        Raises:
            OSError: it cannot be removed.
        """
        self._place(site_id, unit).unlink(missing_ok=True)

    def has(self, site_id: str, unit: str) -> bool:
        """Return whether a unit has a target."""
        return self._place(site_id, unit).exists()

    def load(self) -> Iterator[SteeringTarget]:
        """Yield every target that can be read, the one that came last at the end."""
        files = sorted(self._folder.glob("*.target"), key=_written_at)
        for file in files:
            try:
                yield SteeringTarget.model_validate_json(file.read_bytes())
            except (OSError, ValidationError) as error:
                log.warning("a target cannot be read", file=file.name, error=str(error)[:200])

    def _place(self, site_id: str, unit: str) -> Path:
        # Names of devices have letters of every script, and may be longer than a file's name.
        digest = hashlib.sha256(f"{site_id}\0{unit}".encode()).hexdigest()[:32]
        return self._folder / f"{digest}.target"


def _written_at(file: Path) -> float:
    try:
        return file.stat().st_mtime
    except OSError:
        return 0.0
