"""Listening: which source is asked for which sensors of which sites, and what comes of it."""

from services.ingest.listening.listening import SourceForm, SourceSupervisor
from services.ingest.listening.state import SensedSite, SensorAges, SiteReader, StateFile
from services.ingest.listening.wiring import Wiring, wire

__all__ = ["SensedSite", "SensorAges", "SiteReader", "SourceForm", "SourceSupervisor", "StateFile", "Wiring", "wire"]
