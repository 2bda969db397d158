"""What another plan changes, as runs of slots."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from luna.contracts.counterfactual import SlotAction, SlotChange

# Energies are shown to a tenth.
LEAST_SHOWN_KWH = 0.05


@dataclass(frozen=True, slots=True)
class ChangedRun:
    """Slots in a row in which a device does one thing where it was to do another, with the energies of all of them."""

    first: datetime
    end: datetime
    device: str
    before: SlotAction
    after: SlotAction

    @property
    def shows(self) -> bool:
        """Whether a table tells the two apart."""
        return self.before.mode != self.after.mode or abs(self.before.energy_kwh - self.after.energy_kwh) >= LEAST_SHOWN_KWH

    def joins(self, change: SlotChange) -> bool:
        """Return whether a change goes on with this run."""
        same = (self.device, self.before.mode, self.after.mode) == (change.device, change.before.mode, change.after.mode)
        return same and self.end == change.start


def list_runs(changes: Sequence[SlotChange], step: timedelta) -> list[ChangedRun]:
    """Return the changes as runs, in order of their beginning."""
    runs: list[ChangedRun] = []
    for change in changes:
        place = next((place for place, run in enumerate(runs) if run.joins(change)), None)
        if place is None:
            runs.append(ChangedRun(change.start, change.start + step, change.device, change.before, change.after))
            continue
        run = runs[place]
        runs[place] = replace(run, end=change.start + step, before=_add(run.before, change.before), after=_add(run.after, change.after))
    return runs


def _add(one: SlotAction, other: SlotAction) -> SlotAction:
    return SlotAction(mode=one.mode, energy_kwh=one.energy_kwh + other.energy_kwh)
