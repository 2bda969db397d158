"""The rule that an engineer would write: the smallest model that fulfils the request, charged when the grid is cleaner than it mostly was of late."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from luna.energy.timeline import FloatArray
from services.edge.camera import BoolArray
from services.edge.clean_share import IntArray
from services.edge.simulation.controllers.leveled import LevelController
from services.edge.simulation.controllers.naive import LOW_SHARE
from services.edge.simulation.engine import RunSetting
from services.edge.simulation.protocol import Levels, Observation

# Charged while the newest share is among the cleanest third of the last day.
_QUANTILE, _HOURS = 2 / 3, 24


@dataclass(frozen=True, slots=True)
class RuleController(LevelController):
    """Charges while the grid is as clean as in the cleanest third of the last day, and whenever less than a fifth is stored."""

    name: str
    _clean: BoolArray
    _smallest: IntArray
    _capacity_wh: FloatArray

    @classmethod
    def of(cls, setting: RunSetting) -> Self:
        """Return the rule for cameras on a grid; it knows the day before each slot."""
        clean = np.stack([each.running >= each.recent_quantile(_QUANTILE, hours=_HOURS) for each in setting.periods])
        return cls("rule", clean[setting.place].T.copy(), setting.table.smallest, setting.cameras.capacity_wh)

    def levels(self, observation: Observation) -> Levels:
        start_wh = np.where(self._clean[observation.step], self._capacity_wh, self._capacity_wh * LOW_SHARE)
        return Levels(self._smallest, self._smallest, np.zeros(start_wh.size), start_wh, start_wh)
