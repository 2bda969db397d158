"""Readings into quarter-hours: readings of meters, powers and batteries become energies that add up, each value judged before it counts. Pure."""

from services.ingest.metering.build import SeriesCounts, SlotBuild, build_slots
from services.ingest.metering.rejection import Rejected
from services.ingest.metering.spans import Spans

__all__ = ["Rejected", "SeriesCounts", "SlotBuild", "Spans", "build_slots"]
