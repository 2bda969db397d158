"""Label states of a history for learners: the teacher's mode and every mode's regret."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Self

import numpy as np

from luna.energy.physics.mode import IntArray
from luna.energy.physics.safety import clamp
from luna.energy.physics.simulation import SlotActuals, simulate_slot
from luna.energy.schedule import whole_range
from luna.energy.timeline import FloatArray, IndexArray
from services.agent.environment.states import StateArray, StateLayout
from services.agent.imitation.teachers import Teacher
from services.agent.modes import Score
from services.agent.training_history import History

# From slots of the window and the energy stored at their start, kWh, both (n,), to their modes.
_Choose = Callable[[IndexArray, FloatArray], IntArray]


@dataclass(frozen=True, slots=True)
class ModeSamples:
    """Labelled states.

    ``states`` has the shape ``(samples, size)``, ``regret`` (currency) ``(samples, modes)``, the
    others ``(samples,)``. ``slot`` is the place in the history's window, ``stored_kwh`` the
    battery's energy at its start, ``mode`` the teacher's, ``weight`` the weight of the sample.
    """

    slot: IndexArray
    stored_kwh: FloatArray
    states: StateArray
    mode: IntArray
    regret: FloatArray
    weight: FloatArray

    def share_regret(self, most: float) -> FloatArray:
        """Return the regret in shares of its mean over all samples and modes, at most ``most``."""
        mean = max(float(self.regret.mean()), 1e-9)
        return np.minimum(self.regret / mean, most)

    @classmethod
    def join(cls, parts: Sequence["ModeSamples"]) -> Self:
        """Return the samples of all parts, in order."""
        joined = {}
        for column in fields(cls):
            joined[column.name] = np.concatenate([getattr(part, column.name) for part in parts])
        return cls(**joined)


@dataclass(frozen=True)
class School:
    """A history, a teacher of it, and the layout of states that learners read."""

    history: History
    teacher: Teacher
    layout: StateLayout

    def follow_teacher(self, rng: np.random.Generator) -> ModeSamples:
        """Return every day under the teacher's modes, from a random state at midnight."""
        return self._live(self._ask, rng)

    def draw(self, rng: np.random.Generator) -> ModeSamples:
        """Return every slot of the history at a random state of charge.

        A policy has to choose at all of them.
        """
        battery = self.teacher.limits.batteries
        lowest = battery.min_kwh[0, 0]
        highest = battery.max_kwh[0, 0]
        return self.label(rng.uniform(lowest, highest, self.history.scene.timeline.count))

    def follow_learner(self, score: Score, rng: np.random.Generator) -> ModeSamples:
        """Return the states that the learner reaches by itself, labelled by the teacher.

        Source: Ross, Gordon, Bagnell 2011, "A reduction of imitation learning and structured
        prediction to no-regret online learning".
        """

        def choose(slots: IndexArray, stored_kwh: FloatArray) -> IntArray:
            scores = score(self.see(slots, stored_kwh))
            return np.asarray(scores.argmax(axis=1), dtype=np.int8)

        return self._live(choose, rng)

    def see(self, slots: IndexArray, stored_kwh: FloatArray) -> StateArray:
        """Return the states of slots as they were known."""
        capacity = np.full(slots.size, self.teacher.policy.battery.capacity_kwh)
        return self.layout.build(
            self.history.episodes.features, slots, stored_kwh / capacity, capacity
        )

    def _ask(self, slots: IndexArray, stored_kwh: FloatArray) -> IntArray:
        levels = np.full(self.history.scene.timeline.count, stored_kwh[0])
        levels[slots] = stored_kwh
        return self.teacher.modes(levels)[slots]

    def _live(self, choose: _Choose, rng: np.random.Generator) -> ModeSamples:
        """Simulate all days side by side with the actual values, and return their samples."""
        episodes = self.history.episodes
        limits = self.teacher.limits
        table = episodes.episodes
        actual = episodes.slots
        lowest = limits.batteries.min_kwh[0, 0]
        highest = limits.batteries.max_kwh[0, 0]
        stored = rng.uniform(lowest, highest, table.size)
        visited = np.full(self.history.scene.timeline.count, np.nan)
        for step in range(int(table.count.max())):
            running = np.flatnonzero(step < table.count)
            slots = table.first[running] + step
            visited[slots] = stored[running]
            modes = choose(slots, stored[running])
            before = stored[running][None, :]
            requested = whole_range(modes[None, :], actual.curtailment[slots])
            safe = clamp(requested, before, limits)
            energies = SlotActuals(actual.load_kwh[slots], actual.pv_kwh[slots], episodes.hours)
            stored[running] = simulate_slot(safe, before, energies, limits=limits).stored_kwh[0]
        return self.label(visited)

    def label(self, stored_kwh: FloatArray) -> ModeSamples:
        """Return the visited slots with a weight, labelled by the teacher.

        ``stored_kwh`` is that at the start of each slot of the window, NaN where it was not
        visited.
        """
        visited = np.isfinite(stored_kwh)
        slot = np.flatnonzero(visited & (self.teacher.weight > 0))
        levels = np.where(visited, stored_kwh, self.teacher.limits.batteries.min_kwh[0, 0])
        mode = self.teacher.modes(levels)[slot]
        regret = self.teacher.regrets(levels)[slot]
        return ModeSamples(
            slot=slot,
            stored_kwh=levels[slot],
            states=self.see(slot, levels[slot]),
            mode=mode,
            regret=regret,
            weight=self.teacher.weight[slot],
        )
