"""Differences of two plans of the same horizon: costs and actions by slot."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import Field

from luna.contracts.message import Message


class CostChange(Message):
    """The extra cost over the plan, negative: less.

    ``stored`` is what the energy is worth that is missing at the end.
    """

    total: float
    import_: Annotated[float, Field(alias="import")]
    export: float
    wear: float
    peak: float = 0.0
    stored: float


class SlotAction(Message):
    """A device's mode and energy in a slot.

    Energy is into it (negative: out of it), at its terminals.
    """

    mode: str
    energy_kwh: float


class SlotChange(Message):
    """A slot in which a device does something else than planned."""

    start: datetime
    device: str
    before: SlotAction
    after: SlotAction


# Energies are shown to a tenth.
LEAST_SHOWN_KWH = 0.05


@dataclass(frozen=True, slots=True)
class ChangedRun:
    """Slots in a row in which a device changes from one action to another.

    The energies are those of all of them.
    """

    first: datetime
    end: datetime
    device: str
    before: SlotAction
    after: SlotAction

    @property
    def shows(self) -> bool:
        """Whether a table tells the two apart."""
        return (
            self.before.mode != self.after.mode
            or abs(self.before.energy_kwh - self.after.energy_kwh) >= LEAST_SHOWN_KWH
        )

    def joins(self, change: SlotChange) -> bool:
        """Return whether a change goes on with this run."""
        same = (self.device, self.before.mode, self.after.mode) == (
            change.device,
            change.before.mode,
            change.after.mode,
        )
        return same and self.end == change.start


def list_runs(changes: Sequence[SlotChange], step: timedelta) -> list[ChangedRun]:
    """Return the changes as runs, in order of their beginning."""
    runs: list[ChangedRun] = []
    for change in changes:
        place = next((place for place, run in enumerate(runs) if run.joins(change)), None)
        if place is None:
            runs.append(
                ChangedRun(
                    change.start, change.start + step, change.device, change.before, change.after
                )
            )
            continue
        run = runs[place]
        runs[place] = replace(
            run,
            end=change.start + step,
            before=_add(run.before, change.before),
            after=_add(run.after, change.after),
        )
    return runs


def _add(one: SlotAction, other: SlotAction) -> SlotAction:
    return SlotAction(mode=one.mode, energy_kwh=one.energy_kwh + other.energy_kwh)
