"""Discrete-event simulation of cameras: observations go to the controller, which runs tasks."""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

import numpy as np

from luna.energy.timeline import FloatArray
from services.edge.camera import CameraModels
from services.edge.clean_share import IntArray
from services.edge.simulation.cameras import Cameras, CameraState, TaskTable
from services.edge.simulation.grid_period import GridPeriod
from services.edge.simulation.kernels import work_decision
from services.edge.simulation.metrics import RunFigures, Tally
from services.edge.simulation.protocol import (
    CameraWork,
    Controller,
    Decision,
    Observation,
    StretchController,
    TaskStretch,
)
from services.edge.simulation.schedule import DAY_US, HOUR_US, SLOT_US, TaskSchedule


class EventKind(IntEnum):
    """Kind of event, in its order at one instant.

    A task sees the newest clean share, and a log shows the state before the task.
    """

    CLEAN_SHARE = 0
    LOG = 1
    END = 2
    TASK = 3


class EventQueue:
    """Events in the order of time, in microseconds since a run's begin."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, EventKind]] = []

    def push(self, at_us: int, kind: EventKind) -> None:
        """Add an event."""
        heapq.heappush(self._heap, (at_us, kind))

    def pop(self) -> tuple[int, EventKind]:
        """Remove the next event and return it."""
        return heapq.heappop(self._heap)

    @property
    def next_us(self) -> int:
        """Time of the next event."""
        return self._heap[0][0]


@dataclass(frozen=True, slots=True)
class RunSetting:
    """Cameras of a run, each on its own grid, with a common schedule.

    Args:
        cameras: to simulate.
        models: their inference models.
        periods: clean shares of the grids; each at least as long as the schedule.
        place: index of each camera's period, shape ``(cameras,)``.
        schedule: of the tasks.
    """

    cameras: Cameras
    models: CameraModels
    periods: tuple[GridPeriod, ...]
    place: IntArray
    schedule: TaskSchedule

    @property
    def table(self) -> TaskTable:
        """Energies of tasks per camera and model."""
        return TaskTable.of(self.cameras, self.models, self.schedule)

    @property
    def clean_share(self) -> FloatArray:
        """The newest clean share by period and slot of the run, shape ``(periods, slots)``."""
        return np.stack([period.running[: self.schedule.slots] for period in self.periods])

    @property
    def mean_dirty(self) -> FloatArray:
        """Mean dirty share of each camera's run, the value of its stored energy at the end.

        Shape ``(cameras,)``.
        """
        return np.array([1 - shares.mean() for shares in self.clean_share])[self.place]


class SimulationListener(Protocol):
    """Receives the course of a simulation."""

    def log(self, at_us: int, state: CameraState, tally: Tally) -> None:
        """Receive state and tally every hour; both are changed in place later."""
        ...

    def task(self, at_us: int, decision: Decision, state: CameraState) -> None:
        """Receive a task's decision and the state after it, if ``decide`` is called per task."""
        ...


class Simulation:
    """One run of cameras under a controller.

    Invariants: stored_end = stored_begin + charged − taken, exactly; 0 ≤ stored ≤ capacity.
    """

    def __init__(
        self,
        setting: RunSetting,
        controller: Controller,
        *,
        listeners: Sequence[SimulationListener] = (),
        each_task: bool = False,
    ) -> None:
        """Prepare a run.

        Args:
            setting: of the run.
            controller: decides.
            listeners: receive states and tasks.
            each_task: call ``decide`` before each task, even of a ``StretchController``.
        """
        self._setting = setting
        self._controller = controller
        self._listeners = listeners
        self._together: StretchController | None = None
        if isinstance(controller, StretchController) and not each_task:
            self._together = controller
        tally = Tally.empty(setting.schedule.days, setting.cameras.count, len(setting.models.names))
        table = setting.table
        self._camera_work = CameraWork(table, CameraState.at_begin(table), tally)
        expected = []
        for period in setting.periods:
            steps = controller.expected_steps
            expected.append(period.expect(steps, step_minutes=controller.step_minutes))
        self._expected = np.stack(expected)
        self._clean_share = setting.clean_share
        self._begins = np.array([period.begin for period in setting.periods])[setting.place]
        self._step = -1
        self._queue = EventQueue()

    def run(self) -> RunFigures:
        """Process all events and return the figures."""
        work = self._camera_work
        begin_wh = work.state.stored_wh.copy()
        self._queue.push(self._setting.schedule.end_us, EventKind.END)
        self._queue.push(0, EventKind.CLEAN_SHARE)
        self._queue.push(0, EventKind.TASK)
        if self._listeners:
            self._queue.push(0, EventKind.LOG)
        while True:
            at_us, kind = self._queue.pop()
            if kind is EventKind.TASK:
                self._work(at_us)
            elif kind is EventKind.CLEAN_SHARE:
                self._step += 1
                self._queue.push(at_us + SLOT_US, EventKind.CLEAN_SHARE)
            elif kind is EventKind.LOG:
                for listener in self._listeners:
                    listener.log(at_us, work.state, work.tally)
                self._queue.push(at_us + HOUR_US, EventKind.LOG)
            else:
                end_wh = work.state.stored_wh.copy()
                return RunFigures(
                    tally=work.tally,
                    table=work.table,
                    stored_begin_wh=begin_wh,
                    stored_end_wh=end_wh,
                    mean_dirty=self._setting.mean_dirty,
                )

    def _work(self, at_us: int) -> None:
        """Run the next task, with a ``StretchController`` all tasks before the next event."""
        cameras = self._setting.cameras
        place = self._setting.place
        schedule = self._setting.schedule
        step = self._step
        # No future values.
        observation = Observation(
            slot=self._begins + step,
            step=step,
            capacity_wh=cameras.capacity_wh,
            charge_rate_w=cameras.charge_rate_w,
            accuracy=cameras.accuracy,
            latency_ms=cameras.latency_ms,
            stored_wh=self._camera_work.state.stored_wh,
            charging=self._camera_work.state.charging,
            clean_share=self._clean_share[place, step],
            expected=self._expected[place, step],
        )
        tasks = schedule.count_tasks(at_us, self._queue.next_us) if self._together else 1
        stretch = TaskStretch(tasks, at_us // DAY_US, observation.clean_share)
        if self._together:
            self._together.work(observation, stretch, self._camera_work)
        else:
            decision = self._controller.decide(observation)
            work_decision(tuple(decision), tuple(stretch), *self._camera_work.arrays)
            for listener in self._listeners:
                listener.task(at_us, decision, self._camera_work.state)
        self._queue.push(at_us + tasks * schedule.interval_us, EventKind.TASK)
