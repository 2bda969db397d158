"""For how long something will have been on or off, as an issued plan expects it."""

from collections.abc import Sequence

from luna.contracts.plan import HeatPumpState, LoadRun, LoadState

LONGEST_HOURS = 168.0
Switched = dict[str, float]


def carry_runs(state: LoadState | HeatPumpState, on: Sequence[bool], slot_hours: float) -> Switched:
    """Return ``on_hours`` and ``off_hours`` after slots in which it was ``on``, or off; of nothing known before, what the slots say."""
    if not on:
        return {"on_hours": state.on_hours, "off_hours": state.off_hours}
    steady = next((count for count, each in enumerate(reversed(on)) if each != on[-1]), len(on))
    before = (state.on_hours if on[-1] else state.off_hours) if steady == len(on) else 0.0
    hours = min(before + steady * slot_hours, LONGEST_HOURS)
    return {"on_hours": hours if on[-1] else 0.0, "off_hours": 0.0 if on[-1] else hours}


def carry_asked(state: LoadState, on: Sequence[bool]) -> list[LoadRun]:
    """Return the runs of a programme that are still asked for: those that have begun were the first to be over."""
    begun = sum(now and not before for before, now in zip([state.on_hours > 0, *on], on, strict=False))
    return sorted(state.runs, key=lambda run: run.by)[begun:]
