"""The learned household of the forecaster's tests."""

from tests.integration.forecaster.conftest import aurora, history

__all__ = ["aurora", "history"]
