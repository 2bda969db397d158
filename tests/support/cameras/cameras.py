"""Cameras, grids and networks for tests of simulations."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from services.edge.camera import NO_MODEL, CameraModels, read_models
from services.edge.clean_share import draw_clean_share
from services.edge.config import Location
from services.edge.controller.features import InputForm
from services.edge.controller.inference import TrainedController
from services.edge.lab import MEASURED_PROFILES
from services.edge.simulation.cameras import Cameras
from services.edge.simulation.controllers.learned import LearnedController
from services.edge.simulation.engine import RunSetting
from services.edge.simulation.grid_period import GridPeriod
from services.edge.simulation.group import BUILT_IN
from services.edge.simulation.protocol import Controller, Decision, Observation
from services.edge.simulation.schedule import TaskSchedule

MODELS: CameraModels = read_models(MEASURED_PROFILES)
# A held-out week of summer.
BEGIN = 27 * 2016
Row = tuple[float, float, float, float, float]


def draw_rows(noise: np.random.Generator, count: int) -> list[Row]:
    """Return cameras as a batch draws them: capacity, charge rate, efficiency, accuracy,
    latency.
    """
    ranges = ((2, 15), (50, 200), (0.95, 0.95), (0.3, 0.8), (2.7, 15))
    # Five of them.
    return [tuple(float(noise.uniform(*each)) for each in ranges) for _ in range(count)]  # type: ignore[misc]


def make_setting(
    rows: Sequence[Row],
    schedule: TaskSchedule,
    *,
    locations: Sequence[Location] = ("CA",),
    place: Sequence[int] | None = None,
) -> RunSetting:
    """Return cameras on grids of a summer's week.

    Camera i at the first location, or where ``place`` says.
    """
    periods = tuple(
        GridPeriod.cut(draw_clean_share(location), BEGIN, schedule.slots) for location in locations
    )
    return RunSetting(
        Cameras.of(rows),
        MODELS,
        periods,
        np.array(place if place is not None else [0] * len(rows)),
        schedule,
    )


def make_network(
    *, steps: int = 0, networks: int = 1, seed: int = 0, charge_bias: float = 0.0
) -> TrainedController:
    """Return networks of random weights."""
    noise = np.random.default_rng(seed)
    sizes = np.array([4 + steps, 16, 8, 7])
    numbers = []
    for _ in range(networks):
        parts = [np.full(4 + steps, 0.5), np.full(4 + steps, 0.3)]
        for into, out in pairwise(sizes):
            parts += [noise.normal(0, 0.1, out), noise.normal(0, 1 / np.sqrt(into), into * out)]
        parts[-2][-1] += charge_bias
        numbers.append(np.concatenate(parts))
    return TrainedController(
        "custom", InputForm(steps, 30), sizes, relu=True, numbers=np.stack(numbers)
    )


def make_controllers(setting: RunSetting) -> list[Controller]:
    """Return every controller: the known ones, a learned one of four inputs, and three networks
    that see expected shares.
    """
    learned = [
        LearnedController.of(network, setting)
        for network in (make_network(), make_network(steps=8, networks=3, seed=1))
    ]
    return [*(make(setting) for make in BUILT_IN.values()), *learned]


@dataclass
class RandomController:
    """Decides by lot, with each camera's own."""

    cameras: int
    models: int
    charging: float
    name: str = "random"
    expected_steps: int = 0
    step_minutes: int = 5
    noise: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))

    def decide(self, seen: Observation) -> Decision:
        model = self.noise.integers(NO_MODEL, self.models, self.cameras)
        return Decision(
            model, self.noise.random(self.cameras) < self.charging, np.zeros(self.cameras, bool)
        )
