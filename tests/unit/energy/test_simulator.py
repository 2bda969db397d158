"""Sites through time: a few slots by hand, many sites as one by one, and books that balance.

A battery of 10 kWh between 10 % and 90 %, 4 kW either way, 0.9 in and 0.8 out; slots of one hour.
"""

from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta

import numpy as np

from luna.energy.physics.limits import BatteryLimits, SiteLimits
from luna.energy.physics.mode import Mode, SetPoint
from luna.energy.simulator import Actuals, Trajectory, price, simulate
from luna.energy.site import parse_site
from luna.energy.timeline import SLOT, FloatArray, Timeline
from services.planner.dp.plan import balance_residual_kwh
from tests.support.planning.problems import describe_site
from tests.support.suite.tables import each_row

START = datetime(2024, 2, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
LOAD = np.array([1.0, 1.0, 3.0, 5.0])
PV = np.array([0.0, 5.0, 1.0, 0.0])
BATTERY = {
    "capacity_kwh": 10,
    "min_soc": 0.1,
    "max_soc": 0.9,
    "charge_limit_kw": 4,
    "discharge_limit_kw": 4,
}
EFFICIENCY = {"charge_efficiency": 0.9, "discharge_efficiency": 0.8}


@dataclass(frozen=True)
class Follow:
    """One mode in every slot, at full power and over the whole range."""

    mode: int
    power_kw: float = np.inf
    curtailment: int = 0

    def decide(self, slot: int, stored_kwh: FloatArray) -> SetPoint:
        low = np.full(stored_kwh.shape, -np.inf)
        high = np.full(stored_kwh.shape, np.inf)
        sites = stored_kwh.shape[1:]
        return SetPoint(
            mode=np.full(stored_kwh.shape, self.mode, dtype=np.int8),
            power_kw=np.full(stored_kwh.shape, self.power_kw),
            target_soc=low if self.mode == Mode.EXPORT else high,
            floor_soc=low,
            ceiling_soc=high,
            spill_soc=high,
            curtailment=np.full(sites, self.curtailment, dtype=np.int8),
            pv_limit_kw=np.full(sites, np.inf),
        )


def limits_of(batteries: int = 1) -> SiteLimits:
    return SiteLimits.of(describe_site(*[BATTERY | EFFICIENCY] * batteries))


def run(
    mode: int,
    *,
    load_kwh: FloatArray = LOAD,
    pv_kwh: FloatArray = PV,
    batteries: int = 1,
    step: timedelta = HOUR,
) -> Trajectory:
    actuals = Actuals(Timeline(START, step, load_kwh.shape[-1]), load_kwh, pv_kwh)
    sites = 1 if load_kwh.ndim == 1 else load_kwh.shape[0]
    return simulate(
        Follow(mode),
        actuals,
        limits=limits_of(batteries),
        stored_kwh=np.full((batteries, sites), 5.0),
    )


def test_without_control_the_meter_sees_load_less_pv() -> None:
    flows = run(Mode.HOLD).flows
    assert flows.import_kwh.tolist() == [[1, 0, 2, 5]]
    assert flows.export_kwh.tolist() == [[0, 4, 0, 0]]
    assert flows.stored_kwh.tolist() == [[[5, 5, 5, 5]]]
    assert not flows.charge_kwh.any()
    assert not flows.discharge_kwh.any()


def test_self_consumption_by_hand() -> None:
    flows = run(Mode.SELF_CONSUMPTION).flows
    # gives 1: 5 − 1.25 = 3.75; takes 4: 3.75 + 3.6 = 7.35; gives 2: 7.35 − 2.5 = 4.85; gives (4.85
    # − 1) · 0.8 = 3.08 of 5 and is empty
    np.testing.assert_allclose(flows.stored_kwh[0, 0], [3.75, 7.35, 4.85, 1.0])
    np.testing.assert_allclose(flows.charge_kwh[0, 0], [0, 4, 0, 0], atol=1e-12)
    np.testing.assert_allclose(flows.discharge_kwh[0, 0], [1, 0, 2, 3.08])
    np.testing.assert_allclose(flows.import_kwh[0], [0, 0, 0, 1.92], atol=1e-12)
    np.testing.assert_allclose(flows.export_kwh[0], [0, 0, 0, 0], atol=1e-12)


def test_what_a_course_costs_by_hand() -> None:
    trajectory = run(Mode.SELF_CONSUMPTION)
    costs = price(
        trajectory,
        import_price=np.full(4, 0.3),
        export_price=np.full(4, 0.1),
        wear_price=np.array([[[0.01]]]),
    )
    # wear on 1 + 4 + 2 + 3.08 kWh, and 1.92 kWh bought
    np.testing.assert_allclose(costs.total[0], [0.01, 0.04, 0.02, 0.0308 + 0.576])


def test_a_short_first_slot_moves_less() -> None:
    timeline = Timeline(START, SLOT, 2, first_step=timedelta(minutes=5))
    nothing = np.zeros(2)
    trajectory = simulate(
        Follow(Mode.CHARGE),
        Actuals(timeline, nothing, nothing),
        limits=limits_of(),
        stored_kwh=np.array([[5.0]]),
    )
    np.testing.assert_allclose(trajectory.flows.charge_kwh[0, 0], [4 / 12, 1.0])


def test_every_set_point_passes_the_safety_layer() -> None:
    trajectory = run(99)
    assert set(trajectory.mode.ravel()) == {Mode.HOLD}
    assert run(Mode.CHARGE).setpoints.power_kw.max() == 4


def test_the_slot_is_the_last_axis() -> None:
    trajectory = run(
        Mode.SELF_CONSUMPTION,
        load_kwh=np.tile(LOAD, (3, 1)),
        pv_kwh=np.tile(PV, (3, 1)),
        batteries=2,
    )
    assert trajectory.flows.charge_kwh.shape == trajectory.mode.shape == (2, 3, 4)
    assert trajectory.flows.import_kwh.shape == trajectory.setpoints.curtailment.shape == (3, 4)


@each_row("mode", list(Mode), ids=lambda mode: mode.word)
def test_many_sites_at_once_are_the_same_as_one_by_one(mode: Mode) -> None:
    random = np.random.default_rng(7)
    load = random.gamma(1.0, 2.0, (3, 24))
    pv = random.gamma(0.5, 4.0, (3, 24))
    together = run(mode, load_kwh=load, pv_kwh=pv, batteries=2)
    for site in range(3):
        alone = run(mode, load_kwh=load[site], pv_kwh=pv[site], batteries=2)
        for field in fields(alone.flows):
            np.testing.assert_array_equal(
                getattr(together.flows, field.name)[..., site, :],
                getattr(alone.flows, field.name)[..., 0, :],
                err_msg=field.name,
            )


def test_sites_may_have_limits_of_their_own() -> None:
    limits = [
        SiteLimits.of(
            parse_site(
                {
                    "name": "home",
                    "timezone": "UTC",
                    "batteries": [BATTERY | EFFICIENCY | {"charge_limit_kw": kw}],
                }
            )
        )
        for kw in (1, 2)
    ]
    battery = BatteryLimits(
        **{
            name: np.concatenate([getattr(each.batteries, name) for each in limits], axis=1)
            for name in BatteryLimits.__slots__
        }
    )
    grid = [
        np.concatenate([getattr(each, name) for each in limits])
        for name in ("import_limit_kw", "export_limit_kw", "curtailable")
    ]
    nothing = np.zeros((2, 3))
    trajectory = simulate(
        Follow(Mode.CHARGE),
        Actuals(Timeline(START, HOUR, 3), nothing, nothing),
        limits=SiteLimits(battery, *grid),
        stored_kwh=np.full((1, 2), 5.0),
    )
    # Full at 9 kWh: 4 kWh inside are 4.44 at the terminals.
    np.testing.assert_allclose(
        trajectory.flows.charge_kwh[0], [[1.0, 1.0, 1.0], [2.0, 2.0, 4 / 0.9 - 4]]
    )


def test_a_site_without_a_battery_runs_too() -> None:
    flows = run(Mode.SELF_CONSUMPTION, batteries=0).flows
    assert flows.import_kwh.tolist() == [[1, 0, 2, 5]]
    assert flows.charge_kwh.shape == (0, 1, 4)


@each_row("mode", list(Mode), ids=lambda mode: mode.word)
def test_the_books_balance_in_every_slot(mode: Mode) -> None:
    random = np.random.default_rng(8)
    load = random.gamma(1.0, 2.0, (4, 96))
    pv = random.gamma(0.5, 4.0, (4, 96))
    flows = run(mode, load_kwh=load, pv_kwh=pv, batteries=2, step=SLOT).flows
    assert balance_residual_kwh(flows, load, pv).max() < 1e-9


def test_a_missing_kwh_shows_in_the_balance() -> None:
    flows = run(Mode.HOLD).flows
    np.testing.assert_allclose(balance_residual_kwh(flows, LOAD + 0.25, PV), [[0.25] * 4])
