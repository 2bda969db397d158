"""Tables of accepted work in the background."""

from sqlalchemy import CheckConstraint, Column, Index, Integer, Table
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import JSONB

from luna.platform.database.schema.metadata import document, instant, metadata, recorded, text

OPEN = "status IN ('queued', 'running')"

jobs = Table(
    "jobs",
    metadata,
    text("job_id", primary_key=True),
    text("task", "service.noun.verb"),
    text("key", "names this piece of work; at most one open job per task and key"),
    document("request", "the message as sent"),
    text("status", server_default="queued"),
    Column(
        "attempts",
        Integer,
        nullable=False,
        server_default="0",
        comment="how often a worker began it",
    ),
    Column("reply", JSONB, comment="only where done"),
    Column(
        "error",
        JSONB,
        comment="problem document where failed or dead, or queued again until a disk has room",
    ),
    text("trace_id"),
    recorded("submitted_at"),
    instant("sent_at", "when its message last went to the queue", nullable=True),
    instant("started_at", "when a worker last began it", nullable=True),
    instant("finished_at", nullable=True),
    CheckConstraint(
        "status IN ('queued', 'running', 'done', 'failed', 'dead', 'cancelled')",
        name="ck_jobs_status",
    ),
    Index("uq_jobs_open_task_key", "task", "key", unique=True, postgresql_where=sql(OPEN)),
    Index("ix_jobs_open_sent_at", "sent_at", postgresql_where=sql(OPEN)),
    comment="The row is the truth, the message in the queue only the doorbell",
)

idempotent_answers = Table(
    "idempotent_answers",
    metadata,
    text("caller", "who asked; empty: nobody has to say", primary_key=True),
    text("operation", "as OpenAPI names it", primary_key=True),
    text("key", "as the caller sent it", primary_key=True),
    text("digest", "SHA-256 of address and body"),
    Column("status", Integer, comment="empty: the first one is still being answered"),
    document("headers", nullable=True),
    text("body", nullable=True),
    recorded("asked_at"),
    Index("ix_idempotent_answers_asked_at", "asked_at"),
    comment=(
        "What was answered to a request that carries an idempotency key, so that a second one "
        "gets it too and does nothing"
    ),
)
