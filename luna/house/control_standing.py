"""Tell how a device stands. Pure.

Its mode by the last read-back, whether that is Luna's command, and the next step.
"""

from datetime import datetime, timedelta

from luna.contracts.control import ControlStanding, ControlState, Decision, NextStep
from luna.energy.policy import HANDED_BACK_WITHIN
from luna.energy.site.control import NOT_SENT

# Once or twice somebody may have tried something; more than that within a day, and another
# controller is at work.
CONFLICTS_AT_LEAST = 3
CONFLICT_WITHIN = timedelta(days=1)


def judge_standing(state: ControlState, *, runs: bool, now: datetime) -> ControlStanding:
    """Return how a device stands.

    ``runs``: an executor runs, and so hands devices back.
    """
    last = state.decision
    if last is None or last.control is None or last.control.by in NOT_SENT:
        return ControlStanding(code="own" if state.paused is None else "paused")
    conflict = has_conflict(state, now=now)
    is_released = state.armed_at is None or state.paused is not None or last.source == "released"
    if is_released and is_handed_back(last):
        return ControlStanding(code="own" if state.paused is None else "paused", conflict=conflict)
    if state.armed_at is None or state.paused is not None:
        return ControlStanding(
            code="not_released", next=_next_step(state, runs=runs, now=now), conflict=conflict
        )
    if not runs:
        return ControlStanding(code="unattended", conflict=conflict)
    if is_silent(state):
        return ControlStanding(code="silent", conflict=conflict)
    # A confirmed command that was found changed is sent again, and not settled meanwhile.
    follows = last.settled and last.confirmed_at is not None
    return ControlStanding(code="follows" if follows else "sent", conflict=conflict)


def has_conflict(state: ControlState, *, now: datetime) -> bool:
    """Return whether another controller keeps overriding Luna's commands."""
    for report in state.reports.values():
        conflict = report.conflict
        if conflict is None or conflict.count < CONFLICTS_AT_LEAST:
            continue
        if now - conflict.last_at < CONFLICT_WITHIN:
            return True
    return False


def is_handed_back(decision: Decision) -> bool:
    """Return whether a device confirmed that it runs by itself."""
    is_confirmed = decision.settled and decision.confirmed_at is not None
    return decision.source == "released" and is_confirmed and runs_by_itself(decision)


def is_left_to_owner(state: ControlState, now: datetime) -> bool:
    """Return whether the return of a device is tried no more.

    It answers, and has confirmed none for ``HANDED_BACK_WITHIN``.
    """
    last = state.decision
    if last is None or last.source != "released" or not last.settled:
        return False
    if not runs_by_itself(last) or is_silent(state):
        return False
    return now - (last.mode_since or last.slot_start) >= HANDED_BACK_WITHIN


def is_silent(state: ControlState) -> bool:
    """Return whether a device of the state did not answer its last request."""
    return any(report.silent_since is not None for report in state.reports.values())


def runs_by_itself(decision: Decision) -> bool:
    """Return whether a decision leaves a device its own mode.

    ``hold`` is the safety layer's answer to an unknown state of charge.
    """
    return all(setpoint.mode != "hold" for setpoint in decision.allowed.values())


def _next_step(state: ControlState, *, runs: bool, now: datetime) -> NextStep:
    if is_left_to_owner(state, now):
        return "left_to_owner"
    return "released_when_it_answers" if runs else "released_when_luna_runs"
