"""The port to a language model: Ollama, whatever speaks OpenAI's protocol, or none."""

from services.rag.language.client import GaveUpError, Generation, LanguageModel, open_language
from services.rag.language.protocols import ChatMessage

__all__ = ["ChatMessage", "GaveUpError", "Generation", "LanguageModel", "open_language"]
