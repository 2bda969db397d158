"""Which version of the forecasts drives a site's planner, why, and what waits to take its place: the same answer wherever it is given."""

from datetime import date, datetime

from luna.contracts.message import Message


class WaitingVersion(Message):
    """A trained version that does not drive the planner: ``days`` of the ``needed`` days are scored beside the one that does.

    ``earliest`` is the first day on which the rule can decide, null where that has passed or all days are scored; ``command`` lets the version drive at once.
    """

    forecast_version: str
    days: int
    needed: int
    earliest: date | None = None
    command: str


class DrivingVersion(Message):
    """What drives the planner of a site. ``reason`` says why it does, ``waiting`` what was trained and is not in use."""

    forecast_version: str
    pinned: bool
    run_id: str | None = None
    since: datetime | None = None
    reason: str
    waiting: WaitingVersion | None = None
