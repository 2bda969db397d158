"""A small multilayer perceptron with input normalisation.

Its storage format, and inference in NumPy alone.
"""

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
        self.squares = self.squares + squares + apart**2 * self.count * count / total
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
        try:
            weights, biases = (
                [tensors[f"layer.{layer}.{part}"].astype(np.float32) for layer in range(count)]
                for part in ("weight", "bias")
            )
            network = cls(
                weights,
                biases,
                header["activation"],
                Scale(np.array(header["mean"], dtype=float), np.array(header["std"], dtype=float)),
            )
        except (KeyError, TypeError, ValueError) as exc:
            raise NetworkError(f"the network is incomplete: {exc}", remedy="Train again.") from exc
        scale = network.scale
        sizes = [network.scale.mean.size, *(bias.size for bias in biases)]
        fits = [weight.shape for weight in weights] == [
            (out, into) for into, out in pairwise(sizes)
        ]
        parts: list[NDArray[Any]] = [*weights, *biases, scale.mean, scale.std]
        finite = all(np.isfinite(each).all() for each in parts)
        if (
            not weights
            or not fits
            or not finite
            or scale.std.shape != scale.mean.shape
            or network.activation not in ("tanh", "relu")
        ):
            raise NetworkError(
                "the network's layers do not fit on each other, or hold what is no number",
                remedy="Train again.",
            )
        return network

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
        """Return the last layer's outputs, ``(..., outputs)``, of states ``(..., inputs)``.

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
            signal = (
                np.tanh(signal, out=signal)
                if self.activation == "tanh"
                else np.maximum(signal, 0.0, out=signal)
            )
        return np.asarray(signal @ self.weights[-1].T + self.biases[-1])
