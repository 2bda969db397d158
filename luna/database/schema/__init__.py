"""The tables as SQLAlchemy sees them. A test compares them with what the migrations build."""

from luna.database.schema import forecasting, identity, plans, series, sites, work
from luna.database.schema.metadata import metadata

__all__ = ["forecasting", "identity", "metadata", "plans", "series", "sites", "work"]
