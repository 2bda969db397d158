"""A multilayer perceptron while it is learned. Its gradient is written by hand: autograd takes half as long again, for copies that nobody reads twice."""

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from services.agent.network import Activation, Float32Array

_ACTIVATE: dict[Activation, Callable[[Tensor], Tensor]] = {"relu": Tensor.relu_, "tanh": Tensor.tanh_}
_HIDDEN_GAIN = float(np.sqrt(2.0))


class Perceptron:
    """Layers with an activation between them, the last one linear; nothing here is seen by autograd.

    Args:
        sizes: numbers of inputs, hidden units and outputs.
        activation: after each hidden layer.
        gain: what the orthogonal weights of the last layer are scaled by. [Huang et al. 2022, 2]
        generator: draws the weights.
    """

    def __init__(self, sizes: Sequence[int], activation: Activation, gain: float, generator: torch.Generator) -> None:
        self.activation = activation
        self.weights = [torch.empty(outputs, inputs) for inputs, outputs in pairwise(sizes)]
        self.biases = [torch.zeros(outputs) for outputs in sizes[1:]]
        for weight in self.weights:
            nn.init.orthogonal_(weight, gain if weight is self.weights[-1] else _HIDDEN_GAIN, generator=generator)
        # Each layer's inputs in ``forward``, and room for its outputs, rows of the largest minibatch yet.
        self._inputs: list[Tensor] = []
        self._room: list[Tensor] = []

    def load(self, weights: Sequence[NDArray[Any]], biases: Sequence[NDArray[Any]]) -> None:
        """Take over weights and biases of the same sizes."""
        for own, other in zip([*self.weights, *self.biases], [*weights, *biases], strict=True):
            own.copy_(torch.from_numpy(np.array(other)))

    def to(self, device: torch.device) -> "Perceptron":
        """Return itself on a device, with gradients of zero."""
        self.weights, self.biases = ([each.to(device) for each in part] for part in (self.weights, self.biases))
        for each in self.parameters:
            each.grad = torch.zeros_like(each)
        return self

    @property
    def parameters(self) -> list[Tensor]:
        """Weights, then biases, layer by layer."""
        return [*self.weights, *self.biases]

    @property
    def arrays(self) -> dict[str, Float32Array]:
        """Weights and biases by name, copied."""
        named = {f"{layer}.{part}": each for part in ("weights", "biases") for layer, each in enumerate(getattr(self, part))}
        return {name: each.cpu().numpy().copy() for name, each in named.items()}

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take over what ``arrays`` was."""
        weights, biases = ([arrays[f"{layer}.{part}"] for layer in range(len(self.weights))] for part in ("weights", "biases"))
        self.load(weights, biases)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return outputs, ``(rows, outputs)``, of inputs, ``(rows, inputs)``; they hold until the next call, and ``backward`` goes back from them."""
        rows, last = inputs.shape[0], len(self.weights) - 1
        if not self._room or self._room[0].shape[0] < rows:
            self._room = [torch.empty(rows, bias.shape[0], device=inputs.device) for bias in self.biases]
        self._inputs, signal = [], inputs
        for layer, (weight, bias, room) in enumerate(zip(self.weights, self.biases, self._room, strict=True)):
            self._inputs.append(signal)
            signal = torch.addmm(bias, signal, weight.t(), out=room[:rows])
            if layer < last:
                signal = _ACTIVATE[self.activation](signal)
        return signal

    def backward(self, slope: Tensor) -> None:
        """Write the gradient of a loss by all parameters into their ``grad``; ``slope`` is that by the outputs of the last ``forward``, of their shape."""
        for layer in reversed(range(len(self.weights))):
            weight, bias, layer_inputs = self.weights[layer], self.biases[layer], self._inputs[layer]
            torch.mm(slope.t(), layer_inputs, out=weight.grad)
            torch.sum(slope, dim=0, out=bias.grad)
            if layer:
                # Before the activation, from the slope after it and what came of it.
                slope, backward = slope @ weight, torch.ops.aten
                slope = backward.tanh_backward(slope, layer_inputs) if self.activation == "tanh" else backward.threshold_backward(slope, layer_inputs, 0)
