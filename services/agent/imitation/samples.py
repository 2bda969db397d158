"""Samples for learners of modes: states of a history with the teacher's mode.

Each names what every other mode would have cost more.
"""

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
from services.agent.history import History
from services.agent.imitation.teachers import Teacher
from services.agent.learned_modes import Score

# Slots of the window and what is stored at their start, kWh, both (n,), to a mode each.
_Choose = Callable[[IndexArray, FloatArray], IntArray]


@dataclass(frozen=True, slots=True)
class ModeSamples:
    """States with the teacher's modes and regrets.

    ``states`` has shape ``(samples, size)``, ``regret`` (currency) ``(samples, modes)``, the others
    ``(samples,)``.

    ``slot`` is the place in the history's window, ``stored_kwh`` what the battery held at its
    start, ``mode`` the teacher's, ``weight`` what it counts.
    """

    slot: IndexArray
    stored_kwh: FloatArray
    states: StateArray
    mode: IntArray
    regret: FloatArray
    weight: FloatArray

    def share_regret(self, most: float) -> FloatArray:
        """Return the regret in shares of its mean over samples and modes, at most ``most``."""
        return np.minimum(self.regret / max(float(self.regret.mean()), 1e-9), most)

    @classmethod
    def join(cls, parts: Sequence["ModeSamples"]) -> Self:
        """Return the samples of all parts, in order."""
        return cls(
            **{
                each.name: np.concatenate([getattr(part, each.name) for part in parts])
                for each in fields(cls)
            }
        )


@dataclass(frozen=True)
class School:
    """A history, a teacher of it, and the layout of states that learners read."""

    history: History
    teacher: Teacher
    layout: StateLayout

    def follow_teacher(self, rng: np.random.Generator) -> ModeSamples:
        """Return every day of the history under the teacher.

        Midnights begin at any state of charge.
        """
        return self._live(lambda slots, stored: self._ask(stored, slots), rng)

    def draw(self, rng: np.random.Generator) -> ModeSamples:
        """Return every slot of the history at a drawn state of charge.

        A policy may be asked at all of them.
        """
        battery = self.teacher.limits.batteries
        return self.label(
            rng.uniform(
                battery.min_kwh[0, 0], battery.max_kwh[0, 0], self.history.scene.timeline.count
            )
        )

    def follow_learner(self, score: Score, rng: np.random.Generator) -> ModeSamples:
        """Return every day of the history under the learner, labelled by the teacher.

        Those are the states that the learner reaches itself.

        Source: Ross, Gordon, Bagnell 2011, "A reduction of imitation learning and structured
        prediction to no-regret online learning".
        """
        return self._live(
            lambda slots, stored: np.asarray(
                score(self.see(slots, stored)).argmax(axis=1), dtype=np.int8
            ),
            rng,
        )

    def see(self, slots: IndexArray, stored_kwh: FloatArray) -> StateArray:
        """Return the states of slots as they were known."""
        capacity = np.full(slots.size, self.teacher.policy.battery.capacity_kwh)
        return self.layout.build(
            self.history.episodes.features, slots, stored_kwh / capacity, capacity
        )

    def _ask(self, stored_kwh: FloatArray, slots: IndexArray) -> IntArray:
        levels = np.full(self.history.scene.timeline.count, stored_kwh[0])
        levels[slots] = stored_kwh
        return self.teacher.modes(levels)[slots]

    def _live(self, choose: _Choose, rng: np.random.Generator) -> ModeSamples:
        """Return all days side by side, each by what really happened."""
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
            safe = clamp(whole_range(modes[None, :], actual.curtailment[slots]), before, limits)
            energies = SlotActuals(actual.load_kwh[slots], actual.pv_kwh[slots], episodes.hours)
            stored[running] = simulate_slot(safe, before, energies, limits=limits).stored_kwh[0]
        return self.label(visited)

    def label(self, stored_kwh: FloatArray) -> ModeSamples:
        """Return the slots of a course that count, labelled.

        ``stored_kwh`` at the start of each slot of the window, NaN where nobody was.
        """
        slot = np.flatnonzero(np.isfinite(stored_kwh) & (self.teacher.weight > 0))
        levels = np.where(
            np.isfinite(stored_kwh), stored_kwh, self.teacher.limits.batteries.min_kwh[0, 0]
        )
        mode = self.teacher.modes(levels)[slot]
        regret = self.teacher.regrets(levels)[slot]
        return ModeSamples(
            slot,
            levels[slot],
            self.see(slot, levels[slot]),
            mode,
            regret,
            self.teacher.weight[slot],
        )
