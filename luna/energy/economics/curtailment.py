"""When PV is held back: not exported where that costs money, off where importing is paid for as well."""

from operator import attrgetter

import numpy as np

from luna.energy.physics.mode import Curtailment, IntArray
from luna.energy.site import Site
from luna.energy.timeline import FloatArray


def curtailment_rule(import_price: FloatArray, export_price: FloatArray, *, house_first: bool = False) -> IntArray:
    """Return how PV that may be held back is used: not exported where that costs money, off where importing is paid and selling is not.

    Where both pay, PV is sold: which pays more depends on load and sun, and a plan that knows them may choose otherwise.
    ``house_first``: PV keeps serving house and battery even then, because a battery may take from nothing else.
    """
    kept = np.where(export_price < 0, Curtailment.EXPORT, Curtailment.NONE)
    off = (import_price < 0) & (export_price <= 0) & (not house_first)
    return np.where(off, Curtailment.ALL, kept).astype(np.int8)


def site_curtailment(site: Site, import_price: FloatArray, export_price: FloatArray) -> IntArray:
    """Return the rule for a site's PV: none where it may not be held back, the house first where a battery may take from nothing else."""
    if not site.curtailable:
        return np.zeros(import_price.shape, dtype=np.int8)
    return curtailment_rule(import_price, export_price, house_first=not all(map(attrgetter("charge_from_grid"), site.batteries)))
