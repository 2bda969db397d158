"""Home Assistant: what its recorder kept, what its statistics say of the time before, and what its sensors say now."""

from services.ingest.sources.home_assistant.history import HomeAssistantHistory
from services.ingest.sources.home_assistant.live import HomeAssistantLive

__all__ = ["HomeAssistantHistory", "HomeAssistantLive"]
