"""Where the learning agent stands on the road to control, in words."""

from luna.words.phrases import Phrases

# Why a mode of control is offered, or not: codes of ``agent_gates.reason``.
REASONS = Phrases("agent_status", "reason_")
NEXT_STEPS = Phrases("agent_status", "next_")
MODES = Phrases("agent_status", "mode_")
# Why the agent's plan is followed, or the planner's: codes of ``GateVerdict``.
VERDICTS = Phrases("agent_status", "verdict_")
