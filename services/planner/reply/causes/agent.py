"""Causes of the agent's decisions: no price explains it."""

import numpy as np

from luna.energy.physics.mode import BoolArray
from services.planner.reply.causes.declaration import Cause, CauseGroup, Figures
from services.planner.reply.causes.shared import is_any
from services.planner.reply.evidence import Evidence


def planner_would_differ(evidence: Evidence) -> BoolArray:
    """Return where the planner's own value of stored energy would do something else."""
    if evidence.plan.followed != "learned":
        return np.zeros(evidence.charge.shape, dtype=bool)
    return evidence.planners_choice.differs


def show_planners_choice(evidence: Evidence) -> Figures:
    """Return what the planner would charge or discharge."""
    choice = evidence.planners_choice
    return {"takes": choice.takes, "gives": choice.gives}


AGENT = CauseGroup(is_any, (Cause("learned", planner_would_differ, show_planners_choice),))
