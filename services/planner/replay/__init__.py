"""Replay recorded days under several policies (the Time Machine).

Physics, prices, initial and terminal rule are the same for all. Days are simulated in order; each
policy's state at midnight is stored exactly, so an interrupted replay resumes from its last whole
day.
"""

from services.planner.replay.data import INITIAL_SHARE, ReplayData, Rules
from services.planner.replay.days import DayResult, PolicyDay, compose_episode
from services.planner.replay.results import OracleDay
from services.planner.replay.run import (
    LOSS_STEPS,
    DayLog,
    Progress,
    Replayed,
    ReplaySpec,
    replay,
    run,
)

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
