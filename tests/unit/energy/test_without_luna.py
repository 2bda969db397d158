"""What a house does without a plan."""

from datetime import UTC, datetime

import numpy as np
import pytest

from luna.energy.site import parse_site
from luna.energy.timeline import SLOT, Timeline
from luna.energy.without_luna import ChargerSession, House, charge_at_plug_in, run_without_luna

START = datetime(2024, 5, 1, tzinfo=UTC)
LOSSLESS = {
    "name": "battery",
    "capacity_kwh": 4,
    "charge_limit_kw": 4,
    "discharge_limit_kw": 4,
    "charge_efficiency": 1,
    "discharge_efficiency": 1,
}


def house(
    load: list[float],
    sun: list[float],
    car: list[float] | None = None,
    sessions: tuple[ChargerSession, ...] = (),
) -> House:
    return House(
        Timeline(START, SLOT, len(load)),
        np.array(load),
        np.array(sun),
        np.array(car or [0.0] * len(load)),
        sessions,
    )


def test_a_battery_follows_the_house_whatever_prices_do() -> None:
    site = parse_site({"name": "home", "timezone": "UTC", "batteries": [LOSSLESS]})
    prices = np.array([0.9, -0.1, 0.9]), np.array([0.5, 0.5, 0.5])
    # 2 kWh stored: 0.5 go to the house, 1 comes from the roof, 0.5 go to the house.
    found = run_without_luna(site, house([0.5, 0, 0.5], [0, 1.0, 0]), soc=0.5, prices=prices)
    assert found.soc.tolist() == pytest.approx([0.375, 0.625, 0.5])
    assert (found.import_kwh.tolist(), found.export_kwh.tolist()) == ([0, 0, 0], [0, 0, 0])


def test_a_car_charges_its_energy_as_soon_as_it_is_plugged_in() -> None:
    # 2 kWh planned late in a session of four slots, at 4 kW: a kilowatt-hour a slot, from its first
    # on.
    early = charge_at_plug_in(
        house([0] * 6, [0] * 6, [0.3, 0, 0, 1, 1, 0], (ChargerSession(1, 5, 4.0),))
    )
    assert early.tolist() == pytest.approx([0.3, 1, 1, 0, 0, 0])


def test_energies_of_sessions_are_the_same_with_and_without_a_plan() -> None:
    rng = np.random.default_rng(5)
    for _ in range(100):
        count = int(rng.integers(4, 40))
        car = rng.uniform(0, 1, count) * (rng.random(count) < 0.5)
        first, end = sorted(rng.choice(count + 1, 2, replace=False).tolist())
        early = charge_at_plug_in(
            house([0] * count, [0] * count, car.tolist(), (ChargerSession(first, end, 4.0),))
        )
        assert early.sum() == pytest.approx(car.sum())
        assert (early >= -1e-12).all()


def test_a_site_without_batteries_has_no_state_of_charge() -> None:
    site = parse_site({"name": "home", "timezone": "UTC"})
    found = run_without_luna(
        site, house([0.5], [0.2]), soc=0.0, prices=(np.array([0.3]), np.array([0.1]))
    )
    assert np.isnan(found.soc).all()
    assert found.import_kwh[0] == pytest.approx(0.3)
