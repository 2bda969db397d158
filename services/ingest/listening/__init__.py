"""Live recording.

Assignment of sensors to sources, supervision of the sources, and their persistent state.
"""

from services.ingest.listening.state import SensedSite, SensorAges, SiteReader, StateFile
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
