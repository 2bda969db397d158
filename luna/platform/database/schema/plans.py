"""Tables of plans, trainings, scores and decisions."""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Table,
    Uuid,
    func,
    true,
)
from sqlalchemy import text as sql_text
from sqlalchemy.dialects.postgresql import JSONB

from luna.platform.database.schema.metadata import (
    document,
    instant,
    metadata,
    number,
    packed,
    recorded,
    text,
)
from luna.platform.database.schema.sites import sites

plan_history = Table(
    "plan_history",
    metadata,
    text("plan_id", primary_key=True),
    text("site", "the site's name; a site given with the request need not be stored"),
    text("system_id", "prod, simulation, prod_shadow_…"),
    instant("issued_at"),
    instant("starts_at"),
    instant("ends_at"),
    text("status"),
    number("total_cost", nullable=False),
    text("currency"),
    text("inputs_digest", "SHA-256 of everything the plan was made from"),
    packed(
        "packed_inputs",
        "the complete request it was made from: JSON, its long series behind it as "
        "numbers, compressed by zlib",
    ),
    packed(
        "packed_reply",
        "the plan as columns over its slots, reasons as codes and figures: JSON compressed by zlib",
    ),
    recorded(),
    Index("ix_plan_history_site_issued_at", "site", "system_id", "issued_at"),
    comment="An issued plan",
)

plan_causes = Table(
    "plan_causes",
    metadata,
    Column("site_key", ForeignKey(sites.c.site_key, ondelete="CASCADE"), primary_key=True),
    text(
        "kind", "site, forecast, prices, session, block, override, owner, limit", primary_key=True
    ),
    Column(
        "change_id",
        Uuid,
        nullable=False,
        server_default=func.gen_random_uuid(),
        comment=(
            "another one with each change, so that who planned takes back what it knew and "
            "nothing else"
        ),
    ),
    instant("asked_at", "when a plan was asked for because of it; empty: not yet", nullable=True),
    comment="A change of a site that its newest plan does not know yet",
)

plan_faults = Table(
    "plan_faults",
    metadata,
    Column("site_key", ForeignKey(sites.c.site_key, ondelete="CASCADE"), primary_key=True),
    instant("tried_at", "when it was tried"),
    Column(
        "problem", JSONB, nullable=False, comment="what stood in the way, as a problem document"
    ),
    comment="Why a site got no plan when it was tried last; the next plan takes it back",
)

antares_learning = Table(
    "antares_learning",
    metadata,
    Column("site_key", ForeignKey(sites.c.site_key, ondelete="CASCADE"), primary_key=True),
    text("system_id", primary_key=True),
    instant("slot_start", primary_key=True),
    document("state"),
    document("action"),
    number("reward"),
    recorded(),
    comment="A step of an episode: state, action, reward",
)


def _parent() -> Column[Any]:
    return Column(
        "parent_run_id",
        ForeignKey("training_runs.run_id", ondelete="SET NULL"),
        comment="the run this one continued",
    )


training_runs = Table(
    "training_runs",
    metadata,
    text("run_id", primary_key=True),
    Column("site_key", ForeignKey(sites.c.site_key, ondelete="CASCADE"), nullable=False),
    text("version", "forecast version or agent kind"),
    instant("data_from", "first instant that was learned from"),
    instant(
        "data_until", "end of what was learned from; a backtest before it must not use the run"
    ),
    instant(
        "tried_until",
        "end of the days by which it was decided whether the model is used; empty: it "
        "learned until then",
        nullable=True,
    ),
    text("code_version"),
    text("trigger", "hand, schedule, drift or force: why it was trained", server_default="hand"),
    Column(
        "accepted",
        Boolean,
        nullable=False,
        server_default=true(),
        comment="whether its model may be used without being asked for",
    ),
    text("verdict", "why it was accepted, or not", server_default=""),
    Column("seed", BigInteger, nullable=False),
    document("metrics"),
    text("artefact_key", "object that holds the model", nullable=True),
    _parent(),
    number("train_seconds", nullable=False),
    recorded("finished_at"),
    Index("ix_training_runs_latest", "site_key", "version", "data_until"),
    comment="One training of any model",
)

oracle_daily_results = Table(
    "oracle_daily_results",
    metadata,
    Column("site_key", ForeignKey(sites.c.site_key, ondelete="CASCADE"), primary_key=True),
    Column("day", Date, primary_key=True, comment="local day of the site"),
    number("oracle_cost", nullable=False),
    number("idle_cost", nullable=False),
    number(
        "oracle_gain",
        "worth of the energy the oracle gained in the batteries, by its own value of stored energy",
    ),
    number("idle_gain", "the same without control"),
    text("currency"),
    document("schedule"),
    recorded(),
    comment="The optimum in hindsight of one day",
)

daily_scores = Table(
    "daily_scores",
    metadata,
    Column("site_key", ForeignKey(sites.c.site_key, ondelete="CASCADE"), primary_key=True),
    Column("day", Date, primary_key=True, comment="local day of the site"),
    text("system_id", primary_key=True),
    text("policy", primary_key=True),
    number("cost", nullable=False),
    number(
        "stored_gain",
        "worth of the energy gained in the batteries; cost less this compares policies",
        nullable=False,
        server_default="0",
    ),
    number(
        "value_gain",
        "the same worth by the oracle's value of stored energy at both midnights; cost "
        "less this compares days",
    ),
    text("currency"),
    recorded("scored_at"),
    number(
        "import_carbon_g",
        "grid intensity × import; empty where the intensity of any slot is unknown",
    ),
    Column(
        "corrected",
        Integer,
        comment=(
            "slots in which the safety layer changed what the policy asked for; empty: nobody "
            "counted"
        ),
    ),
    comment="What one policy cost on one day",
)

replay_days = Table(
    "replay_days",
    metadata,
    Column("site_key", ForeignKey(sites.c.site_key, ondelete="CASCADE"), primary_key=True),
    text("replay", "SHA-256 of everything the replay is made from", primary_key=True),
    Column("day", Date, primary_key=True, comment="local day of the site"),
    document("records", "what each policy did and handed on at midnight"),
    recorded(),
    comment="A day of a replay under way: what an interrupted one goes on from",
)

control_log = Table(
    "control_log",
    metadata,
    Column("entry_id", BigInteger, Identity(always=True), primary_key=True),
    Column("site_key", Integer, nullable=False),
    instant("slot_start"),
    text("decided_by", "planner, agent, owner, rule"),
    text("plan_id", nullable=True),
    document("requested", "the set-points asked for"),
    document("allowed", "what the safety layer made of them"),
    document("confirmed", "what came back", nullable=True),
    text("reason", "why it was decided so", server_default=""),
    text("device", "batteries, vehicle:…, load:…, pv: who was told", server_default="batteries"),
    recorded(),
    text("asked_by", "whose override it was; empty: nobody asked for it", nullable=True),
    Index("ix_control_log_slot", "site_key", "slot_start"),
    comment="Who decided a slot; rows are only added",
)

control_state = Table(
    "control_state",
    metadata,
    Column("site_key", ForeignKey(sites.c.site_key, ondelete="CASCADE"), primary_key=True),
    instant("armed_at", "since when commands are sent; empty: none are", nullable=True),
    text("armed_by", nullable=True),
    document("override", "what the owner wants instead of the plan, and until when", nullable=True),
    document("decision", "what was decided last, stored before it is sent", nullable=True),
    Column(
        "version",
        BigInteger,
        nullable=False,
        server_default="0",
        comment="counts changes of decision: of two who decide at once one is too late",
    ),
    document("reports", "by device: what it did when it was read last", nullable=True),
    document(
        "paused", "since when and by whom the device is left alone; empty: it is not", nullable=True
    ),
    comment="Whether a site is armed, and what it was told last",
)

control_devices = Table(
    "control_devices",
    metadata,
    Column("site_key", ForeignKey(sites.c.site_key, ondelete="CASCADE"), primary_key=True),
    text("device", "vehicle:…, load:…, pv; the batteries are in control_state", primary_key=True),
    document("override", "what the owner wants instead of the plan, and until when", nullable=True),
    document("decision", "what was decided last, stored before it is sent", nullable=True),
    Column(
        "version",
        BigInteger,
        nullable=False,
        server_default="0",
        comment="counts changes of decision: of two who decide at once one is too late",
    ),
    document("reports", "by device: what it did when it was read last", nullable=True),
    document(
        "paused", "since when and by whom the device is left alone; empty: it is not", nullable=True
    ),
    comment="What each device beside the batteries was told last",
)

device_writes = Table(
    "device_writes",
    metadata,
    Column("write_id", BigInteger, Identity(always=True), primary_key=True),
    text("device", "where it is reached: address, port and unit"),
    text("point", "as its profile names it"),
    instant("written_at"),
    Index("ix_device_writes_device", "device", "written_at"),
    comment="Writes of the last day to points of devices that wear out by them",
)

device_trials = Table(
    "device_trials",
    metadata,
    text("device", "where it is reached: address, port and unit", primary_key=True),
    text("prefix", "how its topics begin; empty: it has none", primary_key=True),
    text("profile", "the name of the profile", primary_key=True),
    instant("tried_at"),
    comment="Devices whose last trial moved them as commanded, by the profile that was tried",
)


manual_blocks = Table(
    "manual_blocks",
    metadata,
    Column("block_id", BigInteger, Identity(always=True), primary_key=True),
    Column("site_key", ForeignKey(sites.c.site_key, ondelete="CASCADE"), nullable=False),
    text("device", "a battery, a vehicle or a load by its name, or grid"),
    text("action"),
    instant("starts_at"),
    instant("ends_at", "then it has expired"),
    number("power_kw"),
    text("added_by"),
    recorded("added_at"),
    Index("ix_manual_blocks_ends_at", "site_key", "ends_at"),
    comment="What an owner pinned or forbade",
)

manual_removals = Table(
    "manual_removals",
    metadata,
    Column("block_id", ForeignKey(manual_blocks.c.block_id, ondelete="CASCADE"), primary_key=True),
    text("removed_by"),
    recorded("removed_at"),
    comment="A block that was taken back",
)

operator_limits = Table(
    "operator_limits",
    metadata,
    Column("site_key", ForeignKey(sites.c.site_key, ondelete="CASCADE"), primary_key=True),
    text("limit_id", primary_key=True, server_default=sql_text("gen_random_uuid()::text")),
    instant("starts_at"),
    instant(
        "ends_at", "from then on it holds no longer; empty: until it is released", nullable=True
    ),
    number("import_kw", "the most that may be drawn; empty: not limited"),
    number("export_kw", "the most that may be fed in; empty: not limited"),
    text("scope", "devices: the controllable devices together; connection: what the meter counts"),
    text("source", "api, mqtt, contact, lpc, lpp, openadr, ieee2030.5 or owner"),
    instant("acknowledged_at", "when a device first followed it; empty: not yet", nullable=True),
    document(
        "summary", "figures of what was done, by their names; empty: it still holds", nullable=True
    ),
    recorded("created_at"),
    Index("ix_operator_limits_ends_at", "site_key", "ends_at"),
    comment="A limit of power that the grid operator sets for a while",
)


charging_sessions = Table(
    "vehicle_sessions",
    metadata,
    Column("session_id", BigInteger, Identity(always=True), primary_key=True),
    Column("site_key", ForeignKey(sites.c.site_key, ondelete="CASCADE"), nullable=False),
    text("vehicle", "by its name"),
    instant("starts_at"),
    instant("ends_at", "then the vehicle leaves"),
    document("wanted", "what it is to hold when, as a plan's request says it"),
    text("added_by"),
    recorded("added_at"),
    text("removed_by", nullable=True),
    instant("removed_at", "since when it is in no plan any more", nullable=True),
    Index("ix_vehicle_sessions_ends_at", "site_key", "ends_at"),
    comment="When vehicles are at their chargers, and what their owners want of a session",
)


departure_answers = Table(
    "departure_answers",
    metadata,
    Column("answer_id", BigInteger, Identity(always=True), primary_key=True),
    Column("site_key", ForeignKey(sites.c.site_key, ondelete="CASCADE"), nullable=False),
    text("departure_id", "the proposal's name"),
    text("vehicle", "by its name"),
    document("proposal", "weekdays, time and energy as they were proposed"),
    text("answer", "accepted or declined"),
    Column(
        "session_id",
        BigInteger,
        comment="the weekly session that it became; empty: it was declined",
    ),
    text("answered_by"),
    recorded("answered_at"),
    Index("ix_departure_answers_vehicle", "site_key", "vehicle", "answer_id"),
    comment="What an owner answered to a weekly departure that was proposed",
)

vehicle_levels = Table(
    "vehicle_levels",
    metadata,
    Column("site_key", ForeignKey(sites.c.site_key, ondelete="CASCADE"), primary_key=True),
    text("vehicle", "by its name", primary_key=True),
    number("soc", "state of charge, 0 to 1", nullable=False),
    number("need_kwh", "the need that it was said by; empty: it was said itself"),
    text("stated_by"),
    instant("stated_at"),
    comment="A vehicle's state of charge as its owner last stated it",
)


steering_records = Table(
    "steering_records",
    metadata,
    Column("site_key", ForeignKey(sites.c.site_key, ondelete="CASCADE"), primary_key=True),
    instant("begins_at", primary_key=True),
    text("device", "by its name; pv: all solar inverters", primary_key=True),
    instant("ends_at"),
    number("mean_kw", "of the commanded powers; empty: none was commanded"),
    number("least_kw", "the lowest commanded power"),
    number("most_kw", "the highest commanded power"),
    number("moved_kwh", "what it took beyond its plan; empty: unknown"),
    document("reasons", "seconds that each reason decided, by its code"),
    document("switches", "changes of mode: when, to what, why"),
    comment="What steering had a device do in a quarter-hour or in a part of it",
)


what_ifs = Table(
    "what_ifs",
    metadata,
    text("what_if_id", primary_key=True),
    document("request", "site, window and variants as asked"),
    instant("asked_at", "when it was last asked"),
    Column("reply", JSONB, comment="the comparison, once every variant is replayed"),
    comment="A question what would have been",
)

what_if_flows = Table(
    "what_if_flows",
    metadata,
    Column("what_if_id", ForeignKey(what_ifs.c.what_if_id, ondelete="CASCADE"), primary_key=True),
    text("variant", "its name; baseline for the site as it is", primary_key=True),
    document("flows", "cash flow by local day"),
    recorded(),
    comment="What one variant came to",
)
