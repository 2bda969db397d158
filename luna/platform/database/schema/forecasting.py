"""Tables beside the forecasts.

The basis of each issue, its scenarios, the scores of versions, and the one that drives the planner.
"""

from sqlalchemy import BigInteger, Column, Date, ForeignKey, Identity, Index, Integer, Table
from sqlalchemy.dialects.postgresql import ARRAY, TEXT

from luna.platform.database.schema.metadata import (
    document,
    instant,
    metadata,
    number,
    recorded,
    text,
)
from luna.platform.database.schema.sites import sites

forecast_issues = Table(
    "forecast_issues",
    metadata,
    Column("site_key", Integer, primary_key=True, autoincrement=False),
    text("forecast_version", primary_key=True),
    instant("issued_at", primary_key=True),
    text("stage", "cold, profile, young, full: how much history the forecast rests on"),
    Column(
        "reasons",
        ARRAY(TEXT),
        nullable=False,
        server_default="{}",
        comment="codes of what widened the bands; empty: nothing",
    ),
    text("run_id", "the training whose model spoke; empty: none did", nullable=True),
    document("level", "how the recent level was corrected, by series", nullable=True),
    comment="An issue of forecasts: what it rests on, and why it is as wide as it is",
)

forecast_scenarios = Table(
    "forecast_scenarios",
    metadata,
    Column("site_key", Integer, primary_key=True, autoincrement=False),
    text("forecast_version", primary_key=True),
    instant("issued_at", primary_key=True),
    document(
        "paths",
        "probability per path; load_kwh and pv_kwh per path and slot; spot_price by market "
        "per path and slot",
    ),
    comment="Joint paths of load, PV and prices beside an issue of forecasts",
)

forecast_scores = Table(
    "forecast_scores",
    metadata,
    Column("site_key", ForeignKey(sites.c.site_key, ondelete="CASCADE"), primary_key=True),
    Column("day", Date, primary_key=True, comment="local day in which the forecasts were issued"),
    text("forecast_version", primary_key=True),
    text("series", "load_kwh or pv_kwh", primary_key=True),
    Column("origins", Integer, nullable=False, comment="forecasts that were scored"),
    number("mae", "kWh per slot", nullable=False),
    number("rmse", "kWh per slot", nullable=False),
    number("pinball", "mean over the quantiles, kWh per slot", nullable=False),
    number("coverage_80", "share of slots between p10 and p90"),
    recorded("scored_at"),
    comment="How good a version was, by the day of issue",
)

forecast_activations = Table(
    "forecast_activations",
    metadata,
    Column("activation_id", BigInteger, Identity(always=True), primary_key=True),
    Column("site_key", ForeignKey(sites.c.site_key, ondelete="CASCADE"), nullable=False),
    text("forecast_version", "the version that drives the planner from now on"),
    Column(
        "run_id",
        ForeignKey("training_runs.run_id", ondelete="SET NULL"),
        comment="the training it rests on; empty: a baseline",
    ),
    text("decided_by", "rule, hand, rollback or training"),
    text("reason"),
    document("evidence", "the scores that were compared"),
    recorded("decided_at"),
    Index("ix_forecast_activations_site_key", "site_key", "activation_id"),
    comment="Which version drives a site's planner; rows are only added, the last one holds",
)
