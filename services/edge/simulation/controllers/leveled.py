"""Controllers that decide within a slot by the stored energy alone: naive ones and a rule."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Self

import numpy as np

from luna.energy.timeline import FloatArray
from services.edge.camera import BoolArray
from services.edge.clean_share import IntArray
from services.edge.simulation.engine import RunSetting
from services.edge.simulation.kernels import work_levels
from services.edge.simulation.protocol import CameraWork, Decision, Levels, Observation, TaskStretch

# Below it a battery is charged, until it is full.
LOW_SHARE = 0.2
# Charged while the newest share is among the cleanest third of the last day.
_QUANTILE = 2 / 3
_HOURS = 24


class LevelController(ABC):
    """A controller that gives levels; it sees no expected clean shares."""

    __slots__ = ()
    expected_steps = 0
    step_minutes = 5

    @abstractmethod
    def levels(self, observation: Observation) -> Levels:
        """Return the slot's levels.

        Of the observation only what does not change within a slot may be used.
        """

    def decide(self, observation: Observation) -> Decision:
        """Return the decision by the levels and the stored energy."""
        return self.levels(observation).decide(observation)

    def work(self, observation: Observation, stretch: TaskStretch, work: CameraWork) -> None:
        """Do the tasks of a stretch by the levels."""
        work_levels(tuple(self.levels(observation)), tuple(stretch), *work.arrays)


@dataclass(frozen=True, slots=True)
class NaiveController(LevelController):
    """The same model always.

    Charges when less than a fifth is stored, until the battery is full.
    """

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
    return Levels(
        model=models,
        lean_model=models,
        lean_wh=np.zeros(capacity.size),
        start_wh=capacity * LOW_SHARE,
        stop_wh=capacity,
    )


@dataclass(frozen=True, slots=True)
class RuleController(LevelController):
    """The smallest model that fulfils the request.

    Charges while the grid is as clean as in the cleanest third of the last day, and below a fifth.
    """

    name: str
    _clean: BoolArray
    _smallest: IntArray
    _capacity_wh: FloatArray

    @classmethod
    def of(cls, setting: RunSetting) -> Self:
        """Return the rule for cameras on a grid; it knows the day before each slot."""
        clean_by_period = []
        for period in setting.periods:
            threshold = period.recent_quantile(_QUANTILE, hours=_HOURS)
            clean_by_period.append(period.running >= threshold)
        clean = np.stack(clean_by_period)
        return cls(
            "rule",
            clean[setting.place].T.copy(),
            setting.table.smallest,
            setting.cameras.capacity_wh,
        )

    def levels(self, observation: Observation) -> Levels:
        low_wh = self._capacity_wh * LOW_SHARE
        start_wh = np.where(self._clean[observation.step], self._capacity_wh, low_wh)
        return Levels(
            model=self._smallest,
            lean_model=self._smallest,
            lean_wh=np.zeros(start_wh.size),
            start_wh=start_wh,
            stop_wh=start_wh,
        )
