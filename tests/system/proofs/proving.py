"""Every way through ``clamp`` and ``settle``, and what is not proven of them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cache, cached_property
from typing import Any

import numpy as np
import z3

from luna.energy.physics.simulation import Flows
from luna.energy.timeline import FloatArray
from tests.system.proofs.claims import (
    CLAIMS,
    Inputs,
    Slot,
    inverters_carry_what_they_may,
    no_action_has_less_excess,
)
from tests.system.proofs.reals import Answer, Program, Reals, follow_all_ways
from tests.system.proofs.terms import list_elements, to_real
from tests.system.proofs.unknowns import (
    Situation,
    all_of,
    describe_action,
    describe_slot,
    list_assumptions,
)

FLOWS = [field.name for field in fields(Flows)]


@dataclass(frozen=True)
class Way:
    """One way through the code: what holds on it, and the slot at its end."""

    holding: list[z3.BoolRef]
    slot: Slot
    reals: Reals

    def find_counterexample(self, claim: z3.BoolRef) -> Answer:
        return self.reals.ask([*self.holding, z3.Not(claim)])


@dataclass(frozen=True)
class Proof:
    """All that a kind of site can do, and what is claimed of it."""

    situation: Situation

    @cached_property
    def given(self) -> Inputs:
        return describe_slot(self.situation)

    @cached_property
    def ways(self) -> list[Way]:
        reals = Reals()
        run = follow_all_ways(lambda: Slot.of(self.given), list_assumptions(self.given), reals)
        return [Way(holding, slot, reals) for holding, slot in run]

    def list_claims(self, slot: Slot) -> dict[str, z3.BoolRef]:
        """Return what is claimed of a slot, by name."""
        claims = (*CLAIMS, inverters_carry_what_they_may) if self.situation.inverters else CLAIMS
        return {claim.__name__: all_of(claim(slot)) for claim in claims} | {
            no_action_has_less_excess.__name__: self._compare_with_action(slot)
        }

    def _compare_with_action(self, slot: Slot) -> z3.BoolRef:
        """Return that nothing possible has less excess.

        Beside a least power only where PV may be held back, or where there is one battery alone.
        """
        action = describe_action(self.situation)
        situation = self.situation
        shared = situation.least_power and (situation.batteries > 1 or situation.inverters)
        possible = [*action.is_possible(slot), *([slot.given.limits.curtailable] if shared else [])]
        return z3.Implies(all_of(possible), all_of(no_action_has_less_excess(slot, action)))

    def list_unproven(self) -> list[str]:
        """Return each claim that is not proven, with an example against it as far as there is one.

        Nothing where all are.
        """
        return [line for way in self.ways for line in self._list_unproven_on(way)]

    def _list_unproven_on(self, way: Way) -> Iterator[str]:
        claims = self.list_claims(way.slot)
        if way.find_counterexample(z3.And(*claims.values())).is_impossible:
            return
        for name, claim in claims.items():
            answer = way.find_counterexample(claim)
            if not answer.is_impossible:
                yield f"{name}: {_describe(answer)}"

    @cached_property
    def _program(self) -> Program:
        ends = [
            to_real(each)
            for way in self.ways
            for name in FLOWS
            for each in list_elements(getattr(way.slot.flows, name))
        ]
        return Program([z3.And(*way.holding) for way in self.ways] + ends)

    def predict_flows(
        self, numbers: Mapping[str, FloatArray]
    ) -> tuple[FloatArray, dict[str, FloatArray]]:
        """Return how many ways are open to each site, and the flows at the end of the way that
        is.
        """
        sites = next(iter(numbers.values()))
        values = iter(np.broadcast_to(value, sites.shape) for value in self._program.run(numbers))
        is_open = np.array([next(values) for _ in self.ways])
        ends = [
            {
                name: np.array([next(values) for _ in list_elements(getattr(way.slot.flows, name))])
                for name in FLOWS
            }
            for way in self.ways
        ]
        return is_open.sum(axis=0), {
            name: np.select([one[None] for one in is_open], [end[name] for end in ends])
            for name in FLOWS
        }


@cache
def find_proof(situation: Situation) -> Proof:
    """Return the proof for a kind of site; its ways are followed once in a process."""
    return Proof(situation)


def _describe(answer: Answer) -> str:
    if answer.example is None:
        return "not finished"
    numbers: dict[str, Any] = {
        str(each): answer.example[each] for each in answer.example if each.arity() == 0
    }
    return ", ".join(
        f"{name} = {value.as_decimal(12) if z3.is_rational_value(value) else value}"
        for name, value in sorted(numbers.items())
    )
