"""Thousands of sites and days side by side, on the same physics and economics as one."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from luna.physics import BoolArray
from luna.timeline import FloatArray, IndexArray
from services.agent.environment.episodes import EpisodeBatch
from services.agent.environment.states import StateArray
from services.agent.environment.transition import EnvRule, EpisodeNow, SitesNow, StepResult, reward_step, step_sites

# So many sites at once that what a slot needs of them stays in a core's cache.
BLOCK = 4096
AnyArray = np.ndarray[tuple[int, ...], np.dtype[np.generic]]


@dataclass(frozen=True, slots=True)
class StepInfo:
    """What a step was about, arrays of shape ``(count,)``: the episode it belonged to, what evaluations count, and what only the learner sees."""

    episode: IndexArray
    cost: FloatArray
    potential: FloatArray
    shaping: FloatArray
    intervened: BoolArray
    stored_kwh: FloatArray

    @classmethod
    def empty(cls, count: int) -> "StepInfo":
        """Return room for so many sites."""
        return cls(np.zeros(count, dtype=np.int64), *(np.zeros(count) for _ in range(3)), np.zeros(count, dtype=bool), np.zeros(count))


class VectorEnv:
    """Many episodes of a batch at once; one that ends is followed by another that is drawn.

    Args:
        batch: episodes to choose from.
        count: how many run side by side.
        rule: what is shown, taken and rewarded.
        threads: how many blocks of sites are stepped at once.
    """

    def __init__(self, batch: EpisodeBatch, count: int, *, rule: EnvRule = EnvRule(), threads: int = 1) -> None:  # noqa: B008 - it is frozen
        self.batch, self.rule, self.count = batch, rule, count
        edges = np.linspace(0, count, -(-count // BLOCK) + 1).astype(int).tolist()
        self._parts = [slice(*each) for each in pairwise(edges)]
        self._blocks = [Block(batch, rule, part.stop - part.start) for part in self._parts]
        self._pool = ThreadPoolExecutor(threads) if threads > 1 else None
        self.info = StepInfo.empty(count)

    @property
    def state_size(self) -> int:
        """How many features a state has."""
        return self.rule.layout.size

    @property
    def action_count(self) -> int:
        """How many actions there are to choose from, or powers to name."""
        return self.rule.action_count

    @property
    def episode(self) -> IndexArray:
        """The place in the batch of the episode that each site is in, shape ``(count,)``."""
        return np.concatenate([block.episode for block in self._blocks])

    def reset(self, rng: np.random.Generator, episodes: IndexArray | Sequence[int] | None = None) -> StateArray:
        """Begin episodes, drawn or given, and return their first states, shape ``(count, state_size)``; ``rng`` draws all that follow."""
        chosen = rng.integers(self.batch.episodes.size, size=self.count) if episodes is None else np.asarray(episodes, dtype=np.int64)
        for block, part, own in zip(self._blocks, self._parts, rng.spawn(len(self._blocks)), strict=True):
            block.reset(own, chosen[part])
        return self.states()

    def states(self) -> StateArray:
        """Return the states of all sites, shape ``(count, state_size)``."""
        return np.concatenate([block.states() for block in self._blocks])

    def step(self, actions: AnyArray, *, observe: bool = True) -> tuple[StateArray, FloatArray, BoolArray]:
        """Live through a slot.

        Args:
            actions: shape ``(count,)``, or shares of powers ``(count, 3)``.
            observe: whether to build states; without, they are empty.

        Returns:
            The states that follow (of the next episode where one has ended), rewards, and where an episode has ended, each with ``count`` rows. ``info`` says
            more of the step.
        """
        rewards, done = np.empty(self.count), np.empty(self.count, dtype=bool)
        states = np.empty((self.count, self.state_size if observe else 0), dtype=np.float32)
        self.info = StepInfo.empty(self.count)

        def work(place: int) -> None:
            part, block = self._parts[place], self._blocks[place]
            self._note(part, block)
            result = block.step(actions[part])
            rewards[part], done[part] = result.reward, block.done
            self._note_result(part, result)
            block.go_on()
            if observe:
                states[part] = block.states()

        for _ in self._map(work):
            pass
        return states, rewards, done

    def _map(self, work: Callable[[int], None]) -> Iterator[None]:
        places = range(len(self._blocks))
        return map(work, places) if self._pool is None else self._pool.map(work, places)

    def _note(self, part: slice, block: "Block") -> None:
        self.info.episode[part] = block.episode

    def _note_result(self, part: slice, result: StepResult) -> None:
        info = self.info
        info.cost[part], info.potential[part], info.shaping[part] = result.cost, result.potential, result.shaping
        info.intervened[part], info.stored_kwh[part] = result.transition.intervened, result.transition.flows.stored_kwh.sum(axis=0)


class Block:
    """Sites that are stepped together, arrays of shape ``(sites,)``."""

    def __init__(self, batch: EpisodeBatch, rule: EnvRule, count: int) -> None:
        self._batch, self._rule, self._rng = batch, rule, np.random.default_rng(0)
        self.episode = np.zeros(count, dtype=np.int64)
        self._slot, self._last = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64)
        self._columns = batch.columns.pick(np.zeros(count, dtype=np.int64))
        self._stored_kwh = np.zeros((len(batch.sites[0].batteries), count))
        self._worth, self._capacity_kwh, self._first_soc = (np.zeros(count) for _ in range(3))
        self.done: BoolArray = np.zeros(count, dtype=bool)

    def reset(self, rng: np.random.Generator, episodes: IndexArray) -> None:
        """Begin episodes; ``rng`` draws those that follow."""
        self._rng = rng
        self._begin(np.arange(self.episode.size), episodes)

    def step(self, actions: AnyArray) -> StepResult:
        """Live through a slot."""
        now = SitesNow(self._columns.limits, self._columns.wear_price, self._stored_kwh, self._slot)
        self.done = self._slot == self._last
        judged = EpisodeNow(self._worth, self._capacity_kwh, self._first_soc, self.done)
        result = reward_step(self._batch, self._rule, now, step_sites(self._batch, self._rule, now, actions), judged)
        self._stored_kwh = result.transition.flows.stored_kwh
        return result

    def go_on(self) -> None:
        """Go to the next slot, or, where that was the last one, to an episode that is drawn."""
        self._slot = self._slot + 1
        if self.done.any():
            ended = np.flatnonzero(self.done)
            self._begin(ended, self._rng.integers(self._batch.episodes.size, size=ended.size))

    def states(self) -> NDArray[np.float32]:
        """Return the states at the begin of the slots."""
        soc = self._stored_kwh.sum(axis=0) / self._capacity_kwh
        return self._rule.layout.fill(self._batch.known, self._slot, soc, self._capacity_kwh)

    def _begin(self, where: IndexArray, episodes: IndexArray) -> None:
        table = self._batch.episodes
        self.episode[where] = episodes
        self._slot[where] = table.first[episodes]
        self._last[where] = table.first[episodes] + table.count[episodes] - 1
        self._worth[where] = table.worth[episodes]
        for column, source in zip(self._columns.columns(), self._batch.columns.columns(), strict=True):
            if source.shape[-1] > 1:
                column[..., where] = source[..., table.site[episodes]]
        battery = self._columns.limits.batteries
        least, most, capacity = (np.broadcast_to(each, self._stored_kwh.shape) for each in (battery.min_kwh, battery.max_kwh, battery.capacity_kwh))
        share = self._rng.random(where.size) if self._rule.start_share is None else self._rule.start_share
        self._stored_kwh[:, where] = least[:, where] + share * (most - least)[:, where]
        self._capacity_kwh[where] = capacity[:, where].sum(axis=0)
        self._first_soc[where] = self._stored_kwh[:, where].sum(axis=0) / self._capacity_kwh[where]
