"""Accepted work, and the upkeep that runs by the clock."""

from datetime import date, timedelta
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from luna.contracts.message import Message, Request, Schedule
from luna.energy.site import Site
from luna.energy.timeline import Instant
from luna.words.language import Language

JobStatus = Literal["queued", "running", "done", "failed", "dead", "cancelled"]
# "open" is what has not ended.
JobFilter = Literal["open", "queued", "running", "done", "failed", "dead", "cancelled"]


class JobSummary(Message):
    """The state of a job.

    ``done``, ``failed``, ``dead`` and ``cancelled`` are its ends; ``dead`` is one whose attempts
    never came to an end.
    """

    job_id: str
    task: str
    key: Annotated[
        str, Field(description="names this piece of work; at most one open job per task and key")
    ]
    status: JobStatus
    attempts: Annotated[int, Field(description="how often a worker began it")]
    submitted_at: Annotated[Instant, Field(description="when it was accepted, by a retry anew")]
    sent_at: Annotated[
        Instant | None, Field(description="when its message last went to the queue")
    ] = None
    started_at: Annotated[Instant | None, Field(description="when a worker last began it")] = None
    finished_at: Instant | None = None
    error: Annotated[
        dict[str, Any] | None,
        Field(
            description=(
                "problem document where failed or dead, or queued again until a disk has room"
            )
        ),
    ] = None


class Job(JobSummary):
    """A job with what was asked and, once done, what came of it."""

    request: dict[str, Any]
    reply: Annotated[dict[str, Any] | None, Field(description="only where done")] = None
    trace_id: str


class Progress(Message):
    """The progress of a task.

    It has done ``done`` of ``total`` steps (0: nobody knows how many), and names the current one.
    """

    done: int
    total: int
    label: str = ""


class ResendReply(Message):
    """The number of jobs that were sent again.

    Counted beside are those that were begun before and died with their worker.
    """

    sent: int
    begun_before: int


class ResendRequest(Request):
    """Send lost jobs again.

    These were accepted and never ran, or were begun by a worker that is gone.
    """

    task: ClassVar[str] = "ingest.jobs.resend"
    reply: ClassVar[type[Message]] = ResendReply
    schedule: ClassVar[Schedule | None] = Schedule(
        timedelta(minutes=1), "resend", "time between two looks for lost jobs"
    )


class RefreshRollupsReply(Message):
    """The number of days of sites that were computed anew.

    More are left where a run did as many as one may.
    """

    days: int


class RefreshRollupsRequest(Request):
    """Bring the hourly and daily rollups up to date, if Luna keeps them in tables."""

    task: ClassVar[str] = "ingest.rollups.refresh"
    reply: ClassVar[type[Message]] = RefreshRollupsReply
    schedule: ClassVar[Schedule | None] = Schedule(
        timedelta(minutes=1), "rollups", "time between two refreshes of the rollups"
    )


class RetentionReply(Message):
    """Rows deleted, by table; where TimescaleDB drops whole chunks, chunks."""

    deleted: dict[str, int]


class RetentionRequest(Request):
    """Delete what the settings say is too old to keep."""

    task: ClassVar[str] = "ingest.retention.apply"
    reply: ClassVar[type[Message]] = RetentionReply
    schedule: ClassVar[Schedule | None] = Schedule(
        timedelta(hours=1), "retention", "time between two looks for rows too old to keep"
    )


class ArchiveLogsReply(Message):
    """The stored lines by UTC day, and the number of removed objects of old days."""

    archived: dict[date, int]
    forgotten: int


class ArchiveLogsRequest(Request):
    """Store the log lines of days that are over, before Loki forgets them."""

    task: ClassVar[str] = "ingest.logs.archive"
    reply: ClassVar[type[Message]] = ArchiveLogsReply
    schedule: ClassVar[Schedule | None] = Schedule(
        timedelta(hours=1), "logs", "time between two looks for days of logs to store"
    )


Bilingual = dict[Language, str]


class Provenance(Message):
    """The source, licence and processing of one series.

    Texts by language.
    """

    series: Bilingual
    source: Bilingual
    licence: Bilingual
    period: Bilingual
    changes: Bilingual
    quality: Bilingual
    sha256: str


class DemoSiteReply(Message):
    """A site of the demo as it is stored.

    It says what its year adds up to, and where its series come from.
    """

    site: Site
    yearly_load_kwh: float
    yearly_pv_kwh: float
    provenance: list[Provenance]


class DemoLoadReply(Message):
    """The data that is stored now.

    ``rows_written`` counts rows added or changed: 0 where all of it was there.

    Any day from ``test_first_day`` to ``test_last_day`` may be replayed by a model that learned
    from the days before the first.
    """

    sites: list[DemoSiteReply]
    price_provenance: Provenance
    test_first_day: date
    test_last_day: date
    rows_written: int


class DemoLoadRequest(Request):
    """Store the demo's year, downloading what is not cached.

    Refused where an owner's site or prices stand in its place.
    """

    task: ClassVar[str] = "ingest.demo.load"
    reply: ClassVar[type[Message]] = DemoLoadReply
    public: ClassVar[bool] = True
