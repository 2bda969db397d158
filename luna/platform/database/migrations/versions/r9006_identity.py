"""People, their sign-ins and keys, and what was done.

Tables of the first revision that bear the same names and were kept for their rows step aside under names of their own.
"""

import structlog
from alembic import op
from sqlalchemy.exc import ProgrammingError

from luna.platform.database.migrations.renaming import rename_table

revision = "9006"
down_revision = "9005"
branch_labels = None
depends_on = None

FORMER = ("sessions", "api_keys", "users")
MARK = "former_"
CREATE = """
CREATE TABLE users (
    user_id bigint GENERATED ALWAYS AS IDENTITY,
    name text NOT NULL,
    password_hash text NOT NULL,
    role text NOT NULL,
    created_at timestamptz DEFAULT now() NOT NULL,
    signed_in_at timestamptz,
    CONSTRAINT pk_users PRIMARY KEY (user_id),
    CONSTRAINT uq_users_name UNIQUE (name),
    CONSTRAINT ck_users_role CHECK (role IN ('user', 'analyst', 'admin'))
);
COMMENT ON TABLE users IS 'A person who may sign in';
COMMENT ON COLUMN users.user_id IS 'never given twice, so that nothing of a person is taken for another of the same name';
COMMENT ON COLUMN users.password_hash IS 'argon2id with its parameters and salt';
COMMENT ON COLUMN users.created_at IS 'when the row was written';
COMMENT ON COLUMN users.signed_in_at IS 'when last';
CREATE TABLE user_sites (
    user_id bigint NOT NULL,
    site_key integer NOT NULL,
    CONSTRAINT pk_user_sites PRIMARY KEY (user_id, site_key),
    CONSTRAINT fk_user_sites_user_id_users FOREIGN KEY (user_id) REFERENCES users (user_id) ON DELETE CASCADE,
    CONSTRAINT fk_user_sites_site_key_sites FOREIGN KEY (site_key) REFERENCES sites (site_key) ON DELETE CASCADE
);
COMMENT ON TABLE user_sites IS 'A site that a person has; admins have all';
CREATE TABLE sessions (
    session_id bigint GENERATED ALWAYS AS IDENTITY,
    user_id bigint NOT NULL,
    token_hash text,
    started_at timestamptz DEFAULT now() NOT NULL,
    seen_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    confirmed_until timestamptz,
    address text NOT NULL,
    CONSTRAINT pk_sessions PRIMARY KEY (session_id),
    CONSTRAINT uq_sessions_token_hash UNIQUE (token_hash),
    CONSTRAINT fk_sessions_user_id_users FOREIGN KEY (user_id) REFERENCES users (user_id) ON DELETE CASCADE
);
CREATE INDEX ix_sessions_user_id ON sessions (user_id);
CREATE INDEX ix_sessions_expires_at ON sessions (expires_at);
COMMENT ON TABLE sessions IS 'A sign-in that stands';
COMMENT ON COLUMN sessions.token_hash IS 'SHA-256 of a browser''s cookie; empty for a program, which has refresh tokens';
COMMENT ON COLUMN sessions.started_at IS 'when the row was written';
COMMENT ON COLUMN sessions.seen_at IS 'when it was last used, to the minute';
COMMENT ON COLUMN sessions.expires_at IS 'when it ends, however much it is used';
COMMENT ON COLUMN sessions.confirmed_until IS 'until when what is critical asks for no password';
COMMENT ON COLUMN sessions.address IS 'from where it was begun';
CREATE TABLE refresh_tokens (
    token_hash text NOT NULL,
    session_id bigint NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    CONSTRAINT pk_refresh_tokens PRIMARY KEY (token_hash),
    CONSTRAINT fk_refresh_tokens_session_id_sessions FOREIGN KEY (session_id) REFERENCES sessions (session_id) ON DELETE CASCADE
);
CREATE INDEX ix_refresh_tokens_session_id ON refresh_tokens (session_id);
COMMENT ON TABLE refresh_tokens IS 'What a program gets its next access token for; good once';
COMMENT ON COLUMN refresh_tokens.token_hash IS 'SHA-256';
COMMENT ON COLUMN refresh_tokens.used_at IS 'used again after that, it ends the sign-in';
CREATE TABLE api_keys (
    key_id bigint GENERATED ALWAYS AS IDENTITY,
    prefix text NOT NULL,
    secret_hash text NOT NULL,
    user_id bigint NOT NULL,
    name text NOT NULL,
    scopes text[] NOT NULL,
    every_site boolean DEFAULT false NOT NULL,
    created_at timestamptz DEFAULT now() NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    CONSTRAINT pk_api_keys PRIMARY KEY (key_id),
    CONSTRAINT uq_api_keys_prefix UNIQUE (prefix),
    CONSTRAINT fk_api_keys_user_id_users FOREIGN KEY (user_id) REFERENCES users (user_id) ON DELETE CASCADE
);
CREATE INDEX ix_api_keys_user_id ON api_keys (user_id);
COMMENT ON TABLE api_keys IS 'A key that a program signs its requests with';
COMMENT ON COLUMN api_keys.prefix IS 'names the key';
COMMENT ON COLUMN api_keys.secret_hash IS 'SHA-256: the secret is random and long, so nothing slower is needed';
COMMENT ON COLUMN api_keys.name IS 'what it is for';
COMMENT ON COLUMN api_keys.every_site IS 'all of its owner''s, not only those in api_key_sites';
COMMENT ON COLUMN api_keys.created_at IS 'when the row was written';
COMMENT ON COLUMN api_keys.used_at IS 'when it was last used, to the minute';
CREATE TABLE api_key_sites (
    key_id bigint NOT NULL,
    site_key integer NOT NULL,
    CONSTRAINT pk_api_key_sites PRIMARY KEY (key_id, site_key),
    CONSTRAINT fk_api_key_sites_key_id_api_keys FOREIGN KEY (key_id) REFERENCES api_keys (key_id) ON DELETE CASCADE,
    CONSTRAINT fk_api_key_sites_site_key_sites FOREIGN KEY (site_key) REFERENCES sites (site_key) ON DELETE CASCADE
);
COMMENT ON TABLE api_key_sites IS 'A site that a key has';
CREATE TABLE audit_log (
    entry_id bigint GENERATED ALWAYS AS IDENTITY,
    at timestamptz DEFAULT now() NOT NULL,
    user_name text NOT NULL,
    means text NOT NULL,
    operation text NOT NULL,
    site text,
    status integer NOT NULL,
    address text,
    request_id text NOT NULL,
    CONSTRAINT pk_audit_log PRIMARY KEY (entry_id)
);
CREATE INDEX ix_audit_log_at ON audit_log (at);
COMMENT ON TABLE audit_log IS 'What somebody did or was refused; rows are never changed, and none younger than 30 days is deleted';
COMMENT ON COLUMN audit_log.at IS 'when the row was written';
COMMENT ON COLUMN audit_log.user_name IS 'a name, not a reference: the person may be gone';
COMMENT ON COLUMN audit_log.means IS 'how they said who they are';
COMMENT ON COLUMN audit_log.status IS 'how it ended, as an HTTP status';
"""
log = structlog.get_logger("luna.database")
# A table that is only added to says so itself, whatever asks.
APPEND_ONLY = """
CREATE FUNCTION keep_audit_log() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF OLD.at < now() - interval '30 days' THEN
            RETURN OLD;
        END IF;
    END IF;
    RAISE EXCEPTION 'audit_log is only added to';
END $$;
CREATE TRIGGER keep_audit_log_rows BEFORE UPDATE OR DELETE ON audit_log FOR EACH ROW EXECUTE FUNCTION keep_audit_log();
CREATE TRIGGER keep_audit_log BEFORE TRUNCATE ON audit_log FOR EACH STATEMENT EXECUTE FUNCTION keep_audit_log();
"""


def upgrade() -> None:
    for table in FORMER:
        rename_table(table, MARK + table, lambda name: MARK + name)
    op.execute(CREATE)
    try:
        with op.get_bind().begin_nested():
            op.get_bind().exec_driver_sql(APPEND_ONLY)
    except ProgrammingError as exc:
        # Some hosts allow no triggers; Luna itself only adds.
        log.warning("the audit log is not kept from others", reason=str(exc.orig).partition("\n")[0])


def downgrade() -> None:
    for table in ("audit_log", "api_key_sites", "api_keys", "refresh_tokens", "sessions", "user_sites", "users"):
        op.drop_table(table)
    op.execute("DROP FUNCTION IF EXISTS keep_audit_log()")
    for table in FORMER:
        rename_table(MARK + table, table, lambda name: name.removeprefix(MARK))
