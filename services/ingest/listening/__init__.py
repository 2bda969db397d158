"""Listening: which source is asked for which sensors of which sites, and what comes of it."""

from services.ingest.listening.sensor_routing import Wiring, wire
from services.ingest.listening.state import SensedSite, SensorAges, SiteReader, StateFile
from services.ingest.listening.supervisor import SourceForm, SourceSupervisor

__all__ = ["SensedSite", "SensorAges", "SiteReader", "SourceForm", "SourceSupervisor", "StateFile", "Wiring", "wire"]
