"""What the meters of a site say together: the base load, and what they leave unexplained."""

from collections.abc import Mapping

import numpy as np

from luna.site import Site
from luna.timeline import FloatArray

SOURCES = ("import_kwh", "pv_kwh", "discharge_kwh")
SINKS = ("export_kwh", "charge_kwh")
# Loads with meters of their own, which follow plans instead of habits: nothing that learns the house's habits may see them.
APPLIANCES = ("vehicle_kwh", "heat_pump_kwh", "water_heater_kwh")


def needed_for_supply(site: Site) -> set[str]:
    """Return the meters without which it is not known what the house was supplied with: one at the grid, and one for each other way in or out it has."""
    needed = {"import_kwh"}
    if site.pv:
        needed |= {"pv_kwh"}
    if site.batteries:
        needed |= {"charge_kwh", "discharge_kwh"}
    if (site.pv or site.batteries) and site.grid.export_limit_kw > 0:
        needed |= {"export_kwh"}
    return needed


def settle_balance(site: Site, measured: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
    """Return the base load and the residual per slot, as far as the meters allow.

    Args:
        measured: energies by column, NaN where unknown; ``load_kwh`` is all that the house uses, where it has a meter for that.

    Returns:
        ``load_kwh`` without the appliances that have meters of their own, never below zero, and ``residual_kwh``: import + PV + discharge − export − charge
        − all consumption. NaN where any needed part is unknown, and absent where a meter is missing.

    Invariants: sources = sinks + base load + appliances + residual.
    """
    supply = _supply(site, measured)
    total = measured.get("load_kwh", supply)
    if total is None:
        return {}
    appliances = np.zeros(total.size) + sum(measured[name] for name in APPLIANCES if name in measured)
    load = np.maximum(total - appliances, 0.0)
    return {"load_kwh": load} if supply is None else {"load_kwh": load, "residual_kwh": supply - load - appliances}


def _supply(site: Site, measured: Mapping[str, FloatArray]) -> FloatArray | None:
    if not needed_for_supply(site) <= measured.keys():
        return None
    sources = sum(measured[name] for name in SOURCES if name in measured)
    return np.asarray(sources - sum(measured[name] for name in SINKS if name in measured), dtype=np.float64)
