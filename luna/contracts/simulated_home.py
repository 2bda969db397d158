"""A home that does not exist, for whoever has none to show yet."""

from datetime import datetime
from typing import ClassVar, Literal

from luna.contracts.message import Message, Request

# Below the data folder; its process runs while this file is there.
SETUP_FILE = "simulated_home/home.json"


class SimulatedHomeReply(Message):
    """The simulated home: the site, its recorded past and today's prices.

    The past is from ``first`` to ``end``; it says how many rows were written. ``prices``:
    ``market``: the day-ahead prices of the real market; ``recorded``: nobody was reached, or may be
    asked, and they are the recorded year's.
    """

    site_id: str
    first: datetime
    end: datetime
    rows_written: int
    prices: Literal["market", "recorded"] = "recorded"


class SimulatedHomeRequest(Request):
    """Store a simulated home with its weeks before now, and let its devices live.

    Refused where Luna speaks to a broker already.
    """

    task: ClassVar[str] = "ingest.simulated_home.make"
    reply: ClassVar[type[Message]] = SimulatedHomeReply
    public: ClassVar[bool] = True


class RemovedHomeReply(Message):
    """Whether there was a simulated home."""

    removed: bool


class RemoveSimulatedHomeRequest(Request):
    """Remove the simulated home with all that belongs to it.

    That is site, history, prices, broker and files.
    """

    task: ClassVar[str] = "ingest.simulated_home.remove"
    reply: ClassVar[type[Message]] = RemovedHomeReply
    public: ClassVar[bool] = True
