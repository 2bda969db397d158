CREATE TABLE IF NOT EXISTS users (
  user_id TEXT NOT NULL,
  email TEXT NOT NULL,
  password_hash TEXT NOT NULL,
  role TEXT NOT NULL,
  active BOOLEAN DEFAULT 'true' NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  CONSTRAINT pk_users PRIMARY KEY (user_id),
  CONSTRAINT ck_users_role CHECK (role IN ('user', 'analyst', 'admin')),
  CONSTRAINT uq_users_email UNIQUE (email)
);
COMMENT ON TABLE users IS 'A person who may sign in';
COMMENT ON COLUMN users.password_hash IS 'argon2id';
COMMENT ON COLUMN users.role IS 'user < analyst < admin';
COMMENT ON COLUMN users.created_at IS 'when the row was written';
CREATE TABLE IF NOT EXISTS documents (
  document_id TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  object_key TEXT NOT NULL,
  title TEXT NOT NULL,
  mime_type TEXT NOT NULL,
  language TEXT,
  size_bytes BIGINT NOT NULL,
  stored_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  CONSTRAINT pk_documents PRIMARY KEY (document_id),
  CONSTRAINT uq_documents_sha256 UNIQUE (sha256)
);
COMMENT ON TABLE documents IS 'A stored file';
COMMENT ON COLUMN documents.sha256 IS 'of the file''s bytes';
COMMENT ON COLUMN documents.object_key IS 'where the file is stored';
COMMENT ON COLUMN documents.language IS 'ISO 639-1';
COMMENT ON COLUMN documents.stored_at IS 'when the row was written';
CREATE TABLE IF NOT EXISTS items (
  item_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  title TEXT NOT NULL,
  features JSONB NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  CONSTRAINT pk_items PRIMARY KEY (item_id)
);
COMMENT ON TABLE items IS 'Something that can be recommended';
COMMENT ON COLUMN items.created_at IS 'when the row was written';
CREATE TABLE IF NOT EXISTS answers (
  answer_id TEXT NOT NULL,
  user_id TEXT,
  question TEXT NOT NULL,
  prompt TEXT NOT NULL,
  answer TEXT NOT NULL,
  model TEXT NOT NULL,
  chunk_ids TEXT[] DEFAULT '{}' NOT NULL,
  tool_calls JSONB DEFAULT '[]' NOT NULL,
  latency_seconds DOUBLE PRECISION NOT NULL,
  feedback INTEGER,
  answered_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  CONSTRAINT pk_answers PRIMARY KEY (answer_id),
  CONSTRAINT fk_answers_user_id FOREIGN KEY(user_id) REFERENCES users (user_id) ON DELETE SET NULL
);
COMMENT ON TABLE answers IS 'An answer with everything it was made from';
COMMENT ON COLUMN answers.feedback IS '-1, 0 or 1';
COMMENT ON COLUMN answers.answered_at IS 'when the row was written';
CREATE TABLE IF NOT EXISTS chunks (
  chunk_id TEXT NOT NULL,
  document_id TEXT NOT NULL,
  position INTEGER NOT NULL,
  page INTEGER,
  heading TEXT,
  passage TEXT NOT NULL,
  CONSTRAINT pk_chunks PRIMARY KEY (chunk_id),
  CONSTRAINT fk_chunks_document_id FOREIGN KEY(document_id) REFERENCES documents (document_id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX IF NOT EXISTS uq_chunks_document_id_position ON chunks (document_id, position);
COMMENT ON TABLE chunks IS 'A passage with its place in the file';
COMMENT ON COLUMN chunks.position IS '0, 1, 2, … within the document';
COMMENT ON COLUMN chunks.page IS 'first page of the passage, from 1';
CREATE TABLE IF NOT EXISTS events (
  event_id BIGINT GENERATED ALWAYS AS IDENTITY,
  user_id TEXT NOT NULL,
  item_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  happened_at TIMESTAMP WITH TIME ZONE NOT NULL,
  context JSONB NOT NULL,
  CONSTRAINT pk_events PRIMARY KEY (event_id),
  CONSTRAINT fk_events_user_id FOREIGN KEY(user_id) REFERENCES users (user_id) ON DELETE CASCADE,
  CONSTRAINT fk_events_item_id FOREIGN KEY(item_id) REFERENCES items (item_id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX IF NOT EXISTS uq_events_natural ON events (user_id, item_id, kind, happened_at);
COMMENT ON TABLE events IS 'What a user did with an item';
COMMENT ON COLUMN events.kind IS 'shown, opened, accepted, refused';
CREATE TABLE IF NOT EXISTS api_keys (
  key_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  name TEXT NOT NULL,
  secret_hash TEXT NOT NULL,
  expires_at TIMESTAMP WITH TIME ZONE,
  revoked_at TIMESTAMP WITH TIME ZONE,
  created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  CONSTRAINT pk_api_keys PRIMARY KEY (key_id),
  CONSTRAINT fk_api_keys_user_id FOREIGN KEY(user_id) REFERENCES users (user_id) ON DELETE CASCADE
);
CREATE INDEX IF NOT EXISTS ix_api_keys_user_id ON api_keys (user_id);
COMMENT ON TABLE api_keys IS 'A key with which a program acts for a user';
COMMENT ON COLUMN api_keys.secret_hash IS 'argon2id; the key itself is shown once and never stored';
COMMENT ON COLUMN api_keys.created_at IS 'when the row was written';
CREATE TABLE IF NOT EXISTS sessions (
  token_hash TEXT NOT NULL,
  user_id TEXT NOT NULL,
  expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  CONSTRAINT pk_sessions PRIMARY KEY (token_hash),
  CONSTRAINT fk_sessions_user_id FOREIGN KEY(user_id) REFERENCES users (user_id) ON DELETE CASCADE
);
CREATE INDEX IF NOT EXISTS ix_sessions_user_id ON sessions (user_id);
COMMENT ON TABLE sessions IS 'A signed-in browser';
COMMENT ON COLUMN sessions.created_at IS 'when the row was written';
CREATE TABLE IF NOT EXISTS antares_plan_history (
  plan_id TEXT NOT NULL,
  site TEXT NOT NULL,
  system_id TEXT NOT NULL,
  issued_at TIMESTAMP WITH TIME ZONE NOT NULL,
  starts_at TIMESTAMP WITH TIME ZONE NOT NULL,
  ends_at TIMESTAMP WITH TIME ZONE NOT NULL,
  status TEXT NOT NULL,
  total_cost DOUBLE PRECISION NOT NULL,
  currency TEXT NOT NULL,
  inputs_digest TEXT NOT NULL,
  reply JSONB NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  run_id TEXT NOT NULL,
  control_mode TEXT NOT NULL,
  inputs JSONB,
  CONSTRAINT pk_antares_plan_history PRIMARY KEY (plan_id)
);
CREATE INDEX IF NOT EXISTS ix_antares_plan_history_site_issued_at ON antares_plan_history (site, system_id, issued_at);
COMMENT ON TABLE antares_plan_history IS 'A plan issued by the agent';
COMMENT ON COLUMN antares_plan_history.site IS 'the site''s name; a site given with the request need not be stored';
COMMENT ON COLUMN antares_plan_history.system_id IS 'prod, simulation, prod_shadow_…';
COMMENT ON COLUMN antares_plan_history.inputs_digest IS 'SHA-256 of everything the plan was made from';
COMMENT ON COLUMN antares_plan_history.reply IS 'the plan as answered';
COMMENT ON COLUMN antares_plan_history.recorded_at IS 'when the row was written';
COMMENT ON COLUMN antares_plan_history.run_id IS 'the training of the agent that issued it';
COMMENT ON COLUMN antares_plan_history.control_mode IS 'shadow, export_only, full_control';
COMMENT ON COLUMN antares_plan_history.inputs IS 'the complete request it was made from; empty where the plan was stored before these were';
