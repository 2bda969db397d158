"""Localised status of the learning agent: reasons, next steps, control modes and gate verdicts."""

from luna.words.phrases import Phrases

# Why a control mode is offered, or not: codes of ``agent_gates.reason``.
REASONS = Phrases("agent_status", "reason_")
NEXT_STEPS = Phrases("agent_status", "next_")
MODES = Phrases("agent_status", "mode_")
# Why the agent's plan is followed, or the planner's: codes of ``GateVerdict``.
VERDICTS = Phrases("agent_status", "verdict_")
