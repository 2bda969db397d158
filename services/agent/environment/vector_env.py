"""Simulate thousands of sites and days side by side, by the same rules as a single one."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from luna.energy.physics.mode import BoolArray
from luna.energy.timeline import FloatArray, IndexArray
from services.agent.environment.episodes import EpisodeBatch
from services.agent.environment.states import StateArray
from services.agent.environment.transition import PLAIN, AnyArray, EnvRule, SitesNow, step_sites

# So many sites at once that what a slot needs of them stays in a core's cache.
BLOCK = 8192


@dataclass(frozen=True, slots=True)
class StepInfo:
    """Figures of a step, arrays of shape ``(count,)``.

    ``stored_kwh`` is the energy in all batteries of a site at the slot's end; ``intervened``: the
    safety layer changed the requested set-point. Evaluations read ``cost``; ``potential`` and
    ``shaping`` are for the learner alone.
    """

    episode: IndexArray
    stored_kwh: FloatArray
    cost: FloatArray
    potential: FloatArray
    shaping: FloatArray
    intervened: BoolArray

    @classmethod
    def empty(cls, count: int) -> "StepInfo":
        """Return room for so many sites."""
        return cls(
            episode=np.empty(count, dtype=np.int64),
            stored_kwh=np.empty(count),
            cost=np.empty(count),
            potential=np.empty(count),
            shaping=np.empty(count),
            intervened=np.empty(count, dtype=bool),
        )

    def part(self, sites: slice) -> "StepInfo":
        """Return a view of some of the sites."""
        return StepInfo(
            episode=self.episode[sites],
            stored_kwh=self.stored_kwh[sites],
            cost=self.cost[sites],
            potential=self.potential[sites],
            shaping=self.shaping[sites],
            intervened=self.intervened[sites],
        )


class VectorEnv:
    """Many episodes of a batch at once; a random one follows each that ends.

    Args:
        batch: episodes to choose from.
        count: how many run side by side.
        rule: observations, actions and rewards.
        threads: how many blocks of sites are stepped at once.
    """

    def __init__(
        self, batch: EpisodeBatch, count: int, *, rule: EnvRule = PLAIN, threads: int = 1
    ) -> None:
        self.batch = batch
        self.rule = rule
        self.count = count
        blocks = -(-count // BLOCK)
        edges = np.linspace(0, count, blocks + 1).astype(int).tolist()
        self._parts = [slice(first, end) for first, end in pairwise(edges)]
        self._blocks = [_Block(batch, rule, part.stop - part.start) for part in self._parts]
        self._pool = ThreadPoolExecutor(threads) if threads > 1 else None
        self.info = StepInfo.empty(count)

    @property
    def state_size(self) -> int:
        """Number of features of a state."""
        return self.rule.layout.size

    @property
    def action_count(self) -> int:
        """Number of discrete actions, or of continuous powers."""
        return self.rule.action_count

    @property
    def episode(self) -> IndexArray:
        """Index in the batch of each site's episode, shape ``(count,)``."""
        return np.concatenate([block.episode for block in self._blocks])

    def reset(
        self, rng: np.random.Generator, episodes: IndexArray | Sequence[int] | None = None
    ) -> StateArray:
        """Begin given or random episodes and return their states, ``(count, state_size)``.

        ``rng`` draws all episodes that follow.
        """
        if episodes is None:
            chosen = rng.integers(self.batch.episodes.size, size=self.count)
        else:
            chosen = np.asarray(episodes, dtype=np.int64)
        generators = rng.spawn(len(self._blocks))
        for block, part, own_rng in zip(self._blocks, self._parts, generators, strict=True):
            block.reset(own_rng, chosen[part])
        return self.states()

    def states(self) -> StateArray:
        """Return the states of all sites, shape ``(count, state_size)``."""
        states = np.empty((self.count, self.state_size), dtype=np.float32)
        for block, part in zip(self._blocks, self._parts, strict=True):
            block.observe(states[part])
        return states

    def step(
        self, actions: AnyArray, *, observe: bool = True
    ) -> tuple[StateArray, FloatArray, BoolArray]:
        """Live through a slot.

        Args:
            actions: shape ``(count,)``, or shares of powers ``(count, 3)``.
            observe: whether to build states; without, they are empty.

        Returns:
            The states that follow (of the next episode where one has ended), rewards, and where an
            episode has ended, each with ``count`` rows. ``info`` says more of the step.
        """
        width = self.state_size if observe else 0
        states = np.empty((self.count, width), dtype=np.float32)
        rewards = np.empty(self.count)
        done = np.empty(self.count, dtype=bool)
        info = StepInfo.empty(self.count)
        self.info = info

        def step_block(block: _Block, part: slice) -> None:
            own = info.part(part)
            done[part] = block.step(actions[part], own)
            rewards[part] = own.potential - own.cost + own.shaping
            block.go_on()
            if observe:
                block.observe(states[part])

        if self._pool is None:
            for block, part in zip(self._blocks, self._parts, strict=True):
                step_block(block, part)
        else:
            # As a list, so that an error of a thread is raised here.
            list(self._pool.map(step_block, self._blocks, self._parts))
        return states, rewards, done


class _Block:
    """Sites that are stepped together, arrays of shape ``(sites,)``."""

    def __init__(self, batch: EpisodeBatch, rule: EnvRule, count: int) -> None:
        self._batch = batch
        self._rule = rule
        self._rng = np.random.default_rng(0)
        self.episode = np.zeros(count, dtype=np.int64)
        self._slot = np.zeros(count, dtype=np.int64)
        self._last = np.zeros(count, dtype=np.int64)
        self._sites = batch.columns.pick(np.zeros(count, dtype=np.int64))
        self._stored_kwh = np.zeros((len(batch.sites[0].batteries), count))
        self._worth = np.zeros(count)
        self._capacity_kwh = np.zeros(count)
        self._first_soc = np.zeros(count)
        self._done: BoolArray = np.zeros(count, dtype=bool)

    def reset(self, rng: np.random.Generator, episodes: IndexArray) -> None:
        """Begin episodes; ``rng`` draws those that follow."""
        self._rng = rng
        self._begin(np.arange(self.episode.size), episodes)

    def step(self, actions: AnyArray, info: StepInfo) -> BoolArray:
        """Simulate a slot, write ``info``, and return where an episode ended."""
        np.equal(self._slot, self._last, out=self._done)
        now = SitesNow(
            limits=self._sites.limits,
            wear_price=self._sites.wear_price,
            stored_kwh=self._stored_kwh,
            capacity_kwh=self._capacity_kwh,
            worth=self._worth,
            first_soc=self._first_soc,
            done=self._done,
        )
        slot = self._batch.slots.at(self._slot)
        columns = self._rule.read(actions)
        result = step_sites(self._rule, now, slot, columns, hours=self._batch.hours)
        self._stored_kwh[:] = result.flows.stored_kwh
        info.episode[:] = self.episode
        info.stored_kwh[:] = self._stored_kwh.sum(axis=0)
        info.cost[:] = result.costs.total
        info.potential[:] = result.potential
        info.shaping[:] = result.shaping
        info.intervened[:] = result.intervened
        return self._done

    def go_on(self) -> None:
        """Go to the next slot, or from an episode's last one to a random episode."""
        self._slot += 1
        if self._done.any():
            ended = np.flatnonzero(self._done)
            self._begin(ended, self._rng.integers(self._batch.episodes.size, size=ended.size))

    def observe(self, states: StateArray) -> None:
        """Write the states at the begin of the slots."""
        soc = self._stored_kwh.sum(axis=0) / self._capacity_kwh
        self._rule.layout.fill(states, self._batch.features, self._slot, (soc, self._capacity_kwh))

    def _begin(self, where: IndexArray, episodes: IndexArray) -> None:
        table = self._batch.episodes
        self.episode[where] = episodes
        self._slot[where] = table.first[episodes]
        self._last[where] = table.first[episodes] + table.count[episodes] - 1
        self._worth[where] = table.worth[episodes]
        own_columns = self._sites.columns()
        for column, source in zip(own_columns, self._batch.columns.columns(), strict=True):
            # A column of a single value is the same for all sites.
            if source.shape[-1] > 1:
                column[..., where] = source[..., table.site[episodes]]
        self._charge_batteries(where)

    def _charge_batteries(self, where: IndexArray) -> None:
        """Set what the batteries of some of the sites hold when an episode begins."""
        battery = self._sites.limits.batteries
        shape = self._stored_kwh.shape
        min_kwh = np.broadcast_to(battery.min_kwh, shape)[:, where]
        max_kwh = np.broadcast_to(battery.max_kwh, shape)[:, where]
        capacity_kwh = np.broadcast_to(battery.capacity_kwh, shape)[:, where]
        share: FloatArray | float
        if self._rule.start_share is None:
            share = self._rng.random(where.size)
        else:
            share = self._rule.start_share
        stored_kwh = min_kwh + share * (max_kwh - min_kwh)
        self._stored_kwh[:, where] = stored_kwh
        self._capacity_kwh[where] = capacity_kwh.sum(axis=0)
        self._first_soc[where] = stored_kwh.sum(axis=0) / self._capacity_kwh[where]
