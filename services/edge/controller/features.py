"""Inputs of a learned controller as numbers.

One function and one stored scale serve training and use.

Battery, accuracy, latency and newest clean share are the four inputs of the founding document;
behind them stand the clean shares that are expected of the next steps, each as its difference from
the newest one, so that a network sees at once whether it gets cleaner.
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from luna.energy.timeline import FloatArray

# Version of the meaning of a stored network's inputs; any other version is refused.
FORM_VERSION = 1
FOUNDING_INPUTS = 4
# Inputs that hardly vary are not blown up.
_LEAST_STD = 1e-6


@dataclass(frozen=True, slots=True)
class Sight:
    """The controller's view of cameras, arrays over them.

    Args:
        soc: state of charge, 0–1.
        accuracy: asked, as a share.
        latency_ms: asked.
        clean_share: the newest one.
        expected: of the next steps by what is known now, shape ``(cameras, steps)``; a controller
            takes the first ones, as many as it needs.
    """

    soc: FloatArray
    accuracy: FloatArray
    latency_ms: FloatArray
    clean_share: FloatArray
    expected: FloatArray


def build_features(sight: Sight, steps: int) -> FloatArray:
    """Return inputs of a network with so many expected steps, ``(cameras, 4 + steps)``."""
    features = np.empty((len(sight.soc), FOUNDING_INPUTS + steps))
    features[:, 0] = sight.soc
    features[:, 1] = sight.accuracy
    # The logarithm, because the models' latencies grow by factors.
    features[:, 2] = np.log(sight.latency_ms)
    features[:, 3] = sight.clean_share
    features[:, FOUNDING_INPUTS:] = (
        sight.expected[:, :steps] - np.asarray(sight.clean_share)[:, None]
    )
    return features


@dataclass(frozen=True, slots=True)
class FeatureScale:
    """Scale to unit size: ``mean`` and ``std`` of shape ``(features,)``."""

    mean: FloatArray
    std: FloatArray

    @classmethod
    def of(cls, features: FloatArray) -> Self:
        """Return the scale of features, shape ``(rows, features)``."""
        return cls(features.mean(axis=0), np.maximum(features.std(axis=0), _LEAST_STD))

    def apply(self, features: FloatArray) -> FloatArray:
        """Return features at unit scale."""
        return (features - self.mean) / self.std


@dataclass(frozen=True, slots=True)
class InputForm:
    """Inputs of a trained controller.

    The number of expected steps and their length.
    """

    expected_steps: int
    step_minutes: int
    version: int = FORM_VERSION

    @property
    def size(self) -> int:
        """Number of a network's inputs."""
        return FOUNDING_INPUTS + self.expected_steps

    def to_json(self) -> dict[str, Any]:
        """Return the form as JSON."""
        return {
            "version": self.version,
            "expected_steps": self.expected_steps,
            "step_minutes": self.step_minutes,
        }
