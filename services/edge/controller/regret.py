"""Measure the cost of wrong decisions by networks and by the simple rules to beat."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from luna.energy.timeline import FloatArray
from services.edge.camera import BoolArray
from services.edge.controller.examples import TrainingExamples


@dataclass(frozen=True, slots=True)
class DecisionRegret:
    """Quality of decisions on examples.

    Accuracies are the shares of decisions equal to the labels; regrets are the cost of wrong ones
    in dirty Wh per decision for one step.
    """

    model_accuracy: float
    charge_accuracy: float
    model_regret_wh: float
    charge_regret_wh: float

    def to_json(self) -> dict[str, float]:
        """Return the figures by name, with the sum of both regrets."""
        return {**asdict(self), "regret_wh": self.model_regret_wh + self.charge_regret_wh}


def measure_regret(
    examples: TrainingExamples,
    model: NDArray[Any],
    charge: BoolArray,
    step_energy_wh: tuple[float, ...],
) -> DecisionRegret:
    """Return accuracy and regret of decisions.

    A model that takes more energy than the best one costs the difference at the present dirty
    share. A wrong decision about charging costs the benefit per Wh, for the energy that the best
    model takes in a step.

    Args:
        examples: of the decisions.
        model: the chosen ones, shape ``(examples,)``.
        charge: whether to charge, shape ``(examples,)``.
        step_energy_wh: what each model takes out of the battery in a step, shape ``(models,)``.
    """
    energy = np.asarray(step_energy_wh)
    choosable = examples.eligible[np.arange(examples.count), examples.model]
    best_wh = energy[examples.model]
    excess_wh = np.where(choosable, energy[model] - best_wh, 0.0)
    more_wh = excess_wh * (1 - examples.clean_share)
    is_wrong = charge != (examples.benefit > 0)
    lost_wh = np.abs(examples.benefit) * best_wh * is_wrong
    return DecisionRegret(
        float((model == examples.model).mean()),
        float((charge == examples.charge).mean()),
        float(more_wh.mean()),
        float(lost_wh.mean()),
    )


def measure_baselines(
    learned: TrainingExamples, judging: TrainingExamples, step_energy_wh: tuple[float, ...]
) -> dict[str, dict[str, float]]:
    """Return the regrets of simple charging rules on validation examples.

    The rules' thresholds are the best ones on the training examples.
    """
    at_stake = learned.benefit * np.asarray(step_energy_wh)[learned.model]
    soc_threshold = _best_threshold(-learned.soc, at_stake)
    share_threshold = _best_threshold(learned.clean_share, at_stake)
    rules = {
        "never": np.zeros(judging.count, bool),
        "always": np.ones(judging.count, bool),
        "battery below a threshold": -judging.soc >= soc_threshold,
        "clean share above a threshold": judging.clean_share >= share_threshold,
    }
    regrets = {}
    for name, charge in rules.items():
        regret = measure_regret(judging, judging.model, charge, step_energy_wh)
        regrets[name] = regret.to_json()
    return regrets


def _best_threshold(values: NDArray[Any], at_stake: FloatArray) -> float:
    """Return the value from which on charging brings the highest total benefit."""
    order = np.argsort(-values, kind="stable")
    total_benefit = np.cumsum(at_stake[order])
    best = int(total_benefit.argmax())
    return float(values[order[best]])
