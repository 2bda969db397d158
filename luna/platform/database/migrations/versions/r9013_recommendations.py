"""What can be recommended, what was shown, what readers did, and what is learned from it."""

from alembic import op

revision = "9013"
down_revision = "9012"
branch_labels = None
depends_on = None

CREATE = """
CREATE TABLE items (
    item_id text NOT NULL,
    kind text NOT NULL,
    site_key integer,
    code text NOT NULL,
    figures jsonb NOT NULL,
    currency text,
    saving_cost_per_year double precision,
    saving_low double precision,
    saving_high double precision,
    document_id text,
    what_if_id text,
    language text,
    terms text[] NOT NULL,
    model text,
    vector bytea,
    created_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    withdrawn_at timestamptz,
    CONSTRAINT pk_items PRIMARY KEY (item_id),
    CONSTRAINT fk_items_site_key FOREIGN KEY (site_key) REFERENCES sites (site_key) ON DELETE CASCADE,
    CONSTRAINT fk_items_document_id FOREIGN KEY (document_id) REFERENCES documents (document_id) ON DELETE CASCADE,
    CONSTRAINT fk_items_what_if_id FOREIGN KEY (what_if_id) REFERENCES what_ifs (what_if_id) ON DELETE CASCADE
);
CREATE INDEX ix_items_site_key ON items (site_key);
CREATE INDEX ix_items_document_id ON items (document_id);
CREATE INDEX ix_items_what_if_id ON items (what_if_id);
COMMENT ON TABLE items IS 'Something worth reading or doing';
COMMENT ON COLUMN items.item_id IS 'made of what it is, so that it stays the same from day to day';
COMMENT ON COLUMN items.kind IS 'document, tip, tariff, what_if';
COMMENT ON COLUMN items.site_key IS 'whose people alone are shown it; empty: everybody';
COMMENT ON COLUMN items.code IS 'which words tell it';
COMMENT ON COLUMN items.figures IS 'of its words';
COMMENT ON COLUMN items.saving_cost_per_year IS 'currency a year; empty: none is claimed';
COMMENT ON COLUMN items.saving_low IS 'of the interval of 95 %';
COMMENT ON COLUMN items.language IS 'of a document';
COMMENT ON COLUMN items.terms IS 'stems of its words, each once';
COMMENT ON COLUMN items.model IS 'that made the vector';
COMMENT ON COLUMN items.vector IS 'float16, little-endian, of unit length; empty: there is no embedding model';
COMMENT ON COLUMN items.withdrawn_at IS 'since when it no longer holds; empty: it does';
CREATE TABLE recommendations (
    recommendation_id text NOT NULL,
    slate_id text NOT NULL,
    rank integer NOT NULL,
    reader text NOT NULL,
    site_key integer,
    item_id text NOT NULL,
    kind text NOT NULL,
    policy text NOT NULL,
    propensity double precision NOT NULL,
    features bytea NOT NULL,
    candidates bytea,
    place integer,
    reward double precision,
    shown_at timestamptz NOT NULL,
    CONSTRAINT pk_recommendations PRIMARY KEY (recommendation_id),
    CONSTRAINT fk_recommendations_site_key FOREIGN KEY (site_key) REFERENCES sites (site_key) ON DELETE CASCADE
);
CREATE INDEX ix_recommendations_reader ON recommendations (reader, shown_at);
CREATE INDEX ix_recommendations_site_key ON recommendations (site_key);
CREATE INDEX ix_recommendations_shown_at ON recommendations (shown_at);
COMMENT ON TABLE recommendations IS 'A showing of an item to a reader';
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
CREATE TABLE events (
    reader text NOT NULL,
    event_id text NOT NULL,
    recommendation_id text NOT NULL,
    action text NOT NULL,
    seconds double precision,
    happened_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT pk_events PRIMARY KEY (reader, event_id),
    CONSTRAINT fk_events_recommendation_id FOREIGN KEY (recommendation_id) REFERENCES recommendations (recommendation_id) ON DELETE CASCADE
);
CREATE INDEX ix_events_recommendation_id ON events (recommendation_id);
COMMENT ON TABLE events IS 'What a reader did with a recommendation';
COMMENT ON COLUMN events.event_id IS 'given by who reports it; the same counts once';
COMMENT ON COLUMN events.action IS 'shown, opened, useful, dismissed, read';
COMMENT ON COLUMN events.seconds IS 'of reading';
COMMENT ON COLUMN events.happened_at IS 'by the reader''s clock';
COMMENT ON COLUMN events.recorded_at IS 'by Luna''s';
CREATE TABLE bandit_states (
    policy text NOT NULL,
    dimensions integer NOT NULL,
    precision bytea NOT NULL,
    response bytea NOT NULL,
    count bigint NOT NULL,
    changed_at timestamptz NOT NULL,
    CONSTRAINT pk_bandit_states PRIMARY KEY (policy)
);
COMMENT ON TABLE bandit_states IS 'What each policy has learned; the sum over recommendations with a reward';
COMMENT ON COLUMN bandit_states.precision IS 'float64, little-endian: sum of outer products of observed features';
COMMENT ON COLUMN bandit_states.response IS 'float64, little-endian: sum of features times rewards';
COMMENT ON COLUMN bandit_states.count IS 'observations';
"""


def upgrade() -> None:
    op.execute(CREATE)


def downgrade() -> None:
    for table in ("bandit_states", "events", "recommendations", "items"):
        op.drop_table(table)
