"""The energy balance of a site's meters: base load and residual."""

from collections.abc import Mapping

import numpy as np

from luna.energy.site import SUBMETERED, Site, measured_series
from luna.energy.timeline import FloatArray
from services.ingest.metering.rejection import Mask

SOURCES = measured_series("source")
SINKS = measured_series("sink")
# Energy of devices beyond the house's meter; a term of the balance, not a stored column.
OUTSIDE = "outside_kwh"


def balance_by_meters(
    site: Site, measured: Mapping[str, FloatArray], named: Mapping[str, Mask]
) -> dict[str, FloatArray]:
    """Return ``compute_balance`` of each slot from the meters that are in service in it."""
    balance: dict[str, FloatArray] = {}
    is_named = np.array([*named.values()])
    patterns, group = np.unique(is_named, axis=1, return_inverse=True)
    for number, pattern in enumerate(patterns.T):
        in_service = {OUTSIDE}
        in_service.update(name for name, chosen in zip(named, pattern, strict=True) if chosen)
        slots = group.ravel() == number
        columns = {name: kwh for name, kwh in measured.items() if name in in_service}
        for name, values in compute_balance(site, columns).items():
            if name not in balance:
                balance[name] = np.full(values.size, np.nan)
            balance[name][slots] = values[slots]
    return balance


def compute_balance(site: Site, measured: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
    """Return the base load and the residual per slot, as far as the meters allow.

    Args:
        measured: energies by column, shape ``(slots,)``, kWh, NaN where unknown; ``load_kwh`` is
            the house meter's, all consumption but ``OUTSIDE``.

    Returns:
        ``load_kwh`` without the loads that have meters of their own, never below zero;
        ``beyond_house_kwh``, by how much it would be; ``residual_kwh``: import + PV + discharge −
        export − charge − all consumption. NaN where any needed part is unknown, and absent where a
        meter is missing.

    Invariants: sources = sinks + base load + submetered loads + residual.
    """
    supply: FloatArray | None = None
    if needed_for_supply(site) <= measured.keys():
        sources = sum(measured[name] for name in SOURCES if name in measured)
        sinks = sum(measured[name] for name in SINKS if name in measured)
        supply = np.asarray(sources - sinks, dtype=np.float64)
    total = measured.get("load_kwh", supply)
    if total is None:
        return {}
    submeters = [measured[name] for name in SUBMETERED if name in measured]
    submetered = np.zeros(total.size) + sum(submeters)
    in_house = submetered
    if OUTSIDE in measured and "load_kwh" in measured:
        in_house = submetered - measured[OUTSIDE]
    load = np.maximum(total - in_house, 0.0)
    balance = {"load_kwh": load}
    if submeters:
        balance["beyond_house_kwh"] = np.maximum(in_house - np.maximum(total, 0.0), 0.0)
    if supply is not None:
        balance["residual_kwh"] = supply - load - submetered
    return balance


def needed_for_supply(site: Site) -> set[str]:
    """Return the columns that must be measured for the house's supply to be known.

    These are grid import, and each other source or sink that the site has.
    """
    needed = {"import_kwh"}
    if site.pv:
        needed |= {"pv_kwh"}
    if site.batteries:
        needed |= {"charge_kwh", "discharge_kwh"}
    if (site.pv or site.batteries) and site.grid.export_limit_kw > 0:
        needed |= {"export_kwh"}
    return needed
