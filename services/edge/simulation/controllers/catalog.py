"""The controllers by name."""

from collections.abc import Callable

from services.edge.controller.inference import TrainedController
from services.edge.simulation.controllers.learned import LearnedController
from services.edge.simulation.controllers.naive import NaiveController
from services.edge.simulation.controllers.oracle import OracleController
from services.edge.simulation.controllers.rule import RuleController
from services.edge.simulation.engine import RunSetting
from services.edge.simulation.protocol import Controller

# Those that need no training; all others are learned.
BUILT_IN: dict[str, Callable[[RunSetting], Controller]] = {
    "naive_weak": NaiveController.weak,
    "naive_strong": NaiveController.strong,
    "rule": RuleController.of,
    "oracle": OracleController.of,
}


def make_controller(name: str, setting: RunSetting, trained: TrainedController | None) -> Controller:
    """Return a controller for cameras; a learned one is the trained one behind its guard."""
    return BUILT_IN[name](setting) if trained is None else LearnedController.of(trained, setting)
