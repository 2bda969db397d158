CREATE TABLE agent_gates (
	gate_id BIGINT GENERATED ALWAYS AS IDENTITY,
	site_key INTEGER NOT NULL,
	at TIMESTAMP WITH TIME ZONE NOT NULL,
	kind TEXT NOT NULL,
	policy TEXT NOT NULL,
	mode TEXT NOT NULL,
	state TEXT,
	reason TEXT NOT NULL,
	better BOOLEAN DEFAULT false NOT NULL,
	evidence JSONB NOT NULL,
	decided_by TEXT NOT NULL,
	CONSTRAINT pk_agent_gates PRIMARY KEY (gate_id),
	CONSTRAINT fk_agent_gates_site_key FOREIGN KEY(site_key) REFERENCES sites (site_key) ON DELETE CASCADE
);
CREATE INDEX ix_agent_gates_site_key ON agent_gates (site_key, gate_id);
COMMENT ON COLUMN agent_gates.kind IS 'judged, asked, withdrawn, restored';
COMMENT ON COLUMN agent_gates.policy IS 'whose evidence it rests on';
COMMENT ON COLUMN agent_gates.mode IS 'shadow, export_only, full_control';
COMMENT ON COLUMN agent_gates.state IS 'not_ready, offered, withdrawn; empty: somebody asked for the mode';
COMMENT ON COLUMN agent_gates.better IS 'whether the agent is surely cheaper than the planner';
COMMENT ON COLUMN agent_gates.evidence IS 'days, points and their interval, by kind';
COMMENT ON COLUMN agent_gates.decided_by IS 'gatekeeper, or who decided';
COMMENT ON TABLE agent_gates IS 'What the agent may do; rows are only added, of each policy and mode the last with a state holds';
CREATE TABLE answers (
	answer_id TEXT NOT NULL,
	conversation_id TEXT NOT NULL,
	site_key INTEGER,
	sites TEXT[] DEFAULT '{}' NOT NULL,
	asked_by TEXT NOT NULL,
	answered_at TIMESTAMP WITH TIME ZONE NOT NULL,
	refused BOOLEAN DEFAULT false NOT NULL,
	answer JSONB NOT NULL,
	prompt TEXT,
	chunk_ids JSONB DEFAULT '[]' NOT NULL,
	first_token_seconds DOUBLE PRECISION,
	prompt_tokens INTEGER,
	answer_tokens INTEGER,
	feedback TEXT,
	feedback_note TEXT,
	CONSTRAINT pk_answers PRIMARY KEY (answer_id),
	CONSTRAINT fk_answers_conversation_id FOREIGN KEY(conversation_id) REFERENCES conversations (conversation_id) ON DELETE CASCADE,
	CONSTRAINT fk_answers_site_key FOREIGN KEY(site_key) REFERENCES sites (site_key) ON DELETE CASCADE
);
CREATE INDEX ix_answers_answered_at ON answers (answered_at, answer_id);
CREATE INDEX ix_answers_asked_by ON answers (asked_by, answered_at, answer_id);
CREATE INDEX ix_answers_conversation_id ON answers (conversation_id, answered_at);
CREATE INDEX ix_answers_site_key ON answers (site_key);
COMMENT ON COLUMN answers.site_key IS 'whose data were asked about; empty: none';
COMMENT ON COLUMN answers.sites IS 'whose data and documents it tells of; who has not all of them does not see it';
COMMENT ON COLUMN answers.refused IS 'neither documents nor data held it';
COMMENT ON COLUMN answers.answer IS 'as it was given';
COMMENT ON COLUMN answers.prompt IS 'as the language model was given it; empty: none was asked';
COMMENT ON COLUMN answers.chunk_ids IS 'passages that were found for it';
COMMENT ON COLUMN answers.feedback IS 'helpful, unhelpful';
COMMENT ON TABLE answers IS 'An answer with everything it was made from';
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
COMMENT ON COLUMN antares_learning.recorded_at IS 'when the row was written';
COMMENT ON TABLE antares_learning IS 'A step of an episode: state, action, reward';
CREATE TABLE antares_plan_history (
	based_on TEXT NOT NULL,
	policy TEXT NOT NULL,
	site_key INTEGER NOT NULL,
	system_id TEXT NOT NULL,
	plan_id TEXT,
	run_id TEXT,
	issued_at TIMESTAMP WITH TIME ZONE NOT NULL,
	starts_at TIMESTAMP WITH TIME ZONE NOT NULL,
	ends_at TIMESTAMP WITH TIME ZONE NOT NULL,
	metrics JSONB NOT NULL,
	verdict JSONB NOT NULL,
	packed_reply BYTEA,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
	CONSTRAINT pk_antares_plan_history PRIMARY KEY (based_on, policy),
	CONSTRAINT fk_antares_plan_history_site_key FOREIGN KEY(site_key) REFERENCES sites (site_key) ON DELETE CASCADE,
	CONSTRAINT uq_antares_plan_history_plan_id UNIQUE (plan_id)
);
CREATE INDEX ix_antares_plan_history_site_issued_at ON antares_plan_history (site_key, policy, issued_at);
COMMENT ON COLUMN antares_plan_history.based_on IS 'the planner''s plan that was made from the same inputs';
COMMENT ON COLUMN antares_plan_history.system_id IS 'prod_shadow_… and the policy';
COMMENT ON COLUMN antares_plan_history.plan_id IS 'empty: the agent made none';
COMMENT ON COLUMN antares_plan_history.run_id IS 'the training it rests on; empty: there was none';
COMMENT ON COLUMN antares_plan_history.metrics IS 'expected cost of both plans over the same scenarios, scenarios, milliseconds, interventions, breach_kwh';
COMMENT ON COLUMN antares_plan_history.verdict IS 'what the gatekeeper made of it';
COMMENT ON COLUMN antares_plan_history.packed_reply IS 'the plan, as in plan_history; empty: there is none';
COMMENT ON COLUMN antares_plan_history.recorded_at IS 'when the row was written';
COMMENT ON TABLE antares_plan_history IS 'A plan of the agent, made beside one of the planner';
CREATE TABLE api_key_sites (
	key_id BIGINT NOT NULL,
	site_key INTEGER NOT NULL,
	CONSTRAINT pk_api_key_sites PRIMARY KEY (key_id, site_key),
	CONSTRAINT fk_api_key_sites_key_id FOREIGN KEY(key_id) REFERENCES api_keys (key_id) ON DELETE CASCADE,
	CONSTRAINT fk_api_key_sites_site_key FOREIGN KEY(site_key) REFERENCES sites (site_key) ON DELETE CASCADE
);
COMMENT ON TABLE api_key_sites IS 'A site that a key has';
CREATE TABLE api_keys (
	key_id BIGINT GENERATED ALWAYS AS IDENTITY,
	prefix TEXT NOT NULL,
	secret_hash TEXT NOT NULL,
	user_id BIGINT NOT NULL,
	name TEXT NOT NULL,
	scopes TEXT[] NOT NULL,
	every_site BOOLEAN DEFAULT false NOT NULL,
	created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
	expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
	used_at TIMESTAMP WITH TIME ZONE,
	CONSTRAINT pk_api_keys PRIMARY KEY (key_id),
	CONSTRAINT uq_api_keys_prefix UNIQUE (prefix),
	CONSTRAINT fk_api_keys_user_id FOREIGN KEY(user_id) REFERENCES users (user_id) ON DELETE CASCADE
);
CREATE INDEX ix_api_keys_user_id ON api_keys (user_id);
COMMENT ON COLUMN api_keys.prefix IS 'names the key';
COMMENT ON COLUMN api_keys.secret_hash IS 'SHA-256: the secret is random and long, so nothing slower is needed';
COMMENT ON COLUMN api_keys.name IS 'what it is for';
COMMENT ON COLUMN api_keys.every_site IS 'all of its owner''s, not only those in api_key_sites';
COMMENT ON COLUMN api_keys.created_at IS 'when the row was written';
COMMENT ON COLUMN api_keys.used_at IS 'when it was last used, to the minute';
COMMENT ON TABLE api_keys IS 'A key that a program signs its requests with';
CREATE TABLE audit_log (
	entry_id BIGINT GENERATED ALWAYS AS IDENTITY,
	at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
	user_name TEXT NOT NULL,
	means TEXT NOT NULL,
	operation TEXT NOT NULL,
	site TEXT,
	status INTEGER NOT NULL,
	address TEXT,
	request_id TEXT NOT NULL,
	CONSTRAINT pk_audit_log PRIMARY KEY (entry_id)
);
CREATE INDEX ix_audit_log_at ON audit_log (at);
COMMENT ON COLUMN audit_log.at IS 'when the row was written';
COMMENT ON COLUMN audit_log.user_name IS 'a name, not a reference: the person may be gone';
COMMENT ON COLUMN audit_log.means IS 'how they said who they are';
COMMENT ON COLUMN audit_log.status IS 'how it ended, as an HTTP status';
COMMENT ON TABLE audit_log IS 'What somebody did or was refused; rows are never changed, and none younger than 30 days is deleted';
CREATE TABLE bandit_states (
	policy TEXT NOT NULL,
	dimensions INTEGER NOT NULL,
	precision BYTEA NOT NULL,
	response BYTEA NOT NULL,
	count BIGINT NOT NULL,
	changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
	CONSTRAINT pk_bandit_states PRIMARY KEY (policy)
);
COMMENT ON COLUMN bandit_states.precision IS 'float64, little-endian: sum of outer products of observed features';
COMMENT ON COLUMN bandit_states.response IS 'float64, little-endian: sum of features times rewards';
COMMENT ON COLUMN bandit_states.count IS 'observations';
COMMENT ON TABLE bandit_states IS 'What each policy has learned; the sum over recommendations with a reward';
CREATE TABLE carbon_intensity (
	place TEXT NOT NULL,
	slot_start TIMESTAMP WITH TIME ZONE NOT NULL,
	issued_at TIMESTAMP WITH TIME ZONE NOT NULL,
	carbon_g_per_kwh DOUBLE PRECISION NOT NULL,
	CONSTRAINT pk_carbon_intensity PRIMARY KEY (place, slot_start, issued_at)
);
COMMENT ON COLUMN carbon_intensity.issued_at IS 'measured values: the end of the slot';
COMMENT ON TABLE carbon_intensity IS 'Carbon intensity of the grid in one quarter-hour, measured or forecast';
CREATE TABLE chunk_vectors (
	chunk_id BIGINT NOT NULL,
	model TEXT NOT NULL,
	vector BYTEA,
	revision BIGINT DEFAULT nextval('vector_revisions') NOT NULL,
	CONSTRAINT pk_chunk_vectors PRIMARY KEY (chunk_id, model),
	CONSTRAINT fk_chunk_vectors_chunk_id FOREIGN KEY(chunk_id) REFERENCES chunks (chunk_id) ON DELETE CASCADE
);
CREATE INDEX ix_chunk_vectors_revision ON chunk_vectors (revision);
COMMENT ON COLUMN chunk_vectors.vector IS 'float16, little-endian, of unit length; empty: there is no embedding model, words alone are indexed';
COMMENT ON COLUMN chunk_vectors.revision IS 'ascending in the order of commits: an index follows from the last one it knows';
COMMENT ON TABLE chunk_vectors IS 'What an index of passages is made from; derived, luna rag reindex makes it anew';
CREATE TABLE chunks (
	chunk_id BIGINT GENERATED ALWAYS AS IDENTITY,
	document_id TEXT NOT NULL,
	position INTEGER NOT NULL,
	page INTEGER,
	page_end INTEGER,
	headings JSONB NOT NULL,
	passage TEXT NOT NULL,
	CONSTRAINT pk_chunks PRIMARY KEY (chunk_id),
	CONSTRAINT uq_chunks_document_id_position UNIQUE (document_id, position),
	CONSTRAINT fk_chunks_document_id FOREIGN KEY(document_id) REFERENCES documents (document_id) ON DELETE CASCADE
);
COMMENT ON COLUMN chunks.position IS '0, 1, 2, … within the document';
COMMENT ON COLUMN chunks.page IS 'on which it begins, from 1';
COMMENT ON COLUMN chunks.headings IS 'path of headings above it';
COMMENT ON TABLE chunks IS 'A passage with its place in the document';
CREATE TABLE control_devices (
	site_key INTEGER NOT NULL,
	device TEXT NOT NULL,
	override JSONB,
	decision JSONB,
	version BIGINT DEFAULT '0' NOT NULL,
	reports JSONB,
	paused JSONB,
	CONSTRAINT pk_control_devices PRIMARY KEY (site_key, device),
	CONSTRAINT fk_control_devices_site_key FOREIGN KEY(site_key) REFERENCES sites (site_key) ON DELETE CASCADE
);
COMMENT ON COLUMN control_devices.device IS 'vehicle:…, load:…, pv; the batteries are in control_state';
COMMENT ON COLUMN control_devices.override IS 'what the owner wants instead of the plan, and until when';
COMMENT ON COLUMN control_devices.decision IS 'what was decided last, stored before it is sent';
COMMENT ON COLUMN control_devices.version IS 'counts changes of decision: of two who decide at once one is too late';
COMMENT ON COLUMN control_devices.reports IS 'by device: what it did when it was read last';
COMMENT ON COLUMN control_devices.paused IS 'since when and by whom the device is left alone; empty: it is not';
COMMENT ON TABLE control_devices IS 'What each device beside the batteries was told last';
CREATE TABLE control_log (
	entry_id BIGINT GENERATED ALWAYS AS IDENTITY,
	site_key INTEGER NOT NULL,
	slot_start TIMESTAMP WITH TIME ZONE NOT NULL,
	decided_by TEXT NOT NULL,
	plan_id TEXT,
	requested JSONB NOT NULL,
	allowed JSONB NOT NULL,
	confirmed JSONB,
	reason TEXT DEFAULT '' NOT NULL,
	device TEXT DEFAULT 'batteries' NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
	asked_by TEXT,
	CONSTRAINT pk_control_log PRIMARY KEY (entry_id)
);
CREATE INDEX ix_control_log_slot ON control_log (site_key, slot_start);
COMMENT ON COLUMN control_log.decided_by IS 'planner, agent, owner, rule';
COMMENT ON COLUMN control_log.requested IS 'the set-points asked for';
COMMENT ON COLUMN control_log.allowed IS 'what the safety layer made of them';
COMMENT ON COLUMN control_log.confirmed IS 'what came back';
COMMENT ON COLUMN control_log.reason IS 'why it was decided so';
COMMENT ON COLUMN control_log.device IS 'batteries, vehicle:…, load:…, pv: who was told';
COMMENT ON COLUMN control_log.recorded_at IS 'when the row was written';
COMMENT ON COLUMN control_log.asked_by IS 'whose override it was; empty: nobody asked for it';
COMMENT ON TABLE control_log IS 'Who decided a slot; rows are only added';
CREATE TABLE control_state (
	site_key INTEGER NOT NULL,
	armed_at TIMESTAMP WITH TIME ZONE,
	armed_by TEXT,
	override JSONB,
	decision JSONB,
	version BIGINT DEFAULT '0' NOT NULL,
	reports JSONB,
	paused JSONB,
	CONSTRAINT pk_control_state PRIMARY KEY (site_key),
	CONSTRAINT fk_control_state_site_key FOREIGN KEY(site_key) REFERENCES sites (site_key) ON DELETE CASCADE
);
COMMENT ON COLUMN control_state.armed_at IS 'since when commands are sent; empty: none are';
COMMENT ON COLUMN control_state.override IS 'what the owner wants instead of the plan, and until when';
COMMENT ON COLUMN control_state.decision IS 'what was decided last, stored before it is sent';
COMMENT ON COLUMN control_state.version IS 'counts changes of decision: of two who decide at once one is too late';
COMMENT ON COLUMN control_state.reports IS 'by device: what it did when it was read last';
COMMENT ON COLUMN control_state.paused IS 'since when and by whom the device is left alone; empty: it is not';
COMMENT ON TABLE control_state IS 'Whether a site is armed, and what it was told last';
CREATE TABLE conversations (
	conversation_id TEXT NOT NULL,
	site_key INTEGER,
	asked_by TEXT NOT NULL,
	begun_at TIMESTAMP WITH TIME ZONE NOT NULL,
	CONSTRAINT pk_conversations PRIMARY KEY (conversation_id),
	CONSTRAINT fk_conversations_site_key FOREIGN KEY(site_key) REFERENCES sites (site_key) ON DELETE CASCADE
);
CREATE INDEX ix_conversations_site_key ON conversations (site_key);
COMMENT ON COLUMN conversations.site_key IS 'whose data were asked about; empty: none was named';
COMMENT ON TABLE conversations IS 'Questions of one person that go on from each other';
CREATE TABLE daily_scores (
	site_key INTEGER NOT NULL,
	day DATE NOT NULL,
	system_id TEXT NOT NULL,
	policy TEXT NOT NULL,
	cost DOUBLE PRECISION NOT NULL,
	stored_gain DOUBLE PRECISION DEFAULT '0' NOT NULL,
	value_gain DOUBLE PRECISION,
	currency TEXT NOT NULL,
	scored_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
	import_carbon_g DOUBLE PRECISION,
	corrected INTEGER,
	CONSTRAINT pk_daily_scores PRIMARY KEY (site_key, day, system_id, policy),
	CONSTRAINT fk_daily_scores_site_key FOREIGN KEY(site_key) REFERENCES sites (site_key) ON DELETE CASCADE
);
COMMENT ON COLUMN daily_scores.day IS 'local day of the site';
COMMENT ON COLUMN daily_scores.stored_gain IS 'worth of the energy gained in the batteries; cost less this compares policies';
COMMENT ON COLUMN daily_scores.value_gain IS 'the same worth by the oracle''s value of stored energy at both midnights; cost less this compares days';
COMMENT ON COLUMN daily_scores.scored_at IS 'when the row was written';
COMMENT ON COLUMN daily_scores.import_carbon_g IS 'grid intensity × import; empty where the intensity of any slot is unknown';
COMMENT ON COLUMN daily_scores.corrected IS 'slots in which the safety layer changed what the policy asked for; empty: nobody counted';
COMMENT ON TABLE daily_scores IS 'What one policy cost on one day';
CREATE TABLE data_quality_daily (
	site_key INTEGER NOT NULL,
	day DATE NOT NULL,
	verdict TEXT NOT NULL,
	faults JSONB DEFAULT '[]' NOT NULL,
	judged_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
	CONSTRAINT pk_data_quality_daily PRIMARY KEY (site_key, day),
	CONSTRAINT ck_data_quality_daily_verdict CHECK (verdict IN ('clean', 'mask_battery', 'exclude')),
	CONSTRAINT fk_data_quality_daily_site_key FOREIGN KEY(site_key) REFERENCES sites (site_key) ON DELETE CASCADE
);
COMMENT ON COLUMN data_quality_daily.day IS 'local day of the site';
COMMENT ON COLUMN data_quality_daily.judged_at IS 'when the row was written';
COMMENT ON TABLE data_quality_daily IS 'Whether a day may train and score';
CREATE TABLE departure_answers (
	answer_id BIGINT GENERATED ALWAYS AS IDENTITY,
	site_key INTEGER NOT NULL,
	departure_id TEXT NOT NULL,
	vehicle TEXT NOT NULL,
	proposal JSONB NOT NULL,
	answer TEXT NOT NULL,
	session_id BIGINT,
	answered_by TEXT NOT NULL,
	answered_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
	CONSTRAINT pk_departure_answers PRIMARY KEY (answer_id),
	CONSTRAINT fk_departure_answers_site_key FOREIGN KEY(site_key) REFERENCES sites (site_key) ON DELETE CASCADE
);
CREATE INDEX ix_departure_answers_vehicle ON departure_answers (site_key, vehicle, answer_id);
COMMENT ON COLUMN departure_answers.departure_id IS 'the proposal''s name';
COMMENT ON COLUMN departure_answers.vehicle IS 'by its name';
COMMENT ON COLUMN departure_answers.proposal IS 'weekdays, time and energy as they were proposed';
COMMENT ON COLUMN departure_answers.answer IS 'accepted or declined';
COMMENT ON COLUMN departure_answers.session_id IS 'the weekly session that it became; empty: it was declined';
COMMENT ON COLUMN departure_answers.answered_at IS 'when the row was written';
COMMENT ON TABLE departure_answers IS 'What an owner answered to a weekly departure that was proposed';
CREATE TABLE device_trials (
	device TEXT NOT NULL,
	prefix TEXT NOT NULL,
	profile TEXT NOT NULL,
	tried_at TIMESTAMP WITH TIME ZONE NOT NULL,
	CONSTRAINT pk_device_trials PRIMARY KEY (device, prefix, profile)
);
COMMENT ON COLUMN device_trials.device IS 'where it is reached: address, port and unit';
COMMENT ON COLUMN device_trials.prefix IS 'how its topics begin; empty: it has none';
COMMENT ON COLUMN device_trials.profile IS 'the name of the profile';
COMMENT ON TABLE device_trials IS 'Devices whose last trial moved them as commanded, by the profile that was tried';
CREATE TABLE device_writes (
	write_id BIGINT GENERATED ALWAYS AS IDENTITY,
	device TEXT NOT NULL,
	point TEXT NOT NULL,
	written_at TIMESTAMP WITH TIME ZONE NOT NULL,
	CONSTRAINT pk_device_writes PRIMARY KEY (write_id)
);
CREATE INDEX ix_device_writes_device ON device_writes (device, written_at);
COMMENT ON COLUMN device_writes.device IS 'where it is reached: address, port and unit';
COMMENT ON COLUMN device_writes.point IS 'as its profile names it';
COMMENT ON TABLE device_writes IS 'Writes of the last day to points of devices that wear out by them';
CREATE TABLE documents (
	document_id TEXT NOT NULL,
	site_key INTEGER,
	name TEXT NOT NULL,
	version INTEGER NOT NULL,
	current BOOLEAN DEFAULT false NOT NULL,
	title TEXT NOT NULL,
	kind TEXT NOT NULL,
	language TEXT,
	dated DATE,
	valid_from DATE,
	valid_until DATE,
	source TEXT NOT NULL,
	url TEXT,
	media_type TEXT NOT NULL,
	sha256 TEXT NOT NULL,
	object_key TEXT NOT NULL,
	size_bytes BIGINT NOT NULL,
	pages INTEGER,
	state TEXT NOT NULL,
	fault JSONB,
	notes JSONB DEFAULT '[]' NOT NULL,
	added_by TEXT NOT NULL,
	job_id TEXT,
	stored_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
	changed_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
	CONSTRAINT pk_documents PRIMARY KEY (document_id),
	CONSTRAINT fk_documents_site_key FOREIGN KEY(site_key) REFERENCES sites (site_key) ON DELETE CASCADE
);
CREATE INDEX ix_documents_sha256 ON documents (sha256);
CREATE UNIQUE INDEX uq_documents_current ON documents (coalesce(site_key, 0), name) WHERE current;
CREATE UNIQUE INDEX uq_documents_name ON documents (coalesce(site_key, 0), name, version);
COMMENT ON COLUMN documents.site_key IS 'whose people alone find it; empty: everybody';
COMMENT ON COLUMN documents.name IS 'of the file, or its address; the same through its versions';
COMMENT ON COLUMN documents.current IS 'whether searches find it';
COMMENT ON COLUMN documents.kind IS 'contract, tariff, manual, regulation, subsidy, other';
COMMENT ON COLUMN documents.valid_from IS 'the first day on which it holds; empty: nobody says';
COMMENT ON COLUMN documents.valid_until IS 'the last day on which it holds; empty: nobody says';
COMMENT ON COLUMN documents.source IS 'upload, archive, url, example';
COMMENT ON COLUMN documents.media_type IS 'by its content';
COMMENT ON COLUMN documents.sha256 IS 'of the bytes, which are stored once';
COMMENT ON COLUMN documents.state IS 'stored, extracted, chunked, embedded, searchable, failed';
COMMENT ON COLUMN documents.fault IS 'why it failed: code, message, remedy';
COMMENT ON COLUMN documents.notes IS 'codes of what was left out';
COMMENT ON TABLE documents IS 'A stored file, a row per version';
CREATE TABLE energy_intervals (
	sensor_key INTEGER NOT NULL,
	series TEXT NOT NULL,
	starts_at TIMESTAMP WITH TIME ZONE NOT NULL,
	ends_at TIMESTAMP WITH TIME ZONE NOT NULL,
	energy_kwh DOUBLE PRECISION NOT NULL,
	certainty TEXT NOT NULL,
	CONSTRAINT pk_energy_intervals PRIMARY KEY (sensor_key, series, starts_at),
	CONSTRAINT ck_energy_intervals_certainty CHECK (certainty IN ('counted', 'at_least')),
	CONSTRAINT ck_energy_intervals_span CHECK (ends_at > starts_at),
	CONSTRAINT fk_energy_intervals_sensor_key FOREIGN KEY(sensor_key) REFERENCES sensors (sensor_key) ON DELETE CASCADE
);
COMMENT ON COLUMN energy_intervals.series IS 'the column of slot_observations that the sensor counts for';
COMMENT ON COLUMN energy_intervals.starts_at IS 'of the reading before';
COMMENT ON COLUMN energy_intervals.ends_at IS 'of the reading after';
COMMENT ON COLUMN energy_intervals.energy_kwh IS 'below zero where the sensor is taken off';
COMMENT ON COLUMN energy_intervals.certainty IS 'counted: all of it; at_least: the counter began anew meanwhile';
COMMENT ON TABLE energy_intervals IS 'What a counter counted between two readings that are too far apart to interpolate';
CREATE TABLE events (
	reader TEXT NOT NULL,
	event_id TEXT NOT NULL,
	recommendation_id TEXT NOT NULL,
	action TEXT NOT NULL,
	seconds DOUBLE PRECISION,
	happened_at TIMESTAMP WITH TIME ZONE NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	CONSTRAINT pk_events PRIMARY KEY (reader, event_id),
	CONSTRAINT fk_events_recommendation_id FOREIGN KEY(recommendation_id) REFERENCES recommendations (recommendation_id) ON DELETE CASCADE
);
CREATE INDEX ix_events_recommendation_id ON events (recommendation_id);
COMMENT ON COLUMN events.event_id IS 'given by who reports it; the same counts once';
COMMENT ON COLUMN events.action IS 'shown, opened, useful, dismissed, read';
COMMENT ON COLUMN events.seconds IS 'of reading';
COMMENT ON COLUMN events.happened_at IS 'by the reader''s clock';
COMMENT ON COLUMN events.recorded_at IS 'by Luna''s';
COMMENT ON TABLE events IS 'What a reader did with a recommendation';
CREATE TABLE forecast_activations (
	activation_id BIGINT GENERATED ALWAYS AS IDENTITY,
	site_key INTEGER NOT NULL,
	forecast_version TEXT NOT NULL,
	run_id TEXT,
	decided_by TEXT NOT NULL,
	reason TEXT NOT NULL,
	evidence JSONB NOT NULL,
	decided_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
	CONSTRAINT pk_forecast_activations PRIMARY KEY (activation_id),
	CONSTRAINT fk_forecast_activations_site_key FOREIGN KEY(site_key) REFERENCES sites (site_key) ON DELETE CASCADE,
	CONSTRAINT fk_forecast_activations_run_id FOREIGN KEY(run_id) REFERENCES training_runs (run_id) ON DELETE SET NULL
);
CREATE INDEX ix_forecast_activations_site_key ON forecast_activations (site_key, activation_id);
COMMENT ON COLUMN forecast_activations.forecast_version IS 'the version that drives the planner from now on';
COMMENT ON COLUMN forecast_activations.run_id IS 'the training it rests on; empty: a baseline';
COMMENT ON COLUMN forecast_activations.decided_by IS 'rule, hand, rollback or training';
COMMENT ON COLUMN forecast_activations.evidence IS 'the scores that were compared';
COMMENT ON COLUMN forecast_activations.decided_at IS 'when the row was written';
COMMENT ON TABLE forecast_activations IS 'Which version drives a site''s planner; rows are only added, the last one holds';
CREATE TABLE forecast_issues (
	site_key INTEGER NOT NULL,
	forecast_version TEXT NOT NULL,
	issued_at TIMESTAMP WITH TIME ZONE NOT NULL,
	stage TEXT NOT NULL,
	reasons TEXT[] DEFAULT '{}' NOT NULL,
	run_id TEXT,
	level JSONB,
	CONSTRAINT pk_forecast_issues PRIMARY KEY (site_key, forecast_version, issued_at)
);
COMMENT ON COLUMN forecast_issues.stage IS 'cold, profile, young, full: how much history the forecast rests on';
COMMENT ON COLUMN forecast_issues.reasons IS 'codes of what widened the bands; empty: nothing';
COMMENT ON COLUMN forecast_issues.run_id IS 'the training whose model spoke; empty: none did';
COMMENT ON COLUMN forecast_issues.level IS 'how the recent level was corrected, by series';
COMMENT ON TABLE forecast_issues IS 'An issue of forecasts: what it rests on, and why it is as wide as it is';
CREATE TABLE forecast_scenarios (
	site_key INTEGER NOT NULL,
	forecast_version TEXT NOT NULL,
	issued_at TIMESTAMP WITH TIME ZONE NOT NULL,
	paths JSONB NOT NULL,
	CONSTRAINT pk_forecast_scenarios PRIMARY KEY (site_key, forecast_version, issued_at)
);
COMMENT ON COLUMN forecast_scenarios.paths IS 'probability per path; load_kwh and pv_kwh per path and slot; spot_price by market per path and slot';
COMMENT ON TABLE forecast_scenarios IS 'Joint paths of load, PV and prices beside an issue of forecasts';
CREATE TABLE forecast_scores (
	site_key INTEGER NOT NULL,
	day DATE NOT NULL,
	forecast_version TEXT NOT NULL,
	series TEXT NOT NULL,
	origins INTEGER NOT NULL,
	mae DOUBLE PRECISION NOT NULL,
	rmse DOUBLE PRECISION NOT NULL,
	pinball DOUBLE PRECISION NOT NULL,
	coverage_80 DOUBLE PRECISION,
	scored_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
	CONSTRAINT pk_forecast_scores PRIMARY KEY (site_key, day, forecast_version, series),
	CONSTRAINT fk_forecast_scores_site_key FOREIGN KEY(site_key) REFERENCES sites (site_key) ON DELETE CASCADE
);
COMMENT ON COLUMN forecast_scores.day IS 'local day in which the forecasts were issued';
COMMENT ON COLUMN forecast_scores.series IS 'load_kwh or pv_kwh';
COMMENT ON COLUMN forecast_scores.origins IS 'forecasts that were scored';
COMMENT ON COLUMN forecast_scores.mae IS 'kWh per slot';
COMMENT ON COLUMN forecast_scores.rmse IS 'kWh per slot';
COMMENT ON COLUMN forecast_scores.pinball IS 'mean over the quantiles, kWh per slot';
COMMENT ON COLUMN forecast_scores.coverage_80 IS 'share of slots between p10 and p90';
COMMENT ON COLUMN forecast_scores.scored_at IS 'when the row was written';
COMMENT ON TABLE forecast_scores IS 'How good a version was, by the day of issue';
CREATE TABLE history_changes (
	change_id BIGINT GENERATED ALWAYS AS IDENTITY,
	site_key INTEGER NOT NULL,
	series TEXT NOT NULL,
	slot_start TIMESTAMP WITH TIME ZONE NOT NULL,
	before DOUBLE PRECISION,
	after DOUBLE PRECISION,
	rule TEXT NOT NULL,
	changed_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
	CONSTRAINT pk_history_changes PRIMARY KEY (change_id),
	CONSTRAINT fk_history_changes_site_key FOREIGN KEY(site_key) REFERENCES sites (site_key) ON DELETE CASCADE
);
CREATE INDEX ix_history_changes_site_key_slot_start ON history_changes (site_key, slot_start);
COMMENT ON COLUMN history_changes.series IS 'column of slot_observations, or market_prices:<market>';
COMMENT ON COLUMN history_changes.rule IS 'which rule or whose hand changed it';
COMMENT ON COLUMN history_changes.changed_at IS 'when the row was written';
COMMENT ON TABLE history_changes IS 'A change of a value of the past: what it was, what it became, why';
CREATE TABLE idempotent_answers (
	caller TEXT NOT NULL,
	operation TEXT NOT NULL,
	key TEXT NOT NULL,
	digest TEXT NOT NULL,
	status INTEGER,
	headers JSONB,
	body TEXT,
	asked_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
	CONSTRAINT pk_idempotent_answers PRIMARY KEY (caller, operation, key)
);
CREATE INDEX ix_idempotent_answers_asked_at ON idempotent_answers (asked_at);
COMMENT ON COLUMN idempotent_answers.caller IS 'who asked; empty: nobody has to say';
COMMENT ON COLUMN idempotent_answers.operation IS 'as OpenAPI names it';
COMMENT ON COLUMN idempotent_answers.key IS 'as the caller sent it';
COMMENT ON COLUMN idempotent_answers.digest IS 'SHA-256 of address and body';
COMMENT ON COLUMN idempotent_answers.status IS 'empty: the first one is still being answered';
COMMENT ON COLUMN idempotent_answers.asked_at IS 'when the row was written';
COMMENT ON TABLE idempotent_answers IS 'What was answered to a request that carries an idempotency key, so that a second one gets it too and does nothing';
CREATE TABLE items (
	item_id TEXT NOT NULL,
	kind TEXT NOT NULL,
	site_key INTEGER,
	code TEXT NOT NULL,
	figures JSONB NOT NULL,
	currency TEXT,
	saving_cost_per_year DOUBLE PRECISION,
	saving_low DOUBLE PRECISION,
	saving_high DOUBLE PRECISION,
	document_id TEXT,
	what_if_id TEXT,
	language TEXT,
	terms TEXT[] NOT NULL,
	model TEXT,
	vector BYTEA,
	created_at TIMESTAMP WITH TIME ZONE NOT NULL,
	changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
	withdrawn_at TIMESTAMP WITH TIME ZONE,
	CONSTRAINT pk_items PRIMARY KEY (item_id),
	CONSTRAINT fk_items_site_key FOREIGN KEY(site_key) REFERENCES sites (site_key) ON DELETE CASCADE,
	CONSTRAINT fk_items_document_id FOREIGN KEY(document_id) REFERENCES documents (document_id) ON DELETE CASCADE,
	CONSTRAINT fk_items_what_if_id FOREIGN KEY(what_if_id) REFERENCES what_ifs (what_if_id) ON DELETE CASCADE
);
CREATE INDEX ix_items_document_id ON items (document_id);
CREATE INDEX ix_items_site_key ON items (site_key);
CREATE INDEX ix_items_what_if_id ON items (what_if_id);
COMMENT ON COLUMN items.item_id IS 'made of what it is, so that it stays the same from day to day';
COMMENT ON COLUMN items.kind IS 'document, tip, tariff, what_if';
COMMENT ON COLUMN items.site_key IS 'whose people alone are shown it; empty: everybody';
COMMENT ON COLUMN items.code IS 'which words tell it';
COMMENT ON COLUMN items.figures IS 'of its words';
COMMENT ON COLUMN items.saving_cost_per_year IS 'currency a year; empty: none is claimed';
COMMENT ON COLUMN items.saving_low IS 'of the interval of 95 %%';
COMMENT ON COLUMN items.language IS 'of a document';
COMMENT ON COLUMN items.terms IS 'stems of its words, each once';
COMMENT ON COLUMN items.model IS 'that made the vector';
COMMENT ON COLUMN items.vector IS 'float16, little-endian, of unit length; empty: there is no embedding model';
COMMENT ON COLUMN items.withdrawn_at IS 'since when it no longer holds; empty: it does';
COMMENT ON TABLE items IS 'Something worth reading or doing';
CREATE TABLE jobs (
	job_id TEXT NOT NULL,
	task TEXT NOT NULL,
	key TEXT NOT NULL,
	request JSONB NOT NULL,
	status TEXT DEFAULT 'queued' NOT NULL,
	attempts INTEGER DEFAULT '0' NOT NULL,
	reply JSONB,
	error JSONB,
	trace_id TEXT NOT NULL,
	submitted_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
	sent_at TIMESTAMP WITH TIME ZONE,
	started_at TIMESTAMP WITH TIME ZONE,
	finished_at TIMESTAMP WITH TIME ZONE,
	CONSTRAINT pk_jobs PRIMARY KEY (job_id),
	CONSTRAINT ck_jobs_status CHECK (status IN ('queued', 'running', 'done', 'failed', 'dead', 'cancelled'))
);
CREATE INDEX ix_jobs_open_sent_at ON jobs (sent_at) WHERE status IN ('queued', 'running');
CREATE UNIQUE INDEX uq_jobs_open_task_key ON jobs (task, key) WHERE status IN ('queued', 'running');
COMMENT ON COLUMN jobs.task IS 'service.noun.verb';
COMMENT ON COLUMN jobs.key IS 'names this piece of work; at most one open job per task and key';
COMMENT ON COLUMN jobs.request IS 'the message as sent';
COMMENT ON COLUMN jobs.attempts IS 'how often a worker began it';
COMMENT ON COLUMN jobs.reply IS 'only where done';
COMMENT ON COLUMN jobs.error IS 'problem document where failed or dead, or queued again until a disk has room';
COMMENT ON COLUMN jobs.submitted_at IS 'when the row was written';
COMMENT ON COLUMN jobs.sent_at IS 'when its message last went to the queue';
COMMENT ON COLUMN jobs.started_at IS 'when a worker last began it';
COMMENT ON TABLE jobs IS 'The row is the truth, the message in the queue only the doorbell';
CREATE TABLE manual_blocks (
	block_id BIGINT GENERATED ALWAYS AS IDENTITY,
	site_key INTEGER NOT NULL,
	device TEXT NOT NULL,
	action TEXT NOT NULL,
	starts_at TIMESTAMP WITH TIME ZONE NOT NULL,
	ends_at TIMESTAMP WITH TIME ZONE NOT NULL,
	power_kw DOUBLE PRECISION,
	added_by TEXT NOT NULL,
	added_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
	CONSTRAINT pk_manual_blocks PRIMARY KEY (block_id),
	CONSTRAINT fk_manual_blocks_site_key FOREIGN KEY(site_key) REFERENCES sites (site_key) ON DELETE CASCADE
);
CREATE INDEX ix_manual_blocks_ends_at ON manual_blocks (site_key, ends_at);
COMMENT ON COLUMN manual_blocks.device IS 'a battery, a vehicle or a load by its name, or grid';
COMMENT ON COLUMN manual_blocks.ends_at IS 'then it has expired';
COMMENT ON COLUMN manual_blocks.added_at IS 'when the row was written';
COMMENT ON TABLE manual_blocks IS 'What an owner pinned or forbade';
CREATE TABLE manual_removals (
	block_id BIGINT NOT NULL,
	removed_by TEXT NOT NULL,
	removed_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
	CONSTRAINT pk_manual_removals PRIMARY KEY (block_id),
	CONSTRAINT fk_manual_removals_block_id FOREIGN KEY(block_id) REFERENCES manual_blocks (block_id) ON DELETE CASCADE
);
COMMENT ON COLUMN manual_removals.removed_at IS 'when the row was written';
COMMENT ON TABLE manual_removals IS 'A block that was taken back';
CREATE TABLE market_prices (
	market TEXT NOT NULL,
	slot_start TIMESTAMP WITH TIME ZONE NOT NULL,
	published_at TIMESTAMP WITH TIME ZONE NOT NULL,
	price DOUBLE PRECISION NOT NULL,
	currency TEXT NOT NULL,
	CONSTRAINT pk_market_prices PRIMARY KEY (market, slot_start, published_at)
);
COMMENT ON COLUMN market_prices.published_at IS 'revisions are kept, so that a replay sees what was known';
COMMENT ON COLUMN market_prices.price IS 'currency per kWh';
COMMENT ON COLUMN market_prices.currency IS 'ISO 4217';
COMMENT ON TABLE market_prices IS 'The price of a market in one quarter-hour, as published';
CREATE TABLE notification_channels (
	name TEXT NOT NULL,
	address TEXT NOT NULL,
	events TEXT[] NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
	CONSTRAINT pk_notification_channels PRIMARY KEY (name)
);
COMMENT ON COLUMN notification_channels.name IS 'what its owner calls it';
COMMENT ON COLUMN notification_channels.address IS 'where it leads, with the password that opens it; no reply holds it';
COMMENT ON COLUMN notification_channels.events IS 'what it is told of';
COMMENT ON COLUMN notification_channels.recorded_at IS 'when the row was written';
COMMENT ON TABLE notification_channels IS 'A way by which messages go, stored on the page or by command';
CREATE TABLE notification_deliveries (
	notification_id BIGINT NOT NULL,
	target TEXT NOT NULL,
	label TEXT NOT NULL,
	status TEXT DEFAULT 'waiting' NOT NULL,
	tries INTEGER DEFAULT '0' NOT NULL,
	due_at TIMESTAMP WITH TIME ZONE NOT NULL,
	error TEXT,
	CONSTRAINT pk_notification_deliveries PRIMARY KEY (notification_id, target),
	CONSTRAINT fk_notification_deliveries_notification_id FOREIGN KEY(notification_id) REFERENCES notifications (notification_id) ON DELETE CASCADE
);
CREATE INDEX ix_notification_deliveries_due_at ON notification_deliveries (status, due_at);
COMMENT ON COLUMN notification_deliveries.target IS 'digest of its address';
COMMENT ON COLUMN notification_deliveries.label IS 'its address without secrets';
COMMENT ON COLUMN notification_deliveries.status IS 'waiting, sending, sent, failed, expired, unknown';
COMMENT ON COLUMN notification_deliveries.due_at IS 'when it is sent next, or was last';
COMMENT ON TABLE notification_deliveries IS 'A message on its way to one target';
CREATE TABLE notifications (
	notification_id BIGINT GENERATED ALWAYS AS IDENTITY,
	site_key INTEGER,
	event TEXT NOT NULL,
	code TEXT NOT NULL,
	event_key TEXT NOT NULL,
	title TEXT NOT NULL,
	text TEXT NOT NULL,
	urgent BOOLEAN NOT NULL,
	expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
	CONSTRAINT pk_notifications PRIMARY KEY (notification_id),
	CONSTRAINT uq_notifications_site_key_code_event_key UNIQUE NULLS NOT DISTINCT (site_key, code, event_key),
	CONSTRAINT fk_notifications_site_key FOREIGN KEY(site_key) REFERENCES sites (site_key) ON DELETE CASCADE
);
COMMENT ON COLUMN notifications.site_key IS 'NULL: it is about the installation itself';
COMMENT ON COLUMN notifications.event IS 'plan, device, prices, saving, day, system: what targets ask for';
COMMENT ON COLUMN notifications.code IS 'what happened';
COMMENT ON COLUMN notifications.event_key IS 'the same as long as it is the same event, which is told once';
COMMENT ON COLUMN notifications.text IS 'in the language of messages when it happened';
COMMENT ON COLUMN notifications.urgent IS 'sent in quiet hours too';
COMMENT ON COLUMN notifications.expires_at IS 'after this it is not sent any more';
COMMENT ON COLUMN notifications.recorded_at IS 'when the row was written';
COMMENT ON TABLE notifications IS 'What owners were to know; rows are only added';
CREATE TABLE operator_limits (
	site_key INTEGER NOT NULL,
	limit_id TEXT DEFAULT gen_random_uuid()::text NOT NULL,
	starts_at TIMESTAMP WITH TIME ZONE NOT NULL,
	ends_at TIMESTAMP WITH TIME ZONE,
	import_kw DOUBLE PRECISION,
	export_kw DOUBLE PRECISION,
	scope TEXT NOT NULL,
	source TEXT NOT NULL,
	acknowledged_at TIMESTAMP WITH TIME ZONE,
	summary JSONB,
	created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
	CONSTRAINT pk_operator_limits PRIMARY KEY (site_key, limit_id),
	CONSTRAINT fk_operator_limits_site_key FOREIGN KEY(site_key) REFERENCES sites (site_key) ON DELETE CASCADE
);
CREATE INDEX ix_operator_limits_ends_at ON operator_limits (site_key, ends_at);
COMMENT ON COLUMN operator_limits.ends_at IS 'from then on it holds no longer; empty: until it is released';
COMMENT ON COLUMN operator_limits.import_kw IS 'the most that may be drawn; empty: not limited';
COMMENT ON COLUMN operator_limits.export_kw IS 'the most that may be fed in; empty: not limited';
COMMENT ON COLUMN operator_limits.scope IS 'devices: the controllable devices together; connection: what the meter counts';
COMMENT ON COLUMN operator_limits.source IS 'api, mqtt, contact, lpc, lpp, openadr, ieee2030.5 or owner';
COMMENT ON COLUMN operator_limits.acknowledged_at IS 'when a device first followed it; empty: not yet';
COMMENT ON COLUMN operator_limits.summary IS 'figures of what was done, by their names; empty: it still holds';
COMMENT ON COLUMN operator_limits.created_at IS 'when the row was written';
COMMENT ON TABLE operator_limits IS 'A limit of power that the grid operator sets for a while';
CREATE TABLE oracle_daily_results (
	site_key INTEGER NOT NULL,
	day DATE NOT NULL,
	oracle_cost DOUBLE PRECISION NOT NULL,
	idle_cost DOUBLE PRECISION NOT NULL,
	oracle_gain DOUBLE PRECISION,
	idle_gain DOUBLE PRECISION,
	currency TEXT NOT NULL,
	schedule JSONB NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
	CONSTRAINT pk_oracle_daily_results PRIMARY KEY (site_key, day),
	CONSTRAINT fk_oracle_daily_results_site_key FOREIGN KEY(site_key) REFERENCES sites (site_key) ON DELETE CASCADE
);
COMMENT ON COLUMN oracle_daily_results.day IS 'local day of the site';
COMMENT ON COLUMN oracle_daily_results.oracle_gain IS 'worth of the energy the oracle gained in the batteries, by its own value of stored energy';
COMMENT ON COLUMN oracle_daily_results.idle_gain IS 'the same without control';
COMMENT ON COLUMN oracle_daily_results.recorded_at IS 'when the row was written';
COMMENT ON TABLE oracle_daily_results IS 'The optimum in hindsight of one day';
CREATE TABLE plan_causes (
	site_key INTEGER NOT NULL,
	kind TEXT NOT NULL,
	change_id UUID DEFAULT gen_random_uuid() NOT NULL,
	asked_at TIMESTAMP WITH TIME ZONE,
	CONSTRAINT pk_plan_causes PRIMARY KEY (site_key, kind),
	CONSTRAINT fk_plan_causes_site_key FOREIGN KEY(site_key) REFERENCES sites (site_key) ON DELETE CASCADE
);
COMMENT ON COLUMN plan_causes.kind IS 'site, forecast, prices, session, block, override, owner, limit';
COMMENT ON COLUMN plan_causes.change_id IS 'another one with each change, so that who planned takes back what it knew and nothing else';
COMMENT ON COLUMN plan_causes.asked_at IS 'when a plan was asked for because of it; empty: not yet';
COMMENT ON TABLE plan_causes IS 'A change of a site that its newest plan does not know yet';
CREATE TABLE plan_faults (
	site_key INTEGER NOT NULL,
	tried_at TIMESTAMP WITH TIME ZONE NOT NULL,
	problem JSONB NOT NULL,
	CONSTRAINT pk_plan_faults PRIMARY KEY (site_key),
	CONSTRAINT fk_plan_faults_site_key FOREIGN KEY(site_key) REFERENCES sites (site_key) ON DELETE CASCADE
);
COMMENT ON COLUMN plan_faults.tried_at IS 'when it was tried';
COMMENT ON COLUMN plan_faults.problem IS 'what stood in the way, as a problem document';
COMMENT ON TABLE plan_faults IS 'Why a site got no plan when it was tried last; the next plan takes it back';
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
	packed_inputs BYTEA NOT NULL,
	packed_reply BYTEA NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
	CONSTRAINT pk_plan_history PRIMARY KEY (plan_id)
);
CREATE INDEX ix_plan_history_site_issued_at ON plan_history (site, system_id, issued_at);
COMMENT ON COLUMN plan_history.site IS 'the site''s name; a site given with the request need not be stored';
COMMENT ON COLUMN plan_history.system_id IS 'prod, simulation, prod_shadow_…';
COMMENT ON COLUMN plan_history.inputs_digest IS 'SHA-256 of everything the plan was made from';
COMMENT ON COLUMN plan_history.packed_inputs IS 'the complete request it was made from: JSON, its long series behind it as numbers, compressed by zlib';
COMMENT ON COLUMN plan_history.packed_reply IS 'the plan as columns over its slots, reasons as codes and figures: JSON compressed by zlib';
COMMENT ON COLUMN plan_history.recorded_at IS 'when the row was written';
COMMENT ON TABLE plan_history IS 'An issued plan';
CREATE TABLE quarantine (
	quarantine_id BIGINT GENERATED ALWAYS AS IDENTITY,
	site_key INTEGER NOT NULL,
	kind TEXT NOT NULL,
	source TEXT NOT NULL,
	line BIGINT NOT NULL,
	fault JSONB NOT NULL,
	raw JSONB NOT NULL,
	received_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
	resolution TEXT,
	corrected JSONB,
	resolved_at TIMESTAMP WITH TIME ZONE,
	resolved_by TEXT,
	CONSTRAINT pk_quarantine PRIMARY KEY (quarantine_id)
);
CREATE INDEX ix_quarantine_newest ON quarantine (site_key, quarantine_id);
CREATE UNIQUE INDEX uq_quarantine_row ON quarantine (site_key, kind, source, line);
COMMENT ON COLUMN quarantine.kind IS 'observations, prices, weather, carbon, readings';
COMMENT ON COLUMN quarantine.source IS 'the file''s SHA-256, or the name of a live source';
COMMENT ON COLUMN quarantine.line IS 'line of the file, or sequence number of the live source';
COMMENT ON COLUMN quarantine.fault IS 'why: a code, and the parameters of its sentence';
COMMENT ON COLUMN quarantine.raw IS 'the row as received';
COMMENT ON COLUMN quarantine.received_at IS 'when the row was written';
COMMENT ON COLUMN quarantine.resolution IS 'released, corrected or dismissed, by hand; empty: still in quarantine';
COMMENT ON COLUMN quarantine.corrected IS 'the row as corrected by hand';
COMMENT ON TABLE quarantine IS 'A row that was refused, with the reason: nothing is dropped silently';
CREATE TABLE recommendations (
	recommendation_id TEXT NOT NULL,
	slate_id TEXT NOT NULL,
	rank INTEGER NOT NULL,
	reader TEXT NOT NULL,
	site_key INTEGER,
	item_id TEXT NOT NULL,
	kind TEXT NOT NULL,
	policy TEXT NOT NULL,
	propensity DOUBLE PRECISION NOT NULL,
	features BYTEA NOT NULL,
	candidates BYTEA,
	place INTEGER,
	reward DOUBLE PRECISION,
	shown_at TIMESTAMP WITH TIME ZONE NOT NULL,
	CONSTRAINT pk_recommendations PRIMARY KEY (recommendation_id),
	CONSTRAINT fk_recommendations_site_key FOREIGN KEY(site_key) REFERENCES sites (site_key) ON DELETE CASCADE
);
CREATE INDEX ix_recommendations_reader ON recommendations (reader, shown_at);
CREATE INDEX ix_recommendations_shown_at ON recommendations (shown_at);
CREATE INDEX ix_recommendations_site_key ON recommendations (site_key);
COMMENT ON COLUMN recommendations.slate_id IS 'those of one request share it';
COMMENT ON COLUMN recommendations.rank IS '0: the first';
COMMENT ON COLUMN recommendations.site_key IS 'of the request; empty: none was named';
COMMENT ON COLUMN recommendations.item_id IS 'may be gone since';
COMMENT ON COLUMN recommendations.policy IS 'linucb, thompson';
COMMENT ON COLUMN recommendations.propensity IS 'with which probability the policy chose it among those that were left';
COMMENT ON COLUMN recommendations.features IS 'float64, little-endian: what the policy knew of it';
COMMENT ON COLUMN recommendations.candidates IS 'float32, little-endian, a row of features per candidate; at rank 0 alone';
COMMENT ON COLUMN recommendations.place IS 'of what was chosen among the candidates; at rank 0 alone';
COMMENT ON COLUMN recommendations.reward IS '0 to 1, from its events; empty: there are none';
COMMENT ON TABLE recommendations IS 'A showing of an item to a reader';
CREATE TABLE refresh_tokens (
	token_hash TEXT NOT NULL,
	session_id BIGINT NOT NULL,
	expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
	used_at TIMESTAMP WITH TIME ZONE,
	CONSTRAINT pk_refresh_tokens PRIMARY KEY (token_hash),
	CONSTRAINT fk_refresh_tokens_session_id FOREIGN KEY(session_id) REFERENCES sessions (session_id) ON DELETE CASCADE
);
CREATE INDEX ix_refresh_tokens_session_id ON refresh_tokens (session_id);
COMMENT ON COLUMN refresh_tokens.token_hash IS 'SHA-256';
COMMENT ON COLUMN refresh_tokens.used_at IS 'used again after that, it ends the sign-in';
COMMENT ON TABLE refresh_tokens IS 'What a program gets its next access token for; good once';
CREATE TABLE replay_days (
	site_key INTEGER NOT NULL,
	replay TEXT NOT NULL,
	day DATE NOT NULL,
	records JSONB NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
	CONSTRAINT pk_replay_days PRIMARY KEY (site_key, replay, day),
	CONSTRAINT fk_replay_days_site_key FOREIGN KEY(site_key) REFERENCES sites (site_key) ON DELETE CASCADE
);
COMMENT ON COLUMN replay_days.replay IS 'SHA-256 of everything the replay is made from';
COMMENT ON COLUMN replay_days.day IS 'local day of the site';
COMMENT ON COLUMN replay_days.records IS 'what each policy did and handed on at midnight';
COMMENT ON COLUMN replay_days.recorded_at IS 'when the row was written';
COMMENT ON TABLE replay_days IS 'A day of a replay under way: what an interrupted one goes on from';
CREATE TABLE rollup_marks (
	mark BIGINT GENERATED ALWAYS AS IDENTITY,
	site_key INTEGER NOT NULL,
	day TIMESTAMP WITH TIME ZONE NOT NULL,
	CONSTRAINT pk_rollup_marks PRIMARY KEY (mark)
);
CREATE INDEX ix_rollup_marks_site_key_day ON rollup_marks (site_key, day);
COMMENT ON COLUMN rollup_marks.day IS 'its beginning in UTC';
COMMENT ON TABLE rollup_marks IS 'A day whose quarter-hours changed since the rollups were last brought up to date; rows are only added and deleted, so no writer waits for another';
CREATE TABLE sensor_readings (
	sensor_key INTEGER NOT NULL,
	instant TIMESTAMP WITH TIME ZONE NOT NULL,
	value DOUBLE PRECISION NOT NULL,
	CONSTRAINT pk_sensor_readings PRIMARY KEY (sensor_key, instant)
);
COMMENT ON TABLE sensor_readings IS 'A raw value of a sensor';
CREATE TABLE sensor_units (
	sensor_key INTEGER NOT NULL,
	since TIMESTAMP WITH TIME ZONE NOT NULL,
	unit TEXT NOT NULL,
	CONSTRAINT pk_sensor_units PRIMARY KEY (sensor_key, since),
	CONSTRAINT fk_sensor_units_sensor_key FOREIGN KEY(sensor_key) REFERENCES sensors (sensor_key) ON DELETE CASCADE
);
COMMENT ON COLUMN sensor_units.since IS 'the first reading in this unit';
COMMENT ON TABLE sensor_units IS 'A change of the unit in which a sensor speaks';
CREATE TABLE sensors (
	sensor_key INTEGER GENERATED ALWAYS AS IDENTITY,
	site_key INTEGER NOT NULL,
	name TEXT NOT NULL,
	unit TEXT,
	CONSTRAINT pk_sensors PRIMARY KEY (sensor_key),
	CONSTRAINT fk_sensors_site_key FOREIGN KEY(site_key) REFERENCES sites (site_key) ON DELETE CASCADE
);
CREATE UNIQUE INDEX uq_sensors_site_key_name ON sensors (site_key, name);
COMMENT ON COLUMN sensors.unit IS 'of its readings, until sensor_units says another; empty: nobody said one';
COMMENT ON TABLE sensors IS 'A source of readings at a site';
CREATE TABLE sessions (
	session_id BIGINT GENERATED ALWAYS AS IDENTITY,
	user_id BIGINT NOT NULL,
	token_hash TEXT,
	started_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
	seen_at TIMESTAMP WITH TIME ZONE NOT NULL,
	expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
	confirmed_until TIMESTAMP WITH TIME ZONE,
	address TEXT NOT NULL,
	CONSTRAINT pk_sessions PRIMARY KEY (session_id),
	CONSTRAINT fk_sessions_user_id FOREIGN KEY(user_id) REFERENCES users (user_id) ON DELETE CASCADE,
	CONSTRAINT uq_sessions_token_hash UNIQUE (token_hash)
);
CREATE INDEX ix_sessions_expires_at ON sessions (expires_at);
CREATE INDEX ix_sessions_user_id ON sessions (user_id);
COMMENT ON COLUMN sessions.token_hash IS 'SHA-256 of a browser''s cookie; empty for a program, which has refresh tokens';
COMMENT ON COLUMN sessions.started_at IS 'when the row was written';
COMMENT ON COLUMN sessions.seen_at IS 'when it was last used, to the minute';
COMMENT ON COLUMN sessions.expires_at IS 'when it ends, however much it is used';
COMMENT ON COLUMN sessions.confirmed_until IS 'until when what is critical asks for no password';
COMMENT ON COLUMN sessions.address IS 'from where it was begun';
COMMENT ON TABLE sessions IS 'A sign-in that stands';
CREATE TABLE setup_drafts (
	draft_id TEXT NOT NULL,
	answers JSONB NOT NULL,
	changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
	CONSTRAINT pk_setup_drafts PRIMARY KEY (draft_id)
);
COMMENT ON COLUMN setup_drafts.answers IS 'by step, as it was typed; no password or token';
COMMENT ON COLUMN setup_drafts.changed_at IS 'forgotten thirty days later';
COMMENT ON TABLE setup_drafts IS 'What is being entered of a site that is not there yet';
CREATE TABLE site_versions (
	site_key INTEGER NOT NULL,
	version INTEGER NOT NULL,
	configuration JSONB NOT NULL,
	saved_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
	CONSTRAINT pk_site_versions PRIMARY KEY (site_key, version),
	CONSTRAINT fk_site_versions_site_key FOREIGN KEY(site_key) REFERENCES sites (site_key) ON DELETE CASCADE
);
COMMENT ON COLUMN site_versions.version IS '1, 2, 3, … per site';
COMMENT ON COLUMN site_versions.configuration IS 'validated by luna.site';
COMMENT ON COLUMN site_versions.saved_at IS 'when the row was written';
COMMENT ON TABLE site_versions IS 'A configuration a site has or had';
CREATE TABLE sites (
	site_key INTEGER GENERATED ALWAYS AS IDENTITY,
	name TEXT NOT NULL,
	created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
	CONSTRAINT pk_sites PRIMARY KEY (site_key),
	CONSTRAINT uq_sites_name UNIQUE (name)
);
COMMENT ON COLUMN sites.site_key IS 'stands in the wide tables instead of the name';
COMMENT ON COLUMN sites.name IS 'the site''s id everywhere outside the database';
COMMENT ON COLUMN sites.created_at IS 'when the row was written';
COMMENT ON TABLE sites IS 'A site; its configuration is the latest of its versions';
CREATE TABLE slot_forecasts (
	site_key INTEGER NOT NULL,
	forecast_version TEXT NOT NULL,
	issued_at TIMESTAMP WITH TIME ZONE NOT NULL,
	slot_start TIMESTAMP WITH TIME ZONE NOT NULL,
	load_kwh DOUBLE PRECISION,
	load_p05_kwh DOUBLE PRECISION,
	load_p10_kwh DOUBLE PRECISION,
	load_p25_kwh DOUBLE PRECISION,
	load_p50_kwh DOUBLE PRECISION,
	load_p75_kwh DOUBLE PRECISION,
	load_p90_kwh DOUBLE PRECISION,
	load_p95_kwh DOUBLE PRECISION,
	pv_kwh DOUBLE PRECISION,
	pv_p05_kwh DOUBLE PRECISION,
	pv_p10_kwh DOUBLE PRECISION,
	pv_p25_kwh DOUBLE PRECISION,
	pv_p50_kwh DOUBLE PRECISION,
	pv_p75_kwh DOUBLE PRECISION,
	pv_p90_kwh DOUBLE PRECISION,
	pv_p95_kwh DOUBLE PRECISION,
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
	residual_kwh DOUBLE PRECISION,
	beyond_house_kwh DOUBLE PRECISION,
	vehicle_kwh DOUBLE PRECISION,
	heat_pump_kwh DOUBLE PRECISION,
	water_heater_kwh DOUBLE PRECISION,
	import_price DOUBLE PRECISION,
	export_price DOUBLE PRECISION,
	repaired SMALLINT DEFAULT '0' NOT NULL,
	source TEXT DEFAULT 'file' NOT NULL,
	estimated SMALLINT DEFAULT '0' NOT NULL,
	CONSTRAINT pk_slot_observations PRIMARY KEY (site_key, slot_start)
);
CREATE INDEX ix_slot_observations_estimated ON slot_observations (site_key, slot_start) WHERE estimated > 0;
COMMENT ON COLUMN slot_observations.charge_kwh IS 'at the battery terminals';
COMMENT ON COLUMN slot_observations.discharge_kwh IS 'at the battery terminals';
COMMENT ON COLUMN slot_observations.soc IS 'fraction at the end of the slot';
COMMENT ON COLUMN slot_observations.residual_kwh IS 'import + PV + discharge − export − charge − all consumption: what the meters leave unexplained';
COMMENT ON COLUMN slot_observations.beyond_house_kwh IS 'by how much meters of appliances count more than the house''s: load_kwh would be below zero by so much';
COMMENT ON COLUMN slot_observations.vehicle_kwh IS 'charged into vehicles; no part of load_kwh';
COMMENT ON COLUMN slot_observations.heat_pump_kwh IS 'no part of load_kwh';
COMMENT ON COLUMN slot_observations.water_heater_kwh IS 'no part of load_kwh';
COMMENT ON COLUMN slot_observations.import_price IS 'what the site paid, currency per kWh';
COMMENT ON COLUMN slot_observations.export_price IS 'what the site earned, currency per kWh';
COMMENT ON COLUMN slot_observations.repaired IS 'bit i: value i (load first, soc seventh) was repaired, not measured';
COMMENT ON COLUMN slot_observations.source IS 'where the values came from: file, home_assistant, mqtt, …';
COMMENT ON COLUMN slot_observations.estimated IS 'bit i: value i (load first, soc seventh, then residual, beyond house, vehicle, heat pump, water heater) is filled to a meter''s total';
COMMENT ON TABLE slot_observations IS 'What a site did in one quarter-hour; empty means unknown, never zero';
CREATE TABLE slot_observations_by_day (
	site_key INTEGER NOT NULL,
	bucket TIMESTAMP WITH TIME ZONE NOT NULL,
	slots BIGINT NOT NULL,
	load_kwh DOUBLE PRECISION,
	load_slots BIGINT NOT NULL,
	pv_kwh DOUBLE PRECISION,
	pv_slots BIGINT NOT NULL,
	import_kwh DOUBLE PRECISION,
	import_slots BIGINT NOT NULL,
	export_kwh DOUBLE PRECISION,
	export_slots BIGINT NOT NULL,
	charge_kwh DOUBLE PRECISION,
	charge_slots BIGINT NOT NULL,
	discharge_kwh DOUBLE PRECISION,
	discharge_slots BIGINT NOT NULL,
	soc_last DOUBLE PRECISION,
	soc_mean DOUBLE PRECISION,
	soc_slots BIGINT NOT NULL,
	import_price DOUBLE PRECISION,
	import_price_slots BIGINT NOT NULL,
	export_price DOUBLE PRECISION,
	export_price_slots BIGINT NOT NULL,
	CONSTRAINT pk_slot_observations_by_day PRIMARY KEY (site_key, bucket)
);
COMMENT ON TABLE slot_observations_by_day IS 'What a site did per day in UTC, but for the days that rollup_marks names';
CREATE TABLE slot_observations_by_hour (
	site_key INTEGER NOT NULL,
	bucket TIMESTAMP WITH TIME ZONE NOT NULL,
	slots BIGINT NOT NULL,
	load_kwh DOUBLE PRECISION,
	load_slots BIGINT NOT NULL,
	pv_kwh DOUBLE PRECISION,
	pv_slots BIGINT NOT NULL,
	import_kwh DOUBLE PRECISION,
	import_slots BIGINT NOT NULL,
	export_kwh DOUBLE PRECISION,
	export_slots BIGINT NOT NULL,
	charge_kwh DOUBLE PRECISION,
	charge_slots BIGINT NOT NULL,
	discharge_kwh DOUBLE PRECISION,
	discharge_slots BIGINT NOT NULL,
	soc_last DOUBLE PRECISION,
	soc_mean DOUBLE PRECISION,
	soc_slots BIGINT NOT NULL,
	import_price DOUBLE PRECISION,
	import_price_slots BIGINT NOT NULL,
	export_price DOUBLE PRECISION,
	export_price_slots BIGINT NOT NULL,
	CONSTRAINT pk_slot_observations_by_hour PRIMARY KEY (site_key, bucket)
);
COMMENT ON TABLE slot_observations_by_hour IS 'What a site did per hour in UTC, but for the days that rollup_marks names';
CREATE TABLE smart_meter_readings (
	meter TEXT NOT NULL,
	register TEXT NOT NULL,
	instant TIMESTAMP WITH TIME ZONE NOT NULL,
	value DOUBLE PRECISION NOT NULL,
	CONSTRAINT pk_smart_meter_readings PRIMARY KEY (meter, register, instant)
);
COMMENT ON COLUMN smart_meter_readings.register IS 'OBIS code';
COMMENT ON COLUMN smart_meter_readings.value IS 'cumulative, as received';
COMMENT ON TABLE smart_meter_readings IS 'A meter reading as received';
CREATE TABLE source_cursors (
	site_key INTEGER NOT NULL,
	source TEXT NOT NULL,
	series TEXT NOT NULL,
	complete_until TIMESTAMP WITH TIME ZONE NOT NULL,
	moved_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
	CONSTRAINT pk_source_cursors PRIMARY KEY (site_key, source, series),
	CONSTRAINT fk_source_cursors_site_key FOREIGN KEY(site_key) REFERENCES sites (site_key) ON DELETE CASCADE
);
COMMENT ON COLUMN source_cursors.source IS 'home_assistant, mqtt, energy_charts, …';
COMMENT ON COLUMN source_cursors.series IS 'sensor, market or place';
COMMENT ON COLUMN source_cursors.complete_until IS 'everything before this instant was taken over';
COMMENT ON COLUMN source_cursors.moved_at IS 'when the row was written';
COMMENT ON TABLE source_cursors IS 'How far a source has been read, so that reading goes on there';
CREATE TABLE steering_records (
	site_key INTEGER NOT NULL,
	begins_at TIMESTAMP WITH TIME ZONE NOT NULL,
	device TEXT NOT NULL,
	ends_at TIMESTAMP WITH TIME ZONE NOT NULL,
	mean_kw DOUBLE PRECISION,
	least_kw DOUBLE PRECISION,
	most_kw DOUBLE PRECISION,
	moved_kwh DOUBLE PRECISION,
	reasons JSONB NOT NULL,
	switches JSONB NOT NULL,
	CONSTRAINT pk_steering_records PRIMARY KEY (site_key, begins_at, device),
	CONSTRAINT fk_steering_records_site_key FOREIGN KEY(site_key) REFERENCES sites (site_key) ON DELETE CASCADE
);
COMMENT ON COLUMN steering_records.device IS 'by its name; pv: all solar inverters';
COMMENT ON COLUMN steering_records.mean_kw IS 'of the commanded powers; empty: none was commanded';
COMMENT ON COLUMN steering_records.least_kw IS 'the lowest commanded power';
COMMENT ON COLUMN steering_records.most_kw IS 'the highest commanded power';
COMMENT ON COLUMN steering_records.moved_kwh IS 'what it took beyond its plan; empty: unknown';
COMMENT ON COLUMN steering_records.reasons IS 'seconds that each reason decided, by its code';
COMMENT ON COLUMN steering_records.switches IS 'changes of mode: when, to what, why';
COMMENT ON TABLE steering_records IS 'What steering had a device do in a quarter-hour or in a part of it';
CREATE TABLE training_runs (
	run_id TEXT NOT NULL,
	site_key INTEGER NOT NULL,
	version TEXT NOT NULL,
	data_from TIMESTAMP WITH TIME ZONE NOT NULL,
	data_until TIMESTAMP WITH TIME ZONE NOT NULL,
	tried_until TIMESTAMP WITH TIME ZONE,
	code_version TEXT NOT NULL,
	trigger TEXT DEFAULT 'hand' NOT NULL,
	accepted BOOLEAN DEFAULT true NOT NULL,
	verdict TEXT DEFAULT '' NOT NULL,
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
COMMENT ON COLUMN training_runs.version IS 'forecast version or agent kind';
COMMENT ON COLUMN training_runs.data_from IS 'first instant that was learned from';
COMMENT ON COLUMN training_runs.data_until IS 'end of what was learned from; a backtest before it must not use the run';
COMMENT ON COLUMN training_runs.tried_until IS 'end of the days by which it was decided whether the model is used; empty: it learned until then';
COMMENT ON COLUMN training_runs.trigger IS 'hand, schedule, drift or force: why it was trained';
COMMENT ON COLUMN training_runs.accepted IS 'whether its model may be used without being asked for';
COMMENT ON COLUMN training_runs.verdict IS 'why it was accepted, or not';
COMMENT ON COLUMN training_runs.artefact_key IS 'object that holds the model';
COMMENT ON COLUMN training_runs.parent_run_id IS 'the run this one continued';
COMMENT ON COLUMN training_runs.finished_at IS 'when the row was written';
COMMENT ON TABLE training_runs IS 'One training of any model';
CREATE TABLE user_sites (
	user_id BIGINT NOT NULL,
	site_key INTEGER NOT NULL,
	CONSTRAINT pk_user_sites PRIMARY KEY (user_id, site_key),
	CONSTRAINT fk_user_sites_user_id FOREIGN KEY(user_id) REFERENCES users (user_id) ON DELETE CASCADE,
	CONSTRAINT fk_user_sites_site_key FOREIGN KEY(site_key) REFERENCES sites (site_key) ON DELETE CASCADE
);
COMMENT ON TABLE user_sites IS 'A site that a person has; admins have all';
CREATE TABLE users (
	user_id BIGINT GENERATED ALWAYS AS IDENTITY,
	name TEXT NOT NULL,
	password_hash TEXT NOT NULL,
	role TEXT NOT NULL,
	created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
	signed_in_at TIMESTAMP WITH TIME ZONE,
	CONSTRAINT pk_users PRIMARY KEY (user_id),
	CONSTRAINT ck_users_role CHECK (role IN ('user', 'analyst', 'admin')),
	CONSTRAINT uq_users_name UNIQUE (name)
);
COMMENT ON COLUMN users.user_id IS 'never given twice, so that nothing of a person is taken for another of the same name';
COMMENT ON COLUMN users.password_hash IS 'argon2id with its parameters and salt';
COMMENT ON COLUMN users.created_at IS 'when the row was written';
COMMENT ON COLUMN users.signed_in_at IS 'when last';
COMMENT ON TABLE users IS 'A person who may sign in';
CREATE TABLE vector_indexes (
	name TEXT NOT NULL,
	revision BIGINT NOT NULL,
	CONSTRAINT pk_vector_indexes PRIMARY KEY (name)
);
COMMENT ON TABLE vector_indexes IS 'How far an index on a server follows; one in a folder of a process notes that itself';
CREATE TABLE vector_removals (
	revision BIGINT DEFAULT nextval('vector_revisions') NOT NULL,
	chunk_id BIGINT NOT NULL,
	CONSTRAINT pk_vector_removals PRIMARY KEY (revision)
);
COMMENT ON TABLE vector_removals IS 'Chunks that every index has to forget';
CREATE TABLE vehicle_levels (
	site_key INTEGER NOT NULL,
	vehicle TEXT NOT NULL,
	soc DOUBLE PRECISION NOT NULL,
	need_kwh DOUBLE PRECISION,
	stated_by TEXT NOT NULL,
	stated_at TIMESTAMP WITH TIME ZONE NOT NULL,
	CONSTRAINT pk_vehicle_levels PRIMARY KEY (site_key, vehicle),
	CONSTRAINT fk_vehicle_levels_site_key FOREIGN KEY(site_key) REFERENCES sites (site_key) ON DELETE CASCADE
);
COMMENT ON COLUMN vehicle_levels.vehicle IS 'by its name';
COMMENT ON COLUMN vehicle_levels.soc IS 'state of charge, 0 to 1';
COMMENT ON COLUMN vehicle_levels.need_kwh IS 'the need that it was said by; empty: it was said itself';
COMMENT ON TABLE vehicle_levels IS 'A vehicle''s state of charge as its owner last stated it';
CREATE TABLE vehicle_sessions (
	session_id BIGINT GENERATED ALWAYS AS IDENTITY,
	site_key INTEGER NOT NULL,
	vehicle TEXT NOT NULL,
	starts_at TIMESTAMP WITH TIME ZONE NOT NULL,
	ends_at TIMESTAMP WITH TIME ZONE NOT NULL,
	wanted JSONB NOT NULL,
	added_by TEXT NOT NULL,
	added_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
	removed_by TEXT,
	removed_at TIMESTAMP WITH TIME ZONE,
	CONSTRAINT pk_vehicle_sessions PRIMARY KEY (session_id),
	CONSTRAINT fk_vehicle_sessions_site_key FOREIGN KEY(site_key) REFERENCES sites (site_key) ON DELETE CASCADE
);
CREATE INDEX ix_vehicle_sessions_ends_at ON vehicle_sessions (site_key, ends_at);
COMMENT ON COLUMN vehicle_sessions.vehicle IS 'by its name';
COMMENT ON COLUMN vehicle_sessions.ends_at IS 'then the vehicle leaves';
COMMENT ON COLUMN vehicle_sessions.wanted IS 'what it is to hold when, as a plan''s request says it';
COMMENT ON COLUMN vehicle_sessions.added_at IS 'when the row was written';
COMMENT ON COLUMN vehicle_sessions.removed_at IS 'since when it is in no plan any more';
COMMENT ON TABLE vehicle_sessions IS 'When vehicles are at their chargers, and what their owners want of a session';
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
COMMENT ON COLUMN weather.issued_at IS 'measured values: the end of the slot';
COMMENT ON TABLE weather IS 'Weather at a place in one quarter-hour, measured or forecast';
CREATE TABLE what_if_flows (
	what_if_id TEXT NOT NULL,
	variant TEXT NOT NULL,
	flows JSONB NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
	CONSTRAINT pk_what_if_flows PRIMARY KEY (what_if_id, variant),
	CONSTRAINT fk_what_if_flows_what_if_id FOREIGN KEY(what_if_id) REFERENCES what_ifs (what_if_id) ON DELETE CASCADE
);
COMMENT ON COLUMN what_if_flows.variant IS 'its name; baseline for the site as it is';
COMMENT ON COLUMN what_if_flows.flows IS 'cash flow by local day';
COMMENT ON COLUMN what_if_flows.recorded_at IS 'when the row was written';
COMMENT ON TABLE what_if_flows IS 'What one variant came to';
CREATE TABLE what_ifs (
	what_if_id TEXT NOT NULL,
	request JSONB NOT NULL,
	asked_at TIMESTAMP WITH TIME ZONE NOT NULL,
	reply JSONB,
	CONSTRAINT pk_what_ifs PRIMARY KEY (what_if_id)
);
COMMENT ON COLUMN what_ifs.request IS 'site, window and variants as asked';
COMMENT ON COLUMN what_ifs.asked_at IS 'when it was last asked';
COMMENT ON COLUMN what_ifs.reply IS 'the comparison, once every variant is replayed';
COMMENT ON TABLE what_ifs IS 'A question what would have been';
-- r0001_tables.py
-- r0001_tables.sql cf61a89d5c5fc6cd45ab2a4a0a426a1437a6129c8f4e3c8a41d6633a590ef72a
-- r0002_device_writes.py
-- r0003_day_faults.py
-- r0004_device_reports.py
-- r0005_notification_channels.py
-- r0006_session_causes.py
-- r0007_operator_limits.py
-- r0008_device_trials.py
-- r0009_departures.py
-- r0010_steering_records.py
