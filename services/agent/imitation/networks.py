"""A small network as a learner of modes: trained by PyTorch to expect the least regret, asked by NumPy."""

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from services.agent.imitation.samples import Samples
from services.agent.imitation.teachers import MODES
from services.agent.network import Network, Scale

if TYPE_CHECKING:
    # Only who trains loads PyTorch.
    from torch import Generator, Tensor
    from torch.nn import Linear


@dataclass(frozen=True, slots=True)
class NetworkSettings:
    """How the network is trained; ``imitation`` is what the teacher's own mode counts beside the regret of the others."""

    hidden: tuple[int, ...] = (64, 64)
    epochs: int = 30
    batch: int = 1024
    learning_rate: float = 1e-3
    weight_decay: float = 1e-4
    imitation: float = 0.1


def fit_network(samples: Samples, settings: NetworkSettings, *, seed: int) -> Network:
    """Return the network whose choices cost least on the average; the same samples and seed give the same network.

    The loss of a state is the regret to be expected of the modes by their shares of belief, so that states in which much is at stake count most, and
    what cannot be told apart is averaged.
    Source: Ross, Bagnell 2014, "Reinforcement and imitation learning via interactive no-regret learning" (cost-to-go instead of the teacher's action).
    """
    import torch

    torch.set_num_threads(1)
    scale, generator = Scale.of(samples.states), torch.Generator().manual_seed(seed)
    rows = _Rows.of(samples, scale)
    layers = _draw_layers((rows.inputs.shape[1], *settings.hidden, len(MODES)), generator)
    model = torch.nn.Sequential(*[part for layer in layers[:-1] for part in (layer, torch.nn.ReLU())], layers[-1])
    optimiser = torch.optim.AdamW(model.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, settings.epochs)
    for _ in range(settings.epochs):
        for part in torch.split(torch.randperm(rows.inputs.shape[0], generator=generator), settings.batch):
            loss = rows.lose(part, model(rows.inputs[part]), imitation=settings.imitation)
            optimiser.zero_grad()
            torch.autograd.backward(loss)
            optimiser.step()
        schedule.step()
    weights, biases = ([getattr(layer, part).detach().numpy().copy() for layer in layers] for part in ("weight", "bias"))
    return Network(weights, biases, "relu", scale)


@dataclass(frozen=True, slots=True)
class _Rows:
    """Samples as tensors; the regret in shares of its mean."""

    inputs: "Tensor"
    mode: "Tensor"
    regret: "Tensor"
    weight: "Tensor"

    @classmethod
    def of(cls, samples: Samples, scale: Scale) -> "_Rows":
        import torch

        regret = samples.regret / max(float(samples.regret.mean()), 1e-9)
        parts = (scale.apply(samples.states), samples.mode.astype(np.int64), regret.astype(np.float32), samples.weight.astype(np.float32))
        return cls(*(torch.from_numpy(each) for each in parts))

    def lose(self, part: "Tensor", scores: "Tensor", *, imitation: float) -> "Tensor":
        """Return the loss of some rows: the regret to be expected, and a share of what the teacher's own mode is less believed in."""
        from torch.nn.functional import log_softmax, nll_loss

        belief = log_softmax(scores, dim=1)
        missed = nll_loss(belief, self.mode[part], reduction="none")
        return (self.weight[part] * ((belief.exp() * self.regret[part]).sum(dim=1) + imitation * missed)).mean()


def _draw_layers(sizes: tuple[int, ...], generator: "Generator") -> list["Linear"]:
    """Return linear layers of the given sizes, drawn as PyTorch draws them by itself."""
    from torch import nn

    layers = [nn.Linear(into, out) for into, out in pairwise(sizes)]
    for layer in layers:
        bound = layer.in_features**-0.5
        for part in (layer.weight, layer.bias):
            nn.init.uniform_(part, -bound, bound, generator=generator)
    return layers
