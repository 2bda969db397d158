"""Run a trained controller without PyTorch; each row's answer is independent of the others."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Self

import numpy as np

from luna.energy.errors import InvalidInputError
from luna.energy.timeline import FloatArray
from services.edge.camera import BoolArray
from services.edge.clean_share import IntArray
from services.edge.controller.examples import eligible_models
from services.edge.controller.features import FeatureScale, InputForm, Sight, build_features
from services.edge.controller.run_folder import Arrays


@dataclass(frozen=True, slots=True)
class TrainedController:
    """One network, or several whose probabilities are averaged.

    Args:
        name: what it is called.
        form: its inputs.
        sizes: of the networks' layers: inputs, hidden ones, models + 1.
        relu: whether the activation is ReLU, else the hyperbolic tangent.
        numbers: weights and scales of all networks in the order of ``flatten_network``, shape
            ``(networks, numbers)``.
    """

    name: str
    form: InputForm
    sizes: IntArray
    relu: bool
    numbers: FloatArray

    @classmethod
    def of(
        cls,
        name: str,
        form: InputForm,
        networks: Sequence[tuple[Arrays, FeatureScale]],
        *,
        activation: str,
    ) -> Self:
        """Return a controller of networks, each given by its weights and scale.

        Raises:
            InvalidInputError: the layers do not fit each other or the form, or a weight is not
                finite.
        """
        layers = _layers_of(networks[0][0])
        sizes = [layers[0][0].shape[1], *(len(bias) for _, bias in layers)]
        # Mean and deviation per input, then weights and a bias per output of each layer.
        count = 2 * sizes[0] + sum(out * (into + 1) for into, out in pairwise(sizes))
        numbers = [flatten_network(weights, scale) for weights, scale in networks]
        are_whole = all(len(network) == count for network in numbers)
        are_finite = all(np.isfinite(network).all() for network in numbers)
        if sizes[0] != form.size or not are_whole or not are_finite:
            raise InvalidInputError(
                "a stored network does not fit its card, or holds what is no number",
                field=name,
                remedy="Train again: luna edge train.",
            )
        return cls(
            name=name,
            form=form,
            sizes=np.array(sizes),
            relu=activation == "relu",
            numbers=np.stack(numbers),
        )

    @property
    def needs_expected(self) -> int:
        """Number of expected steps among its inputs."""
        return self.form.expected_steps

    def probabilities(self, sight: Sight, fulfil_mask: BoolArray) -> FloatArray:
        """Return the probabilities of models and of charging, shape ``(cameras, models + 1)``.

        Probabilities of the eligible models add up to one; the last column is that of charging.
        """
        from services.edge.controller.kernels import ask

        features = build_features(sight, self.needs_expected)
        return np.asarray(
            ask(features, eligible_models(fulfil_mask), self.numbers, self.sizes, self.relu)
        )

    def decide(  # noqa: PLR0917 — what a camera tells, one array each
        self,
        soc: FloatArray,
        accuracy: FloatArray,
        latency_ms: FloatArray,
        clean_share: FloatArray,
        expected: FloatArray,
        fulfil_mask: BoolArray,
    ) -> tuple[IntArray, BoolArray]:
        """Return each camera's model and whether it charges.

        Args:
            soc: state of charge, 0–1.
            accuracy: required, as a share.
            latency_ms: required.
            clean_share: the newest one.
            expected: of the next steps, shape ``(cameras, needs_expected)`` or wider.
            fulfil_mask: whether a model fulfils the request, shape ``(cameras, models)``; where
                none does, all are eligible.
        """
        sight = Sight(
            soc=soc,
            accuracy=accuracy,
            latency_ms=latency_ms,
            clean_share=clean_share,
            expected=expected,
        )
        answers = self.probabilities(sight, fulfil_mask)
        return answers[:, :-1].argmax(axis=1), answers[:, -1] > 0.5


def flatten_network(weights: Arrays, scale: FeatureScale) -> FloatArray:
    """Return a network's numbers in the order of their use.

    First the scale, then each layer's biases and its weights by input.
    """
    parts = [scale.mean, scale.std]
    for weight, bias in _layers_of(weights):
        parts += [bias, weight.T.ravel()]
    return np.concatenate([np.asarray(part, float) for part in parts])


def _layers_of(weights: Arrays) -> list[tuple[FloatArray, FloatArray]]:
    """Return weight and bias of each layer; both heads form the last layer."""
    body = [name for name in weights if name.startswith("feature_layers.")]
    places = {int(name.split(".")[1]) for name in body}
    layers = []
    for place in sorted(places):
        layer = f"feature_layers.{place}"
        layers.append((weights[f"{layer}.weight"], weights[f"{layer}.bias"]))
    head_weight = np.concatenate([weights["model_head.weight"], weights["charge_head.weight"]])
    head_bias = np.concatenate([weights["model_head.bias"], weights["charge_head.bias"]])
    layers.append((head_weight, head_bias))
    return layers
