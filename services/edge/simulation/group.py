"""A group of simulated cameras under one controller, and its rows of results.

It is serialisable as JSON for other processes and machines.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np

from luna.energy.timeline import FloatArray
from services.edge.camera import CameraModels
from services.edge.controller.inference import TrainedController
from services.edge.lab import Lab
from services.edge.simulation.cameras import Cameras, CameraState
from services.edge.simulation.controllers.learned import (
    LearnedController,
    describe_trained,
    restore_trained,
)
from services.edge.simulation.controllers.leveled import NaiveController, RuleController
from services.edge.simulation.controllers.oracle import OracleController
from services.edge.simulation.engine import RunSetting, Simulation, SimulationListener
from services.edge.simulation.grid_period import GridPeriod
from services.edge.simulation.metrics import Tally
from services.edge.simulation.protocol import Controller, Decision
from services.edge.simulation.schedule import TaskSchedule

# Controllers that need no training; all others are learned.
BUILT_IN: dict[str, Callable[[RunSetting], Controller]] = {
    "naive_weak": NaiveController.weak,
    "naive_strong": NaiveController.strong,
    "rule": RuleController.of,
    "oracle": OracleController.of,
}


@dataclass(frozen=True, slots=True)
class CameraRequest:
    """One camera of a group, with its battery, charger and its user's requirements.

    ``place`` is the index of its period, ``variation`` the number of its variation.
    """

    place: int
    season: str
    variation: int
    capacity_wh: float
    charge_rate_w: float
    accuracy: float
    latency_ms: float


@dataclass(frozen=True, slots=True)
class GroupConditions:
    """Conditions common to all runs of a batch.

    Args:
        days: length of a run.
        task_interval_s: between tasks.
        acceleration: number of tasks that each one stands for.
        discharge_efficiency: of all batteries.
        seed: of the random cameras.
        battery_levels: whether rows contain hourly battery levels.
        models: inference models.
    """

    days: float
    task_interval_s: float
    acceleration: int
    discharge_efficiency: float
    seed: int
    battery_levels: bool
    models: CameraModels

    @classmethod
    def of(cls, lab: Lab, *, days: float) -> Self:
        """Return the conditions of all runs of a lab."""
        simulation = lab.config.simulation
        return cls(
            days=days,
            task_interval_s=simulation.task_interval_seconds,
            acceleration=simulation.time_acceleration,
            discharge_efficiency=simulation.battery.discharge_efficiency,
            seed=lab.seed,
            battery_levels=simulation.logging.log_battery_levels,
            models=lab.models,
        )

    @property
    def schedule(self) -> TaskSchedule:
        return TaskSchedule.of(
            days=self.days, interval_s=self.task_interval_s, acceleration=self.acceleration
        )

    def to_json(self) -> dict[str, Any]:
        """Return the conditions as JSON values."""
        plain = asdict(self)
        models = {}
        for name, values in plain["models"].items():
            models[name] = list(values) if name == "names" else values.tolist()
        return plain | {"models": models}

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Self:
        """Return the group of a document of ``to_json``."""
        model_fields = document["models"]
        models = CameraModels(
            tuple(model_fields["names"]),
            energy_wh=np.array(model_fields["energy_wh"], float),
            latency_ms=np.array(model_fields["latency_ms"], float),
            accuracy=np.array(model_fields["accuracy"], float),
        )
        return cls(**{**document, "models": models})


@dataclass(frozen=True, slots=True)
class CameraGroup:
    """Cameras simulated side by side.

    Args:
        controller: name of the controller.
        conditions: common to all runs.
        periods: clean shares of the grids.
        cameras: to simulate.
        trained: the learned controller; None for a built-in one.
    """

    controller: str
    conditions: GroupConditions
    periods: tuple[GridPeriod, ...]
    cameras: tuple[CameraRequest, ...]
    trained: TrainedController | None = None

    @property
    def setting(self) -> RunSetting:
        conditions = self.conditions
        rows = []
        for camera in self.cameras:
            row = (
                camera.capacity_wh,
                camera.charge_rate_w,
                conditions.discharge_efficiency,
                camera.accuracy,
                camera.latency_ms,
            )
            rows.append(row)
        places = np.array([camera.place for camera in self.cameras])
        return RunSetting(
            cameras=Cameras.of(rows),
            models=conditions.models,
            periods=self.periods,
            place=places,
            schedule=conditions.schedule,
        )

    def to_json(self) -> dict[str, Any]:
        """Return the group as JSON values."""
        return {
            "controller": self.controller,
            "conditions": self.conditions.to_json(),
            "periods": [period.to_json() for period in self.periods],
            "cameras": [asdict(camera) for camera in self.cameras],
            "trained": describe_trained(self.trained) if self.trained else None,
        }

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Self:
        """Return the group of a document of ``to_json``."""
        return cls(
            controller=document["controller"],
            conditions=GroupConditions.from_json(document["conditions"]),
            periods=tuple(GridPeriod.from_json(period) for period in document["periods"]),
            cameras=tuple(CameraRequest(**camera) for camera in document["cameras"]),
            trained=restore_trained(document["trained"]) if document["trained"] else None,
        )

    def name_runs(self) -> list[dict[str, Any]]:
        """Return the names of the runs, and their conditions."""
        return [self._name_run(camera) for camera in self.cameras]

    def _name_run(self, camera: CameraRequest) -> dict[str, Any]:
        period = self.periods[camera.place]
        run_id = (
            f"{period.location}-{camera.season}-w{period.begin:05}"
            f"-v{camera.variation:03}-{self.controller}"
        )
        return {
            "run_id": run_id,
            "location": period.location,
            "season": camera.season,
            "begin": f"{period.begins_at}Z",
            "days": self.conditions.days,
            "variation": camera.variation,
            "controller": self.controller,
            "seed": self.conditions.seed,
            "stand_in": not period.measured,
            "capacity_wh": camera.capacity_wh,
            "charge_rate_w": camera.charge_rate_w,
            "accuracy": camera.accuracy,
            "latency_ms": camera.latency_ms,
        }

    def run(
        self, *, listeners: Sequence[SimulationListener] = (), each_task: bool = False
    ) -> list[dict[str, Any]]:
        """Simulate the cameras and return a row for each."""
        setting = self.setting
        levels = HourlyLevels(np.array([camera.capacity_wh for camera in self.cameras]))
        all_listeners = [*listeners]
        if self.conditions.battery_levels:
            all_listeners.append(levels)
        controller: Controller
        if self.trained is None:
            controller = BUILT_IN[self.controller](setting)
        else:
            # A trained network runs behind a guard.
            controller = LearnedController.of(self.trained, setting)
        simulation = Simulation(setting, controller, listeners=all_listeners, each_task=each_task)
        figures = simulation.run().to_rows(setting.models)
        rows = [name | row for name, row in zip(self.name_runs(), figures, strict=True)]
        if self.conditions.battery_levels:
            for row, percent in zip(rows, levels.percent.T.tolist(), strict=True):
                row["battery_levels"] = percent
        return rows


class HourlyLevels:
    """Listener that records battery levels every hour, in per cent."""

    def __init__(self, capacity_wh: FloatArray) -> None:
        self._capacity_wh = capacity_wh
        self._levels: list[FloatArray] = []

    @property
    def percent(self) -> FloatArray:
        """Levels, shape ``(hours, cameras)``."""
        return np.array(self._levels)

    def log(self, at_us: int, state: CameraState, tally: Tally) -> None:
        self._levels.append(np.round(100 * state.stored_wh / self._capacity_wh, 2))

    def task(self, at_us: int, decision: Decision, state: CameraState) -> None:
        """Ignored."""


def simulate_group(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Simulate a group of ``CameraGroup.to_json`` and return rows ``runs``.

    JSON values in and out, deterministic on any machine.
    """
    return CameraGroup.from_json(document).run()
