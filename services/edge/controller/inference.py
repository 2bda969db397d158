"""Inference of a trained controller without PyTorch.

Each row's answer is independent of the others.
"""

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
        form: what it sees.
        sizes: of the networks' layers: inputs, hidden ones, models + 1.
        relu: else the hyperbolic tangent.
        numbers: of all networks as ``flatten_network`` lays them out, shape
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
        """Return a controller of networks, each its weights and its scale.

        Raises:
            InvalidInputError: the layers do not fit on each other, on the form, or hold what is no
                number.
        """
        layers = _layers_of(networks[0][0])
        sizes = [layers[0][0].shape[1], *(len(bias) for _, bias in layers)]
        numbers = [flatten_network(weights, scale) for weights, scale in networks]
        expected = 2 * sizes[0] + sum(out * (into + 1) for into, out in pairwise(sizes))
        if sizes[0] != form.size or any(
            len(each) != expected or not np.isfinite(each).all() for each in numbers
        ):
            raise InvalidInputError(
                "a stored network does not fit its card, or holds what is no number",
                field=name,
                remedy="Train again: luna edge train.",
            )
        return cls(name, form, np.array(sizes), activation == "relu", np.stack(numbers))

    @property
    def needs_expected(self) -> int:
        """The number of expected steps among its inputs; 0: none."""
        return self.form.expected_steps

    def probabilities(self, sight: Sight, fulfil_mask: BoolArray) -> FloatArray:
        """Return probabilities, shape ``(cameras, models + 1)``.

        That of each model among the eligible ones, then that charging is right.
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
        """Return the models to look with and whether to charge, arrays over cameras.

        Args:
            soc: state of charge, 0–1.
            accuracy: asked, as a share.
            latency_ms: asked.
            clean_share: the newest one.
            expected: of the next steps, shape ``(cameras, needs_expected)`` or wider.
            fulfil_mask: which models fulfil the request, shape ``(cameras, models)``; where none
                does, all are eligible.
        """
        answers = self.probabilities(
            Sight(soc, accuracy, latency_ms, clean_share, expected), fulfil_mask
        )
        return answers[:, :-1].argmax(axis=1), answers[:, -1] > 0.5


def flatten_network(weights: Arrays, scale: FeatureScale) -> FloatArray:
    """Return a network's numbers in the order of their use.

    Scale, then each layer's biases and its weights by input.
    """
    parts = [scale.mean, scale.std]
    for weight, bias in _layers_of(weights):
        parts += [bias, weight.T.ravel()]
    return np.concatenate([np.asarray(part, float) for part in parts])


def _layers_of(weights: Arrays) -> list[tuple[FloatArray, FloatArray]]:
    """Return weight and bias of each layer; both heads are one layer, the one for charging last."""
    places = sorted(
        int(name.split(".")[1])
        for name in weights
        if name.startswith("feature_layers.") and name.endswith(".weight")
    )
    body = [
        (weights[f"feature_layers.{place}.weight"], weights[f"feature_layers.{place}.bias"])
        for place in places
    ]
    heads = [
        np.concatenate([weights[f"{head}.{part}"] for head in ("model_head", "charge_head")])
        for part in ("weight", "bias")
    ]
    return [*body, (heads[0], heads[1])]
