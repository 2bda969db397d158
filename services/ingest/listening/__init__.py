"""Listening: which source is asked for which sensors of which sites, and what comes of it."""

from services.ingest.listening.ages import Ages
from services.ingest.listening.listening import Listening, SourceForm
from services.ingest.listening.notes import Notes
from services.ingest.listening.sites import SensedSite, SiteReader
from services.ingest.listening.wiring import Wiring, wire

__all__ = ["Ages", "Listening", "Notes", "SensedSite", "SiteReader", "SourceForm", "Wiring", "wire"]
