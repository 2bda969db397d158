"""The Time Machine: recorded days under several policies, with the same physics, prices, initial and terminal rule for all.

Days are lived in order; what a policy hands on at midnight is small and exact, so a replay that was interrupted goes on where it was.
"""

from services.planner.replay.data import INITIAL_SHARE, ReplayData, Rules
from services.planner.replay.days import DayResult, PolicyDay, compose_episode
from services.planner.replay.results import OracleDay
from services.planner.replay.run import LOSS_STEPS, DayLog, Progress, Replayed, ReplaySpec, replay, run

__all__ = [
    "INITIAL_SHARE",
    "LOSS_STEPS",
    "DayLog",
    "DayResult",
    "OracleDay",
    "PolicyDay",
    "Progress",
    "ReplayData",
    "ReplaySpec",
    "Replayed",
    "Rules",
    "compose_episode",
    "replay",
    "run",
]
