"""Conversion of sensor readings into energies per quarter-hour, with plausibility checks. Pure."""

from services.ingest.metering.build import SeriesCounts, SlotBuild, build_slots
from services.ingest.metering.rejection import Rejected
from services.ingest.metering.spans import Spans

__all__ = ["Rejected", "SeriesCounts", "SlotBuild", "Spans", "build_slots"]
