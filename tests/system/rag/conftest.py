"""The store of documents of the integration tests."""

from tests.integration.rag.conftest import library

__all__ = ["library"]
