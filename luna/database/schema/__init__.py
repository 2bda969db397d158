"""The tables as SQLAlchemy sees them. A test compares them with what the migrations build."""

from luna.database.schema import forecasting, identity, knowledge, manual, plans, rollups, series, what_if, work
from luna.database.schema.metadata import metadata

__all__ = ["forecasting", "identity", "knowledge", "manual", "metadata", "plans", "rollups", "series", "what_if", "work"]
