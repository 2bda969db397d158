"""Costs of wrong decisions by networks, and by the simple rules they have to beat."""

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

    Shares that equal the label's, and the cost of wrong ones in dirty Wh per decision of one step.
    """

    model_accuracy: float
    charge_accuracy: float
    model_regret_wh: float
    charge_regret_wh: float

    def to_json(self) -> dict[str, float]:
        """Return the figures by name, and what both decisions cost together."""
        return {**asdict(self), "regret_wh": self.model_regret_wh + self.charge_regret_wh}


def measure_regret(
    examples: TrainingExamples,
    model: NDArray[Any],
    charge: BoolArray,
    step_energy_wh: tuple[float, ...],
) -> DecisionRegret:
    """Return how good decisions are.

    A model that takes more than the best one costs the difference at the present dirty share; a
    wrong decision to charge, or not to, costs what is lost by each Wh of what the best model takes
    in a step.

    Args:
        examples: of the decisions.
        model: the chosen ones, shape ``(examples,)``.
        charge: whether to charge, shape ``(examples,)``.
        step_energy_wh: what each model takes out of the battery in a step, shape ``(models,)``.
    """
    energy = np.asarray(step_energy_wh)
    choosable = examples.eligible[np.arange(examples.count), examples.model]
    more_wh = np.where(choosable, energy[model] - energy[examples.model], 0.0) * (
        1 - examples.clean_share
    )
    lost_wh = np.abs(examples.benefit) * energy[examples.model] * (charge != (examples.benefit > 0))
    return DecisionRegret(
        float((model == examples.model).mean()),
        float((charge == examples.charge).mean()),
        float(more_wh.mean()),
        float(lost_wh.mean()),
    )


def measure_baselines(
    learned: TrainingExamples, judging: TrainingExamples, step_energy_wh: tuple[float, ...]
) -> dict[str, dict[str, float]]:
    """Return what simple rules for charging cost on examples that judge.

    Their thresholds are the best on those that are learned from.
    """
    at_stake = learned.benefit * np.asarray(step_energy_wh)[learned.model]
    rules = {
        "never": np.zeros(judging.count, bool),
        "always": np.ones(judging.count, bool),
        "battery below a threshold": -judging.soc >= _best_threshold(-learned.soc, at_stake),
        "clean share above a threshold": judging.clean_share
        >= _best_threshold(learned.clean_share, at_stake),
    }
    return {
        name: measure_regret(judging, judging.model, rule, step_energy_wh).to_json()
        for name, rule in rules.items()
    }


def _best_threshold(values: NDArray[Any], at_stake: FloatArray) -> float:
    """Return from which value on charging is better on the whole."""
    order = np.argsort(-values, kind="stable")
    return float(values[order[int(np.cumsum(at_stake[order]).argmax())]])
