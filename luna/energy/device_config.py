"""How batteries, chargers, appliances and PV of a site are told what to do: which entity or topic takes what, and where what holds is read back.

A declarative template: Luna's set-point goes in, texts for one home automation or broker come out (``luna.contracts.device_template``).
"""

from collections.abc import Collection
from string import Formatter
from typing import Annotated, ClassVar, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Mode = Literal["self_consumption", "save", "supply", "hold", "charge", "export"]
# ``own``: what a charger or an appliance does without anybody's commands.
VehicleMode = Literal["own", "charge", "stop", "give"]
LoadMode = Literal["own", "on", "off"]
PvMode = Literal["free", "no_export", "limit", "off"]
DeviceMode = Literal[VehicleMode, LoadMode, PvMode]

# All batteries are told together; every other device for itself: "vehicle:car", "load:water_heater", "pv".
BATTERIES = "batteries"
# What each kind of device can be told by its owner, by the first part of its name.
OWNER_MODES: dict[str, tuple[str, ...]] = {BATTERIES: get_args(Mode), "vehicle": get_args(VehicleMode), "load": get_args(LoadMode), "pv": get_args(PvMode)}

# What a value may be made of; power and limits as whole numbers but for those in kW.
PLACEHOLDERS = ("mode", "power_kw", "power_w", "target_percent", "floor_percent", "ceiling_percent")
# Needed of every battery: what it falls back to, and what it does while nobody knows how full it is.
NEEDED_MODES: tuple[Mode, ...] = ("self_consumption", "hold")

# By whom devices can be told; ``advice``: by the owner, who reads on Home what to do. A driver is the module of its name in ``services.executor``.
ControlledBy = Literal["advice", "dry_run", "home_assistant", "mqtt"]
NOT_SENT: tuple[ControlledBy, ...] = ("advice", "dry_run")

Place = Annotated[str, Field(min_length=1, max_length=255, description="an entity of Home Assistant, or a topic of MQTT")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, populate_by_name=True)


class DeviceWrite(_Part):
    """One value that is written; those of a device in their order."""

    placeholders: ClassVar[tuple[str, ...]] = ()

    to: Place
    value: Annotated[str, Field(min_length=1, max_length=255, description="text with placeholders such as {mode} or {power_w}")]
    service: Annotated[str | None, Field(pattern=r"^[a-z0-9_]+\.[a-z0-9_]+$", description="of Home Assistant; empty: what the entity's kind takes")] = None
    field: Annotated[str | None, Field(pattern=r"^[a-z0-9_]+$", description="of the service's data that takes the value; empty: as that kind names it")] = None
    read_back: Annotated[Place | None, Field(description="where what holds is read; empty: at the entity itself")] = None

    @field_validator("value")
    @classmethod
    def _known_placeholders(cls, value: str) -> str:
        strangers = sorted({name for _, name, _, _ in Formatter().parse(value) if name is not None} - set(cls.placeholders))
        if strangers:
            raise ValueError(f"no such placeholder: {{{strangers[0]}}}; there are {', '.join(cls.placeholders)}")
        return value


class ControlWrite(DeviceWrite):
    """A value for a battery."""

    placeholders: ClassVar[tuple[str, ...]] = PLACEHOLDERS

    when: Annotated[tuple[Mode, ...], Field(description="written in these modes alone; empty: in all")] = ()


class VehicleWrite(DeviceWrite):
    """A value for a charger."""

    placeholders: ClassVar[tuple[str, ...]] = ("mode", "power_kw", "power_w", "current_a", "phases")

    when: tuple[VehicleMode, ...] = ()


class LoadWrite(DeviceWrite):
    """A value for an appliance."""

    placeholders: ClassVar[tuple[str, ...]] = ("mode",)

    when: tuple[LoadMode, ...] = ()


class PvWrite(DeviceWrite):
    """A value for the inverter of PV arrays; in ``free`` the limits are those of all arrays."""

    placeholders: ClassVar[tuple[str, ...]] = ("mode", "limit_kw", "limit_w", "limit_percent")

    when: tuple[PvMode, ...] = ()


class BatteryControl(_Part):
    """How one battery is told."""

    battery: Annotated[str, Field(min_length=1, max_length=64, description="the name it has under batteries")]
    soc: Annotated[Place | None, Field(description="where its state of charge is read just before it is told anything, percent")] = None
    modes: Annotated[dict[Mode, Annotated[str, Field(max_length=255)]], Field(description="what the inverter calls Luna's modes")]
    writes: Annotated[tuple[ControlWrite, ...], Field(min_length=1, max_length=16)]

    @model_validator(mode="after")
    def _can_be_left_alone(self) -> Self:
        _require_modes(self.modes, NEEDED_MODES)
        return self


Word = Annotated[str, Field(max_length=255)]


class VehicleControl(_Part):
    """How a vehicle's charger is told."""

    vehicle: Annotated[str, Field(min_length=1, max_length=64, description="the name it has under vehicles")]
    soc: Annotated[Place | None, Field(description="where the car's state of charge is read, percent; needed where it gives to the house")] = None
    modes: Annotated[dict[VehicleMode, Word], Field(description="what the charger calls charge, stop, and where it can, give and a rule of its own")]
    writes: Annotated[tuple[VehicleWrite, ...], Field(min_length=1, max_length=16)]

    @model_validator(mode="after")
    def _can_be_switched(self) -> Self:
        _require_modes(self.modes, ("charge", "stop"))
        if "give" in self.modes and self.soc is None:
            raise ValueError("soc is needed where a car gives; without it nobody knows whether it may")
        return self


class LoadControl(_Part):
    """How an appliance or a heat pump is told."""

    load: Annotated[str, Field(min_length=1, max_length=64, description="the name it has under loads or heat_pumps")]
    modes: Annotated[dict[LoadMode, Word], Field(description="what it calls on, off and, where it has one, a rule of its own")]
    writes: Annotated[tuple[LoadWrite, ...], Field(min_length=1, max_length=16)]

    @model_validator(mode="after")
    def _can_be_switched(self) -> Self:
        _require_modes(self.modes, ("on", "off"))
        return self


class PvControl(_Part):
    """How the output of all arrays is held back."""

    modes: Annotated[dict[PvMode, Word], Field(description="what the inverter calls them; one that it does not know becomes free")]
    writes: Annotated[tuple[PvWrite, ...], Field(min_length=1, max_length=16)]

    @model_validator(mode="after")
    def _can_be_free(self) -> Self:
        _require_modes(self.modes, ("free",))
        return self


class Control(_Part):
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
        named = bool(self.batteries or self.vehicles or self.loads or self.pv)
        if self.by == "advice" and named:
            raise ValueError("by: with advice nothing is sent, so that no batteries, vehicles, loads or pv are named")
        if self.by != "advice" and not named:
            raise ValueError("batteries, vehicles, loads or pv: name what is told")
        if self.by not in NOT_SENT and any(battery.soc is None for battery in self.batteries):
            raise ValueError("batteries: soc is needed; without it nobody knows whether a command is safe")
        if self.by == "mqtt" and any(write.read_back is None for write in self.writes):
            raise ValueError("writes: read_back is needed with MQTT: the topic at which the device says what holds")
        return self

    @property
    def devices(self) -> tuple[str, ...]:
        """The names of what is told apart."""
        batteries, pv = (BATTERIES,) if self.batteries else (), ("pv",) if self.pv else ()
        return (*batteries, *(f"vehicle:{each.vehicle}" for each in self.vehicles), *(f"load:{each.load}" for each in self.loads), *pv)

    @property
    def writes(self) -> tuple[DeviceWrite, ...]:
        """Everything that may be written."""
        devices = (*self.batteries, *self.vehicles, *self.loads, *((self.pv,) if self.pv else ()))
        return tuple(write for device in devices for write in device.writes)


def _require_modes(modes: Collection[str], needed: tuple[str, ...]) -> None:
    missing = [mode for mode in needed if mode not in modes]
    if missing:
        raise ValueError(f"modes: {missing[0]} is needed; name what makes the device do that")
