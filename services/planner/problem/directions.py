"""The allowed flow directions of each slot: import or export, charge or discharge."""

from dataclasses import dataclass

from luna.energy.physics.mode import BoolArray
from luna.energy.timeline import FloatArray


@dataclass(frozen=True, slots=True)
class Direction:
    """Allowed flow directions of the grid connection and the battery, ``(slots,)``.

    ``charge_kwh`` and ``discharge_kwh`` are forced energies at the battery's terminals, NaN where
    free.
    """

    may_import: BoolArray
    may_export: BoolArray
    may_charge: BoolArray
    may_discharge: BoolArray
    charge_kwh: FloatArray | None = None
    discharge_kwh: FloatArray | None = None

    def within(self, other: "Direction | None") -> "Direction":
        """Return the directions that both allow, with the forced energies of ``other``."""
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
