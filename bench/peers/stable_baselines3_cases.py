"""Stable-baselines3 on Luna's environment: times itself, prints JSON.

Run as ``python -m bench.peers.stable_baselines3_cases SITE_PACKAGES FAST_STEPS DEFAULT_STEPS``, by
Luna's own Python, since the environment is Luna's; of SITE_PACKAGES, the peers', only what Luna
lacks is taken, so that both learn with the same PyTorch and NumPy.
"""

import json
import sys
import time
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import numpy as np

# Behind Luna's own.
sys.path.append(sys.argv[1])

import gymnasium
import torch
from stable_baselines3 import PPO  # type: ignore[import-not-found]
from stable_baselines3.common.vec_env import DummyVecEnv, VecEnv  # type: ignore[import-not-found]

from bench.agent_training import COUNT, RULE, build_batch
from services.agent.environment.env import AntaresEnv
from services.agent.environment.episodes import EpisodeBatch
from services.agent.environment.vector_env import VectorEnv
from services.agent.reinforcement.ppo import Hyperparameters

# As stable-baselines3 comes.
DEFAULT_COUNT = 8


class FastVecEnv(VecEnv):  # type: ignore[misc]
    """Luna's vectorised environment as stable-baselines3 steps one."""

    def __init__(self, inner: VectorEnv) -> None:
        observations = gymnasium.spaces.Box(-np.inf, np.inf, (inner.state_size,), np.float32)
        super().__init__(inner.count, observations, gymnasium.spaces.Discrete(inner.action_count))
        self._inner, self._infos = inner, [{} for _ in range(inner.count)]

    def reset(self) -> Any:
        return self._inner.reset(np.random.default_rng(0))

    def step_async(self, actions: Any) -> None:
        self._actions = actions

    def step_wait(self) -> Any:
        states, rewards, done = self._inner.step(self._actions)
        return states, rewards.astype(np.float32), done, self._infos

    def close(self) -> None:
        return None

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        return [None] * self.num_envs

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        return None

    def env_method(
        self, method_name: str, *args: Any, indices: Any = None, **options: Any
    ) -> list[Any]:
        return [None] * self.num_envs

    def env_is_wrapped(self, wrapper_class: Any, indices: Any = None) -> list[bool]:
        return [False] * self.num_envs


def main(words: Sequence[str]) -> dict[str, Any]:
    """Learn for so many steps from the vectorised environment, and from eight single ones."""
    torch.set_num_threads(1)
    batch = build_batch()
    fast, default = (int(word) for word in words)
    return {
        "version": version("stable-baselines3"),
        "fast": learn_fast(batch, fast),
        "default": learn_by_default(batch, default),
    }


def learn_fast(batch: EpisodeBatch, steps: int) -> dict[str, Any]:
    """Learn with the settings that Luna's own learner has."""
    own = Hyperparameters()
    same = {
        "n_steps": own.rollout_steps,
        "batch_size": own.minibatch,
        "n_epochs": own.epochs,
        "learning_rate": own.learning_rate,
        "gamma": own.discount,
    }
    same |= {
        "gae_lambda": own.trace,
        "clip_range": own.clip,
        "ent_coef": own.entropy,
        "max_grad_norm": own.most_gradient,
    }
    layers = {"net_arch": list(own.hidden), "activation_fn": torch.nn.ReLU}
    return _time(
        PPO(
            "MlpPolicy",
            FastVecEnv(VectorEnv(batch, COUNT, rule=RULE)),
            policy_kwargs=layers,
            device="cpu",
            seed=0,
            **same,
        ),
        steps,
    )


def learn_by_default(batch: EpisodeBatch, steps: int) -> dict[str, Any]:
    """Learn with its own settings."""
    environment = DummyVecEnv([lambda: AntaresEnv(batch, RULE)] * DEFAULT_COUNT)
    return _time(PPO("MlpPolicy", environment, device="cpu", seed=0), steps)


def _time(learner: Any, steps: int) -> dict[str, Any]:
    begun = time.perf_counter()
    learner.learn(steps)
    return {
        "steps": learner.num_timesteps,
        "steps_per_s": learner.num_timesteps / (time.perf_counter() - begun),
    }


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[2:])))
