"""Off-policy evaluation: the rewards that other policies would have had, from the log of showings
and actions of the one that chose.
"""

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
        """How much more often the evaluated policy would have chosen so."""
        return self.target / self.propensity


@dataclass(frozen=True, slots=True)
class PolicyValue:
    """The mean reward that a policy would have had, with its interval of 95 % (normal
    approximation).
    """

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
    """Return the self-normalised estimate: a little biased, narrower, never beyond the observed
    rewards; its interval by the delta method.

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
    """Return, for each policy and for chance, each estimator's mean reward of the first place, with
    its interval.

    The policies are taken as they have learned by now; the log's own mean stands beside them. Only
    what stood first counts: what stands below depends on it.

    Raises:
        InvalidInputError: fewer than two slates of which something was reported.
    """
    slates = recommendations.list_slates(connection, dimensions=DIMENSIONS, limit=limit)
    if len(slates) < 2:
        raise refuse("too-few-choices", field="choices", value=len(slates))
    learned = {
        policy: recommendations.read_learned(connection, policy, dimensions=DIMENSIONS)
        for policy in get_args(BanditPolicy)
    }
    statistics = {
        policy: Statistics(each.precision, each.response, each.count)
        for policy, each in learned.items()
    }
    targets: dict[str, Sequence[FloatArray]] = {
        "random": [np.full(len(each.candidates), 1 / len(each.candidates)) for each in slates]
    }
    for policy, policy_statistics in statistics.items():
        rankings = [
            BanditRanking(policy, each.candidates, policy_statistics, np.random.default_rng(_SEED))
            for each in slates
        ]
        targets[policy] = [
            ranking.probabilities(np.arange(len(each.candidates)))
            for ranking, each in zip(rankings, slates, strict=True)
        ]
    values = {
        name: evaluate_target(slates, probabilities) for name, probabilities in targets.items()
    }
    return {
        "choices": len(slates),
        "logged": float(np.mean([each.reward for each in slates])),
        "policies": values,
    }


def evaluate_target(
    slates: Sequence[LoggedSlate], probabilities: Sequence[FloatArray]
) -> dict[str, dict[str, float]]:
    """Return each estimator's value of a policy that would choose with these probabilities.

    The model of the reward that the doubly robust one starts from is fitted on the other half of
    the log, so that it does not know what it predicts.
    """
    features = np.array([each.features for each in slates])
    rewards = np.array([each.reward for each in slates])
    even = np.arange(len(slates)) % 2 == 0
    fits: dict[bool, FloatArray] = {}
    for half in (True, False):
        other = features[even != half]
        observed = rewards[even != half]
        fits[half] = np.asarray(
            np.linalg.solve(other.T @ other + RIDGE * np.eye(other.shape[1]), other.T @ observed)
        )
    weights = [fits[bool(half)] for half in even]
    log = LoggedChoices(
        reward=np.array([each.reward for each in slates]),
        propensity=np.array([each.propensity for each in slates]),
        target=np.array(
            [chance[each.place] for each, chance in zip(slates, probabilities, strict=True)]
        ),
        predicted=np.array(
            [each.features @ weight for each, weight in zip(slates, weights, strict=True)]
        ),
        predicted_target=np.array(
            [
                chance @ (each.candidates @ weight)
                for each, weight, chance in zip(slates, weights, probabilities, strict=True)
            ]
        ),
    )
    estimates = {name: estimate(log) for name, estimate in ESTIMATORS.items()}
    return {
        name: {"value": each.value, "low": each.low, "high": each.high}
        for name, each in estimates.items()
    }
