"""What energies that passed the meter and the batteries cost, and the carbon they stand for."""

from dataclasses import dataclass

import numpy as np

from luna.timeline import FloatArray


@dataclass(frozen=True, slots=True)
class Costs:
    """Cost per slot in the site's currency; earnings are negative. Arrays have the slot as their last axis."""

    import_cost: FloatArray
    export_cost: FloatArray
    wear_cost: FloatArray

    @property
    def total(self) -> FloatArray:
        """The sum of the parts, per slot."""
        return self.import_cost + self.export_cost + self.wear_cost


def slot_costs(
    *,
    import_kwh: FloatArray,
    export_kwh: FloatArray,
    throughput_kwh: FloatArray,
    import_price: FloatArray,
    export_price: FloatArray,
    wear_price: FloatArray | float,
) -> Costs:
    """Return what each slot costs; all arrays broadcast against each other.

    Args:
        import_kwh: energy bought, at the meter.
        export_kwh: energy sold, at the meter.
        throughput_kwh: charge + discharge per battery at its terminals, shape ``(batteries, …)``.
        import_price: currency/kWh.
        export_price: currency/kWh earned.
        wear_price: currency per kWh of throughput, per battery, shape ``(batteries, 1)`` or one number.
    """
    wear = (throughput_kwh * wear_price).sum(axis=0)
    return Costs(import_kwh * import_price, -export_kwh * export_price, wear)


def carbon_g(import_kwh: FloatArray, carbon_g_per_kwh: FloatArray) -> float:
    """Return the carbon of what is imported, grams; exports are not credited."""
    return float(np.sum(import_kwh * carbon_g_per_kwh))
