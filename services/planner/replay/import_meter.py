"""Count what a replayed site draws, for prices that depend on the energy drawn before."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from luna.energy.economics.charges import EnergyCharge, begin_charges, slot_surcharge
from luna.energy.timeline import FloatArray, Timeline
from services.planner.replay.data import ReplayData


@dataclass
class ImportMeter:
    """The energy that a replayed site has bought since a slot, as its meter would count it.

    Args:
        scene: the replayed data.
        first: the slot of the window at which it begins to count.
        begin_kwh: what the running period of each component of ``find_charges`` had drawn by then.
    """

    scene: ReplayData
    first: int
    begin_kwh: Sequence[float]
    import_kwh: list[float] = field(default_factory=list, init=False)

    def read(self, import_kwh: float) -> None:
        """Count the energy bought in the next slot, kWh."""
        self.import_kwh.append(import_kwh)

    def drawn_at(self, slot: int) -> tuple[float, ...]:
        """Return what each component's running period has drawn at the begin of a slot, kWh."""
        past_kwh = np.array(self.import_kwh[: max(slot - self.first, 0)])
        if not past_kwh.size:
            return tuple(self.begin_kwh)
        # The slot itself belongs to the timeline: a period may begin with it.
        timeline = self._timeline(past_kwh.size + 1)
        zone = self.scene.zone
        charges = [charge.after(past_kwh, timeline, zone=zone) for charge in self._begin_charges]
        return tuple(charge.drawn_kwh for charge in charges)

    def slot_surcharge(self) -> FloatArray:
        """Return what each counted slot costs beside the price of the first kWh, currency."""
        bought = np.array(self.import_kwh)
        timeline = self._timeline(bought.size)
        return slot_surcharge(self._begin_charges, bought, timeline, zone=self.scene.zone)

    @property
    def _begin_charges(self) -> tuple[EnergyCharge, ...]:
        return begin_charges(self.scene.site.tariff.import_, self.begin_kwh)

    def _timeline(self, count: int) -> Timeline:
        window = self.scene.timeline
        return Timeline(window.start + self.first * window.step, window.step, count)
