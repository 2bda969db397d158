"""Controllers whose decisions depend, within a five-minute slot, on the stored energy alone."""

from abc import ABC, abstractmethod

from services.edge.simulation.kernels import work_levels
from services.edge.simulation.protocol import CameraWork, Decision, Levels, Observation, TaskStretch


class LevelController(ABC):
    """A controller that gives levels; it sees no expected clean shares."""

    __slots__ = ()
    expected_steps = 0
    step_minutes = 5

    @abstractmethod
    def levels(self, observation: Observation) -> Levels:
        """Return the slot's levels; of the observation only what does not change within a slot may be used."""

    def decide(self, observation: Observation) -> Decision:
        """Return the decision by the levels and the stored energy."""
        return self.levels(observation).decide(observation)

    def work(self, observation: Observation, stretch: TaskStretch, work: CameraWork) -> None:
        """Do the tasks of a stretch by the levels."""
        work_levels(tuple(self.levels(observation)), tuple(stretch), *work.arrays)
