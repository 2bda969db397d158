"""Build the inputs of a learned controller, the same ones for training and for use.

Battery, accuracy, latency and newest clean share are the four inputs of the founding document.
After them come the expected clean shares of the next steps, each as its difference from the newest
one, so that their sign tells whether the grid becomes cleaner.
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from luna.energy.timeline import FloatArray

# Version of the inputs' meaning; a network stored with another version is refused.
FORM_VERSION = 1
FOUNDING_INPUTS = 4
# Lower limit of an input's deviation: inputs that hardly vary are not scaled up.
_LEAST_STD = 1e-6


@dataclass(frozen=True, slots=True)
class Sight:
    """The controller's view of cameras, arrays over them.

    Args:
        soc: state of charge, 0–1.
        accuracy: required, as a share.
        latency_ms: required.
        clean_share: the newest one.
        expected: forecast clean shares of the next steps, shape ``(cameras, steps)``; a controller
            uses as many of the first ones as it needs.
    """

    soc: FloatArray
    accuracy: FloatArray
    latency_ms: FloatArray
    clean_share: FloatArray
    expected: FloatArray


def build_features(sight: Sight, steps: int) -> FloatArray:
    """Return a network's inputs with so many expected steps, shape ``(cameras, 4 + steps)``."""
    features = np.empty((len(sight.soc), FOUNDING_INPUTS + steps))
    features[:, 0] = sight.soc
    features[:, 1] = sight.accuracy
    # Latencies of the models grow by factors, so their logarithm is evenly spaced.
    features[:, 2] = np.log(sight.latency_ms)
    features[:, 3] = sight.clean_share
    features[:, FOUNDING_INPUTS:] = (
        sight.expected[:, :steps] - np.asarray(sight.clean_share)[:, None]
    )
    return features


@dataclass(frozen=True, slots=True)
class FeatureScale:
    """Mean and standard deviation of each feature, shape ``(features,)``."""

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
    """Number and length of the expected steps among a controller's inputs."""

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
