"""Controllers that know nothing: always the smallest or always the largest model, charged when the battery is low."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from services.edge.simulation.controllers.leveled import LevelController
from services.edge.simulation.engine import RunSetting
from services.edge.simulation.protocol import Levels, Observation

# Below it a battery is charged, until it is full.
LOW_SHARE = 0.2


@dataclass(frozen=True, slots=True)
class NaiveController(LevelController):
    """The same model always; charges when less than a fifth is stored, until the battery is full."""

    name: str
    _levels: Levels

    @classmethod
    def weak(cls, setting: RunSetting) -> Self:
        """Return the one with the smallest model."""
        return cls("naive_weak", _hold_model(setting, 0))

    @classmethod
    def strong(cls, setting: RunSetting) -> Self:
        """Return the one with the largest model."""
        return cls("naive_strong", _hold_model(setting, len(setting.models.names) - 1))

    def levels(self, observation: Observation) -> Levels:
        return self._levels


def _hold_model(setting: RunSetting, model: int) -> Levels:
    capacity = setting.cameras.capacity_wh
    models = np.full(capacity.size, model)
    return Levels(models, models, np.zeros(capacity.size), capacity * LOW_SHARE, capacity)
