"""Keep on disk how often devices were switched today, which a restart must not forget."""

import hashlib
import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import NamedTuple

import structlog

from luna.energy.errors import MachineError
from luna.energy.steering import LoopMemory, UnitMemory
from luna.platform.private_folders import make_private
from luna.platform.written_files import write_whole

log = structlog.get_logger("luna.steering")


class Switches(NamedTuple):
    """Starts and changes of phases of a device on a day."""

    starts: int
    phase_changes: int


class DayCounts:
    """The file with a site's counts of its present day."""

    def __init__(self, folder: Path, site_id: str) -> None:
        self._folder = folder
        self._file = folder / f"{hashlib.sha256(site_id.encode()).hexdigest()[:32]}.counts"
        self._stored: tuple[date | None, Mapping[str, Switches]] = (None, {})

    def load(self) -> LoopMemory:
        """Return a memory that knows the counts on disk and nothing else."""
        try:
            stored = json.loads(self._file.read_bytes())
            day = date.fromisoformat(stored["day"])
            units = {}
            for name, (starts, phase_changes) in stored["devices"].items():
                units[name] = UnitMemory(starts=int(starts), phase_changes=int(phase_changes))
        except FileNotFoundError:
            return LoopMemory()
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            log.warning("the day's counts cannot be read", error=str(error))
            return LoopMemory()
        return LoopMemory(day=day, units=units)

    def store(self, memory: LoopMemory) -> None:
        """Write the counts of a memory where they changed; a full disk is logged."""
        counts = {}
        for name, unit in memory.units.items():
            counts[name] = Switches(unit.starts, unit.phase_changes)
        if memory.day is None or (memory.day, counts) == self._stored:
            return
        self._stored = (memory.day, counts)
        document = {"day": memory.day.isoformat(), "devices": counts}
        try:
            make_private(self._folder)
            write_whole(self._file, json.dumps(document))
        except (OSError, MachineError) as error:
            log.warning("the day's counts cannot be kept", error=str(error))
