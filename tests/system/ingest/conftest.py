"""The broker of the integration tests, and a device that publishes there."""

from tests.integration.ingest.conftest import broker, device

__all__ = ["broker", "device"]
