"""Compiled inference of stored networks, row by row: no answer depends on other rows."""

from math import exp, tanh

import numpy as np
from numba import njit

from luna.energy.timeline import FloatArray
from services.edge.camera import BoolArray
from services.edge.clean_share import IntArray


@njit(cache=True, nogil=True)
def ask(
    features: FloatArray, eligible: BoolArray, networks: FloatArray, sizes: IntArray, relu: bool
) -> FloatArray:
    """Return the mean probabilities of networks, shape ``(rows, models + 1)``.

    First those of each model among the eligible ones, last that of charging.

    Args:
        features: shape ``(rows, inputs)``, not yet at unit scale.
        eligible: whether a model may be chosen, shape ``(rows, models)``.
        networks: each network's numbers in the order of ``flatten_network``, shape
            ``(networks, numbers)``.
        sizes: of inputs, hidden layers, models + 1.
        relu: whether the activation is ReLU, else the hyperbolic tangent.
    """
    answers = np.zeros((features.shape[0], sizes[-1]))
    signal = np.empty(sizes.max())
    sums = np.empty(sizes.max())
    for row in range(features.shape[0]):
        for network in range(networks.shape[0]):
            _pass_through(features[row], networks[network], sizes, relu, (signal, sums))
            _add_probabilities(answers[row], signal, eligible[row], networks.shape[0])
    return answers


@njit(cache=True, nogil=True)
def _pass_through(
    features: FloatArray,
    numbers: FloatArray,
    sizes: IntArray,
    relu: bool,
    room: tuple[FloatArray, FloatArray],
) -> None:
    """Fill the first of ``room`` with the logits of a row."""
    signal, sums = room
    inputs = sizes[0]
    last = len(sizes) - 2
    for place in range(inputs):
        signal[place] = (features[place] - numbers[place]) / numbers[inputs + place]
    at = 2 * inputs
    for layer in range(last + 1):
        into = sizes[layer]
        out = sizes[layer + 1]
        sums[:out] = numbers[at : at + out]
        at += out
        for source in range(into):
            value = signal[source]
            for place in range(out):
                sums[place] += value * numbers[at + place]
            at += out
        for place in range(out):
            if layer == last:
                signal[place] = sums[place]
            elif relu:
                signal[place] = max(sums[place], 0.0)
            else:
                signal[place] = tanh(sums[place])


@njit(cache=True, nogil=True)
def _add_probabilities(
    answer: FloatArray, logits: FloatArray, eligible: BoolArray, networks: int
) -> None:
    models = len(eligible)
    highest = -np.inf
    for model in range(models):
        if eligible[model] and logits[model] > highest:
            highest = logits[model]
    total = 0.0
    for model in range(models):
        if eligible[model]:
            total += exp(logits[model] - highest)
    for model in range(models):
        if eligible[model]:
            answer[model] += exp(logits[model] - highest) / total / networks
    answer[models] += 1 / (1 + exp(-logits[models])) / networks
