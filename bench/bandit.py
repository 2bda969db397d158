"""The bandit on a synthetic contextual set, beside chance, the most popular arm, and MABWiser where
it is installed among the peers.

Eight arms, ten features, 10,000 rounds, several seeds; then whole requests from a database. Run as
``python -m bench.bandit``.
"""

import json
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Engine

from bench.peers.bandits import play_mabwiser
from luna.contracts.recommendations import BanditPolicy
from luna.energy.timeline import FloatArray
from luna.platform.database import engine, migrate
from luna.platform.database.engine import unit_of_work
from luna.platform.embedded.supervisor import start
from services.rag.recommending.bandit import BanditRanking, Statistics, cross_features
from tests.support.documents.recommended_items import SUBJECTS, choose, store_items

ARMS = 8
FEATURES = 10
ROUNDS = 10_000
SEEDS = (0, 1, 2)
FULL_SEEDS = tuple(range(10))
ITEMS = 1_000
REQUESTS = 200
# Of the best arm in every round, and of arms by chance: the figures of the set that targets were
# measured on.
BEST = 0.7517
CHANCE = 0.573
# Rewards follow beta distributions: 2 is the uniform one where a half is expected.
CONCENTRATION = 2.0


class SyntheticSet:
    """Contexts of a constant and nine numbers of unit length, an arm's expected reward linear in
    them; rewards are graded, as reading times are.

    The rewards are scaled and shifted so that always taking the best arm brings ``BEST`` and taking
    any ``CHANCE``, in the mean over the set.
    """

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        varying = _unit(rng.standard_normal((ROUNDS, FEATURES - 1)))
        self.contexts = np.column_stack([np.ones(ROUNDS), varying])
        affinity = varying @ _unit(rng.standard_normal((ARMS, FEATURES - 1))).T
        scale = (BEST - CHANCE) / (affinity.max(axis=1).mean() - affinity.mean())
        self.expected = np.clip(CHANCE + scale * (affinity - affinity.mean()), 0.01, 0.99)
        # One draw per round and arm: whoever takes the same arm gets the same.
        self.rewards = rng.beta(CONCENTRATION * self.expected, CONCENTRATION * (1 - self.expected))

    @property
    def best(self) -> float:
        """The mean expected reward of the best arms."""
        return float(self.expected.max(axis=1).mean())


def measure(*, full: bool = False) -> dict[str, Any]:
    """Return the mean reward of each policy over all rounds and seeds, its regret, and how long a
    choice takes.
    """
    seeds = FULL_SEEDS if full else SEEDS
    sets = [SyntheticSet(seed) for seed in seeds]
    figures: dict[str, Any] = {
        "best": float(np.mean([each.best for each in sets])),
        "random": float(np.mean([each.expected.mean() for each in sets])),
    }
    figures["most_popular"] = {
        "reward": float(np.mean([_play_most_popular(each) for each in sets]))
    }
    for policy in ("linucb", "thompson"):
        played = [_play(policy, each, seed) for each, seed in zip(sets, seeds, strict=True)]
        reward = float(np.mean([reward for reward, _ in played]))
        times = np.concatenate([times for _, times in played])
        figures[policy] = {
            "reward": reward,
            "regret": figures["best"] - reward,
            "choice_p50_ms": float(np.median(times)),
        }
        figures[policy] |= {"choice_p95_ms": float(np.percentile(times, 95))}
    figures |= _measure_requests()
    peer = play_mabwiser([(each.contexts, each.rewards) for each in sets])
    return (
        figures | ({"mabwiser": peer} if peer else {}) | {"missing": [] if peer else ["mabwiser"]}
    )


def _play(policy: BanditPolicy, data: SyntheticSet, seed: int) -> tuple[float, FloatArray]:
    """Return the mean reward of a policy with parameters of its own for each arm, and the
    milliseconds of each choice.
    """
    rng = np.random.default_rng([seed, 1])
    statistics = Statistics.empty(ARMS * FEATURES)
    earned = 0.0
    times = np.empty(ROUNDS)
    arms = np.arange(ARMS)
    for number, context in enumerate(data.contexts):
        begun = time.perf_counter()
        candidates = cross_features(context, ARMS)
        arm, _ = BanditRanking(policy, candidates, statistics, rng).choose(arms)
        times[number] = (time.perf_counter() - begun) * 1e3
        statistics = statistics.observe(candidates[arm], float(data.rewards[number, arm]))
        earned += data.rewards[number, arm]
    return earned / ROUNDS, times


def _measure_requests() -> dict[str, float]:
    """Return milliseconds of whole recommendations from a database: candidates by words, the
    choice, what is shown stored, and its words.
    """
    with tempfile.TemporaryDirectory(prefix="luna-bench-") as folder:
        # As root the servers run under another account, which must be able to walk through.
        Path(folder).chmod(0o711)
        with start(Path(folder) / "servers", services=("postgres",)) as servers:
            migrate.upgrade(servers.database_url)
            pool = engine.create(servers.database_url)
            with unit_of_work(pool) as connection:
                store_items(connection, ITEMS)
            times = np.array([_time_request(pool, number) for number in range(REQUESTS + 1)][1:])
            pool.dispose()
    return {
        "request_p50_ms": float(np.median(times)),
        "request_p95_ms": float(np.percentile(times, 95)),
    }


def _time_request(pool: Engine, number: int) -> float:
    begun = time.perf_counter()
    with unit_of_work(pool) as connection:
        choose(
            connection,
            f"reader{number % 10}",
            about=SUBJECTS[number % len(SUBJECTS)],
            k=5,
            seed=number,
        )
    return (time.perf_counter() - begun) * 1e3


def _play_most_popular(data: SyntheticSet) -> float:
    """Return the mean reward of the arm that did best so far, whatever the context.

    Each is tried once first.
    """
    sums = np.zeros(ARMS)
    counts = np.zeros(ARMS)
    earned = 0.0
    for number in range(ROUNDS):
        arm = number if number < ARMS else int((sums / counts).argmax())
        sums[arm] += data.rewards[number, arm]
        counts[arm] += 1
        earned += data.rewards[number, arm]
    return earned / ROUNDS


def _unit(rows: FloatArray) -> FloatArray:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
