"""A stored network: what it answers, how it is kept, and what it refuses."""

import numpy as np
import pytest
from safetensors.numpy import load, save

from services.agent.network import Moments, NetworkError, Scale, SmallNetwork
from tests.support.suite.tables import each_row


def small_network(activation: str = "relu") -> SmallNetwork:
    """Two inputs, two hidden units that pass each input on, one output: twice the first plus the
    second.
    """
    weights = [np.eye(2, dtype=np.float32), np.array([[2.0, 1.0]], dtype=np.float32)]
    biases = [np.zeros(2, dtype=np.float32), np.array([0.5], dtype=np.float32)]
    return SmallNetwork(
        weights, biases, activation, Scale(np.array([1.0, 0.0]), np.array([2.0, 1.0]))
    )


def test_answers_as_its_layers_say() -> None:
    # (5 − 1) / 2 = 2 and 3 after scaling; relu passes both on; 2 × 2 + 3 + 0.5.
    assert small_network().scores(np.array([[5.0, 3.0]])) == pytest.approx(7.5)
    # tanh bends them first.
    assert small_network("tanh").scores(np.array([[5.0, 3.0]])) == pytest.approx(
        2 * np.tanh(2) + np.tanh(3) + 0.5, abs=1e-6
    )


def test_answers_for_any_number_of_states() -> None:
    states = np.random.default_rng(0).normal(size=(3, 4, 2))
    network = small_network()
    assert network.scores(states).shape == (3, 4, 1)
    assert network.scores(states)[1, 2] == pytest.approx(network.scores(states[1, 2]))


def test_states_far_out_count_as_ten_deviations() -> None:
    # 10 × 2 + 0 + 0.5
    assert small_network().scores(np.array([1e9, 0.0])) == pytest.approx(20.5)


def test_what_was_stored_answers_the_same() -> None:
    network = small_network("tanh")
    again = SmallNetwork.read(load(save(network.tensors)), network.header)
    states = np.random.default_rng(0).normal(size=(100, 2))
    assert np.array_equal(network.scores(states), again.scores(states))


def test_an_input_that_never_varied_is_not_blown_up() -> None:
    states = np.array([[1.0, 3.0], [2.0, 3.0]])
    assert Scale.of(states).apply(states) == pytest.approx(np.array([[-1.0, 0.0], [1.0, 0.0]]))


@pytest.mark.parametrize(
    "states",
    [np.zeros(3), np.array([0.0, np.nan]), np.array([np.inf, 0.0])],
    ids=["size", "nan", "inf"],
)
def test_refuses_what_is_no_state_of_its_kind(states: np.ndarray) -> None:
    with pytest.raises(NetworkError):
        small_network().scores(states)


@each_row(
    ("tensors", "header"),
    [
        ({}, {}),
        ({"layer.1.weight": np.zeros((3, 3))}, {}),
        ({"layer.0.bias": np.array([np.nan, 0.0])}, {}),
        ({}, {"activation": "swish"}),
        ({}, {"mean": [0.0]}),
        ({}, {"std": "wide"}),
    ],
    ids=["none", "shape", "nan", "activation", "mean", "std"],
)
def test_refuses_what_does_not_fit_together(
    tensors: dict[str, np.ndarray], header: dict[str, object]
) -> None:
    network = small_network()
    whole = {} if not (tensors or header) else network.tensors
    with pytest.raises(NetworkError):
        SmallNetwork.read(whole | tensors, network.header | header)


def test_moments_counted_in_parts_are_those_of_the_whole() -> None:
    values = np.random.default_rng(0).normal(3.0, 2.0, (100, 2))
    moments = Moments.empty(2)
    for part in (values[:10], values[10:70], values[70:]):
        moments.add(part)
    assert moments.scale.mean == pytest.approx(values.mean(axis=0))
    assert moments.scale.std == pytest.approx(values.std(axis=0))
