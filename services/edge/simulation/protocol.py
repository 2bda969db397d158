"""The protocol of camera controllers: observations, decisions and threshold levels."""

from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np

from luna.energy.timeline import FloatArray
from services.edge.camera import BoolArray
from services.edge.clean_share import IntArray
from services.edge.simulation.cameras import CameraState, TaskTable
from services.edge.simulation.metrics import Tally


@dataclass(frozen=True, slots=True)
class Observation:
    """The observation before a task, arrays over cameras of shape ``(cameras,)``.

    Args:
        slot: five-minute slot of the year.
        step: slot of the run, the same for all.
        capacity_wh, charge_rate_w, accuracy, latency_ms: each camera's battery, charger and
        requirements.
        stored_wh: in the battery.
        charging: whether the charger was on during the last interval.
        clean_share: the newest known value.
        expected: forecast of the next steps at the slot's start, shape ``(cameras, steps)``, with
            the controller's ``expected_steps``.
    """

    slot: IntArray
    step: int
    capacity_wh: FloatArray
    charge_rate_w: FloatArray
    accuracy: FloatArray
    latency_ms: FloatArray
    stored_wh: FloatArray
    charging: BoolArray
    clean_share: FloatArray
    expected: FloatArray


class Decision(NamedTuple):
    """A decision for each camera's next task.

    It holds the inference model (``NO_MODEL``: none), the charger's state until the next task, and
    whether a guard overrode the controller.
    """

    model: IntArray
    charge: BoolArray
    guarded: BoolArray


class Controller(Protocol):
    """A stateless controller that decides before each task, for all cameras."""

    @property
    def name(self) -> str:
        """The name in results."""
        ...

    @property
    def expected_steps(self) -> int:
        """The number of expected clean shares among its inputs."""
        ...

    @property
    def step_minutes(self) -> int:
        """The length of each of these steps."""
        ...

    def decide(self, observation: Observation) -> Decision:
        """Return the decision until the next task."""
        ...


class TaskStretch(NamedTuple):
    """Tasks between two events.

    It holds their number, the day of the run and the current clean shares, shape ``(cameras,)``.
    """

    tasks: int
    day: int
    clean_share: FloatArray


@dataclass(frozen=True, slots=True)
class CameraWork:
    """Data of the simulation of tasks; state and tally are changed in place.

    Args:
        table: energies of tasks per camera and model.
        state: of the cameras.
        tally: figures per day.
    """

    table: TaskTable
    state: CameraState
    tally: Tally

    @property
    def arrays(self) -> tuple[tuple[Any, ...], tuple[Any, ...], tuple[Any, ...]]:
        """The arrays as arguments of kernels."""
        return tuple(self.table), tuple(self.state), tuple(self.tally)


@runtime_checkable
class StretchController(Controller, Protocol):
    """A controller that runs all tasks between two events at once.

    The results equal those of ``decide`` task by task exactly.
    """

    def work(self, observation: Observation, stretch: TaskStretch, work: CameraWork) -> None:
        """Run the tasks of a stretch; ``observation`` is from before the first of them."""
        ...


class Levels(NamedTuple):
    """Decisions of a slot that depend on the stored energy alone; arrays of shape ``(cameras,)``.

    Args:
        model: inference model.
        lean_model: model while less than ``lean_wh`` is stored.
        lean_wh: threshold of ``lean_model``.
        start_wh: the charger is on below it.
        stop_wh: a charger that is on stays on below it (hysteresis).
    """

    model: IntArray
    lean_model: IntArray
    lean_wh: FloatArray
    start_wh: FloatArray
    stop_wh: FloatArray

    def decide(self, observation: Observation) -> Decision:
        """Return the levels' decision for cameras."""
        charge = (observation.stored_wh < self.start_wh) | (
            observation.charging & (observation.stored_wh < self.stop_wh)
        )
        model = np.where(observation.stored_wh < self.lean_wh, self.lean_model, self.model)
        return Decision(model, charge, np.zeros(model.size, bool))


class NetworkSight(NamedTuple):
    """Networks and their inputs by camera.

    Args:
        features: shape ``(cameras, inputs)``; the caller writes the first, the state of charge.
        eligible: models to choose from, shape ``(cameras, models)``.
        numbers, sizes, relu: as in ``TrainedController``.
    """

    features: FloatArray
    eligible: BoolArray
    numbers: FloatArray
    sizes: IntArray
    relu: bool
