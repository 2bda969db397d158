"""When PV is held back: not exported where that costs money, off where importing is paid for as well."""

from operator import attrgetter

import numpy as np

from luna.energy.physics.mode import Curtailment, IntArray
from luna.energy.site import Site
from luna.energy.timeline import FloatArray


def site_curtailment(site: Site, import_price: FloatArray, export_price: FloatArray) -> IntArray:
    """Return how a site's PV is used: not exported where that costs money, off where importing is paid and selling is not; as it comes where it must.

    Where both pay, PV is sold: which pays more depends on load and sun, and a plan that knows them may choose otherwise.
    PV keeps serving house and battery even where importing is paid, where a battery may take from nothing else.
    """
    if not site.curtailable:
        return np.zeros(import_price.shape, dtype=np.int8)
    kept = np.where(export_price < 0, Curtailment.EXPORT, Curtailment.NONE)
    off = (import_price < 0) & (export_price <= 0) & all(map(attrgetter("charge_from_grid"), site.batteries))
    return np.where(off, Curtailment.ALL, kept).astype(np.int8)
