"""Tables of the learning agent: its plans beside the planner's, and its rights."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Identity, Index, Table, false

from luna.platform.database.schema.metadata import (
    document,
    instant,
    metadata,
    packed,
    recorded,
    text,
)
from luna.platform.database.schema.sites import sites

antares_plan_history = Table(
    "antares_plan_history",
    metadata,
    text("based_on", "the planner's plan that was made from the same inputs", primary_key=True),
    text("policy", primary_key=True),
    Column("site_key", ForeignKey(sites.c.site_key, ondelete="CASCADE"), nullable=False),
    text("system_id", "prod_shadow_… and the policy"),
    text("plan_id", "empty: the agent made none", nullable=True, unique=True),
    text("run_id", "the training it rests on; empty: there was none", nullable=True),
    instant("issued_at"),
    instant("starts_at"),
    instant("ends_at"),
    document(
        "metrics",
        "expected cost of both plans over the same scenarios, scenarios, milliseconds, "
        "interventions, breach_kwh",
    ),
    document("verdict", "what the gatekeeper made of it"),
    packed("packed_reply", "the plan, as in plan_history; empty: there is none", nullable=True),
    recorded(),
    Index("ix_antares_plan_history_site_issued_at", "site_key", "policy", "issued_at"),
    comment="A plan of the agent, made beside one of the planner",
)

agent_gates = Table(
    "agent_gates",
    metadata,
    Column("gate_id", BigInteger, Identity(always=True), primary_key=True),
    Column("site_key", ForeignKey(sites.c.site_key, ondelete="CASCADE"), nullable=False),
    instant("at"),
    text("kind", "judged, asked, withdrawn, restored"),
    text("policy", "whose evidence it rests on"),
    text("mode", "shadow, export_only, full_control"),
    text(
        "state", "not_ready, offered, withdrawn; empty: somebody asked for the mode", nullable=True
    ),
    text("reason"),
    Column(
        "better",
        Boolean,
        nullable=False,
        server_default=false(),
        comment="whether the agent is surely cheaper than the planner",
    ),
    document("evidence", "days, points and their interval, by kind"),
    text("decided_by", "gatekeeper, or who decided"),
    Index("ix_agent_gates_site_key", "site_key", "gate_id"),
    comment=(
        "What the agent may do; rows are only added, of each policy and mode the last with a "
        "state holds"
    ),
)
