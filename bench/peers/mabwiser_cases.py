"""MABWiser on contextual sets: runs inside the peers' environment, times itself there, prints JSON.

Run as ``.venv-peers/bin/python bench/peers/mabwiser_cases.py FOLDER``. FOLDER holds a
``set_NAME.npz`` each with ``contexts``, shape ``(rounds, features)``, and ``rewards``, shape
``(rounds, arms)``. Imports nothing of Luna.

LinUCB and linear Thompson sampling with MABWiser's own settings, one decision and one
``partial_fit`` a round, as its documentation does online learning.
"""

import json
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from mabwiser.mab import MAB, LearningPolicy  # type: ignore[import-not-found]

POLICIES = {"linucb": LearningPolicy.LinUCB(), "thompson": LearningPolicy.LinTS()}


def main(folder: Path) -> dict[str, Any]:
    """Play every set of the folder and return the mean reward and the median milliseconds of a
    choice.
    """
    played: dict[str, Any] = {"version": version("mabwiser")}
    sets = [dict(np.load(path)) for path in sorted(folder.glob("set_*.npz"))]
    for name, policy in POLICIES.items():
        results = [play(policy, each["contexts"], each["rewards"]) for each in sets]
        played[name] = {
            "reward": float(np.mean([reward for reward, _ in results])),
            "choice_p50_ms": float(np.median([taken for _, taken in results])),
        }
    return played


def play(policy: Any, contexts: Any, rewards: Any) -> tuple[float, float]:
    """Return the mean reward over a set and the median milliseconds of a choice."""
    arms = list(range(rewards.shape[1]))
    bandit = MAB(arms, policy, seed=1)
    earned = 0.0
    times = []
    bandit.fit(np.array(arms), rewards[0, arms], np.repeat(contexts[:1], len(arms), axis=0))
    for context, brought in zip(contexts, rewards, strict=True):
        begun = time.perf_counter()
        arm = bandit.predict(context[None])
        times.append((time.perf_counter() - begun) * 1e3)
        bandit.partial_fit(np.array([arm]), np.array([brought[arm]]), context[None])
        earned += float(brought[arm])
    return earned / len(contexts), float(np.median(times))


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]))))
