"""Days that a stored site lives: its inverter follows the executor, the planner plans where that is
asked for, and what happens is recorded.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from luna.contracts.battery_setpoints import to_arrays
from luna.contracts.control import BatterySetpoint, ControlState
from luna.contracts.plan import PlanOptions, PlanRequest
from luna.energy.economics.prices import publication_times
from luna.energy.observations import Observations
from luna.energy.outlook import Forecast, Quantiles
from luna.energy.physics.limits import SiteLimits
from luna.energy.physics.safety import clamp
from luna.energy.physics.simulation import Flows, SlotActuals, simulate_slot
from luna.energy.timeline import SLOT, FloatArray, Timeline, parse_zone
from luna.platform.database import control, forecasts, observations, prices
from luna.platform.database.engine import unit_of_work
from luna.platform.database.forecast_activations import DEFAULT_VERSION
from services.planner.milp.solver import Solver
from services.planner.problem.knowledge import DAY
from services.planner.service.plans import plan_and_store
from tests.support.control.executor import START, Home

BEFORE = 17
MOST_DAYS = 7
# From midnight to midnight in Berlin.
FIRST = START.replace(hour=23) - DAY
AROUND = Timeline(FIRST - BEFORE * DAY, SLOT, (BEFORE + MOST_DAYS + 2) * 96)
MARKET = "days that are lived"
TARIFF = {
    "import": {"kind": "spot", "market": MARKET, "markup": 0.13},
    "export": {"kind": "spot", "market": MARKET},
}


def draw_energies(rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Load and PV of a winter's month: each day other clouds."""
    slot = np.arange(AROUND.count) % 96
    load = 0.08 + 0.3 * np.exp(-(((slot - 76) / 8) ** 2)) + rng.gamma(1.0, 0.06, AROUND.count)
    clouds = np.repeat(rng.uniform(0.2, 1.0, AROUND.count // 96), 96)
    return load, 0.9 * np.clip(np.sin((slot - 32) / 34 * np.pi), 0, None) * (slot > 32) * (
        slot < 66
    ) * clouds


def issue(rng: np.random.Generator, load: FloatArray, pv: FloatArray) -> list[Forecast]:
    """Hourly forecasts that err by a third either way, and by as much for whole days."""
    issued = []
    for first in range(0, AROUND.count - 192, 4):
        start = AROUND.start + first * SLOT
        bend = [
            series[first : first + 192] * rng.uniform(0.7, 1.3) * rng.uniform(0.7, 1.3, 192)
            for series in (load, pv)
        ]
        issued.append(
            Forecast(
                Timeline(start, SLOT, 192),
                start,
                DEFAULT_VERSION,
                *(Quantiles.exact(np.round(each, 6)) for each in bend),
            )
        )
    return issued


class LivedDays:
    """The inverter of a stored site that is armed; what it does is measured and recorded.

    Args:
        home: the site.
        section: how it is controlled.
        plan_every: a plan that is asked for sooner after the last one is not made.
    """

    def __init__(
        self, home: Home, section: dict[str, Any], *, plan_every: timedelta = timedelta(0)
    ) -> None:
        self.home, rng = home, np.random.default_rng(7)
        self.options, self.flows = PlanOptions(), list[Flows]()
        self.plan_every = plan_every
        self.planned_at = FIRST
        self.beside: Callable[[str], object] = lambda _: None
        self.load, self.pv = draw_energies(rng)
        self.spot = np.repeat(rng.normal(0.09, 0.05, AROUND.count // 4).clip(0.005), 4)
        site = home.site(section)
        self.limits = SiteLimits.of(site)
        battery = self.limits.batteries
        self.stored = battery.min_kwh + 0.5 * (battery.max_kwh - battery.min_kwh)
        with unit_of_work(home.database) as connection:
            published = publication_times(AROUND.starts, parse_zone("Europe/Berlin"))
            prices.upsert(
                connection,
                MARKET,
                starts=AROUND.starts,
                price=self.spot,
                currency="EUR",
                published_at=published,
            )
            forecasts.upsert(connection, home.name, issue(rng, self.load, self.pv))
        self.record(
            0,
            BEFORE * 96,
            np.full(BEFORE * 96, float(self.stored[0, 0] / battery.capacity_kwh[0, 0])),
        )

    def record(self, first: int, end: int, soc: FloatArray) -> None:
        part = slice(first, end)
        unknown = np.full(end - first, np.nan)
        seen = Observations(
            AROUND.starts[part],
            self.load[part],
            self.pv[part],
            unknown,
            unknown,
            unknown,
            unknown,
            soc,
        )
        with unit_of_work(self.home.database) as connection:
            observations.upsert(connection, self.home.name, seen)

    def rest(self, slots: int) -> None:
        """Let the battery stand still from midnight on, for so many slots."""
        soc = float(self.stored[0, 0] / self.limits.batteries.capacity_kwh[0, 0])
        self.record(BEFORE * 96, BEFORE * 96 + slots, np.full(slots, soc))
        self.home.clock.instant = FIRST + slots * SLOT

    def plan(self, now: datetime) -> str:
        """Have the planner plan, and whoever plans beside it; return the plan's id."""
        self.planned_at = now
        with unit_of_work(self.home.database) as connection:
            plan_id = plan_and_store(
                PlanRequest(site_id=self.home.name, options=self.options),
                lambda: connection,
                now=now,
                solver=Solver(),
            ).plan_id
        self.beside(plan_id)
        return plan_id

    def live(self, slot: int) -> float:
        """Follow a slot of the window as an inverter does.

        Plan where that was asked for; return what is stored at its end.
        """
        now = FIRST + slot * SLOT
        self.home.clock.instant = now
        self.home.turn()
        if self.home.asked:
            self.home.asked.clear()
            soon = now + timedelta(seconds=5)
            if soon - self.planned_at >= self.plan_every:
                self.plan(soon)
        told = to_arrays(
            [each for each in self.decided().values() if isinstance(each, BatterySetpoint)]
        )
        place = BEFORE * 96 + slot
        energies = {"load_kwh": self.load[place : place + 1], "pv_kwh": self.pv[place : place + 1]}
        flows = simulate_slot(
            clamp(told, self.stored, self.limits),
            self.stored,
            SlotActuals(**energies, hours=0.25),
            limits=self.limits,
        )
        self.stored, self.flows = flows.stored_kwh, [*self.flows, flows]
        self.record(place, place + 1, self.stored[0] / self.limits.batteries.capacity_kwh[0])
        return float(self.stored[0, 0])

    def decided(self) -> dict[str, Any]:
        with unit_of_work(self.home.database) as connection:
            state: ControlState = control.load(connection, self.home.name)
        assert state.decision is not None
        return dict(state.decision.allowed)
