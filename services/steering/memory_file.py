"""Keep on disk what a restart must not forget: the day's switches, and what devices do."""

import hashlib
import math
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import structlog
from pydantic import BaseModel, ConfigDict, ValidationError

from luna.energy.errors import MachineError
from luna.energy.steering import (
    LiveCommands,
    LoadCommand,
    LoopMemory,
    SteeredDevices,
    UnitMemory,
    VehicleCommand,
)
from luna.platform.private_folders import make_private
from luna.platform.written_files import write_whole

# A power alone is not written more often: it changes every few seconds, and a memory card wears.
POWER_SECONDS = 60.0

log = structlog.get_logger("luna.steering")


class KeptUnit(BaseModel):
    """A device: its day's switches, and its last command."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    starts: int
    phase_changes: int
    mode: str
    phases: int
    last_phases: int
    command_kw: float


class KeptMemory(BaseModel):
    """The file's content; switches are those of ``day``."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    day: date | None = None
    units: Mapping[str, KeptUnit] = {}


class MemoryFile:
    """The file with what is remembered of a site's devices."""

    def __init__(self, folder: Path, site_id: str) -> None:
        self._folder = folder
        self._file = folder / f"{hashlib.sha256(site_id.encode()).hexdigest()[:32]}.memory"
        self._stored: KeptMemory | None = None
        self._stored_s = -math.inf

    def load(self) -> LoopMemory:
        """Return a memory that knows what is on disk and nothing else."""
        try:
            kept = KeptMemory.model_validate_json(self._file.read_bytes())
        except FileNotFoundError:
            return LoopMemory()
        except (OSError, ValidationError) as error:
            log.warning("what devices did last cannot be read", error=str(error))
            return LoopMemory()
        units = {}
        for name, unit in kept.units.items():
            units[name] = UnitMemory(**unit.model_dump())
        return LoopMemory(day=kept.day, units=units)

    def store(self, memory: LoopMemory) -> None:
        """Write a memory where it changed; a full disk is logged."""
        units = {}
        for name, unit in memory.units.items():
            units[name] = KeptUnit(
                starts=unit.starts,
                phase_changes=unit.phase_changes,
                mode=unit.mode,
                phases=unit.phases,
                last_phases=unit.last_phases,
                command_kw=unit.command_kw,
            )
        kept = KeptMemory(day=memory.day, units=units)
        stored = self._stored
        if memory.day is None or kept == stored:
            return
        is_soon = memory.at_s - self._stored_s < POWER_SECONDS
        if is_soon and stored is not None and _is_near(kept, stored):
            return
        self._stored = kept
        self._stored_s = memory.at_s
        try:
            make_private(self._folder)
            write_whole(self._file, kept.model_dump_json())
        except (OSError, MachineError) as error:
            log.warning("what devices do cannot be kept", error=str(error))


def _is_near(kept: KeptMemory, stored: KeptMemory) -> bool:
    """Return whether two contents differ in nothing but powers."""
    return _without_powers(kept) == _without_powers(stored)


def _without_powers(kept: KeptMemory) -> KeptMemory:
    units = {}
    for name, unit in kept.units.items():
        units[name] = unit.model_copy(update={"command_kw": 0.0})
    return KeptMemory(day=kept.day, units=units)


def recall_commands(memory: LoopMemory, devices: SteeredDevices) -> LiveCommands:
    """Return the commands of cars and loads that were in force before a restart."""
    vehicles = {}
    for name, device in devices.vehicles.items():
        unit = memory.units.get(name)
        if unit is None or unit.mode != "charge" or not unit.phases:
            continue
        current_a = unit.command_kw * 1000 / (unit.phases * device.voltage_v)
        vehicles[name] = VehicleCommand(
            "charge", unit.command_kw, unit.phases, current_a, "as_planned"
        )
    loads = {}
    for name in devices.loads:
        unit = memory.units.get(name)
        if unit is not None and unit.mode == "on":
            loads[name] = LoadCommand("on", "as_planned")
    return LiveCommands(vehicles=vehicles, loads=loads)
