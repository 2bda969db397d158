"""Normalise inputs for a small multilayer perceptron, store it, and evaluate it in NumPy alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from luna.energy.errors import LunaError
from luna.energy.timeline import FloatArray

Float32Array = NDArray[np.float32]
Activation = Literal["tanh", "relu"]
# Normalised inputs are clipped to this. Source: Andrychowicz et al. 2021, "What matters in
# on-policy RL", C65.
MOST_DEVIATIONS = 10.0
# Bounds the scaling of inputs that hardly vary.
_LEAST_STD = 1e-6


class NetworkError(LunaError):
    """A stored network cannot be used, or a state does not fit its inputs."""

    title = "Network unusable"
    code = "network"


@dataclass(frozen=True, slots=True)
class Scale:
    """The normalisation of inputs: ``mean`` and ``std`` of shape ``(inputs,)``."""

    mean: FloatArray
    std: FloatArray

    @classmethod
    def of(cls, states: NDArray[Any]) -> Self:
        """Return the scale of states, shape ``(states, inputs)``."""
        return cls(states.mean(axis=0, dtype=float), states.std(axis=0, dtype=float))

    def apply(self, states: NDArray[Any]) -> Float32Array:
        """Return normalised states, clipped to ±``MOST_DEVIATIONS``."""
        scaled = (states - self.mean) / np.maximum(self.std, _LEAST_STD)
        return np.clip(scaled, -MOST_DEVIATIONS, MOST_DEVIATIONS, out=scaled).astype(np.float32)


@dataclass(slots=True)
class Moments:
    """Count, mean and sum of squared deviations of all samples."""

    count: float
    mean: FloatArray
    squares: FloatArray

    @classmethod
    def empty(cls, size: int) -> "Moments":
        """Return the moments of no samples: mean 0, and a scale of 1."""
        return cls(0.0, np.zeros(size), np.zeros(size))

    def add(self, values: NDArray[Any]) -> None:
        """Add samples, shape ``(values, size)``.

        Source: Chan et al. 1979, pairwise update of sums of squares.
        """
        count = float(values.shape[0])
        mean = values.mean(axis=0, dtype=float)
        squares = ((values - mean) ** 2).sum(axis=0, dtype=float)
        total = self.count + count
        apart = mean - self.mean
        between = apart**2 * self.count * count / total
        self.squares = self.squares + squares + between
        self.mean = self.mean + apart * count / total
        self.count = total

    @property
    def scale(self) -> Scale:
        """The normalisation by these moments."""
        std = np.sqrt(self.squares / self.count) if self.count else np.ones_like(self.mean)
        return Scale(self.mean, std)


@dataclass(frozen=True, slots=True)
class SmallNetwork:
    """A multilayer perceptron.

    ``weights[n]`` is of shape ``(outputs, inputs)`` of layer n, ``biases[n]`` of ``(outputs,)``;
    the last layer is linear.

    Stored as tensors ``layer.N.weight`` and ``layer.N.bias`` (safetensors) and a header in JSON
    with ``activation``, ``mean`` and ``std``.

    Invariants: a network read from another's ``tensors`` and ``header`` has the same scores bit for
    bit.
    """

    weights: Sequence[Float32Array]
    biases: Sequence[Float32Array]
    activation: Activation
    scale: Scale

    @classmethod
    def read(cls, tensors: Mapping[str, NDArray[Any]], header: Mapping[str, Any]) -> Self:
        """Return a stored network; tensors other than its layers are ignored.

        Raises:
            NetworkError: the shapes of layers and scale do not match, a number is not finite, or
                the activation is unknown.
        """
        count = sum(name.startswith("layer.") and name.endswith(".weight") for name in tensors)
        layers = range(count)
        try:
            weights = [tensors[f"layer.{layer}.weight"].astype(np.float32) for layer in layers]
            biases = [tensors[f"layer.{layer}.bias"].astype(np.float32) for layer in layers]
            mean = np.array(header["mean"], dtype=float)
            std = np.array(header["std"], dtype=float)
            network = cls(weights, biases, header["activation"], Scale(mean, std))
        except (KeyError, TypeError, ValueError) as exc:
            raise NetworkError(f"the network is incomplete: {exc}", remedy="Train again.") from exc
        if not network.is_usable:
            raise NetworkError(
                "the network's layers do not fit on each other, or hold what is no number",
                remedy="Train again.",
            )
        return network

    @property
    def is_usable(self) -> bool:
        """Whether layers and scale fit each other, all numbers are finite, the activation known."""
        if not self.weights or self.activation not in ("tanh", "relu"):
            return False
        mean = self.scale.mean
        std = self.scale.std
        sizes = [mean.size, *(bias.size for bias in self.biases)]
        shapes = [(outputs, inputs) for inputs, outputs in pairwise(sizes)]
        if [weight.shape for weight in self.weights] != shapes or std.shape != mean.shape:
            return False
        parts: list[NDArray[Any]] = [*self.weights, *self.biases, mean, std]
        return all(np.isfinite(part).all() for part in parts)

    @property
    def inputs(self) -> int:
        """Size of a state."""
        return self.scale.mean.size

    @property
    def outputs(self) -> int:
        """Number of scores."""
        return self.biases[-1].size

    @property
    def tensors(self) -> dict[str, Float32Array]:
        """The network as safetensors."""
        weights = {f"layer.{layer}.weight": weight for layer, weight in enumerate(self.weights)}
        return weights | {f"layer.{layer}.bias": bias for layer, bias in enumerate(self.biases)}

    @property
    def header(self) -> dict[str, Any]:
        """The network's header as JSON; the caller adds ``kind`` and ``state_version``."""
        return {
            "activation": self.activation,
            "mean": self.scale.mean.tolist(),
            "std": self.scale.std.tolist(),
        }

    def scores(self, states: NDArray[Any]) -> Float32Array:
        """Return the last layer's outputs for states.

        States have the shape ``(..., inputs)``, scores ``(..., outputs)``.

        Raises:
            NetworkError: states of another size, or with a number that is not finite.
        """
        if states.shape[-1] != self.inputs or not np.isfinite(states).all():
            raise NetworkError(
                f"a state of {self.inputs} finite numbers was expected",
                value=states.shape,
                remedy="Train again for this layout of states.",
            )
        signal = self.scale.apply(states)
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            signal = signal @ weight.T + bias
            if self.activation == "tanh":
                np.tanh(signal, out=signal)
            else:
                np.maximum(signal, 0.0, out=signal)
        return np.asarray(signal @ self.weights[-1].T + self.biases[-1])
