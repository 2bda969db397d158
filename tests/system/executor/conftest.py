"""The simulated inverter of the integration tests, and the executor that commands it."""

from tests.integration.executor.conftest import armed, home, inverter

__all__ = ["armed", "home", "inverter"]
