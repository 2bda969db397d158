"""PV curtailment by price.

Nothing is fed in at a negative export price, and PV is off where importing is paid as well.
"""

import numpy as np

from luna.energy.physics.mode import Curtailment, IntArray
from luna.energy.site import Site
from luna.energy.timeline import FloatArray


def site_curtailment(site: Site, import_price: FloatArray, export_price: FloatArray) -> IntArray:
    """Return the curtailment per slot, none without consent.

    Feed-in is held back at a negative export price, all PV where importing is paid and feed-in is
    not. Where importing and feed-in both pay, PV is fed in: which pays more depends on load and
    sun, and a plan that knows them may decide otherwise. PV is never off where a battery may not
    charge from the grid, for it has no other source.
    """
    if not site.curtailable:
        return np.zeros(import_price.shape, dtype=np.int8)
    batteries_may_charge = all(battery.charge_from_grid for battery in site.batteries)
    feed_in = np.where(export_price < 0, Curtailment.EXPORT, Curtailment.NONE)
    off = (import_price < 0) & (export_price <= 0) & batteries_may_charge
    return np.where(off, Curtailment.ALL, feed_in).astype(np.int8)
