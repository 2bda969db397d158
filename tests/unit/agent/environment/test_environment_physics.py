"""A step of the environment is what physics and prices say, whatever site, tariff and action."""

import numpy as np
import pytest

from luna.energy.physics.mode import SetPoint
from luna.energy.physics.safety import clamp
from luna.energy.physics.simulation import SlotActuals, simulate_slot
from luna.energy.timeline import FloatArray, IndexArray
from services.agent.environment.actions import Powers
from services.agent.environment.episodes import EpisodeBatch, SlotTable
from services.agent.environment.transition import EnvRule, SitesNow, step_sites
from tests.support.agent.made_up_days import join_sites
from tests.support.suite.depth import draws

SITES = 300
HOURS = 0.25


@pytest.fixture(scope="module", params=[0.0, 0.3], ids=["no inverters", "inverters"])
def batch(request: pytest.FixtureRequest) -> EpisodeBatch:
    return join_sites(np.random.default_rng(4), 12, inverter_share=request.param)


def draw_slots(rng: np.random.Generator) -> SlotTable:
    """Return slots with loads, PV and prices of all sizes and signs."""
    prices = rng.normal(0.1, 0.3, (5, SITES))
    return SlotTable(
        rng.choice([0.0, 0.4, 3.0], SITES) * rng.uniform(0.5, 1.5),
        rng.choice([0.0, 0.7, 2.5], SITES) * rng.uniform(0.5, 1.5),
        prices[0],
        prices[1],
        rng.integers(0, 3, SITES).astype(np.int8),
        *np.sort(prices[2:], axis=0),
    )


def draw_sites(rng: np.random.Generator, batch: EpisodeBatch) -> SitesNow:
    """Return sites of the batch, their batteries empty, full, and in between."""
    columns = batch.columns.pick(rng.integers(0, 12, SITES))
    battery = columns.limits.batteries
    share = rng.choice([0.0, 1.0, 0.01, *rng.random(5)], (1, SITES))
    return SitesNow(
        limits=columns.limits,
        wear_price=columns.wear_price,
        stored_kwh=battery.min_kwh + share * (battery.max_kwh - battery.min_kwh),
        capacity_kwh=np.broadcast_to(battery.capacity_kwh, (1, SITES))[0],
        worth=rng.normal(size=SITES),
        first_soc=rng.random(SITES),
        done=rng.random(SITES) < 0.1,
    )


def request_modes(modes: IndexArray, slot: SlotTable) -> SetPoint:
    """Return the set-points of four actions: charge, hold, cover the load, export."""
    bound = np.full((1, SITES), np.inf)
    mode = np.array([4, 3, 0, 5], dtype=np.int8)[modes][None]
    target = np.where(mode == 5, -np.inf, np.inf)
    return SetPoint(mode, bound, target, -bound, bound, bound, slot.curtailment, bound[0])


def count_costs(
    requested: SetPoint, sites: SitesNow, slot: SlotTable
) -> tuple[FloatArray, FloatArray]:
    """Return what is stored at the slot's end, and what the slot costs, by NumPy alone."""
    safe = clamp(requested, sites.stored_kwh, sites.limits)
    actuals = SlotActuals(slot.load_kwh, slot.pv_kwh, HOURS)
    flows = simulate_slot(safe, sites.stored_kwh, actuals, limits=sites.limits)
    grid = flows.import_kwh * slot.import_price - flows.export_kwh * slot.export_price
    wear = ((flows.charge_kwh + flows.discharge_kwh) * sites.wear_price)[0]
    return flows.stored_kwh, grid + wear


def test_a_step_stores_and_costs_what_physics_and_prices_say(batch: EpisodeBatch) -> None:
    for seed in range(draws(30)):
        rng = np.random.default_rng(seed)
        slot = draw_slots(rng)
        sites = draw_sites(rng, batch)
        modes = rng.integers(0, 4, SITES)
        result = step_sites(EnvRule(), sites, slot, (modes,), hours=HOURS)
        stored_kwh, cost = count_costs(request_modes(modes, slot), sites, slot)
        np.testing.assert_allclose(result.flows.stored_kwh, stored_kwh, rtol=0, atol=1e-9)
        np.testing.assert_allclose(result.costs.total, cost, rtol=0, atol=1e-9)


def test_powers_store_and_cost_what_physics_and_prices_say(batch: EpisodeBatch) -> None:
    rule = EnvRule(control="continuous")
    for seed in range(draws(30)):
        rng = np.random.default_rng(seed)
        slot = draw_slots(rng)
        sites = draw_sites(rng, batch)
        shares = rng.choice([0.0, 1.0, *rng.random(4)], (3, SITES))
        # One purpose for each site: no price decides between two.
        shares *= np.arange(3)[:, None] == rng.integers(0, 3, SITES)
        result = step_sites(rule, sites, slot, tuple(shares), hours=HOURS)
        requested = Powers.of(tuple(shares), sites.limits).setpoint(
            slot.curtailment, sites.stored_kwh, hours=HOURS, limits=sites.limits
        )
        stored_kwh, cost = count_costs(requested, sites, slot)
        np.testing.assert_allclose(result.flows.stored_kwh, stored_kwh, rtol=0, atol=1e-9)
        np.testing.assert_allclose(result.costs.total, cost, rtol=0, atol=1e-9)
