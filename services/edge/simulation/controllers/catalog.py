"""The controllers by name."""

from collections.abc import Callable

from services.edge.simulation.controllers.naive import NaiveController
from services.edge.simulation.controllers.oracle import OracleController
from services.edge.simulation.controllers.rule import RuleController
from services.edge.simulation.engine import RunSetting
from services.edge.simulation.protocol import Controller

# Those that need no training.
KNOWN: dict[str, Callable[[RunSetting], Controller]] = {
    "naive_weak": NaiveController.weak,
    "naive_strong": NaiveController.strong,
    "rule": RuleController.of,
    "oracle": OracleController.of,
}


def make_controller(name: str, setting: RunSetting) -> Controller:
    """Return a controller for cameras on a grid."""
    return KNOWN[name](setting)
