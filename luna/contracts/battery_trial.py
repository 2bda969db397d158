"""Trials that move batteries, chargers, loads and inverters before anything is armed."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from luna.contracts.device_command import CommandMode
from luna.contracts.message import Message, Request
from luna.energy.devices.battery import Mode
from luna.energy.devices.commands import Via


class UnknownReading(Message):
    """A reading of a device that does not count."""

    reading: Annotated[str, Field(description="its name in the profile")]
    cause: Annotated[
        str, Field(description="invalid_value, beyond_rating, wrong_sign or contradicts")
    ]
    value: Annotated[float | None, Field(description="what the device reported; null: no number")]
    unit: Annotated[str, Field(description="of the value")]


class BatteryMove(Message):
    """The result of one set-point."""

    mode: Annotated[Literal[Mode, CommandMode], Field(description="the mode that was set")]
    outcome: Annotated[str, Field(description="right, or what was wrong with it")]
    is_right: Annotated[bool, Field(description="whether nothing speaks against the profile")]
    power_w: Annotated[
        float | None,
        Field(
            description=(
                "what flowed into the battery, out of it below zero, into the car or the load, or "
                "what the roof gave; null: it was not looked at"
            )
        ),
    ]
    seconds: Annotated[float, Field(description="after so long")]
    implausible: Annotated[
        list[UnknownReading], Field(description="what the device reported last that does not count")
    ] = []


class BatteryTrial(Message):
    """The result of moving one battery."""

    moves: Annotated[list[BatteryMove], Field(description="in their order")] = []
    problem: Annotated[
        dict[str, Any] | None,
        Field(description="why it was not moved, or not to the end; null: it was"),
    ] = None

    @property
    def is_right(self) -> bool:
        """Whether nothing speaks against the profile."""
        return self.problem is None and all(move.is_right for move in self.moves)


class BatteryTrials(Message):
    """The results of moving batteries."""

    batteries: Annotated[
        dict[str, BatteryTrial],
        Field(
            description="by their names; a car or a load by its key (vehicle:car), the roof as pv"
        ),
    ]


class TryBatteriesRequest(Request):
    """Move batteries for a trial, read what they do, and hand them back.

    They move by 200 W for ten seconds each way; a car charges with 6 A, a load is on and a solar
    inverter gives half of what it gave, for a minute.

    Refused of one whose site is armed.
    """

    task: ClassVar[str] = "ingest.batteries.try"
    reply: ClassVar[type[Message]] = BatteryTrials

    vias: Annotated[
        dict[str, Via | None],
        Field(
            description=(
                "how each battery is reached, each car or load by its key, the roof as pv; null: "
                "nobody knows yet"
            )
        ),
    ]
    site: Annotated[
        dict[str, Any] | None,
        Field(
            description=(
                "the site that has them, as far as it is whole: its limits bound what they are told"
            )
        ),
    ] = None
