"""A component whose prices were loaded for the site."""

from typing import Literal

from luna.energy.tariffs.component import Component, PricedSlots
from luna.energy.timeline import FloatArray


class SeriesComponent(Component):
    """The site's own prices: ``import_price`` or ``export_price`` of ``luna data load``."""

    kind: Literal["series"]

    @property
    def reads_own_series(self) -> bool:
        """Always."""
        return True

    def undated_price(self, slots: PricedSlots) -> FloatArray:
        """Return the loaded price, NaN where it is unknown."""
        return slots.series(slots.own)
