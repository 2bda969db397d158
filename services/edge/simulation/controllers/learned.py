"""Learned controllers: trained networks behind a deterministic guard, without PyTorch."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from services.edge.clean_share import STEP_MINUTES
from services.edge.controller.examples import eligible_models
from services.edge.controller.features import InputForm, Sight, build_features
from services.edge.controller.inference import TrainedController
from services.edge.controller.version_store import load_controller
from services.edge.lab import Lab
from services.edge.simulation.cameras import TaskTable
from services.edge.simulation.engine import RunSetting
from services.edge.simulation.kernels import GAUGE_STEPS, guard_each, work_network
from services.edge.simulation.protocol import (
    CameraWork,
    Decision,
    NetworkSight,
    Observation,
    TaskStretch,
)

LEARNED = ("custom", "ensemble", "custom_4")


@dataclass(frozen=True, slots=True)
class LearnedController:
    """Decides by trained networks behind a guard.

    The networks see the battery in whole per cents, the request, the newest clean share and, if
    trained so, the expected ones.

    Invariants: uses a model that fulfils the request where one exists; charges if less is stored
    than the next five minutes take.
    """

    trained: TrainedController
    table: TaskTable

    @classmethod
    def of(cls, trained: TrainedController, setting: RunSetting) -> "LearnedController":
        """Return a trained controller for cameras."""
        return cls(trained, setting.table)

    @property
    def name(self) -> str:
        return self.trained.name

    @property
    def expected_steps(self) -> int:
        return self.trained.needs_expected

    @property
    def step_minutes(self) -> int:
        return self.trained.form.step_minutes if self.expected_steps else STEP_MINUTES

    def decide(self, observation: Observation) -> Decision:
        """Return the networks' decisions for cameras, guarded."""
        gauge = (
            np.floor(observation.stored_wh / self.table.capacity_wh * GAUGE_STEPS + 0.5)
            / GAUGE_STEPS
        )
        model, charge = self.trained.decide(
            gauge,
            observation.accuracy,
            observation.latency_ms,
            observation.clean_share,
            observation.expected,
            self.table.fulfilled,
        )
        return Decision(*guard_each(model, charge, observation.stored_wh, tuple(self.table)))

    def work(self, observation: Observation, stretch: TaskStretch, work: CameraWork) -> None:
        """Do the tasks of a stretch; each step of the gauge is evaluated once."""
        # The kernel fills in the state of charge.
        sight = Sight(
            soc=np.zeros(observation.stored_wh.size),
            accuracy=observation.accuracy,
            latency_ms=observation.latency_ms,
            clean_share=observation.clean_share,
            expected=observation.expected,
        )
        features = build_features(sight, self.expected_steps)
        trained = self.trained
        network_sight = NetworkSight(
            features=features,
            eligible=eligible_models(self.table.fulfilled),
            numbers=trained.numbers,
            sizes=trained.sizes,
            relu=trained.relu,
        )
        work_network(tuple(network_sight), tuple(stretch), *work.arrays)


def describe_trained(trained: TrainedController) -> dict[str, Any]:
    """Return a trained controller as plain values, for another process or machine."""
    return {
        "name": trained.name,
        "form": asdict(trained.form),
        "sizes": trained.sizes.tolist(),
        "relu": trained.relu,
        "numbers": trained.numbers.tolist(),
    }


def restore_trained(document: dict[str, Any]) -> TrainedController:
    """Return what ``describe_trained`` wrote."""
    sizes = np.array(document["sizes"], np.int64)
    numbers = np.array(document["numbers"], float)
    return TrainedController(
        name=document["name"],
        form=InputForm(**document["form"]),
        sizes=sizes,
        relu=document["relu"],
        numbers=numbers,
    )


def load_trained(lab: Lab) -> dict[str, TrainedController]:
    """Return the learned ones among the configured controllers, as they were last trained.

    Raises:
        InvalidInputError: one has not been trained, or for other models.
    """
    return {
        name: load_controller(lab.controller, name, models=lab.models)
        for name in lab.config.simulation.controllers
        if name in LEARNED
    }
