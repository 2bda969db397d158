"""What follows the network that reinforcement learning came to: the mode it finds best in each state, without PyTorch."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from luna.errors import InvalidInputError
from luna.physics import IntArray, Mode
from luna.timeline import FloatArray, IndexArray
from services.agent.environment.known import KnownSlots
from services.agent.environment.states import StateLayout, find_layout, see_problem
from services.agent.modes import plan_by_modes
from services.agent.network import SmallNetwork
from services.planner.dp.plan import Plan
from services.planner.problem.knowledge import SitePrices
from services.planner.problem.problem import Problem


@dataclass(frozen=True, slots=True)
class RlPolicy:
    """A policy learned by reinforcement: a network that scores the modes, in their order, in a state of ``layout``.

    Invariants: depends on the problem alone; the same problem, the same plan.
    """

    network: SmallNetwork
    layout: StateLayout

    @classmethod
    def read(cls, tensors: Mapping[str, NDArray[Any]], header: Mapping[str, Any]) -> Self:
        """Return the policy of a stored network.

        Raises:
            NetworkError: what is stored is no whole network.
            InvalidInputError: it reads states of a version that is not known, or other than that version's.
        """
        network, layout = SmallNetwork.read(tensors, header), find_layout(str(header.get("state_version")))
        if (network.inputs, network.outputs) != (layout.size, len(Mode)):
            value = f"{network.inputs} → {network.outputs}"
            raise InvalidInputError(f"the network does not read states {layout.version}", field="state_version", value=value, remedy="Train again.")
        return cls(network, layout)

    def act(self, problem: Problem) -> Mode:
        """Return the mode of a problem's first slot."""
        return Mode(int(self.network.scores(see_problem(self.layout, problem)).argmax()))

    def plan(self, problem: Problem, prices: SitePrices) -> Plan:
        """Return the plan that follows the best mode of each slot, as it is expected to be reached."""
        del prices  # those of the problem say what the network was trained on
        return plan_by_modes(problem, _Chooser(problem, self).choose)


@dataclass(frozen=True)
class _Chooser:
    """Chooses the modes of one problem."""

    problem: Problem
    policy: RlPolicy

    @cached_property
    def _known(self) -> KnownSlots:
        return KnownSlots.of_problem(self.problem)

    def choose(self, slots: IndexArray, stored_kwh: FloatArray) -> IntArray:
        capacity = np.full(slots.size, self.problem.site.batteries[0].capacity_kwh)
        states = self.policy.layout.build(self._known, slots, stored_kwh / capacity, capacity)
        return np.asarray(self.policy.network.scores(states).argmax(axis=1), dtype=np.int8)
