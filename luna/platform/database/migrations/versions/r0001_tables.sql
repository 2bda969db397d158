CREATE TABLE antares_plan_history (
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
  CONSTRAINT pk_antares_plan_history PRIMARY KEY (plan_id)
);
CREATE INDEX ix_antares_plan_history_site_issued_at ON antares_plan_history (site, system_id, issued_at);
COMMENT ON TABLE antares_plan_history IS 'A plan issued by the agent';
COMMENT ON COLUMN antares_plan_history.site IS 'the site''s name; a site given with the request need not be stored';
COMMENT ON COLUMN antares_plan_history.system_id IS 'prod, simulation, prod_shadow_…';
COMMENT ON COLUMN antares_plan_history.inputs_digest IS 'SHA-256 of everything the plan was made from';
COMMENT ON COLUMN antares_plan_history.reply IS 'the plan as answered';
COMMENT ON COLUMN antares_plan_history.recorded_at IS 'when the row was written';
COMMENT ON COLUMN antares_plan_history.run_id IS 'the training of the agent that issued it';
COMMENT ON COLUMN antares_plan_history.control_mode IS 'shadow, export_only, full_control';

CREATE TABLE carbon_intensity (
  place TEXT NOT NULL,
  slot_start TIMESTAMP WITH TIME ZONE NOT NULL,
  issued_at TIMESTAMP WITH TIME ZONE NOT NULL,
  carbon_g_per_kwh DOUBLE PRECISION NOT NULL,
  CONSTRAINT pk_carbon_intensity PRIMARY KEY (place, slot_start, issued_at)
);
COMMENT ON TABLE carbon_intensity IS 'Carbon intensity of the grid in one quarter-hour, measured or forecast';
COMMENT ON COLUMN carbon_intensity.issued_at IS 'measured values: the end of the slot';

CREATE TABLE control_log (
  entry_id BIGINT GENERATED ALWAYS AS IDENTITY,
  site_key INTEGER NOT NULL,
  slot_start TIMESTAMP WITH TIME ZONE NOT NULL,
  decided_by TEXT NOT NULL,
  plan_id TEXT,
  requested JSONB NOT NULL,
  allowed JSONB NOT NULL,
  confirmed JSONB,
  recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  CONSTRAINT pk_control_log PRIMARY KEY (entry_id)
);
CREATE INDEX ix_control_log_slot ON control_log (site_key, slot_start);
COMMENT ON TABLE control_log IS 'Who decided a slot; rows are only added';
COMMENT ON COLUMN control_log.decided_by IS 'planner, agent, owner, rule';
COMMENT ON COLUMN control_log.requested IS 'the set-points asked for';
COMMENT ON COLUMN control_log.allowed IS 'what the safety layer made of them';
COMMENT ON COLUMN control_log.confirmed IS 'what came back';
COMMENT ON COLUMN control_log.recorded_at IS 'when the row was written';

CREATE TABLE documents (
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

CREATE TABLE items (
  item_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  title TEXT NOT NULL,
  features JSONB NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  CONSTRAINT pk_items PRIMARY KEY (item_id)
);
COMMENT ON TABLE items IS 'Something that can be recommended';
COMMENT ON COLUMN items.created_at IS 'when the row was written';

CREATE TABLE market_prices (
  market TEXT NOT NULL,
  slot_start TIMESTAMP WITH TIME ZONE NOT NULL,
  published_at TIMESTAMP WITH TIME ZONE NOT NULL,
  price DOUBLE PRECISION NOT NULL,
  currency TEXT NOT NULL,
  CONSTRAINT pk_market_prices PRIMARY KEY (market, slot_start, published_at)
);
COMMENT ON TABLE market_prices IS 'The price of a market in one quarter-hour, as published';
COMMENT ON COLUMN market_prices.published_at IS 'revisions are kept, so that a replay sees what was known';
COMMENT ON COLUMN market_prices.price IS 'currency per kWh';
COMMENT ON COLUMN market_prices.currency IS 'ISO 4217';

CREATE TABLE plan_history (
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
  CONSTRAINT pk_plan_history PRIMARY KEY (plan_id)
);
CREATE INDEX ix_plan_history_site_issued_at ON plan_history (site, system_id, issued_at);
COMMENT ON TABLE plan_history IS 'An issued plan';
COMMENT ON COLUMN plan_history.site IS 'the site''s name; a site given with the request need not be stored';
COMMENT ON COLUMN plan_history.system_id IS 'prod, simulation, prod_shadow_…';
COMMENT ON COLUMN plan_history.inputs_digest IS 'SHA-256 of everything the plan was made from';
COMMENT ON COLUMN plan_history.reply IS 'the plan as answered';
COMMENT ON COLUMN plan_history.recorded_at IS 'when the row was written';

CREATE TABLE quarantine (
  quarantine_id BIGINT GENERATED ALWAYS AS IDENTITY,
  site_key INTEGER NOT NULL,
  kind TEXT NOT NULL,
  source TEXT NOT NULL,
  line BIGINT NOT NULL,
  reason TEXT NOT NULL,
  raw JSONB NOT NULL,
  received_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  CONSTRAINT pk_quarantine PRIMARY KEY (quarantine_id)
);
CREATE UNIQUE INDEX uq_quarantine_row ON quarantine (site_key, kind, source, line);
COMMENT ON TABLE quarantine IS 'A row that was refused, with the reason: nothing is dropped silently';
COMMENT ON COLUMN quarantine.kind IS 'observations, prices, weather, carbon, readings';
COMMENT ON COLUMN quarantine.source IS 'the file''s SHA-256, or the name of a live source';
COMMENT ON COLUMN quarantine.line IS 'line of the file, or sequence number of the live source';
COMMENT ON COLUMN quarantine.raw IS 'the row as received';
COMMENT ON COLUMN quarantine.received_at IS 'when the row was written';

CREATE TABLE sensor_readings (
  sensor_key INTEGER NOT NULL,
  instant TIMESTAMP WITH TIME ZONE NOT NULL,
  value DOUBLE PRECISION NOT NULL,
  CONSTRAINT pk_sensor_readings PRIMARY KEY (sensor_key, instant)
);
COMMENT ON TABLE sensor_readings IS 'A raw value of a sensor';

CREATE TABLE sites (
  site_key INTEGER GENERATED ALWAYS AS IDENTITY,
  name TEXT NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  CONSTRAINT pk_sites PRIMARY KEY (site_key),
  CONSTRAINT uq_sites_name UNIQUE (name)
);
COMMENT ON TABLE sites IS 'A site; its configuration is the latest of its versions';
COMMENT ON COLUMN sites.site_key IS 'stands in the wide tables instead of the name';
COMMENT ON COLUMN sites.name IS 'the site''s id everywhere outside the database';
COMMENT ON COLUMN sites.created_at IS 'when the row was written';

CREATE TABLE slot_forecasts (
  site_key INTEGER NOT NULL,
  forecast_version TEXT NOT NULL,
  issued_at TIMESTAMP WITH TIME ZONE NOT NULL,
  slot_start TIMESTAMP WITH TIME ZONE NOT NULL,
  load_kwh DOUBLE PRECISION,
  load_p10_kwh DOUBLE PRECISION,
  load_p50_kwh DOUBLE PRECISION,
  load_p90_kwh DOUBLE PRECISION,
  pv_kwh DOUBLE PRECISION,
  pv_p10_kwh DOUBLE PRECISION,
  pv_p50_kwh DOUBLE PRECISION,
  pv_p90_kwh DOUBLE PRECISION,
  CONSTRAINT pk_slot_forecasts PRIMARY KEY (site_key, forecast_version, issued_at, slot_start)
);
COMMENT ON TABLE slot_forecasts IS 'What was expected of one quarter-hour; load_kwh and pv_kwh are means, the others quantiles';

CREATE TABLE slot_observations (
  site_key INTEGER NOT NULL,
  slot_start TIMESTAMP WITH TIME ZONE NOT NULL,
  load_kwh DOUBLE PRECISION,
  pv_kwh DOUBLE PRECISION,
  import_kwh DOUBLE PRECISION,
  export_kwh DOUBLE PRECISION,
  charge_kwh DOUBLE PRECISION,
  discharge_kwh DOUBLE PRECISION,
  soc DOUBLE PRECISION,
  import_price DOUBLE PRECISION,
  export_price DOUBLE PRECISION,
  repaired SMALLINT DEFAULT '0' NOT NULL,
  source TEXT DEFAULT 'file' NOT NULL,
  CONSTRAINT pk_slot_observations PRIMARY KEY (site_key, slot_start)
);
COMMENT ON TABLE slot_observations IS 'What a site did in one quarter-hour; empty means unknown, never zero';
COMMENT ON COLUMN slot_observations.charge_kwh IS 'at the battery terminals';
COMMENT ON COLUMN slot_observations.discharge_kwh IS 'at the battery terminals';
COMMENT ON COLUMN slot_observations.soc IS 'fraction at the end of the slot';
COMMENT ON COLUMN slot_observations.import_price IS 'what the site paid, currency per kWh';
COMMENT ON COLUMN slot_observations.export_price IS 'what the site earned, currency per kWh';
COMMENT ON COLUMN slot_observations.repaired IS 'bit i: value i (load first, soc seventh) was repaired, not measured';
COMMENT ON COLUMN slot_observations.source IS 'where the values came from: file, home_assistant, mqtt, …';

CREATE TABLE smart_meter_readings (
  meter TEXT NOT NULL,
  register TEXT NOT NULL,
  instant TIMESTAMP WITH TIME ZONE NOT NULL,
  value DOUBLE PRECISION NOT NULL,
  CONSTRAINT pk_smart_meter_readings PRIMARY KEY (meter, register, instant)
);
COMMENT ON TABLE smart_meter_readings IS 'A meter reading as received';
COMMENT ON COLUMN smart_meter_readings.register IS 'OBIS code';
COMMENT ON COLUMN smart_meter_readings.value IS 'cumulative, as received';

CREATE TABLE users (
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

CREATE TABLE weather (
  place TEXT NOT NULL,
  slot_start TIMESTAMP WITH TIME ZONE NOT NULL,
  issued_at TIMESTAMP WITH TIME ZONE NOT NULL,
  temperature_c DOUBLE PRECISION,
  ghi_w_m2 DOUBLE PRECISION,
  dhi_w_m2 DOUBLE PRECISION,
  dni_w_m2 DOUBLE PRECISION,
  wind_m_s DOUBLE PRECISION,
  cloud_fraction DOUBLE PRECISION,
  CONSTRAINT pk_weather PRIMARY KEY (place, slot_start, issued_at)
);
COMMENT ON TABLE weather IS 'Weather at a place in one quarter-hour, measured or forecast';
COMMENT ON COLUMN weather.issued_at IS 'measured values: the end of the slot';

CREATE TABLE answers (
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

CREATE TABLE antares_learning (
  site_key INTEGER NOT NULL,
  system_id TEXT NOT NULL,
  slot_start TIMESTAMP WITH TIME ZONE NOT NULL,
  state JSONB NOT NULL,
  action JSONB NOT NULL,
  reward DOUBLE PRECISION,
  recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  CONSTRAINT pk_antares_learning PRIMARY KEY (site_key, system_id, slot_start),
  CONSTRAINT fk_antares_learning_site_key FOREIGN KEY(site_key) REFERENCES sites (site_key) ON DELETE CASCADE
);
COMMENT ON TABLE antares_learning IS 'A step of an episode: state, action, reward';
COMMENT ON COLUMN antares_learning.recorded_at IS 'when the row was written';

CREATE TABLE api_keys (
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
CREATE INDEX ix_api_keys_user_id ON api_keys (user_id);
COMMENT ON TABLE api_keys IS 'A key with which a program acts for a user';
COMMENT ON COLUMN api_keys.secret_hash IS 'argon2id; the key itself is shown once and never stored';
COMMENT ON COLUMN api_keys.created_at IS 'when the row was written';

CREATE TABLE chunks (
  chunk_id TEXT NOT NULL,
  document_id TEXT NOT NULL,
  position INTEGER NOT NULL,
  page INTEGER,
  heading TEXT,
  passage TEXT NOT NULL,
  CONSTRAINT pk_chunks PRIMARY KEY (chunk_id),
  CONSTRAINT fk_chunks_document_id FOREIGN KEY(document_id) REFERENCES documents (document_id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX uq_chunks_document_id_position ON chunks (document_id, position);
COMMENT ON TABLE chunks IS 'A passage with its place in the file';
COMMENT ON COLUMN chunks.position IS '0, 1, 2, … within the document';
COMMENT ON COLUMN chunks.page IS 'first page of the passage, from 1';

CREATE TABLE daily_scores (
  site_key INTEGER NOT NULL,
  day DATE NOT NULL,
  system_id TEXT NOT NULL,
  policy TEXT NOT NULL,
  cost DOUBLE PRECISION NOT NULL,
  currency TEXT NOT NULL,
  scored_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  CONSTRAINT pk_daily_scores PRIMARY KEY (site_key, day, system_id, policy),
  CONSTRAINT fk_daily_scores_site_key FOREIGN KEY(site_key) REFERENCES sites (site_key) ON DELETE CASCADE
);
COMMENT ON TABLE daily_scores IS 'What one policy cost on one day';
COMMENT ON COLUMN daily_scores.day IS 'local day of the site';
COMMENT ON COLUMN daily_scores.scored_at IS 'when the row was written';

CREATE TABLE data_quality_daily (
  site_key INTEGER NOT NULL,
  day DATE NOT NULL,
  verdict TEXT NOT NULL,
  reasons TEXT[] DEFAULT '{}' NOT NULL,
  judged_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  CONSTRAINT pk_data_quality_daily PRIMARY KEY (site_key, day),
  CONSTRAINT ck_data_quality_daily_verdict CHECK (verdict IN ('clean', 'mask_battery', 'exclude')),
  CONSTRAINT fk_data_quality_daily_site_key FOREIGN KEY(site_key) REFERENCES sites (site_key) ON DELETE CASCADE
);
COMMENT ON TABLE data_quality_daily IS 'Whether a day may train and score';
COMMENT ON COLUMN data_quality_daily.day IS 'local day of the site';
COMMENT ON COLUMN data_quality_daily.judged_at IS 'when the row was written';

CREATE TABLE events (
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
CREATE UNIQUE INDEX uq_events_natural ON events (user_id, item_id, kind, happened_at);
COMMENT ON TABLE events IS 'What a user did with an item';
COMMENT ON COLUMN events.kind IS 'shown, opened, accepted, refused';

CREATE TABLE oracle_daily_results (
  site_key INTEGER NOT NULL,
  day DATE NOT NULL,
  oracle_cost DOUBLE PRECISION NOT NULL,
  idle_cost DOUBLE PRECISION NOT NULL,
  currency TEXT NOT NULL,
  schedule JSONB NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  CONSTRAINT pk_oracle_daily_results PRIMARY KEY (site_key, day),
  CONSTRAINT fk_oracle_daily_results_site_key FOREIGN KEY(site_key) REFERENCES sites (site_key) ON DELETE CASCADE
);
COMMENT ON TABLE oracle_daily_results IS 'The optimum in hindsight of one day';
COMMENT ON COLUMN oracle_daily_results.day IS 'local day of the site';
COMMENT ON COLUMN oracle_daily_results.recorded_at IS 'when the row was written';

CREATE TABLE sensors (
  sensor_key INTEGER GENERATED ALWAYS AS IDENTITY,
  site_key INTEGER NOT NULL,
  name TEXT NOT NULL,
  unit TEXT,
  CONSTRAINT pk_sensors PRIMARY KEY (sensor_key),
  CONSTRAINT fk_sensors_site_key FOREIGN KEY(site_key) REFERENCES sites (site_key) ON DELETE CASCADE
);
CREATE UNIQUE INDEX uq_sensors_site_key_name ON sensors (site_key, name);
COMMENT ON TABLE sensors IS 'A source of readings at a site';

CREATE TABLE sessions (
  token_hash TEXT NOT NULL,
  user_id TEXT NOT NULL,
  expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  CONSTRAINT pk_sessions PRIMARY KEY (token_hash),
  CONSTRAINT fk_sessions_user_id FOREIGN KEY(user_id) REFERENCES users (user_id) ON DELETE CASCADE
);
CREATE INDEX ix_sessions_user_id ON sessions (user_id);
COMMENT ON TABLE sessions IS 'A signed-in browser';
COMMENT ON COLUMN sessions.created_at IS 'when the row was written';

CREATE TABLE site_versions (
  site_key INTEGER NOT NULL,
  version INTEGER NOT NULL,
  configuration JSONB NOT NULL,
  saved_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  CONSTRAINT pk_site_versions PRIMARY KEY (site_key, version),
  CONSTRAINT fk_site_versions_site_key FOREIGN KEY(site_key) REFERENCES sites (site_key) ON DELETE CASCADE
);
COMMENT ON TABLE site_versions IS 'A configuration a site has or had';
COMMENT ON COLUMN site_versions.version IS '1, 2, 3, … per site';
COMMENT ON COLUMN site_versions.configuration IS 'validated by luna.site';
COMMENT ON COLUMN site_versions.saved_at IS 'when the row was written';

CREATE TABLE training_runs (
  run_id TEXT NOT NULL,
  site_key INTEGER NOT NULL,
  version TEXT NOT NULL,
  data_from TIMESTAMP WITH TIME ZONE NOT NULL,
  data_until TIMESTAMP WITH TIME ZONE NOT NULL,
  code_version TEXT NOT NULL,
  seed BIGINT NOT NULL,
  metrics JSONB NOT NULL,
  artefact_key TEXT,
  parent_run_id TEXT,
  train_seconds DOUBLE PRECISION NOT NULL,
  finished_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  CONSTRAINT pk_training_runs PRIMARY KEY (run_id),
  CONSTRAINT fk_training_runs_site_key FOREIGN KEY(site_key) REFERENCES sites (site_key) ON DELETE CASCADE,
  CONSTRAINT fk_training_runs_parent_run_id FOREIGN KEY(parent_run_id) REFERENCES training_runs (run_id) ON DELETE SET NULL
);
CREATE INDEX ix_training_runs_latest ON training_runs (site_key, version, data_until);
COMMENT ON TABLE training_runs IS 'One training of any model';
COMMENT ON COLUMN training_runs.version IS 'forecast version or agent kind';
COMMENT ON COLUMN training_runs.data_from IS 'first instant that was learned from';
COMMENT ON COLUMN training_runs.data_until IS 'end of what was learned from; a backtest before it must not use the run';
COMMENT ON COLUMN training_runs.artefact_key IS 'object that holds the model';
COMMENT ON COLUMN training_runs.parent_run_id IS 'the run this one continued';
COMMENT ON COLUMN training_runs.finished_at IS 'when the row was written';
