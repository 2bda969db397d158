"""What is refused of what is learned: forecasts, their trainings, and those of the agent."""

from luna.energy.errors import NotFoundError
from luna.energy.refusals.reason import RefusalReason

REASONS: dict[str, RefusalReason] = {
    "window-unmeasured": RefusalReason("nothing was measured in the window", "Choose days with observations (luna data query shows them).", quotes=True),
    "forecast-untrained": RefusalReason("nothing was trained", "Train first: luna forecast train --site {site}.", error=NotFoundError),
    "no-such-forecast-version": RefusalReason("no such forecast version", "Known are {names}.", error=NotFoundError),
    "no-such-agent-plan": RefusalReason("no such plan of the agent", "Take the plan_id from the list of the agent's plans.", error=NotFoundError),
    "no-such-agent-training": RefusalReason("no such training of the agent", "Take the run_id from the list of the agent's trainings.", error=NotFoundError),
    "day-not-replayed": RefusalReason("the day cannot be lived again: {reason}", "Choose another day.", quotes=True),
}
