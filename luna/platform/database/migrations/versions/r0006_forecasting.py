"""Four more quantiles; what issues rest on, their scenarios, scores of versions, and which version drives the planner."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

QUANTILES = tuple(f"{series}_{name}_kwh" for series in ("load", "pv") for name in ("p05", "p25", "p75", "p95"))
CREATE = """
ALTER TABLE training_runs ADD COLUMN trigger text DEFAULT 'hand' NOT NULL;
COMMENT ON COLUMN training_runs.trigger IS 'hand, schedule, drift or force: why it was trained';
ALTER TABLE training_runs ADD COLUMN accepted boolean DEFAULT true NOT NULL;
COMMENT ON COLUMN training_runs.accepted IS 'whether its model may be used without being asked for';
ALTER TABLE training_runs ADD COLUMN verdict text DEFAULT '' NOT NULL;
COMMENT ON COLUMN training_runs.verdict IS 'why it was accepted, or not';
ALTER TABLE daily_scores ADD COLUMN stored_gain double precision DEFAULT 0 NOT NULL;
COMMENT ON COLUMN daily_scores.stored_gain IS 'worth of the energy gained in the batteries; cost less this compares policies';
CREATE TABLE forecast_issues (
    site_key integer NOT NULL,
    forecast_version text NOT NULL,
    issued_at timestamptz NOT NULL,
    stage text NOT NULL,
    reasons text[] DEFAULT '{}' NOT NULL,
    run_id text,
    level jsonb,
    CONSTRAINT pk_forecast_issues PRIMARY KEY (site_key, forecast_version, issued_at)
);
COMMENT ON TABLE forecast_issues IS 'An issue of forecasts: what it rests on, and why it is as wide as it is';
COMMENT ON COLUMN forecast_issues.stage IS 'cold, profile, young, full: how much history the forecast rests on';
COMMENT ON COLUMN forecast_issues.reasons IS 'codes of what widened the bands; empty: nothing';
COMMENT ON COLUMN forecast_issues.run_id IS 'the training whose model spoke; empty: none did';
COMMENT ON COLUMN forecast_issues.level IS 'how the recent level was corrected, by series';
CREATE TABLE forecast_scenarios (
    site_key integer NOT NULL,
    forecast_version text NOT NULL,
    issued_at timestamptz NOT NULL,
    paths jsonb NOT NULL,
    CONSTRAINT pk_forecast_scenarios PRIMARY KEY (site_key, forecast_version, issued_at)
);
COMMENT ON TABLE forecast_scenarios IS 'Joint paths of load, PV and prices beside an issue of forecasts';
COMMENT ON COLUMN forecast_scenarios.paths IS
    'probability per path; load_kwh and pv_kwh per path and slot; spot_price by market per path and slot';
CREATE TABLE forecast_scores (
    site_key integer NOT NULL,
    day date NOT NULL,
    forecast_version text NOT NULL,
    series text NOT NULL,
    origins integer NOT NULL,
    mae double precision NOT NULL,
    rmse double precision NOT NULL,
    pinball double precision NOT NULL,
    coverage_80 double precision,
    scored_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT pk_forecast_scores PRIMARY KEY (site_key, day, forecast_version, series),
    CONSTRAINT fk_forecast_scores_site_key_sites FOREIGN KEY (site_key) REFERENCES sites (site_key) ON DELETE CASCADE
);
COMMENT ON TABLE forecast_scores IS 'How good a version was, by the day of issue';
COMMENT ON COLUMN forecast_scores.day IS 'local day in which the forecasts were issued';
COMMENT ON COLUMN forecast_scores.series IS 'load_kwh or pv_kwh';
COMMENT ON COLUMN forecast_scores.origins IS 'forecasts that were scored';
COMMENT ON COLUMN forecast_scores.mae IS 'kWh per slot';
COMMENT ON COLUMN forecast_scores.rmse IS 'kWh per slot';
COMMENT ON COLUMN forecast_scores.pinball IS 'mean over the quantiles, kWh per slot';
COMMENT ON COLUMN forecast_scores.coverage_80 IS 'share of slots between p10 and p90';
COMMENT ON COLUMN forecast_scores.scored_at IS 'when the row was written';
CREATE TABLE forecast_activations (
    activation_id bigint GENERATED ALWAYS AS IDENTITY,
    site_key integer NOT NULL,
    forecast_version text NOT NULL,
    run_id text,
    decided_by text NOT NULL,
    reason text NOT NULL,
    evidence jsonb NOT NULL,
    decided_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT pk_forecast_activations PRIMARY KEY (activation_id),
    CONSTRAINT fk_forecast_activations_site_key_sites FOREIGN KEY (site_key) REFERENCES sites (site_key) ON DELETE CASCADE,
    CONSTRAINT fk_forecast_activations_run_id_training_runs FOREIGN KEY (run_id) REFERENCES training_runs (run_id) ON DELETE SET NULL
);
CREATE INDEX ix_forecast_activations_site_key ON forecast_activations (site_key, activation_id);
COMMENT ON TABLE forecast_activations IS 'Which version drives a site''s planner; rows are only added, the last one holds';
COMMENT ON COLUMN forecast_activations.forecast_version IS 'the version that drives the planner from now on';
COMMENT ON COLUMN forecast_activations.run_id IS 'the training it rests on; empty: a baseline';
COMMENT ON COLUMN forecast_activations.decided_by IS 'rule, hand, rollback or training';
COMMENT ON COLUMN forecast_activations.evidence IS 'the scores that were compared';
COMMENT ON COLUMN forecast_activations.decided_at IS 'when the row was written';
"""
TABLES = ("forecast_activations", "forecast_scores", "forecast_scenarios", "forecast_issues")


def upgrade() -> None:
    for name in QUANTILES:
        op.execute(f"ALTER TABLE slot_forecasts ADD COLUMN {name} double precision")
    # The driver runs many statements at once only where none has parameters.
    op.get_bind().connection.cursor().execute(CREATE)


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)
    for name in ("trigger", "accepted", "verdict"):
        op.drop_column("training_runs", name)
    op.drop_column("daily_scores", "stored_gain")
    for name in QUANTILES:
        op.drop_column("slot_forecasts", name)
