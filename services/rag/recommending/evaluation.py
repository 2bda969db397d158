"""Off-policy evaluation: estimates the rewards of other policies from the log of the active one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np
from sqlalchemy import Connection

from luna.contracts.recommendations import BanditPolicy
from luna.energy.errors import InvalidInputError
from luna.energy.refusals import refuse
from luna.energy.timeline import FloatArray
from luna.platform.database import recommendations
from luna.platform.database.recommendations import LoggedSlate
from services.rag.recommending.bandit import RIDGE, BanditRanking, Statistics
from services.rag.recommending.features import DIMENSIONS

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
        predicted_target: the mean of what the model expects over what the evaluated policy would
            choose.
    """

    reward: FloatArray
    propensity: FloatArray
    target: FloatArray
    predicted: FloatArray
    predicted_target: FloatArray

    def __post_init__(self) -> None:
        arrays = (self.reward, self.propensity, self.target, self.predicted, self.predicted_target)
        if len({array.shape for array in arrays}) != 1 or self.reward.size < 2:
            raise InvalidInputError(
                "too little was logged",
                field="choices",
                value=self.reward.size,
                remedy="Two choices and more are needed.",
            )
        if not all(np.isfinite(array).all() for array in arrays) or not (self.propensity > 0).all():
            raise InvalidInputError(
                "is no propensity above 0, or no finite number",
                field="propensity",
                remedy="Log the probability of each choice.",
            )

    @property
    def weight(self) -> FloatArray:
        """Ratio of the evaluated policy's probability to the logging policy's."""
        return self.target / self.propensity


@dataclass(frozen=True, slots=True)
class PolicyValue:
    """Estimated mean reward of a policy, with its interval of 95 % (normal approximation)."""

    value: float
    low: float
    high: float


def estimate_ips(log: LoggedChoices) -> PolicyValue:
    """Return the inverse propensity estimate: unbiased, wide where the policies differ.

    Source: Horvitz & Thompson 1952; Bottou et al. 2013, "Counterfactual reasoning and learning
    systems".
    """
    return _mean_with_interval(log.weight * log.reward)


def estimate_snips(log: LoggedChoices) -> PolicyValue:
    """Return the self-normalised estimate, its interval by the delta method.

    It is a little biased, narrower, and never beyond the observed rewards.

    Source: Swaminathan & Joachims 2015, "The self-normalized estimator for counterfactual
    learning".
    """
    weight = log.weight
    total = log.weight.sum()
    if total <= 0:
        raise InvalidInputError(
            "the policy would never have chosen what was logged",
            field="target",
            remedy="Log choices of a policy with more chance.",
        )
    value = float((weight * log.reward).sum() / total)
    error = float(np.sqrt((weight**2 * (log.reward - value) ** 2).sum()) / total)
    return PolicyValue(value, value - TWO_SIDED_95 * error, value + TWO_SIDED_95 * error)


def estimate_doubly_robust(log: LoggedChoices) -> PolicyValue:
    """Return the doubly robust estimate: the model's value, corrected where it errs.

    Right if either model or propensities are.

    Source: Dudík, Langford & Li 2011, "Doubly robust policy evaluation and learning".
    """
    return _mean_with_interval(log.predicted_target + log.weight * (log.reward - log.predicted))


ESTIMATORS = {"ips": estimate_ips, "snips": estimate_snips, "dr": estimate_doubly_robust}


def _mean_with_interval(values: FloatArray) -> PolicyValue:
    value = float(values.mean())
    error = float(values.std(ddof=1) / np.sqrt(values.size))
    return PolicyValue(value, value - TWO_SIDED_95 * error, value + TWO_SIDED_95 * error)


_SEED = 1


def evaluate_log(connection: Connection, *, limit: int = 10_000) -> dict[str, Any]:
    """Return the estimated rewards of each policy and of chance for the first place of a slate.

    The policies are taken as they have learned by now; the log's own mean stands beside them. Lower
    places are left out, because they depend on the first.

    Raises:
        InvalidInputError: fewer than two slates of which something was reported.
    """
    slates = recommendations.list_slates(connection, dimensions=DIMENSIONS, limit=limit)
    if len(slates) < 2:
        raise refuse("too-few-choices", field="choices", value=len(slates))
    uniform = [np.full(len(slate.candidates), 1 / len(slate.candidates)) for slate in slates]
    values = {"random": evaluate_target(slates, uniform)}
    for policy in get_args(BanditPolicy):
        learned = recommendations.read_learned(connection, policy, dimensions=DIMENSIONS)
        statistics = Statistics(learned.precision, learned.response, learned.count)
        probabilities = []
        for slate in slates:
            rng = np.random.default_rng(_SEED)
            ranking = BanditRanking(policy, slate.candidates, statistics, rng)
            probabilities.append(ranking.probabilities(np.arange(len(slate.candidates))))
        values[policy] = evaluate_target(slates, probabilities)
    return {
        "choices": len(slates),
        "logged": float(np.mean([slate.reward for slate in slates])),
        "policies": values,
    }


def evaluate_target(
    slates: Sequence[LoggedSlate], probabilities: Sequence[FloatArray]
) -> dict[str, dict[str, float]]:
    """Return each estimator's value of a policy that would choose with these probabilities.

    The doubly robust one's model of the reward is fitted on the other half of the log, so that it
    never predicts its own training data.
    """
    features = np.array([slate.features for slate in slates])
    rewards = np.array([slate.reward for slate in slates])
    even = np.arange(len(slates)) % 2 == 0
    fits: dict[bool, FloatArray] = {}
    for half in (True, False):
        other = features[even != half]
        observed = rewards[even != half]
        regularized = other.T @ other + RIDGE * np.eye(other.shape[1])
        fits[half] = np.asarray(np.linalg.solve(regularized, other.T @ observed))
    target = []
    predicted = []
    predicted_target = []
    for slate, chances, half in zip(slates, probabilities, even.tolist(), strict=True):
        weights = fits[half]
        target.append(chances[slate.place])
        predicted.append(slate.features @ weights)
        predicted_target.append(chances @ (slate.candidates @ weights))
    log = LoggedChoices(
        reward=rewards,
        propensity=np.array([slate.propensity for slate in slates]),
        target=np.array(target),
        predicted=np.array(predicted),
        predicted_target=np.array(predicted_target),
    )
    values = {}
    for name, estimate in ESTIMATORS.items():
        result = estimate(log)
        values[name] = {"value": result.value, "low": result.low, "high": result.high}
    return values
