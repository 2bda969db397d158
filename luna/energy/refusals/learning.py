"""What is refused of what is learned: forecasts, their trainings, and those of the agent."""

from luna.energy.refusals.reason import RefusalReason

REASONS: dict[str, RefusalReason] = {
    "window-unmeasured": RefusalReason("nothing was measured in the window", "Choose days with observations (luna data query shows them).", quotes=True),
}
