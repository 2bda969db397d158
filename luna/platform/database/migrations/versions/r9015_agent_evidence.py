"""What evidence about the agent rests on: slots that the safety layer corrected, by day, and until when the days of a training's trial went."""

from alembic import op

revision = "9015"
down_revision = "9014"
branch_labels = None
depends_on = None

ADD = """
ALTER TABLE daily_scores ADD COLUMN corrected integer;
COMMENT ON COLUMN daily_scores.corrected IS 'slots in which the safety layer changed what the policy asked for; empty: nobody counted';
ALTER TABLE training_runs ADD COLUMN tried_until timestamptz;
COMMENT ON COLUMN training_runs.tried_until IS 'end of the days by which it was decided whether the model is used; empty: it learned until then';
"""


def upgrade() -> None:
    """Add the columns."""
    op.execute(ADD)


def downgrade() -> None:
    """Take them away."""
    op.drop_column("training_runs", "tried_until")
    op.drop_column("daily_scores", "corrected")
