"""Off-policy evaluation: the rewards that policies would have had, from the log of showings and actions."""

from collections.abc import Sequence
from typing import Any, get_args

import numpy as np
from sqlalchemy import Connection

from luna.contracts.recommendations import BanditPolicy
from luna.energy.refusals import refuse
from luna.energy.timeline import FloatArray
from luna.platform.database import recommendations
from luna.platform.database.recommendations import LoggedSlate
from services.rag.recommending.bandit import RIDGE, BanditRanking, Statistics
from services.rag.recommending.estimators import ESTIMATORS, LoggedChoices
from services.rag.recommending.features import DIMENSIONS

_SEED = 1


def evaluate_log(connection: Connection, *, limit: int = 10_000) -> dict[str, Any]:
    """Return, for each policy and for chance, each estimator's mean reward of the first place, with its interval.

    The policies are taken as they have learned by now; the log's own mean stands beside them. Only what stood first counts: what stands below depends on it.

    Raises:
        InvalidInputError: fewer than two slates of which something was reported.
    """
    slates = recommendations.list_slates(connection, dimensions=DIMENSIONS, limit=limit)
    if len(slates) < 2:
        raise refuse("too-few-choices", field="choices", value=len(slates))
    learned = {policy: recommendations.read_learned(connection, policy, dimensions=DIMENSIONS) for policy in get_args(BanditPolicy)}
    statistics = {policy: Statistics(each.precision, each.response, each.count) for policy, each in learned.items()}
    targets: dict[str, Sequence[FloatArray]] = {"random": [np.full(len(each.candidates), 1 / len(each.candidates)) for each in slates]}
    targets |= {policy: [_probabilities(policy, each, policy_statistics) for each in slates] for policy, policy_statistics in statistics.items()}
    values = {name: evaluate_target(slates, probabilities) for name, probabilities in targets.items()}
    return {"choices": len(slates), "logged": float(np.mean([each.reward for each in slates])), "policies": values}


def evaluate_target(slates: Sequence[LoggedSlate], probabilities: Sequence[FloatArray]) -> dict[str, dict[str, float]]:
    """Return each estimator's value of a policy that would choose with these probabilities.

    The model of the reward that the doubly robust one starts from is fitted on the other half of the log, so that it does not know what it predicts.
    """
    features, rewards = np.array([each.features for each in slates]), np.array([each.reward for each in slates])
    even = np.arange(len(slates)) % 2 == 0
    fits = {half: _fit(features[even != half], rewards[even != half]) for half in (True, False)}
    weights = [fits[bool(half)] for half in even]
    log = LoggedChoices(
        reward=np.array([each.reward for each in slates]),
        propensity=np.array([each.propensity for each in slates]),
        target=np.array([chance[each.place] for each, chance in zip(slates, probabilities, strict=True)]),
        predicted=np.array([each.features @ weight for each, weight in zip(slates, weights, strict=True)]),
        predicted_target=np.array([chance @ (each.candidates @ weight) for each, weight, chance in zip(slates, weights, probabilities, strict=True)]),
    )
    estimates = {name: estimate(log) for name, estimate in ESTIMATORS.items()}
    return {name: {"value": each.value, "low": each.low, "high": each.high} for name, each in estimates.items()}


def _probabilities(policy: BanditPolicy, slate: LoggedSlate, statistics: Statistics) -> FloatArray:
    ranking = BanditRanking(policy, slate.candidates, statistics, np.random.default_rng(_SEED))
    return ranking.probabilities(np.arange(len(slate.candidates)))


def _fit(features: FloatArray, rewards: FloatArray) -> FloatArray:
    return np.asarray(np.linalg.solve(features.T @ features + RIDGE * np.eye(features.shape[1]), features.T @ rewards))
