"""What beat asks for by the clock: work that keeps the platform itself in order."""

from typing import ClassVar

from luna.contracts.message import Message, Request


class ResendReply(Message):
    """How many jobs were sent again, and how many of those were begun before and died with their worker."""

    sent: int
    begun_before: int


class ResendRequest(Request):
    """Send again what was accepted and never ran, or was begun by a worker that is gone."""

    task: ClassVar[str] = "ingest.jobs.resend"
    reply: ClassVar[type[Message]] = ResendReply


class RefreshRollupsReply(Message):
    """How many days of sites were computed anew; more are left where a run did as many as one may."""

    days: int


class RefreshRollupsRequest(Request):
    """Bring the hourly and daily rollups up to date, where Luna keeps them in tables."""

    task: ClassVar[str] = "ingest.rollups.refresh"
    reply: ClassVar[type[Message]] = RefreshRollupsReply


class RetentionReply(Message):
    """Rows deleted, by table; where TimescaleDB drops whole chunks, chunks."""

    deleted: dict[str, int]


class RetentionRequest(Request):
    """Delete what the settings say is too old to keep."""

    task: ClassVar[str] = "ingest.retention.apply"
    reply: ClassVar[type[Message]] = RetentionReply
