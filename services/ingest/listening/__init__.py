"""Live recording: assignment of sensors to sources, supervision, and persistent state."""

from services.ingest.listening.recording_state import SensedSite, SensorAges, SiteReader, StateFile
from services.ingest.listening.supervisor import SourceForm, SourceSupervisor, Wiring, wire

__all__ = [
    "SensedSite",
    "SensorAges",
    "SiteReader",
    "SourceForm",
    "SourceSupervisor",
    "StateFile",
    "Wiring",
    "wire",
]
