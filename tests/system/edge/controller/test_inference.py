"""A stored network answers without PyTorch as PyTorch does."""

import numpy as np
import pytest
import torch

from services.edge.camera import BoolArray
from services.edge.controller.features import FeatureScale, InputForm, Sight, build_features
from services.edge.controller.inference import TrainedController
from services.edge.controller.training import CustomController


def draw_network(seed: int, steps: int, activation: str) -> tuple[CustomController, FeatureScale]:
    torch.manual_seed(seed)
    network = CustomController(4 + steps, 6, [64, 32, 16], activation=activation).eval()
    with torch.no_grad():
        # As sure as trained ones are.
        for parameter in network.parameters():
            parameter.mul_(2)
    return network, FeatureScale(np.full(4 + steps, 0.4), np.linspace(0.2, 1.0, 4 + steps))


def answer(network: CustomController, inputs: np.ndarray, eligible: BoolArray) -> np.ndarray:
    with torch.no_grad():
        logits, charge = network(torch.from_numpy(inputs))
    models = torch.softmax(logits.masked_fill(~torch.from_numpy(eligible), -torch.inf), dim=1)
    return np.concatenate([models.numpy(), charge.numpy()[:, None]], axis=1)


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_answers_as_pytorch_does(activation: str) -> None:
    rng = np.random.default_rng(2)
    steps = 8
    soc, accuracy, clean = rng.uniform(size=(3, 500))
    sight = Sight(soc, accuracy, rng.uniform(1, 30, 500), clean, rng.uniform(size=(500, 12)))
    fulfilled = rng.uniform(size=(500, 6)) < 0.4
    drawn = [draw_network(seed, steps, activation) for seed in (1, 2, 3)]
    networks = [
        ({name: value.numpy() for name, value in network.state_dict().items()}, scale)
        for network, scale in drawn
    ]
    controller = TrainedController.of(
        "ensemble", InputForm(steps, 30), networks, activation=activation
    )
    eligible = fulfilled | ~fulfilled.any(axis=1, keepdims=True)
    inputs = [scale.apply(build_features(sight, steps)).astype(np.float32) for _, scale in drawn]
    mean = np.mean(
        [answer(network, each, eligible) for (network, _), each in zip(drawn, inputs, strict=True)],
        axis=0,
    )
    np.testing.assert_allclose(controller.probabilities(sight, fulfilled), mean, rtol=0, atol=1e-6)
    exact = np.mean(
        [
            answer(network.double(), scale.apply(build_features(sight, steps)), eligible)
            for network, scale in drawn
        ],
        axis=0,
    )
    np.testing.assert_allclose(
        controller.probabilities(sight, fulfilled), exact, rtol=0, atol=1e-12
    )
