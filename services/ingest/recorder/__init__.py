"""Live readings, kept on this machine's disk before they are acknowledged."""

from services.ingest.recorder.recorder import Recorder, open_recorder

__all__ = ["Recorder", "open_recorder"]
