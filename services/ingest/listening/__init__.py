"""Listening: the assignment of sensors to sources, and the recording of their readings."""

from services.ingest.listening.state import SensedSite, SensorAges, SiteReader, StateFile
from services.ingest.listening.supervisor import SourceForm, SourceSupervisor, Wiring, wire

__all__ = ["SensedSite", "SensorAges", "SiteReader", "SourceForm", "SourceSupervisor", "StateFile", "Wiring", "wire"]
