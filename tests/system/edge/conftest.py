"""The lab of the unit tests."""

from tests.unit.edge.conftest import make_lab

__all__ = ["make_lab"]
