"""What was answered to requests that carry an idempotency key."""

from alembic import op

revision = "9008"
down_revision = "9007"
branch_labels = None
depends_on = None

CREATE = """
CREATE TABLE idempotent_answers (
    caller text NOT NULL,
    operation text NOT NULL,
    key text NOT NULL,
    digest text NOT NULL,
    status integer,
    headers jsonb,
    body text,
    asked_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT pk_idempotent_answers PRIMARY KEY (caller, operation, key)
);
CREATE INDEX ix_idempotent_answers_asked_at ON idempotent_answers (asked_at);
COMMENT ON TABLE idempotent_answers IS 'What was answered to a request that carries an idempotency key, so that a second one gets it too and does nothing';
COMMENT ON COLUMN idempotent_answers.caller IS 'who asked; empty: nobody has to say';
COMMENT ON COLUMN idempotent_answers.operation IS 'as OpenAPI names it';
COMMENT ON COLUMN idempotent_answers.key IS 'as the caller sent it';
COMMENT ON COLUMN idempotent_answers.digest IS 'SHA-256 of address and body';
COMMENT ON COLUMN idempotent_answers.status IS 'empty: the first one is still being answered';
COMMENT ON COLUMN idempotent_answers.asked_at IS 'when the row was written';
"""


def upgrade() -> None:
    op.execute(CREATE)


def downgrade() -> None:
    op.drop_table("idempotent_answers")
