"""Which way each slot may go: import or export, charge or discharge."""

from dataclasses import dataclass

from luna.energy.physics.mode import BoolArray
from luna.energy.timeline import FloatArray


@dataclass(frozen=True, slots=True)
class Direction:
    """Which way a slot goes, where the prices do not decide by themselves; boolean arrays of shape ``(slots,)``.

    ``may_import``/``may_export``: what the connection may do; ``may_charge``/``may_discharge``: what the battery may do. ``charge_kwh`` and
    ``discharge_kwh``, at the terminals, are what it does whatever that costs, NaN where that is free.
    """

    may_import: BoolArray
    may_export: BoolArray
    may_charge: BoolArray
    may_discharge: BoolArray
    charge_kwh: FloatArray | None = None
    discharge_kwh: FloatArray | None = None

    def within(self, other: "Direction | None") -> "Direction":
        """Return the ways that are open in both; what the battery has to do is the other's."""
        if other is None:
            return self
        return Direction(
            self.may_import & other.may_import,
            self.may_export & other.may_export,
            self.may_charge & other.may_charge,
            self.may_discharge & other.may_discharge,
            other.charge_kwh,
            other.discharge_kwh,
        )
