"""The rule that an engineer would write: the smallest model that fulfils the request, charged when the grid is cleaner than it mostly was of late."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from luna.timeline import FloatArray
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
    _clean: FloatArray
    _when_clean: Levels
    _else: Levels

    @classmethod
    def of(cls, setting: RunSetting) -> Self:
        """Return the rule for cameras on a grid; it knows the day before each slot."""
        capacity, smallest = setting.cameras.capacity_wh, setting.table.smallest
        levels = [Levels(smallest, smallest, np.zeros(capacity.size), start, start) for start in (capacity, capacity * LOW_SHARE)]
        return cls("rule", setting.period.running >= setting.period.recent_quantile(_QUANTILE, hours=_HOURS), *levels)

    def levels(self, seen: Observation) -> Levels:
        return self._when_clean if self._clean[seen.step] else self._else
