"""The order of causes: in each slot the first that is true is the reason."""

import numpy as np

from luna.energy.physics.mode import BoolArray
from luna.energy.timeline import IndexArray
from services.planner.reply.causes.agent import AGENT
from services.planner.reply.causes.buying import BUYING
from services.planner.reply.causes.charging import CHARGING_LIMITS, CHARGING_PLAIN
from services.planner.reply.causes.giving import GIVING_LIMITS, GIVING_PLAIN
from services.planner.reply.causes.holding import HOLDING, LEAVING_SURPLUS
from services.planner.reply.causes.resting import RESTING_LIMITS, RESTING_PLAIN
from services.planner.reply.causes.selling import SELLING
from services.planner.reply.causes.serving import SERVING
from services.planner.reply.causes.storing import STORING
from services.planner.reply.evidence import Evidence

GROUPS = (
    AGENT,
    CHARGING_LIMITS,
    BUYING,
    STORING,
    CHARGING_PLAIN,
    GIVING_LIMITS,
    SELLING,
    SERVING,
    GIVING_PLAIN,
    RESTING_LIMITS,
    HOLDING,
    LEAVING_SURPLUS,
    RESTING_PLAIN,
)
CAUSES = tuple(cause for group in GROUPS for cause in group.causes)


def find_first_causes(evidence: Evidence, where: BoolArray) -> IndexArray:
    """Return the place of the first true cause among ``CAUSES``, ``(batteries, slots)``.

    It is their number where ``where``, of the same shape, is false. Some cause always is true:
    every group without a why ends with one that is.
    """
    first = np.full(where.shape, len(CAUSES))
    undecided = where.copy()
    place = 0
    for group in GROUPS:
        own = undecided & group.applies(evidence)
        for offset, cause in enumerate(group.causes):
            # Causes are not computed once no slot is undecided.
            if not own.any():
                break
            true = own & cause.holds(evidence)
            first[true] = place + offset
            own &= ~true
            undecided &= ~true
        place += len(group.causes)
    return first
