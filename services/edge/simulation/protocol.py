"""The protocol of controllers: observations, decisions, and levels that hold for five minutes."""

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
        capacity_wh, charge_rate_w, accuracy, latency_ms: what each camera is and is asked.
        stored_wh: in the battery.
        charging: whether the charger was on during the last interval.
        clean_share: the newest one that is not in the future.
        expected: of the next steps by what is known at the slot's beginning, shape ``(cameras, steps)``; as many as the controller asked for.
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
    """With which model each camera looks (``NO_MODEL``: with none), whether its charger is on until the next task, and where a guard said otherwise."""

    model: IntArray
    charge: BoolArray
    guarded: BoolArray


class Controller(Protocol):
    """Decides before each task, for all cameras; remembers nothing between tasks."""

    @property
    def name(self) -> str:
        """What it is called in results."""
        ...

    @property
    def expected_steps(self) -> int:
        """The number of expected clean shares among its inputs."""
        ...

    @property
    def step_minutes(self) -> int:
        """How long each of these steps is."""
        ...

    def decide(self, observation: Observation) -> Decision:
        """Return the decision until the next task."""
        ...


class TaskStretch(NamedTuple):
    """Tasks between two events: how many, on which day of the run, and the newest clean shares, shape ``(cameras,)``, which are those of all of them."""

    tasks: int
    day: int
    clean_share: FloatArray


@dataclass(frozen=True, slots=True)
class CameraWork:
    """What tasks are done with: what they take and bring, the cameras' state and the figures per day; the latter two change.

    Args:
        table: what tasks take and bring.
        state: of the cameras.
        tally: figures per day.
    """

    table: TaskTable
    state: CameraState
    tally: Tally

    @property
    def arrays(self) -> tuple[tuple[Any, ...], tuple[Any, ...], tuple[Any, ...]]:
        """All of it as kernels take it."""
        return tuple(self.table), tuple(self.state), tuple(self.tally)


@runtime_checkable
class StretchController(Controller, Protocol):
    """A controller that works off the tasks between two events at once, exactly as ``decide`` would task by task."""

    def work(self, observation: Observation, stretch: TaskStretch, work: CameraWork) -> None:
        """Do the tasks of a stretch; ``observation`` is that before the first of them."""
        ...


class Levels(NamedTuple):
    """Decisions of a slot that depend on the stored energy alone; arrays of shape ``(cameras,)``.

    Args:
        model: with which to look.
        lean_model: with which instead where less than ``lean_wh`` is stored.
        lean_wh: see there.
        start_wh: below it the charger is on.
        stop_wh: a charger that was on stays on below it.
    """

    model: IntArray
    lean_model: IntArray
    lean_wh: FloatArray
    start_wh: FloatArray
    stop_wh: FloatArray

    def decide(self, observation: Observation) -> Decision:
        """Return the levels' decision for cameras."""
        charge = (observation.stored_wh < self.start_wh) | (observation.charging & (observation.stored_wh < self.stop_wh))
        model = np.where(observation.stored_wh < self.lean_wh, self.lean_model, self.model)
        return Decision(model, charge, np.zeros(model.size, bool))


class NetworkSight(NamedTuple):
    """What networks are shown of cameras, and the networks.

    Args:
        features: shape ``(cameras, inputs)``; the first, the state of charge, is written by who asks.
        eligible: among which models is chosen, shape ``(cameras, models)``.
        numbers, sizes, relu: as in ``TrainedController``.
    """

    features: FloatArray
    eligible: BoolArray
    numbers: FloatArray
    sizes: IntArray
    relu: bool
