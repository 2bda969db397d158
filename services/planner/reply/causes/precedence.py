"""The order of causes: in each slot the first that is true is the reason."""

from collections.abc import Iterator

import numpy as np

from luna.energy.physics.mode import BoolArray
from luna.energy.timeline import IndexArray
from services.planner.reply.causes.agent import list_agent_causes
from services.planner.reply.causes.charging import (
    list_buying_causes,
    list_charging_limits,
    list_plain_charging,
    list_storing_causes,
)
from services.planner.reply.causes.declaration import Cause
from services.planner.reply.causes.giving import (
    list_giving_limits,
    list_plain_giving,
    list_selling_causes,
    list_serving_causes,
)
from services.planner.reply.causes.resting import (
    list_plain_resting,
    list_resting_limits,
    list_sparing_causes,
    list_surplus_causes,
)
from services.planner.reply.evidence import Evidence


def list_groups(evidence: Evidence) -> list[tuple[BoolArray, Iterator[Cause]]]:
    """Return the groups of causes in their order, each with its slots.

    No cause is computed before it is tried.
    """
    everywhere = np.ones(evidence.charge.shape, dtype=bool)
    return [
        (everywhere, list_agent_causes(evidence)),
        (evidence.charges, list_charging_limits(evidence)),
        (evidence.buys, list_buying_causes(evidence)),
        (evidence.stores_sun, list_storing_causes(evidence)),
        (evidence.charges, list_plain_charging(evidence)),
        (evidence.gives, list_giving_limits(evidence)),
        (evidence.sells, list_selling_causes(evidence)),
        (evidence.serves_house, list_serving_causes(evidence)),
        (evidence.gives, list_plain_giving(evidence)),
        (evidence.rests, list_resting_limits(evidence)),
        (evidence.rests & evidence.spares, list_sparing_causes(evidence)),
        (evidence.rests & evidence.leaves_surplus, list_surplus_causes(evidence)),
        (evidence.rests, list_plain_resting(evidence)),
    ]


def find_first_causes(evidence: Evidence, where: BoolArray) -> tuple[IndexArray, list[Cause]]:
    """Return each slot's place among the causes, ``(batteries, slots)``, and these.

    It is that of the first true cause; -1 where ``where``, of the same shape, is false. Some cause
    always is true: plain charging, giving and resting end with one that is.
    """
    first = np.full(where.shape, -1)
    undecided = where.copy()
    found: list[Cause] = []
    for applies, causes in list_groups(evidence):
        own = undecided & applies
        if not own.any():
            continue
        for cause in causes:
            true = own & cause.holds
            if not true.any():
                continue
            first[true] = len(found)
            found.append(cause)
            own &= ~true
            undecided &= ~true
            if not own.any():
                break
    return first, found
