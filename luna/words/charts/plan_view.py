"""A plan as the chart needs it: power per slot, state of charge at the edges, runs of one mode."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from luna.energy.timeline import FloatArray
from luna.words import Numbers

Band = tuple[FloatArray, FloatArray]


@dataclass(frozen=True, slots=True)
class ModeRun:
    """Neighbouring slots of one mode: ``[first, end)``."""

    mode: str
    first: int
    end: int


@dataclass(frozen=True, slots=True)
class RunFlows:
    """Mean power per slot in kW, each of shape ``(slots,)``, none negative; a band is None where the plan has none.

    ``pv`` is what is used; what is held back beyond it stands in ``curtailed``.
    """

    load: FloatArray
    charge: FloatArray
    export: FloatArray
    pv: FloatArray
    discharge: FloatArray
    import_: FloatArray
    curtailed: FloatArray
    load_band: Band | None
    pv_band: Band | None


@dataclass(frozen=True, slots=True)
class PlanView:
    """What is drawn. ``soc`` and ``without_soc`` have one value more than there are slots: they stand at the edges."""

    start: datetime
    step: timedelta
    known: int
    buy_price: FloatArray
    sell_price: FloatArray
    flows: RunFlows
    soc: FloatArray
    reserve_soc: float
    without_soc: FloatArray | None
    runs: list[ModeRun]
    selected: int
    numbers: Numbers

    @property
    def count(self) -> int:
        """How many slots are shown."""
        return self.buy_price.size

    def instant(self, edge: int) -> datetime:
        """Return the instant of a slot's edge, 0 to ``count``."""
        return self.start + edge * self.step
