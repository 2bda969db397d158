"""What is counted of plans: how far down the ladder they come from, and where physics did not confirm them."""

import structlog
from prometheus_client import Counter

from luna.contracts.plan import FollowedReply

PLANS = Counter("luna_planner_plans_total", "Plans by what made them (value, model, self_consumption) and by what is followed.", ["method", "policy"])
DISAGREEMENTS = Counter("luna_planner_disagreements_total", "Findings of the optimisation that physics did not confirm; each is a fault to report.")
log = structlog.get_logger("luna.planner")


def count_plan(plan_id: str, followed: FollowedReply | None) -> None:
    """Count a plan; what physics did not confirm of it is logged."""
    if followed is None:
        return
    PLANS.labels(followed.method, followed.policy).inc()
    DISAGREEMENTS.inc(len(followed.disagreements))
    for disagreement in followed.disagreements:
        log.error("physics did not confirm a plan", plan_id=plan_id, disagreement=disagreement)
