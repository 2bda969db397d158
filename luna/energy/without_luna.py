"""What a site would do without a plan: inverters follow the house, cars charge when they are plugged in; weather and habits are the same."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from luna.energy.economics.curtailment import site_curtailment
from luna.energy.physics.limits import SiteLimits
from luna.energy.physics.mode import Mode
from luna.energy.schedule import PlainPolicy
from luna.energy.simulator import Actuals, simulate
from luna.energy.site import Site
from luna.energy.timeline import FloatArray, Timeline


@dataclass(frozen=True, slots=True)
class ChargerStay:
    """A stay at a charger: slots ``[first, end)``, and what it charges there at most, kW."""

    first: int
    end: int
    charge_kw: float


@dataclass(frozen=True, slots=True)
class House:
    """What a site needs and what its roof could give, kWh per slot, shape ``(slots,)``, free of NaN.

    ``charge_kwh`` is what its chargers take; in a stay the same energy is charged as early as the charger allows.
    """

    timeline: Timeline
    load_kwh: FloatArray
    pv_kwh: FloatArray
    charge_kwh: FloatArray
    stays: Sequence[ChargerStay] = ()


@dataclass(frozen=True, slots=True)
class WithoutLuna:
    """What comes of it, each of shape ``(slots,)``; ``soc`` is that of all batteries together at the end of a slot, NaN where there are none."""

    soc: FloatArray
    import_kwh: FloatArray
    export_kwh: FloatArray


def run_without_luna(site: Site, house: House, *, soc: float, prices: tuple[FloatArray, FloatArray]) -> WithoutLuna:
    """Return what inverters alone make of a house.

    Args:
        site: with its devices.
        house: its needs and its sun.
        soc: at the start, of every battery.
        prices: of import and export, which say when PV that may be held back is; free of NaN.

    Invariants: the state of charge never leaves a battery's limits; each stay gets the energy that it gets with Luna.
    """
    limits = SiteLimits.of(site)
    load = house.load_kwh + charge_at_plug_in(house)
    stored = np.array([[np.clip(soc, battery.min_soc, battery.max_soc) * battery.capacity_kwh] for battery in site.batteries]).reshape(-1, 1)
    policy = PlainPolicy(Mode.SELF_CONSUMPTION, site_curtailment(site, *prices))
    flows = simulate(policy, Actuals(house.timeline, load, house.pv_kwh), limits=limits, stored_kwh=stored).flows
    capacity = sum(battery.capacity_kwh for battery in site.batteries)
    share = flows.stored_kwh.sum(axis=0)[0] / capacity if capacity else np.full(house.timeline.count, np.nan)
    return WithoutLuna(share, flows.import_kwh[0], flows.export_kwh[0])


def charge_at_plug_in(house: House) -> FloatArray:
    """Return what chargers take where each stay's energy is charged from its begin on, as fast as its charger allows, kWh, shape ``(slots,)``."""
    early = house.charge_kwh.copy()
    for stay in house.stays:
        span = slice(stay.first, stay.end)
        room = stay.charge_kw * house.timeline.hours[span]
        begun = np.minimum(np.cumsum(room), early[span].sum())
        early[span] = np.diff(begun, prepend=0.0)
    return early
