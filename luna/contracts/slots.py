"""Build quarter-hours out of what a site's sensors said."""

from typing import ClassVar

from luna.contracts.message import Instant, Message, Request


class BuiltSeries(Message):
    """A column of the quarter-hours that were built.

    ``known`` counts its quarter-hours with a value, ``interpolated`` those of them that rest on less than readings, ``rejected`` the readings of its sensors
    that were refused, by reason.
    """

    known: int
    interpolated: int
    rejected: dict[str, int]


class BuildSlotsReply(Message):
    """What was built, from ``first`` on, before ``end``, both on the grid.

    Args:
        slots_written: quarter-hours added or changed.
        slots_withdrawn: values taken back because the meter they came from was found to be stuck.
        quarantined: entries in quarantine, each a reading or neighbouring ones refused for one reason.
        missing_sensors: those that the site names and that never said anything.
    """

    site_id: str
    first: Instant
    end: Instant
    slots_written: int
    slots_withdrawn: int = 0
    quarantined: int = 0
    series: dict[str, BuiltSeries] = {}
    missing_sensors: list[str] = []


class BuildSlotsRequest(Request):
    """Build a site's quarter-hours from the one that covers ``first`` on, up to the one that ends at or after ``end``."""

    task: ClassVar[str] = "ingest.slots.build"
    reply: ClassVar[type[Message]] = BuildSlotsReply

    site_id: str
    first: Instant
    end: Instant
