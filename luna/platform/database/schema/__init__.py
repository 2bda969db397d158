"""The tables as SQLAlchemy sees them. A test compares them with what the migrations build."""

from luna.platform.database.schema import (
    agent,
    answers,
    documents,
    forecasting,
    identity,
    notifications,
    plans,
    recommendations,
    series,
    sites,
    work,
)
from luna.platform.database.schema.metadata import metadata

__all__ = [
    "agent",
    "answers",
    "documents",
    "forecasting",
    "identity",
    "metadata",
    "notifications",
    "plans",
    "recommendations",
    "series",
    "sites",
    "work",
]
