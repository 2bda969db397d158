"""How the devices of a site are told what to do: which entity or topic takes what, and where what holds is read back."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from luna.energy.devices import COMMANDS
from luna.energy.devices.battery import BatteryControl
from luna.energy.devices.commands import ControlPart, DeviceControl, DeviceWrite, Via
from luna.energy.devices.kind import DeviceCommands
from luna.energy.devices.pv import PvControl, PvMode
from luna.energy.devices.switched import LoadControl, LoadMode
from luna.energy.devices.vehicle import VehicleControl, VehicleMode
from luna.energy.refusals import invalid_part

DeviceMode = Literal[VehicleMode, LoadMode, PvMode]

# By whom devices can be told; ``advice``: by the owner, who reads on Home what to do. A driver is the module of its name in ``services.executor``.
ControlledBy = Literal["advice", "dry_run", "home_assistant", "mqtt", "profile"]
NOT_SENT: tuple[ControlledBy, ...] = ("advice", "dry_run")


class Control(ControlPart):
    """Who tells the devices of a site; nothing is sent before the site is armed: ``luna control arm``."""

    by: Annotated[ControlledBy, Field(description="dry_run: nobody; what would be sent is recorded; advice: the owner by hand, and no device is named")] = (
        "dry_run"
    )
    batteries: Annotated[tuple[BatteryControl, ...], Field(max_length=16)] = ()
    vehicles: Annotated[tuple[VehicleControl, ...], Field(max_length=16)] = ()
    loads: Annotated[tuple[LoadControl, ...], Field(max_length=32)] = ()
    pv: PvControl | None = None

    @model_validator(mode="after")
    def _can_be_read(self) -> Self:
        named = any(self.section(name) for name in self._sections)
        if self.by == "advice" and named:
            raise invalid_part("control-advice-names")
        if self.by != "advice" and not named:
            raise invalid_part("control-names-nothing")
        if self.by not in NOT_SENT and any(battery.soc_place is None for battery in self.batteries):
            raise invalid_part("control-soc-missing")
        if self.by == "profile" and (self.writes or any(battery.via is None for battery in self.batteries)):
            raise invalid_part("control-via-missing")
        if self.by == "mqtt" and any(write.read_back is None for write in self.writes):
            raise invalid_part("control-read-back-missing")
        return self

    def section(self, name: str) -> tuple[DeviceControl, ...]:
        """Return the entries of a section."""
        entries = getattr(self, name)
        return entries if isinstance(entries, tuple) else () if entries is None else (entries,)

    def names(self, commands: DeviceCommands, device: str) -> bool:
        """Return whether a device, or all of its kind, is controlled."""
        return any(each.device in {None, device} for each in self.section(commands.section))

    @property
    def devices(self) -> tuple[str, ...]:
        """The keys of what is controlled apart."""
        keys = (COMMANDS[name].key(each.device or "") for name in self._sections for each in self.section(name))
        return tuple(dict.fromkeys(keys))

    @property
    def writes(self) -> tuple[DeviceWrite, ...]:
        """Everything that may be written."""
        return tuple(write for name in self._sections for device in self.section(name) for write in device.writes)

    @property
    def soc_places(self) -> tuple[str, ...]:
        """Where states of charge are read."""
        places = (getattr(each, "soc", None) for name in self._sections for each in self.section(name))
        return tuple(place for place in places if place is not None)

    @property
    def vias(self) -> Mapping[str, Via]:
        """How Luna reaches the batteries that it speaks to itself, by their names."""
        return {battery.battery: battery.via for battery in self.batteries if battery.via is not None}

    @property
    def _sections(self) -> list[str]:
        return [name for name in type(self).model_fields if name in COMMANDS]


# The keys of all devices that can be controlled, as their owner writes them.
DEVICE_KEYS = tuple(COMMANDS[name].key("NAME") for name in Control.model_fields if name in COMMANDS)
