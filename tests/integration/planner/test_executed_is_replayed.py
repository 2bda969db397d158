"""Days that the executor follows on a simulated inverter, and the replay of the same days: slot by slot the same."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Engine

from luna.contracts.control import BatterySetpoint, ControlState
from luna.contracts.plan import PlanRequest
from luna.contracts.replay import ReplayRequest
from luna.database import control, forecasts, observations, prices
from luna.database.engine import unit_of_work
from luna.database.forecast_activations import DEFAULT_VERSION
from luna.economics import publication_times
from luna.observations import Observations
from luna.outlook import Forecast, Quantiles
from luna.physics import Mode, SiteLimits, SlotActuals, clamp, simulate_slot
from luna.timeline import SLOT, FloatArray, Timeline, parse_zone
from services.executor.batteries import to_arrays
from services.executor.device import DryRun
from services.planner.milp.solver import Solver
from services.planner.problem.knowledge import DAY
from services.planner.replay import DayResult, ReplayData
from services.planner.replay.data import Rules
from services.planner.replay.days import simulate_day
from services.planner.replay.policies import CarryOver
from services.planner.replay.policy_factory import PolicyFactory, PolicyRun, plan_with_hindsight
from services.planner.service.inputs import read_scene
from services.planner.service.plans import plan_and_store
from tests.controlled import MODES, describe
from tests.executing import BATTERY, START, Home

MOST_DAYS, BEFORE = 2, 17
# From midnight to midnight in Berlin.
FIRST = START.replace(hour=23) - DAY
AROUND = Timeline(FIRST - BEFORE * DAY, SLOT, (BEFORE + MOST_DAYS + 2) * 96)
MARKET = "executed is replayed"
HOUR = timedelta(hours=1)
ALL_MODES = {mode.word: mode.word for mode in Mode}
# A battery's limits, the modes that its inverter knows, and for how many days it is followed.
KINDS: dict[str, tuple[dict[str, Any], dict[str, str], int]] = {
    "plain": ({}, ALL_MODES, MOST_DAYS),
    "tapers, and its inverter knows four modes": ({"taper_from_soc": 0.7, "taper_to_share": 0.2, "min_charge_kw": 0.4}, MODES, 1),
}


def draw_energies(rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Load and PV of a winter's month: each day other clouds."""
    slot = np.arange(AROUND.count) % 96
    load = 0.08 + 0.3 * np.exp(-(((slot - 76) / 8) ** 2)) + rng.gamma(1.0, 0.06, AROUND.count)
    clouds = np.repeat(rng.uniform(0.2, 1.0, AROUND.count // 96), 96)
    return load, 0.9 * np.clip(np.sin((slot - 32) / 34 * np.pi), 0, None) * (slot > 32) * (slot < 66) * clouds


def issue(rng: np.random.Generator, load: FloatArray, pv: FloatArray) -> list[Forecast]:
    """Hourly forecasts that err by a third either way, and by as much for whole days."""
    issued = []
    for first in range(0, AROUND.count - 192, 4):
        start = AROUND.start + first * SLOT
        bend = [series[first : first + 192] * rng.uniform(0.7, 1.3) * rng.uniform(0.7, 1.3, 192) for series in (load, pv)]
        issued.append(Forecast(Timeline(start, SLOT, 192), start, DEFAULT_VERSION, *(Quantiles.exact(np.round(each, 6)) for each in bend)))
    return issued


class LivedDays:
    """The inverter of a stored site that is armed; what it does is measured and recorded."""

    def __init__(self, home: Home, section: dict[str, Any]) -> None:
        self.home, rng = home, np.random.default_rng(7)
        self.load, self.pv = draw_energies(rng)
        self.spot = np.repeat(rng.normal(0.09, 0.05, AROUND.count // 4).clip(0.005), 4)
        site = home.site(section)
        self.limits = SiteLimits.of(site)
        battery = self.limits.batteries
        self.stored = battery.min_kwh + 0.5 * (battery.max_kwh - battery.min_kwh)
        with unit_of_work(home.database) as connection:
            published = publication_times(AROUND.starts, parse_zone("Europe/Berlin"))
            prices.upsert(connection, MARKET, starts=AROUND.starts, price=self.spot, currency="EUR", published_at=published)
            forecasts.upsert(connection, home.name, issue(rng, self.load, self.pv))
        self.record(0, BEFORE * 96, np.full(BEFORE * 96, float(self.stored[0, 0] / battery.capacity_kwh[0, 0])))

    def record(self, first: int, end: int, soc: FloatArray) -> None:
        part, unknown = slice(first, end), np.full(end - first, np.nan)
        seen = Observations(AROUND.starts[part], self.load[part], self.pv[part], unknown, unknown, unknown, unknown, soc)
        with unit_of_work(self.home.database) as connection:
            observations.upsert(connection, self.home.name, seen)

    def plan(self, now: datetime) -> None:
        with unit_of_work(self.home.database) as connection:
            plan_and_store(PlanRequest(site_id=self.home.name), lambda: connection, now=now, solver=Solver())

    def live(self, slot: int) -> float:
        """Follow a slot of the window as an inverter does; plan where that was asked for; return what is stored at its end."""
        now = FIRST + slot * SLOT
        self.home.clock.instant = now
        self.home.turn()
        if self.home.asked:
            self.home.asked.clear()
            self.plan(now + timedelta(seconds=5))
        told = to_arrays([each for each in self.decided().values() if isinstance(each, BatterySetpoint)])
        place = BEFORE * 96 + slot
        energies = {"load_kwh": self.load[place : place + 1], "pv_kwh": self.pv[place : place + 1]}
        flows = simulate_slot(clamp(told, self.stored, self.limits), self.stored, SlotActuals(**energies, hours=0.25), limits=self.limits)
        self.stored = flows.stored_kwh
        self.record(place, place + 1, self.stored[0] / self.limits.batteries.capacity_kwh[0])
        return float(self.stored[0, 0])

    def decided(self) -> dict[str, Any]:
        with unit_of_work(self.home.database) as connection:
            state: ControlState = control.load(connection, self.home.name)
        assert state.decision is not None
        return dict(state.decision.allowed)


@pytest.fixture
def live_days(database: Engine) -> Iterator[Callable[[str], LivedDays]]:
    homes: list[Home] = []

    def make(kind: str) -> LivedDays:
        tariff = {"import": {"kind": "spot", "market": MARKET, "markup": 0.13}, "export": {"kind": "spot", "market": MARKET}}
        limits, modes, _ = KINDS[kind]
        section, batteries = describe("dry_run", modes=modes), [{"name": "battery"} | BATTERY | limits]
        homes.append(Home(database, lambda _: DryRun(), section, tariff=tariff, batteries=batteries, pv=[{"name": "roof", "peak_kw": 5}]))
        homes[-1].arm()
        return LivedDays(homes[-1], section)

    yield make
    for home in homes:
        home.close()


def replay_days(scene: ReplayData) -> Iterator[DayResult]:
    """Yield the days of the planner as a replay lives them, without those whom a replay lives beside it to say what each thing unknown costs."""
    rules = Rules.of(scene)
    half = [float(kwh) for kwh in rules.initial_kwh[:, 0]]
    factory = PolicyFactory(scene, rules, 4, plan_with_hindsight(scene, rules))
    before = {"mpc": CarryOver(stored_kwh=half, seen_kwh=half)}
    for slots in scene.days:
        day = simulate_day(factory, [PolicyRun("mpc", "mpc")], slots, before)
        before = {name: record.standing for name, record in day.records.items()}
        yield day


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_executed_is_what_is_replayed(live_days: Callable[[str], LivedDays], kind: str) -> None:
    lived_days, days = live_days(kind), KINDS[kind][2]
    lived_days.plan(FIRST)
    executed = [lived_days.live(slot) for slot in range(days * 96)]
    first, last = ((FIRST + timedelta(hours=12) + day * DAY).date() for day in (0, days - 1))
    request = ReplayRequest(site_id=lived_days.home.name, from_day=first, to_day=last, policies=["mpc"])
    with unit_of_work(lived_days.home.database) as connection:
        scene = read_scene(connection, request, DEFAULT_VERSION)
    replayed = np.concatenate([day.trajectories["mpc"].flows.stored_kwh[0, 0] for day in replay_days(scene)])
    assert scene.timeline.start == FIRST
    assert replayed == pytest.approx(np.array(executed), abs=1e-9)
    # Days on which something happened: bought at night, used in the evening.
    assert np.ptp(replayed) > 5.0
