"""Work that was accepted and that nobody waits for: a row per job."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

CREATE = """
CREATE TABLE jobs (
    job_id text NOT NULL,
    task text NOT NULL,
    key text NOT NULL,
    request jsonb NOT NULL,
    status text DEFAULT 'queued' NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    reply jsonb,
    error jsonb,
    trace_id text NOT NULL,
    submitted_at timestamptz DEFAULT now() NOT NULL,
    sent_at timestamptz,
    started_at timestamptz,
    finished_at timestamptz,
    CONSTRAINT pk_jobs PRIMARY KEY (job_id),
    CONSTRAINT ck_jobs_status CHECK (status IN ('queued', 'running', 'done', 'failed', 'dead'))
);
CREATE UNIQUE INDEX uq_jobs_open_task_key ON jobs (task, key) WHERE status IN ('queued', 'running');
CREATE INDEX ix_jobs_open_sent_at ON jobs (sent_at) WHERE status IN ('queued', 'running');
COMMENT ON TABLE jobs IS 'The row is the truth, the message in the queue only the doorbell';
COMMENT ON COLUMN jobs.task IS 'service.noun.verb';
COMMENT ON COLUMN jobs.key IS 'names this piece of work; at most one open job per task and key';
COMMENT ON COLUMN jobs.request IS 'the message as sent';
COMMENT ON COLUMN jobs.attempts IS 'how often a worker began it';
COMMENT ON COLUMN jobs.reply IS 'only where done';
COMMENT ON COLUMN jobs.error IS 'problem document, only where failed or dead';
COMMENT ON COLUMN jobs.submitted_at IS 'when the row was written';
COMMENT ON COLUMN jobs.sent_at IS 'when its message last went to the queue';
COMMENT ON COLUMN jobs.started_at IS 'when a worker last began it';
"""


def upgrade() -> None:
    op.execute(CREATE)


def downgrade() -> None:
    op.drop_table("jobs")
