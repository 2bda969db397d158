"""The network of the founding document, in PyTorch: one body, a head for the model and one for charging; and what its mistakes cost."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy, cross_entropy

from services.edge.config import ControllerSection, LossWeights
from services.edge.controller.examples import TrainingExamples
from services.edge.controller.features import FeatureScale, build_features

_ACTIVATIONS: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "tanh": nn.Tanh}


class CustomController(nn.Module):
    """Scores of the models and the probability that charging is right. Source: the founding document, "Neural Network Architecture"."""

    def __init__(
        self, input_dim: int = 4, num_models: int = 6, hidden_dims: Sequence[int] = (64, 32, 16), *, dropout: float = 0.2, activation: str = "relu"
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for into, out in pairwise([input_dim, *hidden_dims]):
            layers += [nn.Linear(into, out), _ACTIVATIONS[activation](), nn.Dropout(dropout)]
        # The last layer before the heads keeps all its outputs.
        self.feature_layers = nn.Sequential(*layers[:-1])
        self.model_head = nn.Linear(hidden_dims[-1], num_models)
        self.charge_head = nn.Linear(hidden_dims[-1], 1)

    @classmethod
    def configured(cls, settings: ControllerSection, inputs: int) -> Self:
        """Return a network as configured, with so many inputs."""
        model = settings.model
        return cls(inputs, model.num_models, model.hidden_layers, dropout=model.dropout, activation=model.activation)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits, shape ``(rows, models)``, and probabilities, shape ``(rows,)``, of inputs at unit scale."""
        features = self.feature_layers(x)
        return self.model_head(features), torch.sigmoid(self.charge_head(features)).squeeze(-1)


@dataclass(frozen=True, slots=True)
class ExampleTensors:
    """Examples as tensors.

    Args:
        inputs: at unit scale.
        eligible: among which models is chosen.
        model: the best one.
        model_weight: 0 where the best model is none of the eligible ones, so that there is nothing to learn.
        charge: 1 where charging is right.
        charge_weight: what a wrong decision costs, in shares of the mean.
    """

    inputs: Tensor
    eligible: Tensor
    model: Tensor
    model_weight: Tensor
    charge: Tensor
    charge_weight: Tensor

    @classmethod
    def of(cls, examples: TrainingExamples, scale: FeatureScale) -> Self:
        """Return examples as a network of the scale's number of inputs sees them."""
        features = build_features(examples.sight, len(scale.mean) - 4)
        regret = np.abs(examples.benefit.astype(float))
        choosable = examples.eligible[np.arange(examples.count), examples.model]
        parts: list[tuple[Any, type]] = [
            (scale.apply(features), np.float32),
            (examples.eligible, np.bool_),
            (examples.model, np.int64),
            (choosable, np.float32),
            (examples.benefit > 0, np.float32),
            (regret / max(regret.mean(), 1e-12), np.float32),
        ]
        return cls(*(torch.from_numpy(np.ascontiguousarray(values.astype(kind))) for values, kind in parts))

    @property
    def count(self) -> int:
        """How many there are."""
        return self.inputs.shape[0]

    def shuffle(self, size: int) -> Iterator[Self]:
        """Yield all of them in a new order, so many at a time."""
        order = torch.randperm(self.count)
        shuffled = [torch.split(getattr(self, each.name)[order], size) for each in fields(self)]
        yield from (type(self)(*parts) for parts in zip(*shuffled, strict=True))

    def lose(self, network: CustomController) -> tuple[Tensor, Tensor]:
        """Return the losses: of the model, by cross-entropy among the eligible ones, and of charging, weighted by what is at stake."""
        logits, charge = network(self.inputs)
        missed = cross_entropy(logits.masked_fill(~self.eligible, -1e9), self.model, reduction="none")
        model_loss = (self.model_weight * missed).sum() / self.model_weight.sum().clamp(min=1)
        return model_loss, binary_cross_entropy(charge, self.charge, weight=self.charge_weight)


def weigh(losses: tuple[Tensor, Tensor], weights: LossWeights) -> Tensor:
    """Return one loss of both."""
    return weights.model_selection * losses[0] + weights.charging_decision * losses[1]
