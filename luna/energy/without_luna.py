"""Baseline without Luna, under the same weather and load.

Inverters run self-consumption and cars charge at plug-in.
"""

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
class ChargerSession:
    """A charging session: slots ``[first, end)``, and its highest charging power, kW."""

    first: int
    end: int
    charge_kw: float


@dataclass(frozen=True, slots=True)
class House:
    """Load and possible PV of a site, kWh per slot, free of NaN.

    Their shape is ``(slots,)``.

    ``charge_kwh`` is the energy of its chargers with Luna; the baseline charges the same energy of
    each session as early as the charger allows.
    """

    timeline: Timeline
    load_kwh: FloatArray
    pv_kwh: FloatArray
    charge_kwh: FloatArray
    sessions: Sequence[ChargerSession] = ()


@dataclass(frozen=True, slots=True)
class WithoutLuna:
    """The baseline's flows, kWh, each of shape ``(slots,)``.

    ``soc`` is that of all batteries together at the end of a slot, NaN without any. ``charge_kwh``
    is what the chargers draw.
    """

    soc: FloatArray
    import_kwh: FloatArray
    export_kwh: FloatArray
    charge_kwh: FloatArray


def run_without_luna(
    site: Site, house: House, *, soc: float, prices: tuple[FloatArray, FloatArray]
) -> WithoutLuna:
    """Simulate a house with inverters alone.

    Args:
        site: with its devices.
        house: its load, PV and charging sessions.
        soc: at the start, of every battery.
        prices: import and export price per slot, free of NaN, by which PV is curtailed where the
            site allows it.

    Invariants: the state of charge never leaves a battery's limits; each session gets the same
        energy as with Luna.
    """
    limits = SiteLimits.of(site)
    charge_kwh = charge_at_plug_in(house)
    load = house.load_kwh + charge_kwh
    stored_kwh = []
    for battery in site.batteries:
        start_soc = np.clip(soc, battery.min_soc, battery.max_soc)
        stored_kwh.append(start_soc * battery.capacity_kwh)
    stored = np.array(stored_kwh).reshape(-1, 1)
    policy = PlainPolicy(Mode.SELF_CONSUMPTION, site_curtailment(site, *prices))
    actuals = Actuals(house.timeline, load, house.pv_kwh)
    flows = simulate(policy, actuals, limits=limits, stored_kwh=stored).flows
    capacity_kwh = sum(battery.capacity_kwh for battery in site.batteries)
    share = np.full(house.timeline.count, np.nan)
    if capacity_kwh:
        share = flows.stored_kwh.sum(axis=0)[0] / capacity_kwh
    return WithoutLuna(share, flows.import_kwh[0], flows.export_kwh[0], charge_kwh)


def charge_at_plug_in(house: House) -> FloatArray:
    """Return the chargers' energy if cars charge at plug-in, kWh, ``(slots,)``.

    A session is charged from its begin at full power.
    """
    early = house.charge_kwh.copy()
    for session in house.sessions:
        span = slice(session.first, session.end)
        room = session.charge_kw * house.timeline.hours[span]
        begun = np.minimum(np.cumsum(room), early[span].sum())
        early[span] = np.diff(begun, prepend=0.0)
    return early
