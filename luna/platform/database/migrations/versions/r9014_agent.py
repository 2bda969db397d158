"""What the learning agent planned beside the planner, and what it may do."""

from alembic import op

revision = "9014"
down_revision = "9013"
branch_labels = None
depends_on = None

CREATE = """
CREATE TABLE antares_plan_history (
    based_on text NOT NULL,
    policy text NOT NULL,
    site_key integer NOT NULL,
    system_id text NOT NULL,
    plan_id text,
    run_id text,
    issued_at timestamptz NOT NULL,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    metrics jsonb NOT NULL,
    verdict jsonb NOT NULL,
    reply jsonb,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_antares_plan_history PRIMARY KEY (based_on, policy),
    CONSTRAINT uq_antares_plan_history_plan_id UNIQUE (plan_id),
    CONSTRAINT fk_antares_plan_history_site_key FOREIGN KEY (site_key) REFERENCES sites (site_key) ON DELETE CASCADE
);
CREATE INDEX ix_antares_plan_history_site_issued_at ON antares_plan_history (site_key, policy, issued_at);
COMMENT ON TABLE antares_plan_history IS 'A plan of the agent, made beside one of the planner';
COMMENT ON COLUMN antares_plan_history.based_on IS 'the planner''s plan that was made from the same inputs';
COMMENT ON COLUMN antares_plan_history.system_id IS 'prod_shadow_… and the policy';
COMMENT ON COLUMN antares_plan_history.plan_id IS 'empty: the agent made none';
COMMENT ON COLUMN antares_plan_history.run_id IS 'the training it rests on; empty: there was none';
COMMENT ON COLUMN antares_plan_history.metrics IS
    'expected cost of both plans over the same courses, courses, milliseconds, interventions, breach_kwh';
COMMENT ON COLUMN antares_plan_history.verdict IS 'what the gatekeeper made of it';
COMMENT ON COLUMN antares_plan_history.reply IS 'the plan as the planner would answer it; empty: there is none';
COMMENT ON COLUMN antares_plan_history.recorded_at IS 'when the row was written';
CREATE TABLE agent_gates (
    gate_id bigint GENERATED ALWAYS AS IDENTITY,
    site_key integer NOT NULL,
    at timestamptz NOT NULL,
    kind text NOT NULL,
    policy text NOT NULL,
    mode text NOT NULL,
    state text,
    reason text NOT NULL,
    better boolean NOT NULL DEFAULT false,
    evidence jsonb NOT NULL,
    decided_by text NOT NULL,
    CONSTRAINT pk_agent_gates PRIMARY KEY (gate_id),
    CONSTRAINT fk_agent_gates_site_key FOREIGN KEY (site_key) REFERENCES sites (site_key) ON DELETE CASCADE
);
CREATE INDEX ix_agent_gates_site_key ON agent_gates (site_key, gate_id);
COMMENT ON TABLE agent_gates IS 'What the agent may do; rows are only added, of each policy and mode the last with a state holds';
COMMENT ON COLUMN agent_gates.kind IS 'judged, asked, withdrawn, restored';
COMMENT ON COLUMN agent_gates.policy IS 'whose evidence it rests on';
COMMENT ON COLUMN agent_gates.mode IS 'shadow, export_only, full_control';
COMMENT ON COLUMN agent_gates.state IS 'not_ready, offered, withdrawn; empty: somebody asked for the mode';
COMMENT ON COLUMN agent_gates.better IS 'whether the agent is surely cheaper than the planner';
COMMENT ON COLUMN agent_gates.evidence IS 'days, points and their interval, by kind';
COMMENT ON COLUMN agent_gates.decided_by IS 'gatekeeper, or who decided';
"""


def upgrade() -> None:
    op.execute(CREATE)


def downgrade() -> None:
    for table in ("agent_gates", "antares_plan_history"):
        op.drop_table(table)
