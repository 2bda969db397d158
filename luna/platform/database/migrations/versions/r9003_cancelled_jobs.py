"""A job may end as cancelled."""

from alembic import op

revision = "9003"
down_revision = "9002"
branch_labels = None
depends_on = None

ALLOW = """
ALTER TABLE jobs DROP CONSTRAINT ck_jobs_status;
ALTER TABLE jobs ADD CONSTRAINT ck_jobs_status CHECK (status IN ('queued', 'running', 'done', 'failed', 'dead', 'cancelled'));
"""
# The version before knows no cancelled jobs; to it they failed.
FORBID = """
UPDATE jobs SET status = 'failed' WHERE status = 'cancelled';
ALTER TABLE jobs DROP CONSTRAINT ck_jobs_status;
ALTER TABLE jobs ADD CONSTRAINT ck_jobs_status CHECK (status IN ('queued', 'running', 'done', 'failed', 'dead'));
"""


def upgrade() -> None:
    op.execute(ALLOW)


def downgrade() -> None:
    op.execute(FORBID)
