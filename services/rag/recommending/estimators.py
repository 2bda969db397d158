"""What another policy would have been rewarded with, from the log of the one that chose."""

from dataclasses import dataclass

import numpy as np

from luna.energy.errors import InvalidInputError
from luna.energy.timeline import FloatArray

# Of the normal distribution, for an interval of 95 %.
TWO_SIDED_95 = 1.959964


@dataclass(frozen=True, slots=True)
class LoggedChoices:
    """Choices with their rewards, arrays of shape ``(choices,)``.

    Attributes:
        reward: what was observed.
        propensity: with which probability the logging policy chose what it chose; above 0.
        target: with which probability the policy that is evaluated would have chosen it.
        predicted: the reward that a model expects of what was chosen.
        predicted_target: the mean of what the model expects over what the evaluated policy would choose.
    """

    reward: FloatArray
    propensity: FloatArray
    target: FloatArray
    predicted: FloatArray
    predicted_target: FloatArray

    def __post_init__(self) -> None:
        arrays = (self.reward, self.propensity, self.target, self.predicted, self.predicted_target)
        if len({array.shape for array in arrays}) != 1 or self.reward.size < 2:
            raise InvalidInputError("too little was logged", field="choices", value=self.reward.size, remedy="Two choices and more are needed.")
        if not all(np.isfinite(array).all() for array in arrays) or not (self.propensity > 0).all():
            raise InvalidInputError("is no propensity above 0, or no finite number", field="propensity", remedy="Log the probability of each choice.")

    @property
    def weight(self) -> FloatArray:
        """How much more often the evaluated policy would have chosen so."""
        return self.target / self.propensity


@dataclass(frozen=True, slots=True)
class PolicyValue:
    """The mean reward that a policy would have had, with its interval of 95 % (normal approximation)."""

    value: float
    low: float
    high: float


def estimate_ips(log: LoggedChoices) -> PolicyValue:
    """Return the inverse propensity estimate: unbiased, wide where the policies differ.

    Source: Horvitz & Thompson 1952; Bottou et al. 2013, "Counterfactual reasoning and learning systems".
    """
    return _mean_with_interval(log.weight * log.reward)


def estimate_snips(log: LoggedChoices) -> PolicyValue:
    """Return the self-normalised estimate: a little biased, narrower, never beyond the observed rewards; its interval by the delta method.

    Source: Swaminathan & Joachims 2015, "The self-normalized estimator for counterfactual learning".
    """
    weight, total = log.weight, log.weight.sum()
    if total <= 0:
        raise InvalidInputError("the policy would never have chosen what was logged", field="target", remedy="Log choices of a policy with more chance.")
    value = float((weight * log.reward).sum() / total)
    error = float(np.sqrt((weight**2 * (log.reward - value) ** 2).sum()) / total)
    return PolicyValue(value, value - TWO_SIDED_95 * error, value + TWO_SIDED_95 * error)


def estimate_doubly_robust(log: LoggedChoices) -> PolicyValue:
    """Return the doubly robust estimate: the model's value, corrected where it errs; right if either model or propensities are.

    Source: Dudík, Langford & Li 2011, "Doubly robust policy evaluation and learning".
    """
    return _mean_with_interval(log.predicted_target + log.weight * (log.reward - log.predicted))


ESTIMATORS = {"ips": estimate_ips, "snips": estimate_snips, "dr": estimate_doubly_robust}


def _mean_with_interval(values: FloatArray) -> PolicyValue:
    value, error = float(values.mean()), float(values.std(ddof=1) / np.sqrt(values.size))
    return PolicyValue(value, value - TWO_SIDED_95 * error, value + TWO_SIDED_95 * error)
