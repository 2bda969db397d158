"""How a site's batteries are told what to do: which entity or topic takes a mode, a power, a state of charge, and where what holds is read back.

A declarative template: Luna's set-point goes in, texts for one home automation or broker come out (``services.planner.execution.template``).
"""

from string import Formatter
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Mode = Literal["self_consumption", "save", "supply", "hold", "charge", "export"]

# What a value may be made of; power and limits as whole numbers but for those in kW.
PLACEHOLDERS = ("mode", "power_kw", "power_w", "target_percent", "floor_percent", "ceiling_percent")
# Needed of every battery: what it falls back to, and what it does while nobody knows how full it is.
NEEDED_MODES: tuple[Mode, ...] = ("self_consumption", "hold")

Place = Annotated[str, Field(min_length=1, max_length=255, description="an entity of Home Assistant, or a topic of MQTT")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, populate_by_name=True)


class ControlWrite(_Part):
    """One value that is written; those of a battery in their order."""

    to: Place
    value: Annotated[str, Field(min_length=1, max_length=255, description="text with placeholders such as {mode} or {power_w}")]
    when: Annotated[tuple[Mode, ...], Field(description="written in these modes alone; empty: in all")] = ()
    service: Annotated[str | None, Field(pattern=r"^[a-z0-9_]+\.[a-z0-9_]+$", description="of Home Assistant; empty: what the entity's kind takes")] = None
    field: Annotated[str | None, Field(pattern=r"^[a-z0-9_]+$", description="of the service's data that takes the value; empty: as that kind names it")] = None
    read_back: Annotated[Place | None, Field(description="where what holds is read; empty: at the entity itself")] = None

    @field_validator("value")
    @classmethod
    def _known_placeholders(cls, value: str) -> str:
        strangers = sorted({name for _, name, _, _ in Formatter().parse(value) if name is not None} - set(PLACEHOLDERS))
        if strangers:
            raise ValueError(f"no such placeholder: {{{strangers[0]}}}; there are {', '.join(PLACEHOLDERS)}")
        return value


class BatteryControl(_Part):
    """How one battery is told."""

    battery: Annotated[str, Field(min_length=1, max_length=64, description="the name it has under batteries")]
    soc: Annotated[Place | None, Field(description="where its state of charge is read just before it is told anything, percent")] = None
    modes: Annotated[dict[Mode, Annotated[str, Field(max_length=255)]], Field(description="what the inverter calls Luna's modes")]
    writes: Annotated[tuple[ControlWrite, ...], Field(min_length=1, max_length=16)]

    @model_validator(mode="after")
    def _can_be_left_alone(self) -> Self:
        missing = [mode for mode in NEEDED_MODES if mode not in self.modes]
        if missing:
            raise ValueError(f"modes: {missing[0]} is needed; name what makes the inverter do that")
        return self


class Control(_Part):
    """Who tells the batteries of a site; nothing is sent before the site is armed: ``luna control arm``."""

    by: Annotated[Literal["dry_run", "home_assistant", "mqtt"], Field(description="dry_run: nobody; what would be sent is recorded")] = "dry_run"
    batteries: Annotated[tuple[BatteryControl, ...], Field(min_length=1, max_length=16)]

    @model_validator(mode="after")
    def _can_be_read(self) -> Self:
        if self.by != "dry_run" and any(battery.soc is None for battery in self.batteries):
            raise ValueError("batteries: soc is needed; without it nobody knows whether a command is safe")
        if self.by == "mqtt" and any(write.read_back is None for battery in self.batteries for write in battery.writes):
            raise ValueError("writes: read_back is needed with MQTT: the topic at which the device says what holds")
        return self
