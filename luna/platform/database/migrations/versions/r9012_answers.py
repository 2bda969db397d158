"""Questions and answers."""

from alembic import op

revision = "9012"
down_revision = "9011"
branch_labels = None
depends_on = None

CREATE = """
CREATE TABLE conversations (
    conversation_id text NOT NULL,
    site_key integer,
    asked_by text NOT NULL,
    begun_at timestamptz NOT NULL,
    CONSTRAINT pk_conversations PRIMARY KEY (conversation_id),
    CONSTRAINT fk_conversations_site_key FOREIGN KEY (site_key) REFERENCES sites (site_key) ON DELETE CASCADE
);
CREATE INDEX ix_conversations_site_key ON conversations (site_key);
COMMENT ON TABLE conversations IS 'Questions of one person that go on from each other';
COMMENT ON COLUMN conversations.site_key IS 'whose data were asked about; empty: none was named';
CREATE TABLE answers (
    answer_id text NOT NULL,
    conversation_id text NOT NULL,
    site_key integer,
    asked_by text NOT NULL,
    answered_at timestamptz NOT NULL,
    refused boolean NOT NULL DEFAULT false,
    answer jsonb NOT NULL,
    prompt text,
    chunk_ids jsonb NOT NULL DEFAULT '[]',
    first_token_seconds double precision,
    prompt_tokens integer,
    answer_tokens integer,
    feedback text,
    feedback_note text,
    CONSTRAINT pk_answers PRIMARY KEY (answer_id),
    CONSTRAINT fk_answers_conversation_id FOREIGN KEY (conversation_id) REFERENCES conversations (conversation_id) ON DELETE CASCADE,
    CONSTRAINT fk_answers_site_key FOREIGN KEY (site_key) REFERENCES sites (site_key) ON DELETE CASCADE
);
CREATE INDEX ix_answers_conversation_id ON answers (conversation_id, answered_at);
CREATE INDEX ix_answers_asked_by ON answers (asked_by, answered_at, answer_id);
CREATE INDEX ix_answers_answered_at ON answers (answered_at, answer_id);
CREATE INDEX ix_answers_site_key ON answers (site_key);
COMMENT ON TABLE answers IS 'An answer with everything it was made from';
COMMENT ON COLUMN answers.site_key IS 'whose data were asked about; empty: none';
COMMENT ON COLUMN answers.refused IS 'neither documents nor data held it';
COMMENT ON COLUMN answers.answer IS 'as it was given';
COMMENT ON COLUMN answers.prompt IS 'as the language model was given it; empty: none was asked';
COMMENT ON COLUMN answers.chunk_ids IS 'passages that were found for it';
COMMENT ON COLUMN answers.feedback IS 'helpful, unhelpful';
"""


def upgrade() -> None:
    op.execute(CREATE)


def downgrade() -> None:
    op.drop_table("answers")
    op.drop_table("conversations")
