"""Take over the past of a site from the service its sensors live in."""

from typing import ClassVar

from luna.contracts.message import Instant, Message, Request
from luna.contracts.slots import BuildSlotsReply


class BackfilledSensor(Message):
    """What one sensor brought: readings with a value, those that said that none is known, and rows new or changed."""

    sensor: str
    role: str
    unit: str | None
    readings: int
    unknown: int
    rows_written: int


class BackfillReply(Message):
    """What was taken over, the quarter-hours built from it, and the sensors whose names are none of Home Assistant's: they have no past to read."""

    sensors: list[BackfilledSensor]
    left_out: list[str] = []
    slots: BuildSlotsReply


class BackfillRequest(Request):
    """Read what a site's sensors said from ``first`` on, before ``end``, into the database, and build the slots of that time."""

    task: ClassVar[str] = "ingest.history.backfill"
    reply: ClassVar[type[Message]] = BackfillReply

    site_id: str
    first: Instant
    end: Instant
