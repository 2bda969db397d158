"""Listening: which source is asked for which sensors of which sites, and what comes of it."""

from services.ingest.listening.listening import Listening, SourceForm
from services.ingest.listening.state import Ages, Notes, SensedSite, SiteReader
from services.ingest.listening.wiring import Wiring, wire

__all__ = ["Ages", "Listening", "Notes", "SensedSite", "SiteReader", "SourceForm", "Wiring", "wire"]
